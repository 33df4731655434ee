r"""Shares of undeclared goods from the share network: estimate, interval at its level, test of none at all.

What share a parcel of its size can show is a logistic function of log share, log number of stones and the log distance
between what was declared and the source: the chance of finding a share (p-value of no undeclared goods at most 5 %) is
:math:`\mathrm{logit}\,P = \beta^\top(1, \ln\alpha, \ln n, \ln\delta, \ln\alpha\ln n, \ln\alpha\ln\delta)`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from scipy.special import expit

from kpfootprint.stats.arrays import Bools, Floats
from kpfootprint.stats.evidence import Predictor, blend_location
from kpfootprint.stats.intervals import ENDS
from kpfootprint.stats.networks import Network
from kpfootprint.stats.ranks import RankTable
from kpfootprint.stats.structure import Structure

N_BINS = 31
NONE_P = 0.05
"""Where the test of no undeclared goods gives a larger p-value, the interval begins at 0."""
WHOLLY_BLENDED = 0.1
"""Where sources beside the main one hold this share of what was declared, the declaration is one of a blend."""


ZERO = 1e-6
"""Shares nearer to 0 or 1 than this are 0 or 1."""
LEAST_MASS = 0.15
"""A reading that is less probable than this is the tail of the other."""
VALLEY = 0.5
"""Between two readings the density falls to this part of the lower peak, or below."""
TAILS = (0.1, 0.9)
AS_DECLARED = -1.0
"""Stands for the share of undeclared goods where nothing but what was declared lies in the parcel."""
POWER = 0.9
GRID = np.exp(np.linspace(np.log(0.01), 0.0, 60))
"""Shares at which detection is looked for."""
HALF = 0.5
"""A source whose goods would be found in fewer than this share of parcels, at half the stones, is not told apart."""


def share_bins() -> Floats:
    """Return edges of shares (`N_BINS` + 1,), narrow near 0.

    The first bin holds `AS_DECLARED`, the second a share of 0 where goods of compliant sources lie in the parcel that
    were not declared, and the last a share of 1 alone.
    """
    inner = np.linspace(0.0, 1.0, N_BINS - 2) ** 1.3
    return np.array([-2.0, -0.5, *(inner[:1] + 1e-9), *inner[1:-1], 1.0 - 1e-9, 2.0])


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareModel:
    """The network of shares and what its answers are worth.

    Parameters
    ----------
    network : Network
        Chance of each bin of `edges`.
    edges : ndarray of shape (n_bins + 1,)
        From `share_bins`.
    none, none_blend : RankTable
        Of ``-log P(share 0)`` among true declarations of one zone and among true blends.
    as_declared, as_declared_blend : RankTable
        Of ``-log P(as declared)``, likewise.
    association : RankTable
        Of the largest gain of within-parcel association among true declarations.
    widening_ln_n, widening : ndarray of shape (K,)
        Tail chance to be cut on either side so that intervals cover at `LEVEL`, by log number of stones.
    goods_p : float, optional
        Where the `GoodsTest` gives a larger p-value, the interval begins at 0; releases up to format 5 do not ask it.
    """

    network: Annotated[Network, "E"]
    edges: Annotated[Floats, "E+1", "increase"]
    none: RankTable
    none_blend: RankTable
    as_declared: RankTable
    as_declared_blend: RankTable
    association: RankTable
    widening_ln_n: Annotated[Floats, "w", "increase"]
    widening: Annotated[Floats, "w", "tail"]
    goods_p: Annotated[float | None, "", "share"] = None


def cumulative(chances: Floats) -> Floats:
    """Return chances (n, n_bins + 1) of a share at most each upper edge, starting from 0."""
    return np.concatenate([np.zeros((len(chances), 1)), chances.cumsum(axis=1)], axis=1)


def quantiles(chances: Floats, edges: Floats, level: Floats) -> Floats:
    """Return one quantile (n,) of each row's distribution, at `level` (n,); shares lie within 0 and 1."""
    upper = np.clip(edges, 0.0, 1.0)
    table = cumulative(chances)
    return np.array([np.interp(q, row, upper) for q, row in zip(level, table, strict=True)])


def none_statistic(chances: Floats, edges: Floats) -> Floats:
    """Return ``-log P(share 0)``: the larger, the more undeclared goods seem to be there."""
    none = chances[:, edges[1:] < ZERO].sum(axis=1)
    out: Floats = -np.log(np.maximum(none, 1e-12))
    return out


