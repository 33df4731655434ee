"""Who learns from which parcels: folds by parcel, one zone left out, before and from a day on. Seeds are arguments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from kpfootprint.stats.arrays import Ints


@dataclass(frozen=True, slots=True)
class Split:
    """Positions of the parcels to learn from and of those to test on, increasing and without a common one.

    `name` says which split it is: a fold's number, the zone left out, or the date.
    """

    name: str
    train: Ints
    test: Ints


def fold_of_parcels(zones: Sequence[str], *, n_folds: int, seed: int) -> Ints:
    """Assign every parcel to a fold so that each zone is spread over the folds as evenly as can be.

    Parcels are whole: stones of one parcel are never in two folds. The fold that gets a zone's odd parcel out goes
    round from zone to zone, so that folds are about equal in size too.

    Parameters
    ----------
    zones : sequence of str, length n_parcels
        Zone of each parcel.
    n_folds : int
        2 or more; of fewer parcels there are as many folds.
    seed : int
        The same seed and zones give the same folds, whatever the zones are called: they are taken as they come.

    Returns
    -------
    ndarray of shape (n_parcels,)
        Fold of each parcel, 0 to ``n_folds - 1``.
    """
    n_folds = min(n_folds, len(zones))
    if n_folds < 2:
        raise ValueError(f"n_folds must be 2 or more of 2 parcels or more, got {n_folds} of {len(zones)}")
    rng = np.random.default_rng(seed)
    names = np.asarray(zones)
    fold = np.empty(len(zones), dtype=np.intp)
    first = 0
    for zone in dict.fromkeys(zones):
        members = rng.permutation(np.flatnonzero(names == zone))
        fold[members] = (first + np.arange(members.size)) % n_folds
        first += members.size
    return fold


def folds(fold: Ints) -> Iterator[Split]:
    """Yield one split for each fold, which is tested on while the others are learnt from."""
    for k in np.unique(fold):
        yield Split(str(int(k)), np.flatnonzero(fold != k), np.flatnonzero(fold == k))


def leave_one_zone_out(zones: Sequence[str]) -> Iterator[Split]:
    """Yield one split for each zone: the world as it looks where that zone has never been sampled."""
    names = np.asarray(zones)
    for zone in dict.fromkeys(zones):
        yield Split(zone, np.flatnonzero(names != zone), np.flatnonzero(names == zone))


def later(collected_on: Sequence[date | None]) -> Split | None:
    """Learn from the first 7 in 10 of the dated parcels, or about so many, and test on those of a later day.

    Undated parcels are left out; None where all others are of one day.
    """
    dated = sorted(d for d in collected_on if d is not None)
    if not dated or dated[0] == dated[-1]:
        return None
    day = max(dated[round(0.7 * len(dated))], next(d for d in dated if d > dated[0]))
    before = np.array([d is not None and d < day for d in collected_on], dtype=bool)
    after = np.array([d is not None and d >= day for d in collected_on], dtype=bool)
    return Split(day.isoformat(), np.flatnonzero(before), np.flatnonzero(after))
