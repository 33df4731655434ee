"""Reports that were acknowledged: kept before the answer leaves, read again by id, listed newest first."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from service.register.database import reading, writing
from service.register.secrets import new_id
from service.register.tables import comparisons


class KeyReused(Exception):
    """An Idempotency-Key came again with another body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the list shows of a comparison."""

    position: int
    id: str
    created_at: datetime
    parcel_id: str
    report_id: str
    release: str
    conclusion: str | None
    log10_lr: float | None
    declared: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """An Idempotency-Key, who sent it and what came with it."""

    actor: str
    key: str
    request_sha256: str


def replayed(engine: sa.Engine, once: Once) -> tuple[str, str] | None:
    """Return id and report of the request that `once` repeats, or None where it is new; raise `KeyReused`."""
    table = comparisons.c
    query = sa.select(table.id, table.report, table.request_sha256).where(
        (table.actor == once.actor) & (table.idempotency_key == once.key)
    )
    with reading(engine) as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        return None
    if row.request_sha256 != once.request_sha256:
        raise KeyReused
    return row.id, _unpacked(row.report)


def keep(
    engine: sa.Engine,
    *,
    actor: str,
    created_at: datetime,
    content: Mapping[str, Any],
    report: str,
    parcel: str,
    once: Once | None,
) -> tuple[str, str]:
    """Keep a report and return its id with it; where another request with the same key was faster, return its own."""
    verification = content["verification"]
    row = {
        "id": new_id(20),
        "created_at": created_at,
        "actor": actor,
        "parcel_id": content["parcel"]["parcel_id"],
        "report_id": content["report_id"],
        "release": content["model"]["release"],
        "conclusion": content["conclusion"],
        "log10_lr": None if verification is None else verification["log10_lr"],
        "declared": " ".join(item["zone_id"] for item in content["parcel"]["declared"]),
        "parcel": _packed(parcel),
        "report": _packed(report),
        "idempotency_key": None if once is None else once.key,
        "request_sha256": None if once is None else once.request_sha256,
    }
    try:
        with writing(engine) as connection:
            connection.execute(comparisons.insert().values(row))
    except sa.exc.IntegrityError:
        first = None if once is None else replayed(engine, once)
        if first is None:
            raise
        return first
    return str(row["id"]), report


def report_of(engine: sa.Engine, comparison_id: str) -> str | None:
    """Return the report of a comparison as it was answered, or None where there is no such comparison."""
    with reading(engine) as connection:
        kept = connection.scalar(sa.select(comparisons.c.report).where(comparisons.c.id == comparison_id))
    return None if kept is None else _unpacked(kept)


def parcel_of(engine: sa.Engine, comparison_id: str) -> str | None:
    """Return the JSON parcel of a comparison, or None where there is no such comparison."""
    with reading(engine) as connection:
        kept = connection.scalar(sa.select(comparisons.c.parcel).where(comparisons.c.id == comparison_id))
    return None if kept is None else _unpacked(kept)


def page_of(engine: sa.Engine, *, before: int | None, limit: int) -> tuple[list[Entry], int | None]:
    """Return up to `limit` comparisons before a position, the newest first, and where the next page starts."""
    table = comparisons.c
    columns = [getattr(table, name) for name in Entry.__dataclass_fields__]
    query = sa.select(*columns).order_by(table.position.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(table.position < before)
    with reading(engine) as connection:
        rows = connection.execute(query).all()
    entries = [Entry(**{**row._mapping, "declared": tuple(row.declared.split())}) for row in rows[:limit]]
    return entries, entries[-1].position if len(rows) > limit else None


def _packed(text: str) -> bytes:
    return zlib.compress(text.encode(), level=1)


def _unpacked(kept: bytes) -> str:
    return zlib.decompress(kept).decode()
