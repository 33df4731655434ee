"""Quality of likelihood ratios: what they cost, how well they separate, how often they mislead, and curves of it.

Everywhere `h1` holds the log10 LRs of cases where H1 is true and `h2` those where H2 is true. Infinite log10 LRs are
allowed, NaN is not. `Weights` are relative within a hypothesis, by default all the same; both hypotheses always weigh
the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike

from kpfootprint.stats.arrays import Bools, Floats, Ints

LN10 = float(np.log(10.0))


class Weights(TypedDict, total=False):
    """Weights of the cases of either hypothesis, of shapes (n_h1,) and (n_h2,)."""

    weights_h1: ArrayLike
    weights_h2: ArrayLike


Statistic = Callable[..., float]
"""Of log10 LRs where H1 and where H2 is true, and their `Weights`."""


def of_cases(statistic: Statistic, log10_lr: Floats, is_h1: Bools, weights: Floats) -> float:
    """Return a statistic of cases in one row: log10 LRs, whether H1 is true, and weights, all of shape (n,)."""
    return statistic(log10_lr[is_h1], log10_lr[~is_h1], weights_h1=weights[is_h1], weights_h2=weights[~is_h1])


def _checked(h1: ArrayLike, h2: ArrayLike, **given: Unpack[Weights]) -> list[Floats]:
    """Return `h1`, `h2` and their weights (each summing to 1) as float arrays, or raise ValueError."""
    values: list[Floats] = []
    weights: list[Floats] = []
    for name, cases, given_weights in (("h1", h1, given.get("weights_h1")), ("h2", h2, given.get("weights_h2"))):
        value = np.asarray(cases, dtype=np.float64)
        if value.ndim != 1 or value.size == 0:
            raise ValueError(f"{name} must be one-dimensional and hold one log10 LR or more, got shape {value.shape}")
        if np.isnan(value).any():
            raise ValueError(f"{name} must hold no NaN, got {int(np.isnan(value).sum())} of {value.size}")
        weight = np.ones_like(value) if given_weights is None else np.asarray(given_weights, dtype=np.float64)
        if weight.shape != value.shape:
            raise ValueError(f"weights_{name} must have the shape of {name}, {value.shape}, got {weight.shape}")
        if not np.isfinite(weight).all() or (weight < 0).any() or not weight.sum() > 0:
            raise ValueError(f"weights_{name} must be finite and not negative with a positive sum, got {weight}")
        values.append(value)
        weights.append(weight / weight.sum())
    return [*values, *weights]


def cllr(h1: ArrayLike, h2: ArrayLike, **weights: Unpack[Weights]) -> float:
    r"""Log-likelihood-ratio cost, in bits: 0 is perfect, 1 is what LR = 1 for every case costs.

    .. math::
        C_{llr} = \tfrac12 \operatorname{mean}_{H1} \log_2(1 + 1/LR) + \tfrac12 \operatorname{mean}_{H2} \log_2(1 + LR)

    Parameters
    ----------
    h1, h2 : array-like of shape (n_h1,), (n_h2,)
        log10 LRs of cases where H1, H2 is true.
    **weights
        See `Weights`.

    Returns
    -------
    float
        Infinite where a case has infinite support for the wrong hypothesis.

    References
    ----------
    Brümmer, N. and du Preez, J. (2006). Application-independent evaluation of speaker detection.
    Computer Speech and Language 20, 230-275.

    Examples
    --------
    >>> cllr([0.0, 0.0], [0.0])
    1.0
    """
    x1, x2, w1, w2 = _checked(h1, h2, **weights)
    return float((_cost(-x1, w1) + _cost(x2, w2)) / 2)


def costs(log10_odds: Floats) -> Floats:
    """Return what each LR costs in bits, ``log2(1 + odds)``, by its log10 odds against what is true."""
    out: Floats = np.logaddexp(0.0, log10_odds * LN10) / np.log(2.0)
    return out


def _cost(log10_odds: Floats, weights: Floats) -> float:
    """Weighted mean of the costs; cases of weight 0 do not count even where they cost infinitely much."""
    counted = weights > 0
    return float(np.dot(costs(log10_odds[counted]), weights[counted]))


def pav(h1: ArrayLike, h2: ArrayLike, **weights: Unpack[Weights]) -> tuple[Floats, Floats]:
    """Optimal monotone recalibration of the cases at hand, by pooling adjacent violators.

    Equal log10 LRs stay equal. Only the order of the input matters.

    Returns
    -------
    h1, h2 : ndarray of shape (n_h1,), (n_h2,)
        Recalibrated log10 LRs, infinite at the ends where only one hypothesis occurs.

    References
    ----------
    Brümmer and du Preez (2006), section 6; Ayer et al. (1955), Annals of Mathematical Statistics 26, 641-647.
    """
    x1, x2, w1, w2 = _checked(h1, h2, **weights)
    inverse, mass1, mass2 = _by_value(x1, x2, w1, w2)
    chance = _isotonic(mass1, mass2)
    with np.errstate(divide="ignore"):
        log10_lr = np.log10(chance) - np.log10(1 - chance)
    return log10_lr[inverse[: x1.size]], log10_lr[inverse[x1.size :]]


def _by_value(x1: Floats, x2: Floats, w1: Floats, w2: Floats) -> tuple[Ints, Floats, Floats]:
    """Weight of either hypothesis at each distinct value, in increasing order, and the place of every case in it."""
    values, inverse = np.unique(np.concatenate([x1, x2]), return_inverse=True)
    mass1 = np.bincount(inverse[: x1.size], weights=w1, minlength=values.size).astype(np.float64)
    mass2 = np.bincount(inverse[x1.size :], weights=w2, minlength=values.size).astype(np.float64)
    return inverse, mass1, mass2


def _isotonic(mass1: Floats, mass2: Floats) -> Floats:
    """Increasing chances of H1 that fit the masses best; a value without any mass takes that of its neighbour."""
    from scipy.optimize import isotonic_regression  # half a second of import that only evaluation needs

    mass = mass1 + mass2
    filled = np.flatnonzero(mass > 0)
    fit = isotonic_regression(mass1[filled] / mass[filled], weights=mass[filled])
    blocks = fit.blocks
    # Sums within blocks, so that pure blocks come out as exactly 0 and 1.
    total1 = np.add.reduceat(mass1[filled], blocks[:-1])
    total2 = np.add.reduceat(mass2[filled], blocks[:-1])
    pooled = np.where(total2 == 0, 1.0, np.where(total1 == 0, 0.0, total1 / (total1 + total2)))
    return np.repeat(pooled, np.diff(blocks))[
        np.clip(np.searchsorted(filled, np.arange(mass.size)), 0, filled.size - 1)
    ]


def cllr_min(h1: ArrayLike, h2: ArrayLike, **weights: Unpack[Weights]) -> float:
    """`cllr` after the optimal monotone recalibration: the part of the cost that is lack of discrimination."""
    return cllr(*pav(h1, h2, **weights), **weights)


def cllr_cal(h1: ArrayLike, h2: ArrayLike, **weights: Unpack[Weights]) -> float:
    """``cllr - cllr_min``: the part of the cost that is lack of calibration, never negative."""
    return cllr(h1, h2, **weights) - cllr_min(h1, h2, **weights)


def roc(h1: ArrayLike, h2: ArrayLike, **weights: Unpack[Weights]) -> tuple[Floats, Floats]:
    """Shares of H2 and of H1 cases accepted as the threshold falls from above all values to below all.

    Returns
    -------
    false_acceptance, true_acceptance : ndarray of shape (n_distinct + 1,)
        Both increase from 0 to 1.
    """
    _, mass1, mass2 = _by_value(*_checked(h1, h2, **weights))
    return _from_above(mass2), _from_above(mass1)


def _from_above(mass: Floats) -> Floats:
    total = np.cumsum(mass[::-1])
    return np.concatenate([[0.0], total / total[-1]])


def auc(h1: ArrayLike, h2: ArrayLike, **weights: Unpack[Weights]) -> float:
    """Chance that a case of H1 has a higher LR than a case of H2, ties counted half (area under the ROC curve).

    Examples
    --------
    >>> auc([1.0, 2.0], [0.0, 1.0])
    0.875
    """
    false, true = roc(h1, h2, **weights)
    return float(np.trapezoid(true, false))


def rejection_at(h1: ArrayLike, h2: ArrayLike, *, false_acceptance: float = 0.05, **weights: Unpack[Weights]) -> float:
    """Share of H1 cases rejected where a share `false_acceptance` (0 to 1) of H2 cases is accepted.

    Between two thresholds the straight line of the ROC is taken, and the best of the thresholds where several
    accept exactly that share.
    """
    if not 0 <= false_acceptance <= 1:
        raise ValueError(f"false_acceptance must lie between 0 and 1, got {false_acceptance}")
    false, true = roc(h1, h2, **weights)
    i = int(np.searchsorted(false, false_acceptance, side="right")) - 1
    if i == false.size - 1:
        return float(1 - true[i])
    part = (false_acceptance - false[i]) / (false[i + 1] - false[i])
    return float(1 - (true[i] + part * (true[i + 1] - true[i])))


def misleading(h1: ArrayLike, h2: ArrayLike, *, at: float, **weights: Unpack[Weights]) -> tuple[float, float]:
    """Shares of cases with an LR of more than `at` (1 or more) for the wrong one: LR < 1/at in H1, LR > at in H2."""
    x1, x2, w1, w2 = _checked(h1, h2, **weights)
    if not at >= 1:
        raise ValueError(f"at must be an LR of 1 or more, got {at}")
    return float(w1[x1 < -np.log10(at)].sum()), float(w2[x2 > np.log10(at)].sum())


def tippett(h1: ArrayLike, h2: ArrayLike, **weights: Unpack[Weights]) -> tuple[Floats, Floats, Floats]:
    """Shares of H1 and of H2 cases with at least a log10 LR, at every finite one that occurs.

    Returns
    -------
    log10_lr, h1, h2 : ndarray of shape (n_points,)
    """
    x1, x2, w1, w2 = _checked(h1, h2, **weights)
    together = np.unique(np.concatenate([x1, x2]))
    points = together[np.isfinite(together)]
    return points, _share_at_least(x1, w1, points), _share_at_least(x2, w2, points)


def _share_at_least(values: Floats, weights: Floats, points: Floats) -> Floats:
    ordered, below = share_below(values, weights)
    return np.clip(1.0 - below[np.searchsorted(ordered, points, side="left")], 0.0, 1.0)


def share_below(values: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return the values in order, and the share of weight (n + 1,) of the first 0, 1, ... n of them."""
    order = np.argsort(values, kind="stable")
    cumulated = np.concatenate([[0.0], np.cumsum(weights[order])])
    return values[order], cumulated / cumulated[-1]


