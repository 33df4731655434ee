"""Runs a release over the parcels of the register and tells which conclusions would be others; old reports stay."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import sqlalchemy as sa

from kpfootprint.errors import KPFootprintError
from kpfootprint.flow import examine
from kpfootprint.ingest import ingest_json
from kpfootprint.parcel import Batch
from kpfootprint.release import Release, load_release
from kpfootprint.report import read_report
from service.clock import this_second
from service.errors import Refused
from service.register import entries, jobs
from service.register.comparisons import unpacked
from service.register.database import reading, registering
from service.register.jobs import Job
from service.register.tables import comparisons as table
from service.work.place import Workplace
from service.work.releases import known_release

STRETCH = 32


def reexamine(work: Workplace, job: Job, halt: Callable[[], bool]) -> str | None:
    """Examine every parcel that stood in the register when the job was asked for, with the release it names."""
    release = load_release(known_release(work, job.parameters["release"]).folder)
    done = job.done
    while done < job.total:
        if halt():
            return None
        changes, looked_at = _stretch(work, job, release, done)
        if not looked_at:
            break
        done += looked_at
        with registering(work.engine) as connection:
            values = {"job": job.id, "release": release.name, "looked_at": looked_at, "changes": changes}
            entries.append(connection, "reexamination", actor=job.actor, subject=job.id, values=values)
            jobs.progress(connection, job, done)
    return f"/v1/reexaminations/{job.id}"


def _stretch(work: Workplace, job: Job, release: Release, done: int) -> tuple[list[dict[str, Any]], int]:
    columns = (table.c.id, table.c.parcel, table.c.report, table.c.conclusion, table.c.log10_lr)
    query = sa.select(*columns).where(table.c.position <= job.parameters["up_to"]).order_by(table.c.position)
    with reading(work.engine) as connection:
        rows = connection.execute(query.offset(done).limit(STRETCH)).all()
    changes: list[dict[str, Any]] = []
    now = this_second()
    for row in rows:
        before = read_report(unpacked(row.report)).content
        change: dict[str, Any] = {"comparison": f"/v1/comparisons/{row.id}", "before": row.conclusion}
        try:
            parcel = ingest_json(json.loads(unpacked(row.parcel)), release.scheme, release.zone_table, sealed=True)
            day = _day(before) or now.date()
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


def _day(content: Any) -> date | None:
    told = content["parcel"].get("status_on")
    return None if told is None else date.fromisoformat(told)


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
