"""Rows of a sheet while its sums are taken out: numbers by column, and how far a number is the sum of others."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kpfootprint.ingest.columns.meanings import Layout
from kpfootprint.ingest.raw.cells import Cell
from kpfootprint.ingest.raw.rounding import STONE_UNIT_CT, cell_unit, rounding_tolerance, unit_of, unit_written

_RULED = re.compile(r"\s*[-=_*.~–—]+\s*")


@dataclass(slots=True)
class Rows:
    """Rows of a sheet while its sums are taken out: numbers by column, rows that are the table's own, rows left out."""

    sheet: Layout
    classes: Sequence[int]
    values: dict[int, NDArray[np.float64]]
    own: NDArray[np.bool_]
    left: dict[int, tuple[str, Mapping[str, object]]] = field(default_factory=dict)
    said: dict[tuple[int, int], str] = field(default_factory=dict)

    def leave(self, row: int, code: str, **values: object) -> None:
        """Leave a row out, with the reason."""
        self.left[row] = code, values
        self.own[row] = False

    def state(self, row: int) -> None:
        """Take the cells of a row that is none of the table for what is stated of the parcel, as titles do."""
        raw = self.sheet.raw
        self.sheet.trace.stated.append((raw.line(row) or 1, tuple(raw.row(row))))

    def shown(self, row: int) -> dict[int, float]:
        """Return the numbers of a row, by column."""
        return {at: float(v[row]) for at, v in self.values.items() if np.isfinite(v[row])}

    def inside(self, at: int, low: int, high: int) -> NDArray[np.float64]:
        """Return a column of the own rows of a stretch."""
        return self.values[at][low:high][self.own[low:high]]

    def sums(self, row: int, low: int, high: int) -> bool:
        """Say whether all numbers of a row agree with the same stretch of rows."""
        return all(self.agrees(at, row, self.inside(at, low, high)) for at in self.shown(row))

    def agrees(self, at: int, row: int, parts: NDArray[np.float64]) -> bool:
        """Say whether the number of a row, in its cell or `said` in a label, is the sum of others of its column."""
        written = self.said.get((row, at), self.sheet.column(at).at(row))
        return self.is_sum(at, float(self.values[at][row]), written, parts)

    def is_sum(self, at: int, total: float, written: Cell, parts: NDArray[np.float64]) -> bool:
        """Say whether a number is the sum of others of a column, as they are rounded."""
        return _agrees(total, written, parts, self._unit(at))

    def _unit(self, at: int) -> float:
        """Return to what a column is rounded: stones to the hundredth, and so cells where one is written so."""
        coarse = bool(self.sheet.places("n_stones", "size_class"))
        return cell_unit(self.sheet.column(at).cells) if coarse else STONE_UNIT_CT

    def blank(self, *, every: bool) -> NDArray[np.bool_]:
        """Say of each row whether every class column of it is blank, or any one."""
        if not self.classes:
            return np.full(len(self.own), not every)
        blanks = []
        for column in (self.sheet.column(at) for at in self.classes):
            rules = [code for code, cell in column.texts() if _RULED.fullmatch(cell)]  # ``***``, ``=``
            blanks.append(column.blank() | column.rows_with(rules) if rules else column.blank())
        return np.asarray((np.logical_and if every else np.logical_or).reduce(blanks), dtype=bool)


def equals(total: float, parts: NDArray[np.float64]) -> bool:
    """Say whether a number without a label is the sum of others, to the hundredth."""
    return bool(np.isfinite(parts).all()) and abs(float(parts.sum()) - total) <= 0.0051


def _agrees(total: float, written: Cell, parts: NDArray[np.float64], unit: float) -> bool:
    parts = parts[np.isfinite(parts)]
    if not len(parts):
        return total == 0
    whole = bool(np.all(parts == np.floor(parts))) and total == math.floor(total)
    most = 0.5 * (unit_written(written, total) + unit_of(parts, coarsest=unit) * len(parts)) + 1e-6
    counted = whole and total < 1e9
    slack = 0.5 if counted else min(most, rounding_tolerance(total, parts, coarsest=unit, written=written))
    return abs(float(parts.sum()) - total) <= slack
