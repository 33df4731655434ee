"""How far rounding alone can take a declared total from its rows."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def unit_of(values: NDArray[np.float64], *, coarsest: float = 1.0) -> float:
    """Return the unit that values were rounded to: the largest of 1, 0.1, … 0.000001 of which all are multiples."""
    for decimals in range(7):
        unit = 10.0**-decimals
        if unit <= coarsest and np.all(np.abs(values - np.round(values, decimals)) <= 1e-9 * np.maximum(1.0, values)):
            return unit
    return 1e-6


def rounding_tolerance(total: float, parts: NDArray[np.float64]) -> float:
    r"""Return by how much rounding can make a total and the sum of its parts differ.

    A total rounded to a unit :math:`u_t` is off by at most :math:`u_t / 2`. The sum of `n` parts rounded to
    :math:`u \le 0.01` ct has a rounding error of standard deviation :math:`u \sqrt{n / 12}`; seven times that,
    :math:`2 u \sqrt n`, is allowed.
    """
    spread = 2.0 * unit_of(parts, coarsest=0.01) * math.sqrt(len(parts))
    return 0.5 * unit_of(np.array([total])) + spread + 1e-9 * total
