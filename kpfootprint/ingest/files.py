"""Every table of a file, a folder or an archive."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from kpfootprint.errors import IngestError, Problem
from kpfootprint.ingest.archive import Budget, files_of, gunzip, read_file, refuse
from kpfootprint.ingest.csvfile import read_csv
from kpfootprint.ingest.limits import Limits
from kpfootprint.ingest.recognise import close_to_a_table, guess_kind, recognise
from kpfootprint.ingest.rules import Broken, problem
from kpfootprint.ingest.tables import RawTable, Table
from kpfootprint.ingest.words import TABLES, Words, fold, table_names
from kpfootprint.ingest.workbook import read_workbook

_TEXT = (".csv", ".tsv", ".txt")


def stem(path: Path) -> str:
    """Return a file's name without its suffixes: ``stones.csv.gz`` is ``stones``."""
    name = path.name
    for suffix in (".gz", *_TEXT, ".xlsx", ".zip"):
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            name = name[: -len(suffix)]
    return name


def read_tables(path: Path, words: Words, limits: Limits, problems: list[Problem]) -> dict[str, Table]:
    """Read and recognise every table of a file, a folder or an archive; faults are added to `problems`.

    Raises
    ------
    IngestError
        Where nothing is left that could be looked at further.
    """
    if not path.exists():
        raise refuse(path.name, "file_missing")
    budget = Budget(limits)
    several = path.is_dir() or path.suffix.lower() == ".zip"
    files = files_of(path, budget, limits) if several else iter([(path.name, read_file(path, budget))])
    raws: list[RawTable] = []
    for name, data in files:
        try:
            raws += _read_one(name, data, words, budget, limits, lenient=several)
        except IngestError as error:
            problems += error.problems
    tables = _recognise_all(raws, words, problems)
    rows = sum(table.n_rows for kind, table in tables.items() if kind in ("stones", "counts"))
    if rows == 0 and not problems:
        problems.append(problem(Broken("no_stones" if tables else "no_tables"), table=path.name))
    if rows == 0:
        raise IngestError(problems)
    return tables


def _read_one(name: str, data: bytes, words: Words, budget: Budget, limits: Limits, *, lenient: bool) -> list[RawTable]:
    lower = name.lower()
    if lower.endswith(".gz"):
        data, lower = gunzip(data, name, budget), lower.removesuffix(".gz")
        if not lower.endswith(_TEXT):
            lower += ".csv"
    if lower.endswith(_TEXT):
        if lenient and lower.endswith(".txt"):
            return []
        return [read_csv(data, stem(Path(PurePosixPath(name).name)), name, words, limits)]
    if lower.endswith(".xlsx"):
        return read_workbook(data, name, budget, limits)
    if lenient and not lower.endswith((".xls", ".xlsm", ".ods", ".zip", ".json")):
        return []
    raise refuse(name, "unknown_file_kind")


def _recognise_all(raws: list[RawTable], words: Words, problems: list[Problem]) -> dict[str, Table]:
    tables: dict[str, Table] = {}
    names = table_names()
    for raw in raws:
        kind = names.get(fold(raw.name)) or guess_kind(raw, words)
        if kind is None and raw.columns:
            if len(raws) == 1:
                recognise(raw, "stones", words, problems)
            elif close_to_a_table(raw.name):
                problems.append(problem(Broken("unknown_table", {"known": ", ".join(TABLES)}), table=raw.name))
        elif kind is not None and kind in tables:
            problems.append(problem(Broken("table_twice", {"other": tables[kind].name}), table=raw.name))
        elif kind is not None:
            tables[kind] = recognise(raw, kind, words, problems)
    return tables
