"""Compares the parcels of a submission, a stretch at a time; each stretch is kept whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from functools import partial
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from kpfootprint.cluster import SchedulerError, connected, shared
from kpfootprint.errors import IngestError, KPFootprintError, NotExamined, Problem
from kpfootprint.flow import examine_each
from kpfootprint.ingest import ingest_json
from kpfootprint.parcel import Batch, Parcel
from kpfootprint.release import Release
from kpfootprint.report import read_report
from kpfootprint.report.report import Report
from service.clock import this_second
from service.errors import Refused
from service.register import comparisons, jobs, submissions
from service.register.comparisons import Examined
from service.register.database import reading, registering
from service.register.jobs import Job
from service.work.flags import flagged
from service.work.place import Workplace

STRETCH = 32
"""Parcels compared together: what a killed worker has to do again, at most."""


TRIES = 3
"""Times that a cluster is asked for what is not kept yet, where its workers end in the middle."""


class ClusterLost(KPFootprintError):
    """The cluster, or what was under way there, is gone; what was kept is kept."""


class Halted(Exception):
    """The job is not wanted now."""


Found = Sequence[Report | NotExamined]
Examine = Callable[[Sequence[Parcel]], Callable[[], Found]]
"""Begins to examine parcels and returns what waits for their reports."""


def compare_submission(work: Workplace, job: Job, halt: Callable[[], bool]) -> str | None:
    """Compare what is not compared yet; return where the result is, or None where it was halted before the end."""
    release = work.release()
    with reading(work.engine) as connection:
        submission = submissions.submission_of(connection, job.subject)
    if submission is None:
        raise Refused("not_found", "The submission of this job is gone.")
    for left in reversed(range(TRIES)):
        try:
            _compare_all(work, job, release, submission.received_at.date(), halt)
            break
        except Halted:
            return None
        except (ClusterLost, SchedulerError):
            if left == 0:
                raise
    with registering(work.engine) as connection:
        values = {"release": release.name, "n_parcels": submission.n_parcels}
        submissions.set_compared(connection, job.subject, job.actor, values)
    return f"/v1/submissions/{job.subject}"


def _compare_all(work: Workplace, job: Job, release: Release, status_on: date, halt: Callable[[], bool]) -> None:
    with _examining(release, status_on, work.settings.scheduler, halt) as (begin, at_once):
        while True:
            with reading(work.engine) as connection:
                waiting = submissions.waiting(connection, job.subject, STRETCH * at_once)
            if not waiting:
                return
            stretches = [waiting[start : start + STRETCH] for start in range(0, len(waiting), STRETCH)]
            begun = [_begun(stretch, release, begin) for stretch in stretches]
            for stretch, (good, bad, found) in zip(stretches, begun, strict=True):
                if halt():
                    raise Halted
                _keep(work, job, dict(stretch), good, bad, found)


Bad = list[tuple[int, tuple[Problem, ...]]]


def _begun(
    stretch: Sequence[tuple[int, dict[str, Any]]], release: Release, begin: Examine
) -> tuple[list[int], Bad, Callable[[], Found]]:
    """Return the places that are examined, what is wrong with the others, and what waits for the reports."""
    good: dict[int, Parcel] = {}
    bad: Bad = []
    for ordinal, document in stretch:
        try:
            good[ordinal] = ingest_json(document, release.scheme, release.zone_table, sealed=True)
        except IngestError as error:
            bad.append((ordinal, error.problems))
    return list(good), bad, begin(tuple(good.values()))


def _keep(
    work: Workplace,
    job: Job,
    documents: Mapping[int, dict[str, Any]],
    good: Sequence[int],
    bad: Bad,
    found: Callable[[], Found],
) -> None:
    started = time.perf_counter()
    reports = found()
    seconds = (time.perf_counter() - started) / max(1, len(good))
    with registering(work.engine) as connection:
        waiting = submissions.waiting_places(connection, job.subject)
        kept: dict[int, Examined] = {}
        for ordinal, problems in bad:
            submissions.place_problems(
                connection, job.subject, ordinal, [submissions.kept_problem(item) for item in problems]
            )
        for ordinal, report in zip(good, reports, strict=True):
            if ordinal not in waiting:
                continue  # somebody else, who was thought dead, has kept it
            if isinstance(report, NotExamined):
                told = [submissions.kept_problem(item) for item in report.problems]
                submissions.place_problems(connection, job.subject, ordinal, told)
                continue
            kept[ordinal] = Examined.of(report, documents[ordinal], submission_id=job.subject)
            work.meters.compared(kept[ordinal].content["conclusion"], seconds)
        comparisons.keep(connection, *flagged(connection, [*kept.values()]), actor=job.actor)
        submissions.place_comparisons(connection, job.subject, {place: one.id for place, one in kept.items()})
        left = waiting - documents.keys()
        jobs.progress(connection, job, job.total - len(left))


@contextmanager
def _examining(
    release: Release, status_on: date, scheduler: str | None, halt: Callable[[], bool]
) -> Iterator[tuple[Examine, int]]:
    """Give what begins to examine parcels, here or on a cluster, and how many stretches to begin at once."""
    if scheduler is None:

        def here(parcels: Sequence[Parcel]) -> Callable[[], Found]:
            batch = Batch(tuple(parcels))
            return lambda: (
                examine_each(batch, release, status_on=status_on, created_at=this_second()) if parcels else ()
            )

        yield here, 1
        return
    try:
        with connected(scheduler) as client:
            release_there = shared(client, release)

            def there(parcels: Sequence[Parcel]) -> Callable[[], Found]:
                future = client.submit(
                    report_texts, tuple(parcels), release_there, status_on, this_second(), pure=False
                )
                return partial(_waited_for, future, halt)

            yield there, 2 * max(1, sum(client.nthreads().values()))
    except (KPFootprintError, Refused, SQLAlchemyError, Halted):
        raise  # of the register, or of whoever asked
    except Exception as error:  # closed streams, futures that nobody holds, workers that are not there any more
        raise ClusterLost(f"the cluster at {scheduler} cannot be reached, or its workers ended: {error}") from error


def _waited_for(future: Any, halt: Callable[[], bool]) -> Found:
    """Return the reports of a stretch; a cluster without workers is waited for as long as that is wanted."""
    while not future.done():
        if halt():
            raise Halted
        with suppress(TimeoutError):
            future.result(timeout=1.0)
    return [one if isinstance(one, NotExamined) else read_report(one) for one in future.result()]


def report_texts(
    parcels: tuple[Parcel, ...], release: Release, status_on: date, created_at: datetime
) -> list[str | NotExamined]:
    """Return the text of every parcel's report; runs wherever the scheduler sends it."""
    found = examine_each(Batch(parcels), release, status_on=status_on, created_at=created_at) if parcels else ()
    return [one if isinstance(one, NotExamined) else one.to_json() for one in found]
