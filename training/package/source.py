"""Where a reference package may lie: a folder, a .zip of one, or an .xlsx workbook; unpacked within limits."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from kpfootprint.errors import IngestError, Problem, ReferenceDataError
from kpfootprint.ingest.files.archive import Budget, read_file, unzipped
from kpfootprint.ingest.files.workbook import read_workbook
from kpfootprint.ingest.problems import Broken, problem
from kpfootprint.ingest.raw.cells import Cell, DecimalMarks, Odd, read_number, read_yes_or_no
from kpfootprint.ingest.raw.tables import RawTable
from kpfootprint.ingest.words import declared_words, fold
from kpfootprint.reference import shipped_reference
from kpfootprint.retold import LANGUAGES, Said
from kpfootprint.strict_json import NotJson, read_json
from training.package.column_names import column_meant
from training.package.descriptor import DESCRIPTOR, LIMITS, SMALL_TABLES, fault, read_descriptor, refuse_if, told
from training.package.seal import seal, write_descriptor, write_table

PACKAGE, ATTRIBUTES = "package", "attributes"
_TABLES = (*SMALL_TABLES, "stones")


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Give the folder of a package; what was unpacked for it is gone afterwards.

    Raises
    ------
    ReferenceDataError
        Where it is none of the three, or is damaged, too large, or reaches outside itself.
    """
    path = Path(path)
    if not path.exists():
        raise fault("file_missing", "there is no file {path}", table=path.name, path=path)
    if not path.is_dir() and (path.suffix.lower() not in (".zip", ".xlsx") or not path.is_file()):
        raise fault("file_missing", "{path} is no folder, .zip or .xlsx", table=path.name, path=path)
    is_book = path.suffix.lower() == ".xlsx"
    try:
        if path.is_dir():
            yield path
            return
        is_book = is_book or _is_workbook(path)
        with tempfile.TemporaryDirectory(prefix="kpfootprint-package-") as made:
            yield (_from_workbook if is_book else _from_zip)(path, Path(made))
    except IngestError as error:
        raise ReferenceDataError(error.problems) from None
    except ReferenceDataError as error:
        if not is_book:
            raise
        raise ReferenceDataError(map(_of_sheet, error.problems)) from None


def _is_workbook(path: Path) -> bool:
    """Say whether an archive is a workbook under another name, as one is that was sent."""
    budget = Budget(LIMITS)
    with unzipped(read_file(path, budget), path.name, budget) as inside:
        return "xl/workbook.xml" in dict(inside)


def _of_sheet(problem: Problem) -> Problem:
    """Return a problem of the descriptor as one of the sheet that it was made from."""
    if problem.table != DESCRIPTOR:
        return problem
    if problem.column == ATTRIBUTES:
        return replace(problem, table=ATTRIBUTES, column=None)
    return replace(problem, table=PACKAGE)


def _from_zip(path: Path, into: Path) -> Path:
    """Unpack an archive; the package may lie in a folder inside it."""
    budget = Budget(LIMITS)
    with unzipped(read_file(path, budget), path.name, budget) as inside:
        members = {name.replace("\\", "/"): unpack for name, unpack in inside}
        found = [PurePosixPath(name) for name in members if PurePosixPath(name).name == DESCRIPTOR]
        if not found:
            said: dict[str, Any] = {"table": path.name, "descriptor": DESCRIPTOR, "folder": path.name}
            if packed := [name for name in members if PurePosixPath(name).suffix.lower() in (".zip", ".xlsx")]:
                reason = "there is no {descriptor} in {folder}, but {inside}; give that file itself"
                raise fault("file_missing", reason, **said, inside=packed[0])
            raise fault("file_missing", "there is no {descriptor} in {folder}", **said)
        outer = min(len(name.parts) for name in found)
        if len(roots := sorted(str(name.parent) for name in found if len(name.parts) == outer)) > 1:
            reason = "it holds several packages: {names}; give one of them"
            raise fault("table_twice", reason, table=path.name, names=", ".join(roots))
        root = PurePosixPath(roots[0])
        for name, unpack in members.items():
            if not PurePosixPath(name).is_relative_to(root):
                continue
            target = into / PurePosixPath(name).relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(unpack())
    return into


