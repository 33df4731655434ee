r"""A scale between two sorters, learnt from parcels that both sorted: what one calls more often than the other.

Of parcel *k* the first sorter puts :math:`x_{ki}` stones into class *i*, the second :math:`y_{ki}`. The second is taken
to shift the log odds of every class by :math:`d_i`, the same for all parcels but for a part of their own,

.. math:: \ln\frac{y_{ki} + 1/2}{x_{ki} + 1/2} \sim
    N\bigl(c_k + d_i,\ \varphi\,v_{ki} + \tau^2\bigr), \qquad v_{ki} = \frac{1}{x_{ki} + 1/2} + \frac{1}{y_{ki} + 1/2}.

Both saw the same stones, so counting alone makes them differ less than two samples would: :math:`\varphi` is that part,
and :math:`\tau` how far a sorter changes from parcel to parcel. Both are integrated over, :math:`c_k` is free, and
:math:`d \sim N(0, s^2 I)` holds the scale near no shift at all: two sorters who agree have a scale of exactly 1, and a
class that neither has seen is left to that belief. The order of classes means nothing.

References
----------
Aitchison (1986), The Statistical Analysis of Compositional Data, ch. 6.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincc

from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.intervals import ENDS

SHIFT_SD = 0.5
"""Standard deviation of log odds shifts before any parcel is seen: a factor of 1.6 either way is usual."""
ALIKE = np.geomspace(0.02, 3.0, 9)
APART = np.array([0.0, 0.05, 0.1, 0.2, 0.4, 0.8])
USUAL_ALIKE, USUAL_APART = 0.3, 0.25
N_DRAWS, SEED = 2000, 20160526


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How a second sorter sees the classes of a first one.

    Parameters
    ----------
    ratio, low, high : ndarray of shape (C,)
        Stones that the second puts into each class for one that the first puts there, in a parcel like those that both
        sorted, with limits at `kpfootprint.stats.intervals.LEVEL`.
    shifts : ndarray of shape (N_DRAWS, C)
        Shifts of log odds, drawn from what is known of them.
    alike, apart : ndarray of shape (N_DRAWS,)
        Part of the noise of counting, and standard deviation from parcel to parcel, of each draw.
    n_parcels : int
        Parcels that both sorted.
    """

    ratio: Floats
    low: Floats
    high: Floats
    shifts: Floats
    alike: Floats
    apart: Floats
    n_parcels: int


def learn_scale(first: Floats, second: Floats) -> Scale:
    """Learn the scale between two sorters.

    Parameters
    ----------
    first, second : ndarray of shape (K, C)
        Stones by class, as each sorter saw the same K parcels; some in every parcel.
    """
    alike, apart = (grid.ravel() for grid in np.meshgrid(ALIKE, APART, indexing="ij"))
    precision, mean, weight = _posterior(first, second, alike, apart)
    rng = np.random.default_rng(SEED)
    cell = rng.choice(alike.size, N_DRAWS, p=weight)
    root = np.linalg.cholesky(np.linalg.inv(precision))
    shifts = mean[cell] + np.einsum("sij,sj->si", root[cell], rng.standard_normal((N_DRAWS, first.shape[1])))
    typical = first.sum(axis=0) / first.sum()
    ratios = _ratio(shifts, typical)
    low, high = np.quantile(ratios, ENDS, axis=0)
    ratio = _ratio((weight @ mean)[None], typical)[0]
    return Scale(
        ratio=ratio,
        low=np.minimum(low, ratio),
        high=np.maximum(high, ratio),
        shifts=shifts,
        alike=alike[cell],
        apart=apart[cell],
        n_parcels=len(first),
    )


def as_second(scale: Scale, first: Floats) -> Floats:
    """Return a parcel's stones by class (C,) as the second sorter would see what the first saw so."""
    out: Floats = (first * _ratio(scale.shifts, first / first.sum())).mean(axis=0)
    return out


def as_usual(scale: Scale, first: Floats, second: Floats) -> float:
    """Return the p-value of a further parcel (C,): whether the two differ there as they do on those of the scale."""
    log_ratio, counting, seen = _compared(first, second)
    weights = seen / (scale.alike[:, None] * counting + scale.apart[:, None] ** 2)
    total = weights.sum(axis=1)
    rest = np.where(seen > 0, log_ratio - scale.shifts, 0.0)
    centre = (weights * rest).sum(axis=1) / total
    squared = (weights * (rest - centre[:, None]) ** 2).sum(axis=1)
    freedom = seen.sum() - 1.0
    return 1.0 if freedom <= 0 else float(gammaincc(freedom / 2.0, squared / 2.0).mean())


def in_common(first: Floats, second: Floats) -> float:
    """Return the largest share of stones that two sorters can have put into the same class, from counts (C,)."""
    return float(np.minimum(first / first.sum(), second / second.sum()).sum())


def _compared(x: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    """Return log ratios, their variance by counting, and whether anybody saw a stone of the class."""
    return np.log((y + 0.5) / (x + 0.5)), 1.0 / (x + 0.5) + 1.0 / (y + 0.5), ((x + y) > 0).astype(float)


def _posterior(x: Floats, y: Floats, alike: Floats, apart: Floats) -> tuple[Floats, Floats, Floats]:
    """Return precision (G, C, C), mean (G, C) and probability (G,) of the shifts for each pair of variances."""
    log_ratio, counting, seen = _compared(x, y)
    weights = seen / (alike[:, None, None] * counting + apart[:, None, None] ** 2)
    total = weights.sum(axis=2)
    n_classes = x.shape[1]
    centre = (weights * log_ratio).sum(axis=2) / total
    pull = (weights * (log_ratio - centre[:, :, None])).sum(axis=1)
    squared = (weights * (log_ratio - centre[:, :, None]) ** 2).sum(axis=(1, 2))
    precision = -np.einsum("gki,gkj,gk->gij", weights, weights, 1.0 / total)
    precision[:, range(n_classes), range(n_classes)] += weights.sum(axis=1) + SHIFT_SD**-2
    mean = np.linalg.solve(precision, pull[:, :, None])[:, :, 0]
    log_chance = 0.5 * (np.log(np.where(weights > 0, weights, 1.0)).sum(axis=(1, 2)) - np.log(total).sum(axis=1))
    log_chance -= 0.5 * (squared - (pull * mean).sum(axis=1) + np.linalg.slogdet(precision)[1])
    log_chance -= 0.5 * (np.log(alike / USUAL_ALIKE) ** 2 + (apart / USUAL_APART) ** 2)
    log_chance += np.log(np.gradient(APART))[np.searchsorted(APART, apart)]
    weight = np.exp(log_chance - log_chance.max())
    return precision, mean, weight / weight.sum()


def _ratio(shifts: Floats, shares: Floats) -> Floats:
    """Return how many times as often (n, C) each class is called, in a parcel of `shares` (C,)."""
    factor = np.exp(shifts)
    return factor / (factor @ shares)[:, None]
