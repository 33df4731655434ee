"""Columns that are headed by zones or parcels: laid below each other, or what they declare beside the stones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kpfootprint.ingest.columns.meanings import Layout
from kpfootprint.ingest.names.headers import Headers
from kpfootprint.ingest.problems import listed
from kpfootprint.ingest.raw.tables import Column, KnownTable, RawTable, Trace, below
from kpfootprint.ingest.sheets.crosstabs import are_whole
from kpfootprint.ingest.words import fold, without_measure

_MEASURES = ("n_stones", "carats")
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
    measure = role if role in (*_MEASURES, "percent") else "" if fold(bare) == fold(header) else None
    if measure is None or headers.of(header).wide:
        return None
    if len(bare) > _SHORT and headers.words.zone(bare) is not None:
        return _Place("zone_id", bare, measure)
    label, _, own = bare.partition(" ")
    named = headers.words.columns("parcels").get(fold(label)) == "parcel_id" and not fold(label).startswith("lot")
    numbered = any(map(str.isdigit, own)) or len(own) == 1
    return _Place("parcel_id", own, measure) if named and measure and numbered and " " not in own else None


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
    if (
        len(places) < (1 if hint == "declarations" else 2)
        or len(roles) > 1
        or len({frozenset(slot) for slot in places.values()}) > 1
    ):
        return raw
    known = [item.role for item in others if item.role not in ("unknown", "other")]
    if any(item.role in _MEASURES or item.wide for item in others) or len({*known}) < max(len(known), 1):
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
    return np.flatnonzero(np.any([~raw.columns[at].blank() & (raw.values(at) != 0) for at in slot.values()], axis=0))


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
    whole = {name: at for name in _MEASURES if (at := sheet.one(name)) is not None and at not in open_}
    chosen = {name: _measuring(sheet, name, [*zones.values()], whole) for name in _MEASURES if name in whole}
    weighed = chosen.get("carats")
    if weighed is None:
        for at in sorted(open_):
            sheet.ask("zone_in_header", at, "ignore")
        return []
    for name, parts in chosen.items():
        given = sheet.raw.values(whole[name])
        sums = np.nansum([raw.values(at) for at in parts], axis=0) if parts else given
        wrong = np.isfinite(given) & (np.abs(sums - given) > (0.0051 * (len(zones) + 1) if name == "carats" else 0))
        classes = listed(raw.columns[at].header for at in parts or ())
        for row in np.flatnonzero(wrong).tolist()[:20]:
            told = {"found": f"{sums[row]:g}", "expected": f"{given[row]:g}", "classes": classes}
            sheet.tell("row_total", whole[name], row, **told)
    for at in open_:
        goods.trace.passed_over.remove(raw.columns[at].header)
    kept = [_filled(raw, {"": at}) for at in weighed]
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
    sums = np.nansum([sheet.raw.values(at) for at in bare], axis=0)
    return bare if np.allclose(sums, sheet.raw.values(whole[name]), atol=0.0051 * (len(bare) + 1)) else None
