"""Rows in groups, whose class stands once: in a heading, in an outline above its parts, or in the first row alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kpfootprint.ingest.columns.meanings import MEASURES, Layout, meanings_of
from kpfootprint.ingest.names.size_labels import names_size
from kpfootprint.ingest.problems import listed
from kpfootprint.ingest.raw.cells import Cell, has_digit, is_blank, is_number, line_of, text_of
from kpfootprint.ingest.raw.tables import Column
from kpfootprint.ingest.sheets.sections import heads_classes, named_by, parcels_named, without_number, zones_named
from kpfootprint.ingest.totals import is_summary, is_total
from kpfootprint.ingest.words import declared_words, is_not_recorded, plain, says, tokens_of, without_remark

_MOST = 2_000
"""Rows that an outline has at most."""

_LONGEST = 60
"""Letters of a title that names a class, at most."""

_YEAR = re.compile(r"(?:19|20)\d\d")

_NUMBERED = ("row", "other", "money", "mean", "percent", "zone_id", "lot", "parcel_id")
"""Columns in which a word with a number is one of theirs."""

_SOME = 5
"""Rows in which an outline shows two of its levels."""


def without_outline(sheet: Layout) -> Layout:
    """Part a column of sizes and classes below each other, as compact pivot tables have it: ``+11``, ``white``.

    The rows above others are their sums, which is checked, or hold no numbers.
    """
    raw = sheet.raw
    measures = sheet.places(*MEASURES) if raw.n_rows <= _MOST else []

    def kind(text: str) -> str:
        if is_total(text) or not text:
            return "total"
        named = sheet.headers.classes(text)
        return "size_class" if sheet.headers.size(text) is not None else named[0] if len(named) == 1 else ""

    for at, column in enumerate(raw.columns) if measures else ():
        first = [] if column.mostly_distinct else [text_of(column.at(row)) for row in range(min(raw.n_rows, _SOME))]
        if at in measures or len({kind(text) for text in first} - {"total"}) < 2:
            continue
        of_cell = [kind(name) for name in column.names()]
        kinds = [of_cell[code] or ("total" if raw.alone[row] else "") for row, code in enumerate(column.codes)]
        others = {item.role for place, item in enumerate(sheet.meanings) if place != at}
        if (made := _without_levels(sheet, at, kinds, others, measures)) is not None:
            return made
    return sheet


def _without_levels(
    sheet: Layout, at: int, kinds: Sequence[str], others: set[str], measures: Sequence[int]
) -> Layout | None:
    """Part a column by the kinds of its cells, each below the one before it; None where they are no such levels."""
    raw, column = sheet.raw, sheet.column(at)
    rows = [row for row, name in enumerate(kinds) if name != "total"]
    names = list(dict.fromkeys(kinds[row] for row in rows))
    levels = [names.index(kinds[row]) for row in rows]
    if "" in names or len(names) < 2 or {*names} & others or levels.count(0) < 2 or np.diff(levels).max() > 1:
        return None
    values = [raw.values(place) for place in measures]
    above: list[list[Cell]] = [[None] * raw.n_rows for _ in names[1:]]
    left: dict[int, tuple[str, dict[str, object]]] = {}
    for place, (row, level) in enumerate(zip(rows, levels, strict=True)):
        if level == len(names) - 1:
            continue
        end = next((k for k in range(place + 1, len(rows)) if levels[k] <= level), len(rows))
        if not _is_above(values, row, [rows[k] for k in range(place, end) if levels[k] == level + 1]):
            return None
        group = slice(row, rows[end] if end < len(rows) else raw.n_rows)
        above[level][group] = [column.at(row) if name != "total" else None for name in kinds[group]]
        bare = all(np.isnan(v[row]) for v in values)
        left[row] = "heading" if bare else "total_checked", {"label": raw.label(row)}
    parts = [Column.of(name, cells) for name, cells in zip(names[:-1], above, strict=True)]
    columns = [*raw.columns[:at], *parts, replace(column, header=names[-1]), *raw.columns[at + 1 :]]
    made = sheet.with_columns(columns).without(left)
    return replace(made, meanings=meanings_of(made.raw, sheet.inquiry))


def _is_above(values: list[NDArray[np.float64]], top: int, group: list[int]) -> bool:
    """Say whether a row holds the sums of those of a group below it, or no numbers."""
    blank = all(np.isnan(v[top]) for v in values)
    return bool(group) and (blank or all(abs(float(np.nansum(v[group])) - v[top]) <= 0.0051 for v in values))


def without_sums_above(sheet: Layout) -> Layout:
    """Leave out rows that sum the group below them, and name it in a column of their own, as outlines have it."""
    raw, measures = sheet.raw, sheet.places(*MEASURES)
    if not measures or not 2 < raw.n_rows <= _MOST or any(column.mostly_distinct for column in raw.columns):
        return sheet
    filled = [~column.blank() for column in raw.columns]
    parted = [at for at in range(len(filled) - 1) if not (filled[at].all() or filled[at + 1].all())]
    if not parted:
        return sheet
    values = [raw.values(at) for at in measures]
    own = np.setdiff1d(np.arange(raw.n_rows), [*raw.totals, *np.flatnonzero(raw.alone)])
    for at in parted:
        if {at, at + 1} & {*measures} or not len(own):
            continue
        above, below = (filled[place][own] for place in (at, at + 1))
        tops = own[above].tolist()
        if not np.array_equal(above, ~below) or own[0] not in tops or len(tops) < 2:
            continue
        ends = [*tops[1:], int(own[-1]) + 1]
        groups = [own[(own > top) & (own < end)].tolist() for top, end in zip(tops, ends, strict=True)]
        if all(_is_above(values, top, group) for top, group in zip(tops, groups, strict=True)):
            return _filled_down(sheet, [at]).leave(tops, "total_checked")
    return sheet


def without_dittos(sheet: Layout) -> Layout:
    """Put the word above in the place of ``idem``, ``do.`` and ditto marks; below a number or a total they stay."""
    known = declared_words()["headers"]["ditto"]
    for at, column in enumerate(sheet.raw.columns):
        short = [(code, cell) for code, cell in column.texts() if len(cell) <= 8 and not cell[:1].isdigit()]
        hits = [code for code, cell in short if {cell.strip(), plain(cell).strip()} & {*known}]
        if not hits:
            continue
        rows = np.flatnonzero(column.rows_with(hits))
        codes = column.codes.copy()
        for row in rows[rows > 0].tolist():
            above = column.cells[codes[row - 1]]
            if isinstance(above, str) and not is_blank(above) and not is_number(above) and not is_total(above):
                codes[row] = codes[row - 1]
        if (codes != column.codes).any():
            sheet = sheet.with_column(at, replace(column, codes=codes).used())
            sheet.trace.note("ditto", word=text_of(column.cells[hits[0]]), column=column.header)
    return sheet


def with_headings(sheet: Layout) -> Layout:
    """Give rows the class that a row above them names alone, ``WHITE`` above its sizes; ask about other such rows."""
    raw = sheet.raw
    measures = sheet.places(*MEASURES, wide=None)
    if not measures or any(column.mostly_distinct for column in raw.columns):
        return sheet
    empty = raw.blank(measures)
    words = [row for row in np.flatnonzero(raw.alone).tolist() if not has_digit(raw.label(row))]
    if words[:1] == [0]:  # ``NOLA`` below carats, which stand first
        empty[words] = True
    numbered, totals = np.flatnonzero(~empty), raw.totals
    last = min([*numbered[-1:], *totals[-1:]]) if len(numbered) else 0
    filled = np.sum([~column.blank() for column in raw.columns], axis=0)
    alone = np.flatnonzero(empty & (filled == 1)).tolist()
    rows = [row for row in alone if row < last and not _is_known(sheet, row)]
    if not rows:
        return sheet
    labels = [raw.label(row) for row in rows]
    named = named_by(sheet, labels) or parcels_named(sheet, labels) or zones_named(sheet, labels)
    if named is None or rows[0] > numbered[0]:
        for row in rows:
            sheet.tell("heading_row", None, row, label=raw.label(row))
        return sheet
    column, cells = named
    codes = np.zeros(raw.n_rows, dtype=np.int32)
    for at, row in enumerate(rows):
        codes[row:] = at
    codes[totals] = len(rows)
    return sheet.with_more({column: Column(column, [*cells, None], codes)}).leave(rows, "heading")


def with_classes_among_sizes(sheet: Layout, before: Layout) -> Layout:
    """Read words among sizes, ``Boart`` at the end of a ladder of sieves, as classes of stones of any size; noted.

    Where there are totals, one of them has to hold all rows; words that may as well tell a part of the rows above are
    read so there alone. `before` is the sheet with its totals.
    """
    at = sheet.one("size_class")
    column = None if at is None or not sheet.places("n_stones") else sheet.column(at)
    if at is None or column is None or column.mostly_distinct or column.blank().any() or "breakdown" in sheet.taken:
        return sheet
    others = ((code, cell) for code, cell in column.texts() if not (is_blank(cell) or is_total(cell)))
    words = {code: cell for code, cell in others if not names_size(cell, sheet.scheme)}
    bare = {code for code, cell in words.items() if _is_unsized(cell)}
    at_end = bool(np.all(np.diff(column.rows_with(words).astype(int)) >= 0))
    opened = {code for code, cell in words.items() if is_not_recorded(cell)}
    goods = {code: cell for code, cell in words.items() if code not in bare or named_by(sheet, [cell]) is not None}
    named = named_by(sheet, [text_of(cell) for cell in goods.values()]) if goods else None
    counts, totals = (of.raw.values(sheet.places("n_stones")[0]) for of in (sheet, before))
    totals = totals[before.raw.totals]
    if opened and (not np.any(totals == np.nansum(counts)) if len(totals) else opened & bare and not at_end):
        sheet.tell_rows("unknown_size", at, column.rows_with(opened))  # the same stones, it may be
    words = {code: cell for code, cell in words.items() if code not in opened}
    bare -= opened
    whole = bool(np.any(totals == np.nansum(counts))) if len(totals) else at_end and len(bare) == len(words)
    if not words or not whole or len(words) == len(column.cells) or (goods and named is None):
        return sheet
    sheet.tell_rows("missing_value", sheet.places("n_stones")[0], column.rows_with(words) & np.isnan(counts))
    more = {"breakdown": Column.filled("lots", "lots", sheet.n_rows)}
    if named is not None:
        place = dict(zip(goods, named[1], strict=True))
        more[named[0]] = replace(column, cells=[place.get(code) for code in range(len(column.cells))])
    sheet.trace.note("without_size", column=column.header, words=listed(words.values(), 12))
    cells = [None if code in words else cell for code, cell in enumerate(column.cells)]
    return sheet.with_column(at, replace(column, cells=cells)).with_more(more)


def _is_unsized(cell: str) -> bool:
    """Say whether a word names goods of any size: ``Boart``, ``Rejections (dark)``."""
    return cell[:1].isalpha() and says("unsized", " ".join(tokens_of(without_remark(cell))))


def with_title_class(sheet: Layout) -> Layout:
    """Give all rows the class that a title names alone, ``SIEVE +9-11``, where no column has one; that is noted."""
    raw = sheet.raw
    taken = sheet.taken
    found: dict[str, tuple[str, Cell]] = {}
    for line, cells in raw.titles:
        title = line_of(cells)
        if is_total(title) or len(title) > _LONGEST:
            continue
        label, colon, said = title.partition("=" if "=" in title else ":")
        if colon and not heads_classes(sheet, label):
            continue  # ``Bag: brown envelope``, ``Spot colour: green``, ``D = Dodeca``
        own = [word for word in (said if colon else title).split() if not heads_classes(sheet, word)]
        numbered = line and any(map(str.isdigit, own))  # ``Round 2``; no sheet called ``4 gr``
        named = None if numbered else named_by(sheet, [" ".join(own)])
        if named is None or named[0] in taken or (named[0] == "size_class" and not sheet.places("n_stones")):
            continue
        if named[0] in found:
            return sheet
        found[named[0]] = title, named[1][0]
        sheet.trace.lines.add(line)
    for title, cell in found.values():
        sheet.trace.note("title_of_class", **{"title": title, "class": text_of(cell)})
    return sheet.with_more({name: Column.filled(*said, raw.n_rows) for name, said in found.items()})


def _is_known(sheet: Layout, row: int) -> bool:
    """Say whether the only text of a row is a total, a mean, or a class of its own column."""
    at = sheet.raw.filled_at(row)[0]
    text, role = sheet.raw.label(row), sheet.meanings[at].role
    if role == "row" and (named_by(sheet, [text]) or ("",))[0] == "size_class":
        return False  # ``+11`` among numbers of stones
    sized = sheet.headers.size(text) is not None
    numbered = without_number(text)[:1].isdigit() and _YEAR.fullmatch(text) is None and not sized
    if is_total(text) or is_summary(text) or numbered:
        return True
    named = has_digit(text) and role in _NUMBERED and parcels_named(sheet, [text]) is None
    return named or (role == "size_class" and sized) or role in sheet.headers.classes(text)


def with_parcels_below(sheet: Layout) -> Layout:
    """Let a parcel's id, or a zone, that stands above blanks reach over its rows, where none comes twice; noted."""
    sheet = _with_descriptions_below(sheet)
    for at in sheet.places("parcel_id", "zone_id"):
        column = sheet.column(at)
        blank = np.zeros(1, dtype=bool) if column.mostly_distinct else column.blank()
        if not blank.any() or blank[0]:
            continue
        rows = np.flatnonzero(~blank)
        several = sheet.meanings[at].role == "parcel_id" or len(rows) > 1
        once = len({text_of(column.at(row)) for row in rows.tolist()}) == len(rows)
        if several and once and 2 * len(rows) <= len(blank):
            sheet.trace.note("blanks_go_on", columns=column.header)
            sheet = _filled_down(sheet, [at])
    return sheet


