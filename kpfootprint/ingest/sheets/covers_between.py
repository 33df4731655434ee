"""Parcels below each other on one sheet, each with lines of its own above its header: taken apart as sheets are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kpfootprint.ingest.columns.meanings import Choices
from kpfootprint.ingest.columns.origins import is_of_origin
from kpfootprint.ingest.names.headers import Headers
from kpfootprint.ingest.raw.cells import Cell, is_blank, is_number, text_of
from kpfootprint.ingest.raw.tables import Column, RawTable
from kpfootprint.ingest.sheets.around import ONE, heads_rows
from kpfootprint.ingest.sheets.stands_beside import names_fact
from kpfootprint.ingest.sheets.titles import said_by_titles
from kpfootprint.ingest.totals import is_total

_MOST = 20_000
"""Rows of a sheet that is taken apart, at most."""

Line = tuple[int, Sequence[Cell]]
"""Where a line stands, and its cells."""


def parcels_apart(raw: RawTable, headers: Headers, choices: Choices) -> list[RawTable]:
    """Return a table for each parcel of a sheet on which lines above each header name another one; else the sheet."""
    if raw.n_rows > _MOST or raw.ragged or choices.get(ONE[0]) == ONE[1]:
        return [raw]
    lines: list[Line] = [*raw.titles, (raw.header_rows[-1], [column.header for column in raw.columns])]
    first = len(lines) - 1
    lines += [(raw.line(row) or 0, raw.row(row)) for row in range(raw.n_rows)]
    cells = [cells for _, cells in lines]
    heads = [at for at in range(len(lines)) if at == first or _heads_goods(cells, at, headers)]
    if len(heads) < 2:
        return [raw]
    starts = [0, *(_cover_above(lines, at, headers) for at in heads[1:])]
    ends = [*starts[1:], len(lines)]
    parts = [_part(raw, lines, *places) for places in zip(starts, heads, ends, strict=True)]
    if not are_titled_apart(parts, headers, choices):
        return [raw]
    return [replace(part, name=f"{raw.name} {at}") for at, part in enumerate(parts, start=1)]


def are_titled_apart(raws: Sequence[RawTable], headers: Headers, choices: Choices) -> bool:
    """Say whether each of several tables is of another parcel by its titles."""
    said = [said_by_titles(raw, headers, {}, choices, []).get("parcels") for raw in raws]
    ids = [of.columns.get("parcel_id") if of is not None else None for of in said]
    return None not in ids and len({text_of(of.at(0)) for of in ids if of is not None}) == len(ids)


def _heads_goods(lines: Sequence[Sequence[Cell]], at: int, headers: Headers) -> bool:
    """Say whether a line heads stones or carats below it, and not the carats of zones."""
    texts = [text_of(cell) for cell in lines[at] if not is_blank(cell)]
    return heads_rows(lines, at, headers) and not any(is_of_origin(text, headers) for text in texts)


def _cover_above(lines: Sequence[Line], head: int, headers: Headers) -> int:
    """Return the first of the lines above a header that are none of the goods above them."""
    start = head
    while start and not _is_of_goods(lines[start - 1][1], headers):
        start -= 1
    return start


def _is_of_goods(cells: Sequence[Cell], headers: Headers) -> bool:
    """Say whether a line is a row of goods or their total: a number in it, and no label or zone in front."""
    texts = [text_of(cell) for cell in cells if not is_blank(cell)]
    label = texts[0].partition(":")[0] if texts else ""
    labelled = ":" in texts[0] or names_fact(label, headers) or headers.words.zone(label) is not None if texts else True
    return is_total(label) or (not labelled and any(map(is_number, texts)))


def _part(raw: RawTable, lines: Sequence[Line], start: int, head: int, end: int) -> RawTable:
    """Return the lines of one parcel as a table: titles, a header and rows."""
    header, body = lines[head][1], lines[head + 1 : end]
    places = [at for at, cell in enumerate(header) if not is_blank(cell) or any(_filled(of, at) for _, of in body)]
    columns = [
        Column.of(text_of(header[at]) if not is_blank(header[at]) else "", [of[at] for _, of in body]) for at in places
    ]
    made = replace(
        raw,
        columns=columns,
        rows=np.array([line for line, _ in body], dtype=np.int32),
        header_rows=raw.header_rows if lines[head][0] in raw.header_rows else (lines[head][0],),
        titles=tuple((line, tuple(cells)) for line, cells in lines[start:head]),
        notes=raw.notes if start == 0 else (),
        hidden=raw.hidden if start == 0 else (),
    )
    return made.keep(np.flatnonzero(~made.blank()))


def _filled(cells: Sequence[Cell], at: int) -> bool:
    return at < len(cells) and not is_blank(cells[at])
