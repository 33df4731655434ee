"""Plans, the adequacy of references, pools, drift and several sorters over HTTP."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kpfootprint.planning.drift import PER_SHIPMENTS
from service.clock import today
from service.door.endpoint import JSON, Answer, Body, Endpoint
from service.door.query import day, text, whole_number
from service.door.visit import visit_of
from service.routes import shapes_of_planning as shapes
from service.routes.bodies import document_in
from service.work.drift import drifted
from service.work.planning import judged, planned, pooled, sorted_again


async def plan(request: Request) -> Response:
    """Answer how many stones and references it takes to find a share."""
    visit = visit_of(request)
    question = document_in(request, shapes.Question, table="question")
    return JSONResponse(await visit.work.heavy(partial(planned, visit.work, question, today())))


async def adequacy(request: Request) -> Response:
    """Answer whether the references of a zone are enough."""
    visit = visit_of(request)
    on = visit.asked["on"] or today()
    return JSONResponse(await visit.work.heavy(partial(judged, visit.work, request.path_params["id"], on)))


async def pool(request: Request) -> Response:
    """Answer what kept parcels say as one claim."""
    visit = visit_of(request)
    asked = document_in(request, shapes.PoolQuestion, table="pool")
    return JSONResponse(await visit.work.heavy(partial(pooled, visit.work, asked["comparisons"], today())))


async def sorters(request: Request) -> Response:
    """Answer how far several sorters of one parcel agree."""
    visit = visit_of(request)
    asked = document_in(request, shapes.SortersQuestion, table="sorters")
    again = partial(sorted_again, visit.work, asked["comparisons"], asked.get("history"))
    return JSONResponse(await visit.work.heavy(again))


async def drift(request: Request) -> Response:
    """Answer what changes over the shipments of an exporter or a zone."""
    visit = visit_of(request)
    asked = visit.asked
    follow = partial(
        drifted, visit.work, exporter=asked["exporter"], zone=asked["zone"], per_shipments=asked["per_points"]
    )
    return JSONResponse(await visit.work.heavy(follow))


SERIES = (
    text("exporter", "Shipments of this exporter."),
    text("zone", "Shipments that declare this zone."),
    whole_number(
        "per_points",
        "Shipments to one false alarm over all charts together.",
        minimum=2,
        maximum=100_000,
        default=PER_SHIPMENTS,
    ),
)
ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/drift",
        role="viewer",
        handler=drift,
        query=SERIES,
        answer=Answer(shape=shapes.Drift),
        reveals=True,
        summary="Say what changes over the shipments of an exporter or a zone.",
    ),
    Endpoint(
        method="POST",
        path="/v1/plan",
        role="viewer",
        handler=plan,
        body=Body(kinds={JSON: shapes.Question}),
        answer=Answer(shape=shapes.Plan),
        summary="Say how many stones, and how many reference parcels, it takes to find a share of undeclared goods.",
    ),
    Endpoint(
        method="GET",
        path="/v1/zones/{id}/adequacy",
        role="viewer",
        handler=adequacy,
        query=(day("on", "Day whose status of zones counts; today without it."),),
        answer=Answer(shape=shapes.Adequacy),
        summary="Say whether the references of a zone are enough.",
    ),
    Endpoint(
        method="POST",
        path="/v1/pools",
        role="viewer",
        handler=pool,
        body=Body(kinds={JSON: shapes.PoolQuestion}),
        answer=Answer(shape=shapes.Pool),
        reveals=True,
        summary="Weigh kept parcels as one claim.",
    ),
    Endpoint(
        method="POST",
        path="/v1/sorters",
        role="viewer",
        handler=sorters,
        body=Body(kinds={JSON: shapes.SortersQuestion}),
        answer=Answer(shape=shapes.Sorters),
        reveals=True,
        summary="Set several sorters' kept sheets of one parcel side by side.",
    ),
)
