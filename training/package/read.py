"""Reference packages read and checked whole."""

from __future__ import annotations

import csv
import gzip
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from kpfootprint.errors import IngestError, Problem, ReferenceDataError
from kpfootprint.ingest.archive import Budget, gunzip, read_file
from kpfootprint.ingest.assemble import Reading, assemble
from kpfootprint.ingest.cells import read_text
from kpfootprint.ingest.csvfile import read_csv
from kpfootprint.ingest.headers import Headers
from kpfootprint.ingest.problems import Broken, problem
from kpfootprint.ingest.tables import RawTable, recognise
from kpfootprint.ingest.words import Vocabulary, fold, nearest
from kpfootprint.parcel import Batch
from kpfootprint.reference import ReferencePackage
from kpfootprint.scheme import Scheme
from training.package.attributes import scheme_of, words_of
from training.package.copies import copies
from training.package.descriptor import (
    DESCRIPTOR,
    SMALL_TABLES,
    check_small_tables,
    fault,
    read_descriptor,
    resource,
    told,
)
from training.package.source import LIMITS, unpacked
from training.package.zones import day_of, zone_table

_NEEDED: Mapping[str, tuple[str, ...]] = {
    "zones": ("zone_id", "name", "country", "region"),
    "zone_status": ("zone_id", "status", "valid_from", "valid_to", "source"),
    "parcels": ("parcel_id", "zone_id"),
}
Rows = list[dict[str, str]]
ALIKE = 12
"""Different values that are told one by one where they have the same fault."""
ONE_CLASS, ENOUGH = 0.99, 100
"""Share of the stones in one size class from which on sizes tell nothing, where there are enough stones to say so."""


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
        raise ReferenceDataError(_once(error.problems)) from None


def _load(folder: Path) -> ReferencePackage:
    document = read_descriptor(folder)
    scheme, problems = scheme_of(document)
    words = words_of(scheme)
    digests, altered = _digests(folder, document)
    problems += [*altered, *_columns(folder, document, words)]
    if problems:
        raise ReferenceDataError(problems)
    rows = {name: table_rows(folder, document, name) for name in SMALL_TABLES}  # within limits, and so before the rest
    problems = check_small_tables(folder, document)
    if problems:
        raise ReferenceDataError(problems)
    _check_rows(rows)
    zones = zone_table(rows["zones"], rows["zone_status"])
    batch = _parcels(folder, document, words).batch
    by_id = {row["parcel_id"]: row for row in rows["parcels"]}
    parcels = [by_id[parcel.parcel_id] for parcel in batch]
    zone_of = tuple(row["zone_id"] for row in parcels)
    problems = [*_undivided(batch, scheme), *_never_recorded(batch, scheme), *copies(batch, zone_of)]
    if problems:
        raise ReferenceDataError(problems)
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
    )


def _digests(folder: Path, document: Mapping[str, Any]) -> tuple[dict[str, str], list[Problem]]:
    """Return the SHA-256 of every table, and the tables that are not the ones that the descriptor was sealed with."""
    digests: dict[str, str] = {}
    problems = []
    for item in document["resources"]:
        path = folder / item["path"]
        if not path.is_file():
            if item["name"] in (*SMALL_TABLES, "stones"):
                problems.append(told("file_missing", f"there is no file {item['path']}", table=item["name"]))
            continue
        with path.open("rb") as stream:
            digests[item["name"]] = hashlib.file_digest(stream, "sha256").hexdigest()
        sealed = str(item.get("hash", "")).removeprefix("sha256:").lower()
        size = item.get("bytes")
        if sealed not in ("", digests[item["name"]]) or (isinstance(size, int) and size != path.stat().st_size):
            reason = f"{item['path']} was changed since the descriptor was written; if that was meant, run init again: "
            reason += "python -m training init FOLDER"
            problems.append(told("hash_count", reason, table=item["name"]))
    return digests, problems


def _identity(folder: Path, document: Mapping[str, Any], digests: Mapping[str, str]) -> str:
    """Return a hash that names the data exactly: of the descriptor, and of every table that it holds no hash of."""
    named = hashlib.sha256((folder / DESCRIPTOR).read_bytes())
    for item in document["resources"]:
        if not item.get("hash") and item["name"] in digests:
            named.update(f"{item['name']} {digests[item['name']]}\n".encode())
    return named.hexdigest()


