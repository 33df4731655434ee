"""Walks the chain and says where it was touched, or where what the tables show is not what it tells."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from service.register.comparisons import Examined, row_of, unpacked
from service.register.database import snapshot
from service.register.entries import GENESIS, Entry, walk, written
from service.register.tables import certificates, comparisons, files, submission_parcels, submissions

STRETCH = 500
NOT_TOLD = frozenset({"position", "id", "parcel", "report", "idempotency_key", "request_sha256"})
"""Columns of a comparison that neither its report nor its entry tells; parcel and report are told by their hashes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """What a walk found: `wrong` is the first position that is not as it was, None where all are."""

    entries: int
    hash: str
    wrong: int | None = None
    reason: str = ""


@dataclass(slots=True)
class _Told:
    """What the chain told so far, to be held against tables that are worked on.

    `submissions` has the entry of each and the state that later entries leave it in, `certificates` of each report of
    a certificate its entry's position and what was said.
    """

    submissions: dict[str, tuple[Entry, str]] = field(default_factory=dict)
    certificates: dict[tuple[str, str], tuple[int, str | None, str]] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Take in what an entry tells."""
        match entry.kind:
            case "submission":
                self.submissions[entry.subject] = (entry, "received")
            case "compared" | "decision" if entry.subject in self.submissions:
                state = "compared" if entry.kind == "compared" else "decided"
                self.submissions[entry.subject] = (self.submissions[entry.subject][0], state)
            case "certificates":
                for item in entry.values["items"]:
                    said = (entry.position, item["reported_on"], item["note"])
                    self.certificates[item["certificate_no"], item["reported_by"]] = said


def verify(engine: sa.Engine, head: str | None = None) -> Walked:
    """Walk the chain from its beginning, and hold against it what the tables show of what it tells.

    Parameters
    ----------
    head : str, optional
        Hash of a head that was kept elsewhere: it must stand in the chain, or the tail was cut off or written anew.
    """
    with snapshot(engine) as connection:
        last, count, seen = GENESIS, 0, head in {None, GENESIS}
        kept = _comparisons(connection)
        ahead: dict[str, Any] = {}
        told = _Told()
        for entry in walk(connection):
            reason = _fault(entry, count + 1, last)
            if not reason and entry.kind == "comparison":
                reason = _comparison_fault(entry, ahead, kept)
            elif not reason:
                reason = _file_fault(connection, entry)
            if reason:
                return Walked(entries=count, hash=last, wrong=min(entry.position, count + 1), reason=reason)
            told.add(entry)
            last, count = entry.hash, entry.position
            seen = seen or last == head
        for row_id in [*ahead, *(row.id for row in kept)]:
            return Walked(entries=count, hash=last, wrong=count + 1, reason=f"comparison {row_id} has no entry")
        for position, reason in _table_faults(connection, told):
            return Walked(entries=count, hash=last, wrong=position or count + 1, reason=reason)
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
    texts = {name: _text(getattr(row, name)) for name in ("report", "parcel")}
    for name, text in texts.items():
        if sha256(text.encode()).hexdigest() != entry.values[f"{name}_sha256"]:
            return f"the {name} of comparison {row.id} of entry {entry.position} was changed"
    again = Examined(
        content=json.loads(texts["report"]),
        report=texts["report"],
        document=json.loads(texts["parcel"]),
        flags=entry.values["flags"],
        submission_id=entry.values.get("submission"),
        parcel=row.parcel,
        id=entry.subject,
    )
    for name, value in row_of(again, entry.actor).items():
        if name not in NOT_TOLD and getattr(row, name) != value:
            return f"{name} of comparison {row.id} of entry {entry.position} was changed"
    return ""


def _text(kept: bytes) -> str:
    try:
        return unpacked(kept)
    except (zlib.error, UnicodeDecodeError):
        return ""


def _comparisons(connection: sa.Connection) -> Iterator[Any]:
    after = 0
    while True:
        query = sa.select(comparisons).where(comparisons.c.position > after)
        rows = connection.execute(query.order_by(comparisons.c.position).limit(STRETCH)).all()
        yield from rows
        if len(rows) < STRETCH:
            return
        after = rows[-1].position


def _file_fault(connection: sa.Connection, entry: Entry) -> str:
    """Return what is wrong with the file that came with a submission, or was trained on."""
    digest = entry.values.get("file_sha256") or entry.values.get("package_sha256")
    if digest is None:
        return ""
    subject = entry.subject if entry.kind == "submission" else entry.values["job"]
    here = (files.c.subject == subject) & (files.c.sha256 == digest)
    content = connection.scalar(sa.select(files.c.content).where(here).limit(1))
    if content is None or sha256(content).hexdigest() != digest:
        return f"the file that came with entry {entry.position} is missing, or was changed"
    return ""


def _table_faults(connection: sa.Connection, told: _Told) -> Iterator[tuple[int | None, str]]:
    """Yield what tables that are worked on show otherwise than the chain tells, with the position that tells it."""
    yield from _submission_faults(connection, dict(told.submissions))
    said = dict(told.certificates)
    for row in connection.execute(sa.select(certificates)):
        position, *rest = said.pop((row.certificate_no, row.reported_by), (None, None, ""))
        if position is None or rest != [row.reported_on, row.note]:
            yield position, f"the report of certificate {row.certificate_no} was changed, or put in"
    for (certificate_no, _), (position, _, _) in said.items():
        yield position, f"the report of certificate {certificate_no} is missing"


def _submission_faults(
    connection: sa.Connection, told: dict[str, tuple[Entry, str]]
) -> Iterator[tuple[int | None, str]]:
    for row in connection.execute(sa.select(submissions)):
        entry, state = told.pop(row.id, (None, ""))
        if entry is None:
            yield None, f"submission {row.id} has no entry"
            continue
        shown = {name: getattr(row, name) for name in ("file_name", "n_parcels", "note", "exporter")}
        shown |= {"due_at": written(row.due_at), "received_at": row.received_at, "actor": row.actor, "state": row.state}
        for name, value in shown.items():
            if value != {**entry.values, "received_at": entry.at, "actor": entry.actor, "state": state}[name]:
                yield entry.position, f"{name} of submission {row.id} of entry {entry.position} was changed"
    for submission_id, (entry, _) in told.items():
        yield entry.position, f"submission {submission_id} of entry {entry.position} is missing"
    placed, kept = submission_parcels.c, comparisons.c
    beside = submission_parcels.outerjoin(comparisons, kept.id == placed.comparison_id)
    moved = sa.or_(kept.id.is_(None), kept.submission_id.is_distinct_from(placed.submission_id))
    query = sa.select(placed.submission_id, placed.parcel_id).select_from(beside)
    for row in connection.execute(query.where(placed.comparison_id.is_not(None), moved).limit(1)):
        yield None, f"parcel {row.parcel_id} of submission {row.submission_id} names a comparison that is not its own"
