"""Opinions and outcomes over HTTP: what an expert concludes, what became known later, how both stood up."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.door.endpoint import JSON, Body, Endpoint
from service.door.visit import visit_of
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
def create_opinion(request: Request) -> Response:
    """Keep an expert's own conclusion beside the computed one."""
    visit = visit_of(request)
    entry = give_opinion(visit.work, request.path_params["id"], **visit.given, who=visit.who)
    return JSONResponse(_kept(entry), status_code=201)


@Endpoint(
    "POST",
    "/v1/comparisons/{id}/outcome",
    "monitor",
    body=Body({JSON: shapes.NewOutcome}),
    answer=shapes.Outcome,
    status=201,
)
def create_outcome(request: Request) -> Response:
    """Keep what became known later of where a parcel came from."""
    visit = visit_of(request)
    entry = tell_outcome(visit.work, request.path_params["id"], **visit.given, actor=visit.who.actor)
    return JSONResponse(_kept(entry), status_code=201)


@Endpoint("GET", "/v1/outcomes", "viewer", query=PAGING, answer=shapes.Outcomes, reveals=True)
def index(request: Request) -> Response:
    """Read how conclusions stood up where the origin became known."""
    found = cases(visit_of(request).work)
    return JSONResponse({**summary(found), **listed(request, [_shown(case) for case in found])})


def _kept(entry: Entry) -> dict[str, Any]:
    shape = shapes.Opinion if entry.kind == "opinion" else shapes.Outcome
    kept: dict[str, Any] = told(shape, entry, comparison=f"/v1/comparisons/{entry.subject}", **entry.values)
    return kept


def _shown(case: Case) -> shapes.OutcomeItem:
    item: shapes.OutcomeItem = told(
        shapes.OutcomeItem,
        case.comparison,
        **case.outcome.values,
        comparison=f"/v1/comparisons/{case.comparison.id}",
        at=case.outcome.at,
        actor=case.outcome.actor,
        declaration_held=case.held,
        opinion=None if case.opinion is None else case.opinion.values["conclusion"],
    )
    return item
