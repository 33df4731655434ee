"""What the register knows of earlier parcels: certificates, stones, and the carats and values of a zone."""

from __future__ import annotations

from collections import Counter
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneHistory:
    """Carats and values per carat of the earlier parcels that declare a zone, the newest first."""

    carats: tuple[float, ...]
    usd_per_ct: tuple[float, ...]


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
    shared = Counter(connection.scalars(_newest_of(len(marks)), {f"m{at}": mark for at, mark in enumerate(marks)}))
    best = sorted((item for item in shared.items() if item[1] >= least), key=lambda item: (-item[1], -item[0]))
    positions = [position for position, _ in best[:limit]]
    query = sa.select(comparisons.c.position, comparisons.c.id, comparisons.c.parcel_id)
    rows = {row.position: row for row in connection.execute(query.where(comparisons.c.position.in_(positions)))}
    return [Earlier(id=rows[position].id, parcel_id=rows[position].parcel_id) for position in positions]


@cache
def _newest_of(n: int) -> sa.TextClause:
    """Return the question for the newest comparisons of each of `n` marks; as text, since to build it takes longest."""
    one = f"SELECT position FROM stone_marks WHERE mark = :m{{}} ORDER BY position DESC LIMIT {PER_MARK}"
    return sa.text(" UNION ALL ".join(f"SELECT position FROM ({one.format(at)}) AS of{at}" for at in range(n)))


def history_of_zone(connection: sa.Connection, zone_id: str) -> ZoneHistory:
    """Return what the newest earlier parcels of a zone weighed, and what a carat of them was worth."""
    query = (
        sa.select(declared_zones.c.carats, comparisons.c.carats.label("whole"), comparisons.c.value_usd)
        .join(comparisons, comparisons.c.position == declared_zones.c.position)
        .where(declared_zones.c.zone_id == zone_id)
        .order_by(declared_zones.c.position.desc())
        .limit(NEWEST)
    )
    carats: list[float] = []
    values: list[float] = []
    for row in connection.execute(query):
        weight = row.carats or row.whole
        if weight:
            carats.append(weight)
        if row.value_usd and row.whole:
            values.append(row.value_usd / row.whole)
    return ZoneHistory(carats=tuple(carats), usd_per_ct=tuple(values))
