"""Rows as they are read: each as a shape of its own, and pages of a list, sorted by a column, then by position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa

Shape = TypeVar("Shape")


def of_row(shape: type[Shape], row: Any, **differs: Any) -> Shape:
    """Return a dataclass whose fields bear the names of a row's columns, those that differ aside."""
    names = shape.__dataclass_fields__  # type: ignore[attr-defined]
    return shape(**{name: differs[name] if name in differs else row._mapping[name] for name in names})


@dataclass(frozen=True, slots=True)
class Sort:
    """A column to sort by; rows without a value come last either way."""

    column: sa.Column[Any]
    descending: bool = False


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
