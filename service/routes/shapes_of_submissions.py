"""The shapes of submissions, their jobs, and the certificates they are held against."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired

from pydantic import Field, with_config
from typing_extensions import TypedDict

from kpfootprint.conclusions import Conclusion
from service.register import jobs, submissions
from service.register.certificates import Reported
from service.routes.shapes import STRICT, Day, Flag, Href, Moment, Name, ProblemShape, page_of, told_of
from service.routes.shapes_of_planning import Said


class Job(TypedDict):
    """Work that is done beside the requests."""

    id: str
    kind: jobs.Kind
    state: jobs.State
    progress: Progress
    created_at: Moment
    started_at: Moment | None
    ended_at: Moment | None
    problem: str | None
    result: Href | None
    remarks: NotRequired[list[Said]]
    problems: NotRequired[list[ProblemShape]]


class Accepted(Job):
    """A job that was put into the queue, and where to ask for it."""

    job: Href


class Progress(TypedDict):
    """How far a job is."""

    done: int
    total: int


class SubmittedParcel(TypedDict):
    """A parcel of a submission."""

    parcel_id: str
    comparison: Href | None
    conclusion: Conclusion | None
    log10_lr: float | None
    flags: list[Flag]
    problems: list[ProblemShape]


class Decided(TypedDict):
    """The last decision."""

    decision: submissions.Decision
    note: str
    actor: str
    at: Moment


class Event(TypedDict):
    """Something that happened, as the register keeps it."""

    at: Moment
    actor: str
    event: str
    values: dict[str, Any]


ITEM: dict[str, Any] = {
    "but": ("position", "actor", "job_id"),
    "url": Href,
    "overdue": bool,
    "job": Href,
    "decision": Decided | None,
}
SubmissionItem = told_of("SubmissionItem", submissions.Submission, "A submission in a list.", **ITEM)
Submission = told_of(
    "Submission",
    submissions.Submission,
    "A submission with its parcels and everything that happened to it.",
    **ITEM,
    parcels=list[SubmittedParcel],
    flags=list[Flag],
    figures=dict[str, float | None],
    history=list[Event],
)
Submissions = page_of("Submissions", SubmissionItem, "A page of submissions.")


class SubmissionReceived(TypedDict):
    """A submission that was received, and the job that compares it."""

    id: str
    job: Href


@with_config(STRICT)
class Noted(TypedDict):
    """What somebody remarks on a submission."""

    note: NotRequired[Annotated[str, Field(max_length=5000)]]


@with_config(STRICT)
class NewDecision(Noted):
    """A decision."""

    decision: submissions.Decision


@with_config(STRICT)
class Certificate(TypedDict):
    """A certificate that somebody reported as fraudulent."""

    certificate_no: Annotated[Name, Field(max_length=100)]
    reported_by: Name
    reported_on: NotRequired[Day | None]
    note: NotRequired[Annotated[str, Field(max_length=2000)] | None]


@with_config(STRICT)
class NewCertificates(TypedDict):
    """Certificates that were reported."""

    items: Annotated[list[Certificate], Field(min_length=1, max_length=100_000)]


class CertificatesAdded(TypedDict):
    """How many were new, and how many known already."""

    added: int
    known: int


CertificateItem = told_of(
    "CertificateItem", Reported, "A certificate that was reported, as it is kept.", reported_on=Day | None
)
Certificates = page_of("Certificates", CertificateItem, "A page of certificates that were reported.")
