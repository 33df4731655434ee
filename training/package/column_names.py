"""Headers of the tables of a package, held against what is needed and against the fields of their schemas.

That of the stones is looked at before the table is read, which may have millions of rows.
"""

from __future__ import annotations

import codecs
import csv
import gzip
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kpfootprint.errors import Problem
from kpfootprint.ingest.words import Vocabulary, fold
from kpfootprint.retold import Said
from training.package.descriptor import NEEDED, resource, told

_LONGEST = 1 << 20


def header_names(table: str, item: Mapping[str, Any]) -> dict[str, str]:
    """Return the columns that a table may have by their letters and digits: capitals and spaces make no other name."""
    others = ("collected_on",) if table == "parcels" else ()
    return {fold(name): name for name in (*others, *_fields(item), *NEEDED.get(table, ()))}


def check_header(table: str, headers: Sequence[str], item: Mapping[str, Any]) -> Iterator[Problem]:
    """Give what is wrong with the header of a small table."""
    fields = _fields(item)
    if missing := [name for name in NEEDED[table] if name not in headers]:
        yield _missing(table, missing, headers)
    elif "" in headers:
        yield told("column_twice", "a column has no name in the first row; give each its own", table=table)
    elif twice := [name for name in dict.fromkeys(headers) if headers.count(name) > 1]:
        yield told("column_twice", "two columns have this name; give each its own", table=table, column=twice[0])
    elif unlisted := [name for name in headers if name not in fields]:
        reason = Said(
            "not among the fields of {table} in datapackage.json: {strange}; add them there, or take the columns out",
            table=table,
            strange=", ".join(unlisted),
        )
        yield told("bad_resource", reason, table=table)
    elif absent := [name for name in fields if name not in headers]:
        yield _absent(table, absent)


def check_stones(folder: Path, document: Mapping[str, Any], words: Vocabulary) -> Iterator[Problem]:
    """Say whether the table of stones can be read, and which attributes and fields have no column in it."""
    item = resource(document, "stones")
    if item is None or not (path := folder / item["path"]).is_file():
        return
    try:
        headers = first_row(path)
    except (OSError, EOFError) as error:
        yield told("damaged_file", "{name} cannot be read: {reason}", table="stones", name=item["path"], reason=error)
        return
    if not headers:
        yield told("empty_table", "the file is empty; its first row must hold the names of its columns", table="stones")
    elif any(headers):  # what is longer than anybody writes is told by whoever reads it within limits
        yield from _of_stones(headers, item, words)


def unread(folder: Path, document: Mapping[str, Any], words: Vocabulary) -> tuple[str, ...]:
    """Return the columns of the stones that nothing is learnt from: neither a weight nor an attribute."""
    item = resource(document, "stones")
    headers = [] if item is None else first_row(folder / item["path"])
    known = words.columns("stones")
    return tuple(header for header in headers if header and fold(header) not in known)


def first_row(path: Path) -> list[str]:
    """Return the headers of a table, below blank lines and one that names the separator; none of an empty file."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
        data = stream.read(_LONGEST)
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    lines = data.decode("utf-16" if wide else "utf-8-sig", "replace").splitlines()
    lines = [line for line in lines if line.strip() and not line.casefold().startswith("sep=")]
    if not lines:
        return []
    mark = max(",;\t|", key=lines[0].count)
    try:
        row = next(csv.reader(lines[:1], delimiter=mark))
    except csv.Error:  # a cell that is longer than any name
        row = lines[0].split(mark)
    return [cell.strip() for cell in row]


def _fields(item: Mapping[str, Any]) -> list[str]:
    fields = (item.get("schema") or {}).get("fields", ())
    return [str(field.get("name")) for field in fields if isinstance(field, Mapping)]


def _missing(table: str, missing: Sequence[str], headers: Sequence[str]) -> Problem:
    reason = Said(
        "no column for {missing}; the first row holds {held}; write each name above its column",
        missing=", ".join(missing),
        held=", ".join(filter(None, headers[:30])),
    )
    column = missing[0].partition(" (")[0] if len(missing) == 1 else None
    return told("missing_column", reason, table=table, column=column)


def _absent(table: str, names: Sequence[str]) -> Problem:
    reason = Said(
        "fields of {table} in datapackage.json without a column: {left}; add the columns, or take the fields out",
        table=table,
        left=", ".join(names),
    )
    return told("bad_resource", reason, table=table)


def _of_stones(headers: Sequence[str], item: Mapping[str, Any], words: Vocabulary) -> Iterator[Problem]:
    """Say which attributes, and which fields of the schema, have no column under any of their names."""
    known = words.columns("stones")
    found = {known.get(fold(header), fold(header)) for header in headers}
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
    elif absent := [name for name in _fields(item) if known.get(fold(name), fold(name)) not in found]:
        yield _absent("stones", absent)
