"""Columns of classes: pieces and carats below each become rows, ticks below them a column of classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kpfootprint.ingest.columns.asides import headers_again
from kpfootprint.ingest.columns.meanings import SIZES, Layout, pass_over
from kpfootprint.ingest.names.headers import Headers, Meaning
from kpfootprint.ingest.problems import Broken, listed
from kpfootprint.ingest.raw.cells import Cell, is_blank, is_number, read_yes_or_no, text_of, texts_in
from kpfootprint.ingest.raw.tables import Column, KnownTable, RawTable, Said, below
from kpfootprint.ingest.sheets import asked
from kpfootprint.ingest.sheets.lots import with_lots_settled
from kpfootprint.ingest.totals import is_of_which, is_total, without_of_which
from kpfootprint.ingest.words import attribute_words, class_code, fold, plain, says, tokens_of, without_measure

_TICKS = ("x", "xx", "✓", "✔", "√", "☑", "v")

_ROWS = 12
"""Rows of a table that is turned, at most."""

_LINES = 20
"""Lines of words below it, at most."""

_MOST = 2_000
"""Distinct cells from which on a column holds no ticks."""


_MEASURES = {"n_stones", "carats", "mean", "money", "value_usd", "percent"}
_UNITS = {"n_stones": "pcs", "carats": "cts"}


def turned(raw: RawTable, headers: Headers) -> tuple[RawTable, list[Said]]:
    """Turn a small table whose classes stand in columns and whose pieces and carats in rows; that is noted.

    Returns
    -------
    tuple
        The table, and the lines of words below it, which are none of its rows once it is turned.
    """
    if not 0 < raw.n_rows <= _ROWS + _LINES or len(raw.columns) < 3 or raw.columns[0].mostly_distinct:
        return raw, []
    labels = [text_of(raw.columns[0].at(row)) for row in range(raw.n_rows)]
    while len(labels) > 1 and headers.of_row(labels[-1]) not in _MEASURES and _is_worded(raw, len(labels) - 1):
        labels.pop()
    roles = [headers.of_row(label) for label in labels]
    said = [headers.of(column.header) for column in raw.columns[1:]]
    named = {item.classes[0][0] if len(item.classes) == 1 else None for item in said if item.wide}
    totals = [is_total(column.header) for column in raw.columns[1:]]
    whole = all(item.wide or total for item, total in zip(said, totals, strict=True))
    measured = {"n_stones", "carats"} & {*roles} and {*roles} <= _MEASURES and len({*roles}) == len(roles)
    classed = whole and len(named) == 1 and None not in named and sum(item.wide for item in said) > 1
    if not classed or not measured or len(labels) > _ROWS:
        return raw, []
    name = raw.columns[0].header.strip() or next(str(name) for name in named)
    columns = [Column.of(name, [column.header for column in raw.columns[1:]])]
    columns += [Column.of(label, [c.at(row) for c in raw.columns[1:]]) for row, label in enumerate(labels)]
    rows = np.full(len(said), raw.header_rows[-1], dtype=np.int32)
    below = [raw.said(row) for row in range(len(labels), raw.n_rows)]
    return replace(raw, columns=columns, rows=rows, ragged={}).noting("turned", header=name), below


def _is_worded(raw: RawTable, row: int) -> bool:
    """Say whether a row holds no number, as the lines below a table do: who sorted it, where, and when."""
    return not any(map(is_number, raw.texts(row)))


def with_measures_beside(raw: RawTable, headers: Headers) -> RawTable:
    """Lay pieces and carats that stand in rows below each other, under columns of classes, beside each other; noted.

    Of several such blocks, each below a line or a corner that names it, ``Parcel 1``, that stands in a row of its own.
    """
    raw = _with_measures_of_titles(raw, headers)
    wide = [at for at, column in enumerate(raw.columns) if headers.of(column.header).wide]
    if len(wide) < 2 or not 1 < raw.n_rows <= _MOST or any(column.mostly_distinct for column in raw.columns):
        return raw
    at = next((at for at in reversed(range(wide[0])) if not raw.columns[at].blank().all()), None)
    heads, titles = _headed_blocks(raw, wide, at or 0)
    if at is None or (not at and not heads):
        return raw  # which is turned
    last = max((row for row in range(raw.n_rows) if not is_blank(raw.columns[at].at(row))), default=-1)
    below = [*range(last + 1, raw.n_rows)]
    rows = np.array([row for row in range(last + 1) if row not in heads], dtype=np.intp)
    labels = [text_of(raw.columns[at].at(row)) for row in rows.tolist()]
    kinds = [*dict.fromkeys(labels)]
    named = {row: label for row, label in heads.items() if label}
    if not _measure_in_turn(labels, kinds, headers) or not raw.alone[below].all() or (heads and not named):
        return raw
    blocks = rows.reshape(-1, len(kinds))
    if any(_says_more(column, blocks) for column in raw.columns[:at]):
        return raw
    if not named and headers.of(raw.columns[at].header).role == "unknown":  # ``Parcel 1`` in the corner
        titles.append((raw.header_rows[-1], (raw.columns[at].header,)))
    titles += [raw.said(row) for row in below]
    names = ["pcs" if headers.of(label).role == "row" else label for label in kinds]
    laid_out = replace(_laid_beside(raw, at, blocks, names, named), titles=tuple(titles))
    return laid_out.noting("measures_beside", measures=listed(kinds))


def _measure_in_turn(labels: Sequence[str], kinds: Sequence[str], headers: Headers) -> bool:
    """Say whether the labels of rows name several measures, each another, in the same order again and again."""
    roles = [headers.of_row(label) for label in kinds]
    regular = labels == [*kinds] * (len(labels) // max(len(kinds), 1))
    return regular and len({*roles}) == len(roles) > 1 and {*roles} <= _MEASURES


def _laid_beside(
    raw: RawTable, at: int, blocks: NDArray[np.intp], kinds: Sequence[str], named: Mapping[int, str]
) -> RawTable:
    """Lay the rows of each of some blocks beside each other, below what is `named` for them; `at` labels them."""
    order = sorted([*named, *blocks[:, 0].tolist()])
    at_once = dict(zip(blocks[:, 0].tolist(), blocks.tolist(), strict=True))

    def laid(column: Column, place: int, header: str) -> Column:
        return Column.of(header, [column.at(at_once[row][place]) if row in at_once else None for row in order])

    columns = [Column.of("", [named.get(row) for row in order])] if named else []
    columns += [laid(column, 0, column.header) for column in raw.columns[:at]]
    for column in raw.columns[at + 1 :]:
        if column.blank().all():
            columns.append(laid(column, 0, column.header))
            continue
        columns += [laid(column, place, f"{column.header} {label}") for place, label in enumerate(kinds)]
    lines = np.array([raw.rows[max(row, 0)] for row in order], dtype=np.int32)
    return replace(raw, columns=columns, rows=lines, ragged={})


def _with_measures_of_titles(raw: RawTable, headers: Headers) -> RawTable:
    """Lay a table of pieces and one of their carats below it, each under a line that says so, side by side; noted."""
    again = headers_again(raw) if raw.n_rows <= _MOST else []
    above = texts_in(raw.titles[-1][1]) if raw.titles else []
    if len(again) != 1 or not 0 < 2 * again[0] <= raw.n_rows or not raw.alone[again[0] - 1] or len(above) != 1:
        return raw
    titles = [above[0], raw.label(again[0] - 1)]
    units = [_UNITS.get(headers.measure(title) or "", "") for title in titles]
    n_rows, starts = again[0] - 1, (0, again[0] + 1)
    names = [[text_of(raw.columns[0].at(row)) for row in range(start, start + n_rows)] for start in starts]
    below = range(starts[1] + n_rows, raw.n_rows)
    if {*units} != {*_UNITS.values()} or names[0] != names[1] or not raw.alone[below].all():
        return raw
    parts = [raw.keep(np.arange(start, start + n_rows)) for start in starts]
    columns = parts[0].columns[:1]
    for pair in zip(*(part.columns[1:] for part in parts), strict=True):
        columns += [replace(item, header=f"{item.header} {unit}") for item, unit in zip(pair, units, strict=True)]
    made = replace(parts[0], columns=columns, ragged={}, titles=(*raw.titles[:-1], *map(raw.said, below)))
    return made.noting("measures_beside", measures=listed(titles))


def _headed_blocks(raw: RawTable, wide: Sequence[int], at: int) -> tuple[dict[int, str], list[Said]]:
    """Return the rows that head blocks, or repeat the header, with what each names, or nothing; and the other titles.

    What names the first block stands in row -1.
    """
    header, corner = [raw.columns[place].header for place in wide], _named_in([c.header for c in raw.columns[: at + 1]])
    heads: dict[int, str] = {}
    for row in range(raw.n_rows):
        named = _named_in(raw.row(row)[: at + 1])
        if [text_of(raw.columns[place].at(row)) for place in wide] == header:
            heads[row] = "" if named == corner else named
        elif raw.alone[row] and named and not raw.blank([at])[row + 1 :].all():
            heads[row] = named
    titles = [*raw.titles]
    if any(heads.values()):
        above = texts_in(titles[-1][1]) if titles else []
        repeated = any(heads[row] for row in heads if not raw.alone[row])
        first = corner if repeated else above[0] if len(above) == 1 else ""
        titles = titles if repeated else titles[:-1]
        heads |= {-1: first} if first else {}
    return heads, titles


def _named_in(cells: Sequence[Cell]) -> str:
    return next(iter(texts_in(cells)), "")


def _says_more(column: Column, blocks: NDArray[np.intp]) -> bool:
    """Say whether rows below the first ones of blocks say otherwise: ``+9`` beside the stones, ``+11`` the carats."""
    codes, blank = column.codes[blocks], column.blank()[blocks]
    return bool(np.any(~blank[:, 1:] & (codes[:, 1:] != codes[:, :1])))


def with_ticks(sheet: Layout) -> Layout:
    """Put the class that a row ticks into one column: ``x`` below ``White``, or 1 where the row's stone is weighed."""
    for name in sheet.attributes if not sheet.places("n_stones") else ():
        wide = [at for at, item in enumerate(sheet.meanings) if [of for of, _ in item.classes] == [name]]
        if len(wide) < 2 or {sheet.meanings[at].role for at in wide} != {"stones_or_carats"}:
            continue
        raw, columns = sheet.raw, [sheet.column(at) for at in wide]
        if any(len(column.cells) > _MOST for column in columns):
            continue
        ticks = np.array([np.array([*map(_ticked, column.cells)])[column.codes] for column in columns])
        own = ~np.isin(np.arange(raw.n_rows), raw.totals)
        found = ticks[:, own].sum(axis=0)
        if np.any(ticks[:, own] < 0) or not np.any(found):
            continue
        names = {text for c in columns for text in c.rows(np.flatnonzero(own)).used().names()}
        if names <= {"", "0", "1"} and (0 in found or not sheet.places("carats") or sheet.places("size_class")):
            continue  # numbers of stones
        if np.any(found > 1):
            several = np.flatnonzero(own)[found > 1] if sheet.places("row") else np.empty(0, dtype=np.intp)
            known = {"attribute": name, "classes": listed(sheet.meanings[at].classes[0][1] for at in wide), "sets": "–"}
            sheet.tell_rows("unknown_class", wide[0], several, rule="several_classes", **known)
            continue
        codes = np.where(own & (ticks.max(axis=0) > 0), ticks.argmax(axis=0), len(wide)).astype(np.int32)
        made = Column(name, [*(sheet.meanings[at].classes[0][1] for at in wide), None], codes)
        if said := sheet.places(name):
            _tell_unlike(sheet, said[0], made, own)
        rest = [at for at in range(len(raw.columns)) if at not in (*wide, *said) and not _sums(sheet, at, wide)]
        meanings = [*(sheet.meanings[at] for at in rest), Meaning(role=name)]
        sheet = sheet.with_columns([*(raw.columns[at] for at in rest), made], meanings)
    return sheet


