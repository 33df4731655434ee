"""Rows of the small tables: held against their schemas and what training relies on; zones with their dated status."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise
from typing import Any

from kpfootprint.errors import Problem
from kpfootprint.ingest.problems import Broken, problem
from kpfootprint.ingest.raw.cells import DecimalMarks, read_number, read_text, read_yes_or_no
from kpfootprint.ingest.words import fold, nearest
from kpfootprint.plain import day_in
from kpfootprint.reference import StatusPeriod, Zone, ZoneTable
from kpfootprint.retold import Said
from training.package.descriptor import NEEDED, OPTIONAL, SMALL_TABLES, refuse_if, told

Rows = dict[int, dict[str, str]]
"""Rows of a table by the lines on which they stand, each a cell by the header above it."""
Typed = dict[int, dict[str, Any]]
"""The same, with what the cells mean by the types of their fields; None for a blank one."""
_SCHEMA_MEMBERS = ("fields", "missingValues", "primaryKey", "foreignKeys")
_RULES = {"boolean": "not_yes_or_no", "date": "not_a_date", "integer": "not_whole", "number": "not_a_number"}
"""Rules of ingestion that a cell breaks which is not of the type of its field."""


def check_rows(document: Mapping[str, Any], tables: Mapping[str, Rows]) -> None:
    """Raise `ReferenceDataError` with every row that its own schema forbids, or else that training cannot rely on."""
    refuse_if(
        [
            told("empty_table", "the table has no rows", table=name)
            for name, rows in tables.items()
            if not rows and name not in OPTIONAL
        ]
    )
    refuse_if(_against_schemas(document, tables))
    refuse_if([*_unreliable(tables)])


def _against_schemas(document: Mapping[str, Any], tables: Mapping[str, Rows]) -> list[Problem]:
    """Hold rows against the schemas of their tables, of which frictionless is shown nothing that names a file."""
    import frictionless

    try:
        schemas = {
            item["name"]: frictionless.Schema.from_descriptor(_shown(item["schema"]))
            for item in document["resources"]
            if item["name"] in tables
        }
        typed: dict[str, Typed] = {name: {} for name in schemas}
        found = [item for name in schemas for item in _misfits(name, schemas[name], tables[name], typed[name])]
        of_cells = {(item.table, item.row) for item in found}
        keys = [item for name in schemas for item in _wrong_keys(name, schemas[name], tables[name], typed)]
        return found + [item for item in keys if item.code != "missing_value" or (item.table, item.row) not in of_cells]
    except frictionless.FrictionlessException as error:
        return [told(item.type.replace("-", "_"), item.note) for item in error.reasons or [error.error]]
    except Exception as error:  # a schema that is fed with anything may raise anything
        reason = Said("a schema of {tables} is none of a table: {error}", tables=", ".join(SMALL_TABLES), error=error)
        return [told("bad_resource", reason, column="resources")]


def _shown(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema without patterns of cells, of which some never come to an end, and without marks in numbers."""

    def inside(key: object) -> bool:
        reference = key.get("reference") if isinstance(key, Mapping) else None
        return isinstance(reference, Mapping) and reference.get("resource") in (*SMALL_TABLES, "")

    def without_pattern(field: Mapping[str, Any]) -> dict[str, Any]:
        constraints = {name: value for name, value in (field.get("constraints") or {}).items() if name != "pattern"}
        kept = {name: value for name, value in field.items() if name not in ("decimalChar", "groupChar", "bareNumber")}
        return kept | {"constraints": constraints}

    return {name: schema[name] for name in _SCHEMA_MEMBERS if name in schema} | {
        "fields": [without_pattern(field) for field in schema["fields"]],
        "foreignKeys": [key for key in schema.get("foreignKeys", ()) if inside(key)],
    }


def _misfits(table: str, schema: Any, rows: Rows, typed: Typed) -> Iterator[Problem]:
    """Give the cells that do not fit their fields, and note in `typed` what the others mean."""
    fields = {field.name: (field, field.create_cell_reader()) for field in schema.fields}
    numbers = [
        [row[column] for row in rows.values()] for column, (field, _) in fields.items() if field.type == "number"
    ]
    marks = DecimalMarks.seen_in(numbers)
    for line, row in rows.items():
        typed[line] = {}
        for column, (field, read) in fields.items():
            typed[line][column], notes = read(_as_meant(row[column], field, marks))
            for broken in notes or ():
                yield _misfit(field, broken, table=table, row=line, column=column, value=row[column])