def other_statistic(chances: Floats) -> Floats:
    """Return ``-log P(as declared)``: the larger, the more goods of any other source seem to be there."""
    return -np.log(np.maximum(chances[:, 0], 1e-12))


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsTest:
    """The test of goods that were not compliant, whatever of compliant sources was declared.

    A parcel of another compliant source than was declared holds none, and nobody can choose a compliant source to
    declare that makes its p-value larger.

    Parameters
    ----------
    network : Network
        Chance of each bin of shares, of parcels seen under the declaration that suits them best.
    ranks : RankTable
        Of ``-log P(share 0)`` among true declarations.
    """

    network: Annotated[Network, "E"]
    ranks: RankTable

    def p_values(self, features: Floats, edges: Floats, ln_n: Floats) -> Floats:
        """Return p-values (n,) of no such goods from features (n, F) under the declaration that suits best."""
        statistic = none_statistic(self.network.probabilities(features), edges)
        return self.ranks.p_values(statistic, ln_n)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareEstimates:
    """Shares (n,) of undeclared stones with interval and p-value, and the distribution behind them (n, n_bins).

    `p_value` is that of no goods of sources that were not compliant or are unlisted beyond what was declared,
    `as_declared_p` that of no goods of any source but those that were declared. Undeclared goods are `found` where the
    tests that were asked say so together. Where nothing in the parcel could tell a share, it is not `determined`: then
    these say what is believed of any parcel.
    """

    estimate: Floats
    low: Floats
    high: Floats
    p_value: Floats
    as_declared_p: Floats
    chances: Floats
    found: Bools
    determined: Bools

    def where(self, found: Bools) -> ShareEstimates:
        """Return these with undeclared goods found nowhere else (n,); there the intervals begin at 0."""
        return replace(self, found=found, low=np.where(found, self.low, 0.0))

    def determined_where(self, determined: Bools, edges: Floats) -> ShareEstimates:
        """Return these with no goods found elsewhere (n,), and any share from none to all as likely as none at all."""
        if determined.all():
            return self
        upper = np.clip(edges, 0.0, 1.0)
        believed = 0.5 * np.diff(upper)
        believed[0] += 0.5
        high = quantiles(believed[None], edges, np.array([ENDS[1]]))
        return replace(
            self.where(self.found & determined),
            estimate=np.where(determined, self.estimate, 0.0),
            high=np.where(determined, self.high, high),
            chances=np.where(determined[:, None], self.chances, believed),
            determined=self.determined & determined,
        )

    def asked_where(self, asked: Bools, edges: Floats) -> ShareEstimates:
        """Return these with nothing asked elsewhere (n,), where no test finds anything."""
        if asked.all():
            return self
        return replace(
            self.determined_where(asked, edges),
            p_value=np.where(asked, self.p_value, 1.0),
            as_declared_p=np.where(asked, self.as_declared_p, 1.0),
        )


def blendedness(declared: Floats) -> Floats:
    """Return how much of a blend each declaration (n, Z) is, from 0 to 1: specks beside one source make none."""
    out: Floats = np.minimum((1.0 - declared.max(axis=1)) / WHOLLY_BLENDED, 1.0)
    return out


def blended_p(single: RankTable, blend: RankTable, statistic: Floats, ln_n: Floats, blended: Floats) -> Floats:
    """Return p-values (n,) among true declarations of one source and among true blends, as far as each is a blend."""
    return (1.0 - blended) * single.p_values(statistic, ln_n) + blended * blend.p_values(statistic, ln_n)


def estimate_shares(model: ShareModel, chances: Floats, ln_n: Floats, blended: Floats) -> ShareEstimates:
    """Estimate shares from the network's chances (n, n_bins).

    Parameters
    ----------
    blended : ndarray of shape (n,)
        From `blendedness`: how far the parcel is ranked among true blends, else among declarations of one source.

    The lower end is 0 where none at all is not ruled out; that is set after the interval is widened. At 0 and at 1 an
    interval is at least as wide as the bin beside them: shares are not told apart any better.
    """
    p_value = blended_p(model.none, model.none_blend, none_statistic(chances, model.edges), ln_n, blended)
    other = other_statistic(chances)
    as_declared_p = blended_p(model.as_declared, model.as_declared_blend, other, ln_n, blended)
    tail = np.interp(ln_n, model.widening_ln_n, model.widening)
    estimate = quantiles(chances, model.edges, np.full(len(chances), 0.5))
    low = np.minimum(quantiles(chances, model.edges, tail), estimate)
    high = np.maximum(quantiles(chances, model.edges, 1.0 - tail), estimate)
    inner = model.edges[(model.edges > ZERO) & (model.edges < 1.0 - ZERO)]
    low, high = np.minimum(low, inner[-1]), np.maximum(high, inner[0])
    every = ShareEstimates(
        estimate=estimate,
        low=low,
        high=high,
        p_value=p_value,
        as_declared_p=as_declared_p,
        chances=chances,
        found=np.ones(len(chances), dtype=bool),
        determined=np.ones(len(chances), dtype=bool),
    )
    return every.where(p_value <= NONE_P)


