"""Submissions: received with everything that came, compared parcel by parcel, decided; nothing is overwritten."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal, get_args

import sqlalchemy as sa

from kpfootprint.errors import Problem
from kpfootprint.report.report import canonical
from kpfootprint.retold import kept
from service.clock import exactly
from service.register import entries, jobs
from service.register.comparisons import Once, packed
from service.register.database import new_id, of_row, page, reading, sorts, within
from service.register.tables import comparisons, files, submission_parcels, submissions

State = Literal["received", "compared", "decided"]
STATES: tuple[State, ...] = get_args(State)
Decision = Literal["approved", "refused", "returned"]
NONE = "[]"
"""The problems of a parcel that has none."""

SORTS = sorts(submissions.c.due_at, submissions.c.received_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A submission as it stands."""

    position: int
    id: str
    received_at: datetime
    due_at: datetime
    actor: str
    state: State
    exporter: str | None
    note: str
    file_name: str
    n_parcels: int
    n_bad: int
    job_id: str

    def is_overdue(self, moment: datetime) -> bool:
        """Say whether it is past its due date and not decided."""
        return self.state != "decided" and self.due_at < moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which submissions are asked for; None asks for all."""

    state: str | None = None
    undecided: bool = False
    overdue: bool | None = None
    exporter: str | None = None
    zone: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    sort: str = "due_at"


def replayed(connection: sa.Connection, once: Once) -> Submission | None:
    """Return the submission that `once` repeats, or None where it is new; raise `KeyReused`."""
    row = once.repeated(connection, submissions)
    return None if row is None else of_row(Submission, row)


def receive(
    connection: sa.Connection,
    came: Sequence[Mapping[str, Any]],
    *,
    file: tuple[str, bytes],
    note: str,
    actor: str,
    clock_days: int,
    once: Once | None = None,
) -> Submission:
    """Keep a submission with the job that will compare it; its clock starts now; `connection` is `registering`'s.

    Parameters
    ----------
    came : sequence of mapping
        The parcels in their order, each `as_it_came`.
    file : tuple of (str, bytes)
        Name and content of the file that came.
    """
    at = entries.time_of_register(connection)
    submission_id = new_id(20)
    parcels = [{**one, "submission_id": submission_id, "ordinal": ordinal} for ordinal, one in enumerate(came)]
    n_good = sum(row["parcel"] is not None for row in parcels)
    row: dict[str, Any] = {
        "id": submission_id,
        "received_at": at,
        "due_at": at + timedelta(days=clock_days),
        "actor": actor,
        "state": "received",
        "exporter": ", ".join(sorted({row["exporter"] for row in parcels if row["exporter"]})) or None,
        "declared": zones_of(parcels),
        "note": note,
        "file_name": file[0],
        "n_parcels": len(parcels),
        "n_bad": len(parcels) - n_good,
        "job_id": jobs.enqueue(connection, "submission", subject=submission_id, actor=actor, total=n_good),
        "idempotency_key": None if once is None else once.key,
        "request_sha256": None if once is None else once.request_sha256,
    }
    kept = connection.execute(submissions.insert().values(row).returning(submissions)).one()
    connection.execute(submission_parcels.insert(), parcels)
    values = {name: row[name] for name in ("file_name", "n_parcels", "n_bad", "note", "exporter")} | {
        "due_at": exactly(row["due_at"]),
        "file_sha256": keep_file(connection, submission_id, *file),
        "parcels_sha256": digest_of(what_came, parcels),
    }
    entries.append(connection, "submission", actor=actor, subject=submission_id, values=values, at=at)
    return of_row(Submission, kept)


def as_it_came(parcel_id: str, document: Mapping[str, Any] | None, problems: Sequence[Problem]) -> dict[str, Any]:
    """Return a parcel of a submission as it is kept on arrival: with its document, or with what is wrong with it."""
    told = document or {}
    return {
        "parcel_id": parcel_id,
        "exporter": told.get("exporter"),
        "declared": " ".join(item.get("zone_id") or item["country"] for item in told.get("declarations") or ()),
        "parcel": None if document is None else packed(canonical(document)),
        "problems": _kept(problems),
    }


def zones_of(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the zones that any of some parcels declares, a blank around each."""
    return "".join(f" {zone} " for zone in sorted({*" ".join(row["declared"] for row in rows).split()}))


