"""Take in what another register exported: a laptop's, that had no network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import AwareDatetime, Field, StrictFloat, StrictInt, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from kpfootprint.conclusions import Conclusion
from kpfootprint.errors import IngestError, Problem, ReportError
from kpfootprint.ingest import ingest_json
from kpfootprint.release import Release
from kpfootprint.report import read_report, render_html
from kpfootprint.report.report import canonical
from kpfootprint.retold import Said, said_of
from kpfootprint.strict_json import read_json
from service.clock import now
from service.misfits import reason_of
from service.register import comparisons, entries, jobs, submissions
from service.register.comparisons import Examined
from service.register.database import registering
from service.register.entries import Entry
from service.register.jobs import Job
from service.register.tables import comparisons as comparison_table
from service.register.tables import entries as entry_table
from service.work.flags import flagged
from service.work.place import Workplace


class _Zone(TypedDict):
    zone_id: str


class _Parcel(TypedDict):
    parcel_id: Annotated[str, Field(max_length=200)]
    n_stones: StrictInt
    carats: StrictFloat | StrictInt | None
    declared: list[_Zone]


class _Model(TypedDict):
    release: str


class _Verification(TypedDict):
    log10_lr: StrictFloat | StrictInt


class _Report(TypedDict):
    created_at: AwareDatetime
    conclusion: Conclusion | None
    model: _Model
    parcel: _Parcel
    verification: _Verification | None


class _Opinion(TypedDict):
    conclusion: Conclusion
    reasons: str


class _Share(_Zone):
    share: Annotated[StrictFloat | StrictInt, Field(gt=0, le=1)]


class _Outcome(TypedDict):
    origin: Annotated[list[_Share], Field(min_length=1)]
    source: str


_ENTRY, _REPORT = TypeAdapter(Entry), TypeAdapter(_Report)
_SAID: Mapping[str, TypeAdapter[Any]] = {"opinion": TypeAdapter(_Opinion), "outcome": TypeAdapter(_Outcome)}
"""What is needed of lines later: whoever made them may have made anything."""

_BROKEN = (ReportError, ValueError, TypeError, LookupError, AttributeError)

STRETCH = 50
MAX_PROBLEMS = 100
AHEAD = timedelta(hours=1)
TAKEN = ("comparison", "opinion", "outcome")
"""Kinds of entries that are taken in; activations and submissions are a register's own affair."""


def queue_import(work: Workplace, content: bytes, *, actor: str) -> str:
    """Keep an export with the job that takes it in; raise `IngestError` where it is none."""
    lines = list(_lines(content))
    with registering(work.engine) as connection:
        job_id = jobs.enqueue(connection, "import", subject="register", actor=actor, total=len(lines))
        submissions.keep_file(connection, job_id, "export.jsonl", content)
    return job_id


def run_import(work: Workplace, job: Job, halt: Callable[[], bool]) -> str | None:
    """Take in what is not here yet; None where it was halted."""
    found = submissions.file_of(work.engine, job.id)
    lines = [] if found is None else list(_lines(found[1]))

    def note(connection: sa.Connection, done: int) -> None:
        jobs.progress(connection, job, job.done + done)

    taken = _take_each(work, lines[job.done :], job.actor, note, halt)
    return None if taken is None else "/v1/comparisons"


def take_in(work: Workplace, content: bytes, *, actor: str) -> tuple[int, int]:
    """Take in an export at once; return how many entries were new, and how many were here or are not taken."""
    lines = list(_lines(content))
    taken = _take_each(work, lines, actor) or 0
    return taken, len(lines) - taken


def _take_each(
    work: Workplace,
    lines: Sequence[Mapping[str, Any]],
    actor: str,
    note: Callable[[sa.Connection, int], None] = lambda _, __: None,
    halt: Callable[[], bool] = lambda: False,
) -> int | None:
    """Take lines in, a stretch at a time, each with a note of how far that is; return how many were new."""
    release, taken = work.release(), 0
    for start in range(0, len(lines), STRETCH):
        if halt():
            return None
        with registering(work.engine) as connection:
            taken += sum(_take(connection, line, actor, release) for line in lines[start : start + STRETCH])
            note(connection, min(start + STRETCH, len(lines)))
    return taken