@dataclass(frozen=True, slots=True)
class EntropyCurves:
    """Empirical cross-entropy in bits against prior log10 odds, each array of shape (n_points,).

    `observed` is that of the LRs, `calibrated` what the best monotone recalibration would reach, `neutral` that of
    LR = 1 for every case. An observed one above the neutral says that the LRs do harm at these prior odds.
    """

    observed: Floats
    calibrated: Floats
    neutral: Floats


def empirical_cross_entropy(
    h1: ArrayLike, h2: ArrayLike, log10_prior_odds: ArrayLike, **weights: Unpack[Weights]
) -> EntropyCurves:
    r"""Empirical cross-entropy over prior odds `O` with ``P = O / (1 + O)``.

    .. math::
        ECE = P \operatorname{mean}_{H1} \log_2(1 + 1/(LR\,O)) + (1 - P) \operatorname{mean}_{H2} \log_2(1 + LR\,O)

    At prior odds 1 it is `cllr` and, for the calibrated curve, `cllr_min`.

    References
    ----------
    Ramos, D. and Gonzalez-Rodriguez, J. (2013). Reliable support: measuring calibration of likelihood ratios.
    Forensic Science International 230, 156-169.
    """
    x1, x2, w1, w2 = _checked(h1, h2, **weights)
    odds = np.asarray(log10_prior_odds, dtype=np.float64)
    if odds.ndim != 1 or not np.isfinite(odds).all():
        raise ValueError(f"log10_prior_odds must be one-dimensional and finite, got {odds}")
    p1, p2 = pav(x1, x2, weights_h1=w1, weights_h2=w2)
    none, one = np.zeros(1), np.ones(1)
    return EntropyCurves(
        _entropy(x1, x2, w1, w2, odds), _entropy(p1, p2, w1, w2, odds), _entropy(none, none, one, one, odds)
    )


def _entropy(x1: Floats, x2: Floats, w1: Floats, w2: Floats, odds: Floats) -> Floats:
    chance = 1.0 / (1.0 + 10.0**-odds)
    cost1 = costs(-(x1[w1 > 0] + odds[:, None])) @ w1[w1 > 0]
    cost2 = costs(x2[w2 > 0] + odds[:, None]) @ w2[w2 > 0]
    return chance * cost1 + (1.0 - chance) * cost2


def reliability(h1: ArrayLike, h2: ArrayLike, **weights: Unpack[Weights]) -> tuple[Floats, Floats]:
    """LRs as given against LRs recalibrated by pooling adjacent violators, in increasing order without repeats.

    Returns
    -------
    given, recalibrated : ndarray of shape (n_points,)
        log10 LRs; equal where calibration is perfect.
    """
    x1, x2, w1, w2 = _checked(h1, h2, **weights)
    p1, p2 = pav(x1, x2, weights_h1=w1, weights_h2=w2)
    given, first = np.unique(np.concatenate([x1, x2]), return_index=True)
    return given, np.concatenate([p1, p2])[first]