def _tell_unlike(sheet: Layout, at: int, ticked: Column, own: NDArray[np.bool_]) -> None:
    """Tell the rows whose word is not the class that they tick, as forms tell an answer twice: ``couleur/blanc``."""
    item, column = sheet.attribute(at), sheet.column(at)
    known = {} if item is None else attribute_words(item)
    words, classes = ([class_code(name, known) if name else None for name in c.names()] for c in (column, ticked))
    for row in np.flatnonzero(own).tolist():
        if words[column.codes[row]] != classes[ticked.codes[row]]:
            sheet.tell("ticked_otherwise", at, row, ticked=text_of(ticked.at(row)) or "–")


def _ticked(cell: Cell) -> int:
    """Return 1 for a tick or a yes, 0 for none or a no, and -1 for what is neither."""
    said = not is_blank(cell) and (plain(text_of(cell)).strip() in _TICKS or read_yes_or_no(cell))
    return -1 if isinstance(said, Broken) else int(bool(said))


def with_parts(sheet: Layout) -> Layout:
    """Read columns such as ``of which white``, ``of which brown`` as classes where they add up everywhere."""
    whole = _whole_column(sheet, "n_stones")
    headers = {at: column.header for at, column in enumerate(sheet.raw.columns) if is_of_which(column.header)}
    said = {at: sheet.headers.of(without_of_which(header)) for at, header in headers.items()}
    kinds = {tuple(name for name, _ in item.classes) for item in said.values()}
    if whole is None or len(said) < 2 or len(kinds) > 1 or not {name for kind in kinds for name in kind} - sheet.taken:
        return sheet
    sums, given = np.nansum([sheet.values(at) for at in said], axis=0), np.nan_to_num(sheet.values(whole))
    if not np.array_equal(sums, given):
        return sheet
    return replace(sheet, meanings=[said.get(at, item) for at, item in enumerate(sheet.meanings)])


