"""Parcels drawn from a release, and what the release concludes from them: the trials that planning counts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from kpfootprint.comparison.weigh import Judged, judge
from kpfootprint.release import Release
from kpfootprint.stats.arrays import Bools, Floats, Ints, ParcelArrays, joined
from kpfootprint.stats.evidence import Predictor, contract, expand
from kpfootprint.stats.model import FootprintModel, Look, look, shares_as_declared
from kpfootprint.stats.simulate import Parts, Recovery, draw_parcels, grade
from kpfootprint.stats.verification import LikelihoodRatio

SEED = 20160526
SLICE = 100
"""Parcels looked at together; memory does not grow beyond that."""
TAILS = 20.0
"""Degrees of freedom of the parcels' own deviations, as in the ranks of a release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnGoods:
    """What n drawn parcels hold.

    Parameters
    ----------
    shares : ndarray of shape (n, Z + 1)
        Shares of stones of each listed source and, in the last column, of a source nobody has sampled; rows sum to 1.
    n_stones : ndarray of shape (n,), integer
        Stones of each parcel.
    sorter : ndarray of shape (n,), integer, optional
        Position of the sorter of each parcel among those the release knows; drawn where not given, -1 for a new one.
    group : ndarray of shape (n,), integer, optional
        Parcels of one group share what nobody knows of their sources and of a new sorter; alone where not given.
    """

    shares: Floats
    n_stones: Ints
    sorter: Ints | None = None
    group: Ints | None = None


def draw_goods(model: FootprintModel, goods: DrawnGoods, rng: np.random.Generator) -> ParcelArrays:
    """Draw the stones of parcels, recorded whole, with every condition known but a new sorter.

    Every source lies as far from where the release believes it as its number of reference parcels leaves open; every
    part of a parcel deviates from its source as reference parcels do; a grader confuses neighbouring classes.
    """
    structure, predictor = model.structure, model.predictor
    n = len(goods.shares)
    stones = rng.multinomial(goods.n_stones, goods.shares)
    parcel, source = np.nonzero(stones)
    root = np.linalg.cholesky(predictor.within)
    dim = predictor.mean.size
    scale = np.sqrt(TAILS / rng.chisquare(TAILS, parcel.size))
    numbers = scale[:, None] * (rng.standard_normal((parcel.size, dim)) @ root.T)
    group = np.arange(n) if goods.group is None else goods.group
    numbers += _locations(predictor, group[parcel], source, rng)
    combination = _levels(predictor, n, rng)
    levels = np.concatenate([predictor.combinations[combination], np.full((n, 1), -1)], axis=1)
    n_sorters = len(predictor.last)
    levels[:, -1] = rng.integers(-1, n_sorters, n) if goods.sorter is None else goods.sorter
    numbers += predictor.shifts[combination][parcel]
    has_sorter = levels[parcel, -1] >= 0
    numbers[has_sorter] += predictor.last[levels[parcel[has_sorter], -1]]
    spread = np.linalg.cholesky(predictor.within_unknown - predictor.within + 1e-9 * np.eye(dim))
    fresh = rng.standard_normal((int(group.max()) + 1, dim)) @ spread.T
    numbers[~has_sorter] += fresh[group[parcel[~has_sorter]]]
    grade(structure, numbers, parcel, n, rng)
    recovery = Recovery.whole(np.full(n, structure.edge_mean))
    parts = Parts(parcel=parcel, n_stones=stones[parcel, source], numbers=numbers)
    return draw_parcels(structure, parts, recovery, shown_edge=recovery.edge, shown_levels=levels, rng=rng)


def _locations(predictor: Predictor, group: Ints, source: Ints, rng: np.random.Generator) -> Floats:
    """Return where the source of each part lies (n_parts, D): one draw for each source in a group."""
    z, dim = len(predictor.sources), predictor.mean.size
    drawn, part = np.unique(group * (z + 1) + source, return_inverse=True)
    of = drawn % (z + 1)
    listed = of < z
    root = np.linalg.cholesky(predictor.within)
    out = np.zeros((drawn.size, dim))
    known = of[listed]
    open_part = np.sqrt(np.maximum(predictor.scales[known] - 1.0, 0.0))[:, None]
    out[listed] = predictor.sources[known] + open_part * (rng.standard_normal((known.size, dim)) @ root.T)
    out[~listed] = _nowhere(predictor, int((~listed).sum()), rng)
    return out[part]


