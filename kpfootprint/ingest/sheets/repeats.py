"""What stands side by side is laid below each other: repeats of a form, tables of the same columns, zones, parcels."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kpfootprint.ingest.columns.meanings import MEASURES, Layout
from kpfootprint.ingest.names.headers import Headers
from kpfootprint.ingest.names.inquiry import ONE, Inquiry
from kpfootprint.ingest.problems import listed
from kpfootprint.ingest.raw.cells import Cell, has_digit, is_blank, text_of
from kpfootprint.ingest.raw.tables import Column, KnownTable, RawTable, Said, Trace, below
from kpfootprint.ingest.sheets.crosstabs import are_whole
from kpfootprint.ingest.words import all_say, fold, holds, tokens_of, without_measure

_REPEATED = re.compile(
    r"(?P<before>.*?)[\[_ /.(](?P<at>\d{1,4})[\])]?[_ /.](?P<field>.+)|(?P<own>.+?)[_ .](?P<last>\d{1,4})"
)


def unrepeated(raw: RawTable, headers: Headers) -> RawTable:
    """Lay the repeats of a form below each other: ``stones[1]/weight``, ``stones[2]/weight``; or ``weight_1``."""
    found = _fields_by_number(raw)
    first = next(iter(found), "")
    names = set(found.get(first, {}))
    if any(set(tokens_of(name.partition("/")[0])) & {"lot", "parcel", "parcelle", "colis"} for name in names):
        return raw  # tables of several lots, not one form filled in several times
    fields = [name.rpartition("/")[2] for name in names]
    if {headers.of(name).role for name in fields} <= {*MEASURES, "mean", "money", "percent"}:
        return raw  # pieces and carats as several saw them, or of several grades
    if len(found) < 2 or len(names) < 2 or any(set(item) != names for item in found.values()):
        return raw
    order = [[item[name] for name in found[first]] for item in found.values()]
    roles = [headers.of(item.header.rpartition("/")[2]).role for item in raw.columns]
    own = [at for at in range(len(raw.columns)) if not any(at in item for item in order)]
    counts = [at for at in own if roles[at] == "n_stones"]
    weights = [at for at in own if roles[at] == "carats" and "carats" in {headers.of(name).role for name in fields}]
    filled = np.sum([~raw.blank(item) for item in order], axis=0)
    weighed = np.nansum([raw.values(at) for item in order for at in item if roles[at] == "carats"], axis=0)
    as_many = all(np.array_equal(raw.values(at), filled) for at in counts)
    if not as_many or not all(np.allclose(raw.values(at), weighed, atol=0.0051) for at in weights):
        return raw  # so many stones are said to be in the form, or so heavy ones, as are not
    every, made = _laid_below(raw, order, [*found[first]])
    by_row = np.argsort(every, kind="stable")
    rest = [raw.columns[at].rows(every[by_row]) for at in own if at not in (*counts, *weights)]
    columns = [*rest, *(column.rows(by_row) for column in made)]
    return replace(raw, columns=columns, rows=raw.rows[every[by_row]], ragged={})


def _fields_by_number(raw: RawTable) -> dict[str, dict[str, int]]:
    """Return the columns of each repeat of a form by the name of their field."""
    found: dict[str, dict[str, int]] = {}
    for at, column in enumerate(raw.columns):
        if (hit := _REPEATED.fullmatch(column.header)) is not None:
            name = f"{hit['before']}/{hit['field']}" if hit["field"] else hit["own"]
            found.setdefault(hit["at"] or hit["last"], {})[name] = at
    return found


_IN_A_CELL = {"n_stones": r"\d+", "carats": r"\d+(?:[.,]\d+)?"}
_NUMBER = re.compile(r"\W*\d")
_BELOW_A_CLASS = re.compile(r"(\d+)\s*/\s*(\d+[.,]\d+)(?:\s*ct)?")


def parted(raw: RawTable, headers: Headers) -> RawTable:
    """Part columns that hold stones and carats in one cell, under a header of both: ``12/3.40`` below ``Pcs/Cts``.

    Below a class, or a total, that is so where the second has decimals: ``12/3.40`` below ``White``; beside classes,
    below a word that names none as well.
    """
    columns: list[Column] = []
    classed = {name for column in raw.columns for name, _ in headers.of(column.header).classes}
    for column in raw.columns:
        first, _, second = column.header.partition("/")
        names = [first.strip(), f"{without_measure(first)} {second}".strip()]  # ``White pcs/cts``
        roles, texts = [headers.of(name).role for name in names], [] if column.mostly_distinct else column.names()
        both = re.compile(r"\s*/\s*".join(f"({_IN_A_CELL.get(role, '!')})" for role in roles))
        said = headers.among_classes(column.header, headers.of(column.header), classed)
        unnamed = said.role == "unknown" and any(texts) and all(map(_BELOW_A_CLASS.fullmatch, filter(None, texts)))
        if (said.role == "stones_or_carats" or unnamed) and classed:
            names, both = [f"{column.header} pcs", f"{column.header} cts"], _BELOW_A_CLASS
            roles = ["n_stones", "carats"]
        hits = [both.fullmatch(text) for text in texts]
        others = any(not hit and _NUMBER.match(text) for text, hit in zip(texts, hits, strict=True))
        if roles[0] == roles[1] or not any(hits) or others:
            columns.append(column)
            continue
        for at, name in enumerate(names, start=1):
            rest = texts if at == 1 else [None] * len(texts)  # words below the table stay what they are
            cells: list[Cell] = [hit[at] if hit else other for hit, other in zip(hits, rest, strict=True)]
            columns.append(replace(column, header=name, cells=cells))
    return replace(raw, columns=columns)


def _laid_below(
    raw: RawTable, repeats: Sequence[Sequence[int]], headers: Sequence[str]
) -> tuple[NDArray[np.intp], list[Column]]:
    """Lay the columns of repeats below each other, and return the row of which each is with them."""
    kept = [np.flatnonzero(~raw.blank(item)) for item in repeats]
    parts = [[raw.columns[at].rows(rows) for at in item] for item, rows in zip(repeats, kept, strict=True)]
    return np.concatenate(kept), [below(*item) for item in zip(headers, zip(*parts, strict=True), strict=True)]


def side_by_side(sheet: Layout) -> Layout | None:
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
    if not sheet.inquiry.chose(ONE):
        names = listed((sheet.header(at) for at in headed[:width]), 8)
        sheet.tell("tables_beside", None, found=blocks, headers=names, choices=[ONE])
        return None
    raw, first = sheet.raw, headed[:width]
    repeats = [headed[start : start + width] for start in range(0, len(headed), width)]
    every, columns = _laid_below(raw, repeats, [raw.columns[at].header for at in first])
    raw = replace(raw, columns=[replace(column, headers=()) for column in columns], rows=raw.rows[every], ragged={})
    return replace(sheet, raw=raw, meanings=[replace(sheet.meanings[at], party="", part="") for at in first])


def _gap_between_measures(sheet: Layout) -> int | None:
    """Return an empty column without a header, on both sides of which something is named and measured."""
    for at, column in enumerate(sheet.raw.columns):
        if not column.empty:
            continue
        sides = [{item.role for item in side} for side in (sheet.meanings[:at], sheet.meanings[at + 1 :])]
        measured = sides[0] & {*MEASURES} and sides[1] & {*MEASURES, "percent"}
        if measured and all(side & {"size_class", "zone_id", "description", *sheet.attributes} for side in sides):
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


_KEYS = (("_index", "_parent_index"), ("key", "parent_key"))
"""Headers of the key of a form, and of a repeat of it that says whose it is."""


def with_parents(raws: Sequence[RawTable], inquiry: Inquiry) -> list[RawTable]:
    """Give the rows of a repeat what its parents say of their parcel and zone: ``_parent_index`` names an ``_index``.

    A parent table of one row that holds nothing else of ours becomes titles of its repeats.
    """
    own, of_parent = next((pair for pair in _KEYS if any(_column(raw, pair[1]) is not None for raw in raws)), _KEYS[0])
    raws = [_with_groups(raw) if own == "key" and _column(raw, own) is not None else raw for raw in raws]
    mains = [raw for raw in raws if _column(raw, own) is not None and _column(raw, of_parent) is None]
    repeats = [raw for raw in raws if _column(raw, of_parent) is not None]
    if len(mains) != 1 or not repeats:
        return list(raws)
    main = mains[0]
    roles = [inquiry.headers.of(column.header.rpartition("/")[2]).role for column in main.columns]
    stays = {"carats", "n_stones"} & set(roles) or "parcel_id" in roles
    line = main.line(0) or 1
    said = tuple((line, (column.header.rpartition("/")[2], column.at(0))) for column in main.columns if main.n_rows)
    titles = () if stays or main.n_rows != 1 else said
    made: list[RawTable] = []
    for raw in raws:
        if raw in repeats:
            made.append(_joined(raw, main, roles, titles, inquiry))
        elif raw is not main:
            made.append(raw)
        elif stays:  # its zones are those of the rows
            kept = [at for at, role in enumerate(roles) if role != "zone_id" or "carats" in roles]
            made.append(replace(main, columns=[main.columns[at] for at in kept]))
    return made


def _with_groups(raw: RawTable) -> RawTable:
    """Write the groups of a form before its fields in one way: ``colis/zone`` for ``colis-zone``."""
    columns = [replace(column, header=re.sub(r"(?<=\w)-(?=\w)", "/", column.header)) for column in raw.columns]
    return replace(raw, columns=columns)


def _column(raw: RawTable, header: str) -> Column | None:
    return next((column for column in raw.columns if column.header.strip().casefold() == header), None)


def _joined(
    raw: RawTable, main: RawTable, roles: Sequence[str], titles: tuple[Said, ...], inquiry: Inquiry
) -> RawTable:
    """Return a repeat with the parcels and zones of its parents beside its rows, and their `titles`."""
    keys = [(_column(main, own), _column(raw, of_parent)) for own, of_parent in _KEYS]
    index, parent = next(pair for pair in keys if None not in pair)
    assert index is not None
    assert parent is not None
    places = {text_of(index.at(row)): row for row in range(main.n_rows) if not is_blank(index.at(row))}
    rows = np.array([places.get(text_of(cell), -1) for cell in parent.cells], dtype=np.intp)[parent.codes]
    for row in np.flatnonzero(rows < 0).tolist():
        place = raw.name, raw.line(row), parent.header, parent.at(row)
        inquiry.tell("unknown_parent", *place, table=main.name)
    own = {inquiry.headers.of(column.header.rpartition("/")[2]).role for column in raw.columns}
    wanted = {"parcel_id"} | ({"zone_id"} if "carats" not in roles else set())
    said = [column for column, role in zip(main.columns, roles, strict=True) if role in wanted - own]
    more = [column.rows(np.maximum(rows, 0)) for column in said if fold(column.header) != "index"]
    return replace(raw, columns=[*raw.columns, *more], titles=(*raw.titles, *titles))


_SHORT = 2
"""Letters of a header that names no zone by them."""


@dataclass(frozen=True, slots=True)
class _Place:
    """What a column is of: a zone or a parcel, and what it measures of it, blank where that is not said."""

    role: str
    name: str
    measure: str


def _place_of(header: str, headers: Headers) -> _Place | None:
    """Return of which zone or parcel a header says something: ``Nola cts``, ``Boda``, ``Parcel P1 pcs``."""
    bare, role = without_measure(header), headers.of(header).role
    measure = role if role in ("n_stones", "carats", "percent") else "" if fold(bare) == fold(header) else None
    if measure is None or headers.of(header).wide:
        return None
    if zone := _zone_of(bare, headers):
        return _Place("zone_id", zone, measure)
    label, _, own = bare.partition(" ")
    named = headers.field(label) == "parcel_id" and not fold(label).startswith("lot")
    numbered = has_digit(own) or len(own) == 1
    return _Place("parcel_id", own, measure) if named and measure and numbered and " " not in own else None


def _zone_of(text: str, headers: Headers) -> str | None:
    """Return the zone that a text names, alone or behind words that say no more: ``of which Nola``."""
    words = text.split()
    for at in range(len(words)):
        zone, before = " ".join(words[at:]), tokens_of(" ".join(words[:at]))
        bare = holds("of_which", before) or all_say(("zone", "place", "filler"), before, ("which", "from"))
        if bare and len(zone) > _SHORT and headers.words.zone(zone) is not None:
            return zone
    return None


def _by_place(raw: RawTable, headers: Headers) -> dict[tuple[str, str], dict[str, int]]:
    """Return the columns of each zone, or of each parcel, by what they measure; nothing where some come again."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for at, column in enumerate(raw.columns):
        place = _place_of(column.header, headers)
        if place is not None and found.setdefault((place.role, place.name), {}).setdefault(place.measure, at) != at:
            return {}
    return found


