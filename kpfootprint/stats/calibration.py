"""From scores to likelihood ratios that mean what they say: affine calibration and empirical bounds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from kpfootprint.stats.arrays import Bools, Floats, Ints, rows_of
from kpfootprint.stats.metrics import LN10, share_below

MAX_NEWTON_STEPS = 100
STEP = 0.01
"""Accuracy of bounds in log10 units."""
LEAST_BOUND = 0.01
"""Where the cases carry next to nothing, bounds still lie this far from 0."""
PLAIN = np.array([0.0, 1.0, 0.0, 0.0])
"""Coefficients that leave a score as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """Declarations of known truth to calibrate by, in columns of shape (n_cases,).

    Parameters
    ----------
    score : ndarray
        Finite log10 scores; the larger, the more for H1.
    is_h1 : ndarray of bool
        Whether H1 is true; both must occur.
    ln_n : ndarray
        Log number of stones.
    weight : ndarray
        Weights within each hypothesis, 0 or more.
    parcel : ndarray of int
        Which parcel each case is about. Cases of one parcel say much the same, so parcels are what is counted.
    told : ndarray
        How much of the offset counts, from `told_apart`.
    share : ndarray
        Part of a parcel that the case counts for, in (0, 1]: 1 where it is the question itself, less where it is one
        like it.
    """

    score: Floats
    is_h1: Bools
    ln_n: Floats
    weight: Floats
    parcel: Ints
    told: Floats
    share: Floats

    def __post_init__(self) -> None:
        if not np.isfinite(self.score).all():
            raise ValueError("scores must be finite")
        if self.is_h1.all() or not self.is_h1.any():
            raise ValueError("both hypotheses need cases to calibrate by")

    @property
    def n_parcels(self) -> int:
        """Parcels that the cases are about."""
        return int(np.unique(self.parcel).size)

    def where(self, which: Bools) -> Cases:
        """Return some of the cases."""
        return rows_of(self, which)

    def counted(self, is_h1: bool) -> float:
        """Return how many parcels the cases of one hypothesis count for."""
        mine = self.is_h1 == is_h1
        _, place = np.unique(self.parcel[mine], return_inverse=True)
        most = np.zeros(place.max() + 1)
        np.maximum.at(most, place, self.share[mine])
        return float(most.sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    r"""From scores to likelihood ratios: affine, with terms for the number of stones, and within bounds.

    With `x` the standardised ``ln n_stones``,

    .. math:: \log_{10} LR = t\,(a + c\,x) + (b + d\,x)\,s

    The slope ``b + d x`` is never taken below 0, so a higher score never lowers the LR, and `x` stays within the sizes
    seen in `fit`. The offset is learnt from parcels that tell sources apart; `t` (see `told_apart`) lets it fade where
    a parcel does not, so that evidence of nothing is an LR of 1. What is fitted and measured is what is served: this
    object does all three.

    Parameters
    ----------
    coefficients : ndarray of shape (4,)
        a, b, c, d.
    resampled : ndarray of shape (B, 4)
        The same from resampled cases.
    centre, scale : float
        Of ln n.
    limits : ndarray of shape (2,)
        Smallest and largest x.
    bounds : ndarray of shape (2,)
        Lowest and highest log10 LR that the cases carry.
    set_threshold : float, optional
        Smallest posterior with which a source stays in the 90 % set, in releases up to format 6 (see
        `kpfootprint.stats.model.FootprintModel.sets`).
    offset_spread : float, optional
        Spread of log evidence over sources at which the offset counts by 63 %; releases up to format 4 have none.

    References
    ----------
    Morrison, G. S. (2013). Tutorial on logistic-regression calibration and fusion. Australian Journal of Forensic
    Sciences 45, 173-197.

    Examples
    --------
    >>> import numpy as np
    >>> score, one = np.array([2.0, 1.5, -0.5, 0.5, -1.5, -2.0]), np.ones(6)
    >>> h1, parcel = np.arange(6) < 3, np.arange(6)
    >>> cases = Cases(score=score, is_h1=h1, ln_n=one, weight=one, parcel=parcel, told=one, share=one)
    >>> log10_lr = Calibration.fit(cases, trust=0.0).apply(np.array([-1.0, 0.0, 1.0]), np.zeros(3))
    >>> bool(np.all(np.diff(log10_lr) > 0))
    True
    """

    coefficients: Annotated[Floats, "4"]
    resampled: Annotated[Floats, "B 4"]
    centre: Annotated[float, ""]
    scale: Annotated[float, "", "positive"]
    limits: Annotated[Floats, "2", "increase"]
    bounds: Annotated[Floats, "2", "about 0"]
    set_threshold: Annotated[float | None, "", "share"] = None
    offset_spread: Annotated[float | None, "", "positive"] = None

    @classmethod
    def fit(
        cls,
        cases: Cases,
        *,
        trust: float,
        times: NDArray[np.integer] | None = None,
        offset_spread: float | None = None,
    ) -> Calibration:
        """Maximise the likelihood of H1 against H2 at prior odds 1, and ask what bounds the cases carry.

        Parameters
        ----------
        trust : float
            Parcels' worth of belief that scores are log10 LRs already (the penalty on a, b - 1, c and d).
        times : ndarray of shape (B, n_parcels), optional
            How often each parcel was drawn, by its position, for the resampled coefficients.
        """
        if not trust >= 0:
            raise ValueError(f"trust must be 0 or more, got {trust}")
        centre, spread = float(cases.ln_n.mean()), float(cases.ln_n.std())
        scale = spread if spread > 1e-9 else 1.0
        x = (cases.ln_n - centre) / scale
        n_cases, n_parcels = cases.score.size, cases.n_parcels
        penalty = max(trust * n_cases / n_parcels, 1.0)
        coef = _fit_affine(cases.score, x, cases.told, cases.is_h1, cases.weight, penalty)
        resampled = [coef]
        if times is not None:
            resampled = []
            for row in times:
                weight = cases.weight * row[cases.parcel]
                used = weight > 0
                if np.unique(cases.is_h1[used]).size < 2:  # nobody of one hypothesis was drawn: nothing is learnt
                    resampled.append(coef)
                    continue
                columns = (cases.score[used], x[used], cases.told[used], cases.is_h1[used], weight[used])
                resampled.append(_fit_affine(*columns, penalty))
        limits = np.array([min(x.min(), -1e-6), max(x.max(), 1e-6)])
        found_so_far = cls(
            coefficients=coef,
            resampled=np.array(resampled),
            centre=centre,
            scale=scale,
            limits=limits,
            bounds=np.array([-np.inf, np.inf]),
            offset_spread=offset_spread,
        )
        low, high = found_so_far._carried(cases)
        asked = cases.share == 1.0
        if not asked.all():  # support for a declaration goes no farther than the question itself carries it
            high = min(high, found_so_far._carried(cases.where(asked))[1])
        # where the cases carry next to nothing, next to nothing is said
        return replace(found_so_far, bounds=np.array([min(low, -LEAST_BOUND), max(high, LEAST_BOUND)]))

    def _carried(self, cases: Cases) -> tuple[float, float]:
        log10_lr, h1 = self.apply(cases.score, cases.ln_n, cases.told), cases.is_h1
        return elub_bounds(
            log10_lr[h1],
            log10_lr[~h1],
            weights=(cases.weight[h1], cases.weight[~h1]),
            counts=(cases.counted(True), cases.counted(False)),
        )

    def told(self, listed: Floats) -> Floats | float:
        """Return how far parcels tell sources apart, by their log evidence (..., Z): see `told_apart`."""
        return told_apart(listed, self.offset_spread)

    def apply(
        self, log10_score: Floats, ln_n: Floats, told: Floats | float = 1.0, coefficients: Floats | None = None
    ) -> Floats:
        """Return calibrated log10 LRs before bounds; `ln_n` and `told` broadcast against the scores.

        Below the smallest calibrated parcel the offset fades with the number of stones: no stones, no evidence.
        """
        a, b, c, d = np.moveaxis(self.coefficients if coefficients is None else coefficients, -1, 0)
        x = np.clip((ln_n - self.centre) / self.scale, *self.limits)
        fade = np.exp(np.minimum(ln_n - self.centre - self.scale * self.limits[0], 0.0))
        slope = np.maximum(b + d * x, 0.0)
        scaled = np.where(slope > 0, log10_score, 0.0) * slope  # an infinite score times slope 0 is 0
        out: Floats = fade * told * (a + c * x) + scaled
        return out

    def bounded(self, log10_lr: Floats, highest: Floats | float = np.inf) -> Floats:
        """Return log10 LRs within the bounds, and at most `highest` (which broadcasts against them)."""
        return np.clip(log10_lr, self.bounds[0], np.minimum(self.bounds[1], highest))


def told_apart(listed: Floats, offset_spread: float | None) -> Floats | float:
    r"""Return how far a parcel tells sources apart, in [0, 1), from log evidence (..., Z); 1 without `offset_spread`.

    .. math:: t = 1 - \exp(-\mathrm{sd}_z(\ln e_z) / s)

    Sources of which nothing was learnt (-inf) do not count.
    """
    if offset_spread is None:
        return 1.0
    known = np.isfinite(listed)
    count = np.maximum(known.sum(axis=-1, keepdims=True), 1)
    values = np.where(known, listed, 0.0)
    rest = np.where(known, values - values.sum(axis=-1, keepdims=True) / count, 0.0)
    spread = np.sqrt(np.square(rest).sum(axis=-1) / count[..., 0])
    out: Floats = -np.expm1(-spread / offset_spread)
    return out


def _fit_affine(score: Floats, x: Floats, told: Floats, is_h1: Bools, weight: Floats, penalty: float) -> Floats:
    """Return a, b, c, d; both hypotheses weigh the same, all together as many as there are cases."""
    balanced = np.where(is_h1, weight / weight[is_h1].sum(), weight / weight[~is_h1].sum()) * weight.size / 2
    design = np.array([told, score, told * x, score * x]).T
    return fit_logistic(design, is_h1.astype(np.float64), balanced, prior=PLAIN, penalty=penalty)


def fit_logistic(
    design: Floats, y: Floats, weight: Floats, *, prior: Floats, penalty: float, known: Floats | float = 0.0
) -> Floats:
    """Penalised logistic regression, coefficients in log10 units; convex, so damped Newton steps find its optimum.

    `known` log10 odds are added to those of the `design`, whose coefficients are held near their `prior`.
    """
    x, known = design * LN10, known * LN10
    sign = 2 * y - 1

    def loss(coef: Floats) -> float:
        cost = np.dot(weight, np.logaddexp(0.0, -sign * (x @ coef + known)))
        return float(cost + penalty / 2 * np.sum((coef - prior) ** 2))

    coef = prior.copy()
    value = loss(coef)
    for _ in range(MAX_NEWTON_STEPS):
        eta = x @ coef + known
        wrong = np.exp(-np.logaddexp(0.0, sign * eta))  # chance given to the other hypothesis
        gradient = -(x.T @ (weight * sign * wrong)) + penalty * (coef - prior)
        hessian = (x * (weight * wrong * (1 - wrong))[:, None]).T @ x + penalty * np.eye(coef.size)
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while (moved := loss(coef - size * step)) > value and size > 1e-8:
            size /= 2
        if moved > value:
            break
        coef, value = coef - size * step, moved
        if np.abs(step).max() < 1e-12:
            break
    return coef


def elub_bounds(
    log10_lr_h1: Floats, log10_lr_h2: Floats, *, weights: tuple[Floats, Floats], counts: tuple[float, float]
) -> tuple[float, float]:
    r"""Empirical lower and upper bound of log10 LRs: how far the cases at hand allow an LR to be trusted.

    At a threshold `t` the empirical cost of acting on LRs is ``P(LR <= t | H1) + t P(LR > t | H2)``, after adding
    a worst case to either hypothesis; acting on no LR at all costs ``min(1, t)``. The bounds are the
    thresholds nearest to LR = 1, on a grid of `STEP`, up to which acting on LRs costs no more than that.

    Parameters
    ----------
    log10_lr_h1, log10_lr_h2 : ndarray of shape (n_h1,), (n_h2,)
        Calibrated log10 LRs of held-out cases; infinite ones are allowed.
    weights : (ndarray of shape (n_h1,), ndarray of shape (n_h2,))
        Weights of the cases.
    counts : (float, float)
        How many independent cases there are in each hypothesis: parcels, where a parcel stands in several cases.

    Returns
    -------
    low, high : float
        ``low <= 0 <= high``, and never beyond ``-log10(n_h1 + 1)`` and ``log10(n_h2 + 1)`` by more than a step.

    References
    ----------
    Vergeer, P., van Es, A., de Jongh, A., Alberink, I., Stoel, R. (2016). Numerical likelihood ratios outputted by LR
    systems are often based on extrapolation: when to stop extrapolating? Science and Justice 56, 482-491.
    """
    n_h1, n_h2 = counts
    h1, below_h1 = share_below(log10_lr_h1, weights[0])
    h2, below_h2 = share_below(log10_lr_h2, weights[1])
    lowest = max(min(h1[0], h2[0]), -np.log10(n_h1 + 1))
    highest = min(max(h1[-1], h2[-1]), np.log10(n_h2 + 1))
    first, last = min(0, int(np.floor(lowest / STEP))), max(0, int(np.floor(highest / STEP)) + 1)
    threshold = np.linspace(first * STEP, last * STEP, last - first + 1)
    rejected_h1 = below_h1[np.searchsorted(h1, threshold, side="right")] * n_h1
    accepted_h2 = (1.0 - below_h2[np.searchsorted(h2, threshold, side="right")]) * n_h2
    rejected_h1 = (rejected_h1 + 1) / (n_h1 + 1)
    accepted_h2 = (accepted_h2 + 1) / (n_h2 + 1)
    t = 10.0**threshold
    worse = np.minimum(1.0, t) < rejected_h1 + t * accepted_h2
    low = np.max(threshold[worse & (threshold <= 0)] + STEP, initial=threshold[0])
    high = np.min(threshold[worse & (threshold >= 0)] - STEP, initial=threshold[-1])
    return float(min(low, 0.0)), float(max(high, 0.0))
