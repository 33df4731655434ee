"""Every table of a file, a folder or an archive."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from kpfootprint.errors import IngestError, Problem
from kpfootprint.ingest.archive import Budget, files_in, files_of, gunzip, read_file, refuse
from kpfootprint.ingest.cells import Cell, is_blank, read_date, text_of
from kpfootprint.ingest.csvfile import read_csv
from kpfootprint.ingest.declared import read_declarations
from kpfootprint.ingest.findings import Findings
from kpfootprint.ingest.headers import Headers
from kpfootprint.ingest.layout import understand
from kpfootprint.ingest.limits import Limits
from kpfootprint.ingest.meanings import Choices
from kpfootprint.ingest.recognise import close_to_a_table, recognise
from kpfootprint.ingest.rules import Broken, problem
from kpfootprint.ingest.tables import Column, RawTable, Table
from kpfootprint.ingest.words import TABLES, Words, fold, table_names
from kpfootprint.ingest.workbook import read_workbook

_TEXT = (".csv", ".tsv", ".txt")
_BOOKS = (".xlsx", ".ods", ".xls")
_TITLED = ("parcel_id", "certificate_no", "exporter", "exported_on", "sorter", "n_stones", "carats")
"""Fields of a parcel that titles above a table may give."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that is not on disk: its name, which is looked at and never used as a path, and its bytes."""

    name: str
    data: bytes


def stem(path: Path | Upload) -> str:
    """Return a file's name without its suffixes: ``stones.csv.gz`` is ``stones``."""
    name = PurePosixPath(path.name.replace("\\", "/")).name if isinstance(path, Upload) else path.name
    for suffix in (".gz", *_TEXT, *_BOOKS, ".zip", ".json"):
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            name = name[: -len(suffix)]
    return name


def read_tables(
    source: Path | Upload, words: Words, limits: Limits, choices: Choices, problems: list[Problem]
) -> dict[str, Table]:
    """Read and recognise every table of a file, a folder or an archive; faults are added to `problems`.

    Raises
    ------
    IngestError
        Where nothing is left that could be looked at further.
    """
    budget = Budget(limits)
    name = source.name
    if isinstance(source, Path) and not source.exists():
        raise refuse(name, "file_missing")
    several = name.lower().endswith(".zip") or (isinstance(source, Path) and source.is_dir())
    files: Iterator[tuple[str, bytes]]
    if not several:
        data = source.data if isinstance(source, Upload) else read_file(source, budget)
        files = iter([(name, data)])
    elif isinstance(source, Upload):
        files = files_in(source.data, name, budget, limits)
    else:
        files = files_of(source, budget, limits)
    raws: list[RawTable] = []
    passed: list[str] = []
    for file, data in files:
        try:
            found = _read_one(file, data, words, budget, limits, lenient=several)
            raws += found
            passed += [] if found else [file]
        except IngestError as error:
            problems += error.problems
    tables = _recognise_all(raws, Headers(words), choices, problems)
    if passed and tables:
        next(iter(tables.values())).trace.passed_over.extend(passed)
    rows = sum(table.n_rows for kind, table in tables.items() if kind in ("stones", "counts"))
    if rows == 0 and "declarations" in tables and tables["declarations"].complete and not problems:
        problems += _declared_alone(tables["declarations"], words, limits)
    if rows == 0 and not problems:
        problems.append(problem(Broken("no_stones" if tables else "no_tables"), table=name))
    if rows == 0:
        raise IngestError(problems)
    return tables


def _declared_alone(table: Table, words: Words, limits: Limits) -> list[Problem]:
    findings = Findings(limits.max_problems)
    declared = read_declarations(table, None if "parcel_id" in table.columns else "parcel", words, findings)
    found = list(findings.all())
    sums: dict[str, float] = {}
    for parts in declared.values():
        for zone, part in parts.zones.items():
            sums[zone] = sums.get(zone, 0.0) + (part.carats or 0.0)
    zones = ", ".join(f"{zone} {carats:.2f} ct" for zone, carats in sums.items()) or "zones"
    return [*found, table.problem(Broken("declarations_alone", {"zones": zones}))]


def _read_one(name: str, data: bytes, words: Words, budget: Budget, limits: Limits, *, lenient: bool) -> list[RawTable]:
    lower = name.lower()
    if lower.endswith(".gz"):
        data, lower = gunzip(data, name, budget), lower.removesuffix(".gz")
        if not lower.endswith(_TEXT):
            lower += ".csv"
    own = PurePosixPath(name.replace("\\", "/")).name
    if lower.endswith(_TEXT):
        if lenient and lower.endswith(".txt") and not _named_like_a_table(own):
            return []
        return [read_csv(data, stem(Path(own)), name, words, limits)]
    if lower.endswith(_BOOKS):
        return read_workbook(data, name, budget, limits, words)
    if lenient and not lower.endswith((".xlsm", ".xlsb", ".zip", ".json")) and not _named_like_a_table(own):
        return []
    raise refuse(name, "unknown_file_kind")


def _named_like_a_table(name: str) -> bool:
    """Say whether the first part of a file's name is a table's, or nearly so: ``declaratoins.csv.bak``."""
    first = fold(name.partition(".")[0])
    known = list(table_names())
    return len(first) >= 4 and (first in known or bool(difflib.get_close_matches(first, known, n=1, cutoff=0.85)))


