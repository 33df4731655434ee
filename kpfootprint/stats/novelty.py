"""Like nothing in the reference: two statistics, each ranked at matched size, the smallest rank ranked again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kpfootprint.stats.evidence import log_sum
from kpfootprint.stats.ranks import RankTable
from kpfootprint.stats.selection import any_unlisted
from kpfootprint.stats.views import CLASSES, INNER_SLOT, View

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoveltyModel:
    """Rank tables of the statistics of `novelty_statistics` and of the smallest of their p-values."""

    single: tuple[RankTable, ...]
    smallest: RankTable


def novelty_statistics(view: View, declared: Floats | None = None) -> Floats:
    """Return two statistics (n, 2), each larger where a parcel is stranger.

    The log odds of an unlisted against all listed sources, by inner sizes and classes, and by classes alone: a sieve,
    declared or not, moves neither of them much.

    Parameters
    ----------
    declared : ndarray of shape (n_slots, n), optional
        Log evidence of what was declared (NaN: nothing); a declared blend is one more candidate.
    """
    columns = []
    for slot in (INNER_SLOT, CLASSES):
        known = log_sum(view.listed[slot])
        if declared is not None:
            known = np.fmax(known, declared[slot])
        columns.append(any_unlisted(view.unlisted[slot]) - known)
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
