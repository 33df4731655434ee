"""What the register knows of earlier parcels: certificates, stones, and the carats and values of a zone."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

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


def newest(connection: sa.Connection) -> int:
    """Return the position of the comparison that was kept last, 0 before the first."""
    return int(connection.scalar(sa.select(sa.func.max(comparisons.c.position))) or 0)


def with_marks(
    connection: sa.Connection, lists: Sequence[Collection[int]], least: Sequence[int], limit: int
) -> list[list[tuple[int, Earlier]]]:
    """Return for each list of marks how many the earlier comparisons share that share most, the newest of those first.

    Of each mark the newest `PER_MARK` comparisons are looked at, so that a stone that always comes costs no more.

    Parameters
    ----------
    least : sequence of int
        How many of each list's marks must be shared.
    """
    asked = [
        (number, mark, few) for number, (marks, few) in enumerate(zip(lists, least, strict=True)) for mark in marks
    ]
    found: list[list[tuple[int, Earlier]]] = [[] for _ in lists]
    if asked:
        values = {"asked": json.dumps(asked), "most": limit}
        for row in connection.execute(_SHARING[connection.dialect.name], values):
            found[row.number].append((row.shared, Earlier(id=row.id, parcel_id=row.parcel_id)))
    return found


_GIVEN = {
    "sqlite": "SELECT json_extract(value, '$[0]') AS number, json_extract(value, '$[1]') AS mark, "
    "json_extract(value, '$[2]') AS least FROM json_each(:asked)",
    "postgresql": "SELECT CAST(value ->> 0 AS integer) AS number, CAST(value ->> 1 AS bigint) AS mark, "
    "CAST(value ->> 2 AS integer) AS least FROM json_array_elements(CAST(:asked AS json))",
}
_SHARING = {
    dialect: sa.text(
        f"WITH asked AS MATERIALIZED ({given}), alike AS (SELECT number, s.position, count(*) AS shared FROM asked "
        "JOIN stone_marks AS s ON s.mark = asked.mark AND s.position >= coalesce((SELECT n.position FROM stone_marks n "
        f"WHERE n.mark = asked.mark ORDER BY n.position DESC LIMIT 1 OFFSET {PER_MARK - 1}), 0) "
        "GROUP BY number, s.position HAVING count(*) >= min(least)), "
        "best AS (SELECT *, row_number() OVER (PARTITION BY number ORDER BY shared DESC, position DESC) AS place "
        "FROM alike) "
        "SELECT number, shared, id, parcel_id FROM best JOIN comparisons ON comparisons.position = best.position "
        "WHERE place <= :most ORDER BY number, place"
    )
    for dialect, given in _GIVEN.items()
}
"""The question for what shares most of several lists of marks; as text, since to build it takes longest."""


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
