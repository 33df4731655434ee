"""How a table is laid out: lists, sorting sheets, sizes by colours, price books, slips, valuations.

Whatever the layout, what comes out is a table of the documentation: ``stones``, ``counts`` or ``declarations``. A table
that could be read in two ways is refused with both, unless the caller has chosen.
"""

from __future__ import annotations

from dataclasses import replace

from kpfootprint.ingest.columns.asides import ask_about_pages, without_asides, without_empty_classes, without_unused
from kpfootprint.ingest.columns.cells_asked import with_cells_asked
from kpfootprint.ingest.columns.chosen import with_classes_chosen
from kpfootprint.ingest.columns.meanings import MEASURES, SIZES, Layout, meanings_of
from kpfootprint.ingest.columns.units import ask_about_measures, ask_about_units, with_units
from kpfootprint.ingest.names.inquiry import ONE, Inquiry
from kpfootprint.ingest.problems import listed
from kpfootprint.ingest.raw.cells import line_of
from kpfootprint.ingest.raw.tables import GOODS, KnownTable, Note, RawTable, stacked
from kpfootprint.ingest.sheets import asked
from kpfootprint.ingest.sheets.around import Block, apart, below_each_other, held_against, with_total_above
from kpfootprint.ingest.sheets.counted_twice import counted_otherwise
from kpfootprint.ingest.sheets.crosstabs import turned, with_measures_beside, with_parts, with_ticks
from kpfootprint.ingest.sheets.groups import (
    with_classes_among_sizes,
    with_headings,
    with_parcels_below,
    with_title_class,
    without_dittos,
    without_outline,
    without_sums_above,
)
from kpfootprint.ingest.sheets.kinds import tables_of_kind
from kpfootprint.ingest.sheets.left_out import without_totals
from kpfootprint.ingest.sheets.repeats import declared_in_columns, parted, side_by_side, unrepeated, with_places_below
from kpfootprint.ingest.sheets.sections import with_sections
from kpfootprint.ingest.sheets.spread import spread
from kpfootprint.ingest.sheets.stands_beside import without_side_notes


def understand(raw: RawTable, hint: str | None, inquiry: Inquiry, *, several: bool = False) -> list[KnownTable]:
    """Read a table into tables of the documentation; what is wrong or could be read in two ways is told.

    Parameters
    ----------
    hint : str or None
        What the name of the table says that it is; columns that clearly say otherwise go before it.
    several : bool
        Whether it is one of several tables, of which some may be none of ours: a list of prices, say.
    """
    headers = inquiry.headers
    raw = parted(unrepeated(with_total_above(spread(raw, headers)), headers), headers)
    raw, below = turned(with_measures_beside(raw, headers), headers)
    raw = with_places_below(raw, hint, headers)
    rest, blocks = apart(raw, headers)
    if blocks:
        sheet = Layout.apart(rest, inquiry)
        tables = _understood(sheet, hint, several=several)
        if tables and (settled := _with_blocks(blocks, tables, sheet)) is not None:
            inquiry.problems.extend(sheet.problems)
            return settled
    sheet = Layout.apart(raw, inquiry)
    for line, cells in below:
        sheet.trace.stated.append((line, cells))
        sheet.trace.leave_out("note_below", raw.name, line, label=line_of(cells))
    tables = _understood(sheet, hint, several=several)
    for block in blocks:
        if block.where == "above" and tables:
            sheet.tell("other_table_above", None, headers=block.headed)
    inquiry.problems.extend(sheet.problems)
    return tables


def _with_blocks(blocks: list[Block], tables: list[KnownTable], sheet: Layout) -> list[KnownTable] | None:
    """Hold what stands around a table against it, or lay what is counted otherwise below it; None where it is neither.

    What a summary says otherwise than the rows is told; whether other counts are of the same stones is asked.
    """
    if (list_above := _summed_below(blocks, tables, sheet)) is not None:
        return [list_above]
    ends: list[Note] = []
    read = [(block, _block_read(block, sheet, ends)) for block in blocks]
    goods = [(block, other) for block, other in read if other is not None and other.kind == "counts"]
    declared = [other for _, other in read if other is not None and other.kind == "declarations"]
    many = len(declared) > 1 or (declared and any(table.kind == "declarations" for table in tables))
    if many or len(goods) + len(declared) < len(read):
        return None
    main, tables = tables[0], [*tables, *declared]
    told = [held_against(other, main, sheet.scheme) for _, other in goods]
    if None not in told:
        for (block, _), found in zip(goods, told, strict=True):
            sheet.problems.extend((found or [])[:20])
            sheet.trace.leave_out("summary", main.name, block.line, headers=block.headed)
        sheet.trace.left_out.extend(ends)
        return tables
    if main.kind != "counts" or any(block.where != "below" for block, _ in goods):
        return None
    stacks = [main, *(other for _, other in goods)]
    if counted_otherwise(stacks, sheet.scheme):
        main.trace.note("counted_otherwise", headers=listed(block.headed for block, _ in goods))
    elif not sheet.inquiry.chose(ONE):
        sheet.inquiry.tell("table_below", main.name, goods[0][0].line, choices=[ONE])
        return []
    laid = stacked(stacks, [None] * len(stacks))
    said = replace(laid.trace, stated=sheet.trace.stated, lines=sheet.trace.lines)
    return [replace(laid, trace=said), *tables[1:]]


