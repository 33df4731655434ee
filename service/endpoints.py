"""The table of endpoints, each declared beside what answers it, and the app that hands requests to these functions.

What a request carries is read as declared, and nothing is done in the event loop.
"""

from __future__ import annotations

from functools import partial
from inspect import iscoroutinefunction

from anyio import to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kpfootprint.errors import KPFootprintError
from service.door.bodies import document_in, form_in
from service.door.endpoint import JSON, MULTIPART, URLENCODED, Endpoint, Handler, Visit, declared_in, visit_of
from service.door.stack import say_foreseen
from service.errors import Refused, refusal_of
from service.pages import calendar, problems, sign_in, start
from service.pages import cases as case_pages
from service.pages import comparisons as comparison_pages
from service.pages import models as model_pages
from service.pages import planning as planning_pages
from service.pages import submissions as submission_pages
from service.pages.problems import refusal_response
from service.routes import (
    cases,
    comparisons,
    operations,
    planning,
    register,
    submissions,
)

MODULES = (
    *(comparisons, cases, submissions, calendar, register, planning, operations),
    *(start, comparison_pages, case_pages, submission_pages, planning_pages, model_pages, problems, sign_in),
)
ENDPOINTS = tuple(endpoint for module in MODULES for endpoint in declared_in(module))


def mounted() -> Starlette:
    """Return the app of every endpoint that BentoML does not answer itself."""
    return Starlette(
        routes=[routed(item, item.handler) for item in ENDPOINTS if item.handler is not None],
        exception_handlers={Refused: refused_answer, KPFootprintError: refused_answer},
    )


def refused_answer(request: Request, error: Exception) -> Response:
    """Return the answer to an error that was foreseen."""
    refused = refusal_of(error)
    if refused is None:
        raise error
    say_foreseen(visit_of(request).request_id, refused, error)
    return refusal_response(request, refused)


def routed(endpoint: Endpoint, handler: Handler) -> Route:
    """Return the route of the mounted app that answers at an address; what a handler returns bare goes out as JSON."""

    async def received(request: Request) -> Response:
        visit, body = visit_of(request), endpoint.body
        visit.request = request
        if visit.media_type in {MULTIPART, URLENCODED}:
            visit.form = await form_in(request, endpoint)
        elif body is not None and body.streamed:
            visit.body = await request.body()
        try:
            if iscoroutinefunction(handler):
                answer: Response = await handler(visit)
                return answer
            answering = partial(_answered, visit, endpoint, handler)
            if endpoint.heavy:
                return await visit.work.heavy(answering, large=visit.large)
            return await to_thread.run_sync(answering)
        finally:
            await visit.form.close()

    return Route(endpoint.routed, received, methods=[endpoint.method])


def _answered(visit: Visit, endpoint: Endpoint, handler: Handler) -> Response:
    body = endpoint.body
    if body is not None and not body.streamed and visit.media_type == JSON:
        visit.given = document_in(visit.body, body.kinds[JSON])
    answer = handler(visit)
    if isinstance(answer, Response):
        return answer
    return JSONResponse(answer, endpoint.status, {"Location": visit.place} if visit.place else None)
