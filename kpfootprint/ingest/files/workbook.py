"""Workbooks (.xlsx, .ods, .xls): one sheet a table, cells as the workbook types them."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from functools import partial
from html import unescape
from itertools import chain, islice
from multiprocessing.connection import Connection
from operator import attrgetter
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

import numpy as np

from kpfootprint.errors import IngestError
from kpfootprint.ingest.files import oldbook
from kpfootprint.ingest.files.archive import Budget, Limits, refuse, unzipped
from kpfootprint.ingest.files.heads import LOOKED_AT, TableMaker, head_of
from kpfootprint.ingest.names.headers import Headers
from kpfootprint.ingest.raw.cells import THOUSANDS, Cell, Odd, is_blank, shortened
from kpfootprint.ingest.raw.money import is_other_currency, names_dollars
from kpfootprint.ingest.raw.tables import Column, Note, RawTable
from kpfootprint.ingest.words import fold, plain, says, tokens_of, unit_words, word_tables
from kpfootprint.visible import visible
from kpfootprint.wanted import each, go_on

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell as FullCell
    from openpyxl.cell.cell import MergedCell
    from openpyxl.cell.read_only import EmptyCell, ReadOnlyCell

    SheetCell = FullCell | MergedCell | ReadOnlyCell | EmptyCell

BOOKS = (".xlsx", ".xlsm", ".ods", ".xls")
"""How the names of workbooks end."""

_CHUNK = 1 << 14
_LAST_ROW = 1_048_576
_LAST_COLUMN = 702
_BLANK_ROWS = 100_000
_MERGED_ROWS = 500_000
_SHARED_STRINGS = 1_500_000
_ENCODINGS = (b"utf-8", b"us-ascii", b"iso-8859-1")
_REPEATS = 9_999
"""How often a filled row of an .ods sheet may say that it repeats."""

_ABOUT = re.compile(r"[~≈≃±<>≤≥?]")
_LITERAL = re.compile(r'"([^"]*)"|\\(.)|\[\$([^\]-]+)[^\]]*\]')
"""What a number format writes as it stands: in quotes, after a backslash, or as a currency, ``[$€-40C]``."""

_PERCENT = "percent"
"""What a format says that shows a number times a hundred, with ``%`` behind it."""
_BEHIND = re.compile(r'[0#?](?:"[^"]*[^\W_][^"]*"|"[^"]*%[^"]*"|(?:\\.)*\\[^\W_])')
"""A word or a digit behind the digits of a number format."""

# A tag ends where the next begins, though it were never closed: what is looked for in it is looked for once.
_ODS_TEXT = re.compile(rb"<number:number\b[^<>]*(?:/>|></number:number>)<number:text>([^<]{1,40})</number:text>")
_ODS_SHOWN = re.compile(
    rb'office:value-type="float"[^<>]*><text:p>[-+\d.,\s\xa0\xc2\xe2\x80\xaf]+([^\d<>][^<>]{0,20})</text:p>'
)
"""What stands behind the number that a cell shows, where its format was lost on the way."""
_ODS_FILLED = re.compile(rb"office:(?:[a-z]+-)?value=|<text:p[^<>]*>[^<]")
_ODS_CURRENCY = re.compile(rb'office:currency="([A-Z]{3})"')
_ODS_REPEATED = re.compile(rb'number-(?:rows|columns)-repeated\s*=\s*["\']\d{5,}[^<>]*>(.{0,400})')

_DECLARED = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml\b[^>]*?\bencoding\s*=\s*[\"']([^\"'>]*)")
_WIDE = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")
"""How XML in UTF-16 begins, in which nothing of what is looked for below would be found."""

_UNVALUED = re.compile(
    rb'<(?P<p>(?:\w+:)?)c\b(?![^<>]*\bt="str")(?:[^<>]*?\br="([A-Z]{1,3})(\d{1,7})")?[^<>]*>\s*'
    rb"<(?P=p)f\b[^<>]*(?:/>|>([^<]{0,200})[^<]*</(?P=p)f>)\s*(?:<(?P=p)v\s*/>|<(?P=p)v></(?P=p)v>)?\s*</(?P=p)c>"
)
"""A formula cell without the value that it gave."""

_ODS_UNVALUED = re.compile(rb"<table:table-cell\b(?=[^<>]*\btable:formula=)(?![^<>]*\boffice:value-type=)")
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b[^<>]*?\bref="([A-Z]{1,2})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_HIDDEN = rb'(?=[^<>]*?\b(?:hidden="(?:1|true)"|(?:ht|width)="0(?:\.0*)?"))'
_HIDDEN_ROW = re.compile(rb"<(?:\w+:)?row\b" + _HIDDEN + rb'[^<>]*?\br="(\d{1,7})"')
_HIDDEN_COLUMN = re.compile(rb"<(?:\w+:)?col\b" + _HIDDEN + rb'[^<>]*?\bmin="(\d{1,5})"')

_COMMENTS = re.compile(rb'Target="[^"]*?(comments?\d*\.xml)"')
"""Where a sheet's relations name the file of the comments on its cells."""
_IN_COMMENTS = re.compile(r"comments?\d*\.xml")
_COMMENT = re.compile(rb"<(?:\w+:)?comment(?=\s)")
_COMMENTED = re.compile(rb'[^<>]*?\bref="([A-Z]{1,3}\d{1,7})"')
_SAID = re.compile(rb"<(?:\w+:)?t\b[^<>]*>([^<]+)")
_MOST_COMMENTS, _LONGEST_COMMENT = 12, 120