def _block_read(block: Block, sheet: Layout, ends: list[Note]) -> KnownTable | None:
    """Return the table that stands beside another one, None where it is none; lines below it are added to `ends`."""
    own = Layout.apart(block.raw, sheet.inquiry)
    made = _understood(own, None, several=True)
    asked_of = [item for item in own.problems if item.code in asked.OF_LINES]
    if len(asked_of) < len(own.problems) or not made:
        return None
    sheet.problems.extend(asked_of)
    below = [note for note in own.trace.left_out if note.code == "note_below"]
    ends += below
    told_below = {note.row for note in below}
    for line, cells in block.raw.titles:
        sheet.trace.stated.append((line, cells))
        ends.append(Note(code="note_below", values={"label": line_of(cells)}, table=block.raw.name, row=line))
    sheet.trace.stated.extend(item for item in own.trace.stated if item[0] in told_below)
    sheet.trace.lines |= block.lines - told_below
    return made[0]


def _summed_below(blocks: list[Block], tables: list[KnownTable], sheet: Layout) -> KnownTable | None:
    """Return the list of stones above a table that sums it up, with that table left out; None where there is none."""
    if sheet.problems or [block.where for block in blocks] != ["above"]:
        return None
    own = Layout.apart(blocks[0].raw, sheet.inquiry)
    made = _understood(own, None, several=True)
    listed_so = not own.problems and [table.kind for table in made] == ["stones"]
    if not listed_so or held_against(tables[0], made[0], sheet.scheme) != []:
        return None
    own.trace.lines |= blocks[0].lines
    own.trace.stated.extend(sheet.trace.stated)
    head = listed(column.header for column in sheet.raw.columns)
    own.trace.leave_out("summary", own.raw.name, sheet.raw.header_rows[0], headers=head)
    own.trace.left_out.extend(note for note in sheet.trace.left_out if note.code == "note_below")
    return made[0]


def _understood(sheet: Layout, hint: str | None, *, several: bool) -> list[KnownTable]:
    sheet = without_side_notes(sheet)
    if not several:
        ask_about_pages(sheet)
    sheet, again = without_asides(sheet)
    sheet = replace(sheet, meanings=meanings_of(sheet.raw, sheet.inquiry))
    given = side_by_side(with_ticks(without_sums_above(without_outline(without_dittos(sheet)))))
    if given is None:
        return []
    given = with_parts(with_cells_asked(with_units(given)))
    asked.ask_about_unnamed(given)
    whole = below_each_other(*with_sections(given, again))
    if whole is None:
        return []
    sheet = with_title_class(with_headings(whole))
    asked.ask_about_cancelled(sheet)
    before = with_classes_chosen(without_unused(sheet))
    sheet = with_parcels_below(with_classes_among_sizes(_without_totals(before), before))
    asked.tell_remarks(sheet)
    ask_about_measures(sheet)
    tables = tables_of_kind(sheet, hint, several=several)
    if tables:
        tables += declared_in_columns(sheet, tables[0]) if len(tables) == 1 and tables[0].kind in GOODS else []
        asked.ask_about_table(tables[0], sheet)
        ask_about_units(sheet)
    return tables


def _without_totals(sheet: Layout) -> Layout:
    measures = sheet.places(*MEASURES, wide=None) or sheet.places("percent")
    labels = sheet.places(*SIZES, *sheet.attributes) or sheet.places("description")
    before = len(sheet.problems)
    sheet = without_totals(sheet, measures, labels)
    if sheet.places("n_stones"):
        checked = any(i.code == "total_checked" for i in sheet.trace.left_out) and len(sheet.problems) == before
        return without_empty_classes(sheet, measures, labels, checked=checked)
    asked.ask_about_numbers(sheet)
    return sheet