def _with_descriptions_below(sheet: Layout) -> Layout:
    """Let a description that stands once, above blanks, reach over rows whose classes come again below the next one."""
    places, classed = sheet.places("description"), sheet.places("size_class", *sheet.attributes)
    column = sheet.column(places[0]) if len(places) == 1 and classed else None
    if column is None or column.mostly_distinct or not (blank := column.blank()).any() or blank[0] or blank.all():
        return sheet
    down = _filled_down(sheet, places)
    alone, both = (np.column_stack([down.raw.columns[at].codes for at in of]) for of in (classed, [*places, *classed]))
    if len(np.unique(alone, axis=0)) == len(alone) or len(np.unique(both, axis=0)) < len(both):
        return sheet
    sheet.trace.note("blanks_go_on", columns=column.header)
    return down


def ask_about_blanks(sheet: Layout, classed: list[int]) -> Layout:
    """Ask whether a class that is blank below a filled one goes on, where rows with and without it alternate."""
    if len(classed) < 2 or sheet.places("parcel_id"):
        return sheet
    raw = sheet.raw
    for at in classed:
        blank = raw.columns[at].blank()
        alike = [other for other in classed if np.array_equal(raw.columns[other].blank(), blank)]
        others = [other for other in classed if other not in alike]
        if not others:
            continue
        filled = np.logical_and.reduce([~raw.columns[other].blank() for other in others])
        full = np.flatnonzero(~blank & filled)
        if not len(full):
            continue
        between = np.flatnonzero(blank & filled)
        between = between[between > full[0]]
        if not len(between) or full[-1] < between[0] or _same_sums(sheet, full, between):
            continue
        down = _filled_down(sheet, alike)
        if _are_grouped(sheet, down, classed, between) or sheet.choices.get("blanks") == "as_above":
            sheet.trace.note("blanks_go_on", columns=listed(raw.columns[place].header for place in alike))
            return down
        if all(str(raw.columns[at].at(row) or "").strip() for row in between.tolist()):
            return _blanks_open(sheet, [at])  # a dash is no class that goes on
        sheet.tell("blank_below", at, int(between[0]), header=raw.columns[at].header, choices=[("blanks", "as_above")])
        return sheet
    return sheet


