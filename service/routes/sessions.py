"""Sessions over HTTP: which browsers are signed in, and to end one."""

from __future__ import annotations

from typing import cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.clock import written
from service.door.endpoint import Answer, Endpoint
from service.door.visit import visit_of
from service.errors import Refused
from service.register import sessions
from service.routes import shapes
from service.routes.paging import PAGING, listed


def index(request: Request) -> Response:
    """List every session that has not ended."""
    items: list[shapes.SessionItem] = [
        {
            "id": item.id,
            "actor": item.actor,
            "role": cast(shapes.Role, item.role),
            "created_at": written(item.created_at),
            "expires_at": written(item.expires_at),
        }
        for item in sessions.open_sessions(visit_of(request).work.engine)
    ]
    return JSONResponse(listed(request, items))


def delete(request: Request) -> Response:
    """End a session."""
    if not sessions.end(visit_of(request).work.engine, request.path_params["id"]):
        raise Refused("not_found", "There is no session with this id.")
    return Response(status_code=204)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/sessions",
        role="admin",
        handler=index,
        query=PAGING,
        answer=Answer(shape=shapes.Sessions),
        summary="List the browsers that are signed in.",
    ),
    Endpoint(
        method="DELETE",
        path="/v1/sessions/{id}",
        role="admin",
        handler=delete,
        answer=Answer(status=204),
        summary="End a session.",
    ),
)
