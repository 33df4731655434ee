"""A table with what its columns mean, as far as their headers say."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kpfootprint.errors import Problem
from kpfootprint.ingest.names.headers import UNKNOWN, Headers, Meaning, undotted
from kpfootprint.ingest.names.inquiry import Choices, Inquiry
from kpfootprint.ingest.names.numbering import numbers_in
from kpfootprint.ingest.problems import Broken
from kpfootprint.ingest.raw.cells import Cell, is_blank, is_number, text_of, texts_in
from kpfootprint.ingest.raw.tables import Column, RawTable, Trace
from kpfootprint.ingest.totals import is_of_which, is_total
from kpfootprint.ingest.words import fold, is_not_recorded, misspelt, says, tokens_of
from kpfootprint.scheme import Attribute, Scheme

MEASURES = ("n_stones", "carats", "stones_or_carats")
"""What the rows of a table of goods give."""

SIZES = ("size_class", "lower_ct", "upper_ct")
"""What says how large the stones of a row are."""

_SAMPLE = 400
NEARLY = 0.05
"""How far two counts of the same stones may lie apart, of the larger one."""

_SHORT = 3
"""Letters of a header, ``min``, of which no other one is taken for a misspelling."""

_FROM_TO = ("de", "a")
"""Headers of limits, which are none of a column each: ``De | À``."""

_CHOOSABLE = ("ignore", "n_stones", "carats", "size_class", "zone_id", "parcel_id", "description", "mean")


@dataclass(frozen=True, slots=True)
class Layout:
    """A raw table with what its columns mean."""

    raw: RawTable
    meanings: list[Meaning]
    inquiry: Inquiry
    trace: Trace

    @classmethod
    def apart(cls, raw: RawTable, inquiry: Inquiry) -> Layout:
        """Return a table whose columns mean nothing yet, with problems of its own."""
        return cls(raw, [], inquiry.apart(), raw.trace())

    @property
    def headers(self) -> Headers:
        """The words of headers."""
        return self.inquiry.headers

    @property
    def choices(self) -> Choices:
        """The answers given."""
        return self.inquiry.choices

    @property
    def problems(self) -> list[Problem]:
        """What was told so far."""
        return self.inquiry.problems

    @property
    def scheme(self) -> Scheme:
        """The scheme whose classes are looked for."""
        return self.inquiry.scheme

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return self.raw.n_rows

    def column(self, at: int) -> Column:
        """Return a column."""
        return self.raw.columns[at]

    def header(self, at: int) -> str:
        """Return the header of a column."""
        return self.raw.columns[at].header

    def values(self, at: int) -> NDArray[np.float64]:
        """Return a column as numbers, NaN where there is none."""
        return self.raw.values(at)

    @property
    def attributes(self) -> list[str]:
        """The columns of the attributes."""
        return [item.column for item in self.scheme.categorical]

    @property
    def taken(self) -> set[str]:
        """What the columns are, and the attributes of which they hold classes."""
        return {item.role for item in self.meanings} | {name for item in self.meanings for name, _ in item.classes}

    def attribute(self, at: int) -> Attribute | None:
        """Return the attribute whose classes a column holds, or None."""
        return next((item for item in self.scheme.categorical if item.column == self.meanings[at].role), None)

    def with_columns(self, columns: list[Column], meanings: list[Meaning] | None = None) -> Layout:
        """Return the sheet with other columns, which mean what they did where nothing else is said."""
        raw = replace(self.raw, columns=columns)
        return replace(self, raw=raw, meanings=self.meanings if meanings is None else meanings)

    def with_column(self, at: int, column: Column) -> Layout:
        """Return the sheet with another column in the place of one."""
        return self.with_columns([*self.raw.columns[:at], column, *self.raw.columns[at + 1 :]])

    def with_more(self, columns: Mapping[str, Column]) -> Layout:
        """Return the sheet with further columns, by what they are."""
        meanings = [*self.meanings, *(Meaning(role=role) for role in columns)]
        return self.with_columns([*self.raw.columns, *columns.values()], meanings)

    def with_meaning(self, places: Collection[int], meaning: Meaning) -> Layout:
        """Return the sheet with some columns that mean something else."""
        return replace(self, meanings=[meaning if at in places else item for at, item in enumerate(self.meanings)])

    def tell(self, code: str, at: int | str | None = None, row: int | None = None, /, **values: object) -> None:
        """Note a problem of this table, at a column (by position, or by a name that stands nowhere) and a row."""
        self.problems.append(self.raw.problem(Broken(code, values), row, at))

    def tell_rows(self, code: str, at: int, rows: NDArray[np.bool_] | NDArray[np.intp], /, **values: object) -> None:
        """Note a problem of some rows of a column, of the first twenty; they are given as a mask or by position."""
        for row in (np.flatnonzero(rows) if rows.dtype == bool else rows)[:20].tolist():
            self.tell(code, at, row, **values)

    def without(self, left: Mapping[int, tuple[str, Mapping[str, object]]]) -> Layout:
        """Return the sheet without some rows; that they are left out is told, by a code and values for each."""
        if not left:
            return self
        raw = self.raw
        for row, (code, values) in sorted(left.items()):
            self.trace.leave_out(code, raw.name, raw.line(row), **values)
        return replace(self, raw=raw.keep(np.setdiff1d(np.arange(raw.n_rows), [*left])))

    def leave(self, rows: Iterable[int], code: str) -> Layout:
        """Return the sheet without some rows, each told with its label."""
        return self.without({row: (code, {"label": self.raw.label(row)}) for row in rows})

    def state(self, row: int) -> None:
        """Take the cells of a row that is none of the table for what is stated of the parcel, as titles do."""
        self.trace.stated.append(self.raw.said(row))

    def ask(self, code: str, at: int, *answers: str, **values: object) -> None:
        """Ask what a column is: one of the `answers`."""
        header = self.raw.columns[at].header
        choices = [(f"column:{header}", answer) for answer in answers]
        self.tell(code, at, header=header, choices=choices, **values)

    def cells(self, at: int) -> list[Cell]:
        """Return distinct cells of a column that hold something; labels of totals and *unknown* are left aside.

        So are those that stand alone in their rows: headings, notes, signatures.
        """
        column = self.raw.columns[at]
        alone = self.raw.alone
        beside = {*column.codes[~alone].tolist()} if alone.any() else None

        def holds(cell: Cell) -> bool:
            if not isinstance(cell, str) or cell[:1].isdigit():
                return cell is not None
            return not (is_blank(cell) or is_total(text_of(cell)) or is_of_which(cell) or is_not_recorded(cell))

        sample = enumerate(column.cells[:_SAMPLE])
        return [cell for code, cell in sample if holds(cell) and (beside is None or code in beside)]

    def lines_around(self) -> list[tuple[int, str]]:
        """Return the lines above and below the table that hold words alone; of a label and what it says, the label."""
        found = []
        for line, cells in (*self.raw.titles, *self.trace.stated):
            texts = texts_in(cells)
            if texts and not any(map(is_number, texts)):
                labelled = len(texts) == 2 and not says("other", *tokens_of(texts[0]))  # none but ``Note: | …``
                found.append((line, texts[0] if labelled else ", ".join(texts)))
        return found

    def numbers(self, at: int) -> NDArray[np.float64] | None:
        """Return the cells of a column as numbers where all of them are, or None."""
        return numbers_in(self.cells(at))

    def all_percent(self, at: int) -> bool:
        """Say whether all cells of a column bear a percent sign."""
        cells = self.cells(at)
        return bool(cells) and all(isinstance(cell, str) and cell.strip().endswith(("%", "‰")) for cell in cells)

    def places(self, *roles: str, wide: bool | None = False) -> list[int]:
        """Return the positions of columns with one of some roles, that hold classes, or do not, or either (None)."""
        return [at for at, item in enumerate(self.meanings) if item.role in roles and wide in (item.wide, None)]

    def groups(self) -> list[int]:
        """Return the positions of columns of which each value may hold for several rows: parcels, zones, classes."""
        return self.places("parcel_id", "zone_id", "lot", *self.attributes)

    def one(self, role: str, part: str | None = None) -> int | None:
        """Return the only column of a role; the first where several stand, which was told before."""
        found = [at for at in self.places(role) if part is None or self.meanings[at].part == part]
        return found[0] if found else None


def meanings_of(raw: RawTable, inquiry: Inquiry) -> list[Meaning]:
    """Return what each header means by its words; prefixes that several headers share are left aside."""
    headers, choices = inquiry.headers, inquiry.choices
    texts = undotted([column.header for column in raw.columns])
    prefixes = [text.rpartition("/")[0] for text in texts if "/" in text]
    grouped = {prefix for prefix in prefixes if prefixes.count(prefix) >= 2 and len(prefix) > 1}
    chosen_words = {fold(key.partition(":")[2]): answer for key, answer in choices.items() if ":" in key}
    meanings = []
    for column, text in zip(raw.columns, texts, strict=True):
        group, _, own = text.rpartition("/")
        own = own if group in grouped or (group and headers.of(text) == UNKNOWN and headers.of(own).sure) else text
        if chosen_words and not headers.of(own).wide:
            own = " ".join(chosen_words.get(fold(word), word) for word in own.split())
        meaning = headers.of(own)
        chosen = choices.get(f"column:{column.header}")
        if chosen is not None:
            known = {item.column for item in headers.words.scheme.categorical} | set(_CHOOSABLE)
            meaning = Meaning(role={"ignore": "other"}.get(chosen, chosen)) if chosen in known else meaning
        meanings.append(meaning)
    for at, pair in enumerate(pairwise(map(fold, texts))):
        if pair == _FROM_TO:
            meanings[at : at + 2] = [Meaning(role="lower_ct"), Meaning(role="upper_ct")]
    wide = {name for item in meanings for name, _ in item.classes} or headers.graded(texts)
    said = zip(texts, meanings, strict=True)
    return [item if item.wide else headers.among_classes(text, item, wide) for text, item in said]


def pass_over(sheet: Layout, used: set[int]) -> None:
    """Note the columns that are not read; one that looks like a known one is a problem."""
    known: dict[str, str] = {}
    for table in ("stones", "counts"):
        known |= {word: name for word, name in sheet.headers.words.columns(table).items() if len(word) > _SHORT}
    for at, column in enumerate(sheet.raw.columns):
        if at in used or not column.header.strip():
            continue
        meaning = sheet.meanings[at]
        asked = meaning.role != "unknown" or any(item.column == column.header for item in sheet.problems)
        if not asked and (close := misspelt(column.header, known)) is not None:
            sheet.tell("unknown_column", at, nearest=close)
        if meaning.role != "described":
            sheet.trace.passed_over.append(column.header)
