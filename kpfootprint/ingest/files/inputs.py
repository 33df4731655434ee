"""The raw tables of whatever is handed in: a file, an upload, a folder, an archive."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kpfootprint.errors import IngestError, Problem
from kpfootprint.ingest.files.archive import Budget, files_in, files_of, gunzip, read_file, refuse, shown_name
from kpfootprint.ingest.files.csvfile import read_csv
from kpfootprint.ingest.files.workbook import BOOKS, is_book, read_workbook
from kpfootprint.ingest.names.headers import Headers
from kpfootprint.ingest.problems import Broken, problem
from kpfootprint.ingest.raw.tables import RawTable
from kpfootprint.ingest.words import declared_words, fold, plain, table_names, word_tables
from kpfootprint.wanted import each

_TEXT = (".csv", ".tsv", ".txt")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that is not on disk: its name, which is looked at and never used as a path, and its bytes."""

    name: str
    data: bytes


def stem(path: Path | Upload) -> str:
    """Return a file's name without its suffixes: ``stones.csv.gz`` is ``stones``."""
    name = PurePosixPath(path.name.replace("\\", "/")).name if isinstance(path, Upload) else path.name
    for suffix in (".gz", *_TEXT, *BOOKS, ".zip", ".json"):
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            name = name[: -len(suffix)]
    return name


def tables_in(
    source: Path | Upload, headers: Headers, budget: Budget, problems: list[Problem]
) -> tuple[list[RawTable], list[str]]:
    """Return the tables of a file, a folder or an archive, and the files passed over; faults are added to `problems`.

    Raises
    ------
    IngestError
        Where there is nothing of that name, or its kind is not known.
    """
    if isinstance(source, Path) and not source.exists():
        raise refuse(source.name, "file_missing")
    hidden: list[str] = []
    folder = source if isinstance(source, Path) and source.is_dir() else None
    several = folder is not None or source.name.lower().endswith(".zip")
    if folder is not None:
        files = files_of(folder, budget, hidden)
    else:
        data = source.data if isinstance(source, Upload) else read_file(source, budget)
        files = files_in(data, source.name, budget, hidden) if several else iter([(source.name, data)])
    raws: list[RawTable] = []
    passed: list[str] = []
    seen: set[str] = set()
    for file, data in each(files):
        seen.add(PurePosixPath(file).name.casefold())
        try:
            found = read_one(file, data, headers, budget, lenient=several)
            raws += found
            passed += [] if found else [file]
        except IngestError as error:
            problems += error.problems
    for file in hidden:
        shown = shown_name(file)
        if _named_like_a_table(shown) and shown.casefold() not in seen:
            problems.append(problem(Broken("hidden_table", {"name": shown}), table=file))
        elif _named_like_a_table(shown) and "._" not in file:
            passed.append(file)
    return raws, passed


def read_one(name: str, data: bytes, headers: Headers | None, budget: Budget, *, lenient: bool) -> list[RawTable]:
    """Return the tables of one file; `lenient` towards files of other kinds, of which none is expected."""
    lower = name.lower()
    if lower.endswith(".gz"):
        data, lower = gunzip(data, name, budget), lower.removesuffix(".gz")
        if not lower.endswith(_TEXT):
            lower += ".csv"
    own = PurePosixPath(name.replace("\\", "/")).name
    if lenient and fold(stem(Path(own))) in word_tables():
        headers = None
    if lower.endswith(_TEXT):
        if lenient and lower.endswith(".txt") and not _named_like_a_table(own):
            return []
        return [read_csv(data, stem(Path(own)), name, headers, budget.limits)]
    if is_book(lower):
        return read_workbook(data, name, budget, headers)
    if lenient and not lower.endswith((".xlsb", ".zip", ".json")) and not _named_like_a_table(own):
        return []
    raise refuse(name, "unknown_file_kind")


def _named_like_a_table(name: str) -> bool:
    """Say whether a file's name is a table's, or nearly so: ``declaratoins.csv.bak``, ``Copy of stones (2).csv~``."""
    words = re.split(r"[\W\d_]+", plain(name.partition(".")[0]))
    first = fold(" ".join(word for word in words if word not in declared_words()["files"]["copies"]))
    known = list(table_names())
    return len(first) >= 4 and (first in known or bool(difflib.get_close_matches(first, known, n=1, cutoff=0.85)))
