"""Reference packages read and checked whole."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kpfootprint.errors import IngestError, Problem, ReferenceDataError
from kpfootprint.ingest.files.archive import Budget, gunzip, read_file
from kpfootprint.ingest.files.csvfile import read_csv
from kpfootprint.ingest.names.headers import Headers
from kpfootprint.ingest.parcels.assemble import Reading, assemble
from kpfootprint.ingest.problems import Broken
from kpfootprint.ingest.raw.tables import RawTable, recognise
from kpfootprint.ingest.words import Vocabulary
from kpfootprint.reference import ReferencePackage
from training.package.attributes import scheme_of, words_of
from training.package.descriptor import (
    DESCRIPTOR,
    SMALL_TABLES,
    check_headers,
    fault,
    read_descriptor,
    refuse_if,
    resource,
    told,
    unread,
)
from training.package.learnable import copies, known_by_sets, never_recorded, once, undivided
from training.package.small_tables import Rows, check_rows, day_of, zone_table
from training.package.source import LIMITS, unpacked


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
    rows = {name: table_rows(folder, document, name) for name in SMALL_TABLES}
    check_rows(document, rows)
    zones = zone_table(rows["zones"], rows["zone_status"])
    batch = _parcels(folder, document, words).batch
    line_of = {row["parcel_id"]: line for line, row in rows["parcels"].items()}
    lines = [line_of[parcel.parcel_id] for parcel in batch]
    parcels = [rows["parcels"][line] for line in lines]
    zone_of = tuple(row["zone_id"] for row in parcels)
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
            reason = (
                "{path} was changed since the descriptor was written; if that was meant, run init again: "
                "python -m training init FOLDER"
            )
            problems.append(told("hash_count", reason, table=item["name"], path=item["path"]))
    return digests, problems


def _identity(folder: Path, document: Mapping[str, Any], digests: Mapping[str, str]) -> str:
    """Return a hash that names the data exactly: of the descriptor, and of every table that it holds no hash of."""
    named = hashlib.sha256((folder / DESCRIPTOR).read_bytes())
    for item in document["resources"]:
        if not item.get("hash") and item["name"] in digests:
            named.update(f"{item['name']} {digests[item['name']]}\n".encode())
    return named.hexdigest()


def validate_package(path: Path) -> tuple[Problem, ...]:
    """Return every problem of a reference package; none means that it can be trained on."""
    try:
        load_package(path)
    except ReferenceDataError as error:
        return error.problems
    return ()


def _table(folder: Path, document: Mapping[str, Any], name: str, headers: Headers | None = None) -> RawTable:
    """Read one table of the package with the reader of ingestion; without `headers` the first row is the header."""
    found = resource(document, name)
    if found is None:
        raise fault("missing_table", "the resource {name} is missing", name=repr(name))
    path = folder / found["path"]
    budget = Budget(LIMITS)
    data = read_file(path, budget)
    if path.suffix == ".gz":
        data = gunzip(data, path.name, budget)
    return read_csv(data, name, path.name, headers, LIMITS)


def table_rows(folder: Path, document: Mapping[str, Any], name: str) -> Rows:
    """Return the rows of a table of a package, as they are written; none where the package leaves it out.

    Raises
    ------
    ReferenceDataError
        With every row that has more cells than there are headers, or fewer.
    """
    if resource(document, name) is None:
        return {}
    table = _table(folder, document, name)
    assert table.rows is not None
    wide = {"expected": len(table.columns)}
    refuse_if([table.problem(Broken("ragged_row", {"found": n} | wide), row) for row, n in table.ragged.items()])
    columns = {
        column.header.strip(): [str(column.cells[code]).strip() for code in column.codes.tolist()]
        for column in table.columns
    }
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return dict(zip(table.rows.tolist(), rows, strict=True))


def _parcels(folder: Path, document: Mapping[str, Any], words: Vocabulary) -> Reading:
    """Read parcels and stones; raise `ReferenceDataError` with every problem."""
    problems: list[Problem] = []
    try:
        raws = {name: _table(folder, document, name, Headers(words)) for name in ("parcels", "stones")}
        if not raws["stones"].n_rows:
            raise fault("empty_table", "the table has no rows", table="stones")
        tables = {name: recognise(raw, name, words, problems) for name, raw in raws.items()}
        reading = assemble(tables, words, LIMITS, problems=problems)
    except IngestError as error:
        raise ReferenceDataError(error.problems) from None
    refuse_if([*reading.problems, *known_by_sets(tables["stones"], words.scheme)])
    return reading
