"""What a table is and how it is laid out: lists, sorting sheets, sizes by colours, price books, slips, valuations.

Whatever the layout, what comes out is a table of the documentation: ``stones``, ``counts`` or ``declarations``. A table
that could be read in two ways is refused with both, unless the caller has chosen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from kpfootprint.errors import Problem
from kpfootprint.ingest.asides import unit_in_titles, without_asides, without_empty_classes, words_for_numbers
from kpfootprint.ingest.cells import Cell, Odd, is_blank, text_of
from kpfootprint.ingest.headers import UNKNOWN, Headers, Meaning, plain, tokens_of
from kpfootprint.ingest.meanings import (
    Choices,
    Sheet,
    cells_of,
    listed,
    meanings_of,
    pass_over,
    values_of,
    with_cells_asked,
    with_lots_settled,
)
from kpfootprint.ingest.sizes import size_span
from kpfootprint.ingest.sums import leave_out_totals
from kpfootprint.ingest.tables import Column, Note, RawTable, Table, Trace
from kpfootprint.ingest.unfold import unfold, unrepeated
from kpfootprint.ingest.words import attribute_words, class_code, code_names, declared_words
from kpfootprint.scheme import Attribute

_LONGEST = 4
"""Words that the name of a class or of a size class has at most."""


def split_descriptions(
    column: Column, attributes: Sequence[Attribute], headers: Headers
) -> tuple[dict[str, Column], list[str]]:
    """Read sizes and classes out of a column of descriptions.

    Returns
    -------
    dict of str to Column
        ``size_class`` and the columns of the attributes that some description names. Blank where one names nothing,
        or several classes that no set of the package holds together.
    list of str
        Words that were not understood.
    """
    names = ["size_class", *(item.column for item in attributes)]
    read: dict[str, list[Cell]] = {name: [] for name in names}
    unread: list[str] = []
    for cell in column.cells:
        found = {} if is_blank(cell) or isinstance(cell, Odd) else _split(text_of(cell), attributes, headers, unread)
        for name in names:
            read[name].append(found.get(name))
    made: dict[str, Column] = {}
    for name in names:
        if any(value is not None for value in read[name]):
            cells = list(dict.fromkeys(read[name]))
            place = {value: at for at, value in enumerate(cells)}
            codes = np.array([place[value] for value in read[name]], dtype=np.int32)
            made[name] = Column(column.header, cells, codes[column.codes])
    return made, list(dict.fromkeys(unread))


def _split(text: str, attributes: Sequence[Attribute], headers: Headers, unread: list[str]) -> dict[str, str]:
    words = [word for word in text.replace("/", " / ").replace(";", " ").split() if word not in ("/", "&", "-", ",")]
    words = _whole_ranges(text) or words
    found: dict[str, str] = {}
    sizes: list[str] = []
    codes: dict[str, set[int]] = {}
    known = {item.name: attribute_words(item) for item in attributes}
    start = 0
    while start < len(words):
        for end in range(min(len(words), start + _LONGEST), start, -1):
            piece = " ".join(words[start:end])
            if size_span(piece, headers.words.scheme) is not None:
                sizes.append(piece)
                break
            hits = [(item, code) for item in attributes if (code := class_code(piece, known[item.name])) is not None]
            if len(hits) == 1:
                codes.setdefault(hits[0][0].column, set()).add(hits[0][1])
                break
        else:
            unread.append(words[start])
            end = start + 1
        start = end
    if len(set(sizes)) == 1:
        found["size_class"] = sizes[0]
    elif sizes:
        unread += sizes
    for item in attributes:
        code = _one_code(item, codes.get(item.column, set()))
        if code is not None:
            found[item.column] = code_names(item)[code]
        elif codes.get(item.column):
            unread += [code_names(item)[code] for code in sorted(codes[item.column])]
    return found


def _whole_ranges(text: str) -> list[str]:
    """Return the words of a description whose slashes stand between numbers, as in ``4/6 GR``."""
    return (
        text.split()
        if any(
            a.isdigit() and b.isdigit()
            for a, b in zip(text.partition("/")[0][-1:], text.partition("/")[2][:1], strict=False)
        )
        else []
    )


def _one_code(item: Attribute, codes: set[int]) -> int | None:
    """Return the only code, or that of the set that holds all of them and no other class; None where there is none."""
    if len(codes) == 1:
        return next(iter(codes))
    members = [_members(item, code) for code in codes]
    union: set[str] = set().union(*members) if members else set()
    for code in range(len(code_names(item))):
        if codes and _members(item, code) == union:
            return code
    return None


def _members(item: Attribute, code: int) -> set[str]:
    if code < len(item.classes):
        return {item.classes[code].name}
    return set(item.sets[code - len(item.classes)].members)


def understand(
    raw: RawTable, hint: str | None, headers: Headers, choices: Choices, problems: list[Problem]
) -> list[Table]:
    """Read a table into tables of the documentation; what is wrong or could be read in two ways is added to `problems`.

    Parameters
    ----------
    hint : str or None
        What the name of the table says that it is; columns that clearly say otherwise go before it.
    """
    raw = unrepeated(raw)
    trace = Trace(header_rows=raw.header_rows, hidden=list(raw.hidden))
    raw, asides = without_asides(raw)
    trace.left_out.extend(asides)
    sheet = Sheet(raw, meanings_of(raw, headers, choices), headers, choices, trace)
    sheet = with_cells_asked(sheet)
    sheet = _without_totals(_with_classes_chosen(sheet))
    tables = _tables(sheet, hint)
    if tables and (unit := unit_in_titles(sheet.raw, sheet.meanings)) is not None:
        sheet.problems.append(unit)
    problems += sheet.problems
    return tables


def _with_classes_chosen(sheet: Sheet) -> Sheet:
    """Put classes that the caller chose in the place of words that no package knows."""
    names = {item.column: item.name for item in sheet.headers.words.scheme.categorical}
    chosen = {key.partition(":")[0] for key in sheet.choices} & set(names.values())
    if not chosen:
        return sheet
    columns = list(sheet.raw.columns)
    for at, item in enumerate(sheet.meanings):
        name = names.get(item.role)
        if name in chosen and not item.wide:
            column = columns[at]
            cells = [c if is_blank(c) else sheet.choices.get(f"{name}:{text_of(c)}", c) for c in column.cells]
            columns[at] = replace(column, cells=cells)
    return replace(sheet, raw=replace(sheet.raw, columns=columns))


# Totals.


def _without_totals(sheet: Sheet) -> Sheet:
    measures = [
        at
        for at, item in enumerate(sheet.meanings)
        if item.role in ("n_stones", "carats", "stones_or_carats") and item.role != "mean"
    ]
    classes = [
        at
        for at, item in enumerate(sheet.meanings)
        if not item.wide and item.role in ("size_class", *(i.column for i in sheet.headers.words.scheme.categorical))
    ]
    labels = classes or sheet.places("description")
    kept, left_out, found = leave_out_totals(sheet.raw, measures, labels, sheet.headers, sheet.choices)
    sheet.problems.extend(found)
    if sheet.places("n_stones"):
        checked = any(item.code == "total_checked" for item in left_out) and not found
        kept, empty = without_empty_classes(kept, measures, labels, checked=checked)
        left_out += empty
    else:
        sheet.problems.extend(words_for_numbers(kept, sheet.meanings))
    sheet.trace.left_out.extend(left_out)
    return replace(sheet, raw=kept)


# Kinds.


def _tables(sheet: Sheet, hint: str | None) -> list[Table]:
    columns = [item.column for item in sheet.headers.words.scheme.categorical]
    for at in sheet.places("other_unit"):
        if not sheet.places("carats"):
            sheet.tell("unknown_unit", at)
            return []
    wide = [at for at, item in enumerate(sheet.meanings) if item.wide]
    if wide and all(_all_percent(sheet, at) for at in wide):
        sheet.tell("percent_alone", wide[0])
        return []
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
    zones = sheet.places("zone_id")
    if zones and sheet.places("carats") and not classed and hint not in ("stones", "counts"):
        return [_plain(sheet, "declarations")]
    if sheet.places("n_stones") or (sheet.places("size_class") and (sheet.places("carats") or hint == "counts")):
        _ask_about_cells(sheet, classed)
        tables = [_plain(sheet, "counts")]
    elif sheet.places("carats") or hint in ("stones", "counts"):
        if hint != "counts":
            _ask_about_lots(sheet, classed)
        tables = [_plain(sheet, hint if hint == "counts" else "stones")]
    elif classed:
        tables = [_plain(sheet, "stones")]
    else:
        return []
    if zones and tables[0].complete:
        tables.append(_zones_of(tables[0], sheet, zones[0]))
    return tables


def _all_percent(sheet: Sheet, at: int) -> bool:
    cells = cells_of(sheet.raw.columns[at], sheet.headers)
    return bool(cells) and all(isinstance(cell, str) and cell.strip().endswith("%") for cell in cells)


def _ask_about_cells(sheet: Sheet, classed: list[int]) -> None:
    """Ask whether rows with a size class and carats are classes, or stones, where two of them are alike."""
    if sheet.places("n_stones"):
        return
    rows = np.column_stack([sheet.raw.columns[at].codes for at in classed])
    if len(np.unique(rows, axis=0)) == len(rows) or sheet.places("lot", "description", "described", "parcel_id"):
        return
    at = sheet.places("size_class")[0]
    header = sheet.raw.columns[at].header
    sheet.tell("stones_or_cells", at, header=header, choices=[(f"column:{header}", "ignore")])


def _ask_about_lots(sheet: Sheet, classed: list[int]) -> None:
    """Tell rows of weights that are lots by all signs: a mean stone lighter than the row, a description of a size."""
    means, weights = sheet.places("mean"), sheet.places("carats")
    if means and weights:
        mean, weight = values_of(sheet.raw, means[0]), values_of(sheet.raw, weights[0])
        if bool(np.any(mean < 0.9 * weight)):
            sheet.tell("lots_without_numbers", weights[0], header=sheet.raw.columns[weights[0]].header)
            return
    for at in sheet.places("description") if not classed else ():
        free = list(sheet.headers.words.scheme.categorical)
        made, _ = split_descriptions(sheet.raw.columns[at], free, sheet.headers)
        if "size_class" in made:
            sheet.tell("lots_without_numbers", weights[0] if weights else at, header=sheet.raw.columns[at].header)


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
            name: name for name in ("parcel_id", "size_class", "n_stones", "carats", "value_usd", "breakdown", "sample")
        },
        "declarations": {"parcel_id": "parcel_id", "zone_id": "zone_id", "carats": "carats", "percent": "percent"},
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
    if kind == "counts":
        sheet = _described(sheet)
    found = _known_columns(sheet, kind)
    if kind == "stones" and "n_stones" in {item.role for item in sheet.meanings}:
        at = sheet.places("n_stones")[0]
        sheet.tell("count_or_other", at, header=sheet.raw.columns[at].header, choices=[])
    raw = sheet.raw
    columns = {name: raw.columns[at] for name, at in found.items()}
    required = {"stones": [sheet.headers.words.scheme.size.column], "counts": [], "declarations": ["zone_id", "carats"]}
    missing = [name for name in required[kind] if name not in columns]
    if kind == "counts" and not {"n_stones", "carats"} & set(columns):
        missing.append("n_stones")
    pass_over(sheet, set(found.values()))
    listed = ", ".join(column.header for column in raw.columns if column.header) or "none"
    for name in missing:
        sheet.tell("missing_column", name, column=name, headers=listed)
    if kind == "counts" and _uneven(sheet):
        columns["breakdown"] = _constant("lots", "lots", raw.n_rows)
    return Table(
        kind=kind,
        name=raw.name,
        columns=columns,
        n_rows=raw.n_rows,
        rows=raw.rows,
        ragged=raw.ragged,
        n_columns=len(raw.columns),
        typed=raw.typed,
        complete=not missing,
        trace=sheet.trace,
    )


def _uneven(sheet: Sheet) -> bool:
    """Say whether rows are lots, of which some name less than others, and not breakdowns of the same stones."""
    return bool(sheet.places("described", "lot"))


def _constant(header: str, text: str, n_rows: int) -> Column:
    return Column(header, [text], np.zeros(n_rows, dtype=np.int32))


def _described(sheet: Sheet) -> Sheet:
    """Read sizes, colours and shapes out of descriptions: ``4-8 GR MAKEABLES CAPE``."""
    places = sheet.places("description")
    if not places or sheet.places("size_class"):
        return sheet
    at = places[0]
    scheme = sheet.headers.words.scheme
    taken = {item.role for item in sheet.meanings}
    free = [item for item in scheme.categorical if item.column not in taken]
    made, unread = split_descriptions(sheet.raw.columns[at], free, sheet.headers)
    if not made:
        return sheet
    raw = replace(sheet.raw, columns=[*sheet.raw.columns, *made.values()])
    meanings = [*sheet.meanings, *(Meaning(role=name) for name in made)]
    meanings[at] = Meaning(role="described")
    if unread:
        sheet.trace.notes.append(
            Note(code="words_passed_over", values={"column": sheet.raw.columns[at].header, "words": listed(unread, 12)})
        )
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
