"""How far numbers are rounded, as they are written or by their values, and how far sums may differ by it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kpfootprint.ingest.raw.cells import Cell, PlainCells

STONE_UNIT_CT = 0.01
"""Stones are weighed to this, or finer."""

CELL_UNIT_CT = 0.1
"""Cells of a sorting sheet are weighed to this, or finer."""

_HUNDREDTHS = re.compile(r"[.,]\d\d(?!\d)")


def cell_unit(cells: Sequence[Cell]) -> float:
    """Return to what the carats of a sorting sheet are weighed, or finer: to the hundredth where one is written so."""
    fine = isinstance(cells, PlainCells) or any(isinstance(c, str) and _HUNDREDTHS.search(c) for c in cells)
    return STONE_UNIT_CT if fine else CELL_UNIT_CT


def unit_of(values: NDArray[np.float64], *, coarsest: float = 1.0) -> float:
    """Return the unit that values were rounded to: the largest of 1, 0.1, … 0.000001 of which all are multiples."""
    for decimals in range(7):
        unit = 10.0**-decimals
        if unit <= coarsest and np.all(np.abs(values - np.round(values, decimals)) <= 1e-9 * np.maximum(1.0, values)):
            return unit
    return 1e-6


_DECIMALS = re.compile(r"\d(?:[.,](?P<decimals>\d+))?(?=\D*$)")


def unit_written(cell: Cell, value: float) -> float:
    """Return the unit that a number was rounded to: by its decimals as written, ``1.00``; elsewhere by its value."""
    hit = _DECIMALS.search(cell) if isinstance(cell, str) else None
    return unit_of(np.array([value])) if hit is None else 10.0 ** -len(hit["decimals"] or "")


def spread_of(parts: NDArray[np.float64], *, coarsest: float) -> float:
    r"""Return by how much rounding each of `n` parts can move their sum, but for one chance in billions.

    Parts rounded to a unit :math:`u` give their sum an error of standard deviation :math:`u \sqrt{n / 12}`; seven times
    that, :math:`2 u \sqrt n`, is allowed. The unit is looked for in the parts, and is `coarsest` at most.
    """
    return 2.0 * unit_of(parts, coarsest=coarsest) * math.sqrt(len(parts)) + 1e-9 * float(np.sum(parts))


def rounding_tolerance(total: float, parts: NDArray[np.float64], *, coarsest: float, written: Cell = None) -> float:
    """Return by how much rounding can make a total and the sum of its parts differ.

    A total rounded to a unit, as it is `written`, is off by half of that; `spread_of` the parts is added.
    """
    return 0.5 * unit_written(written, total) + spread_of(parts, coarsest=coarsest)
