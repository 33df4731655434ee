"""The table of parcels, row by row, and how a field of a small table is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from kpfootprint.ingest.cells import Cell, is_blank, read_date, read_text, read_yes_or_no
from kpfootprint.ingest.findings import Findings
from kpfootprint.ingest.numbers import DecimalMarks, read_number
from kpfootprint.ingest.rules import Broken
from kpfootprint.ingest.tables import Table
from kpfootprint.ingest.words import condition_values, fold

MAX_CARATS = 1e9
NUMBER_COLUMNS = ("carats", "percent", "n_stones", "value_usd", "bottom_screen_mm", "lower_ct", "upper_ct")


@dataclass(frozen=True, slots=True)
class Declared:
    """What is declared of one zone or country: carats, or percent of the carats, or neither."""

    carats: float | None = None
    percent: float | None = None

    def amounts(self) -> dict[str, float | None]:
        """Return both, rounded beyond what anyone weighs."""
        parts = {"carats": self.carats, "percent": self.percent}
        return {name: None if value is None else round(value, 6) for name, value in parts.items()}


@dataclass(slots=True)
class Draft:
    """What is known of a parcel before its stones: read fields, and what is declared of zones and of countries."""

    parcel_id: str
    table: Table | None = None
    row: int | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    zones: dict[str, Declared] = field(default_factory=dict)
    countries: dict[str, Declared] = field(default_factory=dict)


def _condition(name: str) -> Callable[[Cell], str | Broken | None]:
    def read(cell: Cell) -> str | Broken | None:
        text = read_text(cell)
        if not isinstance(text, str):
            return text
        if name == "sorter" and re.fullmatch(r"[a-z]\d+", text):
            return text.upper()
        return condition_values(name).get(fold(text), text)

    return read


def number_reader(
    marks: DecimalMarks, typed: bool, *, maximum: float, zero: bool = False, whole: bool = False
) -> Callable[[Cell], float | int | Broken | None]:
    """Return a reader of numbers above zero (or from zero) up to `maximum`; blank gives None."""

    def read(cell: Cell) -> float | int | Broken | None:
        if is_blank(cell) and not (typed and isinstance(cell, str)):
            return None
        number = Broken("not_a_number") if is_blank(cell) else read_number(cell, marks, typed=typed)
        if isinstance(number, Broken):
            return number
        if number < 0:
            return Broken("negative")
        if number == 0 and not zero:
            return Broken("zero")
        if number > maximum:
            return Broken("too_large", {"limit": f"{maximum:,.0f}"})
        if whole and number != int(number):
            return Broken("not_whole")
        return int(number) if whole else number

    return read


def _read_hs_code(cell: Cell) -> str | Broken | None:
    """Read a customs code; a spreadsheet makes ``7102.10`` the number 7102.1."""
    return read_text(f"{cell:.2f}" if isinstance(cell, float) and not cell.is_integer() else cell)


def marks_of(table: Table) -> DecimalMarks:
    """Return the decimal marks that the number columns of a table show."""
    columns = [table.columns[name] for name in NUMBER_COLUMNS if name in table.columns]
    return DecimalMarks.seen_in(column.cells for column in columns)


def field_readers(marks: DecimalMarks, typed: bool) -> Mapping[str, Callable[[Cell], Any]]:
    """Return how each column of ``parcels`` is read."""
    return {
        "exported_on": read_date,
        "certificate_no": read_text,
        "exporter": read_text,
        "cleaning_state": _condition("cleaning_state"),
        "selection": _condition("selection"),
        "sorter": _condition("sorter"),
        "bottom_screen_mm": number_reader(marks, typed, maximum=100.0),
        "specials_removed": read_yes_or_no,
        "sieve_set": read_text,
        "n_stones": number_reader(marks, typed, maximum=1e12, whole=True),
        "carats": number_reader(marks, typed, maximum=MAX_CARATS),
        "value_usd": number_reader(marks, typed, maximum=1e12, zero=True),
        "hs_code": _read_hs_code,
    }


def read_parcels(table: Table, findings: Findings) -> dict[str, Draft]:
    """Read the table of parcels; a parcel given twice keeps its first row and is spoiled."""
    drafts: dict[str, Draft] = {}
    readers = field_readers(marks_of(table), table.typed)
    for row, record in enumerate(table.records()):
        parcel_id = read_text(record["parcel_id"])
        if isinstance(parcel_id, Broken) or parcel_id is None:
            findings.add(None, table.problem(parcel_id or Broken("missing_value"), row, "parcel_id"))
            continue
        if parcel_id in drafts:
            first = table.line(drafts[parcel_id].row or 0)
            findings.add(parcel_id, table.problem(Broken("duplicate_parcel", {"first": first}), row, "parcel_id"))
            continue
        draft = drafts[parcel_id] = Draft(parcel_id, table, row)
        tell_ragged(table, row, parcel_id, findings)
        for name, cell in record.items():
            if name == "parcel_id":
                continue
            value = readers[name](cell)
            if isinstance(value, Broken):
                findings.add(parcel_id, table.problem(value, row, name))
            elif value is not None:
                draft.fields[name] = value
    return drafts


def tell_ragged(table: Table, row: int, parcel_id: str | None, findings: Findings) -> None:
    """Note a row with too few or too many cells."""
    if row in table.ragged:
        values = {"found": table.ragged[row], "expected": table.n_columns}
        findings.add(parcel_id, table.problem(Broken("ragged_row", values), row))


def export_day(draft: Draft) -> date | None:
    """Return the day of export of a draft."""
    value = draft.fields.get("exported_on")
    return value if isinstance(value, date) else None