def unfold(sheet: Layout, wide: list[int]) -> KnownTable:
    """Turn columns of classes into rows, and check the totals beside them."""
    sheet = with_lots_settled(sheet, "counts")
    sheet = _without_totals_of_some(_wide_measures(sheet, wide), wide)
    raw = sheet.raw
    groups = _by_class(sheet, wide)
    names = ("parcel_id", "zone_id", *SIZES, *sheet.attributes)
    dims = {name: place for name in names if (place := sheet.one(name)) is not None}
    if "size_class" not in dims:
        asked.ask_about_weights(sheet, wide, named=bool(dims))
    measures = ("n_stones", "carats")
    whole = {name: place for name in measures if (place := _whole_column(sheet, name)) is not None}
    for name, at in whole.items():
        _tell_other_wholes(sheet, name, at)
        sheet.tell_rows("not_a_number", at, np.isnan(raw.values(at)) & ~raw.columns[at].blank())  # ``1O0``
    graded = {name: place for name in measures if (place := sheet.one(name, "sample")) is not None}
    used = {*wide, *dims.values(), *whole.values(), *graded.values()}
    graded_so = [at for at in sheet.places("other") if says("quality", *tokens_of(raw.columns[at].header))]
    for at in [*sheet.places("unknown"), *graded_so]:  # ``1st quality`` beside ``Boart``
        if f"column:{raw.columns[at].header}" in sheet.choices:
            continue
        numbers = sheet.numbers(at)
        if numbers is not None and len(numbers) and not _sums(sheet, at, wide):
            sheet.tell("unknown_class_column", at, header=raw.columns[at].header)
    for at, item in enumerate(sheet.meanings):
        if item.party and at not in used:
            sheet.tell("unknown_class_column", at, header=raw.columns[at].header)
    pass_over(sheet, used)
    return _melted(sheet, groups, dims, whole, graded)


