"""What kind of table a sheet of known columns is: stones, counts, declarations, a cross-tab, several valuations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

import numpy as np

from kpfootprint.ingest.columns.meanings import SIZES, Layout, pass_over
from kpfootprint.ingest.names.documented import known_as
from kpfootprint.ingest.names.headers import UNKNOWN, Meaning
from kpfootprint.ingest.names.inquiry import ONE
from kpfootprint.ingest.names.labels import classes_in, split_descriptions
from kpfootprint.ingest.problems import listed
from kpfootprint.ingest.raw.cells import has_digit, is_number, text_of
from kpfootprint.ingest.raw.tables import GOODS, Column, KnownTable, Trace, parties_together
from kpfootprint.ingest.sheets import asked
from kpfootprint.ingest.sheets.counted_twice import same_stones
from kpfootprint.ingest.sheets.crosstabs import are_whole, unfold
from kpfootprint.ingest.sheets.groups import ask_about_blanks, with_blanks_open, written_once
from kpfootprint.ingest.sheets.lots import (
    are_repeated,
    are_sized_stones,
    ask_about_cells,
    ask_about_stones,
    with_lots_asked,
    with_lots_settled,
)
from kpfootprint.ingest.words import declared_words, is_plain, plain, says, tokens_of

_SIZED = re.compile(r"[+<>-]\d|\d\s*[-–/]\s*\d|\d[.,]\d")
"""What a word of a description holds that may be a size."""


def tables_of_kind(sheet: Layout, hint: str | None, *, several: bool) -> list[KnownTable]:
    """Return the tables that a sheet of known columns is: stones, counts or declarations, and the zones beside goods.

    Parameters
    ----------
    sheet, hint, several
        As in `understand`, which lays it out.

    Returns
    -------
    list of KnownTable
        None where it is refused, which is told, or no table of ours.
    """
    wide = [at for at, item in enumerate(sheet.meanings) if item.wide]
    classed = sheet.places("size_class", *sheet.attributes)
    if _is_refused(sheet, wide, classed):
        return []
    parties = parties_of(sheet)
    ask_about_other_weights(sheet)
    if len(wide) > 1 or (wide and (classed or sheet.places("n_stones"))):
        return _crossed(sheet, wide, classed)
    if parties and not sheet.places("n_stones") and (sheet.places("row") or are_repeated(sheet, classed)):
        sheet, parties = as_one_sees_them(sheet, parties), []  # a list of stones
        if sheet.problems:
            return []
    zones = sheet.places("zone_id") or sheet.places("country")
    if parties:
        main = _valued(sheet, parties)
    elif zones and not classed and _declares(sheet, hint, several=several):
        return [_plain(sheet, "declarations")]
    elif strangers := _strangers(sheet, classed, hint):
        return _of_strangers(sheet, strangers)
    elif (found := _goods(sheet, hint, classed, several=several)) is None:
        return []
    else:
        main = found
    return [main, *(_zones_of_each(main, sheet, sheet.column(at)) for at in zones[:1] if main.complete)]


def _is_refused(sheet: Layout, wide: list[int], classed: list[int]) -> bool:
    """Say whether a sheet is none that can be read: other units, percent alone, turned; it is told."""
    if sheet.places("other_unit") and not sheet.places("carats"):
        sheet.tell("unknown_unit", sheet.places("other_unit")[0])
        return True
    if wide and all(map(sheet.all_percent, wide)):
        sheet.tell("percent_alone", wide[0])
        return True
    if asked.is_transposed(sheet, wide):
        return True
    asked.ask_about_percents(sheet)
    asked.ask_about_decimals(sheet)
    labelled = bool(classed) or bool(sheet.places("unknown", "description"))
    alone = sheet.places("percent") if labelled and not wide and not sheet.places("n_stones", "carats") else []
    for at in alone[:1]:
        sheet.tell("percent_alone", at)
    return bool(alone)


def _crossed(sheet: Layout, wide: list[int], classed: list[int]) -> list[KnownTable]:
    """Read a table whose columns hold classes, with the zones that its rows name."""
    asked.ask_about_titles(sheet, wide)
    made = unfold(ask_about_blanks(_described(sheet), classed), wide)
    main = replace(made, columns={name: made.columns[name] for name in made.columns if name != "zone_id"})
    zone = made.columns.get("zone_id")
    return [main] if zone is None or not made.complete else [main, _zones_of(made, sheet, zone)]


def _declares(sheet: Layout, hint: str | None, *, several: bool) -> bool:
    """Say whether amounts beside zones are declared, and no goods."""
    parcels = not several and bool(sheet.places("parcel_id")) and bool(sheet.places("n_stones"))
    goods = parcels or _are_described(sheet) or hint in GOODS
    return bool(sheet.places("carats", "percent", "n_stones")) and not goods


def _goods(sheet: Layout, hint: str | None, classed: list[int], *, several: bool) -> KnownTable | None:
    """Read a sorting sheet, or a list of stones; None where a sheet is neither."""
    sized = bool(sheet.places("size_class")) and not (sheet.places("n_stones") or are_sized_stones(sheet, classed))
    if sheet.places("n_stones") or (sized and (sheet.places("carats") or hint == "counts")):
        ask_about_cells(sheet, classed)
        before = len(sheet.problems)
        labelled = [*classed, *sheet.places("description")]
        settled = with_blanks_open(ask_about_blanks(sheet, labelled), classed)
        made = valued_in_rows(_plain(settled, "counts"), settled, classed)
        return replace(made, complete=made.complete and len(sheet.problems) == before)
    if sheet.places("carats") or hint in GOODS:
        listed_so = hint == "counts" and not (sheet.places("row") or are_repeated(sheet, classed))
        if not listed_so:  # a list of stones, which may be called a sorting sheet
            ask_about_stones(sheet, classed)
        return _plain(ask_about_blanks(sheet, written_once(sheet)), "counts" if listed_so else "stones")
    return _plain(sheet, "stones") if classed and not several else None


def _strangers(sheet: Layout, classed: list[int], hint: str | None) -> list[int]:
    """Return the columns of numbers headed by words nobody knows, where several are all there is: a cross-tab."""
    if not classed or sheet.places("n_stones", "carats") or hint in GOODS:
        return []
    cells = {at: sheet.cells(at) for at in sheet.places("unknown", "mean")}
    found = [at for at, own in cells.items() if own and all(text_of(cell)[:1].isdigit() for cell in own)]
    return found if len(found) > 1 else []


def _of_strangers(sheet: Layout, places: list[int]) -> list[KnownTable]:
    """Ask what columns are that nobody knows, or take them for parts of the parcel: stones, or carats by decimals."""
    if not sheet.inquiry.chose(PARTS):
        headers = listed((sheet.header(at) for at in places), 12)
        sheet.tell("unknown_columns", None, headers=headers, choices=[PARTS])
        return []
    role = "n_stones" if all(are_whole(sheet.values(at)) for at in places) else "carats"
    for at in places:
        sheet = sheet.with_meaning([at], Meaning(role=role, party=plain(sheet.header(at))))
    return [_valued(sheet, [*dict.fromkeys(sheet.meanings[at].party for at in places)])]


def _valued(sheet: Layout, parties: Sequence[str]) -> KnownTable:
    """Read what several parties see of one parcel, or columns of its parts: months, qualities."""
    made = {party: _plain(one, "counts") for party, one in as_each_sees_them(sheet, parties).items()}
    if sheet.inquiry.chose(PARTS):
        return parties_together([*made.values()], [None] * len(made))
    return replace(next(iter(made.values())), valuations=made)


def _known_columns(sheet: Layout, kind: str) -> dict[str, int]:
    """Return canonical columns of a kind with the position of each; what is given twice is told."""
    wanted = {
        "stones": ("parcel_id", "carats", "value_usd", *sheet.attributes),
        "counts": ("parcel_id", *SIZES, "n_stones", "carats", "value_usd", "breakdown", "sample", *sheet.attributes),
        "declarations": ("parcel_id", "zone_id", "country", "carats", "percent"),
    }[kind]
    found: dict[str, int] = {}
    for at, item in enumerate(sheet.meanings):
        if item.wide or item.part == "sample" or item.role not in wanted:
            continue
        name = sheet.scheme.size.column if (kind, item.role) == ("stones", "carats") else item.role
        if name in found:
            answers = [(f"column:{sheet.header(at)}", "ignore")] if name in sheet.attributes else []
            told = {"choices": answers} if answers and not item.sure else {}
            sheet.tell("column_twice", at, column=name, **told)
        found.setdefault(name, at)
    return found


def _plain(sheet: Layout, kind: str) -> KnownTable:
    """Read a table whose columns are columns of the documentation already."""
    sheet = with_lots_settled(sheet, kind)
    if kind != "declarations":
        sheet = _described(sheet)
    found = _known_columns(sheet, kind)
    for at in sheet.places("n_stones", wide=None)[:1] if kind == "stones" and sheet.n_rows else ():
        sheet.ask("count_or_other", at)
    raw = sheet.raw
    columns = {name: raw.columns[at] for name, at in found.items()}
    if kind != "declarations":
        _ask_about_unread(sheet, {*found.values()})
    pass_over(sheet, set(found.values()))
    made = known_as(raw, kind, columns, sheet.trace, sheet.inquiry)
    if kind == "counts" and not {*found} & {*SIZES, *sheet.attributes}:
        _ask_about_labels(sheet)
    if kind == "counts" and sheet.places("described", "lot"):  # lots, of which some name less than others
        made = replace(made, columns={**columns, "breakdown": Column.filled("lots", "lots", raw.n_rows)})
    return made


def _ask_about_labels(sheet: Layout) -> None:
    """Ask what the words of a column are that label the rows of a sorting sheet, of which no other names a class."""
    for at in sheet.places("unknown") if sheet.n_rows > 1 and not sheet.places("lot", "described") else ():
        texts = [text_of(cell) for cell in sheet.cells(at)]
        coded = all(has_digit(text) for text in texts)
        if sheet.headers.field(sheet.header(at)) == "certificate_no":
            continue  # which parcels of a register have
        if len(texts) == sheet.n_rows and coded and not all(map(is_number, texts)):
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
    column = sheet.column(at)
    free = [item for item in scheme.categorical if item.column not in taken]
    made, unread = split_descriptions(column, free, sheet.scheme)
    if "size_class" in taken:
        made.pop("size_class", None)
    if not made and ("size_class" in taken or any(item.wide for item in sheet.meanings)):
        return sheet
    if not made:
        odd = [word for word in unread if not is_plain(word)]
        if odd and sheet.n_rows > 1 == len(column.used().cells):  # of all rows alike, which tells none apart
            sheet.trace.note("words_passed_over", column=column.header, words=listed(odd, 12))
            return with_lots_asked(sheet, sheet.places("lot"))
        if len(free) == len(scheme.categorical) and sheet.n_rows > 1 and odd:
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
        columns["parcel_id"] = ids = table.columns["parcel_id"]
        tops = np.flatnonzero(np.diff(ids.codes, prepend=-1))
        if len(tops) == len(np.unique(ids.codes)) and np.array_equal(tops, np.flatnonzero(~column.blank())):
            columns["zone_id"] = column.filled_down()  # written beside the first row of each parcel
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


def _zones_of_each(table: KnownTable, sheet: Layout, column: Column) -> KnownTable:
    """Read a column of zones beside stones as their declaration, which each valuation has of its own rows."""
    made: dict[str, KnownTable] = {}
    for party, part in table.valuations.items():
        made[party] = _zones_of(part, sheet, column.rows(np.flatnonzero(np.isin(sheet.raw.rows, part.rows))))
        part.trace.passed_over[:] = [header for header in part.trace.passed_over if header != column.header]
    return replace(next(iter(made.values())), valuations=made) if made else _zones_of(table, sheet, column)


PARTS = ("valuation", "parts")
"""The answer that columns side by side are of parts of one parcel."""


def parties_of(sheet: Layout) -> list[str]:
    """Return whose the pieces and carats are, where headers name several."""
    found: dict[str, set[str]] = {}
    for item in sheet.meanings:
        if item.party and not item.wide and not item.part:
            found.setdefault(item.party, set()).add(item.role)
    return [*found] if len(found) > 1 and len({*map(frozenset, found.values())}) == 1 else []


def as_each_sees_them(sheet: Layout, parties: Sequence[str]) -> dict[str, Layout]:
    """Return a sheet as each of several parties saw the stones; where they may be parts of one parcel, it is asked."""
    if not all(map(_is_party, parties)):
        chosen = sheet.choices.get("valuation")
        if chosen is None or plain(chosen) not in {*parties, *PARTS[1:]}:
            choices = [*(("valuation", party) for party in parties), PARTS]
            heads = [(item.party, sheet.header(at)) for at, item in enumerate(sheet.meanings)]
            headers = [[header for of, header in heads if of == party] for party in parties]
            sheet.tell("classes_or_valuations", None, found=listed(parties, 8), choices=choices, headers=headers)
    made: dict[str, Layout] = {}
    for party in parties:
        of_others = {at for at, item in enumerate(sheet.meanings) if item.party and item.party != party}
        meanings = [replace(item, party="") for item in sheet.with_meaning(of_others, UNKNOWN).meanings]
        meanings = [replace(item, role="other", sure=True) if item.role == "unknown" else item for item in meanings]
        trace = replace(sheet.trace, left_out=list(sheet.trace.left_out), passed_over=[], notes=[])
        made[party] = replace(sheet, meanings=meanings, trace=trace)
    return made


def as_one_sees_them(sheet: Layout, parties: Sequence[str]) -> Layout:
    """Return a list of stones as the one of several parties saw them who was chosen; without a choice it is asked."""
    chosen = plain(sheet.choices.get("valuation", ""))
    if chosen not in parties:
        choices = [("valuation", party) for party in parties]
        sheet.tell("which_valuation", None, found=listed(parties, 8), choices=choices)
    meanings = [item if item.party in ("", chosen) else Meaning(role="other") for item in sheet.meanings]
    return replace(sheet, meanings=[replace(item, party="") for item in meanings])


def ask_about_other_weights(sheet: Layout) -> None:
    """Ask about weights that are headed by another word, ``Control weight``, where half are far from the stones'."""
    own = sheet.places("carats")
    for at, column in enumerate(sheet.raw.columns) if len(own) == 1 and not sheet.places("n_stones") else ():
        said = sheet.headers.of(column.header)
        left = sheet.meanings[at].role == "other" and f"column:{column.header}" not in sheet.choices
        if left and said.role == "carats" and said.party and not (said.wide or said.part):
            one, other = sheet.values(own[0]), sheet.values(at)
            apart = (np.abs(other - one) > 0.1 * one + 0.015)[np.isfinite(one + other)]
            if 2 * apart.sum() > len(apart) > 2:
                sheet.ask("measure_or_other", at, "ignore")


def _is_party(name: str) -> bool:
    """Say whether a name is that of somebody who values goods: ``ministry``, ``valuer B``, not ``lot B``."""
    words = [token for token in tokens_of(name) if len(token) > 1]
    lettered = len(words) < len(tokens_of(name))
    of_goods = ("lot", "zone", "pit", *(("seller", "gathers") if lettered else ()))  # ``Seller B``
    known = not {*words, *(() if words else tokens_of(name))}.isdisjoint(declared_words()["parties"]["words"])
    return known and not any(says(role, *words) for role in of_goods)


def valued_in_rows(table: KnownTable, sheet: Layout, classed: Sequence[int]) -> KnownTable:
    """Part the rows of several parties, which a column names, where all of them have the same classes: valuations."""
    known = {word for word in declared_words()["parties"]["words"] if len(word) > 1}
    for at in sheet.places("unknown", "other") if not sheet.inquiry.chose(ONE) else ():
        column = sheet.column(at)
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