def written_once(sheet: Layout) -> list[int]:
    """Return the classes of a list that may stand once above blanks, and the numbers of its rows, or their weights.

    They stand left of the numbers, or each of their words comes once.
    """
    numbers = sheet.places("row")[:1]
    once: list[int] = []
    for at in sheet.places(*sheet.attributes):
        column = sheet.column(at)
        blank, filled = column.blank(), int(np.sum(~column.blank()))
        if filled and not blank[0] and 2 * filled <= len(blank):
            apart = len(np.unique(column.codes[~blank])) == filled > 1
            once += [at] if [at] < numbers or apart else []
    return [*once, *(numbers or sheet.places("carats", "stones_or_carats"))]


def with_blanks_open(sheet: Layout, classed: list[int]) -> Layout:
    """Take a blank class for one that nobody recorded, where the only total sums the rows with it and those without."""
    raw, sums = sheet.raw, [note.row for note in sheet.trace.left_out if note.code == "total_checked"]
    blank = [at for at in classed if 0 < 2 * int(raw.columns[at].blank().sum()) < raw.n_rows]
    lines = [raw.line(row) or 0 for row in (0, -1)] if raw.n_rows else []
    whole = len(sums) == 1 and sums[0] is not None and bool(lines) and not lines[0] <= sums[0] <= lines[1]
    if not blank or not whole or sheet.problems or sheet.places("parcel_id", "breakdown", "lot"):
        return sheet
    return _blanks_open(sheet, blank)


