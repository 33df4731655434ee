"""What stands right of a table behind an empty column: remarks, invoices, facts and lines of words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kpfootprint.ingest.columns.meanings import Layout
from kpfootprint.ingest.files.workbook import is_book
from kpfootprint.ingest.names.headers import Meaning
from kpfootprint.ingest.problems import listed
from kpfootprint.ingest.raw.cells import is_blank, is_number, text_of
from kpfootprint.ingest.raw.tables import RawTable
from kpfootprint.ingest.sheets.around import MEASURES
from kpfootprint.ingest.sheets.facts_beside import names_fact
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
        if lone or (len(said) == 2 and names_fact(said[0], sheet.headers)):
            sheet.trace.stated.append((aside.line(row) or 1, tuple(said)))


def _with_remarks(sheet: Layout) -> Layout:
    """Head remarks of a workbook that stand right of the table without a header; other cells there are told."""
    raw = sheet.raw
    if not raw.columns or raw.columns[-1].header.strip():
        return sheet
    last = raw.columns[-1]
    remarked = not last.mostly_distinct and all(
        is_blank(cell) or (isinstance(cell, str) and not any(map(str.isdigit, cell))) for cell in last.cells
    )
    if remarked and is_book(raw.source):
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
        own = [
            row for row in range(raw.n_rows) if not any(is_total(text_of(raw.columns[at].at(row))) for at in invoice)
        ]
        for at in invoice:
            if roles[at].role == "carats" and (total := float(np.nansum(raw.values(at)[own]))) > 0:
                sheet.trace.stated.append((raw.header_rows[-1], ("carats", round(total, 6))))
        _hear_lines(sheet, replace(raw, columns=[raw.columns[at] for at in invoice]))
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
