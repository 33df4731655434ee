"""Long tables, whose rows name what they give, as laboratories and programs write them: laid beside each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kpfootprint.ingest.names.headers import Headers
from kpfootprint.ingest.problems import listed
from kpfootprint.ingest.raw.cells import Cell, is_blank, text_of
from kpfootprint.ingest.raw.tables import Column, Note, RawTable
from kpfootprint.ingest.words import all_say, says, tokens_of

_MEASURES = ("n_stones", "carats", "value_usd")


def spread(raw: RawTable, headers: Headers) -> RawTable:
    """Give each parameter of a long table a column: ``sample | parameter | result``, ``Attribute | Class | Pcs``.

    Rows about one thing become one, where measures are among the parameters; rows of classes stay rows.
    """
    places = [at for at, column in enumerate(raw.columns) if all_say(("parameter",), tokens_of(column.header) or [""])]
    if len(places) != 1 or raw.columns[places[0]].mostly_distinct or places[0] + 1 == len(raw.columns):
        return raw
    named = raw.columns[places[0]]
    said = [headers.of(text_of(cell)) for cell in named.cells]
    used = np.unique(named.codes).tolist()
    classed = {"size_class", *(item.column for item in headers.words.scheme.categorical)}
    known = [said[code].role for code in used if not said[code].wide and said[code].role in {*_MEASURES, *classed}]
    measured = not {*known}.isdisjoint(_MEASURES)
    if len({*known}) < max(len(known), 2) or (len(known) < len(used) and not measured):
        return raw
    value = next((at for at, item in enumerate(raw.columns) if says("result", *tokens_of(item.header))), places[0] + 1)
    units = [at for at, item in enumerate(raw.columns) if all_say(("unit",), tokens_of(item.header) or [""])]
    rest = [at for at in range(len(raw.columns)) if at not in (places[0], value, *units)]
    counted = any(headers.of(raw.columns[at].header).role in ("n_stones", "carats") for at in rest)
    columns = [raw.columns[at] for at in rest]
    names = listed(text_of(named.cells[code]) for code in used)
    notes = [*raw.notes, Note(code="rows_beside", values={"column": named.header, "names": names})]
    if not measured:
        group = np.arange(raw.n_rows)
        if not counted:
            return raw
    else:
        blank = [item for item in columns if item.blank().any() and not is_blank(item.at(0))]
        columns = [item.filled_down() if item in blank else item for item in columns]
        notes += [Note(code="blanks_go_on", values={"columns": item.header}) for item in blank]
        group = _grouped(columns)
        cells = np.column_stack([group, named.codes])
        if counted or not len(columns) or len(np.unique(cells, axis=0)) < len(cells) or group.max() + 1 == len(group):
            return raw
    _, first = np.unique(group, return_index=True)
    made = [item.rows(first) for item in columns]
    for code in used:
        rows = np.flatnonzero(named.codes == code)
        given: list[Cell] = [None] * len(first)
        for at, row in zip(group[rows].tolist(), rows.tolist(), strict=True):
            given[at] = raw.columns[value].at(row)
        unit = text_of(raw.columns[units[0]].at(int(rows[0]))) if units else ""
        made.append(Column.of(f"{text_of(named.cells[code])} ({unit})" if unit else text_of(named.cells[code]), given))
    return replace(raw, columns=made, rows=raw.rows[first], ragged={}, notes=tuple(notes))


def _grouped(columns: list[Column]) -> NDArray[np.intp]:
    """Return for each row the number of the thing that it is about, in the order of their first rows."""
    codes = np.column_stack([item.codes for item in columns]) if columns else np.zeros((0, 1), dtype=np.int32)
    _, first, group = np.unique(codes, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(first))
    return np.asarray(order[group.reshape(-1)], dtype=np.intp)
