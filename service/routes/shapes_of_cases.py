"""The shapes of submissions, their jobs and certificates, and of what is said of a comparison later."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired

from pydantic import Field, with_config
from typing_extensions import TypedDict

from kpfootprint.conclusions import Conclusion
from service.register import jobs, submissions
from service.register.earlier import Reported
from service.register.jobs import State
from service.routes.shapes import (
    STRICT,
    CertificateNo,
    Day,
    Filled,
    Flag,
    Href,
    Moment,
    Name,
    Parcel,
    ProblemShape,
    page_of,
    told_of,
)
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

    certificate_no: CertificateNo
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


@with_config(STRICT)
class NewOpinion(TypedDict):
    """An expert's own conclusion."""

    conclusion: Conclusion
    reasons: Annotated[Filled, Field(max_length=20_000)]


class Opinion(NewOpinion):
    """An opinion as it is kept; `blind` where it was given before the computed conclusion could be seen."""

    blind: bool
    id: str
    comparison: Href
    at: Moment
    actor: str


@with_config(STRICT)
class Origin(TypedDict):
    """A source and its share of the stones."""

    zone_id: Annotated[str, Field(min_length=1, max_length=64)]
    share: Annotated[float, Field(gt=0, le=1)]


@with_config(STRICT)
class NewOutcome(TypedDict):
    """What became known later of where a parcel came from."""

    origin: Annotated[list[Origin], Field(min_length=1, max_length=50)]
    source: Annotated[Filled, Field(max_length=5000)]


class Outcome(NewOutcome):
    """An outcome as it is kept."""

    id: str
    comparison: Href
    at: Moment
    actor: str


class OutcomeItem(TypedDict):
    """A comparison whose origin became known."""

    comparison: Href
    parcel_id: str
    conclusion: Conclusion | None
    log10_lr: float | None
    declared: list[str]
    origin: list[Origin]
    source: str
    at: Moment
    actor: str
    declaration_held: bool | None
    opinion: Conclusion | None


class Rate(TypedDict):
    """A share of cases, with the bounds that so few cases leave (Clopper-Pearson)."""

    n: int
    of: int
    estimate: float | None
    low: float | None
    high: float | None
    level: float


class Cllr(TypedDict):
    """Cost of the LRs in bits, with the bounds that so few cases leave (bootstrap)."""

    estimate: float | None
    low: float | None
    high: float | None
    level: float
    n_true: int
    n_false: int


class ErrorRatesOnCases(TypedDict):
    """How often a declaration that held was queried, and one that did not was accepted."""

    true_queried: Rate
    false_consistent: Rate


class Agreement(TypedDict):
    """How often opinion and computed conclusion were the same, and how often each was right.

    `blind_right` counts the opinions that were given before the computed conclusion could be seen.
    """

    opinions: Rate
    computed_right: Rate
    opinion_right: Rate
    blind_right: Rate


class Outcomes(TypedDict):
    """Real cases whose origin became known."""

    n: int
    agreement: Agreement
    cllr: Cllr
    error_rates: ErrorRatesOnCases
    items: list[OutcomeItem]
    next: Href | None


@with_config(STRICT)
class NewReexamination(TypedDict):
    """A release that the register's parcels are to be examined with."""

    release: Annotated[str, Field(min_length=1, max_length=100)]


class Change(TypedDict):
    """A conclusion that would be another."""

    comparison: Href
    before: Conclusion | None
    after: Conclusion | None
    log10_lr_before: NotRequired[float | None]
    log10_lr_after: NotRequired[float | None]
    why: str


class Reexamination(TypedDict):
    """What another release would say."""

    id: str
    job: Href
    release: str
    state: State
    looked_at: int
    of: int
    changes: list[Change]


@with_config(STRICT)
class NewAnswer(TypedDict):
    """An answer to an exercise."""

    conclusion: Conclusion
    reasons: NotRequired[Annotated[str, Field(max_length=20_000)]]


class Exercise(TypedDict):
    """A parcel to practise on; where it comes from and what the program says are null before it is answered."""

    id: str
    url: Href
    drawn_at: Moment
    parcel: Parcel
    conclusion: Conclusion | None
    reasons: str | None
    answered_at: Moment | None
    origin: str | None
    share: float | None
    declaration_held: bool | None
    computed: Conclusion | None
    report: dict[str, Any] | None


class Errors(TypedDict):
    """How often conclusions were wrong; `undecided` are those that are neither wrong nor right."""

    wrong: Rate
    true_queried: Rate
    false_consistent: Rate
    undeclared_consistent: Rate
    undecided: Rate


class Practice(TypedDict):
    """How often one is wrong, and the program on the same parcels."""

    n: int
    you: Errors
    program: Errors
    agreement: Rate
    items: list[Exercise]
    next: Href | None
