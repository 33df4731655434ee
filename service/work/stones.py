"""Finds the same stones again: shuffled, some left out, or weighed to other decimals.

A stone list gets a few marks, each a stone's weight to 0.01 ct with its classes. Which stones are marked is drawn by
a hash of the stone itself, heavy ones being likelier, so the same stones are marked whatever their order and whatever
else is in the list. Earlier lists that share marks are then laid beside the new one, stone by stone.

How many stones agree by chance is told by the lists themselves: by how many stones of a weight there are, and by how
frequent classes are among stones of about that weight. What agrees beyond that is the share that was seen before.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from kpfootprint.stats.arrays import Floats

MARKS = 24
LEAST_SHARED = 4
LAID_BESIDE = 3
"""Lists that agree most with a new one, and of which it is told how far that is chance."""

CENTS = 100
CELL = 1 << 16
APART = 10_000.0
"""Lays the weights of different classes further apart than any stone is heavy."""
ROUNDED = 0.0105
"""Two weights of one stone differ by less than this in carats: one rounded, one cut off, to hundredths."""

ABOUT = 50
"""Stones lighter and as many heavier that are of about the weight of one."""

Name = TypeVar("Name")

LEAST_SHARE = 0.3
SAME_WEIGHTS = 20
"""Stones whose weights, each the same as in an earlier list of as many, tell without their classes."""
DEVIATIONS = 5.0
WEIGHT = "weight_ct"


@dataclass(frozen=True, slots=True)
class StoneList:
    """Weights and classes of stones in the order of weights, and weights in order under each class, to be searched."""

    weights: Floats
    classes: NDArray[np.int64]
    keyed: Floats

    @classmethod
    def of(cls, weights: Floats, classes: NDArray[np.int64]) -> StoneList:
        """Return a list that is put in order once."""
        order = np.argsort(weights, kind="stable")
        return cls(weights[order], classes[order], np.sort(classes * APART + weights))


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """How far two lists hold the same stones.

    Parameters
    ----------
    share : float
        Estimated share of the new list's stones that are in the earlier one.
    agreeing, by_chance : float
        Stones that agree, and how many would by chance.
    seen : bool
        Whether that is more than chance does.
    """

    share: float
    agreeing: int
    by_chance: float
    seen: bool


def marks_of(listed: StoneList | None) -> list[int]:
    """Return the marks of a stone list; none where there is none."""
    if listed is None:
        return []
    weights, classes = listed.weights, listed.classes
    cents = np.rint(weights * CENTS).astype(np.int64)
    coarse = np.rint(weights * 20).astype(np.int64)
    kinds, kind = np.unique(coarse * CELL + classes, return_inverse=True)
    uniform = np.array([(zlib.crc32(f"{one // CELL}/{one % CELL}".encode()) + 0.5) / 2**32 for one in kinds.tolist()])
    # an exponential time with rate weight squared, the same for the same stone: the earliest are marked
    order = np.argsort(-np.log(uniform)[kind] / weights**2)
    marks = cents * CELL + classes
    return sorted({int(mark) for mark in marks[order][:MARKS]})


def near(marks: list[int]) -> list[int]:
    """Return marks with those of stones that are a hundredth lighter or heavier."""
    return sorted({mark + step for mark in marks for step in (-CELL, 0, CELL)})


def most_alike(here: StoneList, lists: Iterable[tuple[Name, StoneList]]) -> list[tuple[Name, StoneList]]:
    """Return the few of some earlier lists of which most stones agree with the new one's, the likeliest first.

    Of lists that agree about as well the larger part of the new one comes first.
    """

    def share(named: tuple[Name, StoneList]) -> tuple[float, int]:
        agreeing = _agreeing(here, named[1])
        return min(round(agreeing / min(len(here.weights), len(named[1].weights)), 1), 1.0), agreeing

    return sorted(lists, key=share, reverse=True)[:LAID_BESIDE]


def overlap(here: StoneList, there: StoneList) -> Overlap:
    """Lay a new stone list and an earlier one beside each other."""
    n, n_there = len(here.weights), len(there.weights)
    smaller = min(n, n_there)
    agreeing, one, other = min(
        ((_agreeing(here, there), here, there), (_agreeing(there, here), there, here)), key=lambda found: found[0]
    )
    chances = _chances(one, other)
    by_chance = float(chances.sum())
    beyond = agreeing - by_chance
    same = beyond / max(1.0, len(one.weights) - by_chance) * len(one.weights)  # what is no chance, of either list
    share = min(max(same / n, 0.0), 1.0)
    of_smaller = beyond / max(1.0, smaller - by_chance)
    spread = max(float(np.sqrt(np.sum(chances * (1 - chances)))), 1.0)
    seen = of_smaller >= LEAST_SHARE and beyond >= DEVIATIONS * spread
    if n == n_there >= SAME_WEIGHTS and np.abs(here.weights - there.weights).max() < ROUNDED:
        share, agreeing, seen = 1.0, n, True  # whatever the classes: there are none, or somebody graded again
    return Overlap(share=round(share, 2), agreeing=agreeing, by_chance=round(by_chance, 1), seen=seen)


def stones_in(document: Mapping[str, Any]) -> StoneList | None:
    """Return the stone list of a parcel, or None where it has none, or hardly any stones."""
    stones = document.get("stones")
    if not isinstance(stones, Mapping) or len(stones[WEIGHT]) < LEAST_SHARED:
        return None
    weights = np.asarray(stones[WEIGHT], dtype=np.float64)
    classes = np.zeros(len(weights), dtype=np.int64)
    for name in sorted(stones):
        if name != WEIGHT:
            codes = {value: zlib.crc32(f"{name}:{value}".encode()) for value in set(stones[name])}
            classes = classes * 31 + np.asarray([codes[value] for value in stones[name]], dtype=np.int64)
    return StoneList.of(weights, classes % CELL)


def _agreeing(here: StoneList, there: StoneList) -> int:
    """Return how many stones of one list have one of their weight and classes in the other."""
    return int(np.count_nonzero(_between(there.keyed, here.keyed - ROUNDED, here.keyed + ROUNDED)))


def _chances(here: StoneList, there: StoneList) -> Floats:
    """Return for each stone of one list the chance that one of its weight and classes is in the other.

    It is where one of the stones of its weight happens to be of its classes, which are as frequent there as among the
    stones of about its weight.
    """
    weights, others = here.weights, there.weights
    of_weight = _between(others, weights - ROUNDED, weights + ROUNDED)
    place = np.searchsorted(others, weights)
    low, high = np.maximum(place - ABOUT, 0), np.minimum(place + ABOUT, len(others)) - 1
    lightest: Floats = np.minimum(others[low], weights - ROUNDED)
    heaviest: Floats = np.maximum(others[high], weights + ROUNDED)
    own = here.classes * APART
    frequent = _between(there.keyed, own + lightest, own + heaviest) / np.maximum(
        _between(others, lightest, heaviest), 1
    )
    return 1 - (1 - frequent) ** of_weight


def _between(ordered: Floats, low: Floats, high: Floats) -> NDArray[np.intp]:
    """Return how many of some ordered numbers lie between each two bounds."""
    return np.searchsorted(ordered, high, side="right") - np.searchsorted(ordered, low)
