"""The descriptor of a reference package, ``datapackage.json``, and all tables but the stones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from kpfootprint.errors import Problem, ReferenceDataError, SchemeMismatch
from kpfootprint.ingest.words import fold
from kpfootprint.scheme import Scheme

DESCRIPTOR = "datapackage.json"
SMALL_TABLES = ("zones", "zone_status", "parcels")


def fault(code: str, reason: str, *, table: str = DESCRIPTOR, column: str | None = None) -> ReferenceDataError:
    """Return the error of one thing that is wrong with a package."""
    return ReferenceDataError([Problem(table=table, column=column, code=code, reason=reason)])


def read_descriptor(folder: Path) -> dict[str, Any]:
    """Return ``datapackage.json``; raise `ReferenceDataError` where it is missing or lacks what we need."""
    path = folder / DESCRIPTOR
    if not path.is_file():
        raise fault("file_missing", f"there is no {DESCRIPTOR} in {folder.name or folder}")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise fault("bad_json", f"not JSON: {error}") from None
    if not isinstance(document, dict):
        raise fault("bad_json", "the descriptor must be an object")
    problems = [
        Problem(table=DESCRIPTOR, column=name, code="missing_value", reason=f"the member {name!r} must be {said}")
        for name, kind, said in (
            ("name", str, "a text"),
            ("version", str, "a text such as 2026.1"),
            ("synthetic", bool, "true or false"),
            ("attributes", list, "a list"),
            ("resources", list, "a list"),
        )
        if not isinstance(document.get(name), kind)
    ]
    named = {r.get("name") for r in document.get("resources") or () if isinstance(r, Mapping)}
    problems += [
        Problem(table=DESCRIPTOR, column="resources", code="missing_table", reason=f"the resource {name!r} is missing")
        for name in (*SMALL_TABLES, "stones")
        if name not in named
    ]
    problems += [
        Problem(table=DESCRIPTOR, column="resources", value=str(path), code="path_outside", reason="not a path inside")
        for path in (r.get("path") for r in document.get("resources") or () if isinstance(r, Mapping))
        if not isinstance(path, str) or PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts
    ]
    if problems:
        raise ReferenceDataError(problems)
    return document


def check_small_tables(folder: Path, document: Mapping[str, Any]) -> list[Problem]:
    """Check the descriptor and all tables but the stones with frictionless."""
    import frictionless

    small = [item for item in document["resources"] if item["name"] != "stones"]
    try:
        package = frictionless.Package.from_descriptor({**document, "resources": small}, basepath=str(folder))
        report = package.validate()
    except frictionless.FrictionlessException as error:
        return [_problem(DESCRIPTOR, item) for item in (error.reasons or [error.error])]
    found = [_problem(DESCRIPTOR, item) for item in report.errors]
    return found + [_problem(task.name, item) for task in report.tasks for item in task.errors]


def _problem(table: str, error: Any) -> Problem:
    row, cell = getattr(error, "row_number", None), getattr(error, "cell", None)
    return Problem(
        table=table,
        row=row if isinstance(row, int) else None,
        column=getattr(error, "field_name", None) or None,
        value=None if cell in (None, "") else str(cell),
        code=str(error.type).replace("-", "_"),
        reason=str(getattr(error, "note", None) or error.message),
    )


def scheme_of(document: Mapping[str, Any]) -> Scheme:
    """Build the scheme; the package's own sieve set is made from ``edges_ct`` where it is not spelt out."""
    sets = list(document.get("sieve_sets") or ())
    try:
        for item in document["attributes"]:
            if "sieve_set" not in item:
                continue
            edges = [float(edge) for edge in item["edges_ct"] if edge is not None]
            known = next((s for s in sets if s["name"] == item["sieve_set"]), None)
            if known is None:
                uppers: list[float | None] = [*edges[1:], None]
                sets.insert(
                    0,
                    {
                        "name": item["sieve_set"],
                        "classes": [_size_class(*pair) for pair in zip(edges, uppers, strict=True)],
                    },
                )
            elif [float(c["lower_ct"]) for c in known["classes"]] != edges[: len(known["classes"])]:
                raise SchemeMismatch(f"edges_ct and the classes of sieve set {known['name']!r} differ")
        scheme = Scheme.from_json({"attributes": document["attributes"], "sieve_sets": sets})
        _check_words(scheme)
    except SchemeMismatch as error:
        raise fault("bad_scheme", str(error), column="attributes") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise fault("bad_scheme", f"an attribute is badly declared: {error!r}", column="attributes") from None
    return scheme


def _size_class(lower: float, upper: float | None) -> dict[str, Any]:
    name = f"{lower:g}+" if upper is None else f"{lower:g}-{upper:g}"
    return {"size_class": name, "lower_ct": lower, "upper_ct": upper}


def _check_words(scheme: Scheme) -> None:
    """Refuse a word that stands for two classes of one attribute: it would be read as the first."""
    for attribute in scheme.categorical:
        meant: dict[str, str] = {}
        for item in attribute.classes:
            for word in (item.name, *item.labels.values(), *item.synonyms):
                other = meant.setdefault(fold(word), item.name)
                if other != item.name:
                    raise SchemeMismatch(f"{attribute.name}: {word!r} stands for {other} and for {item.name}")


def resource(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the resource of that name."""
    return next(item for item in document["resources"] if item["name"] == name)
