"""Walks the chain and says where it was touched."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from service.register.comparisons import unpacked
from service.register.database import snapshot
from service.register.entries import GENESIS, Entry, walk
from service.register.tables import comparisons

STRETCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """What a walk found: `wrong` is the first position that is not as it was, None where all are."""

    entries: int
    hash: str
    wrong: int | None = None
    reason: str = ""


def verify(engine: sa.Engine, head: str | None = None) -> Walked:
    """Walk the chain from its beginning, and the comparisons that it tells of.

    Parameters
    ----------
    head : str, optional
        Hash of a head that was kept elsewhere: it must stand in the chain, or the tail was cut off or written anew.
    """
    with snapshot(engine) as connection:
        last, count, seen = GENESIS, 0, head in {None, GENESIS}
        kept = _comparisons(connection)
        ahead: dict[str, Any] = {}
        for entry in walk(connection):
            reason = _fault(entry, count + 1, last)
            if not reason and entry.kind == "comparison":
                reason = _comparison_fault(entry, ahead, kept)
            if reason:
                return Walked(entries=count, hash=last, wrong=min(entry.position, count + 1), reason=reason)
            last, count = entry.hash, entry.position
            seen = seen or last == head
        for row_id in [*ahead, *(row.id for row in kept)]:
            return Walked(entries=count, hash=last, wrong=count + 1, reason=f"comparison {row_id} has no entry")
    if not seen:
        reason = "the head that was kept elsewhere is not in the chain: its tail was cut off, or written anew"
        return Walked(entries=count, hash=last, wrong=count + 1, reason=reason)
    return Walked(entries=count, hash=last)


def _fault(entry: Entry, position: int, previous: str) -> str:
    if entry.position != position:
        return f"entry {position} is missing"
    if entry.previous != previous:
        return f"entry {position} does not follow the one before it"
    if entry.hash != entry.expected_hash():
        return f"entry {position} was changed"
    return ""


def _comparison_fault(entry: Entry, ahead: dict[str, Any], kept: Iterator[Any]) -> str:
    """Return what is wrong with the comparison that an entry tells of; rows met before their entry wait in `ahead`."""
    while entry.subject not in ahead:
        row = next(kept, None)
        if row is None:
            return f"comparison {entry.subject} of entry {entry.position} is missing"
        ahead[row.id] = row
    row = ahead.pop(entry.subject)
    for name in ("report", "parcel"):
        if _hash(getattr(row, name)) != entry.values[f"{name}_sha256"]:
            return f"the {name} of comparison {row.id} of entry {entry.position} was changed"
    told = {name: entry.values[name] for name in ("parcel_id", "report_id", "release", "conclusion", "log10_lr")}
    if any(getattr(row, name) != value for name, value in told.items()):
        return f"comparison {row.id} of entry {entry.position} was changed"
    return ""


def _hash(kept: bytes) -> str:
    try:
        return sha256(unpacked(kept).encode()).hexdigest()
    except (zlib.error, UnicodeDecodeError):
        return "unreadable"


def _comparisons(connection: sa.Connection) -> Iterator[Any]:
    table = comparisons.c
    columns = (table.position, table.id, table.parcel, table.report, table.parcel_id, table.report_id)
    after = 0
    while True:
        query = sa.select(*columns, table.release, table.conclusion, table.log10_lr)
        rows = connection.execute(query.where(table.position > after).order_by(table.position).limit(STRETCH)).all()
        yield from rows
        if len(rows) < STRETCH:
            return
        after = rows[-1].position
