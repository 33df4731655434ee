"""Reads .ods and .xls, run by itself: ``python -I oldbook.py`` with the workbook on standard input.

A few bytes of such a workbook can claim any number of cells, and their parser ends the process that it runs in where
memory runs out. So it has one of its own, with bounds, that says what it reads: what an .xls says and the parser does
not, its number formats and whether there are formulas; of each sheet its name, what is hidden of it and the comments on
its cells, its rows in stretches, where cells that are struck out are pairs, then None; at last None, or what is wrong.
"""

from __future__ import annotations

import html
import io
import re
import struct
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

MEMORY = 1 << 30
SECONDS = 100
STRETCH = 1000
MAGIC = b"\xd0\xcf\x11\xe0"
"""How the files of old Office programs begin."""

_END = 0xFFFFFFFA
"""Sector numbers from here on are no sectors."""

MOST = 20
"""Hidden rows and columns of a sheet that are told, and comments; and how often what is told of a cell repeats."""
_FORMAT, _BEGINS, _ROW, _COLUMNS = 0x041E, 0x0809, 0x0208, 0x007D
_FONT, _STYLE, _NOTE, _OBJECT, _GOES_ON = 0x0031, 0x00E0, 0x001C, 0x005D, 0x003C
_WORKSHEET = 0x0010
_CELLS = frozenset({0x0203, 0x027E, 0x00FD, 0x0204, 0x00D6, 0x0205, 0x0006})
_NUMBERS = 0x00BD
"""Cells of a row beside each other."""
_LOOKED_AT = _CELLS | {_FORMAT, _BEGINS, _ROW, _COLUMNS, _FONT, _STYLE, _NOTE, _OBJECT, _GOES_ON, _NUMBERS}
_TABLE = re.compile(rb"<table:table(?=[\s>])[^<>]*>")
_LINE = re.compile(rb"<table:table-(row|column)\b[^<>]*>")
_WITH_CELLS = re.compile(
    rb"<table:(?:table-|covered-table-)(row|column|cell)\b[^<>]*>|<office:annotation\b.*?</office:annotation>",
    re.DOTALL,
)
_COLUMNS_OF_ODS = 1000
"""Columns whose style is kept."""
_STRUCK = re.compile(rb'style:text-line-through-(?:style|type)="(?!none)')
_NAME = re.compile(rb'style:name="([^"]*)"')
_STYLED = re.compile(rb'table:(?:default-cell-)?style-name="([^"]*)"')
_SAID = re.compile(rb"<text:p\b[^<>]*>(?:<text:span\b[^<>]*>)?([^<]+)")
_REPEATED = re.compile(rb'table:number-(?:rows|columns)-repeated="(\d{1,7})"')
_UNSEEN = re.compile(rb'table:visibility="(?:collapse|filter)"')
_FORMULAS = frozenset({0x0006, 0x0206, 0x0406})


class Unreadable(ValueError):
    """A file that is not built as an old workbook is."""


