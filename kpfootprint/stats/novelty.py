"""Like nothing in the reference: three statistics, each ranked at matched size, the smallest rank ranked again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kpfootprint.stats.evidence import log_sum
from kpfootprint.stats.ranks import RankTable
from kpfootprint.stats.selection import Evidence
from kpfootprint.stats.views import CLASSES, INNER_SLOT, View

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoveltyModel:
    """Rank tables of the statistics of `novelty_statistics` and of the smallest of their p-values."""

    single: tuple[RankTable, ...]
    smallest: RankTable


def novelty_statistics(view: View, evidence: Evidence, declared_distance: Floats | None = None) -> Floats:
    """Return three statistics (n, 3), each larger where a parcel is stranger.

    The odds of an unlisted against the best listed sources; the distance to the nearest source by inner sizes and
    classes; the same by classes alone. A sieve, declared or not, moves none of them much.

    Parameters
    ----------
    declared_distance : ndarray of shape (n_slots, n), optional
        Distance to what was declared; a declared blend is one more candidate.
    """
    listed = log_sum(evidence.listed)
    known = np.where(np.isnan(evidence.declared), -np.inf, evidence.declared)
    columns = [evidence.unlisted - np.maximum(listed, known)]
    for slot in (INNER_SLOT, CLASSES):
        nearest = view.distance[slot].min(axis=1)
        if declared_distance is not None:
            nearest = np.fmin(nearest, declared_distance[slot])
        columns.append(nearest / np.maximum(view.n_dims[slot], 1.0))
    return np.stack(columns, axis=1)


def fit_novelty(statistics: Floats, ln_n: Floats) -> NoveltyModel:
    """Build the tables from parcels of listed sources whose sizes are complete."""
    single = tuple(RankTable.from_calibration(column, ln_n) for column in statistics.T)
    smallest = np.min(
        [table.p_values(column, ln_n) for table, column in zip(single, statistics.T, strict=True)], axis=0
    )
    return NoveltyModel(single=single, smallest=RankTable.from_calibration(-smallest, ln_n))


def novelty_p_values(model: NoveltyModel, statistics: Floats, ln_n: Floats) -> Floats:
    """Return the p-value (n,) of "as strange as this, though of a listed source"."""
    each = [table.p_values(column, ln_n) for table, column in zip(model.single, statistics.T, strict=True)]
    return model.smallest.p_values(-np.min(each, axis=0), ln_n)
