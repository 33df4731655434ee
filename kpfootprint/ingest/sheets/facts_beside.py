"""Lines beside a table that say something of its parcel, labels and what they say: titles, wherever they stand."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from kpfootprint.ingest.columns.origins import is_of_origin
from kpfootprint.ingest.names.headers import Headers
from kpfootprint.ingest.raw.cells import Cell, is_blank, is_number, text_of
from kpfootprint.ingest.raw.tables import RawTable
from kpfootprint.ingest.words import fold

_MEASURES = ("n_stones", "carats", "stones_or_carats")
_LONGEST = 60
"""Lines that stand beside a table at most."""


def names_fact(cell: Cell, headers: Headers) -> bool:
    """Say whether a cell is the label of what is said of a parcel: ``Date``, ``Provenance``, ``Total ct``."""
    label = text_of(cell).rstrip(": ")
    return (
        fold(label) in headers.words.columns("parcels")
        or headers.measure(label) is not None
        or is_of_origin(label, headers)
    )


def with_facts_above(raw: RawTable, headers: Headers) -> RawTable:
    """Take the lines beside a table for titles, where they are labels and what they say, mostly of a parcel."""
    raw = _with_corner_above(raw, headers)
    ends = [at for at, column in enumerate(raw.columns) if at and (column.empty or _is_fact(column.header, headers))]
    sides = [range(start, end) for start, end in pairwise([0, *ends, len(raw.columns)])]
    facts = [_facts_in(replace(raw, columns=[raw.columns[at] for at in side]), headers) for side in sides]
    for at in range(1, len(sides) - 1):  # a label, an empty cell, and what it says
        behind = range(sides[at].start, len(raw.columns))
        if not any(facts) and (said := _facts_in(replace(raw, columns=raw.columns[behind.start :]), headers)):
            sides, facts = [*sides[:at], behind], [*facts[:at], said]
            break
    rest = [at for side, said in zip(sides, facts, strict=True) if not said for at in side]
    if not any(facts) or not any(headers.of(raw.columns[at].header).role in _MEASURES for at in rest):
        return raw
    taken = {at for side, said in zip(sides, facts, strict=True) if said for at in side}
    titles = [*raw.titles, *(line for said in facts for line in said)]
    kept = [column for at, column in enumerate(raw.columns) if at not in taken]
    filled = [at for at, column in enumerate(kept) if not column.empty]
    kept = kept[filled[0] : filled[-1] + 1]
    return replace(raw, columns=kept, titles=tuple(titles)).filled()


def _with_corner_above(raw: RawTable, headers: Headers) -> RawTable:
    """Take a corner that says something of the parcel, ``Parcel: CAR-7`` above sieves, for a title."""
    corner = raw.columns[0].header if len(raw.columns) > 1 else ""
    label, _, said = corner.partition(":")
    names = headers.words.columns("parcels").get(fold(label)) in ("parcel_id", "certificate_no", "exporter")
    if not said.strip() or not (names or is_of_origin(label, headers)):
        return raw
    columns = [replace(raw.columns[0], header=""), *raw.columns[1:]]
    titles = (*raw.titles, (raw.header_rows[-1], (corner,)))
    return replace(raw, columns=columns[columns[0].empty :], titles=titles)


def _is_fact(text: str, headers: Headers) -> bool:
    """Say whether a text is the label of what is said of a parcel, marked as one, with what it says or without."""
    label, colon, _ = text.partition(":")
    return bool(colon) and names_fact(label, headers)


def _facts_in(aside: RawTable, headers: Headers) -> list[tuple[int, tuple[Cell, ...]]]:
    """Return the lines beside a table where they say something of a parcel: labels, and values beside or below."""
    rows = np.flatnonzero(~aside.blank()).tolist()
    lines: list[tuple[int, list[Cell]]] = [(aside.header_rows[-1], [column.header for column in aside.columns])]
    lines += [(aside.line(row) or 1, aside.row(row)) for row in rows[:_LONGEST]]
    said = [(line, filled) for line, cells in lines if (filled := tuple(cell for cell in cells if not is_blank(cell)))]
    heads = [text for column in aside.columns if (text := column.header.strip())]
    if len(rows) == 1 and len(heads) > 1 and all(names_fact(text, headers) for text in heads):
        return [(line, tuple(cells)) for line, cells in lines]
    if len(rows) > _LONGEST or any(len(cells) > 2 or is_number(text_of(cells[0])) for _, cells in said):
        return []
    told = {line: text_of(cells[0]) for line, cells in said if len(cells) == 1}
    marked = [line for line, text in told.items() if _is_fact(text, headers) and not text.rstrip().endswith(":")]
    labels, values = ([names_fact(cells[at], headers) for _, cells in said if len(cells) == 2] for at in (0, 1))
    known = sum(labels) + len(marked)
    alone = not rows and sum(labels) == 1 and headers.of(heads[-1]).role == "unknown"  # ``Parcel | CAR-7``
    sure = known > 1 or alone or marked[:1] == [lines[0][0]]
    return said if sure and 2 * known >= len(said) and (not any(values) or sum(values) < sum(labels)) else []
