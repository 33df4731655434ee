"""Draw parcels from a fitted parcel model: pure, blended, mixed with undeclared goods, from sources nobody sampled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from scipy.special import log_ndtr, ndtr

from kpfootprint.stats.arrays import Floats, Ints, ParcelArrays
from kpfootprint.stats.categories import grader_shift
from kpfootprint.stats.parcel_model import ParcelModel
from kpfootprint.stats.structure import Structure, cell_probabilities

N_SWEEPS = 20


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


def draw_deviations(
    model: ParcelModel, n: int, rng: np.random.Generator, *, degrees_of_freedom: float, odd_share: float
) -> Floats:
    """Return parcel deviations (n, D): t with the pooled covariance, a few of them odd (three times as wide)."""
    root = np.linalg.cholesky(model.within)
    scale = np.sqrt(degrees_of_freedom / rng.chisquare(degrees_of_freedom, n))
    scale *= np.where(rng.random(n) < odd_share, 3.0, 1.0)
    return scale[:, None] * (rng.standard_normal((n, model.mean.size)) @ root.T)


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


def joint_chances(structure: Structure, numbers: Floats, filled: Ints | None = None) -> Floats:
    """Return chances of every joint class at every size class, shape (n_parts, n_size_classes, C_1, ..., C_A).

    The association of the attributes is scaled to their margins by iterative proportional fitting. What is fitted is
    one factor an attribute, and no table: the table is made once, at the end.

    Parameters
    ----------
    filled : ndarray of shape (m,), optional
        Positions among the ``n_parts * n_size_classes`` tables that are wanted; the result is then (m, C_1, ..., C_A).
    """
    sizes = structure.n_classes
    kernel = np.zeros(sizes)
    for (a, b), association in zip(structure.pairs, structure.associations, strict=True):
        shape = [1] * len(sizes)
        shape[a], shape[b] = sizes[a], sizes[b]
        kernel = kernel + association.reshape(shape)
    kernel = np.exp(kernel)
    margins = []
    for a, n_classes in enumerate(sizes):
        chances = structure.chances(a, numbers).reshape(-1, n_classes)
        margins.append(chances if filled is None else chances[filled])
    axes = range(len(sizes))
    factors = [np.ones_like(margin) for margin in margins]
    for _ in range(N_SWEEPS if len(sizes) > 1 else 1):
        for a in axes:
            factors[a] = margins[a] / _without(kernel, factors, a)
    table = factors[0]
    for factor in factors[1:]:
        table = (table[:, :, None] * factor[:, None, :]).reshape(len(table), -1)
    table *= kernel.reshape(-1)
    return table.reshape(*((len(numbers), structure.n_size_classes) if filled is None else (len(table),)), *sizes)


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