def _blanks_open(sheet: Layout, places: list[int]) -> Layout:
    sheet.trace.note("blanks_open", columns=listed(map(sheet.header, places)))
    for at in places:
        cells: list[Cell] = [cell if not is_blank(cell) else "unknown" for cell in sheet.column(at).cells]
        sheet = sheet.with_column(at, replace(sheet.column(at), cells=cells))
    return sheet


def _are_grouped(sheet: Layout, down: Layout, classed: list[int], between: NDArray[np.intp]) -> bool:
    """Say whether rows of the same classes come more than once as they stand, and none does where blanks go on."""
    weighed = any(sheet.meanings[at].role in ("carats", "stones_or_carats") for at in classed)
    if weighed or sheet.places("lot", "description", "described"):
        return False
    as_is, filled = (np.column_stack([one.raw.columns[at].codes for at in classed]) for one in (sheet, down))
    again = len(np.unique(as_is[between], axis=0)) < len(between)
    return again and len(np.unique(filled, axis=0)) == len(filled)


def _same_sums(sheet: Layout, some: NDArray[np.intp], others: NDArray[np.intp]) -> bool:
    """Say whether rows sum to what others do in stones and carats, so that they are a breakdown of the same stones."""
    measures = sheet.places("n_stones", "carats")
    values = [sheet.values(at) for at in measures]
    sums = [(float(np.nansum(v[some])), float(np.nansum(v[others]))) for v in values]
    return len(sums) > 1 and all(abs(one - other) <= 0.0051 + 0.001 * abs(one) for one, other in sums)


def _filled_down(sheet: Layout, places: list[int]) -> Layout:
    for at in places:
        sheet = sheet.with_column(at, sheet.column(at).filled_down())
    return sheet
