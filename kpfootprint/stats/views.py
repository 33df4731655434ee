"""A batch of parcels seen through its evidence: everything that is computed before any network."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kpfootprint.stats.arrays import Floats, Ints
from kpfootprint.stats.association import expected_shift
from kpfootprint.stats.coarsening import Lens, MeanSeen, completed, sets_seen
from kpfootprint.stats.evidence import Frame, Predictor, level_prior, make_frame, source_evidence, unlisted_evidence
from kpfootprint.stats.structure import ParcelArrays, Structure
from kpfootprint.stats.summaries import WINDOWS, Summaries, summarise

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

    def take(self, rows: Ints) -> View:
        """Return these parcels (repeats allowed)."""
        n_slots, n = self.n_dims.shape
        frame = self.frame.take((np.arange(n_slots)[:, None] * n + rows).ravel())
        if self.frame.lenses is not None:
            lenses = tuple(self.frame.lenses[row] for row in rows)
            frame = replace(frame, lenses=lenses, parcel=np.tile(np.arange(len(rows)), n_slots))
        return View(
            arrays=self.arrays.take(rows),
            summaries=self.summaries.take(rows),
            frame=frame,
            listed=self.listed[:, rows],
            distance=self.distance[:, rows],
            unlisted=self.unlisted[:, rows],
            n_dims=self.n_dims[:, rows],
        )


def dimensions(recorded: NDArray[np.bool_], structure: Structure, told: Floats | None = None) -> Floats:
    """Return how many of a parcel's numbers count; `told` (n, 1 + A) where parcels tell less than all."""
    sizes = np.array([block.stop - block.start for block in structure.blocks], dtype=float)
    out: Floats = recorded @ sizes if told is None else (recorded * told).sum(axis=1)
    return out


def lenses_of(
    arrays: ParcelArrays, summaries: Summaries, structure: Structure, predictor: Predictor
) -> tuple[Lens, ...] | None:
    """Return how each parcel sees sources, or None where all parcels are known whole."""
    partial = arrays.partial
    if partial is None:
        return None
    conditions = expected_shift(predictor, level_prior(predictor, arrays.levels), arrays.levels)
    lenses = []
    for row in range(len(arrays)):
        seen = [
            sets_seen(
                partial.exact[a][row],
                partial.sets[a][row],
                partial.members[a],
                summaries.classes[a],
                row,
                block=block,
                x=structure.class_x,
                slopes=structure.slopes[a],
                basis=structure.bases[a],
            )
            for a, block in enumerate(structure.blocks[1:])
            if partial.has_sets(a)[row]
        ]
        mean = None
        if np.isfinite(partial.mean_ct[row]):
            kept = structure.kept(arrays.edge, arrays.top)[row : row + 1]
            mean = MeanSeen(theta=summaries.sizes[0].theta[row], kept=kept, grid=structure.grid)
        lenses.append(Lens(conditions=conditions[row], classes=tuple(seen), mean=mean))
    return tuple(lenses)


def sight_of(
    predictor: Predictor,
    estimates: Floats,
    errors: Floats,
    levels: Ints,
    n_dims: Floats,
    lenses: tuple[Lens, ...] | None = None,
) -> Sight:
    """Compute the evidence of readings: estimates (m, D) with errors (m, D, D), levels (m, n_factors).

    With `lenses`, one for each parcel, readings are those of all parcels in turn.
    """
    frame = make_frame(predictor, estimates, errors, levels, n_dims, level_prior(predictor, levels))
    if lenses is not None:
        frame = replace(frame, lenses=lenses, parcel=np.arange(len(estimates)) % len(lenses))
    listed, distance = source_evidence(frame, predictor.sources, predictor.scales)
    return Sight(frame=frame, listed=listed, distance=distance, unlisted=unlisted_evidence(predictor, frame))


def _completed(arrays: ParcelArrays, summaries: Summaries) -> ParcelArrays:
    """Return the parcels with the stones of sets among their classes, as each parcel's own fit expects them."""
    partial = arrays.partial
    if partial is None:
        return arrays
    tables = [
        completed(exact, sets, fit.probabilities, members)
        for exact, sets, fit, members in zip(
            partial.exact, partial.sets, summaries.classes, partial.members, strict=True
        )
    ]
    return replace(arrays, tables=tuple(tables))


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
    told = None if arrays.partial is None else arrays.partial.dims
    n_dims = np.tile(dimensions(arrays.recorded, structure, told), (n_slots, 1))
    n_dims[CLASSES] -= (2.0 if told is None else told[:, 0]) * arrays.recorded[:, 0]
    lenses = lenses_of(arrays, summaries, structure, predictor)
    sight = sight_of(
        predictor,
        np.concatenate([summaries.estimates.reshape(len(WINDOWS) * n, -1), classes]),
        np.concatenate([summaries.errors.reshape(len(WINDOWS) * n, *errors.shape[1:]), errors]),
        np.tile(arrays.levels, (n_slots, 1)),
        n_dims.ravel(),
        lenses,
    )
    return View(
        arrays=_completed(arrays, summaries),
        summaries=summaries,
        frame=sight.frame,
        listed=sight.listed.reshape(n_slots, n, -1),
        distance=sight.distance.reshape(n_slots, n, -1),
        unlisted=sight.unlisted.reshape(n_slots, n, -1),
        n_dims=n_dims,
    )