def _from_workbook(path: Path, into: Path) -> Path:
    """Write the sheets of a workbook as a package: `package` (names and values), and one sheet a table."""
    budget = Budget(LIMITS)
    read = read_workbook(read_file(path, budget), f"{path.stem}.xlsx", budget)
    names = _sheet_names()
    sheets: dict[str, RawTable] = {}
    for raw in read:
        key = fold(names.get(fold(raw.name), raw.name))
        if sheets.setdefault(key, raw) is not raw and key in names:
            raise fault("table_twice", "the resource {name} is declared twice", table=raw.name, name=repr(names[key]))
    missing = [name for name in (PACKAGE, "zones", "parcels", "stones") if fold(name) not in sheets]
    if missing:
        reason = "a reference workbook needs the sheets {missing}; it has {sheets}"
        has = ", ".join(raw.name for raw in sheets.values()) or "–"
        raise fault("missing_table", reason, table=path.name, missing=", ".join(missing), sheets=has)
    known = {names[key]: replace(raw, name=names[key]) for key, raw in sheets.items() if key in names}
    columns = {fold(column.header) for column in known["stones"].columns if not column.empty}
    for key, raw in sheets.items():
        if columns and key not in names and columns <= {fold(column.header) for column in raw.columns}:
            reason = (
                "the sheet has the columns of stones and is not read; put its rows on the sheet stones, or take it out"
            )
            raise fault("unlisted_table", reason, table=raw.name)
    document = _members(known[PACKAGE])
    if ATTRIBUTES in known:
        listed, shipped = _attributes(known[ATTRIBUTES]), read_descriptor(shipped_reference())
        (size,) = (item for item in shipped["attributes"] if "edges_ct" in item)
        own = listed.get("size", {})
        if own.keys() & {"edges_ct", "classes"}:
            listed["size"] = {name: size[name] for name in ("labels", "synonyms")} | own
        else:
            listed["size"] = size | own
            document["sieve_sets"] = [*shipped["sieve_sets"], *document.get("sieve_sets", ())]
        document["attributes"] = list(listed.values())
    document["resources"] = [_resource(into, name, known[name]) for name in _TABLES if name in known]
    write_descriptor(into, document)
    seal(into)
    return into


