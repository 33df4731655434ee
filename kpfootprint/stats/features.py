"""What the networks see of a parcel alone: smoothed log ratios, residuals from its own fit, evidence, conditions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kpfootprint.stats.categories import fit_margins
from kpfootprint.stats.evidence import Predictor, log_sum
from kpfootprint.stats.structure import Structure
from kpfootprint.stats.views import View

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backdrop:
    """The mean footprint that log ratios are taken to, and scales of the numbers.

    Parameters
    ----------
    size : ndarray of shape (n_size_classes,)
        Mean chances of size classes.
    margins : tuple of ndarray of shape (C,)
        Mean chances of each attribute's classes.
    pairs : tuple of ndarray of shape (C_a, C_b)
        Mean chances of class pairs.
    broad : ndarray of shape (n_size_classes,), int
        Which of three broad size bands each class lies in.
    location, scale : ndarray of shape (D,)
        Mean and spread of parcels' numbers over all sources.
    """

    size: Floats
    margins: tuple[Floats, ...]
    pairs: tuple[Floats, ...]
    broad: NDArray[np.intp]
    location: Floats
    scale: Floats


def _log_ratio(counts: Floats, chances: Floats, weight: float) -> Floats:
    total = counts.sum(axis=-1, keepdims=True)
    smooth = (counts + weight * chances) / (total + weight)
    return np.log(np.maximum(smooth, 1e-9) / np.maximum(chances, 1e-9))


def residual(observed: Floats, expected: Floats) -> Floats:
    """Return Pearson residuals, clipped to nine and divided by three."""
    return np.clip((observed - expected) / np.sqrt(expected + 0.5), -9.0, 9.0) / 3.0


def parcel_features(view: View, structure: Structure, predictor: Predictor, backdrop: Backdrop) -> Floats:
    """Return the features (n, F) that do not depend on what was declared; what is not recorded is zero."""
    arrays, fits = view.arrays, view.summaries
    n = len(arrays)
    known = arrays.recorded.astype(float)
    size_known, class_known = known[:, :1], [known[:, 1 + a : 2 + a] for a in range(len(structure.bases))]
    indicator = structure.membership_of_classes()
    by_class = arrays.cells @ indicator
    stones = by_class.sum(axis=1, keepdims=True)
    parts: list[Floats] = []

    modes = np.concatenate([fits.sizes[0].theta, *[fit.theta for fit in fits.classes]], axis=1)
    for part, block in enumerate(structure.blocks):
        scaled = (modes[:, block] - backdrop.location[block]) / backdrop.scale[block]
        parts.append(scaled * known[:, part : part + 1])
    inner = (fits.sizes[3].theta - backdrop.location[:2]) / backdrop.scale[:2]
    parts.append(np.clip(inner, -6, 6) * size_known)

    for slot in range(view.listed.shape[0]):
        total = log_sum(view.listed[slot])[:, None]
        parts.append(np.clip(view.listed[slot] - total, -25.0, 0.0) / 5.0)
        parts.append(np.clip(view.unlisted[slot] - total, -25.0, 25.0) / 5.0)
        dims = np.maximum(view.n_dims[slot], 1.0)[:, None]
        nearest = np.sort(view.distance[slot], axis=1)[:, :2]
        parts.append(np.log((nearest + 1.0) / (dims + 1.0)))

    parts.append(_log_ratio(by_class, backdrop.size, 8.0) * size_known)
    for fit in (fits.sizes[0], fits.sizes[3]):
        parts.append(residual(by_class, stones * (fit.cells @ indicator)) * size_known)
    bands = np.eye(int(backdrop.broad.max()) + 1)[backdrop.broad]
    for a, table in enumerate(arrays.tables):
        flag = class_known[a]
        parts.append(_log_ratio(table.sum(axis=1), backdrop.margins[a], 6.0) * flag)
        banded = np.einsum("pbc,bk->pkc", table, bands)
        parts.append((_log_ratio(banded, backdrop.margins[a], 20.0) * flag[:, :, None]).reshape(n, -1))
        expected = fits.classes[a].probabilities * table.sum(axis=2)[:, :, None]
        gap = residual(banded, np.einsum("pbc,bk->pkc", expected, bands))
        parts.append((gap * flag[:, :, None]).reshape(n, -1))
    for (a, b), pair, association, mean in zip(
        structure.pairs, arrays.pairs, structure.associations, backdrop.pairs, strict=True
    ):
        flag = (class_known[a] * class_known[b] * (pair.sum(axis=(1, 2)) > 0)[:, None])[:, :, None]
        flat = pair.reshape(n, -1)
        parts.append(_log_ratio(flat, mean.ravel(), 40.0) * flag[:, 0])
        expected = fit_margins(association, pair.sum(axis=2) + 1e-9, pair.sum(axis=1) + 1e-9)
        parts.append((residual(pair, expected) * flag).reshape(n, -1))

    sizes = [len(prior) for prior in predictor.priors] + [len(predictor.last)]
    for f, size in enumerate(sizes):
        parts.append((arrays.levels[:, f : f + 1] == np.arange(-1, size)).astype(float))
    unknown = np.isnan(arrays.edge)
    shift = np.where(unknown, 0.0, (arrays.edge - structure.edge_mean) / max(structure.edge_sd, 0.05))
    parts.append(np.stack([unknown, np.clip(shift, -8, 8) / 3.0, np.log(stones[:, 0] / 500.0)], axis=1))
    parts.append(known)
    return np.concatenate(parts, axis=1)
