"""Regular CSV, read as arrays of bytes: as many cells in every row, no line break and no escaped quote in a cell.

`csv.reader` makes a Python string of every cell. Here a cell is an interval of bytes, compared eight bytes at a time,
so that only the distinct cells of a column ever become strings.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kpfootprint.ingest.distinct import PlainCells, factorise, words_of

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
    for low, high in zip(starts, ends, strict=True):
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