def _rows(raw: RawTable) -> list[list[str]]:
    refuse_if([*_odd(raw)])
    columns = [[_text(column.cells[code]) for code in column.codes.tolist()] for column in raw.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def _sheet_names() -> dict[str, str]:
    """Return how the sheets may be called, by their letters and digits."""
    words = declared_words()["tables"]
    called = {
        "zone_status": ["status", "statut", "statuts", "statut des zones", "statuts des zones"],
        PACKAGE: ["paquet", "jeu", "jeu de reference"],
        ATTRIBUTES: ["attribut", "attributs", "caracteres"],
        "parcels": words["parcels"],
        "stones": words["stones"],
    }
    named = {fold(word): name for name, others in called.items() for word in others}
    return named | {fold(name): name for name in (*_TABLES, PACKAGE, ATTRIBUTES)}


def _odd(raw: RawTable) -> Iterator[Problem]:
    """Give the cells that hold no value: formulas, and of each row the first that is struck out, filled or the like."""
    told_of: set[tuple[int, str]] = set()
    for column in raw.columns:
        odd = {code for code, cell in enumerate(column.cells) if isinstance(cell, Odd)}
        for row in [row for row, code in enumerate(column.codes.tolist()) if code in odd] if odd else ():
            cell = column.at(row)
            assert isinstance(cell, Odd)
            place: dict[str, Any] = {"table": raw.name, "row": raw.line(row), "column": column.header}
            if cell.code == "formula_cell":
                reason = "the cell holds a formula ({cell}); put its value in its place"
                yield told(cell.code, reason, **place, cell=cell)
            elif (row, cell.code) not in told_of:
                told_of.add((row, cell.code))
                yield problem(Broken(cell.code), **place, value=str(cell))


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == datetime.min.time() else cell.isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _members(raw: RawTable) -> dict[str, Any]:
    """Return the members that the sheet `package` names; what it leaves out is as in the package that comes along."""
    pairs = [[column.header for column in raw.columns], *_rows(raw)]
    if fold(pairs[0][0]) in ("name", "nom") and fold((pairs[0] + [""])[1]) in ("value", "valeur", "values", "valeurs"):
        pairs = pairs[1:]
    shipped = read_descriptor(shipped_reference())
    document: dict[str, Any] = {"profile": "tabular-data-package"}
    attributes: list[Any] = []
    for name, value, *_ in ([*pair, ""] for pair in pairs):
        member = name.strip().casefold().replace(" ", "_")
        if not member or not value:
            continue
        if member in ("attributes", "attribute"):
            attributes += _listed(raw.name, member, value)
        elif member in ("sieve_sets", "sieve_set"):
            document["sieve_sets"] = [*document.get("sieve_sets", []), *_listed(raw.name, member, value)]
        elif member == "synthetic":
            document[member] = _yes(raw.name, value)
        else:
            document[member] = value
    document["attributes"] = attributes or shipped["attributes"]
    if not attributes:
        document.setdefault("sieve_sets", shipped["sieve_sets"])
    return document


def _listed(sheet: str, member: str, value: str) -> list[Any]:
    """Return what a cell holds in JSON, as a list."""
    try:
        read = read_json(value)
    except NotJson as error:
        said = {"name": member, "fault": Said("not JSON: {error}", error=error)}
        raise fault("bad_json", "{name}: {fault}", table=sheet, column="value", **said) from None
    return read if isinstance(read, list) else [read]


def _yes(sheet: str, value: str) -> bool:
    if isinstance(answer := read_yes_or_no(value), bool):
        return answer
    reason = Said("synthetic: {value} is neither yes nor no", value=repr(value))
    raise fault("not_yes_or_no", reason, table=sheet, column="value")


COLUMNS = ("attribute", "column", "class", "lower_ct", "sieve_set", "synonyms", *LANGUAGES)
"""Columns of the sheet `attributes`."""


def _attributes(raw: RawTable) -> dict[str, dict[str, Any]]:
    """Return by name the attributes of a sheet with a row for each class, or for the lower limit of each size.

    A row without either gives labels and synonyms of the attribute itself.
    """
    names = {fold(name): name for name in (*COLUMNS, "name")}
    headers = [names.get(fold(column.header), "") for column in raw.columns]
    unknown = [column.header for column, name in zip(raw.columns, headers, strict=True) if not name]
    if unknown:
        reason = "unknown here; known are {names}"
        raise fault("unknown_column", reason, table=raw.name, column=unknown[0], names=", ".join(COLUMNS))
    out: dict[str, dict[str, Any]] = {}
    for number, values in enumerate(_rows(raw)):
        row = dict(zip(headers, values, strict=True))
        name = row.get("attribute", "") or row.get("name", "")
        if not name and any(values):
            blank = problem(Broken("missing_value"), table=raw.name, row=raw.line(number), column="attribute")
            raise ReferenceDataError([blank])
        if not name:
            continue
        lower = row.get("lower_ct", "")
        column = row.get("column") or ("weight_ct" if name == "size" else name)
        item = out.setdefault(name, {"name": name, "column": column})
        if lower:
            edge = read_number(lower, DecimalMarks())
            if isinstance(edge, Broken):
                raise ReferenceDataError(
                    [problem(edge, table=raw.name, row=raw.line(number), column="lower_ct", value=lower)]
                )
            item.setdefault("sieve_set", row.get("sieve_set") or "own")
            item.setdefault("edges_ct", []).append(edge)
            continue
        labels = {lang: row[lang] for lang in LANGUAGES if row.get(lang)}
        synonyms = [word.strip() for word in row.get("synonyms", "").split(";") if word.strip()]
        words = {"labels": labels, "synonyms": synonyms}
        if not row.get("class") and any(words.values()):
            item |= words
        else:
            item.setdefault("classes", []).append({"name": row.get("class", "")} | words)
    return out


def _resource(folder: Path, name: str, raw: RawTable) -> Mapping[str, Any]:
    """Write a sheet as CSV and return its resource; ids are unique where they name the row."""
    headers = [column_meant(column.header.strip(), name, {}) for column in raw.columns]
    lines = [raw.header_rows[-1], *(raw.line(at) or 0 for at in range(raw.n_rows))]
    rows = ([" ".join(cell.split()) for cell in row] for row in _rows(raw))
    write_table(folder / f"{name}.csv", headers, rows, lines)
    fields = [{"name": header, "type": "string"} for header in headers]
    keys = {"zones": "zone_id", "parcels": "parcel_id"}
    schema: dict[str, Any] = {"fields": fields, "missingValues": [""]}
    if keys.get(name) in headers:
        schema["primaryKey"] = [keys[name]]
    return {"name": name, "path": f"{name}.csv", "format": "csv", "schema": schema}
