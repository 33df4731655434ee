"""What a table is and how it is laid out: lists, sorting sheets, sizes by colours, price books, slips, valuations.

Whatever the layout, what comes out is a table of the documentation: ``stones``, ``counts`` or ``declarations``. A table
that could be read in two ways is refused with both, unless the caller has chosen.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

import numpy as np

from kpfootprint.errors import Problem
from kpfootprint.ingest.columns.asides import ask_about_pages, without_asides, without_empty_classes, without_unused
from kpfootprint.ingest.columns.cells_asked import with_cells_asked
from kpfootprint.ingest.columns.chosen import with_classes_chosen
from kpfootprint.ingest.columns.meanings import Choices, Layout, meanings_of, pass_over
from kpfootprint.ingest.columns.units import ask_about_measures, ask_about_units, with_units
from kpfootprint.ingest.names.headers import UNKNOWN, Headers, Meaning
from kpfootprint.ingest.names.labels import classes_in, split_descriptions
from kpfootprint.ingest.problems import Broken, listed, problem
from kpfootprint.ingest.raw.cells import is_number, line_of, text_of
from kpfootprint.ingest.raw.tables import (
    GOODS,
    Column,
    KnownTable,
    RawTable,
    Trace,
    known_as,
    parties_together,
    stacked,
)
from kpfootprint.ingest.sheets import asked
from kpfootprint.ingest.sheets.around import (
    MEASURES,
    ONE,
    Block,
    apart,
    below_each_other,
    held_against,
    with_total_above,
    without_side_notes,
)
from kpfootprint.ingest.sheets.counted_twice import counted_otherwise, same_stones
from kpfootprint.ingest.sheets.crosstabs import are_whole, turned, unfold, with_measures_beside, with_parts, with_ticks
from kpfootprint.ingest.sheets.groups import (
    ask_about_blanks,
    with_blanks_open,
    with_classes_among_sizes,
    with_headings,
    with_parcels_below,
    with_title_class,
    without_dittos,
    without_outline,
    without_sums_above,
    written_once,
)
from kpfootprint.ingest.sheets.left_out import without_totals
from kpfootprint.ingest.sheets.lots import (
    are_repeated,
    ask_about_cells,
    ask_about_stones,
    with_lots_asked,
    with_lots_settled,
)
from kpfootprint.ingest.sheets.places import declared_in_columns, with_places_below
from kpfootprint.ingest.sheets.repeats import parted, side_by_side, unrepeated
from kpfootprint.ingest.sheets.sections import with_sections
from kpfootprint.ingest.sheets.sized_stones import are_sized_stones
from kpfootprint.ingest.words import declared_words, fold, is_plain, plain, says, tokens_of

PARTS = ("valuation", "parts")
"""The answer that columns side by side are of parts of one parcel."""

_SIZED = re.compile(r"[+<>-]\d|\d\s*[-–/]\s*\d|\d[.,]\d")
"""What a word of a description holds that may be a size."""

_SIZES = ("size_class", "lower_ct", "upper_ct")


def understand(
    raw: RawTable,
    hint: str | None,
    headers: Headers,
    choices: Choices,
    problems: list[Problem],
    *,
    several: bool = False,
) -> list[KnownTable]:
    """Read a table into tables of the documentation; what is wrong or could be read in two ways is added to `problems`.

    Parameters
    ----------
    hint : str or None
        What the name of the table says that it is; columns that clearly say otherwise go before it.
    several : bool
        Whether it is one of several tables, of which some may be none of ours: a list of prices, say.
    """
    raw = parted(unrepeated(with_total_above(raw), headers), headers)
    raw, below = turned(with_measures_beside(raw, headers), headers)
    raw = with_places_below(raw, hint, headers)
    rest, blocks = apart(raw, headers)
    if blocks:
        sheet = Layout(rest, [], headers, choices, rest.trace())
        tables = _understood(sheet, hint, several=several)
        if tables and (settled := _with_blocks(blocks, tables, sheet)) is not None:
            problems += sheet.problems
            return settled
    sheet = Layout(raw, [], headers, choices, raw.trace())
    for line, cells in below:
        sheet.trace.stated.append((line, (*cells,)))
        sheet.trace.leave_out("note_below", raw.name, line, label=line_of(cells))
    tables = _understood(sheet, hint, several=several)
    for block in blocks:
        if block.where == "above" and tables:
            sheet.tell("other_table_above", None, headers=listed(column.header for column in block.raw.columns))
    problems += sheet.problems
    return tables


def _with_blocks(blocks: list[Block], tables: list[KnownTable], sheet: Layout) -> list[KnownTable] | None:
    """Hold what stands around a table against it, or lay what is counted otherwise below it; None where it is neither.

    What a summary says otherwise than the rows is told; whether other counts are of the same stones is asked.
    """
    others: list[KnownTable] = []
    for block in blocks:
        own = Layout(block.raw, [], sheet.headers, sheet.choices, block.raw.trace())
        made = _understood(own, None, several=True)
        if own.problems or not made or made[0].kind not in ("counts", "declarations"):
            return None
        others.append(made[0])
        sheet.trace.lines |= {block.raw.header_rows[0], *(block.raw.line(row) or 0 for row in range(block.raw.n_rows))}
    declared = [other for other in others if other.kind == "declarations"]
    if len(declared) > 1 or (declared and any(table.kind == "declarations" for table in tables)):
        return None
    blocks = [block for block, other in zip(blocks, others, strict=True) if other not in declared]
    tables, others = [*tables, *declared], [other for other in others if other not in declared]
    if not blocks:
        return tables
    told = [held_against(other, tables[0], sheet.scheme) for other in others]
    heads = [listed(column.header for column in block.raw.columns) for block in blocks]
    if None not in told:
        for block, headers, found in zip(blocks, heads, told, strict=True):
            sheet.problems.extend((found or [])[:20])
            sheet.trace.leave_out("summary", tables[0].name, block.raw.header_rows[0], headers=headers)
        return tables
    if tables[0].kind != "counts" or any(block.where != "below" for block in blocks):
        return None
    if counted_otherwise([tables[0], *others], sheet.scheme):
        tables[0].trace.note("counted_otherwise", headers=listed(heads))
    elif sheet.choices.get(ONE[0]) != ONE[1]:
        broken = Broken("table_below", {"choices": [ONE]})
        sheet.problems.append(problem(broken, table=tables[0].name, row=blocks[0].raw.header_rows[0]))
        return []
    return [stacked([tables[0], *others], [None] * (1 + len(others))), *tables[1:]]


def _understood(sheet: Layout, hint: str | None, *, several: bool) -> list[KnownTable]:
    sheet = without_side_notes(sheet)
    if not several:
        ask_about_pages(sheet)
    sheet, again = without_asides(sheet)
    sheet = replace(sheet, meanings=meanings_of(sheet.raw, sheet.headers, sheet.choices))
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
    tables = _tables(sheet, hint, several=several)
    if tables:
        tables += declared_in_columns(sheet, tables[0]) if len(tables) == 1 and tables[0].kind in GOODS else []
        asked.ask_about_table(tables[0], sheet)
        ask_about_units(sheet)
    return tables


def _without_totals(sheet: Layout) -> Layout:
    measures = sheet.places(*MEASURES, wide=None) or sheet.places("percent")
    labels = sheet.places(*_SIZES, *sheet.attributes) or sheet.places("description")
    before = len(sheet.problems)
    sheet = without_totals(sheet, measures, labels)
    if sheet.places("n_stones"):
        checked = any(i.code == "total_checked" for i in sheet.trace.left_out) and len(sheet.problems) == before
        return without_empty_classes(sheet, measures, labels, checked=checked)
    asked.ask_about_numbers(sheet)
    return sheet


# Kinds.


def _tables(sheet: Layout, hint: str | None, *, several: bool) -> list[KnownTable]:
    for at in sheet.places("other_unit"):
        if not sheet.places("carats"):
            sheet.tell("unknown_unit", at)
            return []
    wide = [at for at, item in enumerate(sheet.meanings) if item.wide]
    if wide and all(map(sheet.all_percent, wide)):
        sheet.tell("percent_alone", wide[0])
        return []
    if asked.is_transposed(sheet, wide):
        return []
    asked.ask_about_percents(sheet)
    asked.ask_about_decimals(sheet)
    parties = _parties(sheet)
    measured = sheet.places("n_stones", "carats")
    classed = sheet.places("size_class", *sheet.attributes)
    if sheet.places("percent") and not measured and not wide and (classed or sheet.places("unknown", "description")):
        sheet.tell("percent_alone", sheet.places("percent")[0])
        return []
    if len(wide) > 1 or (wide and (classed or sheet.places("n_stones"))):
        asked.ask_about_titles(sheet, wide)
        made = unfold(ask_about_blanks(_described(sheet), classed), wide)
        tables = [replace(made, columns={name: made.columns[name] for name in made.columns if name != "zone_id"})]
        zone = made.columns.get("zone_id")
        return tables if zone is None or not made.complete else [*tables, _zones_of(made, sheet, zone)]
    zones = sheet.places("zone_id") or sheet.places("country")
    if parties and not sheet.places("n_stones") and (sheet.places("row") or are_repeated(sheet, classed)):
        sheet, parties = _as_one_sees_them(sheet, parties), []  # a list of stones
        if sheet.problems:
            return []
    if parties:
        valued = _valued(sheet, parties)
        return [valued, *(_zones_of_each(valued, sheet, sheet.raw.columns[at]) for at in zones[:1] if valued.complete)]
    amounts = sheet.places("carats", "percent", "n_stones")
    parcels = not several and bool(sheet.places("parcel_id")) and bool(sheet.places("n_stones"))
    goods = parcels or _are_described(sheet) or hint in GOODS
    if zones and amounts and not classed and not goods:
        return [_plain(sheet, "declarations")]
    sized = bool(sheet.places("size_class")) and not (sheet.places("n_stones") or are_sized_stones(sheet, classed))
    if sheet.places("n_stones") or (sized and (sheet.places("carats") or hint == "counts")):
        ask_about_cells(sheet, classed)
        before = len(sheet.problems)
        labelled = [*classed, *sheet.places("description")]
        settled = with_blanks_open(ask_about_blanks(sheet, labelled), classed)
        made = _valued_in_rows(_plain(settled, "counts"), settled, classed)
        tables = [replace(made, complete=made.complete and len(sheet.problems) == before)]
    elif sheet.places("carats") or hint in ("stones", "counts"):
        if hint == "counts" and (sheet.places("row") or are_repeated(sheet, classed)):
            hint = "stones"  # a list of stones called a sorting sheet
        if hint != "counts":
            ask_about_stones(sheet, classed)
        settled = ask_about_blanks(sheet, written_once(sheet))
        tables = [_plain(settled, hint if hint == "counts" else "stones")]
    elif classed and (strangers := _strangers(sheet)):
        if sheet.choices.get(PARTS[0]) == PARTS[1]:
            return [_valued(*_of_parts(sheet, strangers))]
        headers = listed((sheet.raw.columns[at].header for at in strangers), 12)
        sheet.tell("unknown_columns", None, headers=headers, choices=[PARTS])
        return []
    elif classed and not several:
        tables = [_plain(sheet, "stones")]
    else:
        return []
    if zones and tables[0].complete:
        tables.append(_zones_of_each(tables[0], sheet, sheet.raw.columns[zones[0]]))
    return tables


def _strangers(sheet: Layout) -> list[int]:
    """Return the columns of numbers that are headed by words nobody knows, where there are several: a cross-tab."""
    found = [
        at
        for at in sheet.places("unknown", "mean")
        if (cells := sheet.cells(at)) and all(text_of(c)[:1].isdigit() for c in cells)
    ]
    return found if len(found) > 1 else []


def _of_parts(sheet: Layout, places: list[int]) -> tuple[Layout, list[str]]:
    """Take columns of numbers for the stones of parts of the parcel, or for their carats where they have decimals."""
    values = [sheet.raw.values(at) for at in places]
    role = "n_stones" if all(map(are_whole, values)) else "carats"
    meanings = list(sheet.meanings)
    for at in places:
        meanings[at] = Meaning(role=role, party=plain(sheet.raw.columns[at].header))
    return replace(sheet, meanings=meanings), [*dict.fromkeys(meanings[at].party for at in places)]


def _parties(sheet: Layout) -> list[str]:
    """Return whose the pieces and carats are, where headers name several."""
    found: dict[str, set[str]] = {}
    for item in sheet.meanings:
        if item.party and not item.wide and not item.part:
            found.setdefault(item.party, set()).add(item.role)
    return [*found] if len(found) > 1 and len({*map(frozenset, found.values())}) == 1 else []


def _known_columns(sheet: Layout, kind: str) -> dict[str, int]:
    """Return canonical columns of a kind with the position of each; what is given twice is told."""
    wanted = {
        "stones": ("parcel_id", "carats", "value_usd", *sheet.attributes),
        "counts": ("parcel_id", *_SIZES, "n_stones", "carats", "value_usd", "breakdown", "sample", *sheet.attributes),
        "declarations": ("parcel_id", "zone_id", "country", "carats", "percent"),
    }[kind]
    found: dict[str, int] = {}
    for at, item in enumerate(sheet.meanings):
        if item.wide or item.part == "sample" or item.role not in wanted:
            continue
        name = sheet.scheme.size.column if (kind, item.role) == ("stones", "carats") else item.role
        if name in found:
            sheet.tell("column_twice", at, column=name)
        found.setdefault(name, at)
    return found


def _plain(sheet: Layout, kind: str) -> KnownTable:
    """Read a table whose columns are columns of the documentation already."""
    sheet = with_lots_settled(sheet, kind)
    if kind != "declarations":
        sheet = _described(sheet)
    found = _known_columns(sheet, kind)
    for at in sheet.places("n_stones", wide=None)[:1] if kind == "stones" and sheet.raw.n_rows else ():
        sheet.ask("count_or_other", at)
    raw = sheet.raw
    columns = {name: raw.columns[at] for name, at in found.items()}
    if kind != "declarations":
        _ask_about_unread(sheet, {*found.values()})
    pass_over(sheet, set(found.values()))
    made = known_as(raw, kind, columns, sheet.trace, sheet.scheme, sheet.problems)
    if kind == "counts" and not {*found} & {*_SIZES, *sheet.attributes}:
        _ask_about_labels(sheet)
    if kind == "counts" and sheet.places("described", "lot"):  # lots, of which some name less than others
        made = replace(made, columns={**columns, "breakdown": Column.filled("lots", "lots", raw.n_rows)})
    return made


def _ask_about_labels(sheet: Layout) -> None:
    """Ask what the words of a column are that label the rows of a sorting sheet, of which no other names a class."""
    for at in sheet.places("unknown") if sheet.raw.n_rows > 1 and not sheet.places("lot", "described") else ():
        texts = [text_of(cell) for cell in sheet.cells(at)]
        coded = all(any(map(str.isdigit, text)) for text in texts)
        if sheet.headers.words.columns("parcels").get(fold(sheet.raw.columns[at].header)) == "certificate_no":
            continue  # which parcels of a register have
        if len(texts) == sheet.raw.n_rows and coded and not all(map(is_number, texts)):
            sheet.ask("nothing_described", at, "ignore", words=listed(texts, 12))


def _ask_about_unread(sheet: Layout, used: set[int]) -> None:
    """Ask about columns that are not read, and all of whose cells name sizes or classes that no other column gives."""
    for at, column in enumerate(sheet.raw.columns):
        read = at in used and sheet.meanings[at].role != "value_usd"
        read |= says("foreign", *tokens_of(column.header))  # ``Polished shape``
        read |= any(item.column == column.header for item in sheet.problems)
        texts = [] if read or column.mostly_distinct else [text_of(cell) for cell in sheet.cells(at)]
        if len(texts) < 2 or column.blank().any() or f"column:{column.header}" in sheet.choices:
            continue
        kinds = [*takewhile(bool, (classes_in(text, sheet.scheme) for text in texts))]
        named = {name for names in kinds for name in names}
        if len(kinds) < len(texts) or named & sheet.taken or sheet.meanings[at].role == "described":
            continue
        told = {"known": listed(texts, 8), "unknown": "–", "attribute": listed(sorted(named))}
        code, answers = ("attribute_or_other", [*named]) if len(named) == 1 else ("attributes_mixed", [])
        sheet.ask(code, at, *answers, "ignore", **told)


def _are_described(sheet: Layout) -> bool:
    """Say whether a column of descriptions names classes in each row, so that the rows are goods."""
    cells = [text_of(cell) for at in sheet.places("description") for cell in sheet.cells(at)]
    return bool(cells) and all(classes_in(cell, sheet.scheme) for cell in cells)


def _described(sheet: Layout) -> Layout:
    """Read sizes, colours and shapes out of descriptions: ``4-8 GR MAKEABLES CAPE``."""
    places = sheet.places("description")
    if not places:
        return sheet
    at, scheme, taken = places[0], sheet.scheme, sheet.taken
    column = sheet.raw.columns[at]
    free = [item for item in scheme.categorical if item.column not in taken]
    made, unread = split_descriptions(column, free, sheet.scheme)
    if "size_class" in taken:
        made.pop("size_class", None)
    if not made and ("size_class" in taken or any(item.wide for item in sheet.meanings)):
        return sheet
    if not made:
        odd = [word for word in unread if not is_plain(word)]
        if odd and sheet.raw.n_rows > 1 == len(column.used().cells):  # of all rows alike, which tells none apart
            sheet.trace.note("words_passed_over", column=column.header, words=listed(odd, 12))
            return with_lots_asked(sheet, sheet.places("lot"))
        if len(free) == len(scheme.categorical) and sheet.raw.n_rows > 1 and odd:
            sheet.ask("nothing_described", at, "ignore", words=listed(odd, 12))
        return sheet
    if (sizes := made.get("size_class")) is not None:
        like = [word for word in unread if _SIZED.search(word)]
        unknown = [code for code, cell in column.texts() if any(word in cell for word in like)]
        sheet.tell_rows("unknown_size", at, column.rows_with(unknown) & sizes.blank())
    meanings = [*sheet.meanings, *(Meaning(role=name) for name in made)]
    meanings[at] = Meaning(role="described")
    if unread:
        sheet.trace.note("words_passed_over", column=column.header, words=listed(unread, 12))
    return sheet.with_columns([*sheet.raw.columns, *made.values()], meanings)


def _zones_of(table: KnownTable, sheet: Layout, column: Column) -> KnownTable:
    """Read a column of zones beside stones as their declaration."""
    weight = table.columns.get(sheet.scheme.size.column) or table.columns.get("carats")
    columns = {"zone_id": column}
    if weight is not None:
        columns["carats"] = weight
    if "parcel_id" in table.columns:
        columns["parcel_id"] = table.columns["parcel_id"]
    if column.header in sheet.trace.passed_over:
        sheet.trace.passed_over.remove(column.header)
    made = replace(table, kind="declarations", columns=columns, ragged={}, typed=weight is None, trace=Trace())
    if weight is None:
        return made.keep(np.unique(column.codes, return_index=True)[1])
    told = table.columns.get("breakdown")
    weighed = np.flatnonzero(~weight.blank())
    if told is None or not len(weighed):
        return made
    return made.keep(weighed[told.codes[weighed] == told.codes[weighed[0]]])  # of the same stones told twice, once


# Several valuations of one parcel.


def _zones_of_each(table: KnownTable, sheet: Layout, column: Column) -> KnownTable:
    """Read a column of zones beside stones as their declaration, which each valuation has of its own rows."""
    made: dict[str, KnownTable] = {}
    for party, part in table.valuations.items():
        made[party] = _zones_of(part, sheet, column.rows(np.flatnonzero(np.isin(sheet.raw.rows, part.rows))))
        part.trace.passed_over[:] = [header for header in part.trace.passed_over if header != column.header]
    return replace(next(iter(made.values())), valuations=made) if made else _zones_of(table, sheet, column)


def _valued(sheet: Layout, parties: Sequence[str]) -> KnownTable:
    """Read what several parties see of one parcel, or columns of its parts: months, qualities."""
    if not all(map(_is_party, parties)):
        chosen = sheet.choices.get("valuation")
        if chosen is None or plain(chosen) not in {*parties, *PARTS[1:]}:
            choices = [*(("valuation", party) for party in parties), PARTS]
            heads = [(item.party, sheet.raw.columns[at].header) for at, item in enumerate(sheet.meanings)]
            headers = [[header for of, header in heads if of == party] for party in parties]
            sheet.tell("classes_or_valuations", None, found=listed(parties, 8), choices=choices, headers=headers)
    made: dict[str, KnownTable] = {}
    for party in parties:
        meanings = [
            UNKNOWN if item.party and item.party != party else replace(item, party="") for item in sheet.meanings
        ]
        meanings = [replace(item, role="other", sure=True) if item.role == "unknown" else item for item in meanings]
        trace = replace(sheet.trace, left_out=list(sheet.trace.left_out), passed_over=[], notes=[])
        one = Layout(sheet.raw, meanings, sheet.headers, sheet.choices, trace, sheet.problems)
        made[party] = _plain(one, "counts")
    first = next(iter(made.values()))
    if sheet.choices.get(PARTS[0]) == PARTS[1]:
        return parties_together([*made.values()], [None] * len(made))
    return replace(first, valuations=made)


def _as_one_sees_them(sheet: Layout, parties: Sequence[str]) -> Layout:
    """Return a list of stones as the one of several parties saw them who was chosen; without a choice it is asked."""
    chosen = plain(sheet.choices.get("valuation", ""))
    if chosen not in parties:
        choices = [("valuation", party) for party in parties]
        sheet.tell("which_valuation", None, found=listed(parties, 8), choices=choices)
    meanings = [item if item.party in ("", chosen) else Meaning(role="other") for item in sheet.meanings]
    return replace(sheet, meanings=[replace(item, party="") for item in meanings])


def _is_party(name: str) -> bool:
    """Say whether a name is that of somebody who values goods: ``ministry``, ``valuer B``, not ``lot B``."""
    words = [token for token in tokens_of(name) if len(token) > 1]
    lettered = len(words) < len(tokens_of(name))
    of_goods = ("lot", "zone", "pit", *(("seller", "gathers") if lettered else ()))  # ``Seller B``
    known = not {*words, *(() if words else tokens_of(name))}.isdisjoint(declared_words()["parties"]["words"])
    return known and not any(says(role, *words) for role in of_goods)


def _valued_in_rows(table: KnownTable, sheet: Layout, classed: Sequence[int]) -> KnownTable:
    """Part the rows of several parties, which a column names, where all of them have the same classes: valuations."""
    known = {word for word in declared_words()["parties"]["words"] if len(word) > 1}
    for at in sheet.places("unknown", "other") if sheet.choices.get(ONE[0]) != ONE[1] else ():
        column = sheet.raw.columns[at]
        names = [] if column.mostly_distinct else column.names()
        used = np.unique(column.codes).tolist()
        if not 1 < len(used) <= 4 or not all({*tokens_of(names[code])} & known for code in used if names):
            continue
        rows = [np.flatnonzero(column.codes == code) for code in used]
        measures = sheet.places("n_stones", "carats")
        if names and len({*map(len, rows)}) == 1 and same_stones(sheet, classed, measures, rows):
            passed = [header for header in table.trace.passed_over if header != column.header]
            parts = [replace(table.keep(own), trace=replace(table.trace, passed_over=passed)) for own in rows]
            by_party = dict(zip((plain(names[code]) for code in used), parts, strict=True))
            return replace(parts[0], valuations=by_party)
    return table
