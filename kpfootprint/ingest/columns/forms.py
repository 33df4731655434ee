"""Exports of forms: tables whose rows are repeats of a form take what the form says of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kpfootprint.errors import Problem
from kpfootprint.ingest.names.headers import Headers
from kpfootprint.ingest.problems import Broken, problem
from kpfootprint.ingest.raw.cells import is_blank, text_of
from kpfootprint.ingest.raw.tables import Column, RawTable
from kpfootprint.ingest.words import fold

_KEYS = (("_index", "_parent_index"), ("key", "parent_key"))
"""Headers of the key of a form, and of a repeat of it that says whose it is."""


def with_parents(raws: Sequence[RawTable], headers: Headers, problems: list[Problem]) -> list[RawTable]:
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
    roles = [headers.of(column.header.rpartition("/")[2]).role for column in main.columns]
    stays = {"carats", "n_stones"} & set(roles) or "parcel_id" in roles
    line = main.line(0) or 1
    said = tuple((line, (column.header.rpartition("/")[2], column.at(0))) for column in main.columns if main.n_rows)
    titles = () if stays or main.n_rows != 1 else said
    made: list[RawTable] = []
    for raw in raws:
        if raw in repeats:
            made.append(_joined(raw, main, roles, titles, headers, problems))
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
    raw: RawTable,
    main: RawTable,
    roles: Sequence[str],
    titles: tuple[tuple[int, tuple[object, ...]], ...],
    headers: Headers,
    problems: list[Problem],
) -> RawTable:
    index, parent = next(
        pair for own, of_parent in _KEYS if None not in (pair := (_column(main, own), _column(raw, of_parent)))
    )
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
