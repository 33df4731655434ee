"""Compares the parcels of a submission, a stretch at a time; each stretch is kept whole or not at all."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from kpfootprint.cluster import SchedulerError, connected, shared
from kpfootprint.errors import IngestError, KPFootprintError, NotExamined, Problem
from kpfootprint.flow import examine_each
from kpfootprint.ingest import ingest_json
from kpfootprint.parcel import Batch, Parcel
from kpfootprint.release import Release
from kpfootprint.report.report import Report
from service.clock import this_second
from service.errors import Refused
from service.register import comparisons, jobs, submissions
from service.register.comparisons import Examined, unpacked
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
Examine = Callable[[Batch], Callable[[], Found]]
"""Begins to examine parcels and returns what waits for their reports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Parcels by their places: as they are kept, those that are examined, and what is wrong with the others."""

    kept: Mapping[int, bytes]
    good: Mapping[int, dict[str, Any]]
    bad: Mapping[int, Sequence[Problem]]
    reports: Callable[[], Found]


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
            starts = range(0, len(waiting), STRETCH)
            for stretch in [_begun(dict(waiting[start : start + STRETCH]), release, begin) for start in starts]:
                if halt():
                    raise Halted
                _keep(work, job, stretch)


def _begun(kept: Mapping[int, bytes], release: Release, begin: Examine) -> Stretch:
    documents: dict[int, dict[str, Any]] = {}
    parcels: list[Parcel] = []
    bad: dict[int, Sequence[Problem]] = {}
    for ordinal, text in kept.items():
        document = json.loads(unpacked(text))
        try:
            parcels.append(ingest_json(document, release.scheme, release.zone_table, sealed=True))
            documents[ordinal] = document
        except IngestError as error:
            bad[ordinal] = error.problems
    return Stretch(kept=kept, good=documents, bad=bad, reports=begin(Batch(tuple(parcels))) if parcels else tuple)


def _keep(work: Workplace, job: Job, stretch: Stretch) -> None:
    started = time.perf_counter()
    found = dict(zip(stretch.good, stretch.reports(), strict=True))
    seconds = (time.perf_counter() - started) / max(1, len(found))
    bad = {**stretch.bad, **{place: one.problems for place, one in found.items() if isinstance(one, NotExamined)}}
    with registering(work.engine) as connection:
        # others, thought dead, may have kept some
        waiting, others = submissions.still_waiting(connection, job.subject, stretch.kept)
        for place, problems in bad.items():
            if place in waiting:
                submissions.place_problems(connection, job.subject, place, problems)
        kept = {
            place: Examined.of(one, stretch.good[place], parcel=stretch.kept[place], submission_id=job.subject)
            for place, one in found.items()
            if place in waiting and not isinstance(one, NotExamined)
        }
        for one in kept.values():
            work.meters.compared(one.content["conclusion"], seconds)
        comparisons.keep(connection, *flagged(connection, [*kept.values()]), actor=job.actor)
        submissions.place_comparisons(connection, job.subject, {place: one.id for place, one in kept.items()})
        jobs.progress(connection, job, job.total - others)


@contextmanager
def _examining(
    release: Release, status_on: date, scheduler: str | None, halt: Callable[[], bool]
) -> Iterator[tuple[Examine, int]]:
    """Give what begins to examine parcels, here or on a cluster, and how many stretches to begin at once."""
    if scheduler is None:
        yield lambda batch: partial(examine_each, batch, release, status_on=status_on, created_at=this_second()), 1
        return
    try:
        with connected(scheduler) as client:
            release_there = shared(client, release)

            def there(batch: Batch) -> Callable[[], Found]:
                when = {"status_on": status_on, "created_at": this_second()}
                return partial(_waited_for, client.submit(examine_each, batch, release_there, **when, pure=False), halt)

            yield there, 2 * max(1, sum(client.nthreads().values()))
    except (KPFootprintError, Refused, SQLAlchemyError, Halted):
        raise  # of the register, or of whoever asked
    except Exception as error:  # closed streams, futures that nobody holds, workers that are not there any more
        raise ClusterLost(
            "the cluster at {scheduler} cannot be reached, or its workers ended: {error}",
            scheduler=scheduler,
            error=error,
        ) from error


def _waited_for(future: Any, halt: Callable[[], bool]) -> Found:
    """Return the reports of a stretch; a cluster without workers is waited for as long as that is wanted."""
    while not future.done():
        if halt():
            raise Halted
        with suppress(TimeoutError):
            future.result(timeout=1.0)
    reports: Found = future.result()
    return reports