_Classes = tuple[tuple[str, str], ...]


def _by_class(sheet: Layout, wide: list[int]) -> dict[_Classes, list[dict[str, int]]]:
    """Return the columns of each class by what they measure: several times where columns of one class add up; noted."""
    groups: dict[_Classes, list[dict[str, int]]] = {}
    for at in wide:
        item = sheet.meanings[at]
        slots = groups.setdefault(item.classes, [])
        if (slot := next((slot for slot in slots if item.role not in slot), None)) is None:
            slots.append(slot := {})
        slot[item.role] = at
    for classes, slots in groups.items():
        for role in dict.fromkeys(role for slot in slots for role in slot):
            places = [slot[role] for slot in slots if role in slot]
            headers, values = [sheet.header(at) for at in places], [*map(sheet.values, places)]
            sums = np.nansum(values, axis=0)
            of_others = any(np.allclose(2 * np.nan_to_num(v), sums) for v in values)
            own = {" ".join(w for w in tokens_of(without_measure(header)) if not says("row", w)) for header in headers}
            same = len(own) < len(places)  # ``No brown`` beside ``Brown``
            if len(places) > 1 and (of_others or same or any(map(is_total, headers))):
                sheet.tell("column_twice", places[-1], column=listed(name for _, name in classes))
            elif len(places) > 1:
                told = {"columns": listed(headers, 8), "class": listed(name for _, name in classes)}
                sheet.trace.note("columns_added", **told)
    return groups


