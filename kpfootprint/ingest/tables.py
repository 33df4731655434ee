"""A table in columns of few distinct values, whatever file it came from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from kpfootprint.errors import Problem
from kpfootprint.ingest.cells import Cell, is_blank
from kpfootprint.ingest.distinct import PlainCells
from kpfootprint.ingest.rules import Broken, problem


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its header, its distinct cells, and which of them stands in each row."""

    header: str
    cells: Sequence[Cell]
    codes: NDArray[np.int32]
    headers: Sequence[str] = ()

    def header_at(self, row: int | None) -> str:
        """Return the header above the cell of a row; a column made of several ones has one for each row."""
        return self.headers[row] if self.headers and row is not None else self.header

    def rows(self, kept: NDArray[np.intp]) -> Column:
        """Return the column with some of its rows."""
        headers = [self.headers[row] for row in kept.tolist()] if self.headers else ()
        return Column(self.header, self.cells, self.codes[kept], headers)

    def at(self, row: int) -> Cell:
        """Return the cell of a row."""
        return self.cells[int(self.codes[row])]

    def blank(self) -> NDArray[np.bool_]:
        """Say of each row whether its cell is blank."""
        blank = self.cells.blank() if isinstance(self.cells, PlainCells) else [is_blank(cell) for cell in self.cells]
        return np.asarray(blank, dtype=bool)[self.codes]


@dataclass(slots=True)
class ColumnMaker:
    """Gathers a column, keeping each distinct cell once."""

    index: defaultdict[Cell, int] = field(init=False)
    parts: list[NDArray[np.int32]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.index = defaultdict()
        self.index.default_factory = self.index.__len__

    def add(self, cells: Sequence[Cell]) -> None:
        """Append cells; none of them may be a bool, which would pass for a number."""
        self.parts.append(np.fromiter(map(self.index.__getitem__, cells), dtype=np.int32, count=len(cells)))

    def column(self, header: str) -> Column:
        """Return what was gathered."""
        codes = np.concatenate(self.parts) if self.parts else np.zeros(0, dtype=np.int32)
        return Column(header, list(self.index), codes)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTable:
    """A table as read, before anyone knows what it is.

    `rows` holds the number by which each row is told in a problem, or None where rows need no number.
    `ragged` holds positions of rows with too few or too many cells, and how many they have.
    """

    name: str
    source: str
    columns: list[Column]
    rows: NDArray[np.int32] | None
    ragged: dict[int, int] = field(default_factory=dict)
    typed: bool = False
    header_rows: tuple[int, ...] = (1,)
    titles: tuple[tuple[int, tuple[Cell, ...]], ...] = ()
    hidden: tuple[str, ...] = ()

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return int(self.columns[0].codes.shape[0]) if self.columns else 0

    def line(self, row: int) -> int | None:
        """Return the number by which a row is told."""
        return None if self.rows is None else int(self.rows[row])

    def keep(self, kept: NDArray[np.intp]) -> RawTable:
        """Return the table with some of its rows."""
        place = {int(old): new for new, old in enumerate(kept)} if self.ragged else {}
        return replace(
            self,
            columns=[column.rows(kept) for column in self.columns],
            rows=None if self.rows is None else self.rows[kept],
            ragged={place[row]: found for row, found in self.ragged.items() if row in place},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A row that was not read, and why: a total that agrees, a note under the table."""

    table: str
    row: int | None
    code: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that whoever gave a table should know of how it was read."""

    code: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Trace:
    """How a table was read: filled while it is."""

    header_rows: tuple[int, ...] = (1,)
    left_out: list[LeftOut] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    meanings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table whose kind and columns are known; not `complete` where a needed column is missing."""

    kind: str
    name: str
    columns: Mapping[str, Column]
    n_rows: int
    rows: NDArray[np.int32] | None
    ragged: Mapping[int, int]
    n_columns: int
    typed: bool
    complete: bool = True
    trace: Trace = field(default_factory=Trace)
    valuations: Mapping[str, Table] = field(default_factory=dict)

    def line(self, row: int) -> int | None:
        """Return the number by which a row is told."""
        return None if self.rows is None else int(self.rows[row])

    def records(self) -> list[dict[str, Cell]]:
        """Return the rows one by one, for small tables."""
        lists = {name: [column.cells[code] for code in column.codes.tolist()] for name, column in self.columns.items()}
        return [{name: cells[row] for name, cells in lists.items()} for row in range(self.n_rows)]

    def problem(self, broken: Broken, row: int | None = None, column: str | None = None) -> Problem:
        """Place a broken rule in this table, by position of the row and canonical column."""
        found = self.columns.get(column) if column is not None else None
        value = found.at(row) if found is not None and row is not None else None
        return problem(
            broken,
            table=self.name,
            row=None if row is None else self.line(row),
            column=column if found is None else found.header_at(row),
            value=None if is_blank(value) else value,
        )


def without_blank_rows(raw: RawTable) -> RawTable:
    """Leave out the rows that hold nothing at all, as spreadsheets leave at their end."""
    if not raw.columns:
        return raw
    empty = np.logical_and.reduce([column.blank() for column in raw.columns])
    if not empty.any():
        return raw
    return raw.keep(np.flatnonzero(~empty))
