"""Quality of likelihood ratios: what they cost, how well they separate, how often they mislead.

Everywhere `h1` holds the log10 LRs of cases where H1 is true and `h2` those where H2 is true. Infinite log10 LRs are
allowed, NaN is not. Weights are relative within a hypothesis; both hypotheses always weigh the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kpfootprint.stats.arrays import Floats, Ints

LN10 = float(np.log(10.0))
Weights = ArrayLike | None


def checked(h1: ArrayLike, h2: ArrayLike, weights_h1: Weights, weights_h2: Weights) -> list[Floats]:
    """Return `h1`, `h2` and their weights (each summing to 1) as float arrays, or raise ValueError."""
    values: list[Floats] = []
    weights: list[Floats] = []
    for name, given, given_weights in (("h1", h1, weights_h1), ("h2", h2, weights_h2)):
        value = np.asarray(given, dtype=np.float64)
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


def cllr(h1: ArrayLike, h2: ArrayLike, *, weights_h1: Weights = None, weights_h2: Weights = None) -> float:
    r"""Log-likelihood-ratio cost, in bits: 0 is perfect, 1 is what LR = 1 for every case costs.

    .. math::
        C_{llr} = \tfrac12 \operatorname{mean}_{H1} \log_2(1 + 1/LR) + \tfrac12 \operatorname{mean}_{H2} \log_2(1 + LR)

    Parameters
    ----------
    h1, h2 : array-like of shape (n_h1,), (n_h2,)
        log10 LRs of cases where H1, H2 is true.
    weights_h1, weights_h2 : array-like, optional
        Relative weights of the cases, by default all the same.

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
    x1, x2, w1, w2 = checked(h1, h2, weights_h1, weights_h2)
    return float((_cost(-x1, w1) + _cost(x2, w2)) / 2)


def costs(log10_odds: Floats) -> Floats:
    """Return what each LR costs in bits, ``log2(1 + odds)``, by its log10 odds against what is true."""
    out: Floats = np.logaddexp(0.0, log10_odds * LN10) / np.log(2.0)
    return out


def _cost(log10_odds: Floats, weights: Floats) -> float:
    """Weighted mean of the costs; cases of weight 0 do not count even where they cost infinitely much."""
    counted = weights > 0
    return float(np.dot(costs(log10_odds[counted]), weights[counted]))


def pav(
    h1: ArrayLike, h2: ArrayLike, *, weights_h1: Weights = None, weights_h2: Weights = None
) -> tuple[Floats, Floats]:
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
    x1, x2, w1, w2 = checked(h1, h2, weights_h1, weights_h2)
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
    chance: Floats = np.repeat(pooled, np.diff(blocks))[
        np.clip(np.searchsorted(filled, np.arange(mass.size)), 0, filled.size - 1)
    ]
    return chance


def cllr_min(h1: ArrayLike, h2: ArrayLike, *, weights_h1: Weights = None, weights_h2: Weights = None) -> float:
    """`cllr` after the optimal monotone recalibration: the part of the cost that is lack of discrimination."""
    p1, p2 = pav(h1, h2, weights_h1=weights_h1, weights_h2=weights_h2)
    return cllr(p1, p2, weights_h1=weights_h1, weights_h2=weights_h2)


def cllr_cal(h1: ArrayLike, h2: ArrayLike, *, weights_h1: Weights = None, weights_h2: Weights = None) -> float:
    """``cllr - cllr_min``: the part of the cost that is lack of calibration, never negative."""
    both = {"weights_h1": weights_h1, "weights_h2": weights_h2}
    return cllr(h1, h2, **both) - cllr_min(h1, h2, **both)


def roc(
    h1: ArrayLike, h2: ArrayLike, *, weights_h1: Weights = None, weights_h2: Weights = None
) -> tuple[Floats, Floats]:
    """Shares of H2 and of H1 cases accepted as the threshold falls from above all values to below all.

    Returns
    -------
    false_acceptance, true_acceptance : ndarray of shape (n_distinct + 1,)
        Both increase from 0 to 1.
    """
    _, mass1, mass2 = _by_value(*checked(h1, h2, weights_h1, weights_h2))
    return _from_above(mass2), _from_above(mass1)


def _from_above(mass: Floats) -> Floats:
    total = np.cumsum(mass[::-1])
    return np.concatenate([[0.0], total / total[-1]])


def auc(h1: ArrayLike, h2: ArrayLike, *, weights_h1: Weights = None, weights_h2: Weights = None) -> float:
    """Chance that a case of H1 has a higher LR than a case of H2, ties counted half (area under the ROC curve).

    Examples
    --------
    >>> auc([1.0, 2.0], [0.0, 1.0])
    0.875
    """
    false, true = roc(h1, h2, weights_h1=weights_h1, weights_h2=weights_h2)
    return float(np.trapezoid(true, false))


def eer(h1: ArrayLike, h2: ArrayLike, *, weights_h1: Weights = None, weights_h2: Weights = None) -> float:
    """Equal error rate: where the straight-line ROC has as many H2 accepted as H1 rejected."""
    false, true = roc(h1, h2, weights_h1=weights_h1, weights_h2=weights_h2)
    excess = false - (1 - true)
    i = int(np.argmax(excess >= 0))
    part = -excess[i - 1] / (excess[i] - excess[i - 1])
    return float(false[i - 1] + part * (false[i] - false[i - 1]))


def rejection_at(
    h1: ArrayLike,
    h2: ArrayLike,
    *,
    false_acceptance: float = 0.05,
    weights_h1: Weights = None,
    weights_h2: Weights = None,
) -> float:
    """Share of H1 cases rejected where a share `false_acceptance` of H2 cases is accepted.

    Between two thresholds the straight line of the ROC is taken, and the best of the thresholds where several
    accept exactly that share.

    Parameters
    ----------
    false_acceptance : float
        Between 0 and 1, both included.
    """
    if not 0 <= false_acceptance <= 1:
        raise ValueError(f"false_acceptance must lie between 0 and 1, got {false_acceptance}")
    false, true = roc(h1, h2, weights_h1=weights_h1, weights_h2=weights_h2)
    i = int(np.searchsorted(false, false_acceptance, side="right")) - 1
    if i == false.size - 1:
        return float(1 - true[i])
    part = (false_acceptance - false[i]) / (false[i + 1] - false[i])
    return float(1 - (true[i] + part * (true[i + 1] - true[i])))


@dataclass(frozen=True, slots=True, kw_only=True)
class MisleadingRate:
    """Shares of cases with an LR of more than `at` for the wrong hypothesis: LR < 1/at in H1, LR > at in H2."""

    at: float
    h1: float
    h2: float


def misleading_rates(
    h1: ArrayLike,
    h2: ArrayLike,
    at: Sequence[float] = (1, 10, 100),
    *,
    weights_h1: Weights = None,
    weights_h2: Weights = None,
) -> tuple[MisleadingRate, ...]:
    """Rates of misleading evidence at several strengths.

    Parameters
    ----------
    at : sequence of float
        LRs (not logged), 1 or more.
    """
    x1, x2, w1, w2 = checked(h1, h2, weights_h1, weights_h2)
    if any(not value >= 1 for value in at):
        raise ValueError(f"at must hold LRs of 1 or more, got {tuple(at)}")
    return tuple(
        MisleadingRate(
            at=float(value),
            h1=float(w1[x1 < -np.log10(value)].sum()),
            h2=float(w2[x2 > np.log10(value)].sum()),
        )
        for value in at
    )