def with_places_below(raw: RawTable, hint: str | None, headers: Headers) -> RawTable:
    """Lay the columns of zones, or of parcels, below each other, where none but totals measure the same stones."""
    places = _by_place(raw, headers)
    used = {at for slot in places.values() for at in slot.values()}
    used |= {at for at in range(len(raw.columns)) if at not in used and _sums(raw, at, [*places.values()], headers)}
    others = [headers.of(column.header) for at, column in enumerate(raw.columns) if at not in used]
    roles = {role for role, _ in places}
    enough = len(places) >= (1 if hint == "declarations" else 2)
    if not enough or len(roles) > 1 or len({frozenset(slot) for slot in places.values()}) > 1:
        return raw
    known = [item.role for item in others if item.role not in ("unknown", "other")]
    if any(item.role in ("n_stones", "carats") or item.wide for item in others) or len({*known}) < max(len(known), 1):
        return raw  # ``Parcel A Size`` beside ``Parcel B Size``
    role, measures = roles.pop(), [*next(iter(places.values()))]
    values = [raw.values(slot[name]) for slot in places.values() for name in slot]
    unsaid = "n_stones" if all(map(are_whole, values)) and hint != "declarations" else "carats"
    kept = [_filled(raw, slot) for slot in places.values()]
    rows = np.concatenate(kept)
    columns = [column.rows(rows) for at, column in enumerate(raw.columns) if at not in used]
    columns.append(_named(role, [name for _, name in places], kept))
    for name in measures:
        parts = [raw.columns[slot[name]].rows(own) for slot, own in zip(places.values(), kept, strict=True)]
        columns.append(below(name or unsaid, parts))
    return replace(raw, columns=columns, rows=raw.rows[rows], ragged={})