def _levels(predictor: Predictor, n: int, rng: np.random.Generator) -> Ints:
    chance = np.ones(len(predictor.combinations))
    for factor, frequency in enumerate(predictor.priors):
        chance *= frequency[predictor.combinations[:, factor]]
    return rng.choice(len(chance), n, p=chance / chance.sum())


def _nowhere(predictor: Predictor, n: int, rng: np.random.Generator) -> Floats:
    """Return locations (n, D) of sources nobody sampled: half of them near a listed source, half anywhere."""
    dim = predictor.mean.size
    listed = predictor.sources[rng.integers(len(predictor.sources), size=n)]
    near = listed + rng.uniform(0.4, 3.0, n)[:, None] * (
        rng.standard_normal((n, dim)) @ np.linalg.cholesky(predictor.neighbours).T
    )
    far = predictor.mean + rng.uniform(0.6, 2.2, n)[:, None] * (
        rng.standard_normal((n, dim)) @ np.linalg.cholesky(predictor.between).T
    )
    return np.where((rng.random(n) < 0.5)[:, None], near, far)


def outcomes_of(release: Release, arrays: ParcelArrays, declared: Floats, allowed: Bools) -> Judged:
    """Return what a release makes of parcels under their declarations.

    Parameters
    ----------
    declared : ndarray of shape (n, Z)
        Declared shares of stones; rows sum to 1.
    allowed : ndarray of shape (Z,) or (n, Z), bool
        Zones that are compliant.
    """
    allowed = np.broadcast_to(allowed, declared.shape)
    return joined([judge(release, looked, allowed[rows]) for rows, looked in _looks(release, arrays, declared)])


def share_p_of(release: Release, arrays: ParcelArrays, declared: Floats, allowed: Bools) -> Floats:
    """Return the p-values of the shares alone, in about half the time; the arguments are those of `outcomes_of`."""
    allowed = np.broadcast_to(allowed, declared.shape)
    looks = _looks(release, arrays, declared)
    return np.concatenate([shares_as_declared(release.model, looked, allowed[rows]).p_value for rows, looked in looks])


def resampled_of(release: Release, arrays: ParcelArrays, declared: Floats, alternatives: Floats) -> Floats:
    """Return unbounded log10 LRs (B, n) with the reference parcels drawn anew, the same draw for every parcel.

    Parameters
    ----------
    alternatives : ndarray of shape (n, Z)
        Weights of listed zones in H2.
    """
    of = partial(LikelihoodRatio, model=release.model, unlisted_weight=release.unlisted_weight)
    looks = _looks(release, arrays, declared)
    return np.concatenate(
        [of(looked=looked, alternatives=alternatives[rows]).resampled() for rows, looked in looks], axis=1
    )


def _looks(release: Release, arrays: ParcelArrays, declared: Floats) -> Iterator[tuple[Ints, Look]]:
    """Give the positions of some parcels, and how they look under their declarations."""
    for start in range(0, len(arrays), SLICE):
        rows = np.arange(start, min(start + SLICE, len(arrays)))
        yield rows, look(release.model, arrays.take(rows), declared[rows])


def blend_distance(model: FootprintModel, first: Floats, second: Floats) -> float:
    """Return how far two blends (Z,) lie apart, in standard deviations of parcels of one source."""
    expanded = expand(model.predictor.sources, model.structure)
    gap = contract(first @ expanded, model.structure) - contract(second @ expanded, model.structure)
    squared = float(gap @ np.linalg.solve(model.predictor.within, gap))
    return math.sqrt(max(squared, 0.0))


def known_exactly(release: Release, zones: int | slice) -> Release:
    """Return the release as it would be if these zones were known from any number of reference parcels."""
    scales = release.model.predictor.scales.copy()
    scales[zones] = 1.0
    return replace(release, model=replace(release.model, predictor=replace(release.model.predictor, scales=scales)))
