"""The descriptor of a reference package, ``datapackage.json``, and the headers of its tables.

Both are read, and trusted with nothing before they are checked.
"""

from __future__ import annotations

import codecs
import csv
import gzip
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from kpfootprint.errors import Problem, ReferenceDataError
from kpfootprint.ingest.words import Vocabulary, fold
from kpfootprint.retold import Said
from kpfootprint.strict_json import NotJson, read_json
from kpfootprint.visible import is_visible

DESCRIPTOR = "datapackage.json"
SMALL_TABLES = ("zones", "zone_status", "parcels")
OPTIONAL = ("zone_status",)
NEEDED: Mapping[str, tuple[str, ...]] = {
    "zones": ("zone_id", "name", "country", "region"),
    "zone_status": ("zone_id", "status", "valid_from", "valid_to", "source"),
    "parcels": ("parcel_id", "zone_id"),
}
_LARGEST_DESCRIPTOR = 8_000_000
_TYPES = ("string", "integer", "number", "boolean", "date", "datetime", "time", "year", "any")
LONGEST = 120
"""Characters of a name, a label or a synonym."""


def told(
    code: str,
    reason: str,
    /,
    *,
    table: str = DESCRIPTOR,
    row: int | None = None,
    column: str | None = None,
    value: object = None,
    **values: object,
) -> Problem:
    """Return one thing that is wrong with a package, its reason filled with `values`; long values are cut."""
    shown = None if value is None or value == "" else str(value)[:200]
    return Problem(table=table, row=row, column=column, value=shown, code=code, reason=Said(reason, **values))


def fault(code: str, reason: str, /, **more: Any) -> ReferenceDataError:
    """Return the error of one thing that is wrong with a package: place and values are those of `told`."""
    return ReferenceDataError([told(code, reason, **more)])


def refuse_if(problems: Sequence[Problem]) -> None:
    """Raise the error of everything that is wrong with a package, where anything is."""
    if problems:
        raise ReferenceDataError(problems)