_WITH_FORMULAS = (Note(code="formula_values"),)
_WITH_MACROS = (Note(code="macros_passed_over"),)


class _Asking(io.BytesIO):
    """Bytes that are given for as long as somebody waits for what is made of them."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Read on."""
        go_on()
        return super().read(size)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the text of a sheet says that its cells do not."""

    merged: dict[tuple[int, int], tuple[int, int]]
    unvalued: dict[tuple[int, int], str]
    hidden: tuple[str, ...]
    formulas: bool


def is_book(name: str) -> bool:
    """Say whether a file is a workbook, by its name."""
    return name.lower().endswith(BOOKS)


def read_workbook(data: bytes, name: str, budget: Budget, headers: Headers | None = None) -> list[RawTable]:
    """Read every sheet that holds something; rows are told by their number in the sheet.

    A formula cell has the value that was saved with it, which is told; without one it becomes an `Odd` cell. A cell
    merged over several rows holds for all of them, where it holds words; numbers are refused. With `headers` the header
    is looked for below titles; without, it is the first row that is filled.
    """
    if not _is_open_xml(name):
        return _read_with_calamine(data, name, budget, headers)
    texts: dict[str, bytes] = {}
    with unzipped(data, name, budget) as members:
        if "xl/workbook.xml" not in dict(members):
            raise refuse(name, "wrong_file_kind", found="it is a zip archive without a workbook")
        macros = any(path.lower().endswith("vbaproject.bin") for path, _ in members)
        for path, unpack in members:
            text = unpack()
            _check_part(text, name)
            if path == "xl/workbook.xml" and b"purl.oclc.org/ooxml" in text:
                raise refuse(name, "strict_workbook")
            if path.startswith("xl/worksheets/") or path.endswith(".rels"):
                texts[path] = text
            elif _IN_COMMENTS.fullmatch(part := path.rpartition("/")[2]):
                texts[part] = text
    cell_of = partial(_cell, units={}, struck={})
    tables = []
    try:
        with _opened(data) as sheets:
            for sheet in sheets:
                folder, _, part = str(getattr(sheet, "_worksheet_path", "")).lstrip("/").rpartition("/")
                facts = _facts(texts.get(f"{folder}/{part}", b""), sheet.title, hidden=sheet.sheet_state != "visible")
                rows = _filled(_rows_of(sheet, name, cell_of), facts)
                table = _read_sheet(rows, sheet.title, name, headers, budget.limits)
                if table is not None:
                    columns = _with_fills(table, sheet, headers)
                    notes = (_WITH_FORMULAS if facts.formulas else ()) + (_WITH_MACROS if macros else ())
                    made = replace(table, columns=columns, hidden=facts.hidden, notes=notes)
                    tables.append(_commented(made, _comments(texts.get(f"{folder}/_rels/{part}.rels", b""), texts)))
    except IngestError:
        raise
    except Exception as error:  # a parser that is fed with anything may raise anything
        raise refuse(name, "damaged_file", detail=f"{type(error).__name__}: {error}") from None
    return tables


def sheets_in(data: bytes, name: str) -> Iterator[tuple[str, Iterator[tuple[Cell, ...]]]]:
    """Give name and rows of each sheet of a workbook that was read before: its values alone, within the same bounds."""
    if _is_open_xml(name):
        with _opened(data) as sheets:
            for sheet in sheets:
                yield sheet.title, _rows_of(sheet, name, attrgetter("value"))
    else:
        with _read_apart(data, name) as said:
            said()
            yield from ((title, rows) for title, *_, rows in _sheets_apart(said))


def _is_open_xml(name: str) -> bool:
    return name.lower().endswith((".xlsx", ".xlsm"))


@contextmanager
def _opened(data: bytes) -> Iterator[Iterable[Any]]:
    """Open an .xlsx workbook and give its sheets, whatever they claim about how far they reach."""
    import openpyxl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = openpyxl.load_workbook(_Asking(data), read_only=True, data_only=True, keep_links=False)
        with closing(book):
            for sheet in book.worksheets:
                sheet.reset_dimensions()
            yield book.worksheets


def _comments(relations: bytes, texts: Mapping[str, bytes]) -> list[tuple[str, str]]:
    """Return what comments on the cells of a sheet say, each with its cell: ``A7``."""
    found = _COMMENTS.search(relations)
    told = []
    for piece in _COMMENT.split(texts.get(found[1].decode(), b"") if found else b"")[1 : _MOST_COMMENTS + 2]:
        place, said = _COMMENTED.match(piece), b"".join(_SAID.findall(piece)).decode("utf-8", "replace")
        told += [(place[1].decode(), unescape(said))] if place and said.strip() else []
    return told


def _commented(table: RawTable, told: Sequence[tuple[str, str]]) -> RawTable:
    """Return a table with comments on its cells, which are not read and may matter: ``wrong, should be 45``; noted."""
    said = [(place, " ".join(visible(text).split())[:_LONGEST_COMMENT]) for place, text in told]
    lines = [f"{place}: {text}" for place, text in said[:_MOST_COMMENTS]] + ["…"] * (len(said) > _MOST_COMMENTS)
    comments = tuple((int(place.lstrip(ascii_uppercase)), text) for place, text in said[:_MOST_COMMENTS])
    noted = table.noting("comments_not_read", comments="; ".join(lines)) if said else table
    return replace(noted, comments=comments)


def _check_part(text: bytes, name: str) -> None:
    """Refuse what no program writes; the names of encodings are kept by Python for good, known or not."""
    declared = _DECLARED.match(text)
    if text.startswith(_WIDE) or (declared and declared.group(1).lower() not in _ENCODINGS):
        raise refuse(name, "workbook_encoding")
    if text.count(b"<si") + text.count(b":si") > _SHARED_STRINGS:
        raise refuse(name, "too_many_texts", limit=_SHARED_STRINGS)


def _rows_of(sheet: Any, name: str, cell_of: Callable[[Any], Cell]) -> Iterator[tuple[Cell, ...]]:
    """Give the rows of a sheet that can be one: its parser invents the rows and cells between those that are there."""
    blank = 0
    for number, row in enumerate(sheet.iter_rows(), start=1):
        if len(row) > _LAST_COLUMN:
            raise refuse(name, "too_many_columns", limit=_LAST_COLUMN)
        cells = tuple(map(cell_of, row))
        blank += cells.count(None) == len(cells)
        if blank > _BLANK_ROWS:
            raise refuse(name, "too_many_blank_rows", limit=_BLANK_ROWS)
        if number > _LAST_ROW:
            raise refuse(name, "row_too_far", limit=_LAST_ROW)
        yield cells


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number


def _facts(text: bytes, title: str, *, hidden: bool) -> _Facts:
    merged: dict[tuple[int, int], tuple[int, int]] = {}
    n_merged = 0
    for found in _MERGED.finditer(text):
        left, top, _, bottom = found.groups()
        column, first, last = _column_number(left), int(top), int(bottom)
        below = range(first + 1, min(last, first + 10_000) + 1)
        n_merged += len(below)
        if n_merged > _MERGED_ROWS:
            raise refuse(title, "too_many_blank_rows", limit=_MERGED_ROWS)
        merged |= dict.fromkeys(((row, column) for row in below), (first, last))
    formulas = b"<f" in text or b":f>" in text or b":f " in text
    unvalued: dict[tuple[int, int], str] = {}
    for found in _UNVALUED.finditer(text) if formulas else ():
        if found[2] is None:
            raise refuse(title, "formulas_in_workbook")
        formula = (found[4] or b"\xe2\x80\xa6").decode("utf-8", "replace")
        unvalued[int(found[3]), _column_number(found[2])] = f"={formula}"
    said = ["sheet"] if hidden else []
    said += [f"row {found.group(1).decode()}" for found in islice(_HIDDEN_ROW.finditer(text), 20)]
    said += [f"column {found.group(1).decode()}" for found in islice(_HIDDEN_COLUMN.finditer(text), 20)]
    return _Facts(merged, unvalued, tuple(said), formulas)


def _filled(rows: Iterable[tuple[Cell, ...]], facts: _Facts) -> Iterator[tuple[Cell, ...]]:
    """Give rows with words of merged cells in each row that they reach over; merged numbers become `Odd`."""
    if not facts.merged and not facts.unvalued:
        yield from rows
        return
    columns = {column for _, column in (*facts.merged, *facts.unvalued)}
    tops: dict[int, Cell] = {}
    for number, row in enumerate(rows, start=1):
        cells = [*row, *[None] * (max(columns) - len(row))]
        for column in columns:
            place = number, column
            if place in facts.unvalued:
                cells[column - 1] = Odd("formula_cell", facts.unvalued[place])
            if place in facts.merged:
                top = tops.get(column)
                is_number = isinstance(top, int | float) and not isinstance(top, bool)
                cells[column - 1] = Odd("merged_number", str(top)) if is_number else top
            else:
                tops[column] = cells[column - 1]
        yield tuple(cells)


def _read_sheet(
    rows: Iterable[Sequence[Cell]], title: str, source: str, headers: Headers | None, limits: Limits
) -> RawTable | None:
    numbered = enumerate(rows, start=1)
    first = list(islice(numbered, LOOKED_AT))
    if all(is_blank(cell) for _, row in first for cell in row):
        first += [item for item in islice(numbered, _BLANK_ROWS) if not all(map(is_blank, item[1]))][:LOOKED_AT]
        first = [item for item in first if not all(map(is_blank, item[1]))]
    if not first:
        return None
    wide = max(len(row) for _, row in first)
    if wide > 5 * limits.max_columns and any(c is not None for _, row in first for c in row[5 * limits.max_columns :]):
        raise refuse(title, "too_many_columns", limit=limits.max_columns)
    looked_at = [row if headers is None else tuple(map(shortened, row)) for _, row in first]
    of_words = fold(title) in word_tables()
    head = head_of(looked_at, None if of_words else headers, title, limits, parted=headers is not None)
    if not head.texts:
        return None
    made = TableMaker(head, limits)
    lines: list[int] = []
    body = each(chain(first[head.rows[-1] + 1 :], numbered), 1000)
    filled = ((line, row) for line, row in body if any(cell is not None for cell in row))
    for chunk in iter(lambda: list(islice(filled, _CHUNK)), []):
        made.add([row for _, row in chunk])
        lines += [line for line, _ in chunk]
        if made.n_rows > limits.max_rows:
            raise refuse(title, "too_many_rows", limit=limits.max_rows)
    columns, rows_read = made.columns(whole=headers is None), np.array(lines, dtype=np.int32)
    table = RawTable(name=title, source=source, columns=columns, rows=rows_read, ragged=made.ragged)
    return head.over(table, [tuple(map(shortened, row)) for _, row in first], [line for line, _ in first])


def _with_fills(table: RawTable, sheet: Any, headers: Headers | None) -> list[Column]:
    """Return the columns of a sheet; a blank one of classes, where cells differ by their fill, says something by it."""
    columns = list(table.columns)
    blank = [at for at, column in enumerate(columns) if column.header.strip() and column.blank().all()]
    classes = [at for at in blank if headers is not None and headers.attribute(columns[at].header) is not None]
    if not classes or not table.n_rows:
        return columns
    fills: list[set[str]] = [set() for _ in columns]
    for row in sheet.iter_rows(int(table.rows[0]), int(table.rows[-1]), 1, len(columns)):
        for found, cell in zip(fills, row, strict=False):
            if getattr(cell, "has_style", False) and cell.fill.fill_type == "solid":
                found.add(str(cell.fill.fgColor.rgb))
    for at in classes:
        if len(fills[at]) > 1 or any(len(found) > 2 for found in fills):
            columns[at] = Column.filled(columns[at].header, Odd("filled_cell", "…"), table.n_rows)
    return columns


def _cell(cell: SheetCell, units: dict[int, str], struck: dict[int, bool]) -> Cell:
    """Return a cell; a number that is shown in a unit other than carats or stones is what is shown: ``"0.5 g"``."""
    value = cell.value
    if value is None:
        return None
    style = getattr(cell, "_style_id", 0)
    if style not in struck:
        struck[style] = bool(style and cell.font is not None and cell.font.strike)
    if struck[style]:
        return Odd("struck_cell", str(value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        unit = units.get(style)
        if unit is None:
            unit = units[style] = _unit_shown(cell.number_format)
        if unit == _PERCENT:
            return f"{value * 100:.12g}%"
        if unit:
            digits = f"{value:.12g}"
            return f"{digits}{'0' * bool(THOUSANDS.fullmatch(digits))} {unit}"  # ``1.125 $`` has one reading here
    return _value(value)


def _unit_shown(number_format: str) -> str:
    """Return what a number format writes beside a number: a unit of neither carats nor stones, *about*, *below*.

    Money is told, too, and whatever stands behind a number: ``12 bags``, ``12 ct`` of what is shown without decimals.
    """
    shown = number_format.partition(";")[0]
    words = "".join(map("".join, _LITERAL.findall(shown))).strip(" ().")
    if re.search(r"[0#?],+($|[^0#?,.])", bare := re.sub(r"\[[^]]*\]", "", _LITERAL.sub("", shown))):
        return "thousands"  # not shown as it is
    known = plain(words) in unit_words("grains", "points", "others") or says("about", *tokens_of(words))
    if is_other_currency(words) or names_dollars(words or bare):
        return words or "$"
    if words:
        counted = says("carats" if "." in bare else "n_stones", plain(words))
        behind = _BEHIND.search(shown) is not None and not counted
        return words if known or behind or _ABOUT.search(words) else ""
    return _PERCENT if "%" in bare else "~" if _ABOUT.search(bare.replace("?", "")) else ""


def _value(value: object) -> Cell:
    """Return a value of a workbook as a cell; a time of day is a number that was formatted as one."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, time | timedelta):
        return Odd("time_cell", str(value))
    if isinstance(value, tuple):  # of an old workbook
        return None if value[1] == "" else Odd("struck_cell", str(value[1]))
    return value if isinstance(value, int | float | date) else str(value)


