"""Compare a parcel and keep its report."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from kpfootprint.flow import examine
from kpfootprint.ingest import parcel_to_json
from kpfootprint.parcel import Batch, Parcel
from kpfootprint.release import Release
from kpfootprint.report.report import canonical
from service.clock import this_second
from service.errors import Refused
from service.register import comparisons
from service.register.comparisons import KeyReused, Once
from service.work.place import Workplace


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A comparison as it is answered; `report` is its JSON text."""

    id: str
    report: str


def compare(work: Workplace, read: Callable[[Release], Parcel], *, actor: str, once: Once | None = None) -> Kept:
    """Compare the parcel that `read` gives and keep its report before anybody sees it.

    A request that was acknowledged before under the same Idempotency-Key gets its first answer again.
    """
    try:
        first = None if once is None else comparisons.replayed(work.engine, once)
        if first is None:
            first = _compared(work, read, actor, once)
    except KeyReused:
        raise Refused("idempotency_key_reused", "This Idempotency-Key came before, with another body.") from None
    return Kept(id=first[0], report=first[1])


def _compared(work: Workplace, read: Callable[[Release], Parcel], actor: str, once: Once | None) -> tuple[str, str]:
    release = work.release()
    parcel = read(release)
    created_at = this_second()
    started = time.perf_counter()
    (report,) = examine(Batch((parcel,)), release, status_on=created_at.date(), created_at=created_at)
    work.meters.compared(report.content["conclusion"], time.perf_counter() - started)
    return comparisons.keep(
        work.engine,
        actor=actor,
        created_at=created_at,
        content=report.content,
        report=report.to_json(),
        parcel=canonical(parcel_to_json(parcel, release.scheme)),
        once=once,
    )
