"""Intervals: the exact one of a share, bootstrap over parcels, and where the next of some values lies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv, stdtrit

from kpfootprint.stats.arrays import Floats

LEVEL = 0.9
"""Level of every interval that is stated, unless it says otherwise."""
ENDS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
"""Quantiles between which such an interval lies."""
NEXT_LEVEL = 0.99
"""Chance with which the next value stays below the upper bound, and with which it stays above the lower one."""
LEAST_HISTORY = 10
"""Earlier values that there must be before anything is said of the next."""
LEAST_SD = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidenceInterval:
    """Lower and upper limit of an interval at `level` (0.9 = 90 %)."""

    low: float
    high: float
    level: float


def clopper_pearson(errors: int, trials: int, *, level: float = LEVEL) -> ConfidenceInterval:
    """Exact interval of a share from `errors` of `trials` independent cases; covers at `level` or more.

    References
    ----------
    Clopper, C. and Pearson, E. S. (1934). Biometrika 26, 404-413.

    Examples
    --------
    >>> round(clopper_pearson(0, 298, level=0.9).high, 4)
    0.01
    """
    if not (trials >= 1 and 0 <= errors <= trials):
        raise ValueError(f"errors must lie between 0 and trials, and trials be 1 or more, got {errors} of {trials}")
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level}")
    tail = (1 - level) / 2
    low = float(betaincinv(errors, trials - errors + 1, tail)) if errors > 0 else 0.0
    high = float(betaincinv(errors + 1, trials - errors, 1 - tail)) if errors < trials else 1.0
    return ConfidenceInterval(low=low, high=high, level=level)


def bootstrap_over_parcels(
    statistic: Callable[[Floats], float],
    parcels: ArrayLike,
    *,
    rng: np.random.Generator,
    strata: ArrayLike,
    n_resamples: int,
) -> ConfidenceInterval:
    """Interval at `LEVEL` of a statistic of trials, drawing whole parcels: trials of one parcel are not independent.

    Parameters
    ----------
    statistic : callable
        Takes weights of the trials, shape (n_trials,), how often each was drawn, and returns the statistic; may raise
        ValueError or return NaN where a draw has nothing to compute it from, and that draw is then left out.
    parcels : array-like of shape (n_trials,)
        Parcel of each trial, any hashable values of one type.
    strata : array-like of shape (n_trials,)
        As many parcels as there are in each stratum (a zone, say) are drawn from it. One stratum for a parcel.
    n_resamples : int
        Draws.

    Returns
    -------
    ConfidenceInterval
        NaN where every draw was left out.
    """
    names, trial_parcel = np.unique(np.asarray(parcels), return_inverse=True)
    if names.size == 0 or n_resamples < 1:
        raise ValueError(f"parcels and n_resamples must not be empty, got {names.size} parcels, {n_resamples} draws")
    stratum = np.zeros(names.size, dtype=np.intp)
    of_trial = np.unique(np.asarray(strata), return_inverse=True)[1]
    if of_trial.shape != trial_parcel.shape:
        raise ValueError(f"strata must have the shape of parcels, {trial_parcel.shape}, got {of_trial.shape}")
    stratum[trial_parcel] = of_trial
    if (stratum[trial_parcel] != of_trial).any():
        raise ValueError("strata must give every parcel one stratum")
    members = [np.flatnonzero(stratum == value) for value in np.unique(stratum)]
    found: list[float] = []
    for _ in range(n_resamples):
        drawn = np.zeros(names.size)
        for group in members:
            drawn[group] = np.bincount(rng.integers(group.size, size=group.size), minlength=group.size)
        try:
            value = statistic(drawn[trial_parcel])
        except ValueError:
            continue
        if not np.isnan(value):
            found.append(value)
    if not found:
        return ConfidenceInterval(low=float("nan"), high=float("nan"), level=LEVEL)
    low, high = np.quantile(found, ENDS)
    return ConfidenceInterval(low=float(low), high=float(high), level=LEVEL)


def next_value(history: Sequence[float]) -> tuple[float, float] | None:
    """Return the bounds of the next of some positive values; None where too few came before.

    It is a prediction interval of the logarithms, each bound at `NEXT_LEVEL`.

    >>> next_value([2.0] * 9) is None
    True
    >>> low, high = next_value([100.0, 120.0, 90.0, 110.0] * 5)
    >>> round(low), round(high)
    (78, 139)
    """
    n = len(history)
    if n < LEAST_HISTORY:
        return None
    logs = np.log(np.asarray(history, dtype=np.float64))
    reach = float(stdtrit(n - 1, NEXT_LEVEL)) * max(float(np.std(logs, ddof=1)), LEAST_SD) * float(np.sqrt(1 + 1 / n))
    return float(np.exp(np.mean(logs) - reach)), float(np.exp(np.mean(logs) + reach))
