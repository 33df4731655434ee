"""Reference packages on disk: read and checked whole, begun, and merged."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any

from kpfootprint.errors import IngestError, Problem, ReferenceDataError, SchemeMismatch
from kpfootprint.ingest.archive import Budget, gunzip, read_file
from kpfootprint.ingest.assemble import Submission, assemble
from kpfootprint.ingest.csvfile import read_csv
from kpfootprint.ingest.limits import Limits
from kpfootprint.ingest.tables import RawTable, recognise
from kpfootprint.ingest.words import Words, fold
from kpfootprint.reference import ReferencePackage, ZoneTable
from kpfootprint.scheme import Scheme

DESCRIPTOR = "datapackage.json"
SMALL_TABLES = ("zones", "zone_status", "parcels")
_LIMITS = Limits(max_rows=20_000_000, max_unpacked_bytes=4_000_000_000)


def load_package(folder: Path) -> ReferencePackage:
    """Read a reference package and check it whole.

    The descriptor and the small tables are checked by frictionless (schemas, keys, hashes), the stones by the
    vectorised checks of ingestion: known classes, weights, parcels, totals.

    Raises
    ------
    ReferenceDataError
        With every problem: table, row, column, value.
    """
    folder = Path(folder)
    document = read_descriptor(folder)
    problems = _check_small_tables(folder, document)
    if problems:
        raise ReferenceDataError(problems)
    words = Words(_scheme(document), ZoneTable(zones=(), periods=()))
    rows = {name: _rows(folder, document, name, words) for name in SMALL_TABLES}
    zone_table = _zone_table(rows["zones"], rows["zone_status"])
    batch = _parcels(folder, document, words).batch
    by_id = {row["parcel_id"]: row for row in rows["parcels"]}
    parcels = [by_id[parcel.parcel_id] for parcel in batch]
    return ReferencePackage(
        name=document["name"],
        version=document["version"],
        sha256=hashlib.sha256((folder / DESCRIPTOR).read_bytes()).hexdigest(),
        synthetic=document["synthetic"],
        scheme=words.scheme,
        zone_table=zone_table,
        batch=batch,
        zone_of=tuple(row["zone_id"] for row in parcels),
        collected_on=tuple(
            date.fromisoformat(row["collected_on"]) if row.get("collected_on") else None for row in parcels
        ),
    )


def validate_package(folder: Path) -> tuple[Problem, ...]:
    """Return every problem of a reference package; none means that it can be trained on."""
    try:
        load_package(folder)
    except ReferenceDataError as error:
        return error.problems
    return ()


def _fault(code: str, reason: str, *, table: str = DESCRIPTOR, column: str | None = None) -> ReferenceDataError:
    return ReferenceDataError([Problem(table=table, column=column, code=code, reason=reason)])


def read_descriptor(folder: Path) -> dict[str, Any]:
    """Return ``datapackage.json``; raise `ReferenceDataError` where it is missing or lacks what we need."""
    path = folder / DESCRIPTOR
    if not path.is_file():
        raise _fault("file_missing", f"there is no {DESCRIPTOR} in {folder.name or folder}")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise _fault("bad_json", f"not JSON: {error}") from None
    if not isinstance(document, dict):
        raise _fault("bad_json", "the descriptor must be an object")
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
    if problems:
        raise ReferenceDataError(problems)
    return document


def _check_small_tables(folder: Path, document: Mapping[str, Any]) -> list[Problem]:
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


def _scheme(document: Mapping[str, Any]) -> Scheme:
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
        raise _fault("bad_scheme", str(error), column="attributes") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _fault("bad_scheme", f"an attribute is badly declared: {error!r}", column="attributes") from None
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


def _resource(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return next(item for item in document["resources"] if item["name"] == name)


def _table(folder: Path, document: Mapping[str, Any], name: str, words: Words) -> RawTable:
    """Read one table of the package with the reader of ingestion."""
    path = folder / _resource(document, name)["path"]
    budget = Budget(_LIMITS)
    data = read_file(path, budget)
    if path.suffix == ".gz":
        data = gunzip(data, path.name, budget)
    return read_csv(data, name, path.name, words, _LIMITS)


def _rows(folder: Path, document: Mapping[str, Any], name: str, words: Words) -> list[dict[str, str]]:
    table = _table(folder, document, name, words)
    columns = {column.header: [str(column.cells[code]) for code in column.codes.tolist()] for column in table.columns}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _zone_table(zones: list[dict[str, str]], periods: list[dict[str, str]]) -> ZoneTable:
    table = ZoneTable.from_json(
        {"zones": zones, "zone_status": [{**row, "valid_to": row["valid_to"] or None} for row in periods]}
    )
    problems = []
    for one, two in combinations(table.periods, 2):
        if one.zone_id == two.zone_id and (one.covers(two.valid_from) or two.covers(one.valid_from)):
            reason = f"two periods of {one.zone_id} overlap, from {one.valid_from} and from {two.valid_from}"
            problems.append(
                Problem(table="zone_status", column="valid_from", code="overlapping_periods", reason=reason)
            )
    if problems:
        raise ReferenceDataError(problems)
    return table


def _parcels(folder: Path, document: Mapping[str, Any], words: Words) -> Submission:
    """Read parcels and stones; raise `ReferenceDataError` with every problem."""
    resource = _resource(document, "stones")
    problems: list[Problem] = []
    path = folder / resource["path"]
    if not path.is_file():
        raise _fault("file_missing", f"there is no {resource['path']}", table="stones")
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if str(resource.get("hash", "")).removeprefix("sha256:") not in ("", digest):
        problems.append(Problem(table="stones", value=digest, code="hash_count", reason="the file has another SHA-256"))
    try:
        raws = {name: _table(folder, document, name, words) for name in ("parcels", "stones")}
        tables = {name: recognise(raw, name, words, problems) for name, raw in raws.items()}
        submission = assemble(tables, words, _LIMITS, problems=problems)
    except IngestError as error:
        raise ReferenceDataError(error.problems) from None
    problems += submission.problems()
    if problems:
        raise ReferenceDataError(problems)
    return submission