def _recognise_all(
    raws: list[RawTable], headers: Headers, choices: Choices, problems: list[Problem]
) -> dict[str, Table]:
    tables: dict[str, Table] = {}
    names = table_names()
    several = len(raws) > 1
    first = ("parcels", "declarations")
    for raw in sorted(raws, key=lambda raw: names.get(fold(raw.name)) not in first):
        hint = names.get(fold(raw.name))
        answers = _choices_of(raw, choices, _ids_of(tables), headers)
        found = _tables_of(raw, hint, headers, answers, problems, several=several)
        if not found and raw.columns:
            if not several and not problems:
                recognise(raw, "stones", headers.words, problems)
            elif several and hint is None and close_to_a_table(raw.name):
                problems.append(problem(Broken("unknown_table", {"known": ", ".join(TABLES)}), table=raw.name))
        for table in found:
            if table.kind in tables and table is not found[0]:
                continue  # zones beside stones do not go before a table of declarations
            if table.kind in tables:
                other = tables[table.kind].name
                problems.append(problem(Broken("table_twice", {"other": other}), table=table.name))
            else:
                tables[table.kind] = table
    if "parcels" not in tables:
        titles = [title for raw in raws if (title := _titles(raw, headers.words)) is not None]
        if len(titles) == 1 and raws:
            tables["parcels"] = titles[0]
    return tables


def _tables_of(
    raw: RawTable, hint: str | None, headers: Headers, choices: Choices, problems: list[Problem], *, several: bool
) -> list[Table]:
    words = headers.words
    folded = {fold(column.header) for column in raw.columns}
    parcels = {words.columns("parcels").get(name) for name in folded} - {None}
    sizes = {words.columns("size_classes").get(name) for name in folded} - {None}
    attributes = {item.column for item in words.scheme.categorical} | {"size_class"}
    others = [column.header for column in raw.columns if fold(column.header) not in words.columns("parcels")]
    classed = any((meaning := headers.of(header)).role in attributes or meaning.wide for header in others)
    measured = {"n_stones", "carats"} & {headers.of(column.header).role for column in raw.columns}
    if not measured and (hint == "size_classes" or {"size_class", "lower_ct"} <= sizes):
        return [recognise(raw, "size_classes", words, problems)]
    own = parcels - {"parcel_id", "n_stones", "carats", "value_usd"}
    if several and not classed and (hint == "parcels" or (hint is None and "parcel_id" in parcels and own)):
        return [recognise(raw, "parcels", words, problems)]
    before = len(problems)
    if hint == "declarations" and several:
        return [recognise(raw, "declarations", words, problems)]
    found = understand(raw, hint if several else None, headers, choices, problems)
    if not found and len(problems) == before and hint is not None and several:
        return [recognise(raw, hint, words, problems)]
    return found


def _titles(raw: RawTable, words: Words) -> Table | None:
    """Read what titles above a table say of the parcel: ``Parcel | CAR-2019-07``, ``Exporter: A``."""
    known = words.columns("parcels")
    found: dict[str, tuple[str, Cell]] = {}
    row = 0
    for line, cells in raw.titles:
        filled = [cell for cell in cells if not is_blank(cell)]
        pairs: list[tuple[str, Cell]] = []
        for at, cell in enumerate(filled):
            text = text_of(cell)
            key, colon, said = text.partition(":")
            if colon and said.strip():
                pairs.append((key, said.strip()))
            elif at + 1 < len(filled) and not text_of(filled[at + 1]).endswith(":"):
                pairs.append((text.rstrip(": "), filled[at + 1]))
        for key, value in pairs:
            name = known.get(fold(key))
            if name in _TITLED and name not in found and not _is_odd(name, value):
                found[name] = (key, value)
                row = line
    if not found:
        return None
    columns = {name: Column(key, [value], np.zeros(1, dtype=np.int32)) for name, (key, value) in found.items()}
    rows = np.array([row], dtype=np.int32)
    return Table(
        kind="parcels", name=raw.name, columns=columns, n_rows=1, rows=rows, ragged={}, n_columns=1, typed=False
    )


def _is_odd(name: str, value: Cell) -> bool:
    """Say whether a title's value is none of its field, so that the title is a title and no more."""
    if name == "exported_on":
        return not hasattr(read_date(value), "year")
    if name in ("n_stones", "carats"):
        text = text_of(value).replace(" ", "").replace(",", ".").removesuffix("ct").removesuffix("cts")
        try:
            return not float(text) > 0
        except ValueError:
            return True
    return len(text_of(value)) > 80


def _choices_of(raw: RawTable, choices: Choices, ids: set[str], headers: Headers) -> Choices:
    """Take lots for parcels where a table of parcels or declarations has the same ids."""
    for column in raw.columns if ids else ():
        if headers.of(column.header).role == "lot":
            used = [column.cells[code] for code in np.unique(column.codes).tolist()]
            if all(is_blank(cell) or text_of(cell) in ids for cell in used):
                return {**choices, "lots": "parcels"}
    return choices


def _ids_of(tables: Mapping[str, Table]) -> set[str]:
    return {
        text_of(cell)
        for kind in ("parcels", "declarations")
        if kind in tables and "parcel_id" in tables[kind].columns
        for cell in tables[kind].columns["parcel_id"].cells
        if not is_blank(cell)
    }
