"""A batch of parcels seen through its evidence: everything that is computed before any network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kpfootprint.stats.evidence import Frame, Predictor, level_prior, make_frame, source_evidence, unlisted_evidence
from kpfootprint.stats.structure import ParcelArrays, Structure
from kpfootprint.stats.summaries import WINDOWS, Summaries, summarise

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

SLOTS = ("as_recorded", "lower_open", "upper_open", "inner", "classes")
"""Readings of size: the four windows of `summarise`, and size left out (classes given size)."""
AS_RECORDED, CLASSES = 0, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Evidence of readings of parcels; each of m rows is one parcel read in one way.

    Parameters
    ----------
    frame : Frame
        The readings in the axes of the evidence.
    listed, distance : ndarray of shape (m, Z)
        Log evidence and squared distance for listed sources.
    unlisted : ndarray of shape (m, 5)
        Log evidence for unlisted sources.
    """

    frame: Frame
    listed: Floats
    distance: Floats
    unlisted: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Summaries and evidence of a batch.

    Parameters
    ----------
    frame : Frame
        Of every slot and parcel, slot by slot: row ``slot * n + parcel``.
    listed, distance : ndarray of shape (n_slots, n, Z)
        Log evidence and squared distance for listed sources.
    unlisted : ndarray of shape (n_slots, n, 5)
        Log evidence for unlisted sources.
    n_dims : ndarray of shape (n_slots, n)
        Numbers of the parcel that count in each slot.
    """

    arrays: ParcelArrays
    summaries: Summaries
    frame: Frame
    listed: Floats
    distance: Floats
    unlisted: Floats
    n_dims: Floats


def dimensions(recorded: NDArray[np.bool_], structure: Structure) -> Floats:
    """Return how many of a parcel's numbers count."""
    sizes = np.array([block.stop - block.start for block in structure.blocks], dtype=float)
    out: Floats = recorded @ sizes
    return out


def sight_of(predictor: Predictor, estimates: Floats, errors: Floats, levels: Ints, n_dims: Floats) -> Sight:
    """Compute the evidence of readings: estimates (m, D) with errors (m, D, D), levels (m, n_factors)."""
    frame = make_frame(predictor, estimates, errors, levels, n_dims, level_prior(predictor, levels))
    listed, distance = source_evidence(frame, predictor.sources, predictor.scales)
    return Sight(frame=frame, listed=listed, distance=distance, unlisted=unlisted_evidence(predictor, frame))


def without_size(estimates: Floats, errors: Floats, structure: Structure) -> tuple[Floats, Floats]:
    """Return estimates (n, D) and errors in which size weighs nothing."""
    estimates, errors = estimates.copy(), errors.copy()
    estimates[:, :2] = structure.size_prior_mean
    errors[:, :2, :] = 0.0
    errors[:, :, :2] = 0.0
    errors[:, :2, :2] = 1e6 * np.eye(2)
    return estimates, errors


def view_of(
    arrays: ParcelArrays, structure: Structure, predictor: Predictor, summaries: Summaries | None = None
) -> View:
    """Summarise a batch and compute its evidence in every slot.

    Parameters
    ----------
    summaries : Summaries, optional
        From `summarise`, where they are known already.

    Returns
    -------
    View
        Where size is not recorded, all slots agree.
    """
    summaries = summarise(arrays, structure) if summaries is None else summaries
    n, n_slots = len(arrays), len(SLOTS)
    classes, errors = without_size(summaries.estimates[0], summaries.errors[0], structure)
    n_dims = np.tile(dimensions(arrays.recorded, structure), (n_slots, 1))
    n_dims[CLASSES] -= 2.0 * arrays.recorded[:, 0]
    sight = sight_of(
        predictor,
        np.concatenate([summaries.estimates.reshape(len(WINDOWS) * n, -1), classes]),
        np.concatenate([summaries.errors.reshape(len(WINDOWS) * n, *errors.shape[1:]), errors]),
        np.tile(arrays.levels, (n_slots, 1)),
        n_dims.ravel(),
    )
    return View(
        arrays=arrays,
        summaries=summaries,
        frame=sight.frame,
        listed=sight.listed.reshape(n_slots, n, -1),
        distance=sight.distance.reshape(n_slots, n, -1),
        unlisted=sight.unlisted.reshape(n_slots, n, -1),
        n_dims=n_dims,
    )
