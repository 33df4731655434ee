"""Regular CSV, read as arrays of bytes: as many cells in every row, no line break and no escaped quote in a cell.

`csv.reader` makes a Python string of every cell. Here a cell is an interval of bytes, compared eight bytes at a time,
so that only the distinct cells of a column ever become strings.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_NEWLINE, _RETURN, _QUOTE = 10, 13, 34
_LONGEST = 64
_ROUNDS = 4
_ODD = 0x9E3779B97F4A7C15


def read_regular(
    body: bytes, separator: str, width: int, encoding: str
) -> list[tuple[list[str], NDArray[np.int32]]] | None:
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
    """
    body = body.rstrip(b"\r\n")
    if not body:
        return [([], np.zeros(0, dtype=np.int32))] * width
    data = np.frombuffer(body + b"\n" + bytes(_LONGEST + 8), dtype=np.uint8)
    text = data[: len(body) + 1]
    breaks = np.flatnonzero((text == ord(separator)) | (text == _NEWLINE))
    quotes = np.flatnonzero(text == _QUOTE)
    if len(quotes):
        if not _quotes_enclose(text, quotes, ord(separator)):
            return None
        breaks = breaks[(np.searchsorted(quotes, breaks) & 1) == 0]
    if len(breaks) % width:
        return None
    ends = breaks.reshape(-1, width)
    line_ends = ends[:, -1]
    if int(np.count_nonzero(text == _NEWLINE)) != len(ends) or not bool((text[line_ends] == _NEWLINE).all()):
        return None
    starts = np.empty_like(ends)
    starts[:, 1:] = ends[:, :-1] + 1
    starts[1:, 0] = line_ends[:-1] + 1
    starts[0, 0] = 0
    returned = (text[line_ends - 1] == _RETURN) & (line_ends > 0)
    if int(np.count_nonzero(text == _RETURN)) != int(np.count_nonzero(returned)):
        return None
    if returned.any():
        ends[:, -1] -= returned
    columns = []
    for at in range(width):
        column = _column(data, starts[:, at], ends[:, at], encoding, quoted=len(quotes) > 0)
        if column is None:
            return None
        columns.append(column)
    return columns


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
) -> tuple[list[str], NDArray[np.int32]] | None:
    if quoted:
        enclosed = (data[starts] == _QUOTE) & (ends - starts >= 2)
        starts, ends = starts + enclosed, ends - enclosed
    else:
        starts = np.ascontiguousarray(starts)
    lengths = ends - starts
    longest = int(lengths.max())
    if longest > _LONGEST:
        return None
    keys = _words(data, starts, lengths, max(1, -(-longest // 8)))
    firsts, codes = factorise(keys)
    cells = [data[low:high].tobytes().decode(encoding) for low, high in zip(starts[firsts], ends[firsts], strict=True)]
    return cells, codes


def _words(
    data: NDArray[np.uint8], starts: NDArray[np.intp], lengths: NDArray[np.intp], count: int
) -> list[NDArray[np.uint64]]:
    """Return the bytes of each cell as `count` numbers of eight bytes, padded with zeros."""
    eights = np.ndarray(shape=(len(data) - 7,), dtype="<u8", buffer=data.data, strides=(1,))
    masks = np.array([(1 << (8 * size)) - 1 for size in range(9)], dtype=np.uint64)
    return [eights[starts + 8 * at] & masks[np.clip(lengths - 8 * at, 0, 8)] for at in range(count)]


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
