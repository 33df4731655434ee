"""What stands above, beside and below a table: summaries, held against its rows; notes; other tables."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kpfootprint.errors import Problem
from kpfootprint.ingest.cells import Cell, is_blank, text_of
from kpfootprint.ingest.headers import Headers
from kpfootprint.ingest.heads import is_number
from kpfootprint.ingest.meanings import Sheet, listed
from kpfootprint.ingest.rules import Broken
from kpfootprint.ingest.tables import Column, RawTable, Table, without_blank_rows
from kpfootprint.ingest.unfold import laid
from kpfootprint.ingest.words import attribute_words, class_code, fold, fold_size
from kpfootprint.scheme import Scheme

MEASURES = ("n_stones", "carats", "stones_or_carats")
ONE = ("tables", "one")
"""The answer that several tables on a sheet are parts of one parcel."""
_DIGIT = re.compile(r"\d")
_LONGEST = 60
_MOST = 200
"""Rows that a summary has at most."""


@dataclass(frozen=True, slots=True)
class Block:
    """What seems to be a table of its own beside another: where it stands, and its header and rows."""

    where: str
    raw: RawTable


def apart(raw: RawTable, headers: Headers) -> tuple[RawTable, list[Block]]:
    """Return a table without what stands above, beside and below it under a header of its own, and what that is."""
    blocks: list[Block] = []
    for find in (_above, _beside, _below):
        raw, found = find(raw, headers)
        blocks += found
    return raw, blocks


def _names_classes(row: Sequence[Cell], headers: Headers) -> bool:
    """Say whether a row of words heads classes and their stones or carats."""
    texts = [text_of(cell) for cell in row if not is_blank(cell)]
    if not 2 <= len(texts) <= 6 or any(map(is_number, texts)) or any(map(headers.is_total, texts[:1])):
        return False
    said = [headers.of(text) for text in texts]
    roles = {item.role for item in said if not item.wide}
    classes = {"size_class", *(item.column for item in headers.words.scheme.categorical)}
    return bool(roles & {*MEASURES}) and len(roles & classes) == 1 and "unknown" not in roles


def _made(raw: RawTable, where: str, lines: Sequence[int], rows: Sequence[Sequence[Cell]]) -> list[Block]:
    """Make a table of a row of headers and the rows below it."""
    places = [at for at, cell in enumerate(rows[0]) if not is_blank(cell)]
    body = [[row[at] if at < len(row) else None for at in places] for row in rows[1 : _MOST + 1]]
    columns = [Column.of(text_of(rows[0][at]), [row[number] for row in body]) for number, at in enumerate(places)]
    kept = np.array([not all(map(is_blank, row)) for row in body], dtype=bool)
    made = RawTable(
        name=raw.name,
        source=raw.source,
        columns=columns,
        rows=np.array(lines[1 : _MOST + 1], dtype=np.int32),
        header_rows=(lines[0],),
    )
    return [Block(where, made.keep(np.flatnonzero(kept)))] if kept.any() else []


def _above(raw: RawTable, headers: Headers) -> tuple[RawTable, list[Block]]:
    start = next((at for at, (_, cells) in enumerate(raw.titles) if _names_classes(cells, headers)), None)
    if start is None:
        return raw, []
    end = start + 1
    while end < len(raw.titles) and any(is_number(text_of(c)) for c in raw.titles[end][1] if not is_blank(c)):
        end += 1
    lines, rows = zip(*raw.titles[start:end], strict=True)
    return replace(raw, titles=(*raw.titles[:start], *raw.titles[end:])), _made(raw, "above", lines, rows)


def _beside(raw: RawTable, headers: Headers) -> tuple[RawTable, list[Block]]:
    gap = next((at for at, column in enumerate(raw.columns[:-1]) if at and column.empty), None)
    if gap is None or any(column.mostly_distinct for column in raw.columns[gap:]):
        return raw, []
    own, right = [column.header for column in raw.columns[:gap]], raw.columns[gap + 1 :]
    filled = np.flatnonzero(~np.logical_and.reduce([column.blank() for column in right])).tolist()
    rows: list[list[Cell]] = [[column.header for column in right]]
    rows += [[column.at(row) for column in right] for row in filled[:_MOST]]
    lines = [raw.header_rows[-1], *(raw.line(row) or 1 for row in filled[:_MOST])]
    start = 0 if any(map(str.strip, map(text_of, rows[0]))) else 1
    if not rows[start:] or not _names_classes(rows[start], headers):
        return raw, []
    if not any(headers.of(text).role in MEASURES for text in own):
        return raw, []
    left, other = ({headers.of(text_of(cell)).role for cell in cells} for cells in (own, rows[start]))
    if left == other:  # a table of the same kind, not a summary
        return raw, []
    return without_blank_rows(replace(raw, columns=raw.columns[:gap])), _made(
        raw, "beside", lines[start:], rows[start:]
    )


def _measures_in(column: Column, headers: Headers) -> Iterator[int]:
    """Give the distinct cells of a column that head columns of stones or carats, as no cell with a digit does."""
    classes = [attribute_words(item) for item in headers.words.scheme.categorical]
    for code, cell in column.texts():
        if _DIGIT.search(cell) is None and not any(fold(cell) in known for known in classes):
            said = headers.of(cell)
            if not said.wide and said.role in MEASURES:
                yield code


def _below(raw: RawTable, headers: Headers) -> tuple[RawTable, list[Block]]:
    if any(column.mostly_distinct for column in raw.columns):
        return raw, []
    words = [(column, codes) for column in raw.columns if (codes := [*_measures_in(column, headers)])]
    if not words:
        return raw, []
    heads = np.logical_or.reduce([column.rows_with(codes) for column, codes in words])
    own = [column.header for column in raw.columns]
    for row in np.flatnonzero(heads).tolist():
        cells = [column.at(row) for column in raw.columns]
        if row and _names_classes(cells, headers) and [text_of(c) for c in cells if not is_blank(c)] != own:
            rows = [[column.at(at) for column in raw.columns] for at in range(row, raw.n_rows)]
            lines = [raw.line(at) or 1 for at in range(row, raw.n_rows)]
            title = [column.at(row - 1) for column in raw.columns]
            alone = sum(not is_blank(cell) for cell in title) == 1 and not any(map(is_number, map(text_of, title)))
            return raw.keep(np.arange(row - alone)), _made(raw, "below", lines, rows)
    return raw, []


def held_against(block: Table, main: Table, scheme: Scheme) -> list[Problem] | None:
    """Return in what a summary is not what the rows of a table sum to; None where it is no summary of that table."""
    classes = [name for name in ("size_class", *(item.column for item in scheme.categorical)) if name in block.columns]
    if len(classes) != 1 or classes[0] not in main.columns or "parcel_id" in main.columns:
        return None
    measures = [name for name in ("n_stones", "carats") if name in block.columns]
    weight = scheme.size.column
    own: dict[str, defaultdict[str, float]] = {}
    keys, said = (_keys(table, classes[0], scheme) for table in (main, block))
    for name in measures:
        if name == "n_stones" and main.kind == "stones":
            values = np.ones(main.n_rows)
        elif (column := weight if name == "carats" and main.kind == "stones" else name) in main.columns:
            values = main.values(column)
        else:
            return None
        own[name] = defaultdict(float)
        for key, value in zip(keys, values.tolist(), strict=True):
            own[name][key] += value
    found = []
    for name in measures:
        slack = 0.5 if name == "n_stones" else 0.0051 + 0.005
        for row, (key, value) in enumerate(zip(said, block.values(name).tolist(), strict=True)):
            if not abs(own[name][key] - value) <= slack:
                told = {"expected": f"{value:g}", "found": f"{own[name][key]:.6g}"}
                found.append(block.problem(Broken("total_disagrees", told), row, name))
    missed = {*keys} - {*said} - {""}
    return None if (missed and not found) or (found and {*block.columns} == {*main.columns}) else found


def _keys(table: Table, name: str, scheme: Scheme) -> list[str]:
    """Return the class of each row in one spelling."""
    column = table.columns[name]
    item = next((item for item in scheme.categorical if item.column == name), None)
    known = {} if item is None else attribute_words(item)

    def key(cell: Cell) -> str:
        if is_blank(cell):
            return ""
        code = class_code(text_of(cell), known)
        return fold_size(text_of(cell)) if code is None else str(code)

    made = [key(cell) for cell in column.cells]
    return [made[code] for code in column.codes.tolist()]


def without_side_notes(sheet: Sheet) -> Sheet:
    """Leave aside the columns right of an empty one, where they measure nothing: a summary, a remark beside a table.

    What a summary says of stones and carats, ``Total ct | 1.20``, is stated of the parcel, as titles do.
    """
    raw = sheet.raw
    roles = [sheet.headers.of(column.header) for column in raw.columns]
    for at, column in enumerate(raw.columns[1:-1], start=1):
        if not column.empty:
            continue
        measured = [any(item.role in (*MEASURES, "percent") for item in side) for side in (roles[:at], roles[at:])]
        if measured == [True, False] and not any(item.sure and item.role != "other" for item in roles[at:]):
            aside = replace(raw, columns=raw.columns[at + 1 :])
            filled = np.flatnonzero(~np.logical_and.reduce([column.blank() for column in aside.columns])).tolist()
            told = [column.header for column in aside.columns if column.header.strip()]
            named = told or [aside.label(row) for row in filled[:1]]
            words = {cell for column in aside.columns for _, cell in column.texts()}
            if not told and any(sheet.headers.of(word).wide for word in words):  # another table, without a header
                sheet.tell("tables_beside", None, found=2, headers=listed(named))
            sheet.trace.passed_over.extend(named)
            for row in filled[:_LONGEST]:
                said = [cell for column in aside.columns if not is_blank(cell := column.at(row))]
                if len(said) == 2 and sheet.headers.measure(text_of(said[0])) is not None:
                    sheet.trace.stated.append((raw.line(row) or 1, tuple(said)))
            return replace(sheet, raw=without_blank_rows(replace(raw, columns=raw.columns[:at])))
    headed = sum(bool(column.header.strip()) for column in raw.columns)
    if raw.columns and not raw.columns[-1].header.strip():  # beside the table, and no empty column between
        for row in np.flatnonzero(~raw.columns[-1].blank())[:20].tolist():
            sheet.tell("ragged_row", None, row, found=len(raw.columns), expected=headed)
    return sheet


def side_by_side(sheet: Sheet) -> Sheet | None:
    """Return a sheet whose tables side by side are laid below each other; None where that is asked first."""
    headed = [at for at, column in enumerate(sheet.raw.columns) if column.header.strip()]
    keys = [(sheet.meanings[at].role, sheet.meanings[at].classes, sheet.meanings[at].part == "sample") for at in headed]
    blocks = _blocks(keys)
    if blocks < 2 and (gap := _gap_between_measures(sheet)) is not None:
        names = listed((column.header for column in sheet.raw.columns[gap + 1 :]), 8)
        sheet.tell("tables_beside", None, found=2, headers=names)
        return None
    if blocks < 2:
        return sheet
    width = len(headed) // blocks
    if sheet.choices.get(ONE[0]) != ONE[1]:
        names = listed((sheet.raw.columns[at].header for at in headed[:width]), 8)
        sheet.tell("tables_beside", None, found=blocks, headers=names, choices=[ONE])
        return None
    raw = sheet.raw
    pieces: list[NDArray[np.intp]] = []
    for block in range(blocks):
        places = headed[block * width : (block + 1) * width]
        blank = np.logical_and.reduce([raw.columns[at].blank() for at in places])
        pieces.append(np.flatnonzero(~blank))
    columns = []
    for position in range(width):
        parts: list[tuple[NDArray[np.intp], int | None]] = [
            (piece, headed[block * width + position]) for block, piece in enumerate(pieces)
        ]
        columns.append(replace(laid(parts, raw, raw.columns[headed[position]].header), headers=()))
    lines = None if raw.rows is None else raw.rows[np.concatenate(pieces)]
    kept = [sheet.meanings[at] for at in headed[:width]]
    meanings = [replace(item, party="", part="") for item in kept]
    return replace(sheet, raw=replace(raw, columns=columns, rows=lines, ragged={}), meanings=meanings)


def _gap_between_measures(sheet: Sheet) -> int | None:
    """Return an empty column without a header, on both sides of which something is named and measured."""
    for at, column in enumerate(sheet.raw.columns):
        if not column.empty:
            continue
        for side, measures in ((sheet.meanings[:at], MEASURES), (sheet.meanings[at + 1 :], (*MEASURES, "percent"))):
            roles = {item.role for item in side}
            if not roles & {*measures} or not (
                roles & {"size_class", "zone_id", "description"} or {*sheet.attributes} & roles
            ):
                break
        else:
            return at
    return None


def _blocks(keys: Sequence[tuple[str, object, bool]]) -> int:
    """Return how often the columns of a table with a measure and something that it measures repeat themselves."""
    for blocks in range(min(12, len(keys) // 2), 1, -1):
        width = len(keys) // blocks
        first = keys[:width]
        roles = {role for role, classes, _ in first if not classes}
        named = roles - {*MEASURES, "mean", "money", "percent", "other", "unknown"}
        if len(keys) == width * blocks and list(first) * blocks == list(keys) and named and roles & {*MEASURES}:
            return blocks
    return 1
