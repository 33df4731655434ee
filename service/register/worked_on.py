"""What the chain tells of tables that are worked on, and where these show something else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import sqlalchemy as sa

from kpfootprint.retold import Said
from service.clock import exactly
from service.register.comparisons import certificate_key, plainest_key
from service.register.entries import Entry
from service.register.submissions import NONE, became, digest_of, rows_of, what_came, zones_of
from service.register.tables import certificates, comparisons, submission_parcels, submissions

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
