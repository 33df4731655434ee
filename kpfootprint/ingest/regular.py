"""Regular CSV, read as arrays of bytes: as many cells in every row, no line break and no escaped quote in a cell.

`csv.reader` makes a Python string of every cell. Here a cell is an interval of bytes, compared eight bytes at a time,
so that only the distinct cells of a column ever become strings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import overload

import numpy as np
from numpy.typing import NDArray

from kpfootprint.wanted import each

_ROUNDS = 4
_ODD = 0x9E3779B97F4A7C15


def words_of(
    data: NDArray[np.uint8], starts: NDArray[np.intp], lengths: NDArray[np.intp], count: int
) -> list[NDArray[np.uint64]]:
    """Return the bytes of each cell as `count` numbers of eight bytes, padded with zeros."""
    eights = np.ndarray(shape=(len(data) - 7,), dtype="<u8", buffer=data.data, strides=(1,))
    masks = np.array([(1 << (8 * size)) - 1 for size in range(9)], dtype=np.uint64)
    return [eights[starts + 8 * at] & masks[np.clip(lengths - 8 * at, 0, 8)] for at in range(count)]


class PlainCells(Sequence[str]):
    """Cells of a column that holds mostly distinct ones, kept as bytes until someone asks for one of them."""

    def __init__(
        self, data: NDArray[np.uint8], starts: NDArray[np.intp], ends: NDArray[np.intp], encoding: str
    ) -> None:
        self._data, self._starts, self._ends = data, starts, ends
        self._encoding = "utf-8" if encoding == "utf-8-sig" else encoding  # the mark was before the cells

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            return [self[place] for place in range(*at.indices(len(self)))]
        return self._data[self._starts[at] : self._ends[at]].tobytes().decode(self._encoding)

    def __iter__(self) -> Iterator[str]:
        whole = self._data.tobytes()
        places = zip(self._starts.tolist(), self._ends.tolist(), strict=True)
        for start, end in each(places, 10_000):
            yield whole[start:end].decode(self._encoding)

    def blank(self) -> NDArray[np.bool_]:
        """Say of each cell whether it is empty."""
        return np.asarray(self._starts == self._ends)

    @cached_property
    def numbers(self) -> NDArray[np.float64] | None:
        """The cells as numbers, where all of them are digits with a decimal point at most; None elsewhere."""
        lengths = self._ends - self._starts
        words = words_of(self._data, self._starts, lengths, max(1, -(-int(lengths.max()) // 8)))
        packed = np.ascontiguousarray(np.stack(words, axis=1))
        allowed = np.zeros(256, dtype=bool)
        allowed[list(b"0123456789.\x00")] = True
        if not bool(allowed[packed.view(np.uint8)].all()) or not bool(lengths.all()):
            return None
        try:
            return packed.view(f"S{8 * len(words)}").reshape(-1).astype(np.float64)
        except ValueError:
            return None


def factorise(keys: list[NDArray[np.uint64]]) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """Find the distinct rows of key columns, and which of them each row is.

    Every row is hashed to a slot, which the last row to come keeps; rows equal to the keeper of their slot are done,
    the few others (two distinct rows in one slot) are hashed anew, and sorted if that does not help either.

    Returns
    -------
    firsts : ndarray of shape (n_distinct,)
        A row of each distinct kind.
    codes : ndarray of shape (n_rows,)
        Which kind each row is.
    """
    n_rows = len(keys[0])
    codes = np.full(n_rows, -1, dtype=np.int32)
    firsts: list[NDArray[np.intp]] = []
    found = 0
    parts = keys
    rows = np.arange(n_rows)
    for round_ in range(_ROUNDS):
        bits = 16 if round_ == 0 else 20
        slots = _hash(parts, round_) >> np.uint64(64 - bits)
        keeper = np.full(1 << bits, -1, dtype=np.intp)
        keeper[slots] = np.arange(len(slots))
        mine = keeper[slots]
        same = np.logical_and.reduce([part == part[mine] for part in parts])
        kept = np.flatnonzero(keeper >= 0)
        number = np.empty(1 << bits, dtype=np.int32)
        number[kept] = np.arange(found, found + len(kept), dtype=np.int32)
        firsts.append(rows[keeper[kept]])
        found += len(kept)
        codes[rows] = np.where(same, number[slots], -1)
        if same.all():
            return np.concatenate(firsts), codes
        rows = rows[~same]
        parts = [part[~same] for part in parts]
    _, first, inverse = np.unique(np.stack(parts, axis=1), axis=0, return_index=True, return_inverse=True)
    codes[rows] = found + inverse.reshape(-1).astype(np.int32)
    firsts.append(rows[first])
    return np.concatenate(firsts), codes


def _hash(parts: list[NDArray[np.uint64]], round_: int) -> NDArray[np.uint64]:
    odd = np.uint64(_ODD + 2 * round_)
    mixed = parts[0] * odd
    for part in parts[1:]:
        mixed = (mixed ^ (mixed >> np.uint64(29)) ^ part) * odd
    return mixed ^ (mixed << np.uint64(17)) if round_ % 2 else mixed


_NEWLINE, _RETURN, _QUOTE = 10, 13, 34
_LONGEST = 64
_DENSE = 100_000


Columns = list[tuple[Sequence[str], NDArray[np.int32]]]


def read_regular(body: bytes, separator: str, width: int, encoding: str) -> tuple[Columns, NDArray[np.intp]] | None:
    """Return distinct cells and codes of each column of a CSV body, or None where the body is not regular.

    Parameters
    ----------
    body : bytes
        The rows after the header, without zero bytes.
    separator : str
        One ASCII character.
    width : int
        Number of columns, one or more.
    encoding : str
        Of the cells; one in which ASCII bytes stand for themselves.

    Returns
    -------
    columns : list of (cells, codes)
        Cells may repeat where nearly all of them are distinct.
    lines : ndarray of shape (n_rows,)
        Line of each row, counted from 0; blank lines are left out.
    """
    body = body.rstrip(b"\r\n")
    if not body:
        return [([], np.zeros(0, dtype=np.int32))] * width, np.zeros(0, dtype=np.intp)
    quoted, returned = b'"' in body, b"\r" in body
    data = np.frombuffer(body + b"\n" + bytes(_LONGEST + 8), dtype=np.uint8)
    text = data[: len(body) + 1]
    at_newline = text == _NEWLINE
    breaks = np.flatnonzero((text == ord(separator)) | at_newline)
    if quoted:
        quotes = np.flatnonzero(text == _QUOTE)
        if not _quotes_enclose(text, quotes, ord(separator)):
            return None
        breaks = breaks[(np.searchsorted(quotes, breaks) & 1) == 0]
    n_lines = int(np.count_nonzero(at_newline))
    lines = np.arange(n_lines)
    if len(breaks) != width * n_lines:
        line_ends = np.flatnonzero(at_newline)
        line_starts = np.concatenate([[0], line_ends[:-1] + 1])
        blank = line_ends - (text[line_ends - 1] == _RETURN) <= line_starts
        lines = np.flatnonzero(~blank)
        breaks = breaks[np.isin(breaks, line_ends[blank], invert=True, assume_unique=True)]
    if len(breaks) != width * len(lines):
        return None
    ends = np.ascontiguousarray(breaks.reshape(-1, width).T)
    if not bool(at_newline[ends[-1]].all()):
        return None
    starts = [_line_starts(ends[-1], lines, at_newline), *(ends[:-1] + 1)]
    if returned:
        before = text[ends[-1] - 1] == _RETURN
        if int(np.count_nonzero(text == _RETURN)) != int(np.count_nonzero(before)) + n_lines - len(lines):
            return None
        ends[-1] -= before
    columns: Columns = []
    for low, high in each(zip(starts, ends, strict=True)):
        column = _column(data, low, high, encoding, quoted=quoted)
        if column is None:
            return None
        columns.append(column)
    return columns, lines


def _line_starts(
    line_ends: NDArray[np.intp], lines: NDArray[np.intp], at_newline: NDArray[np.bool_]
) -> NDArray[np.intp]:
    """Return where rows begin: after the line break before them, which may be that of a blank line."""
    if not len(lines) or lines[-1] == len(lines) - 1:
        return np.concatenate([[0], line_ends[:-1] + 1])
    return np.concatenate([[0], np.flatnonzero(at_newline) + 1])[lines]


def _quotes_enclose(text: NDArray[np.uint8], quotes: NDArray[np.intp], separator: int) -> bool:
    """Say whether quotes stand around whole cells only, without line breaks between them."""
    if len(quotes) % 2:
        return False
    opening, closing = quotes[0::2], quotes[1::2]
    before, after = text[opening - 1], text[closing + 1]
    starts = (before == separator) | (before == _NEWLINE) | (opening == 0)
    stops = (after == separator) | (after == _NEWLINE) | (after == _RETURN)
    return bool(starts.all() and stops.all())


def _column(
    data: NDArray[np.uint8], starts: NDArray[np.intp], ends: NDArray[np.intp], encoding: str, *, quoted: bool
) -> tuple[Sequence[str], NDArray[np.int32]] | None:
    if quoted:
        enclosed = (data[starts] == _QUOTE) & (ends - starts >= 2)
        starts, ends = starts + enclosed, ends - enclosed
    lengths = ends - starts
    longest = int(lengths.max())
    if longest > _LONGEST:
        return None
    if len(starts) > _DENSE and longest > 4:
        some = np.linspace(0, len(starts) - 1, _DENSE // 10).astype(np.intp)
        if len(factorise(words_of(data, starts[some], lengths[some], -(-longest // 8)))[0]) > len(some) // 2:
            return PlainCells(data, starts, ends, encoding), np.arange(len(starts), dtype=np.int32)
    firsts, codes = factorise(words_of(data, starts, lengths, max(1, -(-longest // 8))))
    cells = [data[low:high].tobytes().decode(encoding) for low, high in zip(starts[firsts], ends[firsts], strict=True)]
    return cells, codes
