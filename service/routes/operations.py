"""For those who run the service: figures for a scraper, the description of the routes, whether it lives."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.door.endpoint import Answer, Endpoint
from service.door.visit import visit_of
from service.meters import MEDIA_TYPE
from service.openapi import description
from service.register import jobs, submissions
from service.register.jobs import STATES
from service.routes import shapes

TEXT = Answer(shape={"type": "string"}, media_type="text/plain")


def metrics(request: Request) -> Response:
    """Return every figure, of all workers together."""
    work = visit_of(request).work
    counted = dict.fromkeys(STATES, 0) | jobs.counts(work.engine)
    undecided, overdue = submissions.clocks(work.engine)
    return Response(work.meters.exposition_with(counted, undecided, overdue), headers={"Content-Type": MEDIA_TYPE})


def openapi(request: Request) -> Response:
    """Return the OpenAPI description of every route for programs."""
    return JSONResponse(description(visit_of(request).endpoints, shapes.ProblemDetails))


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/openapi.json",
        role="viewer",
        handler=openapi,
        answer=Answer(shape={"type": "object"}),
        summary="Read the description of these routes.",
    ),
    Endpoint(
        method="GET", path="/livez", role=None, handler=None, answer=TEXT, summary="Ask whether the process lives."
    ),
    Endpoint(
        method="GET",
        path="/readyz",
        role=None,
        handler=None,
        answer=TEXT,
        summary="Ask whether a parcel could be compared now.",
    ),
    Endpoint(
        method="GET",
        path="/metrics",
        role="viewer",
        handler=metrics,
        answer=TEXT,
        summary="Read the figures of the service, for Prometheus.",
    ),
)
