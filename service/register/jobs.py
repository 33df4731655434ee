"""The queue of jobs: taken one at a time by whoever is free, held for as long as the holder lives.

A job that is held is held by a lock that ends with its holder: a row lock on PostgreSQL, a locked file beside the
register on SQLite. No clock decides whether somebody is still at work, so a killed worker's job is free at once.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

import sqlalchemy as sa

from kpfootprint.report.report import canonical
from kpfootprint.retold import Said, kept
from service.clock import now
from service.register import entries
from service.register.database import is_sqlite, new_id, of_row, reading, registering, writing
from service.register.tables import job_holds, jobs

Kind = Literal["submission", "training", "reexamination", "import"]
State = Literal["queued", "running", "done", "failed", "cancelled"]
STATES: tuple[State, ...] = get_args(State)
OVER = ("done", "failed", "cancelled")
MAX_ATTEMPTS = 3
"""Times that a job may be begun without getting any further before it is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A piece of work that is done beside the requests."""

    number: int
    id: str
    kind: Kind
    state: State
    subject: str
    actor: str
    parameters: Mapping[str, Any]
    done: int
    total: int
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    problem: str | None
    result: str | None
    attempts: int
    cancel_asked: bool


def enqueue(
    connection: sa.Connection,
    kind: Kind,
    *,
    subject: str,
    actor: str,
    total: int,
    parameters: Mapping[str, Any] | None = None,
) -> str:
    """Put a job into the queue and return its id."""
    row: dict[str, Any] = {
        "id": new_id(20),
        "kind": kind,
        "state": "queued",
        "subject": subject,
        "actor": actor,
        "parameters": canonical(dict(parameters or {})),
        "done": 0,
        "total": total,
        "created_at": now(),
        "attempts": 0,
        "cancel_asked": False,
    }
    number, job_id = connection.execute(jobs.insert().values(row).returning(jobs.c.number, jobs.c.id)).one()
    connection.execute(job_holds.insert().values(number=number))
    return str(job_id)


def job_of(engine: sa.Engine, job_id: str, kind: str | None = None) -> Job | None:
    """Return a job (of a kind), or None where there is none."""
    with reading(engine) as connection:
        wanted = jobs.c.id == job_id if kind is None else (jobs.c.id == job_id) & (jobs.c.kind == kind)
        row = connection.execute(sa.select(jobs).where(wanted)).one_or_none()
    return None if row is None else _job(row)


def latest(engine: sa.Engine, kind: str, limit: int) -> list[Job]:
    """Return the newest jobs of a kind."""
    newest = sa.select(jobs).where(jobs.c.kind == kind).order_by(jobs.c.number.desc()).limit(limit)
    with reading(engine) as connection:
        return [_job(row) for row in connection.execute(newest)]


def counts(engine: sa.Engine) -> dict[str, int]:
    """Return how many jobs there are in each state."""
    with reading(engine) as connection:
        rows = connection.execute(sa.select(jobs.c.state, sa.func.count()).group_by(jobs.c.state))
        return {row.state: row[1] for row in rows}


def progress(connection: sa.Connection, job: Job, done: int) -> None:
    """Note how far a job is; a job that gets further has not failed."""
    connection.execute(jobs.update().where(jobs.c.number == job.number).values(done=done, attempts=0))


def note(connection: sa.Connection, job: Job, **found: Any) -> None:
    """Keep what was found out about what a job was given, with its parameters."""
    here = jobs.c.number == job.number
    noted = json.loads(connection.execute(sa.select(jobs.c.parameters).where(here)).scalar_one())
    connection.execute(jobs.update().where(here).values(parameters=canonical({**noted, **found})))


def cancel_was_asked(engine: sa.Engine, job: Job) -> bool:
    """Say whether a job that runs is to stop."""
    with reading(engine) as connection:
        return bool(connection.scalar(sa.select(jobs.c.cancel_asked).where(jobs.c.number == job.number)))


def finish(
    connection: sa.Connection, job: Job, state: State, *, problem: str | None = None, result: str | None = None
) -> None:
    """End a job; one that has ended stays as it ended."""
    if isinstance(problem, Said):
        note(connection, job, said=kept(problem))
    over = jobs.update().where((jobs.c.number == job.number) & jobs.c.state.not_in(OVER))
    connection.execute(over.values(state=state, ended_at=now(), problem=problem and str(problem), result=result))
    connection.execute(jobs.update().where(jobs.c.number == job.number).values(cancel_asked=False))


def cancel(engine: sa.Engine, job_id: str, actor: str) -> Job | None:
    """Cancel a job: at once where it waits, as soon as it looks up where it runs; None where there is no such job.

    Who did that, and when, is an entry of the chain.
    """
    with registering(engine) as connection:
        waits = (jobs.c.id == job_id) & (jobs.c.state == "queued")
        runs = (jobs.c.id == job_id) & (jobs.c.state == "running") & ~jobs.c.cancel_asked
        stopped = jobs.update().where(waits).values(state="cancelled", ended_at=now())
        asked = jobs.update().where(runs).values(cancel_asked=True)
        if sum(connection.execute(change).rowcount for change in (stopped, asked)):
            subject = connection.scalar(sa.select(jobs.c.subject).where(jobs.c.id == job_id))
            entries.append(connection, "cancelled", actor=actor, subject=str(subject), values={"job": job_id})
    return job_of(engine, job_id)


@contextmanager
def taken(engine: sa.Engine, home: Path) -> Iterator[Job | None]:
    """Give the oldest job that nobody is at, held until the end of the ``with`` block; None where there is none."""
    with _held_here(engine, home) if is_sqlite(engine) else _held_there(engine) as number:
        yield None if number is None else _begun(engine, number)


def give_back(engine: sa.Engine, job: Job) -> None:
    """Leave a job to others, as if it had not been begun this time."""
    with writing(engine) as connection:
        mine = jobs.update().where((jobs.c.number == job.number) & (jobs.c.state == "running"))
        connection.execute(mine.values(attempts=0))


def _begun(engine: sa.Engine, number: int) -> Job:
    with writing(engine) as connection:
        row = connection.execute(sa.select(jobs).where(jobs.c.number == number)).one()
        if row.state in OVER:
            return _job(row)
        if row.attempts >= MAX_ATTEMPTS:
            finish(
                connection,
                _job(row),
                "failed",
                problem=Said("The worker ended {n} times while at this job.", n=row.attempts),
            )
        else:
            begun = {"state": "running", "attempts": row.attempts + 1, "started_at": row.started_at or now()}
            connection.execute(jobs.update().where(jobs.c.number == number).values(begun))
        return _job(connection.execute(sa.select(jobs).where(jobs.c.number == number)).one())


@contextmanager
def _held_there(engine: sa.Engine) -> Iterator[int | None]:
    query = sa.select(job_holds.c.number).order_by(job_holds.c.number).limit(1).with_for_update(skip_locked=True)
    with reading(engine) as connection, connection.begin():
        number = connection.scalar(query)
        yield number
        connection.execute(_let_go(number))


@contextmanager
def _held_here(engine: sa.Engine, home: Path) -> Iterator[int | None]:
    folder = home / "jobs"
    folder.mkdir(mode=0o700, exist_ok=True)
    with reading(engine) as connection:
        numbers = connection.scalars(sa.select(job_holds.c.number).order_by(job_holds.c.number)).all()
    for number in numbers:
        path = folder / f"{number}.lock"
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            with reading(engine) as connection:
                held = connection.scalar(sa.select(job_holds.c.number).where(job_holds.c.number == number))
            if held is None:
                continue  # its holder has just ended it
            yield number
            with writing(engine) as connection:
                over = connection.execute(_let_go(number)).rowcount
            if over:
                path.unlink(missing_ok=True)
            return
        finally:
            os.close(handle)
    yield None


def _let_go(number: int | None) -> sa.Delete:
    """Return what lets go of a job that is over."""
    over = sa.select(jobs.c.number).where(jobs.c.number == number, jobs.c.state.in_(OVER))
    return job_holds.delete().where(job_holds.c.number.in_(over))


def is_over(connection: sa.Connection, job_id: str) -> bool:
    """Say whether a job has ended, however it ended."""
    return connection.scalar(sa.select(jobs.c.state).where(jobs.c.id == job_id)) in OVER


def _job(row: Any) -> Job:
    return of_row(Job, row, parameters=json.loads(row.parameters))
