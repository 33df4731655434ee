"""What a table is and how it is laid out: lists, sorting sheets, sizes by colours, price books, slips, valuations.

Whatever the layout, what comes out is a table of the documentation: ``stones``, ``counts`` or ``declarations``. A table
that could be read in two ways is refused with both, unless the caller has chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from kpfootprint.errors import Problem
from kpfootprint.ingest.asides import (
    ask_about_cancelled,
    below_each_other,
    side_by_side,
    unit_in_titles,
    with_headings,
    without_asides,
    without_dittos,
    without_empty_classes,
    without_side_notes,
    words_for_numbers,
)
from kpfootprint.ingest.cells import Cell, is_blank, text_of
from kpfootprint.ingest.descriptions import split_descriptions
from kpfootprint.ingest.headers import UNKNOWN, Headers, Meaning, tokens_of
from kpfootprint.ingest.meanings import (
    Choices,
    Sheet,
    cells_of,
    listed,
    meanings_of,
    pass_over,
    with_cells_asked,
    with_lots_settled,
)
from kpfootprint.ingest.questions import (
    all_percent,
    ask_about_blanks,
    ask_about_cells,
    ask_about_stones,
    is_transposed,
)
from kpfootprint.ingest.sums import without_totals
from kpfootprint.ingest.tables import Column, Note, RawTable, Table, Trace
from kpfootprint.ingest.unfold import unfold, unrepeated
from kpfootprint.ingest.words import condition_values, declared_words, fold, plain

_SIZES = ("size_class", "lower_ct", "upper_ct")


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
    trace = raw.trace()
    raw, aside = without_side_notes(raw, headers)
    raw, asides, again = without_asides(raw)
    raw, dittos = without_dittos(raw, headers)
    trace.notes.extend(dittos)
    trace.left_out.extend(asides)
    trace.passed_over.extend(aside)
    asked: list[Problem] = []
    given = side_by_side(Sheet(raw, meanings_of(raw, headers, choices), headers, choices, trace, asked))
    whole = None if given is None else below_each_other(with_cells_asked(given), again)
    if whole is None:
        problems += asked
        return []
    sheet = with_headings(whole)
    ask_about_cancelled(sheet)
    sheet = _without_totals(_with_classes_chosen(sheet))
    tables = _tables(sheet, hint, several=several)
    if tables and (unit := unit_in_titles(sheet.raw, sheet.meanings)) is not None:
        sheet.problems.append(unit)
    problems += sheet.problems
    return tables


def _with_classes_chosen(sheet: Sheet) -> Sheet:
    """Put classes that the caller chose in the place of words of a sheet: ``colour:BRN2`` is ``brown``."""
    chosen: dict[str, dict[str, str]] = {}
    for question, answer in sheet.choices.items():
        name, colon, word = question.partition(":")
        if not colon or name == "column":
            continue
        role = sheet.headers.attribute(name)
        if role is None:
            sheet.tell("unknown_attribute", None, attribute=name, known=listed(sheet.headers.attributes(), 12))
        else:
            chosen.setdefault(role, {})[" ".join(word.split())] = answer
    columns = list(sheet.raw.columns)
    for at, item in enumerate(sheet.meanings) if chosen else ():
        words = chosen.get(item.role, {})
        if item.wide or not words:
            continue
        column = columns[at]
        columns[at] = replace(column, cells=[_chosen(cell, words) for cell in column.cells])
        held = {text_of(cell) for cell in column.cells if not is_blank(cell)}
        if told := [f"{word} = {answer}" for word, answer in words.items() if word in held]:
            values = {"column": column.header, "words": listed(told, 20)}
            sheet.trace.notes.append(Note(code="words_chosen", values=values))
    return replace(sheet, raw=replace(sheet.raw, columns=columns))


def _chosen(cell: Cell, words: Mapping[str, str]) -> Cell:
    answer = None if is_blank(cell) else words.get(text_of(cell))
    if answer is None:
        return cell
    return None if fold(answer) in condition_values("") else answer


# Totals.


def _without_totals(sheet: Sheet) -> Sheet:
    measures = [
        at
        for at, item in enumerate(sheet.meanings)
        if item.role in ("n_stones", "carats", "stones_or_carats") and item.role != "mean"
    ]
    measures = measures or sheet.places("percent")
    classes = [
        at
        for at, item in enumerate(sheet.meanings)
        if not item.wide and item.role in (*_SIZES, *(i.column for i in sheet.headers.words.scheme.categorical))
    ]
    labels = classes or sheet.places("description")
    before = len(sheet.problems)
    sheet = without_totals(sheet, measures, labels)
    kept = sheet.raw
    if sheet.places("n_stones"):
        checked = any(i.code == "total_checked" for i in sheet.trace.left_out) and len(sheet.problems) == before
        kept, empty = without_empty_classes(kept, measures, labels, checked=checked)
        sheet.trace.left_out.extend(empty)
    else:
        sheet.problems.extend(words_for_numbers(kept, sheet.meanings))
    return replace(sheet, raw=kept)


# Kinds.


def _tables(sheet: Sheet, hint: str | None, *, several: bool) -> list[Table]:
    columns = [item.column for item in sheet.headers.words.scheme.categorical]
    for at in sheet.places("other_unit"):
        if not sheet.places("carats"):
            sheet.tell("unknown_unit", at)
            return []
    wide = [at for at, item in enumerate(sheet.meanings) if item.wide]
    if wide and all(all_percent(sheet, at) for at in wide):
        sheet.tell("percent_alone", wide[0])
        return []
    if is_transposed(sheet, wide):
        return []
    _ask_about_percents(sheet, columns)
    parties = _parties(sheet)
    measured = sheet.places("n_stones", "carats")
    classed = sheet.places("size_class", *columns)
    if sheet.places("percent") and not measured and not wide and (classed or sheet.places("unknown", "description")):
        sheet.tell("percent_alone", sheet.places("percent")[0])
        return []
    if len(wide) > 1 or (wide and (classed or sheet.places("n_stones"))):
        return [unfold(sheet, wide)]
    if len(parties) > 1:
        return [_valued(sheet, parties)]
    zones = sheet.places("zone_id") or (sheet.places("country") if hint == "declarations" else [])
    amounts = sheet.places("carats", "percent", "n_stones")
    if zones and amounts and not classed and hint not in ("stones", "counts"):
        return [_plain(sheet, "declarations")]
    if sheet.places("n_stones") or (sheet.places("size_class") and (sheet.places("carats") or hint == "counts")):
        ask_about_cells(sheet, classed)
        tables = [_plain(ask_about_blanks(sheet, classed), "counts")]
    elif sheet.places("carats") or hint in ("stones", "counts"):
        if hint != "counts":
            ask_about_stones(sheet, classed)
        tables = [_plain(sheet, hint if hint == "counts" else "stones")]
    elif classed and (strangers := _strangers(sheet)):
        sheet.tell("unknown_columns", None, headers=listed((sheet.raw.columns[at].header for at in strangers), 12))
        return []
    elif classed and not several:
        tables = [_plain(sheet, "stones")]
    else:
        return []
    if zones and tables[0].complete:
        tables.append(_zones_of(tables[0], sheet, zones[0]))
    return tables


def _strangers(sheet: Sheet) -> list[int]:
    """Return the columns of numbers that are headed by words nobody knows, where there are several: a cross-tab."""
    found = [
        at
        for at in sheet.places("unknown", "mean")
        if (cells := cells_of(sheet.raw.columns[at], sheet.headers)) and all(text_of(c)[:1].isdigit() for c in cells)
    ]
    return found if len(found) > 1 else []


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
        sheet.tell("count_or_other", at, header=sheet.raw.columns[at].header, choices=[])
    raw = sheet.raw
    columns = {name: raw.columns[at] for name, at in found.items()}
    required = {"stones": [sheet.headers.words.scheme.size.column], "counts": [], "declarations": ["zone_id"]}
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
    at, scheme = places[0], sheet.headers.words.scheme
    column = sheet.raw.columns[at]
    taken = {item.role for item in sheet.meanings}
    free = [item for item in scheme.categorical if item.column not in taken]
    made, unread = split_descriptions(column, free, sheet.headers)
    if not made:
        odd = [word for word in unread if not sheet.headers.is_plain(word)]
        if len(free) == len(scheme.categorical) and sheet.raw.n_rows > 1 and odd:
            key = f"column:{column.header}"
            sheet.tell("nothing_described", at, header=column.header, words=listed(odd, 12), choices=[(key, "ignore")])
        return sheet
    raw = replace(sheet.raw, columns=[*sheet.raw.columns, *made.values()])
    meanings = [*sheet.meanings, *(Meaning(role=name) for name in made)]
    meanings[at] = Meaning(role="described")
    if unread:
        told = {"column": column.header, "words": listed(unread, 12)}
        sheet.trace.notes.append(Note(code="words_passed_over", values=told))
    return replace(sheet, raw=raw, meanings=meanings)


def _zones_of(table: Table, sheet: Sheet, at: int) -> Table:
    """Read a column of zones beside stones as their declaration."""
    column = sheet.raw.columns[at]
    weight = table.columns.get(sheet.headers.words.scheme.size.column) or table.columns.get("carats")
    columns = {"zone_id": column}
    if weight is not None:
        columns["carats"] = weight
    if "parcel_id" in table.columns:
        columns["parcel_id"] = table.columns["parcel_id"]
    if column.header in sheet.trace.passed_over:
        sheet.trace.passed_over.remove(column.header)
    return replace(table, kind="declarations", columns=columns, ragged={}, complete="carats" in columns, trace=Trace())


# Several valuations of one parcel.


def _valued(sheet: Sheet, parties: Mapping[str, Mapping[str, int]]) -> Table:
    known = set(declared_words()["parties"]["words"])
    if not all(set(tokens_of(party)) & known for party in parties):
        chosen = sheet.choices.get("valuation")
        if chosen is None or plain(chosen) not in parties:
            sheet.tell(
                "classes_or_valuations", None, found=listed(parties, 8), choices=[("valuation", p) for p in parties]
            )
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
    return replace(first, valuations=made)
