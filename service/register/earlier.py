"""What the register knows of earlier parcels: reported certificates, stones, and the carats and values of a zone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import nlargest
from itertools import chain
from typing import Any

import sqlalchemy as sa

from service.register import entries
from service.register.comparisons import certificate_key
from service.register.database import Sort, each_of, of_row, page
from service.register.tables import certificates, comparisons, declared_zones

NEWEST_FIRST = Sort(certificates.c.added_at, descending=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A certificate that was reported, and by whom."""

    certificate_no: str
    reported_by: str
    reported_on: str | None
    note: str
    added_at: datetime


def add_certificates(connection: sa.Connection, items: Sequence[Mapping[str, Any]], *, actor: str) -> tuple[int, int]:
    """Add reported certificates and return how many were new and how many known; `connection` is `registering`'s."""
    moment = entries.time_of_register(connection)
    known = {
        (row.certificate_key, row.reported_by)
        for row in connection.execute(sa.select(certificates.c.certificate_key, certificates.c.reported_by))
    }
    told: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for item in items:
        place = (certificate_key(item["certificate_no"]), item["reported_by"])
        if place in known:
            continue
        known.add(place)
        told.append({"reported_on": None, **item, "note": item.get("note") or ""})
        rows.append(told[-1] | {"certificate_key": place[0], "added_at": moment})
    if rows:
        connection.execute(certificates.insert(), rows)
        entries.append(connection, "certificates", actor=actor, subject="certificates", values={"items": told})
    return len(rows), len(items) - len(rows)


def page_of_certificates(
    connection: sa.Connection, *, certificate_no: str | None, before: int | None, limit: int
) -> tuple[list[Reported], int | None]:
    """Return a page of reported certificates, the newest first."""
    query = sa.select(certificates)
    if certificate_no is not None:
        query = query.where(certificates.c.certificate_key == certificate_key(certificate_no))
    rows, further = page(connection, query, NEWEST_FIRST, certificates.c.position, before=before, limit=limit)
    return [of_row(Reported, row) for row in rows], further


def reported(connection: sa.Connection, keys: Iterable[str]) -> dict[str, Reported]:
    """Return the first report of each of several certificates, by the key it is compared by."""
    query, key = sa.select(certificates).order_by(certificates.c.position), certificates.c.certificate_key
    found: dict[str, Reported] = {}
    for row in each_of(connection, query, key, filter(None, keys)):
        found.setdefault(row.certificate_key, of_row(Reported, row))
    return found


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
    wanted = sorted({mark for marks in lists for mark in marks})
    if not wanted:
        return [[] for _ in lists]
    rows = connection.execute(_NEWEST_OF[connection.dialect.name], {"marks": json.dumps(wanted)}).all()
    positions = json.loads(f"[{','.join(row[1] or '[]' for row in rows)}]")
    newest_of: dict[int, list[int]] = dict(zip((row[0] for row in rows), positions, strict=True))
    found: list[list[tuple[int, int]]] = []
    for marks, few in zip(lists, least, strict=True):
        shared = Counter(chain.from_iterable(newest_of[mark] for mark in marks))
        found.append(nlargest(limit, ((times, position) for position, times in shared.items() if times >= few)))
    table, likely = comparisons.c, {position for alike in found for _, position in alike}
    named = sa.select(table.position, table.id, table.parcel_id).where(table.position.in_(likely))
    known = {row.position: Earlier(id=row.id, parcel_id=row.parcel_id) for row in connection.execute(named)}
    return [[(times, known[position]) for times, position in alike] for alike in found]


_NEWEST_OF = {
    dialect: sa.text(
        f"SELECT mark, (SELECT CAST({gathered}(position) AS text) FROM (SELECT position FROM stone_marks AS s "
        f"WHERE s.mark = asked.mark ORDER BY position DESC LIMIT {PER_MARK}) AS newest) AS positions "
        f"FROM (SELECT CAST(value AS bigint) AS mark FROM {given}) AS asked"
    )
    for dialect, gathered, given in (
        ("sqlite", "json_group_array", "json_each(:marks)"),
        ("postgresql", "json_agg", "json_array_elements_text(CAST(:marks AS json))"),
    )
}
"""One row a mark with the list of its newest comparisons: rows take longer to carry than to find."""


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
