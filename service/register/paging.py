"""Rows: the id of a new one, each as a shape of its own, and pages of a list, sorted by a column, then by position."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

Shape = TypeVar("Shape")
STRETCH = 500
"""Values that one question names."""


def new_id(characters: int) -> str:
    """Return a random id of an even number of hexadecimal characters."""
    return secrets.token_hex(characters // 2)


def of_row(shape: type[Shape], row: Any, **differs: Any) -> Shape:
    """Return a dataclass whose fields bear the names of a row's columns, those that differ aside."""
    names = shape.__dataclass_fields__  # type: ignore[attr-defined]
    return shape(**{name: differs[name] if name in differs else row._mapping[name] for name in names})


def within(moment: sa.ColumnElement[Any], start: datetime | None, end: datetime | None) -> list[sa.ColumnElement[bool]]:
    """Return what a moment must be to lie in a span of time that may be open on either side."""
    return [
        *([moment >= start] if start is not None else []),
        *([moment < end] if end is not None else []),
    ]


def each_of(
    connection: sa.Connection, query: sa.Select[Any], column: sa.Column[Any], values: Iterable[str]
) -> Iterator[Any]:
    """Yield the rows of a query whose column has one of some values, however many these are."""
    wanted = sorted(set(values))
    for start in range(0, len(wanted), STRETCH):
        yield from connection.execute(query.where(column.in_(wanted[start : start + STRETCH])))


@dataclass(frozen=True, slots=True)
class Sort:
    """A column to sort by; rows without a value come last either way."""

    column: sa.Column[Any]
    descending: bool = False


def sorts(*columns: sa.Column[Any]) -> dict[str, Sort]:
    """Return how a list may be sorted: by each column, and, after a minus, the other way round."""
    return {sign + one.name: Sort(one, descending=bool(sign)) for one in columns for sign in ("", "-")}


def page(
    connection: sa.Connection,
    query: sa.Select[Any],
    sort: Sort,
    position: sa.Column[int],
    *,
    before: int | None,
    limit: int,
) -> tuple[list[Any], int | None]:
    """Return up to `limit` rows after the row at position `before`, and the position that the next page needs.

    Rows with a value and rows without are asked for one after the other, so that an index gives each in order.
    """
    column = sort.column
    tied: sa.Column[int] = column.table.c[position.name]  # of the same table, for an index of both
    stretches = [query.where(column.is_not(None)), query.where(column.is_(None))] if column.nullable else [query]
    if before is not None:
        row = sa.select(position.table.c[column.name]).where(position == before)  # where positions are looked up by
        found = connection.execute(row).one_or_none()
        if found is None:
            return [], None
        if found[0] is None:
            stretches = [stretches[1].where(tied < before if sort.descending else tied > before)]
        else:
            here, there = sa.tuple_(column, tied), sa.tuple_(sa.literal(found[0], column.type), before)
            stretches[0] = stretches[0].where(here < there if sort.descending else here > there)
    order = (column.desc(), tied.desc()) if sort.descending else (column.asc(), tied.asc())
    rows: list[Any] = []
    for stretch in stretches:
        if len(rows) <= limit:
            rows += connection.execute(stretch.order_by(*order).limit(limit + 1 - len(rows)))
    return rows[:limit], rows[limit - 1].position if len(rows) > limit else None
