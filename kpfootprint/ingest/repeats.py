"""Exports of forms: repeats in columns side by side, and repeats in a table of their own that names its parents."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kpfootprint.errors import Problem
from kpfootprint.ingest.cells import is_blank, text_of
from kpfootprint.ingest.headers import Headers
from kpfootprint.ingest.rules import Broken, problem
from kpfootprint.ingest.tables import Column, RawTable
from kpfootprint.ingest.unfold import laid
from kpfootprint.ingest.words import fold

_REPEATED = re.compile(
    r"(?P<before>.*?)[\[_ /.(](?P<at>\d{1,4})[\])]?[_ /.](?P<field>.+)|(?P<own>.+?)[_ .](?P<last>\d{1,4})"
)


def unrepeated(raw: RawTable) -> RawTable:
    """Lay the repeats of a form below each other: ``stones[1]/weight``, ``stones[2]/weight``; or ``weight_1``."""
    found: dict[str, dict[str, int]] = {}
    for at, column in enumerate(raw.columns):
        hit = _REPEATED.fullmatch(column.header)
        if hit is not None:
            number = hit["at"] or hit["last"]
            name = f"{hit['before']}/{hit['field']}" if hit["field"] else hit["own"]
            found.setdefault(number, {})[name] = at
    names = set(next(iter(found.values()), {}))
    if len(found) < 2 or len(names) < 2 or any(set(item) != names for item in found.values()):
        return raw
    inside = {at for item in found.values() for at in item.values()}
    rows = np.arange(raw.n_rows)
    pieces = []
    for item in found.values():
        blank = np.logical_and.reduce([raw.columns[at].blank() for at in item.values()])
        pieces.append(rows[~blank])
    every = np.concatenate(pieces)
    order = np.argsort(every, kind="stable")
    columns = [column.rows(every[order]) for at, column in enumerate(raw.columns) if at not in inside]
    for name in next(iter(found.values())):
        column = laid([(piece, item[name]) for piece, item in zip(pieces, found.values(), strict=True)], raw, name)
        columns.append(column.rows(order))
    lines = None if raw.rows is None else raw.rows[every[order]]
    return replace(raw, columns=columns, rows=lines, ragged={})


def with_parents(raws: Sequence[RawTable], headers: Headers, problems: list[Problem]) -> list[RawTable]:
    """Give the rows of a repeat what its parents say of their parcel and zone: ``_parent_index`` names an ``_index``.

    A parent table of one row that holds nothing else of ours becomes titles of its repeats.
    """
    mains = [raw for raw in raws if _column(raw, "_index") is not None and _column(raw, "_parent_index") is None]
    repeats = [raw for raw in raws if _column(raw, "_parent_index") is not None]
    if len(mains) != 1 or not repeats:
        return list(raws)
    main = mains[0]
    roles = [headers.of(column.header.rpartition("/")[2]).role for column in main.columns]
    stays = {"carats", "n_stones"} & set(roles) or "parcel_id" in roles
    titles = () if stays or main.n_rows != 1 else _as_titles(main)
    made: list[RawTable] = []
    for raw in raws:
        if raw is main and not stays:
            continue
        made.append(_joined(raw, main, roles, titles, headers, problems) if raw in repeats else raw)
    return made


def _column(raw: RawTable, header: str) -> Column | None:
    return next((column for column in raw.columns if column.header.strip().casefold() == header), None)


def _as_titles(main: RawTable) -> tuple[tuple[int, tuple[object, ...]], ...]:
    line = main.line(0) or 1
    return tuple((line, (column.header.rpartition("/")[2], column.at(0))) for column in main.columns)


def _joined(
    raw: RawTable,
    main: RawTable,
    roles: Sequence[str],
    titles: tuple[tuple[int, tuple[object, ...]], ...],
    headers: Headers,
    problems: list[Problem],
) -> RawTable:
    index, parent = _column(main, "_index"), _column(raw, "_parent_index")
    assert index is not None
    assert parent is not None
    places = {text_of(index.at(row)): row for row in range(main.n_rows) if not is_blank(index.at(row))}
    rows = np.array([places.get(text_of(cell), -1) for cell in parent.cells], dtype=np.intp)[parent.codes]
    for row in np.flatnonzero(rows < 0).tolist():
        broken = Broken("unknown_parent", {"table": main.name})
        place = problem(broken, table=raw.name, row=raw.line(row), column=parent.header, value=parent.at(row))
        problems.append(place)
    own = {headers.of(column.header.rpartition("/")[2]).role for column in raw.columns}
    wanted = {"parcel_id"} | ({"zone_id"} if "carats" not in roles else set())
    more = [
        column.rows(np.maximum(rows, 0))
        for column, role in zip(main.columns, roles, strict=True)
        if role in wanted - own and fold(column.header) != "index"
    ]
    return replace(raw, columns=[*raw.columns, *more], titles=(*raw.titles, *titles))  # type: ignore[arg-type]
