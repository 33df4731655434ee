"""A submission as a workbook in which what cannot be read is marked, with the reason beside it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import openpyxl
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill

from kpfootprint.errors import IngestError, Problem
from kpfootprint.ingest import Choices
from kpfootprint.ingest.files.archive import Budget, Limits, files_in, gunzip
from kpfootprint.ingest.files.workbook import is_book, read_workbook, sheets_in
from kpfootprint.ingest.names.headers import Headers, headers_of
from kpfootprint.ingest.words import vocabulary_of
from kpfootprint.visible import harmless, visible
from service.work.place import Workplace
from service.work.reading import rows_of_csv
from service.work.receive import read_submission

BAD = PatternFill("solid", start_color="FFC7B0", end_color="FFC7B0")
HEAD_ROWS = 20
MAX_CELLS = 2_000_000
TITLE_LENGTH = 31
_AS_WRITTEN = re.compile(r"(?=[-.0-9]{1,16}$)-?(0|[1-9][0-9]*)([.][0-9]+)?")
"""Numbers of which a workbook keeps every digit."""


def marked_copy(work: Workplace, name: str, content: bytes, choices: Choices) -> bytes:
    """Return an upload as a workbook with what is wrong in it, or the problems alone where no table can be had."""
    release = work.release()
    headers = headers_of(vocabulary_of(release.scheme, release.zone_table))
    try:
        problems = read_submission(work, name, content, choices).problems
    except IngestError as error:
        problems = error.problems
    try:
        return marked_workbook(name, content, problems, headers)
    except Exception:
        return marked_workbook("", b"", problems)


def marked_workbook(name: str, content: bytes, problems: Sequence[Problem], headers: Headers | None = None) -> bytes:
    """Return the tables of an upload as a workbook with the bad cells marked, and a sheet that lists all problems."""
    book = _workbook(name, content, headers)
    sheets = {sheet.title.casefold(): sheet for sheet in book.worksheets}
    for problem in problems:
        called = (name[:TITLE_LENGTH].casefold() for name in (problem.table, _stem(problem.table)))
        sheet = next((sheets[name] for name in called if name in sheets), None)
        if sheet is None or problem.row is None or not 1 <= problem.row <= sheet.max_row:
            continue
        for cell in _cells(sheet, problem):
            cell.fill = BAD
            before = "" if cell.comment is None else f"{cell.comment.text}\n"
            cell.comment = Comment(f"{before}{visible(problem.reason)}", "kpfootprint")
    listed = book.create_sheet("problems", 0)
    listed.append(["table", "row", "column", "value", "problem"])
    for problem in problems:
        listed.append([_shown(v) for v in (problem.table, problem.row, problem.column, problem.value, problem.reason)])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _shown(cell: Any) -> Any:
    """Return a cell that a workbook can hold and that no spreadsheet takes for a formula."""
    return harmless(visible(cell) if isinstance(cell, str) else cell)


def _cells(sheet: Any, problem: Problem) -> list[Any]:
    """Return the cell of a problem, or its row's where the whole row is meant."""
    row = list(sheet[problem.row])
    if problem.column is None:
        return [cell for cell in row if cell.value is not None] or row[:1]
    wanted = problem.column.strip().casefold()
    for above in sheet.iter_rows(min_row=1, max_row=min(HEAD_ROWS, problem.row or 1)):
        for cell in above:
            if str(cell.value or "").strip().casefold() == wanted:
                return [sheet.cell(row=problem.row, column=cell.column)]
    return row[:1]


def _workbook(name: str, content: bytes, headers: Headers | None) -> Any:
    """Return the values of an upload as a workbook; whatever else a workbook holds is not brought along."""
    book = openpyxl.Workbook()
    del book["Sheet"]
    cells = 0
    for title, rows in _rows(name, content, headers):
        sheet = book.create_sheet(title[:TITLE_LENGTH])
        for row in rows:
            cells += len(row)
            if cells > MAX_CELLS:
                return book
            sheet.append([_shown(cell) for cell in row])
    return book


def _rows(name: str, content: bytes, headers: Headers | None) -> Iterator[tuple[str, Iterable[Sequence[Any]]]]:
    budget = Budget(Limits())
    files = files_in(content, name, budget, []) if name.lower().endswith(".zip") else iter([(name, content)])
    for own, data in files:
        if is_book(own):
            read_workbook(data, own, budget)  # within its limits, or not at all
            yield from sheets_in(data, own)
        elif own.lower().removesuffix(".gz").endswith((".csv", ".tsv", ".txt")):
            plain = gunzip(data, own, budget) if own.lower().endswith(".gz") else data
            yield _stem(own), ([_number(cell) for cell in row] for _, row in rows_of_csv(plain, own, headers))


def _number(cell: str) -> Any:
    """Return a number where a text is one as people write them; names such as 007 or 1e5, and long ones, stay texts."""
    return float(cell) if _AS_WRITTEN.fullmatch(cell) else cell


def _stem(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2].partition(".")[0] or "table"
