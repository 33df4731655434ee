"""What the register knows of earlier parcels: certificates, stones, and the carats and values of a zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import sqlalchemy as sa

from service.register.tables import comparisons, declared_zones

NEWEST = 200
PER_MARK = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An earlier comparison."""

    id: str
    parcel_id: str


def with_certificate(connection: sa.Connection, key: str, submission_id: str | None, limit: int) -> list[Earlier]:
    """Return earlier comparisons under the same certificate, those of the same submission left out."""
    table = comparisons.c
    query = sa.select(table.id, table.parcel_id).where(table.certificate_key == key)
    if submission_id is not None:
        query = query.where(sa.or_(table.submission_id.is_(None), table.submission_id != submission_id))
    rows = connection.execute(query.order_by(table.position.desc()).limit(limit))
    return [Earlier(id=row.id, parcel_id=row.parcel_id) for row in rows]


def with_marks(connection: sa.Connection, marks: Sequence[int], least: int, limit: int) -> list[Earlier]:
    """Return earlier comparisons that share `least` marks or more, those that share most first.

    Of each mark the newest `PER_MARK` comparisons are looked at, so that a stone that always comes costs no more.
    """
    if not marks:
        return []
    values = {f"m{at}": mark for at, mark in enumerate(marks)} | {"least": least, "most": limit}
    return [Earlier(id=row.id, parcel_id=row.parcel_id) for row in connection.execute(_sharing(len(marks)), values)]


@cache
def _sharing(n: int) -> sa.TextClause:
    """Return the question for what shares most of `n` marks; as text, since to build it takes longest."""
    one = f"SELECT position FROM stone_marks WHERE mark = :m{{}} ORDER BY position DESC LIMIT {PER_MARK}"
    newest = " UNION ALL ".join(f"SELECT position FROM ({one.format(at)}) AS of{at}" for at in range(n))
    return sa.text(
        f"SELECT id, parcel_id FROM (SELECT position, count(*) AS shared FROM ({newest}) AS newest GROUP BY position "
        "HAVING count(*) >= :least ORDER BY shared DESC, position DESC LIMIT :most) AS best "
        "JOIN comparisons ON comparisons.position = best.position ORDER BY shared DESC, best.position DESC"
    )


Parcel = tuple[float | None, float | None]
"""Carats of a zone in a parcel, and US dollars a carat of the whole."""

_OF_ZONE = (
    sa.select(
        sa.func.coalesce(declared_zones.c.carats, comparisons.c.carats),
        comparisons.c.value_usd / sa.func.nullif(comparisons.c.carats, 0),
    )
    .join(comparisons, comparisons.c.position == declared_zones.c.position)
    .where(declared_zones.c.zone_id == sa.bindparam("zone"))
    .order_by(declared_zones.c.position.desc())
    .limit(NEWEST)
)


def history_of_zone(connection: sa.Connection, zone_id: str) -> list[Parcel]:
    """Return what the newest earlier parcels of a zone weighed and were worth, the newest first."""
    return [(row[0], row[1]) for row in connection.execute(_OF_ZONE, {"zone": zone_id})]
