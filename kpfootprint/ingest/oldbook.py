"""What old Excel workbooks (.xls) say and their reader does not: which cells are formulas, which formats are used."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from kpfootprint.wanted import each

_END = 0xFFFFFFFA
"""Sector numbers from here on are no sectors."""

_SHEETS = 256
_BOF, _EOF, _BOUNDSHEET, _FORMAT = 0x0809, 0x000A, 0x0085, 0x041E
_FORMULAS = frozenset({0x0006, 0x0206, 0x0406})

Places = frozenset[tuple[int, int]]
"""Rows and columns, counted from 0."""


def formulas_of(data: bytes) -> list[Places]:
    """Return the cells of each sheet that hold formulas, whose values are whatever a program last computed.

    Raises
    ------
    ValueError
        Where the file is not built as such a workbook is.
    """
    book = _stream(data)
    found: list[Places] = []
    for kind, at, length in _records(book, 0):
        if kind != _BOUNDSHEET or length < 4:
            continue
        if len(found) == _SHEETS:
            raise ValueError(f"more than {_SHEETS} sheets")
        (start,) = struct.unpack_from("<I", book, at)
        places, depth = set(), 0
        for record, place, size in each(_records(book, start), 10_000):
            depth += (record == _BOF) - (record == _EOF)
            if record in _FORMULAS and size >= 4:
                places.add(struct.unpack_from("<HH", book, place))
            if depth == 0:
                break
        found.append(frozenset(places))
    return found


def formats_of(data: bytes) -> Iterator[str]:
    """Give the number formats that a workbook declares."""
    book = _stream(data)
    for kind, at, length in _records(book, 0):
        if kind == _FORMAT and length > 5:
            wide = bool(book[at + 4] & 1)
            yield book[at + 5 : at + length].decode("utf-16-le" if wide else "latin-1", "replace")


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
            raise ValueError("no sectors of a known size")
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
        raise ValueError(str(error)) from None
    raise ValueError("it holds no workbook")
