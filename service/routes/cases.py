"""Opinions and outcomes over HTTP: what an expert concludes, what became known later, how both stood up."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.clock import written
from service.door.endpoint import JSON, Answer, Body, Endpoint
from service.door.visit import visit_of
from service.register.entries import Entry
from service.routes import shapes_of_cases as shapes
from service.routes.bodies import document_in
from service.routes.paging import PAGING, listed
from service.work.decide import give_opinion, tell_outcome
from service.work.outcomes import Case, cases, summary


async def create_opinion(request: Request) -> Response:
    """Keep an expert's own conclusion beside the computed one."""
    visit = visit_of(request)
    given: shapes.NewOpinion = document_in(request, shapes.NewOpinion, table="opinion")
    entry = await to_thread.run_sync(
        partial(
            give_opinion,
            visit.work,
            request.path_params["id"],
            conclusion=given["conclusion"],
            reasons=given["reasons"],
            who=visit.who,
        )
    )
    return JSONResponse(_kept(entry), status_code=201)


async def create_outcome(request: Request) -> Response:
    """Keep what became known later."""
    visit = visit_of(request)
    given: shapes.NewOutcome = document_in(request, shapes.NewOutcome, table="outcome")
    entry = await to_thread.run_sync(
        partial(
            tell_outcome,
            visit.work,
            request.path_params["id"],
            origin=given["origin"],
            source=given["source"],
            actor=visit.who.actor,
        )
    )
    return JSONResponse(_kept(entry), status_code=201)


def index(request: Request) -> Response:
    """Return every case whose origin became known, and how the conclusions stood up."""
    found = cases(visit_of(request).work)
    return JSONResponse({**summary(found), **listed(request, [_shown(case) for case in found])})


def _kept(entry: Entry) -> dict[str, Any]:
    told = {"id": entry.id, "comparison": f"/v1/comparisons/{entry.subject}"}
    return told | {"at": written(entry.at), "actor": entry.actor, **entry.values}


def _shown(case: Case) -> shapes.OutcomeItem:
    shown = {
        "comparison": f"/v1/comparisons/{case.comparison.id}",
        "parcel_id": case.comparison.parcel_id,
        "conclusion": case.comparison.conclusion,
        "log10_lr": case.comparison.log10_lr,
        "declared": list(case.comparison.declared),
        "origin": case.outcome.values["origin"],
        "source": case.outcome.values["source"],
        "at": written(case.outcome.at),
        "actor": case.outcome.actor,
        "declaration_held": case.held,
        "opinion": None if case.opinion is None else case.opinion.values["conclusion"],
    }
    return cast(shapes.OutcomeItem, shown)


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/comparisons/{id}/opinions",
        role="monitor",
        handler=create_opinion,
        body=Body(kinds={JSON: shapes.NewOpinion}),
        answer=Answer(shape=shapes.Opinion, status=201),
        summary="Keep an expert's own conclusion beside the computed one.",
    ),
    Endpoint(
        method="POST",
        path="/v1/comparisons/{id}/outcome",
        role="monitor",
        handler=create_outcome,
        body=Body(kinds={JSON: shapes.NewOutcome}),
        answer=Answer(shape=shapes.Outcome, status=201),
        summary="Keep what became known later of where a parcel came from.",
    ),
    Endpoint(
        method="GET",
        path="/v1/outcomes",
        role="viewer",
        handler=index,
        query=PAGING,
        answer=Answer(shape=shapes.Outcomes),
        reveals=True,
        summary="Read how conclusions stood up where the origin became known.",
    ),
)