def read_descriptor(folder: Path) -> dict[str, Any]:
    """Return ``datapackage.json`` of a folder.

    Raises
    ------
    ReferenceDataError
        Where it is missing, lacks what we need, or names anything outside the folder.
    """
    path = folder / DESCRIPTOR
    if not path.is_file():
        reason = "there is no {descriptor} in {folder}"
        raise fault("file_missing", reason, descriptor=DESCRIPTOR, folder=folder.name or folder)
    if path.is_symlink():
        raise fault("archive_link", "{descriptor} is a link; put the file itself there", descriptor=DESCRIPTOR)
    if path.stat().st_size > _LARGEST_DESCRIPTOR:
        raise fault("too_large", "the descriptor is larger than {most} MB", most=_LARGEST_DESCRIPTOR // 1000000)
    try:
        document = read_json(path.read_bytes())
    except NotJson as error:
        raise fault("bad_json", "not JSON: {error}", error=error) from None
    if not isinstance(document, dict):
        raise fault("bad_json", "the descriptor must be an object")
    refuse_if([*_members(document), *_resources(folder, document)])
    return document


def _members(document: Mapping[str, Any]) -> Iterator[Problem]:
    for name, kind, said in (
        ("name", str, "a text"),
        ("version", str, "a text such as 2026.1"),
        ("synthetic", bool, "true or false"),
        ("attributes", list, "a list"),
        ("resources", list, "a list"),
    ):
        value = document.get(name)
        if not isinstance(value, kind):
            reason = "the member {name} must be {said}"
            yield told("missing_value", reason, column=name, name=repr(name), said=Said(said))
        elif isinstance(value, str) and not (value.strip() and is_name(value)):
            reason = "the member {name} must be one line of 1 to {most} characters that can be seen"
            yield told("bad_name", reason, column=name, value=value[:40], name=repr(name), most=LONGEST)


def _resources(folder: Path, document: Mapping[str, Any]) -> Iterator[Problem]:
    items = document.get("resources")
    if not isinstance(items, list):
        return
    wrong = partial(told, column="resources")
    named = [item.get("name") for item in items if isinstance(item, Mapping)]
    for name in (*SMALL_TABLES, "stones"):
        if name == "stones" and name not in named and "counts" in named:
            reason = (
                "a table of counts is no list of stones: a model is learnt from stones one by one, each with its "
                "weight; give the resource 'stones'"
            )
            yield wrong("counts_for_stones", reason, value="counts")
        elif name not in named and name not in OPTIONAL:
            has = ", ".join(filter(None, map(str, named))) or "none"
            yield wrong("missing_table", "the resource {name} is missing; there are: {has}", name=repr(name), has=has)
        if named.count(name) > 1:
            yield wrong("table_twice", "the resource {name} is declared twice", name=repr(name))
    for item in items:
        if not isinstance(item, Mapping):
            yield wrong("bad_resource", "a resource must be an object", value=item)
            continue
        if not isinstance(item.get("name"), str):
            yield wrong("bad_resource", "a resource needs a name", value=item)
        path = item.get("path")
        if not isinstance(path, str) or not path or _leads_outside(path):
            yield wrong("path_outside", "not a path inside the package", value=path)
        elif any(part.is_symlink() for part in _parts(folder, path)):
            yield wrong("archive_link", "the path is a link; put the file itself there", value=path)
        schema = item.get("schema", {})
        if not isinstance(schema, Mapping) or not isinstance(schema.get("fields", []), list):
            reason = "the schema of {name} must stand in the descriptor"
            yield wrong("bad_resource", reason, value=schema, name=repr(item.get("name")))
        elif item.get("name") in SMALL_TABLES and (odd := _odd_types(schema.get("fields", []))):
            reason = "fields of {name} have a type that there is not: {odd}; write one of {types}"
            yield wrong("bad_resource", reason, name=item["name"], odd=odd, types=", ".join(_TYPES))
        elif item.get("name") in SMALL_TABLES and not schema.get("fields"):
            reason = "the schema of {name} must list the fields (columns) of the table"
            yield wrong("bad_resource", reason, name=repr(item["name"]))


def _odd_types(fields: Sequence[object]) -> str:
    """Return the fields whose type frictionless does not know."""
    types = {str(field.get("name")): field.get("type", "any") for field in fields if isinstance(field, Mapping)}
    return ", ".join(f"{name} ({kind})" for name, kind in types.items() if kind not in _TYPES)


def _leads_outside(path: str) -> bool:
    parts = PurePosixPath(path.replace("\\", "/"))
    return parts.is_absolute() or ".." in parts.parts or ":" in path or "\x00" in path


def _parts(folder: Path, path: str) -> list[Path]:
    """Return the file and the folders inside the package that lead to it."""
    inside = PurePosixPath(path.replace("\\", "/"))
    return [folder / part for part in (inside, *inside.parents) if part != PurePosixPath(".")]


def resource(document: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """Return the resource of that name, or None."""
    return next((item for item in document["resources"] if item["name"] == name), None)


def is_name(text: str) -> bool:
    """Say whether a text is one line of a moderate length, without characters that cannot be seen."""
    return len(text) <= LONGEST and is_visible(text)


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
            yield told("damaged_file", "{name} cannot be read: {reason}", table=name, name=item["path"], reason=error)
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
    mark = max(",;\t", key=lines[0].count)
    try:
        row = next(csv.reader(lines[:1], delimiter=mark))
    except csv.Error:  # a cell that is longer than any name
        row = lines[0].split(mark)
    return [cell.strip() for cell in row or [""]]


def _missing(table: str, missing: Sequence[str], headers: Sequence[str]) -> Problem:
    reason = "no column for {missing}; the first row holds {held}; write each name above its column"
    held = ", ".join(filter(None, headers[:30]))
    column = missing[0].partition(" (")[0] if len(missing) == 1 else None
    return told("missing_column", reason, table=table, column=column, missing=", ".join(missing), held=held)


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
        reason = (
            "not among the fields of {table} in datapackage.json: {strange}; add them there, or take the columns out"
        )
        yield told("bad_resource", Said(reason, table=table, strange=", ".join(unlisted)), table=table)
    elif absent := [name for name in fields if name not in headers]:
        reason = (
            "fields of {table} in datapackage.json without a column: {left}; add the columns, or take the fields out"
        )
        yield told("bad_resource", Said(reason, table=table, left=", ".join(absent)), table=table)


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
