"""What a table is and how it is laid out: lists, sorting sheets, sizes by colours, price books, slips, valuations.

Whatever the layout, what comes out is a table of the documentation: ``stones``, ``counts`` or ``declarations``. A table
that could be read in two ways is refused with both, unless the caller has chosen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kpfootprint.errors import Problem
from kpfootprint.ingest.around import ONE, Block, apart, held_against, side_by_side, without_side_notes
from kpfootprint.ingest.asides import (
    ask_about_blanks,
    ask_about_cancelled,
    ask_about_measures,
    ask_about_numbers,
    ask_about_units,
    below_each_other,
    with_classes_chosen,
    with_headings,
    without_asides,
    without_dittos,
    without_empty_classes,
)
from kpfootprint.ingest.cells import text_of
from kpfootprint.ingest.headers import UNKNOWN, Headers, Meaning, tokens_of
from kpfootprint.ingest.labels import split_descriptions
from kpfootprint.ingest.meanings import (
    Choices,
    Sheet,
    listed,
    meanings_of,
    pass_over,
    with_cells_asked,
    with_lots_settled,
)
from kpfootprint.ingest.rules import Broken, problem
from kpfootprint.ingest.sums import without_totals
from kpfootprint.ingest.tables import Column, LeftOut, Note, RawTable, Table, Trace, stacked
from kpfootprint.ingest.unfold import unfold, unrepeated
from kpfootprint.ingest.words import declared_words, fold, plain, unit_words

PARTS = ("valuation", "parts")
"""The answer that columns side by side are of parts of one parcel."""

_SIZES = ("size_class", "lower_ct", "upper_ct")

_HEAVY_CT = 5.0
"""Weight above which all rows must lie, of which no two are of one class, to be taken for lots rather than stones."""

_OF_STONES = ("weightct", "poidsct")
"""Headers that the documentation gives to the weight of a stone, folded."""

_HEAVY_MIDDLE = 20.0
"""Weight in the middle of a list, from which on it is asked whether it is in carats where no hundredths are given."""

_HUNDREDTHS = re.compile(r"[.,]\d\d")

_FEW = 3
"""Whole weights from which on they are taken for points rather than carats."""

_HEADING = re.compile(r"7102[. ]?\d\d([. ]?\d\d){0,2}")
"""A heading of the customs tariff for diamonds."""


_SEVERAL_SAID = re.compile(
    rf"\b([2-9]|[1-9]\d+)\s*({'|'.join(map(re.escape, unit_words('pieces')))}|pieces?|pièces?)\b"
    r"|\b(lots?|paquets?|packs?)\s+(de|of)\s+\d|^[x×]\s?\d+$",
    re.IGNORECASE,
)
"""A remark by which a row is of several stones: ``3 pcs``, ``lot de 3``."""


def understand(
    raw: RawTable,
    hint: str | None,
    headers: Headers,
    choices: Choices,
    problems: list[Problem],
    *,
    several: bool = False,
) -> list[Table]:
    """Read a table into tables of the documentation; what is wrong or could be read in two ways is added to `problems`.

    Parameters
    ----------
    hint : str or None
        What the name of the table says that it is; columns that clearly say otherwise go before it.
    several : bool
        Whether it is one of several tables, of which some may be none of ours: a list of prices, say.
    """
    raw = unrepeated(raw, headers)
    rest, blocks = apart(raw, headers)
    if blocks:
        sheet = Sheet(rest, [], headers, choices, rest.trace())
        tables = _understood(sheet, hint, several=several)
        if tables and (settled := _with_blocks(blocks, tables, sheet)) is not None:
            problems += sheet.problems
            return settled
    sheet = Sheet(raw, [], headers, choices, raw.trace())
    tables = _understood(sheet, hint, several=several)
    for block in blocks:
        if block.where == "above" and tables:
            sheet.tell("other_table_above", None, headers=listed(column.header for column in block.raw.columns))
    problems += sheet.problems
    return tables


def _with_blocks(blocks: list[Block], tables: list[Table], sheet: Sheet) -> list[Table] | None:
    """Hold what stands around a table against it, or lay what is counted otherwise below it; None where it is neither.

    What a summary says otherwise than the rows is told; whether other counts are of the same stones is asked.
    """
    others: list[Table] = []
    for block in blocks:
        own = Sheet(block.raw, [], sheet.headers, sheet.choices, block.raw.trace())
        made = _understood(own, None, several=True)
        if own.problems or not made or made[0].kind != "counts":
            return None
        others.append(made[0])
    told = [held_against(other, tables[0], sheet.scheme) for other in others]
    if None not in told:
        for block, found in zip(blocks, told, strict=True):
            sheet.problems.extend((found or [])[:20])
            values = {"headers": listed(column.header for column in block.raw.columns)}
            line = block.raw.header_rows[0]
            sheet.trace.left_out.append(LeftOut(table=tables[0].name, row=line, code="summary", values=values))
        return tables
    if tables[0].kind != "counts" or any(block.where != "below" for block in blocks):
        return None
    if sheet.choices.get(ONE[0]) != ONE[1]:
        broken = Broken("table_below", {"choices": [ONE]})
        sheet.problems.append(problem(broken, table=tables[0].name, row=blocks[0].raw.header_rows[0]))
        return []
    return [stacked([tables[0], *others], [None] * (1 + len(others))), *tables[1:]]


def _understood(sheet: Sheet, hint: str | None, *, several: bool) -> list[Table]:
    sheet = without_side_notes(sheet)
    sheet, again = without_asides(sheet)
    sheet = without_dittos(sheet)
    given = side_by_side(replace(sheet, meanings=meanings_of(sheet.raw, sheet.headers, sheet.choices)))
    whole = None if given is None else below_each_other(with_cells_asked(given), again)
    if whole is None:
        return []
    sheet = with_headings(whole)
    ask_about_cancelled(sheet)
    sheet = _without_totals(with_classes_chosen(sheet))
    ask_about_measures(sheet)
    tables = _tables(sheet, hint, several=several)
    if tables:
        ask_about_units(sheet)
    return tables


# Totals.


def _without_totals(sheet: Sheet) -> Sheet:
    roles = ("n_stones", "carats", "stones_or_carats")
    measures = [at for at, item in enumerate(sheet.meanings) if item.role in roles] or sheet.places("percent")
    classes = [
        at for at, item in enumerate(sheet.meanings) if not item.wide and item.role in (*_SIZES, *sheet.attributes)
    ]
    labels = classes or sheet.places("description")
    before = len(sheet.problems)
    sheet = without_totals(sheet, measures, labels)
    if sheet.places("n_stones"):
        checked = any(i.code == "total_checked" for i in sheet.trace.left_out) and len(sheet.problems) == before
        return without_empty_classes(sheet, measures, labels, checked=checked)
    ask_about_numbers(sheet)
    return sheet


# Kinds.


def _tables(sheet: Sheet, hint: str | None, *, several: bool) -> list[Table]:
    columns = sheet.attributes
    for at in sheet.places("other_unit"):
        if not sheet.places("carats"):
            sheet.tell("unknown_unit", at)
            return []
    wide = [at for at, item in enumerate(sheet.meanings) if item.wide]
    if wide and all(map(sheet.all_percent, wide)):
        sheet.tell("percent_alone", wide[0])
        return []
    if _is_transposed(sheet, wide):
        return []
    _ask_about_percents(sheet, columns)
    parties = _parties(sheet)
    measured = sheet.places("n_stones", "carats")
    classed = sheet.places("size_class", *columns)
    if sheet.places("percent") and not measured and not wide and (classed or sheet.places("unknown", "description")):
        sheet.tell("percent_alone", sheet.places("percent")[0])
        return []
    if len(wide) > 1 or (wide and (classed or sheet.places("n_stones"))):
        made = unfold(sheet, wide)
        tables = [replace(made, columns={name: made.columns[name] for name in made.columns if name != "zone_id"})]
        zone = made.columns.get("zone_id")
        return tables if zone is None or not made.complete else [*tables, _zones_of(made, sheet, zone)]
    if len(parties) > 1:
        return [_valued(sheet, parties)]
    zones = sheet.places("zone_id") or sheet.places("country")
    amounts = sheet.places("carats", "percent", "n_stones")
    if zones and amounts and not classed and hint not in ("stones", "counts"):
        return [_plain(sheet, "declarations")]
    if sheet.places("n_stones") or (sheet.places("size_class") and (sheet.places("carats") or hint == "counts")):
        _ask_about_cells(sheet, classed)
        before = len(sheet.problems)
        settled = ask_about_blanks(sheet, classed)
        tables = [replace(made := _plain(settled, "counts"), complete=made.complete and len(sheet.problems) == before)]
    elif sheet.places("carats") or hint in ("stones", "counts"):
        if hint != "counts":
            _ask_about_stones(sheet, classed)
        tables = [_plain(sheet, hint if hint == "counts" else "stones")]
    elif classed and (strangers := _strangers(sheet)):
        if sheet.choices.get(PARTS[0]) == PARTS[1]:
            return [_valued(_of_parts(sheet, strangers), {plain(sheet.raw.columns[at].header): {} for at in strangers})]
        headers = listed((sheet.raw.columns[at].header for at in strangers), 12)
        sheet.tell("unknown_columns", None, headers=headers, choices=[PARTS])
        return []
    elif classed and not several:
        tables = [_plain(sheet, "stones")]
    else:
        return []
    if zones and tables[0].complete:
        tables.append(_zones_of(tables[0], sheet, sheet.raw.columns[zones[0]]))
    return tables


def _strangers(sheet: Sheet) -> list[int]:
    """Return the columns of numbers that are headed by words nobody knows, where there are several: a cross-tab."""
    found = [
        at
        for at in sheet.places("unknown", "mean")
        if (cells := sheet.cells(at)) and all(text_of(c)[:1].isdigit() for c in cells)
    ]
    return found if len(found) > 1 else []


def _of_parts(sheet: Sheet, places: list[int]) -> Sheet:
    """Take columns of numbers for the stones of parts of the parcel, or for their carats where they have decimals."""
    values = [sheet.raw.values(at) for at in places]
    role = "n_stones" if all(np.all(np.isnan(v) | (v == np.floor(v))) for v in values) else "carats"
    meanings = list(sheet.meanings)
    for at in places:
        meanings[at] = Meaning(role=role, party=plain(sheet.raw.columns[at].header))
    return replace(sheet, meanings=meanings)


def _ask_about_percents(sheet: Sheet, attributes: list[str]) -> None:
    """Ask about classes that are given in percent alone, so that stones would be read without them."""
    given = {item.role for item in sheet.meanings} | {name for item in sheet.meanings for name, _ in item.classes}
    found: dict[str, list[str]] = {}
    for at in sheet.places("percent"):
        header = sheet.raw.columns[at].header
        for name, _ in sheet.headers.of(sheet.headers.without_measure(header)).classes:
            if name in attributes and name not in given:
                found.setdefault(name, []).append(header)
    for name, texts in found.items() if sheet.choices.get("percent") != "ignore" else ():
        told = {"attribute": name, "headers": listed(texts, 8)}
        sheet.tell("percent_of_classes", None, **told, choices=[("percent", "ignore")])


def _parties(sheet: Sheet) -> dict[str, dict[str, int]]:
    """Return pieces and carats by whose they are, where headers name several."""
    found: dict[str, dict[str, int]] = {}
    for at, item in enumerate(sheet.meanings):
        if item.party and not item.wide and not item.part:
            found.setdefault(item.party, {}).setdefault(item.role, at)
    sets = {frozenset(measures) for measures in found.values()}
    return found if len(found) > 1 and len(sets) == 1 else {}


def _known_columns(sheet: Sheet, kind: str) -> dict[str, int]:
    """Return canonical columns of a kind with the position of each; what is given twice is told."""
    words = sheet.headers.words
    weight = words.scheme.size.column
    attributes = [item.column for item in words.scheme.categorical]
    wanted = {
        "stones": {"parcel_id": "parcel_id", "carats": weight, "value_usd": "value_usd"},
        "counts": {
            name: name for name in ("parcel_id", *_SIZES, "n_stones", "carats", "value_usd", "breakdown", "sample")
        },
        "declarations": {name: name for name in ("parcel_id", "zone_id", "country", "carats", "percent")},
    }[kind]
    if kind != "declarations":
        wanted |= {name: name for name in attributes}
    found: dict[str, int] = {}
    for at, item in enumerate(sheet.meanings):
        name = wanted.get(item.role)
        if item.wide or name is None:
            continue
        if item.part == "sample":
            continue
        if name in found:
            sheet.tell("column_twice", at, column=name)
        else:
            found[name] = at
    return found


def _plain(sheet: Sheet, kind: str) -> Table:
    """Read a table whose columns are columns of the documentation already."""
    sheet = with_lots_settled(sheet, kind)
    if kind != "declarations":
        sheet = _described(sheet)
    found = _known_columns(sheet, kind)
    if kind == "stones" and "n_stones" in {item.role for item in sheet.meanings}:
        at = sheet.places("n_stones")[0]
        sheet.ask("count_or_other", at)
    raw = sheet.raw
    columns = {name: raw.columns[at] for name, at in found.items()}
    required = {"stones": [sheet.scheme.size.column], "counts": [], "declarations": ["zone_id"]}
    missing = [name for name in required[kind] if name not in columns and "country" not in columns]
    if kind == "counts" and not {"n_stones", "carats"} & set(columns):
        missing.append("n_stones")
    if kind == "declarations" and not {"carats", "percent"} & set(columns):
        missing.append("carats")
    pass_over(sheet, set(found.values()))
    listed = ", ".join(column.header for column in raw.columns if column.header) or "none"
    for name in missing:
        sheet.tell("missing_column", name, column=name, headers=listed)
    if kind == "counts" and sheet.places("described", "lot"):  # lots, of which some name less than others
        columns["breakdown"] = Column.filled("lots", "lots", raw.n_rows)
    return raw.known(kind, columns, sheet.trace, complete=not missing)


def _described(sheet: Sheet) -> Sheet:
    """Read sizes, colours and shapes out of descriptions: ``4-8 GR MAKEABLES CAPE``."""
    places = sheet.places("description")
    if not places or sheet.places("size_class"):
        return sheet
    at, scheme = places[0], sheet.scheme
    column = sheet.raw.columns[at]
    taken = {item.role for item in sheet.meanings}
    free = [item for item in scheme.categorical if item.column not in taken]
    made, unread = split_descriptions(column, free, sheet.scheme)
    if not made:
        odd = [word for word in unread if not sheet.headers.is_plain(word)]
        if len(free) == len(scheme.categorical) and sheet.raw.n_rows > 1 and odd:
            sheet.ask("nothing_described", at, "ignore", words=listed(odd, 12))
        return sheet
    raw = replace(sheet.raw, columns=[*sheet.raw.columns, *made.values()])
    meanings = [*sheet.meanings, *(Meaning(role=name) for name in made)]
    meanings[at] = Meaning(role="described")
    if unread:
        told = {"column": column.header, "words": listed(unread, 12)}
        sheet.trace.notes.append(Note(code="words_passed_over", values=told))
    return replace(sheet, raw=raw, meanings=meanings)


def _zones_of(table: Table, sheet: Sheet, column: Column) -> Table:
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
    return made if weight is not None else made.keep(np.unique(column.codes, return_index=True)[1])


# What is asked.


def _ask_about_cells(sheet: Sheet, classed: list[int]) -> None:
    """Ask whether rows with a size class and carats are classes, or stones, where two of them are alike."""
    if sheet.places("n_stones"):
        return
    rows = np.column_stack([sheet.raw.columns[at].codes for at in classed])
    if len(np.unique(rows, axis=0)) == len(rows) or sheet.places("lot", "description", "described", "parcel_id"):
        return
    sheet.ask("stones_or_cells", sheet.places("size_class")[0], "ignore")


def _ask_about_stones(sheet: Sheet, classed: list[int]) -> None:
    """Ask whether the rows of a list of weights are stones, or lots of several; and whether weights are carats."""
    weights = sheet.places("carats")
    if not weights or sheet.raw.columns[weights[0]].mostly_distinct:
        return
    at, weight, header = weights[0], sheet.raw.values(weights[0]), sheet.raw.columns[weights[0]].header
    means = sheet.places("mean")
    if means and bool(np.any(sheet.raw.values(means[0]) < 0.9 * weight)):
        sheet.tell("lots_without_numbers", at, header=sheet.raw.columns[means[0]].header)
        return
    if sheet.choices.get("rows") != "stones" and (by := _lots_by(sheet, classed, weight)) is not None:
        named = sheet.raw.columns[by].header
        sheet.tell("lots_without_numbers", by, header=named, choices=[("rows", "stones")])
        return
    known = weight[np.isfinite(weight)]
    said = sheet.choices.get("weights") == "carats" or set(tokens_of(header)) & set(unit_words("carats"))
    if said or len(known) < _FEW:
        return
    if bool(np.all(known == np.floor(known))) and float(known.max()) >= 2.0:
        sheet.tell("points_or_carats", at, header=header, choices=[("weights", "carats")])
    elif (middle := float(np.median(known))) >= _HEAVY_MIDDLE and not any(
        _HUNDREDTHS.search(text_of(cell)) for cell in sheet.cells(at)
    ):
        sheet.tell("heavy_or_carats", at, header=header, middle=f"{middle:g}", choices=[("weights", "carats")])


def _lots_by(sheet: Sheet, classed: list[int], weight: NDArray[np.float64]) -> int | None:
    """Return the column by which rows are lots rather than stones, or None."""
    raw = sheet.raw
    for at in sheet.places("description"):
        made, _ = split_descriptions(raw.columns[at], sheet.scheme.categorical, sheet.scheme)
        if "size_class" in made:
            return at
    for at, column in enumerate(raw.columns):
        if not column.mostly_distinct and at not in sheet.places("carats", "row") and _of_goods(sheet, at):
            return at
    if sheet.places("row", "parcel_id") or raw.n_rows < 2 or not np.isfinite(weight).any():
        return None
    goods = [at for at, column in enumerate(raw.columns) if sheet.headers.of(column.header).role == "description"]
    sure = fold(raw.columns[sheet.places("carats")[0]].header) in _OF_STONES
    known = [*sheet.places("lot", "description"), *classed]
    named = known or [at for at in range(len(raw.columns)) if at not in sheet.places("carats", "money", "value_usd")]
    if not named or (sure and not goods) or float(np.nanmin(weight)) <= _HEAVY_CT:
        return None
    distinct = len(np.unique(np.column_stack([raw.columns[at].codes for at in named]), axis=0)) == raw.n_rows
    return named[0] if distinct else None


def _of_goods(sheet: Sheet, at: int) -> bool:
    """Say whether the cells of a column name goods, of which a row holds several: customs headings, ``5 pierres``."""
    if sheet.meanings[at].role not in ("description", "unknown", "other", "lot"):
        return False
    cells = [text_of(cell) for cell in sheet.cells(at)]
    if cells and all(map(_HEADING.fullmatch, cells)):
        return True
    if sheet.meanings[at].role == "other":
        return any(len(cell) <= 30 and _SEVERAL_SAID.search(cell) for cell in cells)
    many = set(declared_words()["headers"]["goods"])
    return sheet.meanings[at].role in ("description", "unknown") and any(many & {*tokens_of(c)} for c in cells)


def _is_transposed(sheet: Sheet, wide: list[int]) -> bool:
    """Say whether classes stand in columns and pieces and carats in rows, and tell it."""
    if len(wide) < 2 or sheet.raw.n_rows > 12:
        return False
    for at in range(len(sheet.raw.columns)):
        cells = sheet.cells(at)
        roles = {sheet.headers.of(cell).role for cell in cells if isinstance(cell, str)}
        if at not in wide and roles & {"n_stones", "carats"} and roles <= {"n_stones", "carats", "mean", "money"}:
            sheet.tell("transposed", at, header=listed(str(cell) for cell in cells))
            return True
    return False


# Several valuations of one parcel.


def _valued(sheet: Sheet, parties: Mapping[str, Mapping[str, int]]) -> Table:
    """Read what several parties see of one parcel, or columns of its parts: months, qualities."""
    known = set(declared_words()["parties"]["words"])
    if not all(set(tokens_of(party)) & known for party in parties):
        chosen = sheet.choices.get("valuation")
        if chosen is None or plain(chosen) not in {*parties, *PARTS[1:]}:
            choices = [*(("valuation", party) for party in parties), PARTS]
            sheet.tell("classes_or_valuations", None, found=listed(parties, 8), choices=choices)
    made: dict[str, Table] = {}
    for party in parties:
        meanings = [
            UNKNOWN if item.party and item.party != party else replace(item, party="") for item in sheet.meanings
        ]
        meanings = [replace(item, role="other", sure=True) if item.role == "unknown" else item for item in meanings]
        trace = Trace(
            header_rows=sheet.trace.header_rows, left_out=list(sheet.trace.left_out), hidden=sheet.trace.hidden
        )
        one = Sheet(sheet.raw, meanings, sheet.headers, sheet.choices, trace, sheet.problems)
        made[party] = _plain(one, "counts")
    first = next(iter(made.values()))
    if sheet.choices.get(PARTS[0]) == PARTS[1]:
        return stacked([*made.values()], [None] * len(made))
    return replace(first, valuations=made)
