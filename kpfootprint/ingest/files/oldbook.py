"""Reads .ods and .xls, run by itself: ``python -I oldbook.py`` with the workbook on standard input.

A few bytes of such a workbook can claim any number of cells, and their parser ends the process that it runs in where
memory runs out. So it has one of its own, with bounds, that says what it reads: what an .xls says and the parser does
not, its number formats and whether there are formulas; of each sheet its name and whether it is seen, then its rows in
stretches, then None; at last None, or what is wrong.
"""

from __future__ import annotations

import struct
import sys
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

_FORMAT = 0x041E
_FORMULAS = frozenset({0x0006, 0x0206, 0x0406})


class Unreadable(ValueError):
    """A file that is not built as an old workbook is."""


def facts_of(data: bytes) -> tuple[list[str], bool]:
    """Return the number formats that a workbook declares, and whether a cell of it holds a formula.

    Raises
    ------
    Unreadable
        Where the file is not built as such a workbook is.
    """
    book = _stream(data)
    formats: list[str] = []
    formulas = False
    for kind, at, length in _records(book, 0):
        formulas = formulas or kind in _FORMULAS
        if kind == _FORMAT and length > 5:
            wide = bool(book[at + 4] & 1)
            formats.append(book[at + 5 : at + length].decode("utf-16-le" if wide else "latin-1", "replace"))
    return formats, formulas


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
    there.send(facts_of(data) if data.startswith(MAGIC) else ([], False))
    del data
    sys.stdin.buffer.seek(0)
    book = CalamineWorkbook.from_filelike(sys.stdin.buffer)
    for info in book.sheets_metadata:
        if str(info.typ).rpartition(".")[2] != "WorkSheet":
            continue
        sheet = book.get_sheet_by_name(info.name)
        seen = str(info.visible).rpartition(".")[2] == "Visible"
        there.send((info.name, seen))
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