def _read_with_calamine(data: bytes, name: str, budget: Budget, headers: Headers | None) -> list[RawTable]:
    """Read .ods and .xls, of which the parser tells values alone; units that are not carats refuse the workbook."""
    formulas = False
    notes: tuple[Note, ...] = ()
    if name.lower().endswith(".ods"):
        with unzipped(data, name, budget) as members:
            for path, unpack in members:
                text = unpack()
                if path == "content.xml":
                    _check_content(text, name)
                    formulas = b"table:formula=" in text
                    currencies = sorted({found.decode() for found in _ODS_CURRENCY.findall(text)} - {"USD"})
                    told = {"currency": ", ".join(currencies)}
                    notes = (Note(code="currency_shown", values=told),) if currencies else ()
    elif not data.startswith(oldbook.MAGIC):
        raise refuse(name, "wrong_file_kind", found="it is no old Excel workbook; save it as .xlsx or .csv")
    tables = []
    with _read_apart(data, name) as said:
        formats, calculated = said()
        for unit in map(_unit_shown, formats):
            _check_unit(unit, name)
        notes = (*(_WITH_FORMULAS if formulas or calculated else ()), *notes)
        for title, hidden, comments, rows in _sheets_apart(said):
            table = _read_sheet(rows, title, name, headers, budget.limits)
            if table is not None:
                tables.append(_commented(replace(table, hidden=hidden, notes=notes), comments))
    return tables


