"""For those who run the service: figures for a scraper, the description of the routes, whether it lives."""

from __future__ import annotations

import threading

from starlette.responses import JSONResponse, Response

from service.door.endpoint import JSON, Endpoint, Visit
from service.meters import MEDIA_TYPE
from service.openapi import description
from service.register import jobs, submissions
from service.register.jobs import STATES
from service.routes import shapes

TEXT = {"type": "string"}
PLAIN = "text/plain"


@Endpoint("GET", "/metrics", "viewer", answer=TEXT, media_type=PLAIN)
def metrics(visit: Visit) -> Response:
    """Read the figures of the service, for Prometheus."""
    work = visit.work
    counted = dict.fromkeys(STATES, 0) | jobs.counts(work.engine)
    undecided, overdue = submissions.clocks(work.engine)
    return Response(work.meters.exposition_with(counted, undecided, overdue), headers={"Content-Type": MEDIA_TYPE})


@Endpoint("GET", "/openapi.json", "viewer", answer={"type": "object"})
def openapi(visit: Visit) -> Response:
    """Read the description of these routes."""
    endpoints = visit.endpoints
    with _describing:
        if id(endpoints) not in _described:  # they are the same for as long as the service runs
            _described[id(endpoints)] = JSONResponse(description(endpoints, shapes.ProblemDetails)).body
    return Response(_described[id(endpoints)], media_type=JSON)


_describing = threading.Lock()
_described: dict[int, bytes | memoryview[int]] = {}

LIVEZ = Endpoint("GET", "/livez", None, answer=TEXT, media_type=PLAIN, summary="Ask whether the process lives.")
READYZ = Endpoint(
    "GET", "/readyz", None, answer=TEXT, media_type=PLAIN, summary="Ask whether a parcel could be compared now."
)
