"""What stands beside a table: facts of its parcel, which are titles wherever they stand, remarks, invoices, notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from kpfootprint.ingest.columns.meanings import MEASURES, Layout
from kpfootprint.ingest.files.workbook import is_book
from kpfootprint.ingest.names.headers import Headers, Meaning
from kpfootprint.ingest.problems import listed
from kpfootprint.ingest.raw.cells import Cell, has_digit, is_blank, is_number, text_of
from kpfootprint.ingest.raw.tables import RawTable
from kpfootprint.ingest.totals import is_total

_FEW_BESIDE = 5
"""Rows in which by chance something may stand beside each."""
_LONGEST = 60
"""Lines that stand beside a table, at most."""


def without_side_notes(sheet: Layout) -> Layout:
    """Leave aside the columns right of an empty one, where they measure nothing: a summary, a remark beside a table.

    What a summary says of stones and carats, ``Total ct | 1.20``, is stated of the parcel, as titles do.
    """
    raw = sheet.raw
    roles = [sheet.headers.of(column.header) for column in raw.columns]
    width = len(roles)
    while width and raw.columns[width - 1].blank().all():
        width -= 1
    right = [column.header for column in raw.columns[width:] if column.header.strip()]
    if any(is_number(text.rpartition(":")[2]) for text in right) and any(i.role in MEASURES for i in roles[:width]):
        sheet.trace.stated.append((raw.header_rows[-1], (*right,)))  # ``Total pcs | 97`` right of the header
        sheet.trace.passed_over.extend(right)
        return sheet.with_columns(raw.columns[:width])
    for at in (at for at, column in enumerate(raw.columns[1:-1], start=1) if column.empty):
        if (goods := _without_invoice(sheet, at, roles)) is not None:
            return goods
        measured = [any(item.role in (*MEASURES, "percent") for item in side) for side in (roles[:at], roles[at:])]
        known = any(item.sure and item.role != "other" for item in roles[at:])
        if measured == [True, False] and not known and not _goes_along(raw, at) and not _are_remarks(raw, at, roles):
            _pass_over_beside(sheet, replace(raw, columns=raw.columns[at + 1 :]))
            return replace(sheet, raw=replace(raw, columns=raw.columns[:at]).filled())
    return _with_remarks(sheet)


def _pass_over_beside(sheet: Layout, aside: RawTable) -> None:
    """Note what stands beside a table and is passed over, but for what its lines state of the parcel."""
    filled = np.flatnonzero(~aside.blank()).tolist()
    told = [column.header for column in aside.columns if column.header.strip()]
    named = told or [aside.label(row) for row in filled[:1]]
    words = {cell for column in aside.columns for _, cell in column.texts()}
    if not told and any(sheet.headers.of(word).wide for word in words):  # another table, without a header
        sheet.tell("tables_beside", None, found=2, headers=listed(named))
    sheet.trace.passed_over.extend(named)
    _hear_lines(sheet, aside)


def _hear_lines(sheet: Layout, aside: RawTable) -> None:
    """State facts in pairs of cells, and lines of words, that stand beside a table of the parcel."""
    for row in np.flatnonzero(~aside.blank()).tolist()[:_LONGEST]:
        said = [cell for cell in aside.row(row) if not is_blank(cell)]
        lone = len(said) == 1 and not is_number(text_of(said[0]))
        if lone or (len(said) == 2 and sheet.headers.names_fact(text_of(said[0]))):
            sheet.trace.stated.append((aside.line(row) or 1, tuple(said)))


def _with_remarks(sheet: Layout) -> Layout:
    """Head remarks of a workbook that stand right of the table without a header; other cells there are told."""
    raw = sheet.raw
    if not raw.columns or raw.columns[-1].header.strip():
        return sheet
    last = raw.columns[-1]
    cells = [cell for cell in last.cells if not is_blank(cell)] if is_book(raw.source) else [None]
    if all(isinstance(cell, str) and not has_digit(cell) for cell in cells) and not last.mostly_distinct:
        return sheet.with_columns([*raw.columns[:-1], replace(last, header="remarks")])
    headed = sum(bool(column.header.strip()) for column in raw.columns)
    for row in np.flatnonzero(~last.blank())[:20].tolist():
        sheet.tell("ragged_row", None, row, found=len(raw.columns), expected=headed)
    return sheet


def _are_remarks(raw: RawTable, gap: int, roles: Sequence[Meaning]) -> bool:
    """Say whether the columns behind an empty one are headed as remarks, and stand beside rows alone."""
    behind = range(gap + 1, len(raw.columns))
    headed = {roles[at].role for at in behind if raw.columns[at].header.strip()}
    return headed == {"other"} and not np.any(~raw.blank(behind) & raw.blank(range(gap)))


def _goes_along(raw: RawTable, gap: int) -> bool:
    """Say whether the columns behind an empty one say something of each row before it: a shape of each stone."""
    rows = np.setdiff1d(np.arange(raw.n_rows), raw.totals)
    before, behind = (~raw.blank(places)[rows] for places in (range(gap), range(gap + 1, len(raw.columns))))
    missed = np.count_nonzero(before & ~behind)  # a total whose label is not in front
    return bool(behind.sum() > _FEW_BESIDE and missed <= 1 and not np.any(behind & ~before))


def _without_invoice(sheet: Layout, gap: int, roles: Sequence[Meaning]) -> Layout | None:
    """Pass over an invoice beside a packing list; the carats of the invoice are stated of the parcel."""
    raw, places = sheet.raw, range(len(roles))
    sides = [[at for at in places if at < gap], [at for at in places if at > gap]]
    for invoice, goods in (sides, sides[::-1]):
        billed, listed_too = ({roles[at].role for at in side} for side in (invoice, goods))
        classes = {"size_class", *sheet.attributes}
        if not billed & {"money", "value_usd"} or billed & classes or any(roles[at].wide for at in invoice):
            continue
        if not listed_too & classes or not listed_too & {*MEASURES} or _goes_on(raw, roles, goods, invoice):
            continue
        billed_for = replace(raw, columns=[raw.columns[at] for at in invoice])
        own = [row for row in range(raw.n_rows) if not any(map(is_total, map(text_of, billed_for.row(row))))]
        for at in invoice:
            if roles[at].role == "carats" and (total := float(np.nansum(raw.values(at)[own]))) > 0:
                sheet.trace.stated.append((raw.header_rows[-1], ("carats", round(total, 6))))
        _hear_lines(sheet, billed_for)
        sheet.trace.passed_over.extend(header for at in invoice if (header := raw.columns[at].header).strip())
        return replace(sheet, raw=replace(raw, columns=[raw.columns[at] for at in goods]).filled())
    return None


def _goes_on(raw: RawTable, roles: Sequence[Meaning], goods: Sequence[int], others: Sequence[int]) -> bool:
    """Say whether carats behind an empty column are those of the stones before it, row by row, or stones of carats."""
    measures = ("carats", "n_stones")
    here, there = ([at for at in side if roles[at].role in measures] for side in (goods, others))
    if len(here) != 1 or len(there) != 1 or roles[here[0]].role == roles[there[0]].role:
        return False
    return np.array_equal(raw.columns[here[0]].blank(), raw.columns[there[0]].blank())


def with_facts_above(raw: RawTable, headers: Headers) -> RawTable:
    """Take the lines beside a table for titles, where they are labels and what they say, mostly of a parcel."""
    raw = _with_corner_above(raw, headers)
    ends = [at for at, column in enumerate(raw.columns) if at and (column.empty or _is_fact(column.header, headers))]
    sides = [range(start, end) for start, end in pairwise([0, *ends, len(raw.columns)])]
    facts = [_facts_in(replace(raw, columns=[raw.columns[at] for at in side]), headers) for side in sides]
    for at in range(1, len(sides) - 1):  # a label, an empty cell, and what it says
        behind = range(sides[at].start, len(raw.columns))
        if not any(facts) and (said := _facts_in(replace(raw, columns=raw.columns[behind.start :]), headers)):
            sides, facts = [*sides[:at], behind], [*facts[:at], said]
            break
    rest = [at for side, said in zip(sides, facts, strict=True) if not said for at in side]
    if not any(facts) or not any(headers.of(raw.columns[at].header).role in MEASURES for at in rest):
        return raw
    taken = {at for side, said in zip(sides, facts, strict=True) if said for at in side}
    titles = [*raw.titles, *(line for said in facts for line in said)]
    kept = [column for at, column in enumerate(raw.columns) if at not in taken]
    filled = [at for at, column in enumerate(kept) if not column.empty]
    kept = kept[filled[0] : filled[-1] + 1]
    return replace(raw, columns=kept, titles=tuple(titles)).filled()


def _with_corner_above(raw: RawTable, headers: Headers) -> RawTable:
    """Take a corner that says something of the parcel, ``Parcel: CAR-7`` above sieves, for a title."""
    corner = raw.columns[0].header if len(raw.columns) > 1 else ""
    label, _, said = corner.partition(":")
    names = headers.field(label) in ("parcel_id", "certificate_no", "exporter")
    if not said.strip() or not (names or headers.names_origin(label)):
        return raw
    columns = [replace(raw.columns[0], header=""), *raw.columns[1:]]
    titles = (*raw.titles, (raw.header_rows[-1], (corner,)))
    return replace(raw, columns=columns[columns[0].empty :], titles=titles)


def _is_fact(text: str, headers: Headers) -> bool:
    """Say whether a text is the label of what is said of a parcel, marked as one, with what it says or without."""
    label, colon, _ = text.partition(":")
    return bool(colon) and headers.names_fact(label)


def _facts_in(aside: RawTable, headers: Headers) -> list[tuple[int, tuple[Cell, ...]]]:
    """Return the lines beside a table where they say something of a parcel: labels, and values beside or below."""
    rows = np.flatnonzero(~aside.blank()).tolist()
    lines: list[tuple[int, list[Cell]]] = [(aside.header_rows[-1], [column.header for column in aside.columns])]
    lines += [(aside.line(row) or 1, aside.row(row)) for row in rows[:_LONGEST]]
    said = [(line, filled) for line, cells in lines if (filled := tuple(cell for cell in cells if not is_blank(cell)))]
    heads = [text for column in aside.columns if (text := column.header.strip())]
    if len(rows) == 1 and len(heads) > 1 and all(headers.names_fact(text) for text in heads):
        return [(line, tuple(cells)) for line, cells in lines]
    if len(rows) > _LONGEST or any(len(cells) > 2 or is_number(text_of(cells[0])) for _, cells in said):
        return []
    told = {line: text_of(cells[0]) for line, cells in said if len(cells) == 1}
    marked = [line for line, text in told.items() if _is_fact(text, headers) and not text.rstrip().endswith(":")]
    labels, values = ([headers.names_fact(text_of(cells[at])) for _, cells in said if len(cells) == 2] for at in (0, 1))
    known = sum(labels) + len(marked)
    alone = not rows and sum(labels) == 1 and headers.of(heads[-1]).role == "unknown"  # ``Parcel | CAR-7``
    sure = known > 1 or alone or marked[:1] == [lines[0][0]]
    return said if sure and 2 * known >= len(said) and (not any(values) or sum(values) < sum(labels)) else []