def rows_of(connection: sa.Connection, submission_id: str, *names: str) -> list[dict[str, Any]]:
    """Return the parcels of a submission in their order, as they are kept: the columns that are named."""
    table = submission_parcels.c
    query = sa.select(*(table[name] for name in names)).where(table.submission_id == submission_id)
    return [row._asdict() for row in connection.execute(query.order_by(table.ordinal))]


def digest_of(told: Callable[[Mapping[str, Any]], Sequence[str | None]], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the SHA-256 by which the chain tells what came, or what became of it."""
    return sha256(canonical([told(row) for row in rows]).encode()).hexdigest()


def what_came(row: Mapping[str, Any]) -> Sequence[str | None]:
    """Tell of a parcel what came: problems that were found later are no part of it."""
    parcel, own = row["parcel"], [row["parcel_id"], row["exporter"], row["declared"]]
    return [*own, *((None, row["problems"]) if parcel is None else (sha256(parcel).hexdigest(), NONE))]


def became(row: Mapping[str, Any]) -> Sequence[str | None]:
    """Tell what became of a parcel: its comparison, or its problems."""
    return [row["comparison_id"], row["problems"]]


def keep_file(connection: sa.Connection, subject: str, name: str, content: bytes) -> str:
    """Keep a file as it came, and return its SHA-256."""
    digest = sha256(content).hexdigest()
    row = {"subject": subject, "name": name_of_file(name), "sha256": digest, "content": content}
    connection.execute(files.insert().values(row))
    return digest


def name_of_file(name: str) -> str:
    """Return the name that a file is kept under."""
    return name[:255]


def file_of(engine: sa.Engine, subject: str) -> tuple[str, bytes] | None:
    """Return name and content of the file that came with a subject, or None."""
    with reading(engine) as connection:
        query = sa.select(files.c.name, files.c.content).where(files.c.subject == subject).limit(1)
        row = connection.execute(query).one_or_none()
    return None if row is None else (row.name, bytes(row.content))


def submission_of(connection: sa.Connection, submission_id: str) -> Submission | None:
    """Return a submission, or None where there is none."""
    row = connection.execute(sa.select(submissions).where(submissions.c.id == submission_id)).one_or_none()
    return None if row is None else of_row(Submission, row)


def conclusions_of(connection: sa.Connection, submission_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return how many parcels of each submission had each conclusion, as far as they were compared."""
    parcel, found = submission_parcels.c, comparisons.c
    query = (
        sa.select(parcel.submission_id, found.conclusion, sa.func.count().label("n"))
        .select_from(submission_parcels.join(comparisons, found.id == parcel.comparison_id))
        .where(parcel.submission_id.in_(submission_ids), found.conclusion.is_not(None))
        .group_by(parcel.submission_id, found.conclusion)
    )
    out: dict[str, dict[str, int]] = {}
    for row in connection.execute(query):
        out.setdefault(row.submission_id, {})[row.conclusion] = int(row.n)
    return out


def waiting(connection: sa.Connection, submission_id: str, limit: int) -> list[tuple[int, bytes]]:
    """Return up to `limit` parcels that are not compared yet, by their places, as they are kept."""
    table = submission_parcels.c
    query = sa.select(table.ordinal, table.parcel).where(_waits(submission_id)).order_by(table.ordinal).limit(limit)
    return [(row.ordinal, row.parcel) for row in connection.execute(query)]


def still_waiting(connection: sa.Connection, submission_id: str, places: Collection[int]) -> tuple[set[int], int]:
    """Return which of some places are not compared yet, and how many others, in the transaction that will keep some."""
    place = submission_parcels.c.ordinal
    here = {*connection.scalars(sa.select(place).where(_waits(submission_id), place.in_(places)))}
    every = connection.scalar(sa.select(sa.func.count()).where(_waits(submission_id))) or 0
    return here, every - len(here)


def _waits(submission_id: str) -> sa.ColumnElement[bool]:
    table = submission_parcels.c
    here = (table.submission_id == submission_id) & table.parcel.is_not(None)
    return here & table.comparison_id.is_(None) & (table.problems == NONE)


def _kept(problems: Sequence[Problem]) -> str:
    """Return problems as they are kept: with what their texts are filled with, to be told in every language."""
    return canonical([p.as_dict() | {"values": {name: kept(v) for name, v in p.values.items()}} for p in problems])


def place_comparisons(connection: sa.Connection, submission_id: str, placed: Mapping[int, str]) -> None:
    """Note the comparisons of parcels by their places."""
    table = submission_parcels.c
    here = (table.submission_id == submission_id) & (table.ordinal == sa.bindparam("place"))
    noted = submission_parcels.update().where(here).values(comparison_id=sa.bindparam("kept"))
    if placed:
        connection.execute(noted, [{"place": place, "kept": kept} for place, kept in placed.items()])


def place_problems(connection: sa.Connection, submission_id: str, ordinal: int, problems: Sequence[Problem]) -> None:
    """Note that a parcel cannot be compared after all."""
    table = submission_parcels.c
    here = (table.submission_id == submission_id) & (table.ordinal == ordinal)
    connection.execute(submission_parcels.update().where(here).values(problems=_kept(problems)))
    more = submissions.update().where(submissions.c.id == submission_id)
    connection.execute(more.values(n_bad=submissions.c.n_bad + 1))


def set_compared(connection: sa.Connection, submission_id: str, actor: str, values: Mapping[str, Any]) -> None:
    """Note that every parcel was compared; once only."""
    here = submissions.update().where((submissions.c.id == submission_id) & (submissions.c.state == "received"))
    if connection.execute(here.values(state="compared")).rowcount == 1:
        parcels = rows_of(connection, submission_id, "comparison_id", "problems")
        told = {"parcels_sha256": digest_of(became, parcels)}
        entries.append(connection, "compared", actor=actor, subject=submission_id, values={**values, **told})


def has_stopped(connection: sa.Connection, submission: Submission) -> bool:
    """Say whether comparing ended before its end: it was cancelled, or failed."""
    return submission.state == "received" and jobs.is_over(connection, submission.job_id)


def resume(connection: sa.Connection, submission: Submission, actor: str) -> str:
    """Have what is not compared yet compared after all; return the job."""
    _, left = still_waiting(connection, submission.id, ())
    job_id = jobs.enqueue(connection, "submission", subject=submission.id, actor=actor, total=left)
    connection.execute(submissions.update().where(submissions.c.id == submission.id).values(job_id=job_id))
    entries.append(connection, "resumed", actor=actor, subject=submission.id, values={"job": job_id})
    return job_id


def decide(connection: sa.Connection, submission: Submission, decision: str, note: str, actor: str) -> bool:
    """Note a decision beside all earlier ones; False where the submission is still being compared."""
    if submission.state == "received" and not has_stopped(connection, submission):
        return False
    here = submissions.update().where(submissions.c.id == submission.id)
    connection.execute(here.values(state="decided"))
    values = {"decision": decision, "note": note}
    entries.append(connection, "decision", actor=actor, subject=submission.id, values=values)
    return True


def page_of(
    engine: sa.Engine, *, wanted: Wanted, before: int | None, limit: int
) -> tuple[list[Submission], int | None, datetime]:
    """Return a page of submissions, where the next one starts, and the moment that overdue is told by."""
    table = submissions.c
    with reading(engine) as connection:
        moment = entries.time_of_register(connection)
        query = sa.select(submissions)
        if wanted.state is not None:
            query = query.where(table.state == wanted.state)
        if wanted.undecided:
            query = query.where(table.state != "decided")
        if wanted.overdue is not None:
            late = (table.state != "decided") & (table.due_at < moment)
            query = query.where(late if wanted.overdue else sa.not_(late))
        query = query.where(*within(table.received_at, wanted.start, wanted.end))
        inside = submission_parcels.c
        if wanted.exporter is not None:
            query = query.where(table.id.in_(sa.select(inside.submission_id).where(inside.exporter == wanted.exporter)))
        if wanted.zone is not None:
            query = query.where(table.declared.contains(f" {wanted.zone} ", autoescape=True))
        rows, further = page(connection, query, SORTS[wanted.sort], table.position, before=before, limit=limit)
    return [of_row(Submission, row) for row in rows], further, moment


def clocks(engine: sa.Engine) -> tuple[int, int]:
    """Return how many submissions are undecided, and how many of them overdue."""
    table = submissions.c
    with reading(engine) as connection:
        moment = entries.time_of_register(connection)
        query = sa.select(sa.func.count(), sa.func.count(sa.case((table.due_at < moment, 1))))
        undecided, overdue = connection.execute(query.where(table.state != "decided")).one()
    return undecided, overdue
