"""A table in columns of few distinct values, whatever file it came from."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kpfootprint.errors import Problem
from kpfootprint.ingest.problems import NOTES, Broken, problem
from kpfootprint.ingest.raw.cells import Cell, DecimalMarks, PlainCells, is_blank, read_numbers, shortened, text_of
from kpfootprint.ingest.raw.money import amount_of
from kpfootprint.ingest.totals import is_total
from kpfootprint.wanted import each

_DIGIT = re.compile(r"\d")

Said = tuple[int, tuple[Cell, ...]]
"""Where a line stands, and its cells."""

GOODS = ("stones", "counts")
"""Tables of the stones themselves."""

NUMBER_COLUMNS = ("carats", "percent", "n_stones", "value_usd", "bottom_screen_mm", "lower_ct", "upper_ct")


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column: its header, its distinct cells, and which of them stands in each row."""

    header: str
    cells: Sequence[Cell]
    codes: NDArray[np.int32]
    headers: Sequence[str] = ()

    @classmethod
    def of(cls, header: str, cells: Sequence[Cell]) -> Column:
        """Return the column of some cells, as they stand; none of them may be a bool, which would pass for a number."""
        maker = ColumnMaker()
        maker.add(cells)
        return maker.column(header, whole=True)

    @classmethod
    def filled(cls, header: str, cell: Cell, n_rows: int) -> Column:
        """Return a column that says the same in every row."""
        return cls(header, [cell], np.zeros(n_rows, dtype=np.int32))

    @property
    def mostly_distinct(self) -> bool:
        """Whether nearly every row holds a cell of its own, so that they are not looked at one by one."""
        return isinstance(self.cells, PlainCells)

    @property
    def empty(self) -> bool:
        """Whether it has no header and no cell."""
        return not self.header.strip() and bool(self.blank().all())

    def texts(self) -> Iterator[tuple[int, str]]:
        """Give the distinct cells that are text, with their positions; none where they are mostly distinct."""
        cells = () if self.mostly_distinct else self.cells
        return ((code, cell) for code, cell in enumerate(cells) if isinstance(cell, str))

    def names(self) -> list[str]:
        """Return the distinct cells as text, and blank ones as an empty one."""
        return ["" if is_blank(cell) else text_of(cell) for cell in each(self.cells, 1000)]

    def rows_with(self, codes: Iterable[int]) -> NDArray[np.bool_]:
        """Say of each row whether its cell is one of some distinct ones."""
        mask = np.zeros(len(self.cells), dtype=bool)
        mask[[*codes]] = True
        return mask[self.codes]

    def header_at(self, row: int | None) -> str:
        """Return the header above the cell of a row; a column made of several ones has one for each row."""
        return self.headers[row] if self.headers and row is not None else self.header

    def rows(self, kept: NDArray[np.intp] | NDArray[np.int32]) -> Column:
        """Return the column with some of its rows."""
        headers = [self.headers[row] for row in kept.tolist()] if self.headers else ()
        return Column(self.header, self.cells, self.codes[kept], headers)

    def filled_down(self) -> Column:
        """Return the column with the cell above in the place of each blank one; blanks at its top stay."""
        last = np.maximum.accumulate(np.where(self.blank(), -1, np.arange(len(self.codes))))
        return replace(self, codes=np.where(last >= 0, self.codes[np.maximum(last, 0)], self.codes).astype(np.int32))

    def used(self) -> Column:
        """Return the column without cells that stand in no row any more."""
        if self.mostly_distinct or len(self.cells) > 10_000:
            return self
        is_used = np.bincount(self.codes, minlength=len(self.cells)) > 0
        if is_used.all():
            return self
        cells = [cell for cell, kept in zip(self.cells, is_used.tolist(), strict=True) if kept]
        return replace(self, cells=cells, codes=(np.cumsum(is_used) - 1)[self.codes].astype(np.int32))

    def at(self, row: int) -> Cell:
        """Return the cell of a row."""
        return self.cells[int(self.codes[row])]

    def each(self) -> list[Cell]:
        """Return the cells, row by row."""
        return [*map(self.cells.__getitem__, self.codes.tolist())]

    def blank(self) -> NDArray[np.bool_]:
        """Say of each row whether its cell is blank."""
        blank = self.cells.blank() if isinstance(self.cells, PlainCells) else [is_blank(cell) for cell in self.cells]
        return np.asarray(blank, dtype=bool)[self.codes]


