"""Compares the parcels of a submission, a stretch at a time; each stretch is kept whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

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


def compare_submission(work: Workplace, job: Job, halt: Callable[[], bool]) -> str | None:
    """Compare what is not compared yet; return where the result is, or None where it was halted before the end."""
    release = work.release()
    with reading(work.engine) as connection:
        submission = submissions.submission_of(connection, job.subject)
    if submission is None:
        raise Refused("not_found", "The submission of this job is gone.")
    while True:
        with reading(work.engine) as connection:
            stretch = submissions.waiting(connection, job.subject, STRETCH)
        if not stretch:
            break
        if halt():
            return None
        _compare_stretch(work, job, release, stretch, submission.received_at.date())
    with registering(work.engine) as connection:
        values = {"release": release.name, "n_parcels": submission.n_parcels}
        submissions.set_compared(connection, job.subject, job.actor, values)
    return f"/v1/submissions/{job.subject}"


def _compare_stretch(
    work: Workplace, job: Job, release: Release, stretch: Sequence[tuple[int, dict[str, Any]]], status_on: date
) -> None:
    good: list[tuple[int, Parcel]] = []
    documents = dict(stretch)
    bad: list[tuple[int, tuple[Problem, ...]]] = []
    for ordinal, document in stretch:
        try:
            good.append((ordinal, ingest_json(document, release.scheme, release.zone_table, sealed=True)))
        except IngestError as error:
            bad.append((ordinal, error.problems))
    created_at = this_second()
    started = time.perf_counter()
    reports = _reports([parcel for _, parcel in good], release, status_on, created_at, work.settings.scheduler)
    seconds = (time.perf_counter() - started) / max(1, len(good))
    with registering(work.engine) as connection:
        waiting = submissions.waiting_places(connection, job.subject)
        kept: dict[int, Examined] = {}
        for ordinal, problems in bad:
            submissions.place_problems(
                connection, job.subject, ordinal, [submissions.kept_problem(item) for item in problems]
            )
        for (ordinal, _), report in zip(good, reports, strict=True):
            if ordinal not in waiting:
                continue  # somebody else, who was thought dead, has kept it
            if isinstance(report, NotExamined):
                told = [submissions.kept_problem(item) for item in report.problems]
                submissions.place_problems(connection, job.subject, ordinal, told)
                continue
            kept[ordinal] = Examined(
                content=report.content,
                report=report.to_json(),
                document=documents[ordinal],
                submission_id=job.subject,
            )
            work.meters.compared(kept[ordinal].content["conclusion"], seconds)
        comparisons.keep(connection, *flagged(connection, [*kept.values()]), actor=job.actor)
        submissions.place_comparisons(connection, job.subject, {place: one.id for place, one in kept.items()})
        left = waiting - {ordinal for ordinal, _ in stretch}
        jobs.progress(connection, job, job.total - len(left))


def _reports(
    parcels: Sequence[Parcel], release: Release, status_on: date, created_at: datetime, scheduler: str | None
) -> Sequence[Report | NotExamined]:
    if not parcels:
        return ()
    if scheduler is None:
        return list(examine_each(Batch(tuple(parcels)), release, status_on=status_on, created_at=created_at))
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise KPFootprintError("KPF_SCHEDULER needs the extra dask: pip install 'kpfootprint[dask]'") from None
    with Client(scheduler, set_as_default=False) as client:  # type: ignore[no-untyped-call]
        there = client.scatter(release, broadcast=True)
        future = client.submit(report_texts, tuple(parcels), there, status_on, created_at, pure=False)
        return [one if isinstance(one, NotExamined) else read_report(one) for one in future.result()]


def report_texts(
    parcels: tuple[Parcel, ...], release: Release, status_on: date, created_at: datetime
) -> list[str | NotExamined]:
    """Return the text of every parcel's report; runs wherever the scheduler sends it."""
    found = examine_each(Batch(parcels), release, status_on=status_on, created_at=created_at)
    return [one if isinstance(one, NotExamined) else one.to_json() for one in found]
