"""What the next value may be, from those before it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit

LEVEL = 0.99
"""Chance with which the next value stays below the upper bound, and with which it stays above the lower one."""
LEAST_HISTORY = 10
"""Earlier values that there must be before anything is said of the next."""
LEAST_SD = 0.05


def next_value(history: Sequence[float]) -> tuple[float, float] | None:
    """Return the bounds of the next of some positive values; None where too few came before.

    It is a prediction interval of the logarithms, each bound at `LEVEL`.

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
    reach = float(stdtrit(n - 1, LEVEL)) * max(float(np.std(logs, ddof=1)), LEAST_SD) * float(np.sqrt(1 + 1 / n))
    return float(np.exp(np.mean(logs) - reach)), float(np.exp(np.mean(logs) + reach))
