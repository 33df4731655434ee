"""Hands a request to whoever answers it: what it carries is read as declared, and nothing is done in the event loop."""

from __future__ import annotations

from functools import partial
from inspect import iscoroutinefunction

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from service.door.bodies import document_in, form_in
from service.door.endpoint import JSON, MULTIPART, URLENCODED, Endpoint, Handler, Visit, visit_of


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
