"""Reference packages read and checked whole, zones and their dated status row by row."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from kpfootprint.errors import IngestError, Problem, ReferenceDataError
from kpfootprint.ingest.files.archive import Budget, gunzip, read_file
from kpfootprint.ingest.files.csvfile import read_csv
from kpfootprint.ingest.names.headers import Headers
from kpfootprint.ingest.parcels.assemble import Reading, assemble
from kpfootprint.ingest.problems import Broken, problem
from kpfootprint.ingest.raw.cells import read_text
from kpfootprint.ingest.raw.tables import RawTable, recognise
from kpfootprint.ingest.words import Vocabulary, fold, nearest
from kpfootprint.plain import day_in
from kpfootprint.reference import ReferencePackage, StatusPeriod, Zone, ZoneTable
from kpfootprint.retold import Said
from training.package.attributes import scheme_of, words_of
from training.package.descriptor import (
    DESCRIPTOR,
    NEEDED,
    SMALL_TABLES,
    check_headers,
    check_small_tables,
    fault,
    first_row,
    read_descriptor,
    refuse_if,
    resource,
    told,
    unread,
)
from training.package.learnable import copies, known_by_sets, never_recorded, once, undivided
from training.package.source import LIMITS, unpacked

Rows = list[dict[str, str]]


def load_package(path: Path) -> ReferencePackage:
    """Read a reference package, a folder, a .zip or an .xlsx workbook, and check it whole.

    What is wrong with the package as such (its descriptor, attributes, hashes, columns) is told first and alone; then
    the small tables, checked by frictionless (schemas, keys); then the stones, checked as those of submissions are.
    What is wrong in many rows alike is told once, with their number.

    Raises
    ------
    ReferenceDataError
        With every problem: table, row, column, value.
    """
    try:
        with unpacked(path) as folder:
            return _load(folder)
    except ReferenceDataError as error:
        raise ReferenceDataError(once(error.problems)) from None


def _load(folder: Path) -> ReferencePackage:
    document = read_descriptor(folder)
    scheme, problems = scheme_of(document)
    words = words_of(scheme)
    digests, altered = _digests(folder, document)
    problems += [*altered, *check_headers(folder, document, words)]
    refuse_if(problems)
    rows = {name: table_rows(folder, document, name) for name in SMALL_TABLES}  # within limits, and so before the rest
    headers = {item["name"]: first_row(folder / item["path"]) for item in document["resources"] if item["name"] in rows}
    refuse_if(check_small_tables(folder, document, headers))
    _check_rows(rows)
    zones = zone_table(rows["zones"], rows["zone_status"])
    batch = _parcels(folder, document, words).batch
    by_id = {row["parcel_id"]: row for row in rows["parcels"]}
    parcels = [by_id[parcel.parcel_id] for parcel in batch]
    zone_of = tuple(row["zone_id"] for row in parcels)
    line_of = {row["parcel_id"]: line for line, row in enumerate(rows["parcels"], start=2)}
    lines = [line_of[parcel.parcel_id] for parcel in batch]
    refuse_if([*undivided(batch, scheme), *never_recorded(batch, scheme), *copies(batch, zone_of, lines)])
    return ReferencePackage(
        name=document["name"],
        version=document["version"],
        sha256=_identity(folder, document, digests),
        synthetic=document["synthetic"],
        scheme=scheme,
        zone_table=zones,
        batch=batch,
        zone_of=zone_of,
        collected_on=tuple(day_of(row.get("collected_on", "")) for row in parcels),
        unread=unread(folder, document, words),
    )


def _digests(folder: Path, document: Mapping[str, Any]) -> tuple[dict[str, str], list[Problem]]:
    """Return the SHA-256 of every table, and the tables that are not the ones that the descriptor was sealed with."""
    digests: dict[str, str] = {}
    problems = []
    for item in document["resources"]:
        path = folder / item["path"]
        if not path.is_file():
            if item["name"] in (*SMALL_TABLES, "stones"):
                problems.append(told("file_missing", "there is no file {path}", table=item["name"], path=item["path"]))
            continue
        with path.open("rb") as stream:
            digests[item["name"]] = hashlib.file_digest(stream, "sha256").hexdigest()
        sealed = str(item.get("hash", "")).removeprefix("sha256:").lower()
        size = item.get("bytes")
        if sealed not in ("", digests[item["name"]]) or (isinstance(size, int) and size != path.stat().st_size):
            reason = Said(
                "{path} was changed since the descriptor was written; if that was meant, run init again: "
                "python -m training init FOLDER",
                path=item["path"],
            )
            problems.append(told("hash_count", reason, table=item["name"]))
    return digests, problems


def _identity(folder: Path, document: Mapping[str, Any], digests: Mapping[str, str]) -> str:
    """Return a hash that names the data exactly: of the descriptor, and of every table that it holds no hash of."""
    named = hashlib.sha256((folder / DESCRIPTOR).read_bytes())
    for item in document["resources"]:
        if not item.get("hash") and item["name"] in digests:
            named.update(f"{item['name']} {digests[item['name']]}\n".encode())
    return named.hexdigest()


def _check_rows(rows: Mapping[str, Rows]) -> None:
    """Look for what training relies on, whatever the package's own schemas ask for."""
    problems: list[Problem] = []
    for name in NEEDED:
        if not rows[name] and name != "zone_status":
            problems.append(told("empty_table", "the table has no rows", table=name))
    refuse_if(problems)
    for name, columns in NEEDED.items():
        for line, row in enumerate(rows[name], start=2):
            for column in columns:
                if isinstance(broken := read_text(row[column]), Broken):
                    problems.append(problem(broken, table=name, row=line, column=column, value=row[column]))
    zones = {row["zone_id"] for row in rows["zones"]}
    for name in ("zone_status", "parcels"):
        for line, row in enumerate(rows[name], start=2):
            if row["zone_id"] not in zones:
                broken = Broken("unknown_zone", {"nearest": nearest(row["zone_id"], {fold(z): z for z in zones})})
                problems.append(problem(broken, table=name, row=line, column="zone_id", value=row["zone_id"]))
            for column in ("valid_from", "valid_to", "collected_on"):
                try:
                    day_of(row.get(column, ""))
                except ValueError:
                    broken = Broken("not_a_date")
                    problems.append(problem(broken, table=name, row=line, column=column, value=row[column]))
    refuse_if(problems)