def _take(connection: sa.Connection, line: Mapping[str, Any], actor: str, release: Release) -> bool:
    """Take one line in where it is new; raise `IngestError` where nothing could be made of it afterwards."""
    try:
        return _taken(connection, line, actor, release)
    except (*_BROKEN, IngestError, sa.exc.IntegrityError) as error:
        said = {"kind": line["kind"], "subject": line["subject"], "error": _told(error)}
        reason = Said("{kind} {subject} cannot be taken in: {error}", **said)
        raise IngestError([Problem(table="export", row=line["position"], code="invalid", reason=reason)]) from None


def _told(error: Exception) -> str:
    """Return what is wrong with a line, in one line."""
    match error:
        case ValidationError():
            first = error.errors(include_url=False)[0]
            return Said("{place}: {error}", place=".".join(map(str, first["loc"])), error=reason_of(first))
        case IngestError(problems=problems):
            return problems[0].reason
        case sa.exc.IntegrityError():
            return str(error)[:200].splitlines()[0]
        case _:
            return said_of(error)


def _taken(connection: sa.Connection, line: Mapping[str, Any], actor: str, release: Release) -> bool:
    here = sa.select(entry_table.c.position).where(entry_table.c.id == line["id"])
    if line["kind"] not in TAKEN or connection.scalar(here) is not None:
        return False
    origin = {name: line[name] for name in ("actor", "position", "hash")}
    at = datetime.fromisoformat(line["at"])
    if line["kind"] != "comparison":
        known = sa.select(comparison_table.c.position).where(comparison_table.c.id == line["subject"])
        if connection.scalar(known) is None:
            return False
        _SAID[line["kind"]].validate_python(line["values"])
        values = dict(line["values"]) | {"imported": origin}
        entries.append(
            connection, line["kind"], actor=actor, subject=line["subject"], values=values, at=at, entry_id=line["id"]
        )
        return True
    report = read_report(line["report"])
    _REPORT.validate_python(report.content)
    ingest_json(line["parcel"], release.scheme, release.zone_table, sealed=True)
    render_html(report)
    came = Examined.of(report, line["parcel"], id=line["subject"])
    comparisons.keep(connection, *flagged(connection, [came]), actor=actor, at=at, entry_id=line["id"], origin=origin)
    return True


def _lines(content: bytes) -> Iterator[Mapping[str, Any]]:
    """Yield the lines of an export, each as it was hashed; raise `IngestError` with those that are none.

    Of a file that has no such line the first is told alone: it is another file.
    """
    problems: list[Problem] = []
    good: list[Mapping[str, Any]] = []
    for number, text in enumerate(content.splitlines(), start=1):
        if not text.strip():
            continue
        try:
            line = read_json(text)
            _check(line)
        except _BROKEN as error:
            reason = Said("not a line of a register's export, or changed since: {error}", error=_told(error))
            problems.append(Problem(table="export", row=number, code="invalid", reason=reason))
        else:
            good.append(line)
        if len(problems) >= MAX_PROBLEMS:
            break
    if not good and not problems:
        problems.append(Problem(table="export", code="invalid", reason="it holds no line of a register's export"))
    if problems:
        raise IngestError(problems if good else problems[:1])
    yield from good


def _check(line: Any) -> None:
    entry = _ENTRY.validate_python(line)
    if entry.at > now() + AHEAD:
        raise ValueError(Said("it lies in the future; look at the clock of the other machine"))
    if entry.expected_hash() != entry.hash:
        raise ValueError(Said("its hash is another"))
    if entry.kind == "comparison":
        read_report(line["report"])
        for name, text in (("report", line["report"]), ("parcel", canonical(line["parcel"]))):
            if sha256(text.encode()).hexdigest() != entry.values[f"{name}_sha256"]:
                raise ValueError(Said("its member {name} is another", name=name))
