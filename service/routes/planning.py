"""Plans, the adequacy of references, pools, drift and several sorters over HTTP."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kpfootprint.planning.drift import PER_SHIPMENTS
from service.door.endpoint import JSON, Body, Endpoint
from service.door.query import day, text, whole_number
from service.door.visit import visit_of
from service.routes import shapes_of_planning as shapes
from service.work.drift import drifted
from service.work.planning import judged, planned, pooled, sorted_again

ON = day("on", "Day whose status of zones counts; today without it.")
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


@Endpoint("POST", "/v1/plan", "viewer", body=Body({JSON: shapes.Question}), answer=shapes.Plan, heavy=True)
def plan(request: Request) -> Response:
    """Say how many stones, and how many reference parcels, it takes to find a share of undeclared goods."""
    visit = visit_of(request)
    return JSONResponse(planned(visit.work, visit.given))


@Endpoint("GET", "/v1/zones/{id}/adequacy", "viewer", query=(ON,), answer=shapes.Adequacy, heavy=True)
def adequacy(request: Request) -> Response:
    """Say whether the references of a zone are enough."""
    visit = visit_of(request)
    return JSONResponse(judged(visit.work, request.path_params["id"], **visit.asked))


@Endpoint(
    "POST", "/v1/pools", "viewer", body=Body({JSON: shapes.PoolQuestion}), answer=shapes.Pool, reveals=True, heavy=True
)
def pool(request: Request) -> Response:
    """Weigh kept parcels as one claim."""
    visit = visit_of(request)
    return JSONResponse(pooled(visit.work, **visit.given))


@Endpoint(
    "POST",
    "/v1/sorters",
    "viewer",
    body=Body({JSON: shapes.SortersQuestion}),
    answer=shapes.Sorters,
    reveals=True,
    heavy=True,
)
def sorters(request: Request) -> Response:
    """Set several sorters' kept sheets of one parcel side by side."""
    visit = visit_of(request)
    return JSONResponse(sorted_again(visit.work, **visit.given))


@Endpoint("GET", "/v1/drift", "viewer", query=SERIES, answer=shapes.Drift, reveals=True, heavy=True)
def drift(request: Request) -> Response:
    """Say what changes over the shipments of an exporter or a zone."""
    visit = visit_of(request)
    return JSONResponse(drifted(visit.work, **visit.asked))
