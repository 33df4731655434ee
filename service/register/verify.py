"""Walks the chain and says where it was touched, or where what any of the tables shows is not what it tells."""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from kpfootprint.retold import Said
from service.clock import exactly
from service.register.comparisons import (
    FOUND_BY,
    Examined,
    FoundBy,
    certificate_key,
    digest_of_found,
    plainest_key,
    shown_of,
    unpacked,
)
from service.register.database import snapshot
from service.register.entries import GENESIS, Entry, walk
from service.register.submissions import NONE, became, digest_of, name_of_file, rows_of, what_came, zones_of
from service.register.tables import certificates, comparisons, files, submission_parcels, submissions

STRETCH = 500

Kept = tuple[Any, FoundBy]
"""A comparison as its table keeps it, and the lines that it is found by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """What a walk found: `wrong` is the first position that is not as it was, None where all are."""

    entries: int
    hash: str
    wrong: int | None = None
    reason: str = ""


def verify(engine: sa.Engine, head: str | None = None) -> Walked:
    """Walk the chain from its beginning, and hold against it what the tables show of what it tells.

    Parameters
    ----------
    head : str, optional
        Hash of a head that was kept elsewhere: it must stand in the chain, or the tail was cut off or written anew.
    """
    last, count, seen = GENESIS, 0, head in {None, GENESIS}
    ahead: dict[str, Kept] = {}
    told = Told()
    try:
        with snapshot(engine) as connection:
            kept = _comparisons(connection)
            for entry in walk(connection):
                fault = _fault(entry, count + 1, last)
                if fault is None and entry.kind == "comparison":
                    fault = _comparison_fault(entry, ahead, kept)
                elif fault is None:
                    fault = _file_fault(connection, entry)
                if fault is not None:
                    return Walked(entries=count, hash=last, wrong=min(entry.position, count + 1), reason=fault[1])
                told.add(entry)
                last, count = entry.hash, entry.position
                seen = seen or last == head
            for row_id in [*ahead, *(row.id for row, _ in kept)]:
                return Walked(
                    entries=count, hash=last, wrong=count + 1, reason=Said("comparison {id} has no entry", id=row_id)
                )
            for position, reason in told.faults(connection):
                return Walked(entries=count, hash=last, wrong=position or count + 1, reason=reason)
    except (ValueError, TypeError, LookupError, AttributeError) as error:  # of what was put where no version puts it
        reason = Said("what is kept there is nothing that this software writes ({error})", error=error)
        return Walked(entries=count, hash=last, wrong=count + 1, reason=reason)
    if not seen:
        reason = "the head that was kept elsewhere is not in the chain: its tail was cut off, or written anew"
        return Walked(entries=count, hash=last, wrong=count + 1, reason=reason)
    return Walked(entries=count, hash=last)


def _fault(entry: Entry, position: int, previous: str) -> Fault | None:
    if entry.position != position:
        return fault_at(position, "entry {position} is missing")
    if entry.previous != previous:
        return fault_at(position, "entry {position} does not follow the one before it")
    if entry.hash != entry.expected_hash():
        return fault_at(position, "entry {position} was changed")
    return None


def _comparison_fault(entry: Entry, ahead: dict[str, Kept], kept: Iterator[Kept]) -> Fault | None:
    """Return what is wrong with the comparison that an entry tells of; rows met before their entry wait in `ahead`."""
    while entry.subject not in ahead:
        here = next(kept, None)
        if here is None:
            return fault_at(entry.position, "comparison {id} of entry {position} is missing", id=entry.subject)
        ahead[here[0].id] = here
    row, found = ahead.pop(entry.subject)
    texts = {name: _text(getattr(row, name)) for name in ("report", "parcel")}
    for name, text in texts.items():
        if sha256(text.encode()).hexdigest() != entry.values[f"{name}_sha256"]:
            return fault_at(
                entry.position,
                "the {name} of comparison {id} of entry {position} was changed",
                name=Said(name),
                id=row.id,
            )
    again = Examined(
        content=json.loads(texts["report"]),
        report=texts["report"],
        document=json.loads(texts["parcel"]),
        flags=entry.values["flags"],
        submission_id=entry.values.get("submission"),
        id=entry.subject,
    )
    for name, value in shown_of(again, entry.actor).items():
        fine = [value]
        if name == "certificate_key" and row.certificate_no is not None:
            fine.append(plainest_key(row.certificate_no))
        if getattr(row, name) not in fine:
            return fault_at(
                entry.position, "{name} of comparison {id} of entry {position} was changed", name=name, id=row.id
            )
    if entry.values.get("found_by_sha256") not in {None, digest_of_found(found)}:
        return fault_at(entry.position, "what comparison {id} of entry {position} is found by was changed", id=row.id)
    return None


def _text(kept: bytes) -> str:
    try:
        return unpacked(kept)
    except (zlib.error, UnicodeDecodeError, TypeError):
        return ""


def _comparisons(connection: sa.Connection) -> Iterator[Kept]:
    after = 0
    while True:
        place = comparisons.c.position
        positions = connection.scalars(sa.select(place).where(place > after).order_by(place).limit(STRETCH)).all()
        if not positions:
            return
        found: dict[int, dict[sa.Table, list[Any]]] = defaultdict(lambda: {table: [] for table in FOUND_BY})
        for table in FOUND_BY:
            here = sa.select(table).where(table.c.position.between(positions[0], positions[-1]))
            for line in connection.execute(here):
                found[line.position][table].append(line._mapping)
        here = sa.select(comparisons).where(place.between(positions[0], positions[-1])).order_by(place)
        for row in connection.execute(here):
            yield row, found[row.position]
        after = positions[-1]


def _file_fault(connection: sa.Connection, entry: Entry) -> Fault | None:
    """Return what is wrong with the file that came with a submission, or was trained on."""
    digest = entry.values.get("file_sha256") or entry.values.get("package_sha256")
    if digest is None:
        return None
    subject = entry.subject if entry.kind == "submission" else entry.values["job"]
    here = (files.c.subject == subject) & (files.c.sha256 == digest)
    if entry.kind == "submission":
        here &= files.c.name == name_of_file(entry.values["file_name"])
    content = connection.scalar(sa.select(files.c.content).where(here).limit(1))
    if not isinstance(content, bytes) or sha256(content).hexdigest() != digest:
        return fault_at(entry.position, "the file that came with entry {position} is missing, or was changed")
    return None


COLUMNS = ("parcel_id", "exporter", "declared", "parcel", "problems", "comparison_id")
"""Of a parcel of a submission: what came, and what became of it."""

Fault = tuple[int | None, str]
"""The position of the entry that tells otherwise, where one does, and what is wrong."""


def fault_at(position: int | None, text: str, **values: object) -> Fault:
    """Return what is wrong, in words that may name the position."""
    return position, Said(text, position=str(position), **values)


@dataclass(slots=True)
class Told:
    """What the chain told so far.

    `submissions` has the entry of each and the state that later entries leave it in, `compared` who tells what became
    of its parcels, and the digest of that, `certificates` of each report of a certificate its entry's position and
    what was said.
    """

    submissions: dict[str, tuple[Entry, str]] = field(default_factory=dict)
    compared: dict[str, tuple[int, str | None]] = field(default_factory=dict)
    certificates: dict[tuple[str, str], tuple[int, str | None, str]] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Take in what an entry tells."""
        match entry.kind:
            case "submission":
                self.submissions[entry.subject] = (entry, "received")
                self.compared[entry.subject] = (entry.position, None)
            case "compared" if entry.subject in self.submissions:
                self.submissions[entry.subject] = (self.submissions[entry.subject][0], "compared")
                self.compared[entry.subject] = (entry.position, entry.values.get("parcels_sha256"))
            case "decision" if entry.subject in self.submissions:
                self.submissions[entry.subject] = (self.submissions[entry.subject][0], "decided")
            case "certificates":
                for item in entry.values["items"]:
                    said = (entry.position, item["reported_on"], item["note"])
                    self.certificates[item["certificate_no"], item["reported_by"]] = said

    def faults(self, connection: sa.Connection) -> Iterator[Fault]:
        """Yield what the tables show otherwise."""
        yield from self._of_submissions(connection)
        yield from _of_places(connection)
        yield from self._of_certificates(connection)

    def _of_submissions(self, connection: sa.Connection) -> Iterator[Fault]:
        left = dict(self.submissions)
        for row in connection.execute(sa.select(submissions)):
            entry, state = left.pop(row.id, (None, ""))
            if entry is None:
                yield fault_at(None, "submission {id} has no entry", id=row.id)
                continue
            parcels = rows_of(connection, row.id, *COLUMNS)
            told = {name: entry.values[name] for name in ("file_name", "note", "exporter", "n_parcels", "due_at")}
            told |= {"received_at": exactly(entry.at), "actor": entry.actor, "state": state}
            told |= {"n_bad": sum(item["problems"] != NONE for item in parcels), "declared": zones_of(parcels)}
            for name, value in told.items():
                shown = getattr(row, name)
                if value != (exactly(shown) if name.endswith("_at") else shown):
                    yield fault_at(
                        entry.position,
                        "{name} of submission {id} of entry {position} was changed",
                        name=name,
                        id=row.id,
                    )
            came = (entry.position, entry.values.get("parcels_sha256"), what_came)
            for position, digest, what in (came, (*self.compared[row.id], became)):
                if len(parcels) != row.n_parcels or digest not in {None, digest_of(what, parcels)}:
                    yield fault_at(
                        position, "the parcels of submission {id} of entry {position} were changed", id=row.id
                    )
        for submission_id, (entry, _) in left.items():
            yield fault_at(
                entry.position, "submission {submission} of entry {position} is missing", submission=submission_id
            )

    def _of_certificates(self, connection: sa.Connection) -> Iterator[Fault]:
        left = dict(self.certificates)
        for row in connection.execute(sa.select(certificates)):
            position, *said = left.pop((row.certificate_no, row.reported_by), (None, None, ""))
            own = row.certificate_key in {name(row.certificate_no) for name in (certificate_key, plainest_key)}
            if position is None or not own or said != [row.reported_on, row.note]:
                yield fault_at(
                    position,
                    "the report of certificate {certificate} was changed, or put in",
                    certificate=row.certificate_no,
                )
        for (certificate_no, _), (position, _, _) in left.items():
            yield fault_at(position, "the report of certificate {certificate} is missing", certificate=certificate_no)


def _of_places(connection: sa.Connection) -> Iterator[Fault]:
    """Yield parcels beside a comparison that is not theirs."""
    placed, kept = submission_parcels.c, comparisons.c
    beside = submission_parcels.outerjoin(comparisons, kept.id == placed.comparison_id)
    theirs = (kept.submission_id == placed.submission_id) & (kept.parcel_id == placed.parcel_id)
    moved = sa.or_(kept.id.is_(None), sa.not_(sa.func.coalesce(theirs, sa.false())))
    query = sa.select(placed.submission_id, placed.parcel_id).select_from(beside)
    for row in connection.execute(query.where(placed.comparison_id.is_not(None), moved).limit(1)):
        yield fault_at(
            None,
            "parcel {parcel} of submission {submission} names a comparison that is not its own",
            parcel=row.parcel_id,
            submission=row.submission_id,
        )
