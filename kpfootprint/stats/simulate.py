"""Draw parcels from what was learnt: pure, blended, mixed with undeclared goods, from sources nobody sampled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from scipy.special import log_ndtr, ndtr

from kpfootprint.stats.arrays import Bools, Floats, Ints, ParcelArrays
from kpfootprint.stats.categories import grader_shift
from kpfootprint.stats.evidence import Predictor, level_prior
from kpfootprint.stats.model import FootprintModel
from kpfootprint.stats.parcel_model import ParcelModel
from kpfootprint.stats.structure import Structure, cell_probabilities

N_SWEEPS = 20
FREEDOM = 20.0
"""Degrees of freedom of parcels drawn from a release, as in its ranks."""
NEAR, FAR = (0.4, 3.0), (0.6, 2.2)
"""How far unlisted sources lie from a listed one, in spreads of the sources of one geology, or from all of them."""
NEAR_SHARE = 0.5
"""Share of them that lie near a listed one, where nobody says more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Goods of one source in one parcel; a parcel has one part or more, in the order of parcels.

    Parameters
    ----------
    parcel : ndarray of shape (n_parts,)
        Parcel that each part belongs to, not decreasing.
    n_stones : ndarray of shape (n_parts,)
        Stones of the part.
    numbers : ndarray of shape (n_parts, D)
        The part's own numbers (source, conditions and deviation together).
    """

    parcel: Ints
    n_stones: Ints
    numbers: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """How stones of each parcel were kept: the declared edge and what was taken out without a word.

    All of shape (n_parcels,), on the log scale; `cut_low`, `cut_high` are quantiles of the parcel's own sizes (0 and 1
    for none) with their widths, `taken` the share of stones beyond them that was taken: 1 by a sieve, less by hand.
    """

    edge: Floats
    cut_low: Floats
    cut_high: Floats
    width_low: Floats
    width_high: Floats
    taken: Floats

    @classmethod
    def whole(cls, edge: Floats) -> Recovery:
        """Return that of parcels from which nothing was taken out."""
        none, one = np.zeros(edge.size), np.ones(edge.size)
        return cls(edge=edge, cut_low=none, cut_high=one, width_low=one, width_high=one, taken=one)


def draw_coefficients(model: ParcelModel, n: int, rng: np.random.Generator) -> Floats:
    """Return posterior draws (n, K, D) of grand mean, group deviations and level effects, for mean-zero addition."""
    k, dim = model.coefficients_cov.shape[:2]
    flat = model.coefficients_cov.reshape(k * dim, k * dim)
    flat = 0.5 * (flat + flat.T)
    try:  # a tenth of the time of the other way, which is for covariances that have lost a direction
        root = np.linalg.cholesky(flat + 1e-10 * np.trace(flat) / (k * dim) * np.eye(k * dim))
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(flat)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
    return (rng.standard_normal((n, k * dim)) @ root.T).reshape(n, k, dim)


def scattered(centres: Floats, covariance: Floats, spread: Floats, rng: np.random.Generator) -> Floats:
    """Return places (n, D) about `centres` (n, D) or (D,): normal, with so many times (n,) the root of a covariance."""
    root = np.linalg.cholesky(covariance)
    return centres + spread[:, None] * (rng.standard_normal((spread.size, len(root))) @ root.T)


def tails(degrees_of_freedom: float, n: int, rng: np.random.Generator) -> Floats:
    """Return spreads (n,) that make normal places follow a t distribution."""
    return np.sqrt(degrees_of_freedom / rng.chisquare(degrees_of_freedom, n))


def grade(structure: Structure, numbers: Floats, parcel: Ints, n: int, rng: np.random.Generator) -> None:
    """Shift the numbers of parts, in place, as the grader of each of `n` parcels confuses neighbouring classes."""
    graded = rng.standard_normal((n, len(structure.bases)))
    for a, (basis, block) in enumerate(zip(structure.bases, structure.blocks[1:], strict=True)):
        chances = structure.chances(a, numbers, np.zeros(1))[:, 0]
        numbers[:, block] += graded[parcel, a, None] * grader_shift(chances, basis)


def _keep_of_parts(structure: Structure, parts: Parts, recovery: Recovery) -> Floats:
    row = parts.parcel
    kept = structure.kept(recovery.edge[row], np.full(row.size, np.inf))
    low, high = recovery.cut_low[row], recovery.cut_high[row]
    if not ((low > 0).any() or (high < 1).any()):
        return kept
    # the cuts are quantiles of the parcel, so they are found on the stones of all its parts together
    cells = cell_probabilities(structure.grid, parts.numbers[:, :2], kept) * parts.n_stones[:, None]
    whole = np.zeros((recovery.edge.size, cells.shape[1]))
    np.add.at(whole, row, cells)
    cumulated = whole.cumsum(axis=1) / np.maximum(whole.sum(axis=1, keepdims=True), 1e-12)
    for cut, width, sign in ((recovery.cut_low, recovery.width_low, 1.0), (recovery.cut_high, recovery.width_high, -1)):
        active = (cut > 0) if sign > 0 else (cut < 1)
        position = structure.grid.centres[(cumulated >= cut[:, None]).argmax(axis=1)]
        inside = sign * (structure.grid.nodes[None] - position[:, None, None]) / width[:, None, None]
        taken = recovery.taken[:, None, None]
        soft = np.where(taken < 1.0, np.log1p(-np.minimum(taken, 0.999) * ndtr(-inside)), log_ndtr(inside))
        kept = kept + np.where(active[row][:, None, None], soft[row], 0.0)
    return kept


def joint_chances(structure: Structure, numbers: Floats, filled: Ints) -> Floats:
    """Return chances (m, C_1, ..., C_A) of every joint class of parts at size classes.

    The association of the attributes is scaled to their margins by iterative proportional fitting. What is fitted is
    one factor an attribute, and no table: the table is made once, at the end.

    Parameters
    ----------
    filled : ndarray of shape (m,)
        Positions among the ``n_parts * n_size_classes`` tables that are wanted.
    """
    sizes = structure.n_classes
    kernel = np.zeros(sizes)
    for (a, b), association in zip(structure.pairs, structure.associations, strict=True):
        shape = [1] * len(sizes)
        shape[a], shape[b] = sizes[a], sizes[b]
        kernel = kernel + association.reshape(shape)
    kernel = np.exp(kernel)
    margins = [structure.chances(a, numbers).reshape(-1, count)[filled] for a, count in enumerate(sizes)]
    axes = range(len(sizes))
    factors = [np.ones_like(margin) for margin in margins]
    for _ in range(N_SWEEPS if len(sizes) > 1 else 1):
        for a in axes:
            factors[a] = margins[a] / _without(kernel, factors, a)
    table = factors[0]
    for factor in factors[1:]:
        table = (table[:, :, None] * factor[:, None, :]).reshape(len(table), -1)
    table *= kernel.reshape(-1)
    return table.reshape(-1, *sizes)


def _without(kernel: Floats, factors: Sequence[Floats], kept: int) -> Floats:
    """Return the sums (m, C_kept) over all other attributes of the kernel times their factors."""
    others = [a for a in range(kernel.ndim) if a != kept]
    table = np.ascontiguousarray(kernel.transpose(*others, kept)).reshape(-1, kernel.shape[kept])
    weight = np.ones((len(factors[kept]), 1))
    for a in others:
        weight = (weight[:, :, None] * factors[a][:, None, :]).reshape(len(weight), -1)
    return weight @ table


def draw_parcels(
    structure: Structure,
    parts: Parts,
    recovery: Recovery,
    *,
    shown_edge: Floats,
    shown_levels: Ints,
    rng: np.random.Generator,
) -> ParcelArrays:
    """Draw the stones of every part and count them by parcel.

    Parameters
    ----------
    shown_edge, shown_levels : ndarray
        What the parcel's paper says of them: NaN and -1 where blank.
    """
    n_parcels = recovery.edge.size
    grid = structure.grid
    chances = cell_probabilities(grid, parts.numbers[:, :2], _keep_of_parts(structure, parts, recovery))
    chances /= chances.sum(axis=1, keepdims=True)
    cells_of_part = rng.multinomial(parts.n_stones, chances)
    by_class = cells_of_part @ structure.membership_of_classes()
    n_joint = prod(structure.n_classes)
    n_flat = by_class.reshape(-1).astype(np.int64)
    filled = np.flatnonzero(n_flat)
    flat = joint_chances(structure, parts.numbers, filled).reshape(-1, n_joint)
    flat /= flat.sum(axis=1, keepdims=True)
    drawn = np.zeros((n_flat.size, n_joint))
    drawn[filled] = rng.multinomial(n_flat[filled], flat)
    starts = np.searchsorted(parts.parcel, np.arange(n_parcels))
    stones = np.add.reduceat(
        drawn.reshape(len(parts.numbers), structure.n_size_classes, *structure.n_classes), starts, axis=0
    )
    cells = np.add.reduceat(cells_of_part, starts, axis=0).astype(float)
    axes = range(len(structure.n_classes))
    tables = tuple(stones.sum(axis=tuple(2 + b for b in axes if b != a)) for a in axes)
    pairs = tuple(stones.sum(axis=(1, *[2 + c for c in axes if c not in pair])) for pair in structure.pairs)
    return ParcelArrays(
        cells=cells,
        tables=tables,
        pairs=pairs,
        edge=shown_edge,
        top=np.full(n_parcels, np.inf),
        levels=shown_levels,
        recorded=np.ones((n_parcels, 1 + len(structure.bases)), dtype=bool),
    )


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
    dim = predictor.mean.size
    numbers = scattered(np.zeros(dim), predictor.within, tails(FREEDOM, parcel.size, rng), rng)
    group = np.arange(n) if goods.group is None else goods.group
    numbers += _locations(predictor, group[parcel], source, rng)
    combination = _levels(predictor, n, rng)
    levels = np.concatenate([predictor.combinations[combination], np.full((n, 1), -1)], axis=1)
    n_sorters = len(predictor.last)
    levels[:, -1] = rng.integers(-1, n_sorters, n) if goods.sorter is None else goods.sorter
    numbers += predictor.shifts[combination][parcel]
    has_sorter = levels[parcel, -1] >= 0
    numbers[has_sorter] += predictor.last[levels[parcel[has_sorter], -1]]
    of_sorters = predictor.within_unknown - predictor.within + 1e-9 * np.eye(dim)
    fresh = scattered(np.zeros(dim), of_sorters, np.ones(int(group.max()) + 1), rng)
    numbers[~has_sorter] += fresh[group[parcel[~has_sorter]]]
    grade(structure, numbers, parcel, n, rng)
    recovery = Recovery.whole(np.full(n, structure.edge_mean))
    parts = Parts(parcel=parcel, n_stones=stones[parcel, source], numbers=numbers)
    return draw_parcels(structure, parts, recovery, shown_edge=recovery.edge, shown_levels=levels, rng=rng)


def _locations(predictor: Predictor, group: Ints, source: Ints, rng: np.random.Generator) -> Floats:
    """Return where the source of each part lies (n_parts, D): one draw for each source in a group."""
    z = len(predictor.sources)
    drawn, part = np.unique(group * (z + 1) + source, return_inverse=True)
    of = drawn % (z + 1)
    listed = of < z
    out = np.zeros((drawn.size, predictor.mean.size))
    open_part = np.sqrt(np.maximum(predictor.scales[of[listed]] - 1.0, 0.0))
    out[listed] = scattered(predictor.sources[of[listed]], predictor.within, open_part, rng)
    out[~listed] = unlisted_sources(predictor, rng.random(int((~listed).sum())) < NEAR_SHARE, rng)
    return out[part]


def _levels(predictor: Predictor, n: int, rng: np.random.Generator) -> Ints:
    chance = np.exp(level_prior(predictor, np.full((1, len(predictor.priors)), -1)))[0]
    return rng.choice(len(chance), n, p=chance / chance.sum())


def unlisted_sources(predictor: Predictor, near: Bools, rng: np.random.Generator) -> Floats:
    """Return locations (n, D) of sources nobody sampled: near a listed one, or anywhere."""
    n = near.size
    listed = predictor.sources[rng.integers(len(predictor.sources), size=n)]
    far_from = np.where((rng.random(n) < 0.5)[:, None], listed, predictor.mean)
    far = scattered(far_from, predictor.between, np.exp(rng.uniform(np.log(FAR[0]), np.log(FAR[1]), n)), rng)
    close = scattered(listed, predictor.neighbours, rng.uniform(*NEAR, n), rng)
    return np.where(near[:, None], close, far)