def _sums(sheet: Layout, at: int, wide: Sequence[int]) -> bool:
    """Say whether a column is called a total, ``Total gem``, and sums those of classes right before it."""
    before = [sheet.values(place) for place in reversed(wide) if place < at]
    if not before or not is_total(sheet.header(at)):
        return False
    sums, own = np.cumsum(np.nan_to_num(before), axis=0), np.nan_to_num(sheet.values(at))
    return any(np.allclose(found, own, atol=0.011) for found in sums)


def _whole_column(sheet: Layout, name: str) -> int | None:
    found = [at for at in sheet.places(name) if sheet.meanings[at].part != "sample" and not sheet.meanings[at].party]
    sure = [at for at in found if sheet.meanings[at].part == "whole"] or found
    return sure[0] if sure else None


def _tell_other_wholes(sheet: Layout, name: str, whole: int) -> None:
    """Tell the columns that say otherwise than the one taken for the whole: each could be that of a class."""
    values = np.nan_to_num(sheet.values(whole))
    for at in sheet.places(name):
        item = sheet.meanings[at]
        whole_too = at != whole and not item.party and item.part != "sample" and not item.classes
        if whole_too and not np.allclose(np.nan_to_num(sheet.values(at)), values, atol=0.011):
            sheet.tell("column_twice", at, column=name)


def _wide_measures(sheet: Layout, wide: list[int]) -> Layout:
    """Say whether columns without a measure hold stones or carats: whole numbers are stones."""
    unsure = [at for at in wide if sheet.meanings[at].role == "stones_or_carats"]
    values = [sheet.values(at) for at in unsure]
    corner = 0 not in wide and _weighs_classes(sheet)
    counted = all(map(are_whole, values)) and not corner
    if unsure:
        asked.ask_about_shares(sheet, np.array(values))
        carats, stones = _whole_column(sheet, "carats"), _whole_column(sheet, "n_stones")
        if carats is not None and stones is None and sheet.one("n_stones", "sample") is None:
            beside = np.abs(np.nansum(values, axis=0) - sheet.values(carats))
            counted = counted and not bool(np.all(beside < 0.01))
    meanings = list(sheet.meanings)
    for at, item in enumerate(meanings):
        if item.role == "stones_or_carats":
            whole = counted if at in unsure else are_whole(sheet.values(at))
            meanings[at] = replace(item, role="n_stones" if whole else "carats")
    return replace(sheet, meanings=meanings)


def _without_totals_of_some(sheet: Layout, wide: Sequence[int]) -> Layout:
    """Pass over totals that sum the classes right before them and not all, as ``Total`` below ``White`` does."""
    meanings = list(sheet.meanings)
    for name in ("n_stones", "carats"):
        parts = [at for at in wide if meanings[at].role == name]
        totals = [at for at in sheet.places(name) if meanings[at].part == "whole"]
        every = np.nansum([sheet.values(at) for at in parts], axis=0)
        for at in totals if len(totals) > 1 else ():
            if _sums(sheet, at, parts) and not np.allclose(np.nan_to_num(sheet.values(at)), every, atol=0.011):
                meanings[at] = Meaning(role="other")
    return replace(sheet, meanings=meanings)


def _weighs_classes(sheet: Layout) -> bool:
    """Say whether the first header says that carats stand beside its column, and not in it: ``Cts`` above sieves."""
    header = sheet.header(0)
    spans = [sheet.headers.size(text_of(cell)) for cell in sheet.cells(0)]
    weighed = any(span is not None and span.kind != "sieve" for span in spans)
    classed = says("size", *tokens_of(header)) or "class" in fold(header)
    return sheet.headers.of(header).role == "carats" and not weighed and not classed


def are_whole(values: NDArray[np.float64]) -> bool:
    """Say whether numbers are whole, where there are any."""
    return bool(np.all(np.isnan(values) | (values == np.floor(values))))


