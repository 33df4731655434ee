"""What titles, covers and sheets of their own say of parcels, laid to one of them, to all, or to each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from kpfootprint.ingest.names.inquiry import Inquiry
from kpfootprint.ingest.parcels.records import PERCENT_APART
from kpfootprint.ingest.problems import listed
from kpfootprint.ingest.raw.cells import Cell, is_blank, text_of
from kpfootprint.ingest.raw.tables import Column, KnownTable, stacked
from kpfootprint.ingest.sheets.labelled import TITLED, same
from kpfootprint.ingest.words import Vocabulary, fold

_PLACES = ("zone_id", "country")
Place = TypeVar("Place", str, str | None)


def joined(said: Sequence[dict[str, KnownTable]], inquiry: Inquiry) -> dict[str, KnownTable]:
    """Join what several sheets say of one parcel, a cover and titles above its stones; what differs is told."""
    whole: dict[str, KnownTable] = {}
    for kind, table in (item for tables in said for item in tables.items()):
        first = whole.setdefault(kind, table)
        names = [name for name in first.columns if name in table.columns] if first is not table else []
        for name in names if kind == "declarations" or first.n_rows == table.n_rows == 1 else ():
            one, other = ([fold(text_of(cell)) for cell in of.columns[name].cells] for of in (first, table))
            if sorted(one) != sorted(other):
                texts = (", ".join(map(text_of, of.columns[name].cells)) for of in (first, table))
                _tell(inquiry, table, 0, name, *texts)
        if first is not table and first.n_rows == table.n_rows:
            whole[kind] = replace(first, columns={**table.columns, **first.columns})
    return whole


def _tell(inquiry: Inquiry, table: KnownTable, row: int, name: str, *said: str) -> None:
    told = dict(zip(("field", "one", "other", "parcel"), (name, *said), strict=False))
    inquiry.tell_of("said_otherwise", table, row, name, **told)


def with_titles(tables: Mapping[str, KnownTable], ids: Sequence[str]) -> dict[str, KnownTable]:
    """Lay what titles say to the parcels: a day, a certificate, a condition, a zone alone hold for all of several.

    The weight of all, and shares of zones in it, do not, and that is told.
    """
    kept = {kind: table for kind, table in tables.items() if not table.titles}
    for kind, table in tables.items():
        columns = table.columns
        if not table.titles:
            continue
        if len(ids) > 1:
            names = TITLED if kind == "parcels" else _PLACES if table.n_rows == 1 else ()
            columns = {name: column for name, column in columns.items() if name in names}
            unread = [column.header for name, column in table.columns.items() if name not in columns]
            if kind == "declarations":
                unread = [f"{unread[0]}: {listed(column.names())}" for column in table.columns.values() if unread][:1]
            if unread and kept:
                next(iter(kept.values())).trace.note("titles_of_several", titles=listed(unread))
        elif kind != "parcels" or "parcel_id" in columns:
            kept[kind] = table
            continue
        if columns:
            every = np.zeros(len(ids), dtype=np.intp)
            of_each = {name: column.rows(every) for name, column in columns.items()}
            made = replace(table.keep(every), columns={"parcel_id": Column.of("parcel_id", [*ids]), **of_each})
            kept[kind] = replace(made, titles=len(ids) == 1)
    return kept


def with_said(parcels: KnownTable, said: KnownTable, inquiry: Inquiry) -> KnownTable:
    """Give the parcels of a table what titles say of all of them, or sheets of each; what differs is told."""
    if said.titles:
        parcels.trace.whole = said
    place = {text_of(cell): row for row, cell in enumerate(_cells(said, "parcel_id"))}
    ids = _cells(parcels, "parcel_id")
    at = [0 if said.titles else place.get(text_of(cell)) for cell in ids]
    columns = dict(parcels.columns)
    for name, column in said.columns.items():
        if name == "parcel_id" or (said.titles and name not in TITLED and parcels.n_rows > 1):
            continue
        own = columns.get(name, Column.filled(column.header, None, parcels.n_rows))
        cells: list[Cell] = []
        for row, of in enumerate(at):
            one, other = own.at(row), None if of is None else column.at(of)
            if of is not None and not is_blank(one) and not is_blank(other) and not same(name, one, other):
                _tell(inquiry, said, of, name, text_of(one), text_of(other), text_of(ids[row]))
            cells.append(other if is_blank(one) else one)
        columns[name] = Column.of(own.header, cells)
    return replace(parcels, columns=columns)


def _cells(table: KnownTable, name: str) -> list[Cell]:
    column = table.columns.get(name)
    return [] if column is None else column.each()


def with_declared(declared: KnownTable, said: KnownTable, inquiry: Inquiry) -> KnownTable:
    """Join what a table declares of parcels with what their sheets do; other zones are told, amounts go before none."""
    tables = (declared, said)
    rows = [_by_parcel(table) for table in tables]
    kept: tuple[list[int], list[int]] = ([], [])
    for parcel in dict.fromkeys([*rows[0], *rows[1]]):
        one, other = (of.get(parcel, []) for of in rows)
        said_of = [_shares(table, own, inquiry.headers.words) for table, own in zip(tables, (one, other), strict=True)]
        ours, theirs = said_of
        apart = {*ours} != {*theirs} or any(abs(share - theirs[at]) > PERCENT_APART for at, share in ours.items())
        if one and other and apart:
            _tell(inquiry, said, other[0], "zone_id", *map(_listed, said_of), parcel)
        amounts = [_amounts(table, own) for table, own in zip(tables, (one, other), strict=True)]
        weighed = [any(not is_blank(cell) for cell in cells) for cells in amounts]
        second = not one or (other and weighed[1] and not weighed[0])
        kept[bool(second)].extend(other if second else one)
    parts = [table.keep(np.array(of, dtype=np.intp)) for table, of in zip(tables, kept, strict=True) if of]
    return stacked(parts, [None] * len(parts))


def _by_parcel(table: KnownTable) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    for row, cell in enumerate(_cells(table, "parcel_id") or [None] * table.n_rows):
        rows.setdefault(text_of(cell), []).append(row)
    return rows


def _amounts(table: KnownTable, rows: Sequence[int]) -> list[Cell]:
    return [table.columns[name].at(row) for name in ("carats", "percent") if name in table.columns for row in rows]


def _shares(table: KnownTable, rows: Sequence[int], words: Vocabulary) -> dict[str, float]:
    """Return the places that some rows name, with the percent of each in what they weigh, NaN where they do not."""
    name = next((name for name in ("carats", "percent") if name in table.columns), None)
    amounts = np.full(len(rows), np.nan) if name is None else table.values(name)[[*rows]]
    return shares_of([_place(table, row, words) for row in rows], amounts)


def shares_of(places: Iterable[Place], amounts: NDArray[np.float64]) -> dict[Place, float]:
    """Return the percent of each place in amounts of all, NaN where one is not known."""
    shares: dict[Place, float] = {}
    for place, amount in zip(places, amounts.tolist(), strict=True):
        shares[place] = shares.get(place, 0.0) + 100.0 * amount / (float(amounts.sum()) or np.nan)
    return shares


def _listed(shares: Mapping[str, float]) -> str:
    return listed(place if np.isnan(share) else f"{place} {share:.3g}%" for place, share in sorted(shares.items()))


def declared_places(table: KnownTable, words: Vocabulary) -> list[str]:
    """Return the ids of zones and codes of countries that the rows of declarations name."""
    return [_place(table, row, words) for row in range(table.n_rows)]


def _place(table: KnownTable, row: int, words: Vocabulary) -> str:
    cells = (table.columns[name].at(row) for name in _PLACES if name in table.columns)
    said = next((text_of(cell) for cell in cells if not is_blank(cell)), "")
    return words.zone(said) or words.country(said) or fold(said)
