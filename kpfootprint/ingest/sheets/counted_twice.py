"""Whether the rows of a table count their stones twice: rows that come again, or as two sorters have them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from kpfootprint.ingest.columns.meanings import MEASURES, NEARLY, Layout
from kpfootprint.ingest.names.inquiry import ONE
from kpfootprint.ingest.names.numbering import come_alike, restarts
from kpfootprint.ingest.raw.cells import text_of
from kpfootprint.ingest.raw.tables import Column, KnownTable
from kpfootprint.scheme import Scheme

_PART = re.compile(r"(?P<whole>.*\d)(?:\s*[-./]\s*\d{1,2}|\s*[-./]?\s*[a-z])", re.IGNORECASE)
"""The number of a part of a stone, behind that of the stone: ``12a``, ``12.1``."""

_MANY = 50
"""Distinct cells of a column from which on it names no two sorters, or stages."""

_MOST = 2_000
"""Rows of a sorting sheet that are laid beside each other."""

_BY_CHANCE = 100
"""Stones below which two tables may count as many by chance, where one of them has no carats."""

_FEW = 5
"""Stones of which as many and as heavy ones come again by no chance."""

_LONG = 40
"""Rows in their order that come again by no chance, however many of them are alike."""

_RUN, _UNLIKE = 20, 12
"""Rows that come again in their order by no chance, where so many of them differ."""

_COPIES = 3
"""Copies of a list that a hand makes, at most; what comes more often was drawn up so."""

_RUNS = 20_000
"""Runs of a table that are held against each other, about, of those that could be."""

_KINDS = 20
"""Kinds of rows of which each comes twice, or each three times, by no chance, in whatever order."""

_MANY_STONES, _NEARLY_SAME = 50, 0.005
"""Stones of one class of which as many come again by no chance, and by how much weighing them again differs."""


def ask_about_repeats(sheet: Layout) -> None:
    """Ask whether stones are counted twice: rows that come again, or as two sorters have them, below each other."""
    raw, counts = sheet.raw, sheet.places("n_stones")
    if sheet.inquiry.chose(ONE) or sheet.places("parcel_id") or not sheet.places(*MEASURES, wide=None):
        return
    headed = any(note.code == "heading" for note in sheet.trace.left_out)  # each may begin its numbers anew
    numbered = sheet.places("row") if not counts and not headed else []
    for at, row in _counted_again(sheet, numbered):
        header = raw.label(row) if at is None else raw.columns[at].header
        sheet.tell("counted_twice", at, row, header=header, choices=[ONE])
        return
    for at in numbered:
        if come_alike(raw, raw.columns[at]):
            sheet.ask("count_or_other", at, "n_stones", "ignore")


def _counted_again(sheet: Layout, numbered: Sequence[int]) -> Iterator[tuple[int | None, int]]:
    """Give the rows that seem to count stones of others again, each with the column that says so, where one does."""
    raw, counts, measures = sheet.raw, sheet.places("n_stones"), sheet.places(*MEASURES, wide=None)
    classes = sheet.places("size_class", "description", *sheet.attributes)
    if (counts or sheet.places(*MEASURES, wide=True)) and 1 < raw.n_rows <= _MOST:
        yield from zip(repeat(None), _same_again(sheet, classes))
        yield from zip(repeat(None), _weighed_again(sheet) if len(counts) == 1 and sheet.places("carats") else ())
    for at in numbered:
        anew = raw.columns[at].mostly_distinct or restarts(raw, raw.columns[at], sheet.groups())
        yield from zip(repeat(at), [] if anew else _numbered_again(raw.columns[at]))
    for at in sorted({*numbered, 0} - {*measures}) if not counts else ():
        yield from zip(repeat(at), _parts_of_a_stone(sheet, at))
    yield from zip(repeat(None), _again_from(sheet, [*classes, *measures]))
    yield from zip(repeat(None), [] if counts else _stones_again(sheet, [*classes, *measures]))
    for at in sheet.places("unknown", "other", "row"):
        column = raw.columns[at]
        if len(column.cells) > _MANY:
            continue
        used, parts = np.unique(column.codes, return_inverse=True)
        groups = [np.flatnonzero(parts == part) for part in range(len(used) if len(used) <= 4 else 0)]
        named = classes or any(item.wide for item in sheet.meanings)
        least = 1 if named and sheet.headers.field(column.header) == "sorter" else 2 if classes else 3
        alike = len({len(rows) for rows in groups}) == 1 < len(groups) and len(groups[0]) >= least
        if alike and not column.blank().any() and same_stones(sheet, classes, measures, groups):
            yield at, int(groups[1][0])


def _same_again(sheet: Layout, classes: Sequence[int]) -> list[int]:
    """Return the rows that are one above, letter for letter: of several stones, or where no other classes repeat."""
    raw, counts = sheet.raw, sheet.places("n_stones")
    codes = np.column_stack([column.codes for column in raw.columns])
    _, first, twice = np.unique(codes, axis=0, return_index=True, return_inverse=True)
    again = first[twice.reshape(-1)] < np.arange(raw.n_rows)
    once = bool(classes) and len(np.unique(codes[:, classes], axis=0)) == len(first) > 2
    weighed = len(counts) == 1 and bool(sheet.places("carats"))
    return np.flatnonzero(again & (once | ((raw.values(counts[0]) >= _FEW) if weighed else False))).tolist()


def _weighed_again(sheet: Layout) -> list[int]:
    """Return the rows that have the classes and the many stones of one above, and weigh nearly what that does."""
    if sheet.places("lot", "parcel_id", "breakdown", "described"):
        return []
    places = sheet.places("size_class", "lower_ct", "description", "zone_id", "country", *sheet.attributes)
    stones, carats = (sheet.values(sheet.places(name)[0]) for name in ("n_stones", "carats"))
    many = np.flatnonzero(stones >= _MANY_STONES)
    if not places or not len(many):
        return []
    coded = np.column_stack([sheet.column(at).codes[many] for at in places])
    _, first, twice = np.unique(np.column_stack([coded, stones[many]]), axis=0, return_index=True, return_inverse=True)
    above = many[first[twice.reshape(-1)]]
    again = (above < many) & (np.abs(carats[many] - carats[above]) <= _NEARLY_SAME * carats[above])
    return [*many[again].tolist()]


def _numbered_again(column: Column) -> list[int]:
    """Return the rows whose number stood before, where few do, so that numbers name the stones of a list."""
    rows = np.flatnonzero(~column.blank())
    _, first, place = np.unique(column.codes[rows], return_index=True, return_inverse=True)
    again = np.flatnonzero(first[place.reshape(-1)] < np.arange(len(rows)))
    return rows[again].tolist() if 3 * len(again) <= len(rows) else []


def _parts_of_a_stone(sheet: Layout, at: int) -> list[int]:
    """Return the first parts of stones that stand beside them, and with the others weigh as much: ``1a``, ``1b``."""
    column, weights = sheet.column(at), sheet.places("carats")
    if len(weights) != 1 or sheet.n_rows > _MOST:
        return []
    names = {text_of(column.at(row)).strip(): row for row in range(sheet.n_rows)}
    parts: defaultdict[int, list[int]] = defaultdict(list)
    for name, row in names.items():
        if (hit := _PART.fullmatch(name)) is not None and hit["whole"] in names:
            parts[names[hit["whole"]]].append(row)
    carats = sheet.values(weights[0])
    sums = ((rows[0], carats[rows].sum() / carats[whole]) for whole, rows in parts.items() if len(rows) > 1)
    return [row for row, share in sums if 1 - 2 * NEARLY <= share <= 1 + NEARLY]


def _again_from(sheet: Layout, places: Sequence[int]) -> list[int]:
    """Return the row from which on a table repeats what stands above, where its rows differ among themselves."""
    columns = [sheet.column(at) for at in places]

    def cells(row: int) -> tuple[str, ...]:
        return tuple(text_of(column.at(row)) for column in columns)

    for copies in (2, 3):
        part, rest = divmod(sheet.n_rows, copies)
        if rest or part < 3 or any(cells(row) != cells(row + part) for row in range(3)):
            continue
        rows = [*map(cells, range(sheet.n_rows))]
        if rows == rows[:part] * copies and 2 * len({*rows}) > max(min(part, _LONG), 5):
            return [part]
    return []


def _stones_again(sheet: Layout, places: Sequence[int]) -> list[int]:
    """Return the rows of stones that came before: a run of a list pasted again, or a list sorted after that."""
    kinds = _summed([sheet.column(at).codes for at in places])
    times = np.unique(kinds, return_counts=True)[1]
    if len(times) < _UNLIKE or len(times) == len(kinds):
        return []
    if len(times) >= _KINDS and 1 < np.gcd.reduce(times) <= _COPIES:
        _, first, place = np.unique(kinds, return_index=True, return_inverse=True)
        return np.flatnonzero(first[place] < np.arange(len(kinds))).tolist()
    if len(kinds) < 2 * _RUN:
        return []
    # of a long list runs that begin with rows of some kinds: of two that are the same both do, or neither
    starts = np.flatnonzero(kinds[: 1 - _RUN] % max(len(kinds) // _RUNS, 1) == 0)
    runs = np.lib.stride_tricks.sliding_window_view(kinds, _RUN)[starts]
    _, begun, place, times = np.unique(_summed([*runs.T]), return_index=True, return_inverse=True, return_counts=True)
    again = np.flatnonzero((starts[begun[place]] + _RUN <= starts) & (times[place] <= _COPIES))
    return [int(starts[at]) for at in again if len({*runs[at].tolist()}) >= _UNLIKE]


def _summed(codes: Sequence[NDArray[np.integer]]) -> NDArray[np.int64]:
    """Return a number (n,) for what arrays (n,) of codes say together: by chance alone the same one for two."""
    total = np.zeros(len(codes[0]), dtype=np.int64)
    for part, times in zip(codes, np.random.default_rng(0).integers(2**62, size=len(codes)), strict=True):
        total += part * times
    return total


def same_stones(
    sheet: Layout, classes: Sequence[int], measures: Sequence[int], groups: Sequence[NDArray[np.intp]]
) -> bool:
    """Say whether groups of rows have the same classes and nearly the same sums, or the same weights."""
    if not measures:
        return False
    values = [sheet.values(at) for at in measures]
    coded = np.column_stack([sheet.column(at).codes for at in classes]) if classes else None
    if any(item.wide for item in sheet.meanings):
        places = [[at for at in measures if at in sheet.places(role, wide=None)] for role in MEASURES]
        values = [np.nansum([*map(sheet.values, of_role)], axis=0) for of_role in places if of_role]
        coded = np.zeros((sheet.n_rows, 0), dtype=np.int32) if coded is None else coded
    if coded is not None and not any(sheet.column(at).mostly_distinct for at in classes):
        kinds = [{*map(tuple, coded[rows].tolist())} for rows in groups]
        if all(kind == kinds[0] and len(kind) == len(groups[0]) for kind in kinds):
            sums = np.array([[np.nansum(v[rows]) for v in values] for rows in groups])
            return bool(np.all(np.ptp(sums, axis=0) <= NEARLY * sums.max(axis=0)))
    lists = [np.sort(values[0][rows]) for rows in groups]
    return len(np.unique(lists[0])) > 2 and all(np.array_equal(one, lists[0]) for one in lists[1:])


def counted_otherwise(tables: Sequence[KnownTable], scheme: Scheme) -> bool:
    """Say whether tables count as many stones and carats, each by classes of its own: sizes, then colours.

    Where one gives no carats, as many stones have to be more than chance makes alike.
    """
    attributes = {"size_class", "lower_ct", *(item.column for item in scheme.categorical)}
    classes = [attributes & {*table.columns} for table in tables]
    if not all(classes) or len(set().union(*classes)) < sum(map(len, classes)):
        return False
    stones, carats = ([of.values(name).sum() for of in tables if name in of.columns] for name in ("n_stones", "carats"))
    if len(stones) != len(tables) or not carats:
        return False
    enough = stones[0] >= (_FEW if len(carats) == len(tables) else _BY_CHANCE)
    return bool(enough and all(np.allclose(sums, sums[0], rtol=0.0, atol=0.011) for sums in (stones, carats)))