@contextmanager
def _read_apart(data: bytes, name: str) -> Iterator[Callable[[], Any]]:
    """Have a workbook read by a process of its own, and give a way to hear what it says next."""
    with tempfile.TemporaryFile() as given:
        given.write(data)
        given.seek(0)
        command = [sys.executable, "-I", oldbook.__file__]
        reader = subprocess.Popen(command, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert reader.stdout is not None
    there = Connection(os.dup(reader.stdout.fileno()), writable=False)

    def said() -> Any:
        while not there.poll(0.2):
            go_on()
        try:
            found = there.recv()
        except EOFError:
            raise refuse(name, "unpacks_too_large", limit=oldbook.MEMORY) from None
        if isinstance(found, str):
            raise refuse(name, "damaged_file", detail=found)
        return found

    try:
        yield said
    finally:
        reader.kill()
        reader.wait()
        reader.stdout.close()
        there.close()


def _sheets_apart(
    said: Callable[[], Any],
) -> Iterator[tuple[str, tuple[str, ...], list[tuple[str, str]], Iterator[tuple[Cell, ...]]]]:
    """Give each sheet's name, what is hidden, comments, and its rows, which are passed over where nobody takes them."""
    while (sheet := said()) is not None:
        rows = _rows_apart(said)
        yield *sheet, rows
        deque(rows, maxlen=0)


def _rows_apart(said: Callable[[], Any]) -> Iterator[tuple[Cell, ...]]:
    while (stretch := said()) is not None:
        for row in stretch:
            yield tuple(None if value == "" else _value(value) for value in row)


def _check_unit(unit: str, name: str) -> None:
    """Refuse a workbook of which the parser tells values alone, where one is shown in another unit than its own."""
    money = is_other_currency(unit) or names_dollars(unit)
    if unit not in ("", _PERCENT) and not money and plain(unit) not in unit_words("carats"):
        raise refuse(name, "unit_shown", unit=unit)


def _check_content(text: bytes, name: str) -> None:
    for shown in chain(islice(_ODS_TEXT.finditer(text), 1000), _ODS_SHOWN.finditer(text)):
        _check_unit(_unit_shown(f'"{shown[1].decode("utf-8", "replace")}"'), name)
    if _ODS_UNVALUED.search(text):
        raise refuse(name, "formulas_in_workbook")
    for found in _ODS_REPEATED.finditer(text):
        if _ODS_FILLED.search(found.group(1).partition(b"</table:table-row>")[0]):
            raise refuse(name, "too_many_rows", limit=_REPEATS)
