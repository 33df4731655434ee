"""The chain of entries: every act that was acknowledged, each hashed together with the hash of the one before.

An entry's hash is the SHA-256 of the canonical JSON of all its members and the previous hash. It is written in the
transaction of what it tells of, so there is never one without the other.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from pydantic import AwareDatetime, Field, StrictInt

from kpfootprint.report.report import canonical
from service import clock
from service.register.database import new_id, within
from service.register.tables import entries

Kind = Literal[
    "comparison",
    "submission",
    "compared",
    "cancelled",
    "resumed",
    "decision",
    "opinion",
    "outcome",
    "certificates",
    "activation",
    "reexamination",
    "training",
    "import",
]
GENESIS = "0" * 64
STRETCH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One act; `subject` is the id of what it is about, `values` what is to be said of it.

    What the members may be is asked of those that come from another register.
    """

    position: Annotated[StrictInt, Field(ge=1, le=2**53)]
    id: Annotated[str, Field(pattern="^[0-9a-z]{1,20}$")]
    kind: Annotated[str, Field(max_length=24)]
    at: AwareDatetime
    actor: Annotated[str, Field(max_length=64)]
    subject: Annotated[str, Field(pattern="^[0-9A-Za-z._-]{1,64}$")]
    values: Mapping[str, Any]
    previous: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    hash: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] = ""

    def members(self) -> dict[str, Any]:
        """Return the members as lines to take away have them."""
        return {name: getattr(self, name) for name in Entry.__dataclass_fields__} | {"at": clock.exactly(self.at)}

    def expected_hash(self) -> str:
        """Return the hash that the members give."""
        members = self.members()
        content = {"content": members.pop("values")}
        del members["hash"]
        return sha256(canonical(members | content).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainEnd:
    """Where the chain ends: kept elsewhere, it later shows that nothing before it was touched."""

    position: int
    hash: str
    at: datetime | None


_LAST = sa.select(entries.c.position, entries.c.hash, entries.c.at).order_by(entries.c.position.desc()).limit(1)
_LATEST = sa.select(sa.func.max(entries.c.at))


def head(connection: sa.Connection) -> ChainEnd:
    """Return the head of the chain; position 0 before the first entry."""
    row = connection.execute(_LAST).one_or_none()
    if row is None:
        return ChainEnd(position=0, hash=GENESIS, at=None)
    return ChainEnd(position=row.position, hash=row.hash, at=row.at)


def time_of_register(connection: sa.Connection) -> datetime:
    """Return the present moment, never before that of any entry: a clock that was set back changes nothing."""
    latest = connection.scalar(_LATEST)
    now = clock.now()
    return now if latest is None or latest <= now else latest


def append(
    connection: sa.Connection,
    kind: Kind,
    *,
    actor: str,
    subject: str,
    values: Mapping[str, Any],
    at: datetime | None = None,
    entry_id: str | None = None,
) -> Entry:
    """Append an entry as `append_each` does."""
    (entry,) = append_each(connection, kind, [(subject, values)], actor=actor, at=at, entry_id=entry_id)
    return entry


def append_each(
    connection: sa.Connection,
    kind: Kind,
    acts: Sequence[tuple[str, Mapping[str, Any]]],
    *,
    actor: str,
    at: datetime | None,
    entry_id: str | None,
) -> list[Entry]:
    """Append entries, each of a subject and its values; `connection` is that of `database.registering`.

    Parameters
    ----------
    at, entry_id : datetime and str, or None
        Of an entry that comes from another register and keeps both.
    """
    last, moment = head(connection), at or time_of_register(connection)
    appended: list[Entry] = []
    for subject, values in acts:
        entry = Entry(
            position=last.position + 1,
            id=entry_id or new_id(20),
            kind=kind,
            at=moment,
            actor=actor,
            subject=subject,
            values=json.loads(canonical(values)),
            previous=last.hash,
        )
        entry = replace(entry, hash=entry.expected_hash())
        appended.append(entry)
        last = ChainEnd(position=entry.position, hash=entry.hash, at=moment)
    if appended:
        connection.execute(entries.insert(), [_row(entry) for entry in appended])
    return appended


def about(connection: sa.Connection, subject: str) -> list[Entry]:
    """Return every entry about a subject, the oldest first."""
    return _found(connection, entries.c.subject == subject)


def of_kind(connection: sa.Connection, kind: Kind) -> list[Entry]:
    """Return every entry of a kind, the oldest first."""
    return _found(connection, entries.c.kind == kind)


def last_of_kind(connection: sa.Connection, kind: Kind, subject: str | None = None) -> Entry | None:
    """Return the last entry of a kind, or None where there is none."""
    query = sa.select(entries).where(entries.c.kind == kind).order_by(entries.c.position.desc()).limit(1)
    if subject is not None:
        query = query.where(entries.c.subject == subject)
    row = connection.execute(query).one_or_none()
    return None if row is None else _entry_of(row._mapping)


def last_of_each(connection: sa.Connection, kind: Kind, subjects: Collection[str]) -> dict[str, Entry]:
    """Return the last entry of a kind about each of some subjects that have one."""
    found = _found(connection, (entries.c.kind == kind) & entries.c.subject.in_(subjects))
    return {entry.subject: entry for entry in found}


def _found(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> list[Entry]:
    rows = connection.execute(sa.select(entries).where(condition).order_by(entries.c.position))
    return [_entry_of(row._mapping) for row in rows]


def walk(connection: sa.Connection, *, start: datetime | None = None, end: datetime | None = None) -> Iterator[Entry]:
    """Yield every entry in the order of the chain, a stretch at a time, those of a span of time alone where asked."""
    after = 0
    while True:
        query = sa.select(entries).where(entries.c.position > after, *within(entries.c.at, start, end))
        last = None
        for last in connection.execute(query.order_by(entries.c.position).limit(STRETCH)):
            yield _entry_of(last._mapping)
        if last is None:
            return
        after = last.position


def _row(entry: Entry) -> dict[str, Any]:
    row = entry.members() | {"at": entry.at}
    return row | {"content": canonical(row.pop("values"))}


def _entry_of(row: Any) -> Entry:
    return Entry(**{name: value for name, value in row.items() if name != "content"}, values=json.loads(row["content"]))
