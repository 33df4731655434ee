"""Two reference packages made one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kpfootprint.errors import Problem
from kpfootprint.reference import ReferencePackage
from training.package.descriptor import fault, read_descriptor, refuse_if, resource, told
from training.package.read import load_package, table_rows
from training.package.seal import seal, write_descriptor, write_table
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
    with unpacked(first) as one, unpacked(second) as two:
        _merge(one, two, out)
    return load_package(out)


def _merge(first: Path, second: Path, out: Path) -> None:
    one, two = load_package(first), load_package(second)
    if one.scheme != two.scheme:
        raise fault("scheme_mismatch", "the packages declare other attributes, classes or sieve sets")
    documents = [read_descriptor(folder) for folder in (first, second)]
    problems: list[Problem] = []
    merged: dict[str, Table] = {}
    for name, keys in _KEYS.items():
        rows, more = ([*table_rows(*part, name).values()] for part in zip((first, second), documents, strict=True))
        merged[name] = _join(name, rows, more, keys, problems)
    refuse_if(problems)
    parts = {name: resource(documents[0], name) or resource(documents[1], name) for name in _KEYS}
    document = documents[0] | {
        "name": one.name if one.name == two.name else f"{one.name}-and-{two.name}",
        "title": f"{documents[0].get('title', one.name)}, with {documents[1].get('title', two.name)}",
        "version": f"{one.version}+{two.version}",
        "synthetic": one.synthetic or two.synthetic,
        "resources": [item for name in _KEYS if (item := parts[name]) is not None],
    }
    out.mkdir(parents=True, exist_ok=True)
    for name, rows in merged.items():
        if (item := parts[name]) is None:
            continue
        header = list(dict.fromkeys(column for row in (rows[:1] + rows[-1:]) for column in row))
        write_table(out / item["path"], header, ([row.get(c, "") for c in header] for row in rows))
    write_descriptor(out, document)
    seal(out)


def _join(name: str, one: Table, two: Table, keys: tuple[str, ...], problems: list[Problem]) -> Table:
    """Return the rows of both; rows with one key must be the same, and parcels may not repeat at all."""
    known = {tuple(row[key] for key in keys): row for row in one} if keys else {}
    new: Table = []
    for row in two:
        key = tuple(row[column] for column in keys)
        if not keys or key not in known:
            new.append(row)
        elif name == "parcels" or known[key] != row:
            reason = "both packages have the parcel" if name == "parcels" else "the packages describe it differently"
            problems.append(told("merge_conflict", reason, table=name, column=keys[0], value=key[0]))
    return one + new
