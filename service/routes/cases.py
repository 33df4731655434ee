"""Opinions and outcomes over HTTP: what an expert concludes, what became known later, how both stood up."""

from __future__ import annotations

from service.door.endpoint import JSON, Answer, Body, Endpoint
from service.door.visit import Visit
from service.register.entries import Entry
from service.routes import shapes_of_cases as shapes
from service.routes.paging import PAGING, listed, told
from service.work.decide import give_opinion, tell_outcome
from service.work.outcomes import Case, cases, summary


@Endpoint(
    "POST",
    "/v1/comparisons/{id}/opinions",
    "monitor",
    body=Body({JSON: shapes.NewOpinion}),
    answer=shapes.Opinion,
    status=201,
)
def create_opinion(visit: Visit) -> Answer:
    """Keep an expert's own conclusion beside the computed one."""
    return _kept(give_opinion(visit.work, visit.path["id"], **visit.given, who=visit.who))


@Endpoint(
    "POST",
    "/v1/comparisons/{id}/outcome",
    "monitor",
    body=Body({JSON: shapes.NewOutcome}),
    answer=shapes.Outcome,
    status=201,
)
def create_outcome(visit: Visit) -> Answer:
    """Keep what became known later of where a parcel came from."""
    return _kept(tell_outcome(visit.work, visit.path["id"], **visit.given, actor=visit.who.actor))


@Endpoint("GET", "/v1/outcomes", "viewer", query=PAGING, answer=shapes.Outcomes, reveals=True)
def index(visit: Visit) -> Answer:
    """Read how conclusions stood up where the origin became known."""
    found = cases(visit.work)
    return {**summary(found), **listed(visit, [_shown(case) for case in found])}


def _kept(entry: Entry) -> Answer:
    shape: type[Answer] = shapes.Opinion if entry.kind == "opinion" else shapes.Outcome
    return told(shape, entry, comparison=f"/v1/comparisons/{entry.subject}", **entry.values)


def _shown(case: Case) -> shapes.OutcomeItem:
    return told(
        shapes.OutcomeItem,
        case.comparison,
        **case.outcome.values,
        comparison=f"/v1/comparisons/{case.comparison.id}",
        at=case.outcome.at,
        actor=case.outcome.actor,
        declaration_held=case.held,
        opinion=None if case.opinion is None else case.opinion.values["conclusion"],
    )
