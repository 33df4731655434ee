"""Receive a parcel and compare it, or a submission and leave that to a worker: whatever came under a key, once."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Any, TypeVar

import sqlalchemy as sa

from kpfootprint.errors import IngestError, Problem
from kpfootprint.flow import examine
from kpfootprint.ingest import Choices, Reading, ingest_submission, parcel_to_json
from kpfootprint.ingest.problems import Broken, problem
from kpfootprint.parcel import Batch, Parcel
from kpfootprint.release import Release
from kpfootprint.retold import Said
from service.clock import this_second
from service.errors import Refused, told_alone
from service.register import comparisons, submissions
from service.register.comparisons import Examined, Kept, KeyReused, Once
from service.register.database import reading, registering
from service.register.earlier import newest
from service.register.submissions import Submission
from service.work.flags import flagged
from service.work.place import Workplace
from service.work.reading import upload_of

Result = TypeVar("Result")
Instead = TypeVar("Instead")
"""What is shown in the place of a report; never, where a parcel is all that may come of a reading."""


def once_of(key: str | None, actor: str, *came: bytes) -> Once | None:
    """Return an Idempotency-Key with what came under it, or None where there is none."""
    if key is None:
        return None
    if not (1 <= len(key) <= 255 and key.isascii() and key.isprintable()):
        reason = Said("1 to 255 printable ASCII characters are needed")
        raise told_alone(
            Problem(table="header", column="Idempotency-Key", value=key[:80], code="invalid", reason=reason)
        )
    return Once(actor=actor, key=key, request_sha256=sha256(b"\0".join(came)).hexdigest())


def done_once(
    work: Workplace,
    once: Once | None,
    replayed: Callable[[sa.Connection, Once], Result | None],
    do: Callable[[], Result],
) -> Result:
    """Return what `replayed` finds of the first request, or what `do` returns where there was none."""

    def first() -> Result | None:
        if once is None:
            return None
        with reading(work.engine) as connection:
            return replayed(connection, once)

    try:
        try:
            return first() or do()
        except sa.exc.IntegrityError:  # another request with the same key was faster
            found = first()
            if found is None:
                raise
            return found
    except KeyReused:
        raise Refused("idempotency_key_reused", "This Idempotency-Key came before, with another body.") from None


def compare(
    work: Workplace,
    read: Callable[[Release], Parcel | Instead],
    *,
    actor: str,
    once: Once | None = None,
    large: bool = False,
) -> Kept | Instead:
    """Compare the parcel that `read` gives and keep its report before anybody sees it; return what it gives instead.

    A request that was acknowledged before under the same Idempotency-Key gets its first answer again.
    """
    found: Kept | Instead = done_once(
        work, once, comparisons.replayed, lambda: work.do(_compared, read, actor, once, large, large=large)
    )
    if isinstance(found, Kept) and found.made is not None:
        work.meters.compared(*found.made)
    return found


def _compared(
    work: Workplace, read: Callable[[Release], Parcel | Instead], actor: str, once: Once | None, large: bool
) -> Kept | Instead:
    release = work.release()
    parcel = read(release)
    if not isinstance(parcel, Parcel):
        return parcel
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


def submit(
    work: Workplace,
    *,
    name: str,
    content: bytes,
    note: str,
    actor: str,
    once: Once | None = None,
    choices: Choices | None = None,
    large: bool = False,
) -> Submission:
    """Receive a file of parcels; `choices` say what is meant where a sheet can be read in two ways.

    Raises
    ------
    IngestError
        Where the file cannot be read; nothing is kept then.
    """
    receive = partial(work.do, _received, name, content, note, choices, actor, once, large=large)
    return done_once(work, once, submissions.replayed, receive)


def _received(
    work: Workplace, name: str, content: bytes, note: str, choices: Choices | None, actor: str, once: Once | None
) -> Submission:
    read = read_submission(work, name, content, choices)
    parcels, days = _parcels(read, work.release()), work.settings.clock_days
    with registering(work.engine) as connection:
        return submissions.receive(
            connection, parcels, file=(name, content), note=note, actor=actor, clock_days=days, once=once
        )


def read_submission(work: Workplace, name: str, content: bytes, choices: Choices | None = None) -> Reading:
    """Read a file of parcels and keep nothing."""
    upload, release = upload_of(name, content), work.release()
    if upload.name.lower().endswith(".json"):
        raise IngestError([problem(Broken("unknown_file_kind"), table="file", value=upload.name)])
    read = ingest_submission(upload, release.scheme, release.zone_table, choices=choices)
    if not read.order:
        raise IngestError([Problem(table="file", value=name[:80], code="no_parcels", reason="it holds no parcels")])
    return read


def _parcels(read: Reading, release: Release) -> list[dict[str, Any]]:
    good = {parcel.parcel_id: parcel_to_json(parcel, release.scheme, sealed=True) for parcel in read.parcels}
    bad = {failure.parcel_id: failure.problems for failure in read.failures}
    return [submissions.as_it_came(one, good.get(one), bad.get(one, ())) for one in read.order]
