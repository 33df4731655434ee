"""Reads .ods and .xls, run by itself: ``python -I oldbook.py`` with the workbook on standard input.

A few bytes of such a workbook can claim any number of cells, and their parser ends the process that it runs in where
memory runs out. So it has one of its own, with bounds, that says what it reads: what an .xls says and the parser does
not, its number formats and whether there are formulas; of each sheet its name and what is hidden of it, its rows in
stretches, then None; at last None, or what is wrong.
"""

from __future__ import annotations

import io
import re
import struct
import sys
import zipfile
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

MEMORY = 1 << 30
SECONDS = 100
STRETCH = 1000
MAGIC = b"\xd0\xcf\x11\xe0"
"""How the files of old Office programs begin."""

_END = 0xFFFFFFFA
"""Sector numbers from here on are no sectors."""

MOST_HIDDEN = 20
"""Hidden rows and columns of a sheet that are told."""
_FORMAT, _BEGINS, _ROW, _COLUMNS = 0x041E, 0x0809, 0x0208, 0x007D
_WORKSHEET = 0x0010
_TABLE = re.compile(rb"<table:table(?=[\s>])[^<>]*>")
_LINE = re.compile(rb"<table:table-(row|column)\b[^<>]*>")
_REPEATED = re.compile(rb'table:number-(?:rows|columns)-repeated="(\d{1,7})"')
_UNSEEN = re.compile(rb'table:visibility="(?:collapse|filter)"')
_FORMULAS = frozenset({0x0006, 0x0206, 0x0406})


class Unreadable(ValueError):
    """A file that is not built as an old workbook is."""


def facts_of(data: bytes) -> tuple[list[str], bool, list[list[str]]]:
    """Return the number formats of an .xls, whether a cell of it holds a formula, and what is hidden on each sheet.

    Raises
    ------
    Unreadable
        Where the file is not built as such a workbook is.
    """
    book = _stream(data)
    formats: list[str] = []
    formulas = False
    hidden: list[list[str]] = []
    for kind, at, length in _records(book, 0):
        formulas = formulas or kind in _FORMULAS
        if kind == _FORMAT and length > 5:
            wide = bool(book[at + 4] & 1)
            formats.append(book[at + 5 : at + length].decode("utf-16-le" if wide else "latin-1", "replace"))
        if kind == _BEGINS and length > 3 and struct.unpack_from("<H", book, at + 2)[0] == _WORKSHEET:
            hidden.append([])
        elif kind in (_ROW, _COLUMNS) and length >= 10 and hidden:
            number, flags = struct.unpack_from("<H", book, at)[0], at + (12 if kind == _ROW else 8)
            if flags < at + length and book[flags] & (0x20 if kind == _ROW else 0x01):
                hidden[-1].append(f"{'row' if kind == _ROW else 'column'} {number + 1}")
    return formats, formulas, hidden


def hidden_in(data: bytes) -> list[list[str]]:
    """Return which rows and columns are hidden on each sheet of an .ods."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        text = archive.read("content.xml")
    begins = [found.end() for found in _TABLE.finditer(text)]
    hidden: list[list[str]] = []
    for begin, end in zip(begins, [*begins[1:], len(text)], strict=True):
        count, found = {b"row": 0, b"column": 0}, list[str]()
        for line in _LINE.finditer(text, begin, end):
            repeated = _REPEATED.search(line[0])
            count[line[1]] += int(repeated[1]) if repeated is not None else 1
            if _UNSEEN.search(line[0]) and (repeated is None or int(repeated[1]) < MOST_HIDDEN):
                found.append(f"{line[1].decode()} {count[line[1]]}")
        hidden.append(found)
    return hidden


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
    formats, formulas, hidden = facts_of(data) if data.startswith(MAGIC) else ([], False, hidden_in(data))
    there.send((formats, formulas))
    del data
    sys.stdin.buffer.seek(0)
    book = CalamineWorkbook.from_filelike(sys.stdin.buffer)
    sheets = [info for info in book.sheets_metadata if str(info.typ).rpartition(".")[2] == "WorkSheet"]
    for at, info in enumerate(sheets):
        sheet = book.get_sheet_by_name(info.name)
        seen = str(info.visible).rpartition(".")[2] == "Visible"
        of_sheet = hidden[at] if len(hidden) == len(sheets) else sorted({line for found in hidden for line in found})
        there.send((info.name, (*(() if seen else ("sheet",)), *of_sheet[:MOST_HIDDEN])))
        stretch: list[list[Any]] = []
        for row in sheet.iter_rows():
            stretch.append(row)
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
