"""Every table of a file, a folder or an archive."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kpfootprint.errors import IngestError, Problem
from kpfootprint.ingest.archive import Budget, Limits, files_in, files_of, gunzip, read_file, refuse, shown_name
from kpfootprint.ingest.cells import is_blank, text_of
from kpfootprint.ingest.csvfile import read_csv
from kpfootprint.ingest.headers import Headers
from kpfootprint.ingest.meanings import Choices
from kpfootprint.ingest.recognise import recognise_all
from kpfootprint.ingest.records import read_declarations
from kpfootprint.ingest.rules import Broken, problem
from kpfootprint.ingest.tables import Findings, RawTable, Table
from kpfootprint.ingest.words import Words, declared_words, fold, plain, table_names
from kpfootprint.ingest.workbook import read_workbook
from kpfootprint.visible import FORMULA
from kpfootprint.wanted import each

_TEXT = (".csv", ".tsv", ".txt")
_BOOKS = (".xlsx", ".ods", ".xls")


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
    budget, headers, name = Budget(limits), Headers(words), source.name
    if isinstance(source, Path) and not source.exists():
        raise refuse(name, "file_missing")
    several = name.lower().endswith(".zip") or (isinstance(source, Path) and source.is_dir())
    files: Iterator[tuple[str, bytes]]
    hidden: list[str] = []
    if not several:
        data = source.data if isinstance(source, Upload) else read_file(source, budget)
        files = iter([(name, data)])
    elif isinstance(source, Upload):
        files = files_in(source.data, name, budget, limits, hidden)
    else:
        files = files_of(source, budget, limits, hidden)
    raws: list[RawTable] = []
    passed: list[str] = []
    seen: set[str] = set()
    for file, data in each(files):
        seen.add(PurePosixPath(file).name.casefold())
        try:
            found = _read_one(file, data, headers, budget, limits, lenient=several)
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
    kept = [raw for raw in raws if len(raws) == 1 or fold(raw.name) not in declared_words()["words"]["tables"]]
    chosen: dict[str, str] = {}
    for raw in raws:
        chosen |= {} if raw in kept else _words_in(raw, problems)
    tables = recognise_all(kept, headers, chosen | dict(choices), problems)
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


def words_of(upload: Upload, limits: Limits | None = None) -> dict[str, str]:
    r"""Read a table of words, as choices: ``attribute;word;class`` says which class a word of one's own stands for.

    Raises
    ------
    IngestError
        With every problem.

    Examples
    --------
    >>> from kpfootprint.ingest import Upload, words_of
    >>> words_of(Upload("words.csv", b"attribute,word,class\ncolour,BRN2,brown\n"))
    {'colour:BRN2': 'brown'}
    """
    problems: list[Problem] = []
    limits = limits or Limits()
    found = _read_one(upload.name, upload.data, None, Budget(limits), limits, lenient=False)
    chosen = _words_in(found[0], problems) if found else {}
    if problems:
        raise IngestError(problems)
    return chosen


def _words_in(raw: RawTable, problems: list[Problem]) -> dict[str, str]:
    known: dict[str, list[str]] = declared_words()["words"]
    places = {}
    for name in ("attribute", "word", "class"):
        at = next((at for at, item in enumerate(raw.columns) if fold(item.header) in known[name]), None)
        if at is None:
            headers = ", ".join(column.header for column in raw.columns) or "none"
            broken = Broken("missing_column", {"column": name, "headers": headers})
            problems.append(problem(broken, table=raw.name, column=name))
        else:
            places[name] = raw.columns[at]
    chosen: dict[str, str] = {}
    for row in range(raw.n_rows if len(places) == 3 else 0):
        cells = {name: column.at(row) for name, column in places.items()}
        for name, cell in cells.items():
            if is_blank(cell):
                problems.append(problem(Broken("missing_value"), table=raw.name, row=raw.line(row), column=name))
        if any(map(is_blank, cells.values())):
            continue
        word, answer = (_without_mark(text_of(cells[name])) for name in ("word", "class"))
        if chosen.setdefault(f"{text_of(cells['attribute'])}:{word}", answer) != answer:
            broken = Broken("word_twice", {"word": word})
            problems.append(problem(broken, table=raw.name, row=raw.line(row), column="word", value=word))
    return chosen


def _without_mark(text: str) -> str:
    """Return a text without the apostrophe by which spreadsheets are told that it is one."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text


def _declared_alone(table: Table, words: Words, limits: Limits) -> list[Problem]:
    findings = Findings(limits.max_problems)
    declared = read_declarations(table, None if "parcel_id" in table.columns else "parcel", words, findings)
    found = list(findings.all())
    sums: dict[str, list[float]] = {}
    for parts in declared.values():
        for zone, part in parts.zones.items():
            of = sums.setdefault(zone, [0.0, 0.0])
            of[0], of[1] = of[0] + (part.carats or 0.0), of[1] + (part.percent or 0.0)
    told = [
        f"{zone} {percent:g}%" if percent else f"{zone} {carats:.2f} ct" for zone, (carats, percent) in sums.items()
    ]
    zones = ", ".join(told) or "zones"
    return [*found, table.problem(Broken("declarations_alone", {"zones": zones}))]


def _read_one(
    name: str, data: bytes, headers: Headers | None, budget: Budget, limits: Limits, *, lenient: bool
) -> list[RawTable]:
    lower = name.lower()
    if lower.endswith(".gz"):
        data, lower = gunzip(data, name, budget), lower.removesuffix(".gz")
        if not lower.endswith(_TEXT):
            lower += ".csv"
    own = PurePosixPath(name.replace("\\", "/")).name
    if lenient and fold(stem(Path(own))) in declared_words()["words"]["tables"]:
        headers = None
    if lower.endswith(_TEXT):
        if lenient and lower.endswith(".txt") and not _named_like_a_table(own):
            return []
        return [read_csv(data, stem(Path(own)), name, headers, limits)]
    if lower.endswith(_BOOKS):
        return read_workbook(data, name, budget, limits, headers)
    if lenient and not lower.endswith((".xlsm", ".xlsb", ".zip", ".json")) and not _named_like_a_table(own):
        return []
    raise refuse(name, "unknown_file_kind")


def _named_like_a_table(name: str) -> bool:
    """Say whether a file's name is a table's, or nearly so: ``declaratoins.csv.bak``, ``Copy of stones (2).csv~``."""
    words = re.split(r"[\W\d_]+", plain(name.partition(".")[0]))
    first = fold(" ".join(word for word in words if word not in declared_words()["files"]["copies"]))
    known = list(table_names())
    return len(first) >= 4 and (first in known or bool(difflib.get_close_matches(first, known, n=1, cutoff=0.85)))
