"""Rows of the small tables: held against their schemas and what training relies on; zones with their dated status."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime
from functools import cache
from itertools import pairwise
from typing import Any

from kpfootprint.errors import Problem
from kpfootprint.ingest.problems import Broken, problem
from kpfootprint.ingest.raw.cells import DecimalMarks, read_date, read_number, read_text, read_yes_or_no
from kpfootprint.ingest.totals import is_total
from kpfootprint.ingest.words import country_names, fold, nearest
from kpfootprint.reference import StatusPeriod, Zone, ZoneTable
from kpfootprint.retold import Said
from training.package.descriptor import NEEDED, OPTIONAL, SMALL_TABLES, refuse_if, told

Rows = dict[int, dict[str, str]]
"""Rows of a table by the lines on which they stand, each a cell by the header above it."""
Typed = dict[int, dict[str, Any]]
"""The same, with what the cells mean by the types of their fields; None for a blank one."""
_SCHEMA_MEMBERS = ("fields", "missingValues", "primaryKey", "foreignKeys")
DAYS = ("valid_from", "valid_to", "collected_on")
"""Columns of days, whatever the schemas of their tables say."""
EARLIEST = 1800
"""Year before which no parcel was collected and no zone had a status: what is before it was written wrong."""
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
    refuse_if([*_statuses_of_zones(tables["zones"]), *_ids_of_zones(tables)])
    found = [*_totals(tables)]
    sums = {(item.table, item.row) for item in found}
    tables = {name: {at: row for at, row in rows.items() if (name, at) not in sums} for name, rows in tables.items()}
    found += _against_schemas(document, tables)
    of_schemas = {(item.table, item.row, item.column) for item in found}
    relied: dict[object, Problem] = {}
    periods, wrong = _periods(tables["zone_status"])
    for item in (*_unreliable(tables), *_one_zone_each(tables["zones"]), *wrong):
        if (place := (item.table, item.row, item.column)) not in of_schemas:
            relied.setdefault(place, item)
    found += relied.values()
    of_rows = {(item.table, item.row) for item in found}
    refuse_if([*found, *(item for item in _overlaps(periods) if (item.table, item.row) not in of_rows)])


def _totals(tables: Mapping[str, Rows]) -> Iterator[Problem]:
    """Give the rows that sum up others, as the cell says that has their id, or another one where there is none."""
    for name, rows in tables.items():
        for line, row in rows.items():
            said = row[NEEDED[name][0]] or next(filter(is_total, row.values()), "")
            if is_total(said):
                column = next(column for column, cell in row.items() if cell == said)
                reason = "the row sums up the others; take it out"
                yield told("total_row", reason, table=name, row=line, column=column, value=said)


def _statuses_of_zones(zones: Rows) -> Iterator[Problem]:
    """Give the columns of zones that tell their status, which would be passed over."""
    for column in next(iter(zones.values())).keys() - {*NEEDED["zones"]}:
        said = {fold(row[column]) for row in zones.values() if row[column]}
        if said and (said <= _MEANT.keys() or fold(column) in _MEANT):
            reason = "statuses are read from the table {there}, with their days; write them there, and take this out"
            yield told("status_in_zones", reason, table="zones", column=column, there="zone_status")


def _ids_of_zones(tables: Mapping[str, Rows]) -> Iterator[Problem]:
    """Say where all parcels are called as zones are: their names stand above the wrong columns."""
    zones, parcels = {row["zone_id"] for row in tables["zones"].values()}, tables["parcels"]
    if all(row["parcel_id"] in zones and row["zone_id"] not in zones for row in parcels.values()):
        reason = "its cells are ids of zones; write each name above its own column"
        yield told("other_column", reason, table="parcels", row=min(parcels), column="parcel_id")


def with_days(rows: Rows, item: Mapping[str, Any]) -> Rows:
    """Return rows of a resource with the days that they hold as YYYY-MM-DD; what is none stays as it is written.

    Days are read as those of submissions, and first by the ``format`` of their field where that is one of its own.
    ``03/04/2019`` is as others of its column are that can be one day alone, ``25/04/2019``, where these agree.
    """
    fields = {str(field.get("name")): field for field in item["schema"]["fields"] if isinstance(field, Mapping)}
    days = {name for name, field in fields.items() if field.get("type") == "date"} | {*DAYS}
    orders = {column: _day_first(row.get(column, "") for row in rows.values()) for column in days}

    def written(column: str, cell: str) -> str:
        if column not in days or not cell:
            return cell
        with suppress(ValueError):
            return datetime.strptime(cell, str(fields.get(column, {}).get("format"))).date().isoformat()
        with suppress(ValueError):
            return "" if (day := day_of(cell, day_first=orders[column])) is None else day.isoformat()
        return cell

    return {line: {column: written(column, cell) for column, cell in row.items()} for line, row in rows.items()}


_DAY_AND_MONTH = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-]\d{4}", re.ASCII)


def _day_first(cells: Iterable[str]) -> bool | None:
    """Say whether the day stands before the month in cells of which that can be told; None where not all agree."""
    pairs = [(int(found[1]), int(found[2])) for cell in cells if (found := _DAY_AND_MONTH.fullmatch(cell))]
    orders = {one > other for one, other in pairs if max(one, other) > 12 >= min(one, other)}
    return orders.pop() if len(orders) == 1 else None


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
    """Return a schema without patterns of cells, of which some never come to an end, and without marks in numbers.

    Days are shown as YYYY-MM-DD, whatever they were written as.
    """

    def inside(key: object) -> bool:
        reference = key.get("reference") if isinstance(key, Mapping) else None
        return isinstance(reference, Mapping) and reference.get("resource") in (*SMALL_TABLES, "")

    def without_pattern(field: Mapping[str, Any]) -> dict[str, Any]:
        constraints = {name: value for name, value in (field.get("constraints") or {}).items() if name != "pattern"}
        marks = ("decimalChar", "groupChar", "bareNumber", *(["format"] if field.get("type") == "date" else []))
        kept = {name: value for name, value in field.items() if name not in marks}
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
    if field.name == "status" and field.constraints.get("enum"):
        return _MEANT.get(fold(cell), cell)
    return cell


def _misfit(field: Any, broken: str, **place: Any) -> Problem:
    """Return what is wrong with a cell that breaks a constraint of its field, or is not of its ``type``."""
    if broken == "required":
        return problem(Broken("missing_value"), **place | {"value": None})
    if broken == "type" and field.type == "date" and (wrong := _no_day(str(place["value"]))) is not None:
        return problem(wrong, **place)
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
                    yield told(code, "the same as in the row at position {first}", **place, first=str(at))
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
                values = {"nearest": nearest(row["zone_id"], known)}
                broken = Broken("unknown_zone", values) if row["zone_id"] else Broken("missing_value")
                yield problem(broken, table=name, row=line, column="zone_id", value=row["zone_id"])
            for column in DAYS:
                place: dict[str, Any] = {"table": name, "row": line, "column": column, "value": row.get(column, "")}
                if (wrong := _no_day(place["value"])) is not None:
                    yield problem(wrong, **place)
                elif (day := day_of(place["value"])) is not None and day.year < EARLIEST:
                    yield told(
                        "not_a_date", "the year {year} is too early; write all four digits", year=day.year, **place
                    )


STATUSES = {
    "compliant": ("compliant", "conforme"),
    "suspended": ("suspended", "suspendu", "suspendue", "not compliant", "non conforme"),
}
"""What a zone can be on a day, and how it may be written."""
_MEANT = {fold(word): status for status, words in STATUSES.items() for word in words}


def day_of(text: str, *, day_first: bool | None = None) -> date | None:
    """Return a day as submissions write it, None where the text is blank; ValueError where it is none."""
    day = Broken("not_a_date") if text.isdigit() else read_date(text, day_first=day_first)
    if isinstance(day, Broken):
        raise ValueError(day.reason)
    return day


def _no_day(text: str) -> Broken | None:
    """Return why a text is no day; None where it is one, or blank."""
    with suppress(ValueError):
        day_of(text)
        return None
    wrong = read_date(text)
    return wrong if isinstance(wrong, Broken) else Broken("not_a_date")


def zone_table(zones: Rows, periods: Rows) -> ZoneTable:
    """Return the zones with their periods, of rows that `check_rows` has let pass."""
    return ZoneTable(
        zones=tuple(
            Zone(**{name: row[name] for name in ("zone_id", "name", "country", "region")}) for row in zones.values()
        ),
        periods=tuple(_periods(periods)[0].values()),
    )


_COUNTRY = re.compile("[A-Z]{2}")


@cache
def _country_codes() -> frozenset[str]:
    """Return the codes of two letters that countries and territories have."""
    from babel import Locale

    return frozenset(str(code) for code in Locale("en").territories if _COUNTRY.fullmatch(str(code)))


def _country_meant(country: str) -> str | None:
    """Return the code of a country that is written otherwise: by its name, in small letters, ``UK``."""
    codes, upper = _country_codes(), country.upper()
    return upper if upper in codes else country_names(codes).get(fold(upper))


def _one_zone_each(rows: Rows) -> Iterator[Problem]:
    """Give the rows whose country is none, or whose id or name already stands for a zone: the first would be meant."""
    first: dict[str, int] = {}
    for line, row in rows.items():

        def wrong(
            code: str, reason: str, column: str, at: int = line, of: Mapping[str, str] = row, **said: object
        ) -> Problem:
            return told(code, reason, table="zones", row=at, column=column, value=of[column], **said)

        country, zone = row["country"], row["zone_id"]
        code = _country_meant(country)
        if country and code is not None and code != country:
            yield wrong("bad_country", "write the code of the country, {named}", "country", named=code)
        elif country and code is None and not _COUNTRY.fullmatch(country):  # ``ZX`` may be an invented one
            yield wrong("bad_country", "not a code of ISO 3166-1 in two capitals, as CF", "country")
        if fold(zone) == "unlisted":
            reason = "reports call a source that nobody has sampled so; write the id otherwise"
            yield wrong("bad_zone_id", reason, "zone_id")
        if "=" in zone or zone.casefold().startswith("country:"):
            reason = "a declaration reads 'zone=carats' and 'country:CF': write the id without = and not after country:"
            yield wrong("bad_zone_id", reason, "zone_id")
        for column in ("country", "zone_id", "name"):
            if not row[column]:
                yield problem(Broken("missing_value"), table="zones", row=line, column=column)
        for column in ("zone_id", "name"):
            word = fold(row[column])
            if row[column] and not word:
                yield wrong("bad_zone_id", "a letter or a digit is needed, by which it is told from others", column)
            elif column == "name" and first.get(fold(zone), line) != line:
                continue  # told of its id
            elif word and (at := first.setdefault(word, line)) != line:
                reason = "it already stands for the zone of row {first}; every zone needs an id and a name of its own"
                yield wrong("zone_twice", reason, column, first=str(at))


def _periods(rows: Rows) -> tuple[dict[int, StatusPeriod], list[Problem]]:
    """Return by their rows the periods that are whole, and what is wrong with others beside days that are none."""
    whole: dict[int, StatusPeriod] = {}
    found: list[Problem] = []
    for line, row in rows.items():
        place: dict[str, Any] = {"table": "zone_status", "row": line}
        status = _MEANT.get(fold(row["status"]))
        if status is None:
            reason, names = "not a status; write one of {statuses}", ", ".join(STATUSES)
            found.append(told("unknown_status", reason, **place, column="status", value=row["status"], statuses=names))
        with suppress(ValueError):
            start, end = day_of(row["valid_from"]), day_of(row["valid_to"])
            if start is None:
                found.append(problem(Broken("missing_value"), **place, column="valid_from"))
            elif end is not None and end <= start:
                reason = "the period ends before it begins, on {start}; valid_to is the first day that is not in it"
                found.append(
                    told("empty_period", reason, **place, column="valid_to", value=row["valid_to"], start=start)
                )
            elif status is not None:
                whole[line] = StatusPeriod(
                    zone_id=row["zone_id"], status=status, valid_from=start, valid_to=end, source=row["source"]
                )
    return whole, found


def _overlaps(periods: Mapping[int, StatusPeriod]) -> Iterator[Problem]:
    rows = sorted(periods.items(), key=lambda row: (row[1].zone_id, row[1].valid_from))
    for (first, one), (second, two) in pairwise(rows):
        if one.zone_id == two.zone_id and one.covers(two.valid_from):
            reason = "two periods of {zone_id} overlap, from {first_day} (row {first}) and {second_day}"
            said: dict[str, Any] = {"zone_id": one.zone_id, "first_day": one.valid_from, "second_day": two.valid_from}
            place: dict[str, Any] = {"table": "zone_status", "row": second, "column": "valid_from"}
            yield told("overlapping_periods", reason, **place, **said, first=str(first))
