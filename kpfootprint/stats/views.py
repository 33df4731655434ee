"""A batch of parcels seen through its evidence: everything that is computed before any network."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from kpfootprint.stats.arrays import Bools, Floats, Ints, ParcelArrays, rows_of
from kpfootprint.stats.coarsening import Lens, MeanSeen, completed, sets_seen
from kpfootprint.stats.evidence import Predictor, Whitened, expected_shift, source_evidence, unlisted_evidence, whiten
from kpfootprint.stats.networks import Network
from kpfootprint.stats.structure import Structure
from kpfootprint.stats.summaries import WINDOWS, Summaries, masked, summarise
from kpfootprint.stats.tables import TableModel

SLOTS = ("as_recorded", "lower_open", "upper_open", "inner", "classes")
"""Readings of size: the four windows of `summarise`, and size left out (classes given size)."""
AS_RECORDED, CLASSES = 0, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceModel:
    """How parcels of each source look, as it was learnt: all that evidence rests on.

    Parameters
    ----------
    bands : ndarray of shape (n_size_classes,)
        Bands of size in which association is looked at.
    gate : Network, optional
        Which ends of a parcel's sizes can be trusted; without it every reading of the sizes is as likely.
    tables : TableModel, optional
        The second evidence; releases of format 2 have none.
    novelty_weight : float, optional
        How much distances by the tables count in strangeness; in releases up to format 6 not at all.
    """

    structure: Structure
    predictor: Predictor
    bands: Ints
    gate: Network | None = None
    tables: TableModel | None = None
    novelty_weight: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Summaries and evidence of a batch.

    Parameters
    ----------
    model : SourceModel
        What the evidence comes from.
    whitened : Whitened
        Of every slot and parcel, slot by slot: row ``slot * n + parcel``.
    listed, distance : ndarray of shape (n_slots, n, Z)
        Log evidence and squared distance for listed sources.
    unlisted : ndarray of shape (n_slots, n, 5)
        Log evidence for unlisted sources.
    n_dims : ndarray of shape (n_slots, n)
        Numbers of the parcel that count in each slot.
    """

    model: SourceModel
    arrays: ParcelArrays
    summaries: Summaries
    whitened: Whitened
    listed: Floats
    distance: Floats
    unlisted: Floats
    n_dims: Floats

    def take(self, rows: Ints) -> View:
        """Return these parcels (repeats allowed)."""
        n_slots, n = self.n_dims.shape
        whitened = self.whitened.take((np.arange(n_slots)[:, None] * n + rows).ravel())
        if self.whitened.lenses is not None:
            lenses = tuple(self.whitened.lenses[row] for row in rows)
            whitened = replace(whitened, lenses=lenses, parcel=np.tile(np.arange(len(rows)), n_slots))
        by_slot = {name: getattr(self, name)[:, rows] for name in ("listed", "distance", "unlisted", "n_dims")}
        kept = rows_of(self, rows, but=("model", "whitened", *by_slot))
        return replace(kept, whitened=whitened, **by_slot)


def dimensions(recorded: Bools, structure: Structure, told: Floats | None = None) -> Floats:
    """Return how many of a parcel's numbers count; `told` (n, 1 + A) where parcels tell less than all."""
    sizes = np.array([block.stop - block.start for block in structure.blocks], dtype=float)
    out: Floats = recorded @ sizes if told is None else (recorded * told).sum(axis=1)
    return out


def lenses_of(arrays: ParcelArrays, summaries: Summaries, model: SourceModel) -> tuple[Lens, ...] | None:
    """Return how each parcel sees sources, or None where all parcels are known whole."""
    partial = arrays.partial
    if partial is None:
        return None
    structure = model.structure
    conditions = expected_shift(model.predictor, arrays.levels)
    lenses = []
    for row in range(len(arrays)):
        seen = [
            sets_seen(partial, summaries.classes[a], row, a, structure)
            for a in range(len(structure.bases))
            if partial.has_sets(a)[row]
        ]
        mean = None
        if np.isfinite(partial.mean_ct[row]):
            kept = structure.kept(arrays.edge, arrays.top)[row : row + 1]
            mean = MeanSeen(theta=summaries.sizes[0].theta[row], kept=kept, grid=structure.grid)
        lenses.append(Lens(conditions=conditions[row], classes=tuple(seen), mean=mean))
    return tuple(lenses)


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


def view_of(arrays: ParcelArrays, model: SourceModel, summaries: Summaries | None = None) -> View:
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
    structure, predictor = model.structure, model.predictor
    summaries = summarise(arrays, structure) if summaries is None else summaries
    n, n_slots = len(arrays), len(SLOTS)
    but_size = np.ones((n, len(structure.blocks)), dtype=bool)
    but_size[:, 0] = False
    classes, errors = masked(summaries, np.zeros(n, dtype=np.intp), np.arange(n), but_size, structure)
    told = None if arrays.partial is None else arrays.partial.dims
    n_dims = np.tile(dimensions(arrays.recorded, structure, told), (n_slots, 1))
    n_dims[CLASSES] -= (2.0 if told is None else told[:, 0]) * arrays.recorded[:, 0]
    whitened = whiten(
        predictor,
        np.concatenate([summaries.estimates.reshape(len(WINDOWS) * n, -1), classes]),
        np.concatenate([summaries.errors.reshape(len(WINDOWS) * n, *errors.shape[1:]), errors]),
        np.tile(arrays.levels, (n_slots, 1)),
        n_dims.ravel(),
        lenses_of(arrays, summaries, model),
    )
    listed, distance = source_evidence(whitened, predictor.sources, predictor.scales)
    return View(
        model=model,
        arrays=_completed(arrays, summaries),
        summaries=summaries,
        whitened=whitened,
        listed=listed.reshape(n_slots, n, -1),
        distance=distance.reshape(n_slots, n, -1),
        unlisted=unlisted_evidence(predictor, whitened).reshape(n_slots, n, -1),
        n_dims=n_dims,
    )
