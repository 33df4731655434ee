"""Headers of the tables of a package, held against what is needed and against the fields of their schemas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kpfootprint.errors import Problem
from kpfootprint.ingest.raw.cells import text_of
from kpfootprint.ingest.raw.tables import RawTable
from kpfootprint.ingest.words import Vocabulary, fold
from kpfootprint.retold import Said
from training.package.descriptor import NEEDED, told


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


def check_stones(table: RawTable, item: Mapping[str, Any], words: Vocabulary) -> Iterator[Problem]:
    """Say which attributes, and which fields of the schema, have no column in the stones under any of their names."""
    headers = [column.header for column in table.columns]
    if table.titles:
        headers = [text_of(cell).strip() for cell in table.titles[0][1]]
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