def _as_meant(cell: str, field: Any, marks: DecimalMarks) -> str:
    """Return a cell as its field has it: a number with a decimal point, yes and no in the words of the field."""
    if field.type == "number" and cell and not isinstance(number := read_number(cell, marks), Broken):
        return repr(number)
    if field.type == "boolean" and isinstance(answer := read_yes_or_no(cell), bool):
        return str((field.true_values if answer else field.false_values)[0])
    return cell


def _misfit(field: Any, broken: str, **place: Any) -> Problem:
    """Return what is wrong with a cell that breaks a constraint of its field, or is not of its ``type``."""
    if broken == "required":
        return problem(Broken("missing_value"), **place | {"value": None})
    if broken == "type" and field.type in _RULES:
        return problem(Broken(_RULES[field.type]), **place)
    if broken == "type":
        return told("type_error", "type is {kind}", kind=f'"{field.type}/{field.format}"', **place)
    limit = field.constraints[broken]
    if broken == "enum":
        return told("constraint_error", "not one of {names}", names=str(limit)[1:-1], **place)
    return told("constraint_error", "constraint {name} is {limit}", name=f'"{broken}"', limit=f'"{limit}"', **place)


def _wrong_keys(table: str, schema: Any, rows: Rows, typed: Mapping[str, Typed]) -> Iterator[Problem]:
    """Give the rows whose key is blank, stands in an earlier row, or is not in the table where it should be."""

    def keys(columns: tuple[str, ...]) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
        for line, row in rows.items():
            place = {"row": line, "column": ", ".join(columns), "value": ", ".join(row[column] for column in columns)}
            yield tuple(typed[table][line][column] for column in columns), {"table": table, **place}

    unique = {(field.name,): "unique_error" for field in schema.fields if field.constraints.get("unique")}
    for columns, code in ({tuple(schema.primary_key): "primary_key"} | unique).items():
        first: dict[tuple[Any, ...], int] = {}
        for key, place in keys(columns):
            if any(value is not None for value in key):
                at = first.setdefault(key, place["row"])
                if at != place["row"]:
                    yield told(code, Said("the same as in the row at position {row}", row=str(at)), **place)
            elif columns and code == "primary_key":
                yield problem(Broken("missing_value"), **place | {"value": None})
    for foreign in schema.foreign_keys:
        there, named = foreign["reference"]["resource"] or table, foreign["reference"]["fields"]
        known = {tuple(map(row.get, named)) for row in typed.get(there, {}).values()}
        for key, place in keys(tuple(foreign["fields"])):
            if any(value is not None for value in key) and key not in known:
                yield told("foreign_key", "it is not in the table {there}", there=there, **place)


def _unreliable(tables: Mapping[str, Rows]) -> Iterator[Problem]:
    """Look for what training relies on, whatever the package's own schemas ask for."""
    zones = dict.fromkeys(row["zone_id"] for row in tables["zones"].values())
    known = {fold(zone): zone for zone in zones}
    for name, rows in tables.items():
        for line, row in rows.items():
            for column in NEEDED[name]:
                if isinstance(broken := read_text(row[column]), Broken):
                    yield problem(broken, table=name, row=line, column=column, value=row[column])
            if row["zone_id"] not in zones:
                broken = Broken("unknown_zone", {"nearest": nearest(row["zone_id"], known)})
                yield problem(broken, table=name, row=line, column="zone_id", value=row["zone_id"])
            for column in ("valid_from", "valid_to", "collected_on"):
                try:
                    day_of(row.get(column, ""))
                except ValueError:
                    yield problem(Broken("not_a_date"), table=name, row=line, column=column, value=row[column])


STATUSES = {
    "compliant": ("compliant", "conforme"),
    "suspended": ("suspended", "suspendu", "suspendue", "not compliant", "non conforme"),
}
"""What a zone can be on a day, and how it may be written."""
_COUNTRY = re.compile("[A-Z]{2}")


