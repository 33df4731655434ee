"""Compare a parcel and keep its report."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from kpfootprint.flow import examine
from kpfootprint.ingest import parcel_to_json
from kpfootprint.parcel import Batch, Parcel
from kpfootprint.release import Release
from service.clock import this_second
from service.register import comparisons
from service.register.comparisons import Examined, Once
from service.register.database import reading, registering
from service.register.earlier import newest
from service.work.flags import flagged
from service.work.once import done_once
from service.work.place import Workplace


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A comparison as it is answered; `report` is its JSON text, `made` its conclusion and seconds where it is new."""

    id: str
    report: str
    made: tuple[str | None, float] | None = None


def compare(
    work: Workplace, read: Callable[[Release], Parcel], *, actor: str, once: Once | None = None, large: bool = False
) -> Kept:
    """Compare the parcel that `read` gives and keep its report before anybody sees it.

    A request that was acknowledged before under the same Idempotency-Key gets its first answer again.
    """
    kept = done_once(work, once, _first, lambda: work.do(_compared, read, actor, once, large, large=large))
    if kept.made is not None:
        work.meters.compared(*kept.made)
    return kept


def _first(connection: sa.Connection, once: Once) -> Kept | None:
    first = comparisons.replayed(connection, once)
    return None if first is None else Kept(id=first[0], report=first[1])


def _compared(work: Workplace, read: Callable[[Release], Parcel], actor: str, once: Once | None, large: bool) -> Kept:
    release = work.release()
    parcel = read(release)
    created_at = this_second()
    started = time.perf_counter()
    (report,) = examine(Batch((parcel,)), release, status_on=created_at.date(), created_at=created_at)
    kept, position = Examined.of(report, parcel_to_json(parcel, release.scheme, sealed=True)), None
    made = kept.content["conclusion"], time.perf_counter() - started
    if large:  # to lay so many stones beside others takes longer than others wait for the register
        with reading(work.engine) as connection:
            position = newest(connection)
            (kept,) = flagged(connection, [kept])
    with registering(work.engine) as connection:
        if position is None or newest(connection) != position:
            (kept,) = flagged(connection, [kept])
        comparisons.keep(connection, kept, actor=actor, once=once)
    return Kept(id=kept.id, report=kept.report, made=made)
