"""Parcels that are in a package twice under other names: what is learnt from one would be tested on the other."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from kpfootprint.errors import Problem
from kpfootprint.parcel import Batch, Parcel
from kpfootprint.stats.arrays import Ints
from training.package.descriptor import told

MANY = 40
"""From so many stones on, weights alike are enough for a copy, whatever the classes say."""
CHANCE = 1e-6
"""Parcels that hold the same stones are copies where chance would make them alike less often than this."""
RUN, VARIED = 8, 4
"""Stones that follow each other, and how many of them must differ, for a run that two parcels hold by no chance."""


def copies(batch: Batch, zone_of: Sequence[str], lines: Sequence[int]) -> list[Problem]:
    """Return a problem for every parcel that holds the stones of an earlier one, in whatever order.

    Parameters
    ----------
    zone_of : sequence of str, length n
        Zone of each parcel.
    lines : sequence of int, length n
        Row of each in the table of parcels.
    """
    first: dict[bytes, int] = {}
    problems = []
    usual: dict[bool, Mapping[bytes, float]] = {}
    for position, parcel in enumerate(batch):
        if parcel.stones is None:
            continue
        at = first.setdefault(_content(parcel), position)
        weighed = parcel.n_stones >= MANY
        if at != position and weighed not in usual:
            usual[weighed] = _shares(batch, weighed=weighed)
        if at != position and position * _chance(parcel, usual[weighed]) < CHANCE:
            other = batch.parcels[at].parcel_id
            reason = f"its {parcel.n_stones} stones weigh the same as those of parcel {other} of {zone_of[at]}: a copy"
            reason += "" if zone_of[at] == zone_of[position] else f", laid to {zone_of[position]}"
            reason += "; keep one of the two"
            problems.append(_copied(parcel, lines[position], reason))
    told = {problem.value for problem in problems}
    return problems + [problem for problem in _in_part(batch, zone_of, lines) if problem.value not in told]


def _in_part(batch: Batch, zone_of: Sequence[str], lines: Sequence[int]) -> list[Problem]:
    """Return a problem for every parcel half of whose runs of stones an earlier parcel holds too, in the same order."""
    seen: dict[int, int] = {}
    problems = []
    for position, parcel in enumerate(batch):
        if parcel.stones is None or parcel.n_stones < MANY:
            continue
        runs = _runs(parcel)
        shared = Counter(seen[run] for run in runs if run in seen)
        for run in runs:
            seen.setdefault(run, position)
        at, count = shared.most_common(1)[0] if shared else (position, 0)
        if count > max(MANY, len(runs)) / 2:
            reason = f"half or more of its stones follow each other as in parcel {batch.parcels[at].parcel_id} of "
            reason += f"{zone_of[at]}: a copy in part; keep one of the two"
            problems.append(_copied(parcel, lines[position], reason))
    return problems


def _copied(parcel: Parcel, line: int, reason: str) -> Problem:
    return told("copied_parcel", reason, table="parcels", row=line, column="parcel_id", value=parcel.parcel_id)


def _runs(parcel: Parcel) -> set[int]:
    """Return a number for each run of stones of a parcel that is varied enough to be its own."""
    windows = np.lib.stride_tricks.sliding_window_view(_table(parcel), RUN, axis=1)
    weights = np.sort(windows[0], axis=1)
    varied = 1 + (np.diff(weights, axis=1) > 0).sum(axis=1) >= VARIED
    return {hash(window.tobytes()) for window in windows[:, varied].swapaxes(0, 1)}


def _content(parcel: Parcel) -> bytes:
    """Return a hash of the stones that does not depend on their order."""
    table = _compared(parcel, weighed=parcel.n_stones >= MANY)
    return hashlib.sha256(table[:, np.lexsort(table[::-1])].tobytes()).digest()


def _compared(parcel: Parcel, *, weighed: bool) -> Ints:
    """Return what makes parcels alike: the weights of their stones, and with few of them their classes too."""
    table = _table(parcel)
    return table[:1] if weighed else table


def _counted(table: Ints) -> Mapping[bytes, int]:
    """Return how many stones are alike."""
    kinds, counts = np.unique(table, axis=1, return_counts=True)
    return {kind.tobytes(): count for kind, count in zip(kinds.T, counts.tolist(), strict=True)}


def _shares(batch: Batch, *, weighed: bool) -> Mapping[bytes, float]:
    """Return the share of stones of each kind in all parcels."""
    total: Counter[bytes] = Counter()
    for parcel in batch:
        if parcel.stones is not None:
            total.update(_counted(_compared(parcel, weighed=weighed)))
    whole = total.total()
    return {kind: count / whole for kind, count in total.items()}


def _chance(parcel: Parcel, usual: Mapping[bytes, float]) -> float:
    """Return the chance that as many stones drawn from all parcels are just those of a parcel."""
    counts = _counted(_compared(parcel, weighed=parcel.n_stones >= MANY))
    log = math.lgamma(parcel.n_stones + 1)
    log += sum(count * math.log(usual[kind]) - math.lgamma(count + 1) for kind, count in counts.items())
    return math.exp(min(log, 0.0))


def _table(parcel: Parcel) -> Ints:
    """Return weight, in millionths of a carat, and classes (1 + A, n) of the stones."""
    assert parcel.stones is not None
    weight = np.round(parcel.stones.weight_ct * 1e6).astype(np.int64)
    return np.stack([weight, *(parcel.stones.codes[name].astype(np.int64) for name in sorted(parcel.stones.codes))])
