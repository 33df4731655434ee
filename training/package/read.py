"""Reference packages read and checked whole."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any

from kpfootprint.errors import IngestError, Problem, ReferenceDataError
from kpfootprint.ingest.archive import Budget, gunzip, read_file
from kpfootprint.ingest.assemble import Submission, assemble
from kpfootprint.ingest.csvfile import read_csv
from kpfootprint.ingest.limits import Limits
from kpfootprint.ingest.recognise import recognise
from kpfootprint.ingest.rules import Broken, problem
from kpfootprint.ingest.tables import RawTable
from kpfootprint.ingest.words import Words, fold, nearest
from kpfootprint.reference import ReferencePackage, ZoneTable
from training.package.descriptor import (
    DESCRIPTOR,
    SMALL_TABLES,
    check_small_tables,
    fault,
    read_descriptor,
    resource,
    scheme_of,
)

_NEEDED: Mapping[str, tuple[str, ...]] = {
    "zones": ("zone_id", "name", "country", "region"),
    "zone_status": ("zone_id", "status", "valid_from", "valid_to", "source"),
    "parcels": ("parcel_id", "zone_id"),
}
_LIMITS = Limits(max_rows=20_000_000, max_unpacked_bytes=4_000_000_000)


def load_package(folder: Path) -> ReferencePackage:
    """Read a reference package and check it whole.

    The descriptor and the small tables are checked by frictionless (schemas, keys, hashes), the stones by the
    vectorised checks of ingestion: known classes, weights, parcels, totals.

    Raises
    ------
    ReferenceDataError
        With every problem: table, row, column, value.
    """
    folder = Path(folder)
    document = read_descriptor(folder)
    problems = check_small_tables(folder, document)
    if problems:
        raise ReferenceDataError(problems)
    words = Words(scheme_of(document), ZoneTable(zones=(), periods=()))
    rows = {name: table_rows(folder, document, name) for name in SMALL_TABLES}
    _check_rows(rows)
    zone_table = _zone_table(rows["zones"], rows["zone_status"])
    batch = _parcels(folder, document, words).batch
    by_id = {row["parcel_id"].strip(): row for row in rows["parcels"]}
    parcels = [by_id[parcel.parcel_id] for parcel in batch]
    return ReferencePackage(
        name=document["name"],
        version=document["version"],
        sha256=hashlib.sha256((folder / DESCRIPTOR).read_bytes()).hexdigest(),
        synthetic=document["synthetic"],
        scheme=words.scheme,
        zone_table=zone_table,
        batch=batch,
        zone_of=tuple(row["zone_id"] for row in parcels),
        collected_on=tuple(_day(row.get("collected_on", "")) for row in parcels),
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _check_rows(rows: Mapping[str, list[dict[str, str]]]) -> None:
    """Look for what training relies on, whatever the package's own schemas ask for."""
    problems: list[Problem] = []
    for name, columns in _NEEDED.items():
        if not rows[name] and name != "zone_status":
            problems.append(Problem(table=name, code="empty_table", reason="the table has no rows"))
        lacking = [column for column in columns if rows[name] and column not in rows[name][0]]
        problems += [
            Problem(table=name, column=column, code="missing_column", reason=f"the column {column} is missing")
            for column in lacking
        ]
    if problems:
        raise ReferenceDataError(problems)
    zones = {row["zone_id"] for row in rows["zones"]}
    for name in ("zone_status", "parcels"):
        for line, row in enumerate(rows[name], start=2):
            if row["zone_id"] not in zones:
                broken = Broken("unknown_zone", {"nearest": nearest(row["zone_id"], {fold(z): z for z in zones})})
                problems.append(problem(broken, table=name, row=line, column="zone_id", value=row["zone_id"]))
            for column in ("valid_from", "valid_to", "collected_on"):
                try:
                    _day(row.get(column, ""))
                except ValueError:
                    broken = Broken("not_a_date")
                    problems.append(problem(broken, table=name, row=line, column=column, value=row[column]))
    if problems:
        raise ReferenceDataError(problems)


def validate_package(folder: Path) -> tuple[Problem, ...]:
    """Return every problem of a reference package; none means that it can be trained on."""
    try:
        load_package(folder)
    except ReferenceDataError as error:
        return error.problems
    return ()


def _table(folder: Path, document: Mapping[str, Any], name: str, words: Words) -> RawTable:
    """Read one table of the package with the reader of ingestion."""
    path = folder / resource(document, name)["path"]
    budget = Budget(_LIMITS)
    data = read_file(path, budget)
    if path.suffix == ".gz":
        data = gunzip(data, path.name, budget)
    return read_csv(data, name, path.name, words, _LIMITS)


def table_rows(folder: Path, document: Mapping[str, Any], name: str) -> list[dict[str, str]]:
    """Return the rows of a table of a package, as they are written."""
    table = _table(folder, document, name, Words(scheme_of(document), ZoneTable(zones=(), periods=())))
    columns = {column.header: [str(column.cells[code]) for code in column.codes.tolist()] for column in table.columns}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _zone_table(zones: list[dict[str, str]], periods: list[dict[str, str]]) -> ZoneTable:
    table = ZoneTable.from_json(
        {"zones": zones, "zone_status": [{**row, "valid_to": row["valid_to"] or None} for row in periods]}
    )
    problems = []
    for one, two in combinations(table.periods, 2):
        if one.zone_id == two.zone_id and (one.covers(two.valid_from) or two.covers(one.valid_from)):
            reason = f"two periods of {one.zone_id} overlap, from {one.valid_from} and from {two.valid_from}"
            problems.append(
                Problem(table="zone_status", column="valid_from", code="overlapping_periods", reason=reason)
            )
    if problems:
        raise ReferenceDataError(problems)
    return table


def _parcels(folder: Path, document: Mapping[str, Any], words: Words) -> Submission:
    """Read parcels and stones; raise `ReferenceDataError` with every problem."""
    stones = resource(document, "stones")
    problems: list[Problem] = []
    path = folder / stones["path"]
    if not path.is_file():
        raise fault("file_missing", f"there is no {stones['path']}", table="stones")
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if str(stones.get("hash", "")).removeprefix("sha256:") not in ("", digest):
        problems.append(Problem(table="stones", value=digest, code="hash_count", reason="the file has another SHA-256"))
    try:
        raws = {name: _table(folder, document, name, words) for name in ("parcels", "stones")}
        tables = {name: recognise(raw, name, words, problems) for name, raw in raws.items()}
        problems += [
            Problem(table="stones", column=item.column, code="missing_column", reason=f"{item.name} has no column")
            for item in words.scheme.categorical
            if item.column not in tables["stones"].columns
        ]
        submission = assemble(tables, words, _LIMITS, problems=problems)
    except IngestError as error:
        raise ReferenceDataError(error.problems) from None
    problems += submission.problems()
    if problems:
        raise ReferenceDataError(problems)
    return submission
