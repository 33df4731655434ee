"""What the networks see of a parcel: smoothed log ratios, residuals from its own fit, evidence, conditions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kpfootprint.stats.blends import admixtures, contract, expand
from kpfootprint.stats.categories import class_probabilities, fit_margins
from kpfootprint.stats.evidence import Predictor, log_sum, source_evidence
from kpfootprint.stats.structure import Structure
from kpfootprint.stats.views import View

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SHARES = np.array([0.03, 0.08, 0.15, 0.25, 0.4, 0.6, 0.8, 1.0])
"""Shares of undeclared stones at which the explicit evidence of a mixture is computed."""
PROFILE_SLOTS = (0, 3)


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


def _residual(observed: Floats, expected: Floats) -> Floats:
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
        dims = np.maximum(view.frames[slot].n_dims, 1.0)[:, None]
        nearest = np.sort(view.distance[slot], axis=1)[:, :2]
        parts.append(np.log((nearest + 1.0) / (dims + 1.0)))

    parts.append(_log_ratio(by_class, backdrop.size, 8.0) * size_known)
    for fit in (fits.sizes[0], fits.sizes[3]):
        parts.append(_residual(by_class, stones * (fit.cells @ indicator)) * size_known)
    bands = np.eye(int(backdrop.broad.max()) + 1)[backdrop.broad]
    for a, table in enumerate(arrays.tables):
        flag = class_known[a]
        parts.append(_log_ratio(table.sum(axis=1), backdrop.margins[a], 6.0) * flag)
        banded = np.einsum("pbc,bk->pkc", table, bands)
        parts.append((_log_ratio(banded, backdrop.margins[a], 20.0) * flag[:, :, None]).reshape(n, -1))
        expected = fits.classes[a].probabilities * table.sum(axis=2)[:, :, None]
        gap = _residual(banded, np.einsum("pbc,bk->pkc", expected, bands))
        parts.append((gap * flag[:, :, None]).reshape(n, -1))
    for (a, b), pair, association, mean in zip(
        structure.pairs, arrays.pairs, structure.associations, backdrop.pairs, strict=True
    ):
        flag = (class_known[a] * class_known[b] * (pair.sum(axis=(1, 2)) > 0)[:, None])[:, :, None]
        flat = pair.reshape(n, -1)
        parts.append(_log_ratio(flat, mean.ravel(), 40.0) * flag[:, 0])
        expected = fit_margins(association, pair.sum(axis=2) + 1e-9, pair.sum(axis=1) + 1e-9)
        parts.append((_residual(pair, expected) * flag).reshape(n, -1))

    sizes = [len(prior) for prior in predictor.priors] + [len(predictor.last)]
    for f, size in enumerate(sizes):
        parts.append((arrays.levels[:, f : f + 1] == np.arange(-1, size)).astype(float))
    unknown = np.isnan(arrays.edge)
    shift = np.where(unknown, 0.0, (arrays.edge - structure.edge_mean) / max(structure.edge_sd, 0.05))
    parts.append(np.stack([unknown, np.clip(shift, -8, 8) / 3.0, np.log(stones[:, 0] / 500.0)], axis=1))
    parts.append(known)
    return np.concatenate(parts, axis=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Explicit evidence for what was declared, and for admixtures to it.

    Parameters
    ----------
    declared : ndarray of shape (n_slots, n)
        Log evidence of the declared blend, in every slot.
    distance : ndarray of shape (n_slots, n)
        Its squared distance.
    mixed : ndarray of shape (n_profile_slots, n, J, Z)
        Log evidence of an admixture of each source at each of `SHARES`.
    """

    declared: Floats
    distance: Floats
    mixed: Floats


