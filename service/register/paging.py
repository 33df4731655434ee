"""Pages of a list: sorted by a column, then by position; a page goes on after the row at a position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa


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
    """Return up to `limit` rows after the row at position `before`, and the position that the next page needs."""
    column = sort.column
    if before is not None:
        found = connection.execute(sa.select(column).where(position == before)).one_or_none()
        if found is None:
            return [], None
        query = query.where(_after(sort, found[0], position, before))
    order = (column.desc(), position.desc()) if sort.descending else (column.asc(), position.asc())
    missing_last = (column.is_(None),) if column.nullable else ()
    rows = list(connection.execute(query.order_by(*missing_last, *order).limit(limit + 1)))
    return rows[:limit], rows[limit - 1].position if len(rows) > limit else None


def _after(sort: Sort, value: Any, position: sa.Column[int], before: int) -> sa.ColumnElement[bool]:
    column = sort.column
    further = position < before if sort.descending else position > before
    if value is None:
        return column.is_(None) & further
    beyond = column < value if sort.descending else column > value
    after = sa.or_(beyond, (column == value) & further)
    return sa.or_(after, column.is_(None)) if column.nullable else after
