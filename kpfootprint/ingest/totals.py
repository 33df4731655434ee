"""How far rounding alone can take a declared total from its rows."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

STONE_UNIT_CT = 0.01
"""Stones are weighed to this, or finer."""

CELL_UNIT_CT = 0.1
"""Cells of a sorting sheet are weighed to this, or finer."""


def unit_of(values: NDArray[np.float64], *, coarsest: float = 1.0) -> float:
    """Return the unit that values were rounded to: the largest of 1, 0.1, … 0.000001 of which all are multiples."""
    for decimals in range(7):
        unit = 10.0**-decimals
        if unit <= coarsest and np.all(np.abs(values - np.round(values, decimals)) <= 1e-9 * np.maximum(1.0, values)):
            return unit
    return 1e-6


def spread_of(parts: NDArray[np.float64], *, coarsest: float) -> float:
    r"""Return by how much rounding each of `n` parts can move their sum, but for one chance in billions.

    Parts rounded to a unit :math:`u` give their sum an error of standard deviation :math:`u \sqrt{n / 12}`; seven times
    that, :math:`2 u \sqrt n`, is allowed. The unit is looked for in the parts, and is `coarsest` at most.
    """
    return 2.0 * unit_of(parts, coarsest=coarsest) * math.sqrt(len(parts)) + 1e-9 * float(np.sum(parts))


def rounding_tolerance(total: float, parts: NDArray[np.float64], *, coarsest: float) -> float:
    """Return by how much rounding can make a total and the sum of its parts differ.

    A total rounded to a unit is off by half of that; `spread_of` the parts is added.
    """
    return 0.5 * unit_of(np.array([total])) + spread_of(parts, coarsest=coarsest)
