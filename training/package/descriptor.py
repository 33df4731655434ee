"""The descriptor of a reference package, ``datapackage.json``: trusted with nothing before it is checked."""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from kpfootprint.errors import Problem, ReferenceDataError
from kpfootprint.ingest.files.archive import Limits
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
LIMITS = Limits(max_rows=20_000_000, max_unpacked_bytes=1_000_000_000, max_problems=100_000)
"""What is read of a package."""
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
    document = written_descriptor(folder)
    refuse_if(wrong_members(folder, document))
    return document


def written_descriptor(folder: Path) -> dict[str, Any]:
    """Return ``datapackage.json`` of a folder, whatever its members are; `ReferenceDataError` where there is none."""
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
    return document


def wrong_members(folder: Path, document: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with the members that every package needs; what attributes hold is not looked at."""
    return [*_members(document), *_resources(folder, document)]


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
            shown = None if isinstance(value, list | Mapping) else value
            yield told("missing_value", reason, column=name, value=shown, name=repr(name), said=Said(said))
        elif isinstance(value, str) and not (value.strip() and is_name(value)):
            reason = "the member {name} must be one line of 1 to {most} characters that can be seen"
            yield told("bad_name", reason, column=name, value=value[:40], name=repr(name), most=LONGEST)


def _resources(folder: Path, document: Mapping[str, Any]) -> Iterator[Problem]:
    items = document.get("resources")
    if not isinstance(items, list):
        return
    wrong = partial(told, column="resources")
    named = [item.get("name") for item in items if isinstance(item, Mapping)]
    bare: list[str] = []
    reason: str
    for name in (*SMALL_TABLES, "stones"):
        if name not in named and name not in OPTIONAL:
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
        if "data" in item and "path" not in item:
            inline = "the rows of {name} must stand in a file that its path names"
            yield wrong("bad_resource", inline, name=repr(item.get("name")))
            continue
        paths = item.get("path")
        listed = paths if isinstance(paths, list) and paths else [paths]
        if twice := [path for at, path in enumerate(listed) if path in listed[:at]]:
            reason = "{name} lists a file twice in its path; list it once"
            yield wrong("table_twice", reason, value=twice[0], name=repr(item.get("name")))
        for path in listed:
            if not isinstance(path, str) or not path or _leads_outside(path):
                yield wrong("path_outside", "not a path inside the package", value=path)
            elif any(part.is_symlink() for part in _parts(folder, path)):
                yield wrong("archive_link", "the path is a link; put the file itself there", value=path)
        if not _is_read(item.get("encoding", "utf-8")):
            reason = Said("{name} is read as UTF-8 or cp1252; save it so", name=repr(item.get("name")))
            yield wrong("bad_resource", reason, value=item["encoding"])
        schema = item.get("schema", {})
        if not isinstance(schema, Mapping) or not isinstance(schema.get("fields", []), list):
            reason = "the schema of {name} must stand in the descriptor"
            yield wrong("bad_resource", reason, value=schema, name=repr(item.get("name")))
        elif (name := str(item.get("name"))) in SMALL_TABLES:
            if not (fields := schema.get("fields")):
                bare.append(repr(name))
            elif odd := _odd_types(fields):
                reason = "fields of {name} have a type that there is not: {odd}; write one of {types}"
                yield wrong("bad_resource", reason, name=name, odd=odd, types=", ".join(_TYPES))
            elif odd := _twice(fields):
                yield wrong("bad_resource", "fields of {name} have one name: {odd}", name=name, odd=odd)
            elif odd := _odd_keys(item, items):
                yield wrong("bad_resource", "keys of {name} name fields that there are not: {odd}", name=name, odd=odd)
    if bare:
        reason = "the schema of {name} must list the fields (columns) of the table"
        yield wrong("bad_resource", reason, name=", ".join(bare))


def _is_read(encoding: object) -> bool:
    """Say whether a table may be said to have an encoding: those that are recognised, and what is written alike."""
    try:
        return codecs.lookup(str(encoding)).name in ("utf-8", "utf-8-sig", "utf-16", "cp1252", "iso8859-1", "ascii")
    except (LookupError, ValueError):
        return False


def _odd_types(fields: Sequence[object]) -> str:
    """Return the fields whose type frictionless does not know."""
    types = {str(field.get("name")): field.get("type", "any") for field in fields if isinstance(field, Mapping)}
    return ", ".join(f"{name} ({kind})" for name, kind in types.items() if kind not in _TYPES)


def _twice(fields: Sequence[object]) -> str:
    """Return the names that several fields have."""
    names = Counter(str(field.get("name")) for field in fields if isinstance(field, Mapping))
    return ", ".join(name for name, count in names.items() if count > 1)


def _odd_keys(item: Mapping[str, Any], items: Sequence[object]) -> str:
    """Return the fields that keys of a small table name, in it or in the table they refer to, and that are none."""
    named = {of.get("name"): of for of in items if isinstance(of, Mapping) and of.get("name") in SMALL_TABLES}

    def strangers(fields: object, of: object) -> list[str]:
        schema = named[of].get("schema") if of in named else None
        listed = schema.get("fields") if isinstance(schema, Mapping) else None
        known = [field.get("name") for field in listed or () if isinstance(field, Mapping)]
        return [str(name) for name in (fields if isinstance(fields, list) else [fields]) if known and name not in known]

    schema = item["schema"]
    odd = strangers(schema["primaryKey"], item["name"]) if schema.get("primaryKey") else []
    keys = schema.get("foreignKeys")
    for key in keys if isinstance(keys, list) else ():
        there = key.get("reference") if isinstance(key, Mapping) else None
        if isinstance(there, Mapping) and there.get("resource") in (*named, ""):
            odd += strangers(key.get("fields"), item["name"])
            odd += strangers(there.get("fields"), there.get("resource") or item["name"])
    return ", ".join(odd)


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
