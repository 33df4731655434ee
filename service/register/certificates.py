"""Certificates that somebody reported as fraudulent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from service.register import entries
from service.register.comparisons import certificate_key
from service.register.database import Sort, each_of, of_row, page
from service.register.tables import certificates

NEWEST = Sort(certificates.c.added_at, descending=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A certificate that was reported, and by whom."""

    certificate_no: str
    reported_by: str
    reported_on: str | None
    note: str
    added_at: datetime


def add(connection: sa.Connection, items: Sequence[Mapping[str, Any]], *, actor: str) -> tuple[int, int]:
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


def page_of(
    connection: sa.Connection, *, certificate_no: str | None, before: int | None, limit: int
) -> tuple[list[Reported], int | None]:
    """Return a page of reported certificates, the newest first."""
    query = sa.select(certificates)
    if certificate_no is not None:
        query = query.where(certificates.c.certificate_key == certificate_key(certificate_no))
    rows, further = page(connection, query, NEWEST, certificates.c.position, before=before, limit=limit)
    return [of_row(Reported, row) for row in rows], further


def reported(connection: sa.Connection, keys: Iterable[str]) -> dict[str, Reported]:
    """Return the first report of each of several certificates, by the key it is compared by."""
    query, key = sa.select(certificates).order_by(certificates.c.position), certificates.c.certificate_key
    found: dict[str, Reported] = {}
    for row in each_of(connection, query, key, filter(None, keys)):
        found.setdefault(row.certificate_key, of_row(Reported, row))
    return found