def below(header: str, parts: Sequence[Column]) -> Column:
    """Lay columns below each other."""
    cells: list[Cell] = []
    codes: list[NDArray[np.int32]] = [np.zeros(0, dtype=np.int32)]
    headers: list[str] = []
    for part in parts:
        codes.append((part.codes + len(cells)).astype(np.int32))
        cells += part.cells
        headers += part.headers or [part.header] * len(part.codes)
    return Column(header, cells, np.concatenate(codes), headers)


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

    def column(self, header: str, *, whole: bool = False) -> Column:
        """Return what was gathered, cells cut to what could be meant unless they are wanted whole."""
        codes = np.concatenate(self.parts) if self.parts else np.zeros(0, dtype=np.int32)
        return Column(header, list(self.index if whole else map(shortened, self.index)), codes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something to know of how a table was read, for all its `parcels` or for those named: a row left out, and why."""

    code: str
    values: Mapping[str, object] = field(default_factory=dict)
    parcels: tuple[str, ...] = ()
    table: str = ""
    row: int | None = None

    @property
    def told(self) -> dict[str, object]:
        """What it tells, as plain JSON values."""
        return {"code": self.code, "values": dict(self.values), "text": NOTES[self.code].format(**self.values)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Lines:
    """Rows of a table.

    `rows` holds the number by which each row is told in a problem, or zero where it needs none.
    `ragged` holds positions of rows with too few or too many cells, and how many they have.
    """

    name: str
    rows: NDArray[np.int32]
    ragged: Mapping[int, int] = field(default_factory=dict)
    typed: bool = False

    def line(self, row: int) -> int | None:
        """Return the number by which a row is told."""
        return int(self.rows[row]) or None

    def _lines(self, kept: NDArray[np.intp]) -> dict[str, Any]:
        """Return the numbers of some of the rows, and which of them are ragged."""
        place = {int(old): new for new, old in enumerate(kept)} if self.ragged else {}
        ragged = {place[row]: found for row, found in self.ragged.items() if row in place}
        return {"rows": self.rows[kept], "ragged": ragged}


@dataclass(frozen=True, kw_only=True, eq=False)
class RawTable(_Lines):
    """A table as read, before anyone knows what it is."""

    source: str
    columns: list[Column]
    header_rows: tuple[int, ...] = (1,)
    titles: tuple[Said, ...] = ()
    hidden: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    comments: tuple[tuple[int, str], ...] = ()
    """What comments on its cells say, each with the line of its cell."""

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return int(self.columns[0].codes.shape[0]) if self.columns else 0

    def row(self, row: int) -> list[Cell]:
        """Return the cells of a row."""
        return [column.at(row) for column in self.columns]

    def texts(self, row: int) -> list[str]:
        """Return the cells of a row that hold something, as text."""
        return [text_of(cell) for cell in self.row(row) if not is_blank(cell)]

    def said(self, row: int) -> Said:
        """Return where a row stands, and its cells, as those of a title are kept."""
        return self.line(row) or 1, tuple(self.row(row))

    def filled_at(self, row: int) -> list[int]:
        """Return the positions of the cells of a row that hold something."""
        return [at for at, cell in enumerate(self.row(row)) if not is_blank(cell)]

    def label(self, row: int) -> str:
        """Return the first cell of a row that is not blank, as text."""
        return next((text_of(cell) for column in self.columns if not is_blank(cell := column.at(row))), "")

    @cached_property
    def alone(self) -> NDArray[np.bool_]:
        """Whether one cell of a row is filled and no other, by row; in long tables and narrow ones none is."""
        if len(self.columns) < 2 or self.n_rows > 5000 or any(column.mostly_distinct for column in self.columns):
            return np.zeros(self.n_rows, dtype=bool)
        return np.asarray(np.sum([~column.blank() for column in self.columns], axis=0) == 1)

    @cached_property
    def totals(self) -> list[int]:
        """The rows whose first cell that holds something says total."""
        found, open_rows = np.zeros(self.n_rows, dtype=bool), np.ones(self.n_rows, dtype=bool)
        for column in self.columns:
            found |= open_rows & column.rows_with(code for code, cell in column.texts() if is_total(cell))
            open_rows &= column.blank()
            if not open_rows.any():
                break
        return [int(row) for row in np.flatnonzero(found)]

    def blank(self, places: Iterable[int] | None = None) -> NDArray[np.bool_]:
        """Say of each row whether all of its cells are blank, or those of some columns."""
        blank = np.ones(self.n_rows, dtype=bool)
        for column in self.columns if places is None else [self.columns[at] for at in places]:
            blank &= column.blank()
        return blank

    @cached_property
    def marks(self) -> DecimalMarks:
        """The decimal marks of all of its columns together."""
        cells = ((cell for cell in column.cells[:2000] if isinstance(cell, str)) for column in self.columns)
        return DecimalMarks.seen_in([cell for cell in own if _DIGIT.search(cell)] for own in cells)

    def values(self, at: int) -> NDArray[np.float64]:
        """Return a column as numbers, NaN where there is none."""
        column = self.columns[at]
        values, broken = read_numbers(column.cells, self.marks)
        for at in broken:  # money, by which other columns are known
            amount, currency = amount_of(column.cells[at], self.marks)
            values[at] = amount if currency and not isinstance(amount, Broken) else np.nan
        return values[column.codes]

    def holding(self, at: int) -> NDArray[np.bool_]:
        """Say of each row whether its cell in a column holds something other than zero."""
        return np.asarray(~self.columns[at].blank() & (self.values(at) != 0))

    def problem(self, broken: Broken, row: int | None = None, column: int | str | None = None) -> Problem:
        """Place a broken rule in this table, by position of the row, and by a column's position or name."""
        header = self.columns[column].header if isinstance(column, int) else column
        cell = self.columns[column].at(row) if isinstance(column, int) and row is not None else None
        line, value = None if row is None else self.line(row), None if is_blank(cell) else cell
        return problem(broken, table=self.name, row=line, column=header, value=value)

    def known(self, kind: str, columns: Mapping[str, Column], trace: Trace, *, complete: bool) -> KnownTable:
        """Return the table with its kind and its columns found out."""
        lines = {item.name: getattr(self, item.name) for item in fields(_Lines)}
        lines |= {"n_rows": self.n_rows, "n_columns": len(self.columns)}
        return KnownTable(kind=kind, columns=columns, complete=complete, trace=trace, **lines)

    def trace(self) -> Trace:
        """Return how it was read so far."""
        hidden = [f"{self.name}: {what}" for what in self.hidden]
        return Trace(header_rows=self.header_rows, hidden=hidden, notes=[*self.notes])

    def filled(self) -> RawTable:
        """Return the table without rows that hold nothing at all, as spreadsheets leave at their end."""
        empty = self.blank()
        return self.keep(np.flatnonzero(~empty)) if empty.any() else self

    def noting(self, code: str, /, **values: object) -> RawTable:
        """Return the table with something to know of how it was read."""
        return replace(self, notes=(*self.notes, Note(code=code, values=values)))

    def keep(self, kept: NDArray[np.intp]) -> RawTable:
        """Return the table with some of its rows."""
        return replace(self, columns=[column.rows(kept).used() for column in self.columns], **self._lines(kept))


@dataclass(slots=True, kw_only=True)
class Trace:
    """How a table was read: filled while it is.

    `stated` is what its totals alone say, as titles do; `lines` are titles that were read as something else, `said`
    what they say of each of several parcels, `whole` what a cover says of all together.
    """

    header_rows: tuple[int, ...] = (1,)
    left_out: list[Note] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    stated: list[Said] = field(default_factory=list)
    lines: set[int] = field(default_factory=set)
    said: Mapping[str, Column] = field(default_factory=dict)
    whole: KnownTable | None = None

    def note(self, code: str, /, **values: object) -> None:
        """Note something to know of how the table was read."""
        self.notes.append(Note(code=code, values=values))

    def leave_out(self, code: str, table: str, row: int | None, /, **values: object) -> None:
        """Note a row that is left out, and why."""
        self.left_out.append(Note(code=code, table=table, row=row, values=values))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KnownTable(_Lines):
    """A table whose kind and columns are known; not `complete` where a needed column is missing.

    One made of `titles` above a table is about whatever stands below.
    """

    kind: str
    columns: Mapping[str, Column]
    n_rows: int
    n_columns: int = 0
    complete: bool = True
    titles: bool = False
    trace: Trace = field(default_factory=Trace)
    valuations: Mapping[str, KnownTable] = field(default_factory=dict)
    sheets: Sequence[str] = ()

    @classmethod
    def of_lines(cls, kind: str, name: str, columns: Mapping[str, Column], lines: Sequence[int]) -> KnownTable:
        """Return a table of what is said on some lines of a sheet."""
        return cls(kind=kind, name=name, columns=columns, n_rows=len(lines), rows=np.array(lines, dtype=np.int32))

    def name_at(self, row: int | None) -> str:
        """Return the name of the sheet that a row stands on."""
        return self.sheets[row] if self.sheets and row is not None else self.name

    def same_rows(self, other: KnownTable) -> bool:
        """Say whether another table holds the same columns and rows."""
        if (self.n_rows, [*self.columns]) != (other.n_rows, [*other.columns]):
            return False
        pairs = zip(self.columns.values(), other.columns.values(), strict=True)
        return all(one.each() == two.each() for one, two in pairs)

    def keep(self, kept: NDArray[np.intp]) -> KnownTable:
        """Return the table with some of its rows."""
        return replace(
            self,
            columns={name: column.rows(kept) for name, column in self.columns.items()},
            n_rows=len(kept),
            **self._lines(kept),
            sheets=[self.sheets[row] for row in kept.tolist()] if self.sheets else (),
        )

    @property
    def marks(self) -> DecimalMarks:
        """The decimal marks that its number columns show."""
        return DecimalMarks.seen_in(column.cells for name, column in self.columns.items() if name in NUMBER_COLUMNS)

    def values(self, name: str) -> NDArray[np.float64]:
        """Return a column as numbers, NaN where there is none."""
        column = self.columns[name]
        return read_numbers(column.cells, self.marks)[0][column.codes]

    def records(self) -> Iterator[dict[str, Cell]]:
        """Give the rows one by one, for small tables."""
        columns = [column.each() for column in self.columns.values()]
        for _, *cells in each(zip(range(self.n_rows), *columns, strict=True), 1000):
            yield dict(zip(self.columns, cells, strict=True))

    def problem(self, broken: Broken, row: int | None = None, column: str | None = None) -> Problem:
        """Place a broken rule in this table, by position of the row and canonical column."""
        found = self.columns.get(column) if column is not None else None
        value = found.at(row) if found is not None and row is not None else None
        return problem(
            broken,
            table=self.name_at(row),
            row=None if row is None else self.line(row),
            column=column if found is None else found.header_at(row),
            value=None if is_blank(value) else value,
        )


def stacked(tables: Sequence[KnownTable], ids: Sequence[str | None]) -> KnownTable:
    """Lay tables of one kind below each other; where an id is given, every row of that table is of that parcel."""
    first, n_rows = tables[0], sum(table.n_rows for table in tables)
    columns: dict[str, Column] = {}
    for name in dict.fromkeys(["parcel_id"] * any(ids) + [name for table in tables for name in table.columns]):
        parts = []
        for table, parcel_id in zip(tables, ids, strict=True):
            said = parcel_id if name == "parcel_id" else None
            own = table.columns.get(name) if said is None else None
            parts.append(own or Column.filled(name, said, table.n_rows))
        columns[name] = below(name, parts)
    starts = np.cumsum([0, *(table.n_rows for table in tables)]).tolist()
    ragged = ((start, item) for start, table in zip(starts, tables, strict=False) for item in table.ragged.items())
    return replace(
        first,
        columns=columns,
        n_rows=n_rows,
        rows=np.concatenate([table.rows for table in tables]),
        ragged={start + row: found for start, (row, found) in ragged},
        complete=all(table.complete for table in tables),
        typed=all(table.typed for table in tables),
        titles=False,
        valuations={},
        sheets=[table.name for table in tables for _ in range(table.n_rows)],
        trace=_of_all([table.trace for table in tables]),
    )


def stacked_by_kind(parts: Iterable[tuple[KnownTable, str | None]]) -> dict[str, KnownTable]:
    """Lay tables below each other, those of each kind; each may have the parcel that all of its rows are of."""
    found: dict[str, list[tuple[KnownTable, str | None]]] = {}
    for table, parcel_id in parts:
        found.setdefault(table.kind, []).append((table, parcel_id))
    return {kind: stacked([of for of, _ in items], [own for _, own in items]) for kind, items in found.items()}


def _of_all(traces: Sequence[Trace]) -> Trace:
    """Return how several tables were read, as that of one: what holds for two of them is told once."""
    return Trace(
        header_rows=traces[0].header_rows,
        left_out=[item for trace in traces for item in trace.left_out],
        passed_over=list(dict.fromkeys(header for trace in traces for header in trace.passed_over)),
        hidden=[what for trace in traces for what in trace.hidden],
        notes=list({str(note): note for trace in traces for note in trace.notes}.values()),
    )


def parties_together(parties: Sequence[KnownTable], ids: Sequence[str | None]) -> KnownTable:
    """Lay what several parties see on one sheet below each other: what one of them reads is not passed over."""
    whole = stacked(parties, ids)
    passed = [header for header in whole.trace.passed_over if all(header in one.trace.passed_over for one in parties)]
    return replace(whole, trace=replace(whole.trace, passed_over=passed))


def missing_column(table: str, name: str, columns: Iterable[Column]) -> Problem:
    """Return the problem of a column that a table lacks, with the headers that it has."""
    headers = ", ".join(column.header for column in columns if column.header) or "none"
    return problem(Broken("missing_column", {"column": name, "headers": headers}), table=table, column=name)
