"""Curves that show likelihood ratios at a glance: Tippett, empirical cross-entropy, reliability. Arrays, no plots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.metrics import LN10, checked, pav


@dataclass(frozen=True, slots=True)
class TippettCurves:
    """Shares of H1 and of H2 cases with a log10 LR of at least `log10_lr`, each of shape (n_points,)."""

    log10_lr: Floats
    h1: Floats
    h2: Floats


def tippett(
    h1: ArrayLike,
    h2: ArrayLike,
    at: ArrayLike | None = None,
    *,
    weights_h1: ArrayLike | None = None,
    weights_h2: ArrayLike | None = None,
) -> TippettCurves:
    """Share of cases whose log10 LR is `at` or more, under either hypothesis.

    Parameters
    ----------
    h1, h2 : array-like of shape (n_h1,), (n_h2,)
        log10 LRs where H1, H2 is true.
    at : array-like of shape (n_points,), optional
        log10 LRs to read the curves at; by default every finite value that occurs.
    """
    x1, x2, w1, w2 = checked(h1, h2, weights_h1, weights_h2)
    together = np.unique(np.concatenate([x1, x2]))
    points = together[np.isfinite(together)] if at is None else np.asarray(at, dtype=np.float64)
    return TippettCurves(points, _share_at_least(x1, w1, points), _share_at_least(x2, w2, points))


def _share_at_least(values: Floats, weights: Floats, points: Floats) -> Floats:
    order = np.argsort(values)
    below = np.concatenate([[0.0], np.cumsum(weights[order])])
    return np.clip(1.0 - below[np.searchsorted(values[order], points, side="left")], 0.0, 1.0)


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
    h1: ArrayLike,
    h2: ArrayLike,
    log10_prior_odds: ArrayLike,
    *,
    weights_h1: ArrayLike | None = None,
    weights_h2: ArrayLike | None = None,
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
    x1, x2, w1, w2 = checked(h1, h2, weights_h1, weights_h2)
    odds = np.asarray(log10_prior_odds, dtype=np.float64)
    if odds.ndim != 1 or not np.isfinite(odds).all():
        raise ValueError(f"log10_prior_odds must be one-dimensional and finite, got {odds}")
    p1, p2 = pav(x1, x2, weights_h1=w1, weights_h2=w2)
    none = np.zeros(1)
    one = np.ones(1)
    return EntropyCurves(
        _entropy(x1, x2, w1, w2, odds), _entropy(p1, p2, w1, w2, odds), _entropy(none, none, one, one, odds)
    )


def _entropy(x1: Floats, x2: Floats, w1: Floats, w2: Floats, odds: Floats) -> Floats:
    chance = 1.0 / (1.0 + 10.0**-odds)
    cost1 = np.logaddexp(0.0, -(x1[w1 > 0] + odds[:, None]) * LN10) @ w1[w1 > 0]
    cost2 = np.logaddexp(0.0, (x2[w2 > 0] + odds[:, None]) * LN10) @ w2[w2 > 0]
    curve: Floats = (chance * cost1 + (1.0 - chance) * cost2) / np.log(2.0)
    return curve


def reliability(
    h1: ArrayLike, h2: ArrayLike, *, weights_h1: ArrayLike | None = None, weights_h2: ArrayLike | None = None
) -> tuple[Floats, Floats]:
    """LRs as given against LRs recalibrated by pooling adjacent violators, in increasing order without repeats.

    Returns
    -------
    given, recalibrated : ndarray of shape (n_points,)
        log10 LRs; equal where calibration is perfect.
    """
    x1, x2, w1, w2 = checked(h1, h2, weights_h1, weights_h2)
    p1, p2 = pav(x1, x2, weights_h1=w1, weights_h2=w2)
    given, first = np.unique(np.concatenate([x1, x2]), return_index=True)
    return given, np.concatenate([p1, p2])[first]
