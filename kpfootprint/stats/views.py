"""A batch of parcels seen through its evidence: everything that is computed before any network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kpfootprint.stats.evidence import Frame, Predictor, level_prior, make_frame, source_evidence, unlisted_evidence
from kpfootprint.stats.structure import ParcelArrays, Structure
from kpfootprint.stats.summaries import Summaries, summarise

Floats = NDArray[np.float64]

SLOTS = ("as_recorded", "lower_open", "upper_open", "inner", "classes")
"""Readings of size: the four windows of `summarise`, and size left out (classes given size)."""
AS_RECORDED, INNER_SLOT, CLASSES = 0, 3, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Summaries and evidence of a batch.

    Parameters
    ----------
    frames : tuple of Frame
        One for each of `SLOTS`.
    listed, distance : ndarray of shape (n_slots, n, Z)
        Log evidence and squared distance for listed sources.
    unlisted : ndarray of shape (n_slots, n, 4)
        Log evidence for unlisted sources.
    """

    arrays: ParcelArrays
    summaries: Summaries
    frames: tuple[Frame, ...]
    listed: Floats
    distance: Floats
    unlisted: Floats


def dimensions(recorded: NDArray[np.bool_], structure: Structure) -> Floats:
    """Return how many of a parcel's numbers count."""
    sizes = np.array([block.stop - block.start for block in structure.blocks], dtype=float)
    return recorded @ sizes


def view_of(arrays: ParcelArrays, structure: Structure, predictor: Predictor) -> View:
    """Summarise a batch and compute its evidence in every slot.

    Returns
    -------
    View
        Where size is not recorded, all slots agree.
    """
    return view_from(arrays, summarise(arrays, structure), structure, predictor)


def view_from(arrays: ParcelArrays, summaries: Summaries, structure: Structure, predictor: Predictor) -> View:
    """Compute the evidence of a batch that is summarised already."""
    prior = level_prior(predictor, arrays.levels)
    n_dims = dimensions(arrays.recorded, structure)
    classes, errors = summaries.estimates[0].copy(), summaries.errors[0].copy()
    classes[:, :2] = structure.size_prior_mean
    errors[:, :2, :] = 0.0
    errors[:, :, :2] = 0.0
    errors[:, :2, :2] = 1e6 * np.eye(2)
    without_size = n_dims - 2.0 * arrays.recorded[:, 0]
    readings = [
        *((estimate, error, n_dims) for estimate, error in zip(summaries.estimates, summaries.errors, strict=True)),
        (classes, errors, without_size),
    ]
    frames, listed, distance, unlisted = [], [], [], []
    for estimates, error, dims in readings:
        frame = make_frame(predictor, estimates, error, arrays.levels, dims, prior)
        evidence, squared = source_evidence(frame, predictor.sources, predictor.scales)
        frames.append(frame)
        listed.append(evidence)
        distance.append(squared)
        unlisted.append(unlisted_evidence(predictor, frame))
    return View(
        arrays=arrays,
        summaries=summaries,
        frames=tuple(frames),
        listed=np.stack(listed),
        distance=np.stack(distance),
        unlisted=np.stack(unlisted),
    )
