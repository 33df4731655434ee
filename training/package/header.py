"""Whether the tables of a package have the columns that they need, told from their first rows alone."""

from __future__ import annotations

import codecs
import csv
import gzip
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kpfootprint.errors import Problem
from kpfootprint.ingest.words import Vocabulary, fold
from training.package.descriptor import SMALL_TABLES, resource, told

NEEDED: Mapping[str, tuple[str, ...]] = {
    "zones": ("zone_id", "name", "country", "region"),
    "zone_status": ("zone_id", "status", "valid_from", "valid_to", "source"),
    "parcels": ("parcel_id", "zone_id"),
}
_LONGEST = 1 << 20


def check_headers(folder: Path, document: Mapping[str, Any], words: Vocabulary) -> Iterator[Problem]:
    """Give what is wrong with the header of each table, each table once."""
    for name in (*SMALL_TABLES, "stones"):
        item = resource(document, name)
        if item is None or not (path := folder / item["path"]).is_file():
            continue
        try:
            headers = first_row(path)
        except (OSError, EOFError) as error:
            yield told("damaged_file", f"{item['path']} cannot be read: {error}", table=name)
            continue
        if not headers:
            yield told("empty_table", "the file is empty; its first row must hold the names of its columns", table=name)
        elif any(headers):  # what is longer than anybody writes is told by whoever reads it within limits
            yield from _of_stones(headers, words) if name == "stones" else _of_small(name, headers, item)


def unread(folder: Path, document: Mapping[str, Any], words: Vocabulary) -> tuple[str, ...]:
    """Return the columns of the stones that nothing is learnt from: neither a weight nor an attribute."""
    item = resource(document, "stones")
    headers = [] if item is None else first_row(folder / item["path"])
    known = words.columns("stones")
    return tuple(header for header in headers if header and fold(header) not in known)


def first_row(path: Path) -> list[str]:
    """Return the headers of a table of a package, one without a name where its first row is blank, none of no file."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
        data = stream.read(_LONGEST)
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    lines = data.decode("utf-16" if wide else "utf-8-sig", "replace").splitlines()
    if not lines:
        return []
    row = next(csv.reader(lines[:1], delimiter=max(",;\t", key=lines[0].count)))
    return [cell.strip() for cell in row or [""]]


def _missing(table: str, missing: Sequence[str], headers: Sequence[str]) -> Problem:
    held = ", ".join(filter(None, headers[:30]))
    reason = f"no column for {', '.join(missing)}; the first row holds {held}; write each name above its column"
    column = missing[0].partition(" (")[0] if len(missing) == 1 else None
    return told("missing_column", reason, table=table, column=column)


def _of_small(table: str, headers: Sequence[str], item: Mapping[str, Any]) -> Iterator[Problem]:
    """Hold a header against what is needed, and against the fields of the table's own schema."""
    schema = item.get("schema", {})
    fields = [str(field.get("name")) for field in schema.get("fields", ()) if isinstance(field, Mapping)]
    if missing := [name for name in NEEDED[table] if name not in headers]:
        yield _missing(table, missing, headers)
    elif twice := [name for name in dict.fromkeys(headers) if headers.count(name) > 1]:
        if twice[0]:
            yield told("column_twice", "two columns have this name; give each its own", table=table, column=twice[0])
        else:
            yield told("column_twice", "a column has no name in the first row; give each its own", table=table)
    elif unlisted := [name for name in headers if name not in fields]:
        strange = ", ".join(unlisted)
        reason = (
            f"not among the fields of {table} in datapackage.json: {strange}; add them there, or take the columns out"
        )
        yield told("bad_resource", reason, table=table)
    elif absent := [name for name in fields if name not in headers]:
        left = ", ".join(absent)
        reason = (
            f"fields of {table} in datapackage.json without a column: {left}; add the columns, or take the fields out"
        )
        yield told("bad_resource", reason, table=table)


def _of_stones(headers: Sequence[str], words: Vocabulary) -> Iterator[Problem]:
    """Say which attributes have no column."""
    known = words.columns("stones")
    found = {known.get(fold(header)) for header in headers}
    size = words.scheme.size
    if size.column not in found and "n_stones" in map(words.columns("counts").get, map(fold, headers)):
        reason = "the table counts stones by class; a model is learnt from stones one by one, each with its weight"
        yield told("counts_for_stones", reason, table="stones", column=size.column)
        return
    wanted = {"parcel_id": "", size.column: size.name} | {a.column: a.name for a in words.scheme.categorical}
    missing = [
        column if name in ("", column) else f"{column} ({name})"
        for column, name in wanted.items()
        if column not in found
    ]
    if missing:
        yield _missing("stones", missing, headers)
