"""Two reference packages made one."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kpfootprint.errors import Problem
from kpfootprint.ingest.words import fold
from kpfootprint.reference import ReferencePackage
from kpfootprint.scheme import Scheme
from training.package.attributes import words_of
from training.package.column_names import with_known_fields
from training.package.descriptor import fault, read_descriptor, refuse_if, resource, told
from training.package.once import once
from training.package.parts import paths_of
from training.package.read import load_package, table_rows
from training.package.seal import seal, write_descriptor, write_table
from training.package.small_tables import Rows, with_days
from training.package.source import unpacked

Table = list[dict[str, str]]
_KEYS: Mapping[str, tuple[str, ...]] = {
    "zones": ("zone_id",),
    "zone_status": ("zone_id", "valid_from"),
    "parcels": ("parcel_id",),
    "stones": (),
}


def merge_packages(first: Path, second: Path, out: Path) -> ReferencePackage:
    """Join two reference packages with the same attributes into a third.

    Zones and status rows that both have in the same words are taken once. A zone that they describe differently, and a
    parcel that both have, are problems. The result is synthetic where either part is.

    Parameters
    ----------
    out : Path
        A folder that is empty or does not exist.

    Returns
    -------
    ReferencePackage
        The new package, read back.

    Raises
    ------
    ReferenceDataError
        With every problem; nothing is written then.
    """
    out = Path(out)
    if out.exists() and any(out.iterdir()):
        raise fault("folder_not_empty", "{folder} is not empty", folder=out.name)
    with unpacked(first) as one, unpacked(second) as two, TemporaryDirectory(prefix="kpfootprint-merged-") as made:
        _merge(one, two, Path(made))
        package = load_package(Path(made))
        shutil.copytree(made, out, dirs_exist_ok=True)
    return package


def _merge(first: Path, second: Path, out: Path) -> None:
    one, two = load_package(first), load_package(second)
    if one.scheme != two.scheme:
        raise fault("scheme_mismatch", "the packages declare other attributes, classes or sieve sets")
    documents = [with_known_fields(read_descriptor(folder)) for folder in (first, second)]
    problems: list[Problem] = []
    merged: dict[str, Table] = {}
    for name, keys in _KEYS.items():
        rows, more = (_rows(*part, name, one.scheme) for part in zip((first, second), documents, strict=True))
        merged[name] = _join(name, [*rows.values()], more, keys, problems)
    refuse_if(once(problems))
    parts = {name: _described(*(resource(document, name) for document in documents)) for name in _KEYS}
    document = documents[0] | {
        "name": one.name if one.name == two.name else f"{one.name}-and-{two.name}",
        "title": f"{documents[0].get('title', one.name)}, with {documents[1].get('title', two.name)}",
        "version": f"{one.version}+{two.version}",
        "synthetic": one.synthetic or two.synthetic,
        "resources": [item for name in _KEYS if (item := parts[name]) is not None],
    }
    for name, joined in merged.items():
        if (item := parts[name]) is None:
            continue
        header = list(dict.fromkeys(column for row in (joined[:1] + joined[-1:]) for column in row))
        (out / item["path"]).parent.mkdir(parents=True, exist_ok=True)
        write_table(out / item["path"], header, ([row.get(c, "") for c in header] for row in joined))
    write_descriptor(out, document)
    seal(out)


def _rows(folder: Path, document: Mapping[str, Any], name: str, scheme: Scheme) -> Rows:
    """Return the rows of a table with days and the columns of stones written in one way."""
    rows, item = table_rows(folder, document, name), resource(document, name)
    if item is None:
        return rows
    if name != "stones":
        return with_days(rows, item)
    known = words_of(scheme).columns(name)
    return {line: {known.get(fold(column), column): cell for column, cell in row.items()} for line, row in rows.items()}


def _described(one: Mapping[str, Any] | None, two: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the resource of a table of both: one file, with the fields of either."""
    if one is None or two is None:
        item = one or two
        return None if item is None else {**item, "path": paths_of(item)[0]}
    fields = {field["name"]: field for part in (two, one) for field in part.get("schema", {}).get("fields", ())}
    schema = {**one.get("schema", {}), "fields": [*fields.values()]}
    return {**one, "path": paths_of(one)[0]} | ({"schema": schema} if fields else {})


def _join(name: str, one: Table, two: Rows, keys: tuple[str, ...], problems: list[Problem]) -> Table:
    """Return the rows of both; rows with one key must be the same, and parcels may not repeat at all.

    What cannot be joined is told by its line in the second.
    """
    known = {tuple(row[key] for key in keys): row for row in one} if keys else {}
    new: Table = []
    for line, row in two.items():
        key = tuple(row[column] for column in keys)
        if not keys or key not in known:
            new.append(row)
        elif name == "parcels" or known[key] != row:
            reason = "both packages have the parcel" if name == "parcels" else "the packages describe it differently"
            problems.append(told("merge_conflict", reason, table=name, row=line, column=keys[0], value=key[0]))
    return one + new