@dataclass(slots=True)
class OldSheet:
    """What a sheet has beside its values: what is hidden, the places of cells that are struck out, and comments."""

    hidden: list[str] = field(default_factory=list)
    struck: set[tuple[int, int]] = field(default_factory=set)
    comments: list[tuple[str, str]] = field(default_factory=list)

    def hide(self, what: str, number: int) -> None:
        """Note a hidden row or column, by its number."""
        self.hidden += [f"{what} {number}"] if len(self.hidden) < MOST else []

    def comment(self, row: int, column: int, said: str) -> None:
        """Note a comment on a cell."""
        if len(self.comments) < MOST:
            first = chr(64 + column // 26) if column > 25 else ""
            self.comments.append((f"{first}{chr(65 + column % 26)}{row + 1}", said))


def facts_of(data: bytes) -> tuple[list[str], bool, list[OldSheet]]:
    """Return the number formats of an .xls, whether a cell of it holds a formula, and what else each sheet has.

    Raises
    ------
    Unreadable
        Where the file is not built as such a workbook is.
    """
    book = _stream(data)
    formats: list[str] = []
    formulas = False
    sheets: list[OldSheet] = []
    fonts, styles = list[bool](), list[bool]()
    texts: dict[int, str] = {}
    number = 0
    for kind, at, length in _records(book, 0):
        record = book[at : at + length] if kind in _LOOKED_AT else b""
        formulas = formulas or kind in _FORMULAS
        if kind == _FORMAT and length > 5:
            formats.append(_text(record[4:]))
        elif kind == _FONT and length > 3:
            fonts.append(bool(record[2] & 0x08))
        elif kind == _STYLE and length > 3:
            font = int.from_bytes(record[:2], "little")
            styles.append(any(fonts[font - (font > 4) :][:1]))  # no font has the number 4
        elif kind == _BEGINS and length > 3 and int.from_bytes(record[2:4], "little") == _WORKSHEET:
            sheets.append(OldSheet())
        elif kind == _OBJECT and length > 7:
            number = int.from_bytes(record[6:8], "little")
        elif kind == _GOES_ON and length > 1:
            texts.setdefault(number, _text(record))
        if not sheets or length < 6:
            continue
        first, second, third = struct.unpack_from("<HHH", record) if record else (0, 0, 0)
        if kind == _ROW and length > 12 and record[12] & 0x20:
            sheets[-1].hide("row", first + 1)
        elif kind == _COLUMNS and length > 8 and record[8] & 0x01:
            sheets[-1].hide("column", first + 1)
        elif kind == _NOTE and length > 7:
            sheets[-1].comment(first, second, texts.get(int.from_bytes(record[6:8], "little"), "…"))
        elif kind in _CELLS and any(styles[third : third + 1]):
            sheets[-1].struck.add((first, second))
        elif kind == _NUMBERS:
            found = struct.iter_unpack("<H4x", record[4 : 4 + (length - 6) // 6 * 6])
            sheets[-1].struck.update((first, second + on) for on, (at,) in enumerate(found) if any(styles[at : at + 1]))
    return formats, formulas, sheets


def _text(record: bytes) -> str:
    """Return a text behind the byte that says how wide its letters are."""
    return record[1:].decode("utf-16-le" if record[0] & 1 else "latin-1", "replace")


def sheets_of(data: bytes) -> list[OldSheet]:
    """Return what the sheets of an .ods have beside their values."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        text = archive.read("content.xml")
    styles = text.partition(b"</office:automatic-styles>")[0].split(b"<style:style ")[1:]
    named = (piece.partition(b"</style:style>")[0] for piece in styles)
    struck = {found[1] for piece in named if _STRUCK.search(piece) and (found := _NAME.search(piece))}
    begins = [found.end() for found in _TABLE.finditer(text)]
    sheets: list[OldSheet] = []
    for begin, end in zip(begins, [*begins[1:], len(text)], strict=True):
        sheet, row, column, columns = OldSheet(), 0, 0, list[bool]()
        pieces = _WITH_CELLS if struck or b"<office:annotation" in text[begin:end] else _LINE
        for piece in pieces.finditer(text, begin, end):
            found = _REPEATED.search(piece[0])
            many = int(found[1]) if found is not None else 1
            unseen = _UNSEEN.search(piece[0]) is not None and many < MOST
            if piece[1] == b"row":
                row, column = row + many, 0
                if unseen:
                    sheet.hide("row", row)
            elif piece[1] == b"column":
                columns += [_style_of(piece[0]) in struck] * min(many, _COLUMNS_OF_ODS - len(columns))
                column += many
                if unseen:
                    sheet.hide("column", column)
            elif piece[1] == b"cell":
                if b"office:value-type=" in piece[0]:
                    style = _style_of(piece[0])
                    places = range(column, column + min(many, MOST))
                    own = [at for at in places if style in struck or (not style and any(columns[at : at + 1]))]
                    sheet.struck.update((row - 1, at) for at in own)
                column += many
            else:
                said = b" ".join(_SAID.findall(piece[0])).decode("utf-8", "replace")
                sheet.comment(row - 1, max(column - 1, 0), html.unescape(said))
        sheets.append(sheet)
    return sheets


def _style_of(tag: bytes) -> bytes:
    found = _STYLED.search(tag)
    return found[1] if found is not None else b""


def _records(book: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Give the records of a workbook from a place on: their kind, where their content stands, and its length."""
    while at + 4 <= len(book):
        kind, length = struct.unpack_from("<HH", book, at)
        yield kind, at + 4, length
        at += 4 + length


def _stream(data: bytes) -> bytes:
    """Return the stream of the workbook out of the compound file, which is a file system of its own."""
    try:
        shift, small_shift = struct.unpack_from("<HH", data, 30)
        (first_directory,) = struct.unpack_from("<I", data, 48)
        cutoff, first_small = struct.unpack_from("<II", data, 56)
        (next_difat,) = struct.unpack_from("<I", data, 68)
        if shift not in (9, 12) or small_shift != 6:
            raise Unreadable("no sectors of a known size")
        size = 1 << shift
        fat_sectors = list(struct.unpack_from("<109I", data, 76))
        while next_difat < _END and len(fat_sectors) * size < len(data):
            more = struct.unpack_from(f"<{size // 4}I", data, (next_difat + 1) * size)
            fat_sectors += more[:-1]
            next_difat = more[-1]
        fat: list[int] = []
        for sector in fat_sectors:
            if sector < _END:
                fat += struct.unpack_from(f"<{size // 4}I", data, (sector + 1) * size)

        def chain(first: int, links: list[int], source: bytes, offset: int, step: int) -> bytes:
            parts, seen = [], 0
            while first < _END and seen * step <= len(source):  # a chain that comes back to itself never ends
                parts.append(source[offset + first * step : offset + (first + 1) * step])
                first, seen = links[first], seen + 1
            return b"".join(parts)

        directory = chain(first_directory, fat, data, size, size)
        root = b""
        for at in range(0, len(directory), 128):
            entry = directory[at : at + 128]
            name = entry[: max(0, struct.unpack_from("<H", entry, 64)[0] - 2)].decode("utf-16-le", "replace")
            first, length = struct.unpack_from("<II", entry, 116)
            if at == 0:
                root = chain(first, fat, data, size, size)
            elif name in ("Workbook", "Book"):
                if length >= cutoff:
                    return chain(first, fat, data, size, size)[:length]
                small = struct.iter_unpack("<I", chain(first_small, fat, data, size, size))
                return chain(first, [link for (link,) in small], root, 0, 64)[:length]
    except (struct.error, IndexError) as error:
        raise Unreadable(str(error)) from None
    raise Unreadable("it holds no workbook")


def tell(there: Connection) -> None:
    """Send what the workbook on standard input holds."""
    from python_calamine import CalamineWorkbook

    data = sys.stdin.buffer.read()
    formats, formulas, facts = facts_of(data) if data.startswith(MAGIC) else ([], False, sheets_of(data))
    there.send((formats, formulas))
    del data
    sys.stdin.buffer.seek(0)
    book = CalamineWorkbook.from_filelike(sys.stdin.buffer)
    sheets = [info for info in book.sheets_metadata if str(info.typ).rpartition(".")[2] == "WorkSheet"]
    for at, info in enumerate(sheets):
        sheet = book.get_sheet_by_name(info.name)
        seen = str(info.visible).rpartition(".")[2] == "Visible"
        of_sheet = facts[at] if len(facts) == len(sheets) else OldSheet([line for of in facts for line in of.hidden])
        there.send((info.name, (*(() if seen else ("sheet",)), *of_sheet.hidden), of_sheet.comments))
        stretch: list[list[Any]] = []
        for number, row in enumerate(sheet.iter_rows()):
            cells: list[Any] = row
            if of_sheet.struck:
                cells = [("struck", cell) if (number, on) in of_sheet.struck else cell for on, cell in enumerate(row)]
            stretch.append(cells)
            if len(stretch) == STRETCH:
                there.send(stretch)
                stretch = []
        there.send(stretch)
        there.send(None)
    there.send(None)


if __name__ == "__main__":
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    except ImportError:
        pass
    connection = Connection(sys.stdout.fileno(), readable=False)
    try:
        tell(connection)
    except Unreadable as error:
        connection.send(str(error))
    except BaseException as error:  # the parser is of another language, whose panics are no ordinary exceptions
        connection.send(f"{type(error).__name__}: {error}")
