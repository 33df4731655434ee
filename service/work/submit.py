"""Receive a submission: read it whole, keep everything that came, and leave the comparing to a worker."""

from __future__ import annotations

from functools import partial
from typing import Any

from kpfootprint.errors import IngestError, Problem
from kpfootprint.ingest import Choices, Reading, parcel_to_json
from kpfootprint.release import Release
from kpfootprint.report.report import canonical
from service.register import submissions
from service.register.comparisons import Once, packed
from service.register.database import registering
from service.register.submissions import Received, ReceivedParcel, Submission
from service.work.once import done_once
from service.work.place import Workplace
from service.work.reading import submission_of_file, upload_of


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
    received = Received(file_name=name, file=content, note=note, parcels=_parcels(read, work.release()))
    with registering(work.engine) as connection:
        return submissions.receive(connection, received, actor=actor, clock_days=work.settings.clock_days, once=once)


def read_submission(work: Workplace, name: str, content: bytes, choices: Choices | None = None) -> Reading:
    """Read a file of parcels and keep nothing."""
    read = submission_of_file(work.release(), upload=upload_of(name, content), choices=choices)
    if not read.order:
        raise IngestError([Problem(table="file", value=name[:80], code="no_parcels", reason="it holds no parcels")])
    return read


def _parcels(read: Reading, release: Release) -> list[ReceivedParcel]:
    good: dict[str, dict[str, Any]] = {
        parcel.parcel_id: parcel_to_json(parcel, release.scheme, sealed=True) for parcel in read.parcels
    }
    bad = {failure.parcel_id: failure.problems for failure in read.failures}
    return [
        ReceivedParcel(
            parcel_id=parcel_id,
            document=good.get(parcel_id),
            packed=packed(canonical(good[parcel_id])) if parcel_id in good else None,
            problems=[submissions.kept_problem(problem) for problem in bad.get(parcel_id, ())],
        )
        for parcel_id in read.order
    ]