def _columns(folder: Path, document: Mapping[str, Any], words: Vocabulary) -> list[Problem]:
    """Say which attributes have no column in the stones, from the header alone."""
    stones = resource(document, "stones")
    if stones is None or not (folder / stones["path"]).is_file():
        return []
    path = folder / stones["path"]
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            line = stream.readline(1 << 20).decode("utf-8-sig", "replace")
    except (OSError, EOFError) as error:
        return [told("damaged_file", f"{stones['path']} cannot be read: {error}", table="stones")]
    delimiter = max(",;\t", key=line.count)
    known = words.columns("stones")
    headers = next(csv.reader([line], delimiter=delimiter), [])
    found = {known.get(fold(header)) for header in headers}
    size = words.scheme.size
    if size.column not in found and "n_stones" in map(words.columns("counts").get, map(fold, headers)):
        reason = "the table counts stones by class; a model is learnt from stones one by one, each with its weight"
        return [told("counts_for_stones", reason, table="stones", column=size.column)]
    wanted = {size.name: size.column} | {item.name: item.column for item in words.scheme.categorical}
    return [
        told("missing_column", f"{name} has no column {column}", table="stones", column=column)
        for name, column in wanted.items()
        if column not in found
    ]


def _once(problems: Iterable[Problem]) -> list[Problem]:
    """Tell what is wrong in many rows alike once, at the first of them, with their number.

    Where more than `ALIKE` rows have the same fault in one column, each with a value of its own, three are told.
    """
    found = _alike(problems)
    counts = Counter((p.table, p.column, p.value, p.code) for p in found if p.row is not None)
    out: dict[object, Problem] = {}
    for position, item in enumerate(found):
        key = (item.table, item.column, item.value, item.code)
        if item.row is None or counts[key] < 4:
            out[position] = item
        elif key not in out:
            out[key] = replace(item, reason=f"{item.reason}; and so in {counts[key] - 1} more rows")
    return list(out.values())


def _alike(problems: Iterable[Problem]) -> list[Problem]:
    """Leave out all but three of the problems that more than `ALIKE` rows have in one column."""
    groups: dict[object, list[int]] = {}
    out = list(problems)
    for position, item in enumerate(out):
        if item.row is not None:
            groups.setdefault((item.table, item.column, item.code), []).append(position)
    left_out: set[int] = set()
    for group in groups.values():
        if len({out[position].value for position in group}) > ALIKE:
            left_out.update(group[3:])
            reason = f"{out[group[2]].reason}; and so in {len(group) - 3} more rows, whatever the value"
            out[group[2]] = replace(out[group[2]], reason=reason)
    return [item for position, item in enumerate(out) if position not in left_out]


def _undivided(batch: Batch, scheme: Scheme) -> list[Problem]:
    """Say where nearly all stones lie in one size class, so that sizes tell nothing: mostly another unit.

    Stones that all weigh the very same were not weighed, which a remark tells.
    """
    own = scheme.size.sieve_set
    weights = np.concatenate([parcel.stones.weight_ct for parcel in batch if parcel.stones is not None])
    position = np.searchsorted(own.lower_ct, weights, side="right").clip(1) - 1
    share = np.bincount(position, minlength=len(own.classes)) / weights.size
    if share.max() < ONE_CLASS or weights.size < ENOUGH or np.ptp(weights) == 0:
        return []
    reason = (
        f"{share.max():.0%} of the stones lie in one class of edges_ct, {own.classes[int(share.argmax())]!r} (half of "
        f"them below {np.median(weights):g}): are both in carats, and do the edges divide the stones?"
    )
    return [told("sizes_undivided", reason, table="stones", column=scheme.size.column)]


def _never_recorded(batch: Batch, scheme: Scheme) -> list[Problem]:
    """Say which attributes no stone of any parcel records."""
    lists = [parcel.stones.codes for parcel in batch if parcel.stones is not None]
    reason = "no stone records it; fill it in, or take {} out of datapackage.json"
    return [
        told("never_recorded", reason.format(item.name), table="stones", column=item.column)
        for item in scheme.categorical
        if not any((codes[item.name] >= 0).any() for codes in lists if item.name in codes)
    ]


def _check_rows(rows: Mapping[str, Rows]) -> None:
    """Look for what training relies on, whatever the package's own schemas ask for."""
    problems: list[Problem] = []
    for name, columns in _NEEDED.items():
        if not rows[name] and name != "zone_status":
            problems.append(told("empty_table", "the table has no rows", table=name))
        lacking = [column for column in columns if rows[name] and column not in rows[name][0]]
        problems += [
            told("missing_column", f"the column {column} is missing", table=name, column=column) for column in lacking
        ]
    if problems:
        raise ReferenceDataError(problems)
    for name, columns in _NEEDED.items():
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
    if problems:
        raise ReferenceDataError(problems)


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
        raise fault("missing_table", f"the resource {name!r} is missing")
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
        tables = {name: recognise(raw, name, words, problems) for name, raw in raws.items()}
        reading = assemble(tables, words, LIMITS, problems=problems)
    except IngestError as error:
        raise ReferenceDataError(error.problems) from None
    if reading.problems:
        raise ReferenceDataError(reading.problems)
    return reading
