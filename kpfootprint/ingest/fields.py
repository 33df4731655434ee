"""The small tables of a submission, row by row: parcels, declarations, sieve sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from kpfootprint.errors import SchemeMismatch
from kpfootprint.ingest.cells import (
    Cell,
    DecimalMarks,
    Odd,
    is_blank,
    read_date,
    read_number,
    read_yes_or_no,
    text_of,
)
from kpfootprint.ingest.findings import Findings
from kpfootprint.ingest.rules import Broken
from kpfootprint.ingest.tables import Table
from kpfootprint.ingest.words import Words, condition_values, fold, nearest
from kpfootprint.scheme import SieveSet

MAX_CARATS = 1e9
NUMBER_COLUMNS = ("carats", "n_stones", "value_usd", "bottom_screen_mm", "lower_ct", "upper_ct")


@dataclass(slots=True)
class Draft:
    """What is known of a parcel before its stones: read fields, and the weight declared for each zone."""

    parcel_id: str
    table: Table | None = None
    row: int | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    zones: dict[str, float | None] = field(default_factory=dict)


def _text(cell: Cell) -> str | Broken | None:
    if isinstance(cell, Odd | bool):
        return Broken(cell.code if isinstance(cell, Odd) else "wrong_type", {"expected": "text"})
    return None if is_blank(cell) else text_of(cell)


def _condition(name: str) -> Callable[[Cell], str | Broken | None]:
    def read(cell: Cell) -> str | Broken | None:
        text = _text(cell)
        return condition_values(name).get(fold(text), text) if isinstance(text, str) else text

    return read


def _number(
    marks: DecimalMarks, typed: bool, *, maximum: float, zero: bool = False, whole: bool = False
) -> Callable[[Cell], float | int | Broken | None]:
    def read(cell: Cell) -> float | int | Broken | None:
        if is_blank(cell) and not (typed and isinstance(cell, str)):
            return None
        number = read_number(cell, marks, typed=typed)
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


def marks_of(table: Table) -> DecimalMarks:
    """Return the decimal marks that the number columns of a table show."""
    columns = [table.columns[name] for name in NUMBER_COLUMNS if name in table.columns]
    return DecimalMarks.seen_in(column.cells for column in columns)


def field_readers(marks: DecimalMarks, typed: bool) -> Mapping[str, Callable[[Cell], Any]]:
    """Return how each column of ``parcels`` is read."""
    return {
        "exported_on": read_date,
        "certificate_no": _text,
        "exporter": _text,
        "cleaning_state": _condition("cleaning_state"),
        "selection": _condition("selection"),
        "sorter": _condition("sorter"),
        "bottom_screen_mm": _number(marks, typed, maximum=100.0),
        "specials_removed": read_yes_or_no,
        "sieve_set": _text,
        "n_stones": _number(marks, typed, maximum=1e12, whole=True),
        "carats": _number(marks, typed, maximum=MAX_CARATS),
        "value_usd": _number(marks, typed, maximum=1e12, zero=True),
        "hs_code": _text,
    }


def read_parcels(table: Table, findings: Findings) -> dict[str, Draft]:
    """Read the table of parcels; a parcel given twice keeps its first row and is spoiled."""
    drafts: dict[str, Draft] = {}
    readers = field_readers(marks_of(table), table.typed)
    for row, record in enumerate(table.records()):
        parcel_id = _text(record["parcel_id"])
        if isinstance(parcel_id, Broken) or parcel_id is None:
            findings.add(None, table.problem(parcel_id or Broken("missing_value"), row, "parcel_id"))
            continue
        if parcel_id in drafts:
            first = table.line(drafts[parcel_id].row or 0)
            findings.add(parcel_id, table.problem(Broken("duplicate_parcel", {"first": first}), row, "parcel_id"))
            continue
        draft = drafts[parcel_id] = Draft(parcel_id, table, row)
        _tell_ragged(table, row, parcel_id, findings)
        for name, cell in record.items():
            if name == "parcel_id":
                continue
            value = readers[name](cell)
            if isinstance(value, Broken):
                findings.add(parcel_id, table.problem(value, row, name))
            elif value is not None:
                draft.fields[name] = value
    return drafts


def _tell_ragged(table: Table, row: int, parcel_id: str | None, findings: Findings) -> None:
    if row in table.ragged:
        values = {"found": table.ragged[row], "expected": table.n_columns}
        findings.add(parcel_id, table.problem(Broken("ragged_row", values), row))


def read_declarations(
    table: Table, single: str | None, words: Words, findings: Findings
) -> dict[str, dict[str, float | None]]:
    """Read declarations into carats by parcel and zone; rows of one zone add up.

    With `single`, the table is about that parcel and needs no ``parcel_id``. A single declared zone may come without
    carats in JSON; in a table every row needs them.
    """
    known = words.zones()
    read_carats = _number(marks_of(table), table.typed, maximum=MAX_CARATS)
    declared: dict[str, dict[str, float | None]] = {}
    for row, record in enumerate(table.records()):
        parcel_id = _text(record.get("parcel_id") if "parcel_id" in record else single)
        if isinstance(parcel_id, Broken) or parcel_id is None:
            findings.add(None, table.problem(parcel_id or Broken("missing_value"), row, "parcel_id"))
            continue
        _tell_ragged(table, row, parcel_id, findings)
        zone = _zone(record["zone_id"], known, compare=not findings.full)
        carats = read_carats(record.get("carats"))
        if carats is None and not table.typed:
            carats = Broken("missing_value")
        for name, value in (("zone_id", zone), ("carats", carats)):
            if isinstance(value, Broken):
                findings.add(parcel_id, table.problem(value, row, name))
        if isinstance(zone, Broken) or isinstance(carats, Broken):
            continue
        zones = declared.setdefault(parcel_id, {})
        before = zones.get(zone)
        if zone in zones and (before is None or carats is None):
            findings.add(parcel_id, table.problem(Broken("declared_without_carats"), row, "carats"))
        zones[zone] = carats if before is None or carats is None else before + carats
    for parcel_id, zones in declared.items():
        if len(zones) > 1 and any(carats is None for carats in zones.values()):
            findings.add(parcel_id, table.problem(Broken("declared_without_carats"), None, "carats"))
    return declared


def _zone(cell: Cell, known: Mapping[str, str], *, compare: bool) -> str | Broken:
    text = _text(cell)
    if text is None:
        return Broken("missing_value")
    if isinstance(text, Broken):
        return text
    return known.get(fold(text)) or Broken("unknown_zone", {"nearest": nearest(text if compare else "", known)})


def read_sieve_sets(table: Table | None, words: Words, findings: Findings) -> dict[str, SieveSet | None]:
    """Read ``size_classes`` beside the package's own sets, by folded name; None where the rows make no set."""
    sets: dict[str, SieveSet | None] = {fold(item.name): item for item in words.scheme.sieve_sets}
    if table is None:
        return sets
    marks = marks_of(table)
    lower_of = _number(marks, table.typed, maximum=5000.0, zero=True)
    upper_of = _number(marks, table.typed, maximum=MAX_CARATS)
    gathered: dict[str, list[tuple[float, float, str]]] = {}
    names: dict[str, str] = {}
    for row, record in enumerate(table.records()):
        read = {
            "sieve_set": _text(record["sieve_set"]),
            "size_class": _text(record["size_class"]),
            "lower_ct": lower_of(record["lower_ct"]),
            "upper_ct": upper_of(record.get("upper_ct")),
        }
        broken = {name: value for name, value in read.items() if isinstance(value, Broken)}
        missing = [name for name in ("sieve_set", "size_class", "lower_ct") if read[name] is None]
        for name in missing:
            broken[name] = Broken("missing_value")
        for name, value in broken.items():
            findings.add(None, table.problem(value, row, name))
        _tell_ragged(table, row, None, findings)
        key = fold(str(read["sieve_set"]))
        names.setdefault(key, str(read["sieve_set"]))
        rows = gathered.setdefault(key, [])
        if not broken:
            upper = read["upper_ct"]
            rows.append((read["lower_ct"], float("inf") if upper is None else upper, str(read["size_class"])))  # type: ignore[arg-type]
    for key, rows in gathered.items():
        declared = _sieve_set(names[key], rows, table, findings)
        known = sets.get(key)
        if known is not None and declared is not None:
            if (known.classes, known.lower_ct, known.upper_ct) != (
                declared.classes,
                declared.lower_ct,
                declared.upper_ct,
            ):
                detail = f"{names[key]} is a set of the reference package with other limits; give yours another name"
                findings.add(None, table.problem(Broken("bad_sieve_set", {"detail": detail})))
        else:
            sets[key] = declared
    return sets


def _sieve_set(name: str, rows: list[tuple[float, float, str]], table: Table, findings: Findings) -> SieveSet | None:
    if not rows:
        return None
    lower, upper, classes = zip(*sorted(rows), strict=True)
    try:
        return SieveSet(name=name, classes=classes, lower_ct=lower, upper_ct=upper)
    except SchemeMismatch as error:
        findings.add(None, table.problem(Broken("bad_sieve_set", {"detail": error})))
        return None


def export_day(draft: Draft) -> date | None:
    """Return the day of export of a draft."""
    value = draft.fields.get("exported_on")
    return value if isinstance(value, date) else None
