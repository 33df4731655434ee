"""Compares the parcels of a submission, or all of the register with another release, a stretch at a time.

Each stretch is kept whole or not at all; old reports stay.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import sqlalchemy as sa

from kpfootprint.cluster import SchedulerError, connected, shared
from kpfootprint.errors import IngestError, KPFootprintError, NotExamined, Problem
from kpfootprint.flow import examine, examine_each
from kpfootprint.ingest import ingest_json
from kpfootprint.parcel import Batch, Parcel
from kpfootprint.release import Release, load_release
from kpfootprint.report import read_report
from kpfootprint.report.report import Report
from service.clock import this_second
from service.errors import Refused
from service.register import comparisons, entries, jobs, submissions
from service.register.comparisons import Examined, unpacked
from service.register.database import reading, registering
from service.register.jobs import Job
from service.register.tables import comparisons as comparison_table
from service.work.flags import flagged
from service.work.place import Workplace
from service.work.releases import known_release

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
    except (KPFootprintError, Refused, sa.exc.SQLAlchemyError, Halted):
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


def reexamine(work: Workplace, job: Job, halt: Callable[[], bool]) -> str | None:
    """Examine every parcel that stood in the register when the job was asked for, with the release it names."""
    release = load_release(known_release(work, job.parameters["release"]).folder)
    done = job.done
    while done < job.total:
        if halt():
            return None
        changes, looked_at = _looked_at(work, job, release, done)
        if not looked_at:
            break
        done += looked_at
        with registering(work.engine) as connection:
            values = {"job": job.id, "release": release.name, "looked_at": looked_at, "changes": changes}
            entries.append(connection, "reexamination", actor=job.actor, subject=job.id, values=values)
            jobs.progress(connection, job, done)
    return f"/v1/reexaminations/{job.id}"


def _looked_at(work: Workplace, job: Job, release: Release, done: int) -> tuple[list[dict[str, Any]], int]:
    table = comparison_table.c
    query = sa.select(table.id, table.parcel, table.report, table.conclusion, table.log10_lr)
    query = query.where(table.position <= job.parameters["up_to"]).order_by(table.position)
    with reading(work.engine) as connection:
        rows = connection.execute(query.offset(done).limit(STRETCH)).all()
    changes: list[dict[str, Any]] = []
    now = this_second()
    for row in rows:
        before = read_report(unpacked(row.report)).content
        change: dict[str, Any] = {"comparison": f"/v1/comparisons/{row.id}", "before": row.conclusion}
        try:
            parcel = ingest_json(json.loads(unpacked(row.parcel)), release.scheme, release.zone_table, sealed=True)
            stated = before["parcel"].get("status_on")
            day = now.date() if stated is None else date.fromisoformat(stated)
            (report,) = examine(Batch((parcel,)), release, status_on=day, created_at=now)
        except (KPFootprintError, Refused) as error:
            changes.append(change | {"after": None, "why": str(error)})
            continue
        after = report.content
        if after["conclusion"] != row.conclusion:
            told = after["verification"]
            log10_lr = None if told is None else told["log10_lr"]
            changes.append(
                change
                | {
                    "after": after["conclusion"],
                    "log10_lr_before": row.log10_lr,
                    "log10_lr_after": log10_lr,
                    "why": _why(row.log10_lr, log10_lr, before, after),
                }
            )
    return changes, len(rows)


def _why(before: float | None, after: float | None, old: Any, new: Any) -> str:
    """Say what moved: the LR, and what asked for a query or kept it from being consistent, then and now."""
    reasons = []
    if before is not None and after is not None and before != after:
        reasons.append(f"log10 LR went from {before:.2f} to {after:.2f}")
    for when, content in (("before", old), ("now", new)):
        said = (content["explanation"] or {}).get("sentences", ())
        told = " ".join(item["text"] for item in said if item["code"].startswith(("asks_", "short_")))
        reasons.append(f"{when} {content['conclusion']}{told and ': '}{told}")
    return "; ".join(reasons)