def _melted(
    sheet: Layout,
    groups: Mapping[_Classes, Sequence[Mapping[str, int]]],
    dims: Mapping[str, int],
    whole: Mapping[str, int],
    graded: Mapping[str, int],
) -> KnownTable:
    raw, sampled = sheet.raw, bool(graded) and bool(whole)
    kinds: dict[frozenset[str], list[tuple[_Classes, Mapping[str, int]]]] = {}
    for classes, slots in groups.items():
        kinds.setdefault(frozenset(name for name, _ in classes), []).extend((classes, slot) for slot in slots)
    pieces: list[_Piece] = []
    for number, kind in enumerate(sorted(kinds, key=sorted)):
        for measure, at in (graded if sampled else whole).items():
            if parts := [slot[measure] for _, slot in kinds[kind] if measure in slot]:
                _check_rows(sheet, parts, at, measure)
        for classes, slot in kinds[kind]:
            filled = np.flatnonzero(np.logical_or.reduce([raw.holding(at) for at in slot.values()]))
            name = f"{'sample' if sampled else 'classes'} {number}"
            pieces.append(_Piece(filled, slot, dict(classes), name, sampled))
    missing = [name for name in whole if not any(name in slot for slots in groups.values() for slot in slots)]
    if (dims and (missing or sampled)) or sampled:
        pieces.append(_Piece(np.arange(raw.n_rows), whole, {}, "whole", sample=False))
    for name in missing if not dims else ():
        sheet.trace.stated.append((raw.header_rows[-1], (name, round(float(np.nansum(raw.values(whole[name]))), 6))))
    return _stacked(sheet, pieces, dims)


def _check_rows(sheet: Layout, parts: list[int], total: int, measure: str) -> None:
    """Tell the rows whose classes do not add up to the total beside them."""
    sums, given = np.nansum([sheet.values(at) for at in parts], axis=0), sheet.values(total)
    slack = 0.5 if measure == "n_stones" else 0.005 * (len(parts) + 1) + 1e-6
    classes = listed(sheet.header(at) for at in parts)
    if len(parts) == 1 and bool(np.all((sums <= given) | np.isnan(given))) and not np.array_equal(sums, given):
        sheet.ask("part_of_whole", parts[0], "ignore")
        return
    for row in np.flatnonzero(np.isfinite(given) & (np.abs(sums - given) > slack)).tolist():
        told = {"found": f"{sums[row]:g}", "expected": f"{given[row]:g}", "classes": classes}
        sheet.tell("row_total", total, row, **told)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Rows of a sheet, once for each class that has a column."""

    rows: NDArray[np.intp]
    slot: Mapping[str, int]
    classes: Mapping[str, str]
    breakdown: str
    sample: bool


def _stacked(sheet: Layout, pieces: list[_Piece], dims: Mapping[str, int]) -> KnownTable:
    raw = sheet.raw
    rows = np.concatenate([piece.rows for piece in pieces]) if pieces else np.zeros(0, dtype=np.intp)
    columns: dict[str, Column] = {name: raw.columns[at].rows(rows) for name, at in dims.items()}
    sizes = [len(piece.rows) for piece in pieces]

    def measured(piece: _Piece, name: str) -> Column:
        at = piece.slot.get(name)
        return Column.filled(name, None, len(piece.rows)) if at is None else raw.columns[at].rows(piece.rows)

    def said(name: str, texts: Sequence[str | None]) -> Column:
        return Column.of(name, texts).rows(np.repeat(np.arange(len(pieces)), sizes))

    for name in ("n_stones", "carats"):
        if any(name in piece.slot for piece in pieces):
            columns[name] = below(name, [measured(piece, name) for piece in pieces])
    for name in dict.fromkeys(name for piece in pieces for name in piece.classes):
        if name in columns:
            sheet.tell("column_twice", name, column=name)
        columns[name] = said(name, [piece.classes.get(name) for piece in pieces])
    sampled = any(piece.sample for piece in pieces)
    if sampled or len({piece.breakdown for piece in pieces}) > 1:
        columns["breakdown"] = said("breakdown", [piece.breakdown for piece in pieces])
    if sampled:
        columns["sample"] = said("sample", ["yes" if piece.sample else "no" for piece in pieces])
    made = raw.known("counts", columns, sheet.trace, complete=not sheet.problems)
    return replace(made, n_rows=len(rows), rows=raw.rows[rows], ragged={})
