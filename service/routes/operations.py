"""For those who run the service: figures for a scraper, the description of the routes."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.metrics import MEDIA_TYPE
from service.openapi import description
from service.visit import visit_of


def metrics(request: Request) -> Response:
    """Return every figure, of all workers together."""
    return Response(visit_of(request).work.meters.exposition(), headers={"Content-Type": MEDIA_TYPE})


def openapi(request: Request) -> Response:
    """Return the OpenAPI description of every route for programs."""
    return JSONResponse(description(visit_of(request).endpoints))
