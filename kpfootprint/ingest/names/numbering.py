"""Whether whole numbers below a header name the rows, one after the other, or count something."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from kpfootprint.ingest.raw.cells import Cell, DecimalMarks, PlainCells, is_blank, read_numbers, text_of
from kpfootprint.ingest.raw.tables import Column, RawTable
from kpfootprint.ingest.words import fold, says

_SAMPLE = 400


def numbers_in(cells: Sequence[Cell]) -> NDArray[np.float64] | None:
    """Return cells as numbers where all of them are, or None."""
    marks = DecimalMarks.seen_in([cells])
    values, broken = read_numbers(cells, marks)
    return values if len(values) and not broken else None


def names_one(header: str) -> bool:
    """Say whether a header is that of one stone, so that numbers below it may name stones or count them."""
    return says("one_stone", fold(header)) or fold(header) == "number"


def names_few(raw: RawTable, column: Column) -> bool:
    """Say whether a header is one of many stones, and its rows so few that their numbers may be counts by chance."""
    return fold(column.header) in ("stones", "pierres", "count") and 1 < raw.n_rows <= 5


def is_running(raw: RawTable, column: Column) -> bool:
    """Say whether a column counts its rows: it rises, mostly by one, however many rows were taken out."""
    if isinstance(column.cells, PlainCells) and column.cells.numbers is None:
        return False
    part = np.cumsum(raw.alone[:_SAMPLE])  # numbers may begin anew below each heading
    cells = [(group, column.at(row)) for row, group in enumerate(part.tolist())]
    named = [cell for cell, alone in zip(cells, raw.alone[:_SAMPLE].tolist(), strict=True) if not alone]  # ``+11``
    kept = [(group, cell) for group, cell in named if not is_blank(cell) and not _has_letters(cell)]
    groups: dict[int, list[Cell]] = {}
    for group, cell in kept:
        groups.setdefault(group, []).append(cell)
    if len(groups) > 1 and all(text_of(own[0]) == "1" for own in groups.values()):
        return all(_rise(own) for own in groups.values())
    return _rise([cell for _, cell in kept])


def restarts(raw: RawTable, column: Column, labels: Iterable[int]) -> list[int]:
    """Return the rows in which numbers 1, 2, 3 … begin anew, as they do with each new label in one of some columns."""
    own = np.flatnonzero(~column.blank()) if len(column.cells) < raw.n_rows <= _MOST else np.zeros(0, dtype=np.intp)
    texts = [text_of(column.at(row)) for row in own.tolist()]
    starts = [at for at, text in enumerate(texts) if text == "1"]
    lengths = np.diff([*starts, len(texts)]).tolist()
    if texts != [str(at) for length in lengths for at in range(1, length + 1)] or not 2 < 2 * len(starts) <= len(texts):
        return []
    coded = [raw.columns[at].rows(own).filled_down().codes for at in labels]
    anew = any(np.flatnonzero(np.diff(codes)).tolist() == [at - 1 for at in starts[1:]] for codes in coded)
    return own[starts[1:]].tolist() if anew else []


_MOST = 5_000
"""Rows of a table whose numbers may begin anew."""


def come_alike(raw: RawTable, column: Column) -> bool:
    """Say whether a column numbers stones each of which comes as often, as two graders have them: 1, 1, 2, 2, 3, 3."""
    if column.mostly_distinct or raw.n_rows < 2 * _FEWEST:
        return False
    codes, often = np.unique(column.codes[~column.blank()], return_counts=True)
    cells = [column.cells[code] for code in codes.tolist()]
    return len(cells) >= _FEWEST and len({*often.tolist()}) == 1 < often[0] and _rise(cells)


def names_each(column: Column) -> bool:
    """Say whether each row of a column has a number of its own, in whatever order, and few between are left out."""
    if column.mostly_distinct or len(column.codes) <= _FEWEST:
        return False
    numbers = numbers_in(column.used().cells)
    return numbers is not None and len(numbers) == len(column.codes) and 3 * len(numbers) > 2 * float(np.ptp(numbers))


_FEWEST = 3
"""Numbers of stones that may come again by design."""


def _has_letters(cell: Cell) -> bool:
    return isinstance(cell, str) and any(map(str.isalpha, cell))


def _rise(cells: Sequence[Cell]) -> bool:
    """Say whether cells are numbers that rise, mostly by one, or fall by one to 1."""
    numbers = numbers_in(cells)
    if numbers is None or len(numbers) < 1:
        return False
    if len(numbers) == 1:
        return bool(numbers[0] == 1)
    steps = np.diff(numbers)
    down = bool(np.all(steps == -1)) and numbers[-1] == 1 and len(numbers) > 2
    return down or bool(np.all(steps > 0) and np.median(steps) == 1)
