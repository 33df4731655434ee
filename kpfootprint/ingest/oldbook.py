"""What old Excel workbooks (.xls) say and their reader does not: number formats, and whether there are formulas."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from kpfootprint.wanted import each

_END = 0xFFFFFFFA
"""Sector numbers from here on are no sectors."""

_FORMAT = 0x041E
_FORMULAS = frozenset({0x0006, 0x0206, 0x0406})


def facts_of(data: bytes) -> tuple[list[str], bool]:
    """Return the number formats that a workbook declares, and whether a cell of it holds a formula.

    Raises
    ------
    ValueError
        Where the file is not built as such a workbook is.
    """
    book = _stream(data)
    formats: list[str] = []
    formulas = False
    for kind, at, length in each(_records(book, 0), 10_000):
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
