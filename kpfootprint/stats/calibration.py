"""From scores to likelihood ratios that mean what they say: affine calibration and empirical bounds."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

LN10 = float(np.log(10.0))
MAX_NEWTON_STEPS = 100
SizeTerms = Literal["none", "intercept", "both"]


class AffineCalibrator:
    r"""Logistic regression of the hypothesis on a score, read as a likelihood ratio.

    With `x` the standardised ``ln n_stones``,

    .. math:: \log_{10} LR = a + b\,s + c\,x + d\,s\,x

    maximises the likelihood of H1 against H2 at prior odds 1 (both hypotheses weigh the same, whatever the number of
    their cases), less ``penalty / 2 * (a**2 + (b - 1)**2 + c**2 + d**2)``: without evidence to the contrary the score
    is taken to be a log10 LR already. The slope ``b + d x`` is never taken below 0, so a higher score never lowers the
    LR, and `x` stays within the sizes seen in `fit`.

    Parameters
    ----------
    size_terms : {"none", "intercept", "both"}
        Whether size moves nothing (c = d = 0), the intercept (d = 0) or slope and intercept.
    penalty : float
        Positive; 1 is worth about as much as one case.

    Attributes
    ----------
    coef_ : ndarray of shape (4,)
        a, b, c, d.
    centre_, scale_ : float
        Mean and standard deviation of ``ln n_stones`` in `fit` (0 and 1 without size terms).
    range_ : ndarray of shape (2,)
        Smallest and largest `x` in `fit`.

    References
    ----------
    Morrison, G. S. (2013). Tutorial on logistic-regression calibration and fusion. Australian Journal of Forensic
    Sciences 45, 173-197.

    Examples
    --------
    >>> import numpy as np
    >>> calibrator = AffineCalibrator().fit([2.0, 1.5, -0.5, 0.5, -1.5, -2.0], [1, 1, 1, 0, 0, 0])
    >>> bool(np.all(np.diff(calibrator.transform([-1.0, 0.0, 1.0])) > 0))
    True
    """

    coef_: Floats
    centre_: float
    scale_: float
    range_: Floats

    def __init__(self, *, size_terms: SizeTerms = "none", penalty: float = 1.0) -> None:
        self.size_terms: SizeTerms = size_terms
        self.penalty = penalty

    def fit(
        self,
        score: ArrayLike,
        is_h1: ArrayLike,
        *,
        n_stones: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> AffineCalibrator:
        """Learn the coefficients.

        Parameters
        ----------
        score : array-like of shape (n_cases,)
            Finite; the larger, the more for H1.
        is_h1 : array-like of shape (n_cases,)
            1 (or True) where H1 is true, 0 where H2 is; both must occur.
        n_stones : array-like of shape (n_cases,), optional
            Positive; needed with size terms, unused without.
        sample_weight : array-like of shape (n_cases,), optional
            Relative weights within each hypothesis.

        Returns
        -------
        AffineCalibrator
            The estimator itself.
        """
        if self.size_terms not in ("none", "intercept", "both"):
            raise ValueError(f"size_terms must be 'none', 'intercept' or 'both', got {self.size_terms!r}")
        if not self.penalty > 0:
            raise ValueError(f"penalty must be positive, got {self.penalty}")
        s = _vector("score", score)
        y = _vector("is_h1", is_h1)
        if y.shape != s.shape or not np.isin(y, (0.0, 1.0)).all() or np.unique(y).size != 2:
            raise ValueError(f"is_h1 must hold {s.size} values of 0 and 1, both of them, got {np.asarray(is_h1)}")
        weight = np.ones_like(s) if sample_weight is None else _vector("sample_weight", sample_weight)
        if weight.shape != s.shape or (weight < 0).any() or not min(weight[y == 1].sum(), weight[y == 0].sum()) > 0:
            raise ValueError(f"sample_weight must hold {s.size} values of 0 or more, some positive in H1 and H2")
        weight = np.where(y == 1, weight / weight[y == 1].sum(), weight / weight[y == 0].sum()) * s.size / 2

        x = self._fit_sizes(n_stones, s.size)
        design = np.stack([np.ones_like(s), s, x, s * x], axis=1)
        free = np.array([True, True, self.size_terms != "none", self.size_terms == "both"])
        coef = np.array([0.0, 1.0, 0.0, 0.0])
        coef[free] = _newton(design[:, free], y, weight, prior=coef[free], penalty=self.penalty)
        if coef[1] < 0 and not free[3]:  # the score points the wrong way: it is then worth nothing
            coef[1], free[1] = 0.0, False
            coef[free] = _newton(design[:, free], y, weight, prior=np.zeros(int(free.sum())), penalty=self.penalty)
        self.coef_ = coef
        return self

    def transform(self, score: ArrayLike, *, n_stones: ArrayLike | None = None) -> Floats:
        """Return calibrated log10 LRs in the shape of `score` (`n_stones` broadcasts against it)."""
        if not hasattr(self, "coef_"):
            raise ValueError("this AffineCalibrator is not fitted yet; call fit first")
        s = np.asarray(score, dtype=np.float64)
        if np.isnan(s).any():
            raise ValueError("score must hold no NaN")
        a, b, c, d = self.coef_
        x = np.zeros(()) if self.size_terms == "none" else self._standardised(n_stones)
        slope = np.maximum(b + d * x, 0.0)
        scaled: Floats = np.where(slope > 0, s, 0.0) * slope  # an infinite score times slope 0 is 0
        return np.asarray(a + scaled + c * x, dtype=np.float64)

    def _fit_sizes(self, n_stones: ArrayLike | None, n_cases: int) -> Floats:
        self.centre_, self.scale_, self.range_ = 0.0, 1.0, np.array([-np.inf, np.inf])
        if self.size_terms == "none":
            return np.zeros(n_cases)
        ln_n = self._standardised(n_stones)
        if ln_n.shape != (n_cases,):
            raise ValueError(f"n_stones must hold {n_cases} values, one for each score, got shape {ln_n.shape}")
        self.centre_, spread = float(ln_n.mean()), float(ln_n.std())
        self.scale_ = spread if spread > 1e-9 else 1.0
        x = (ln_n - self.centre_) / self.scale_
        self.range_ = np.array([x.min(), x.max()])
        return x

    def _standardised(self, n_stones: ArrayLike | None) -> Floats:
        if n_stones is None:
            raise ValueError(f"n_stones is needed with size_terms={self.size_terms!r}, got None")
        n = np.asarray(n_stones, dtype=np.float64)
        if not np.isfinite(n).all() or (n <= 0).any():
            raise ValueError(f"n_stones must be finite and positive, got {n}")
        return np.clip((np.log(n) - self.centre_) / self.scale_, *self.range_)


def penalty_of(n_cases: int, n_parcels: int, trust: float) -> float:
    """Return the penalty under which the belief that scores are log10 LRs already is worth `trust` parcels.

    A parcel stands in several cases, as declarations it could have had, and these say much the same; at least 1.
    """
    return max(trust * n_cases / n_parcels, 1.0)


def _vector(name: str, values: ArrayLike) -> Floats:
    vector = np.asarray(values, dtype=np.float64)
    if vector.ndim != 1 or vector.size == 0 or not np.isfinite(vector).all():
        raise ValueError(f"{name} must be one-dimensional, not empty and finite, got {vector}")
    return vector


def _newton(design: Floats, y: Floats, weight: Floats, *, prior: Floats, penalty: float) -> Floats:
    """Penalised logistic regression, coefficients in log10 units; convex, so damped Newton steps find its optimum."""
    x = design * LN10
    sign = 2 * y - 1

    def loss(coef: Floats) -> float:
        cost = np.dot(weight, np.logaddexp(0.0, -sign * (x @ coef)))
        return float(cost + penalty / 2 * np.sum((coef - prior) ** 2))

    coef = prior.copy()
    value = loss(coef)
    for _ in range(MAX_NEWTON_STEPS):
        eta = x @ coef
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
    log10_lr_h1: ArrayLike, log10_lr_h2: ArrayLike, *, n_misleading: int = 1, step: float = 0.01
) -> tuple[float, float]:
    r"""Empirical lower and upper bound of log10 LRs: how far the cases at hand allow an LR to be trusted.

    At a threshold `t` the empirical cost of acting on LRs is ``P(LR <= t | H1) + t P(LR > t | H2)``, after adding
    `n_misleading` worst cases to either hypothesis; acting on no LR at all costs ``min(1, t)``. The bounds are the
    thresholds nearest to LR = 1, on a grid of `step`, up to which acting on LRs costs no more than that.

    Parameters
    ----------
    log10_lr_h1, log10_lr_h2 : array-like of shape (n_h1,), (n_h2,)
        Calibrated log10 LRs of held-out cases; infinite ones are allowed.
    n_misleading : int
        Misleading cases added to each hypothesis, 1 or more.
    step : float
        Accuracy in log10 units, positive.

    Returns
    -------
    low, high : float
        ``low <= 0 <= high``, and never beyond ``-log10(n_h1 + 1)`` and ``log10(n_h2 + 1)`` by more than a step.

    References
    ----------
    Vergeer, P., van Es, A., de Jongh, A., Alberink, I., Stoel, R. (2016). Numerical likelihood ratios outputted by LR
    systems are often based on extrapolation: when to stop extrapolating? Science and Justice 56, 482-491.
    """
    h1 = np.sort(np.asarray(log10_lr_h1, dtype=np.float64))
    h2 = np.sort(np.asarray(log10_lr_h2, dtype=np.float64))
    for name, values in (("log10_lr_h1", h1), ("log10_lr_h2", h2)):
        if values.ndim != 1 or values.size == 0 or np.isnan(values).any():
            raise ValueError(f"{name} must be one-dimensional, not empty and without NaN, got shape {values.shape}")
    if n_misleading < 1 or not step > 0:
        raise ValueError(f"n_misleading must be 1 or more and step positive, got {n_misleading} and {step}")
    lowest = max(min(h1[0], h2[0]), -np.log10(h1.size + 1))
    highest = min(max(h1[-1], h2[-1]), np.log10(h2.size + 1))
    first, last = min(0, int(np.floor(lowest / step))), max(0, int(np.floor(highest / step)) + 1)
    threshold = np.linspace(first * step, last * step, last - first + 1)
    rejected_h1 = (np.searchsorted(h1, threshold, side="right") + n_misleading) / (h1.size + n_misleading)
    accepted_h2 = (h2.size - np.searchsorted(h2, threshold, side="right") + n_misleading) / (h2.size + n_misleading)
    t = 10.0**threshold
    worse = np.minimum(1.0, t) < rejected_h1 + t * accepted_h2
    low = np.max(threshold[worse & (threshold <= 0)] + step, initial=threshold[0])
    high = np.min(threshold[worse & (threshold >= 0)] - step, initial=threshold[-1])
    return float(min(low, 0.0)), float(max(high, 0.0))