def profile_of(view: View, structure: Structure, predictor: Predictor, declared: Floats) -> Profile:
    """Compute evidence of the declared blends (n, Z, shares of stones) and of admixtures to them."""
    expanded = expand(predictor.sources, structure)
    blended = declared @ expanded
    single = declared.max(axis=1) > 1.0 - 1e-9
    location = np.where(single[:, None], declared @ predictor.sources, contract(blended, structure))
    scale = (declared**2) @ predictor.scales
    evidence, distance = zip(
        *(source_evidence(frame, location[:, None, :], scale[:, None]) for frame in view.frames), strict=True
    )
    n, z = declared.shape
    mixed_location = admixtures(blended, expanded, SHARES, structure).reshape(n, -1, location.shape[1])
    mixed_scale = (1.0 - SHARES)[None, :, None] ** 2 * scale[:, None, None]
    mixed_scale = (mixed_scale + SHARES[None, :, None] ** 2 * predictor.scales[None, None]).reshape(n, -1)
    mixed = [
        source_evidence(view.frames[slot], mixed_location, mixed_scale)[0].reshape(n, len(SHARES), z)
        for slot in PROFILE_SLOTS
    ]
    return Profile(
        declared=np.stack([e[:, 0] for e in evidence]),
        distance=np.stack([d[:, 0] for d in distance]),
        mixed=np.stack(mixed),
    )


def declaration_features(
    view: View,
    profile: Profile,
    structure: Structure,
    predictor: Predictor,
    backdrop: Backdrop,
    declared: Floats,
    allowed: Bools,
) -> Floats:
    """Return the features (n, F) of a parcel against what was declared and who else could be the source.

    Parameters
    ----------
    declared : ndarray of shape (n, Z)
        Declared shares of stones.
    allowed : ndarray of shape (n, Z), bool
        Sources that were compliant.
    """
    arrays = view.arrays
    n = len(arrays)
    known = arrays.recorded.astype(float)
    parts: list[Floats] = [declared, (allowed & (declared == 0)).astype(float)]
    foreign = (~allowed) & (declared == 0)
    foreign = np.where(foreign.any(axis=1, keepdims=True), foreign, declared == 0)
    for slot in range(len(view.frames)):
        base = profile.declared[slot][:, None]
        best = view.listed[slot].max(axis=1, keepdims=True)
        parts.append(np.clip(base - best, -25, 5) / 5.0)
        parts.append(np.clip(view.unlisted[slot] - base, -25, 25) / 5.0)
        dims = np.maximum(view.frames[slot].n_dims, 1.0)
        parts.append(np.log((profile.distance[slot] + 1.0) / (dims + 1.0))[:, None])
    for position, slot in enumerate(PROFILE_SLOTS):
        gain = profile.mixed[position] - profile.declared[slot][:, None, None]
        from_foreign = np.where(foreign[:, None, :], gain, -60.0)
        count = np.log(foreign.sum(axis=1))[:, None]
        curve = log_sum(from_foreign) - count
        parts.append(np.clip(curve, -25, 25) / 5.0)
        weights = np.exp(curve - log_sum(curve)[:, None])
        parts.append(weights @ SHARES[:, None])
        parts.append(np.clip(np.where(foreign, gain.max(axis=1), -5.0), -5, 25) / 5.0)
    expanded = declared @ expand(predictor.sources, structure)
    location = contract(expanded, structure)
    gap = view.summaries.estimates[0] - location
    spread = np.diagonal(view.summaries.errors[0], axis1=1, axis2=2) + np.diag(predictor.within)
    gap = np.clip(gap / np.sqrt(spread), -9, 9) / 3.0
    for part, block in enumerate(structure.blocks):
        parts.append(gap[:, block] * known[:, part : part + 1])
    for a, table in enumerate(arrays.tables):
        flag = known[:, 1 + a : 2 + a]
        chances = class_probabilities(
            location[:, structure.blocks[1 + a]], structure.bases[a], structure.slopes[a], structure.class_x
        )
        expected = (chances * table.sum(axis=2)[:, :, None]).sum(axis=1)
        parts.append(_residual(table.sum(axis=1), expected) * flag / 2.0)
    return np.concatenate([part.reshape(n, -1) for part in parts], axis=1)