def day_of(text: str) -> date | None:
    """Return a day written as YYYY-MM-DD, None where the text is empty; ValueError where it is neither."""
    return day_in(text) if text else None


def zone_table(zones: Rows, periods: Rows) -> ZoneTable:
    """Return the zones with their periods.

    Raises
    ------
    ReferenceDataError
        With every row of which nobody could say which zone, which status or which days it means.
    """
    refuse_if([*_one_zone_each(zones), *_periods(periods)])
    meant = {fold(word): status for status, words in STATUSES.items() for word in words}
    table = ZoneTable(
        zones=tuple(
            Zone(**{name: row[name] for name in ("zone_id", "name", "country", "region")}) for row in zones.values()
        ),
        periods=tuple(
            StatusPeriod(
                zone_id=row["zone_id"],
                status=meant[fold(row["status"])],
                valid_from=day_in(row["valid_from"]),
                valid_to=day_of(row["valid_to"]),
                source=row["source"],
            )
            for row in periods.values()
        ),
    )
    refuse_if(list(_overlaps(dict(zip(periods, table.periods, strict=True)))))
    return table


def _one_zone_each(rows: Rows) -> Iterator[Problem]:
    """Give the rows whose country is none, or whose id or name already stands for a zone: the first would be meant."""
    first: dict[str, int] = {}
    for line, row in rows.items():
        if not _COUNTRY.fullmatch(row["country"]):
            reason = "not a code of ISO 3166-1 in two capitals, as CF"
            yield told("bad_country", reason, table="zones", row=line, column="country", value=row["country"])
        if "=" in row["zone_id"] or row["zone_id"].casefold().startswith("country:"):
            reason = "a declaration reads 'zone=carats' and 'country:CF': write the id without = and not after country:"
            yield told("bad_zone_id", reason, table="zones", row=line, column="zone_id", value=row["zone_id"])
        for column in ("zone_id", "name"):
            word = fold(row[column])
            if not word and row[column]:
                reason = "a letter or a digit is needed, by which it is told from others"
                yield told("bad_zone_id", reason, table="zones", row=line, column=column, value=row[column])
                continue
            if not word:
                yield problem(Broken("missing_value"), table="zones", row=line, column=column)
                continue
            if column == "name" and first.get(fold(row["zone_id"]), line) != line:
                continue  # told of its id
            at = first.setdefault(word, line)
            if at != line:
                reason = Said(
                    "it already stands for the zone of row {row}; every zone needs an id and a name of its own",
                    row=str(at),
                )
                yield told("zone_twice", reason, table="zones", row=line, column=column, value=row[column])


def _periods(rows: Rows) -> Iterator[Problem]:
    known = {fold(word) for words in STATUSES.values() for word in words}
    for line, row in rows.items():
        if fold(row["status"]) not in known:
            reason = Said("not a status; write one of {statuses}", statuses=", ".join(STATUSES))
            yield told("unknown_status", reason, table="zone_status", row=line, column="status", value=row["status"])
        start, end = day_of(row["valid_from"]), day_of(row["valid_to"])
        if start is None:
            yield problem(Broken("missing_value"), table="zone_status", row=line, column="valid_from")
        elif end is not None and end <= start:
            reason = Said(
                "the period ends before it begins, on {start}; valid_to is the first day that is not in it", start=start
            )
            yield told("empty_period", reason, table="zone_status", row=line, column="valid_to", value=row["valid_to"])


def _overlaps(periods: Mapping[int, StatusPeriod]) -> Iterator[Problem]:
    rows = sorted(periods.items(), key=lambda row: (row[1].zone_id, row[1].valid_from))
    for (first, one), (second, two) in pairwise(rows):
        if one.zone_id == two.zone_id and one.covers(two.valid_from):
            reason = Said(
                "two periods of {zone_id} overlap, from {first_day} (row {row}) and {second_day}",
                zone_id=one.zone_id,
                first_day=one.valid_from,
                row=str(first),
                second_day=two.valid_from,
            )
            yield told("overlapping_periods", reason, table="zone_status", row=second, column="valid_from")