def validate_package(path: Path) -> tuple[Problem, ...]:
    """Return every problem of a reference package; none means that it can be trained on."""
    try:
        load_package(path)
    except ReferenceDataError as error:
        return error.problems
    return ()


def _table(folder: Path, document: Mapping[str, Any], name: str, words: Vocabulary) -> RawTable:
    """Read one table of the package with the reader of ingestion."""
    found = resource(document, name)
    if found is None:
        raise fault("missing_table", "the resource {name} is missing", name=repr(name))
    path = folder / found["path"]
    budget = Budget(LIMITS)
    data = read_file(path, budget)
    if path.suffix == ".gz":
        data = gunzip(data, path.name, budget)
    return read_csv(data, name, path.name, Headers(words), LIMITS)


def table_rows(folder: Path, document: Mapping[str, Any], name: str) -> Rows:
    """Return the rows of a table of a package, as they are written; none where the package leaves it out."""
    if resource(document, name) is None:
        return []
    table = _table(folder, document, name, words_of(scheme_of(document)[0]))
    columns = {
        column.header.strip(): [str(column.cells[code]).strip() for code in column.codes.tolist()]
        for column in table.columns
    }
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _parcels(folder: Path, document: Mapping[str, Any], words: Vocabulary) -> Reading:
    """Read parcels and stones; raise `ReferenceDataError` with every problem."""
    problems: list[Problem] = []
    try:
        raws = {name: _table(folder, document, name, words) for name in ("parcels", "stones")}
        if not raws["stones"].n_rows:
            raise fault("empty_table", "the table has no rows", table="stones")
        tables = {name: recognise(raw, name, words, problems) for name, raw in raws.items()}
        reading = assemble(tables, words, LIMITS, problems=problems)
    except IngestError as error:
        raise ReferenceDataError(error.problems) from None
    refuse_if([*reading.problems, *known_by_sets(tables["stones"], words.scheme)])
    return reading


Row = Mapping[str, str]
STATUSES = {
    "compliant": ("compliant", "conforme"),
    "suspended": ("suspended", "suspendu", "suspendue", "not compliant", "non conforme"),
}
"""What a zone can be on a day, and how it may be written."""
_COUNTRY = re.compile("[A-Z]{2}")


def day_of(text: str) -> date | None:
    """Return a day written as YYYY-MM-DD, None where the text is empty; ValueError where it is neither."""
    return day_in(text) if text else None


def zone_table(zones: Sequence[Row], periods: Sequence[Row]) -> ZoneTable:
    """Return the zones with their periods.

    Raises
    ------
    ReferenceDataError
        With every row of which nobody could say which zone, which status or which days it means.
    """
    refuse_if([*_one_zone_each(zones), *_periods(periods)])
    meant = {fold(word): status for status, words in STATUSES.items() for word in words}
    table = ZoneTable(
        zones=tuple(Zone(**{name: row[name] for name in ("zone_id", "name", "country", "region")}) for row in zones),
        periods=tuple(
            StatusPeriod(
                zone_id=row["zone_id"],
                status=meant[fold(row["status"])],
                valid_from=day_in(row["valid_from"]),
                valid_to=day_of(row["valid_to"]),
                source=row["source"],
            )
            for row in periods
        ),
    )
    refuse_if(list(_overlaps(table)))
    return table


def _one_zone_each(rows: Sequence[Row]) -> Iterator[Problem]:
    """Give the rows whose country is none, or whose id or name already stands for a zone: the first would be meant."""
    first: dict[str, int] = {}
    for line, row in enumerate(rows, start=2):
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


def _periods(rows: Sequence[Row]) -> Iterator[Problem]:
    known = {fold(word) for words in STATUSES.values() for word in words}
    for line, row in enumerate(rows, start=2):
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


def _overlaps(table: ZoneTable) -> Iterator[Problem]:
    rows = sorted(enumerate(table.periods, start=2), key=lambda row: (row[1].zone_id, row[1].valid_from))
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