def two_modes(shares: Floats, reached: Floats) -> tuple[tuple[float, float, float], ...]:
    """Return (low, high, chance) of two readings of a share, four fifths of each; nothing where it has one mode.

    Parameters
    ----------
    shares : ndarray of shape (k,)
        Shares from 0 up, the first of them with a probability of its own.
    reached : ndarray of shape (k,)
        Probability that the share is at most this.

    Examples
    --------
    >>> shares = np.linspace(0.0, 1.0, 21)
    >>> two_modes(shares, np.clip(2 * shares, 0.0, 1.0))
    ()
    >>> none_or_half = np.where(shares < 0.4, 0.5, np.clip(0.5 + 2.5 * (shares - 0.4), 0.0, 1.0))
    >>> two_modes(shares, none_or_half)[0]
    (0.0, 0.0, 0.5)
    """
    mass = np.maximum(np.diff(reached, prepend=0.0), 0.0)
    width = np.concatenate([[shares[1] - shares[0]], np.diff(shares)])
    # a neighbour on either side, so that one odd cell is no valley; what is exactly none stands alone
    density = np.concatenate([mass[:1] / width[:1], _smooth(mass[1:]) / _smooth(width[1:])])
    left, right = np.maximum.accumulate(density), np.maximum.accumulate(density[::-1])[::-1]
    below = np.cumsum(mass)
    depth = density / np.maximum(np.minimum(left, right), 1e-12)
    apart = (below >= LEAST_MASS) & (below[-1] - below >= LEAST_MASS) & (depth <= VALLEY)
    if not apart.any():
        return ()
    at = int(np.argmin(np.where(apart, depth, np.inf)))
    return _reading(shares[: at + 1], mass[: at + 1]), _reading(shares[at:], np.append(0.0, mass[at + 1 :]))


def _smooth(cells: Floats) -> Floats:
    return np.convolve(cells, np.ones(3), mode="same")


def _reading(shares: Floats, mass: Floats) -> tuple[float, float, float]:
    chance = float(mass.sum())
    low, high = np.interp(TAILS, np.cumsum(mass) / chance, shares)
    return float(low), float(high), chance


def detection_design(share: Floats | float, n_stones: Floats | float, distance: Floats) -> Floats:
    """Return the regressors (..., 6); the arguments broadcast."""
    a, n, d = np.broadcast_arrays(np.log(share), np.log(n_stones / 500.0), np.log(np.maximum(distance, 0.3) / 8.0))
    return np.stack([np.ones_like(a), a, n, d, a * n, a * d], axis=-1)


def source_distances(predictor: Predictor, structure: Structure, declared: Floats) -> Floats:
    """Return distances (n, Z) between declared blends and sources, in standard deviations of parcels of one source."""
    gap = predictor.sources[None] - blend_location(predictor.sources, declared, structure)[:, None]
    solved = np.linalg.solve(predictor.within, gap.reshape(-1, gap.shape[2]).T).T.reshape(gap.shape)
    out: Floats = np.sqrt(np.maximum((gap * solved).sum(axis=2), 0.0))
    return out


def detection_chance(coefficients: Floats, share: Floats | float, n_stones: Floats | float, distance: Floats) -> Floats:
    """Return the chance of finding a share; the arguments broadcast."""
    return expit(detection_design(share, n_stones, distance) @ coefficients)


def told_apart(coefficients: Floats, n_stones: Floats | float, distance: Floats) -> Bools:
    """Return whether goods of sources at some distances would mostly be found as half of the stones."""
    return detection_chance(coefficients, HALF, n_stones, distance) >= HALF


def detection_limit(coefficients: Floats, n_stones: float, distances: Floats, weights: Floats) -> float:
    """Return the smallest share found with `POWER` when the source is drawn by `weights`; 1 where there is none.

    Parameters
    ----------
    distances, weights : ndarray of shape (Z,)
        Distance of each source from what was declared and its weight (zero: not a source).
    """
    if weights.sum() <= 0:
        return 1.0
    chance = detection_chance(coefficients, GRID[:, None], n_stones, distances[None]) @ weights
    found = np.flatnonzero(np.maximum.accumulate(chance) >= POWER * weights.sum())
    return float(GRID[found[0]]) if found.size else 1.0