def _sums(raw: RawTable, at: int, slots: list[dict[str, int]], headers: Headers) -> bool:
    """Say whether a column is called the total of what others measure, ``Total pcs``, and is."""
    said = headers.of(raw.columns[at].header)
    parts = [raw.values(slot[said.role]) for slot in slots if said.role in slot]
    if said.part != "whole" or said.party or not slots or len(parts) < len(slots):
        return False
    return np.allclose(np.nansum(parts, axis=0), raw.values(at), atol=0.0051 * (len(parts) + 1), equal_nan=True)


def _filled(raw: RawTable, slot: Mapping[str, int]) -> NDArray[np.intp]:
    """Return the rows that hold something of a zone other than zero."""
    return np.flatnonzero(np.any([*map(raw.holding, slot.values())], axis=0))


def _named(role: str, names: list[str], kept: list[NDArray[np.intp]]) -> Column:
    return Column.of(role, names).rows(np.repeat(np.arange(len(names)), [*map(len, kept)]))


def declared_in_columns(sheet: Layout, goods: KnownTable) -> list[KnownTable]:
    """Return what columns of zones beside the stones declare, ``Nola cts``, where they sum to the carats of the rows.

    What else a zone heads is asked about: it could be part of what is declared.
    """
    raw, places = sheet.raw, _by_place(sheet.raw, sheet.headers)
    zones = {name: slot for (role, name), slot in places.items() if role == "zone_id"}
    passed = {header for header in goods.trace.passed_over if f"column:{header}" not in sheet.choices}
    open_ = {at for slot in zones.values() for at in slot.values() if raw.columns[at].header in passed}
    if not open_ or not goods.complete:
        return []
    whole = {name: at for name in ("n_stones", "carats") if (at := sheet.one(name)) is not None and at not in open_}
    chosen = {name: _measuring(sheet, name, [*zones.values()], whole) for name in whole}
    weighed = chosen.get("carats")
    if weighed is None:
        for at in sorted(open_):
            sheet.ask("zone_in_header", at, "ignore")
        return []
    for name, parts in chosen.items():
        given = sheet.values(whole[name])
        sums = np.nansum([raw.values(at) for at in parts], axis=0) if parts else given
        wrong = np.isfinite(given) & (np.abs(sums - given) > (0.0051 * (len(zones) + 1) if name == "carats" else 0))
        classes = listed(raw.columns[at].header for at in parts or ())
        for row in np.flatnonzero(wrong).tolist()[:20]:
            told = {"found": f"{sums[row]:g}", "expected": f"{given[row]:g}", "classes": classes}
            sheet.tell("row_total", whole[name], row, **told)
    for at in open_:
        goods.trace.passed_over.remove(raw.columns[at].header)
    kept = [np.flatnonzero(raw.holding(at)) for at in weighed]
    rows = np.concatenate(kept)
    columns = {"zone_id": _named("zone_id", [*zones], kept)}
    columns["carats"] = below("carats", [raw.columns[at].rows(own) for at, own in zip(weighed, kept, strict=True)])
    if (parcel := sheet.one("parcel_id")) is not None:
        columns["parcel_id"] = raw.columns[parcel].rows(rows)
    made = raw.known("declarations", columns, Trace(), complete=not sheet.problems)
    return [replace(made, n_rows=len(rows), rows=raw.rows[rows], ragged={})]


def _measuring(sheet: Layout, name: str, slots: list[Mapping[str, int]], whole: Mapping[str, int]) -> list[int] | None:
    """Return the columns of all zones that hold pieces, or carats; what is not said is held against the rows' own."""
    if all(name in slot for slot in slots):
        return [slot[name] for slot in slots]
    bare = [slot[""] for slot in slots if "" in slot]
    if len(slots) < 2 or len(bare) < len(slots):
        return None
    sums = np.nansum([sheet.values(at) for at in bare], axis=0)
    return bare if np.allclose(sums, sheet.values(whole[name]), atol=0.0051 * (len(bare) + 1)) else None
