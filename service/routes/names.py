"""Names behind the pseudonyms of the register over HTTP, and to forget one."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.door.endpoint import Answer, Endpoint
from service.door.visit import visit_of
from service.errors import Refused
from service.register import people
from service.routes import shapes
from service.routes.paging import PAGING, listed


def index(request: Request) -> Response:
    """List every name that is known, with the pseudonym that entries have instead."""
    found = people.names_of_actors(visit_of(request).work.engine)
    items: list[shapes.NameItem] = [{"actor": actor, "name": name} for actor, name in found.items()]
    return JSONResponse(listed(request, items))


def delete(request: Request) -> Response:
    """Forget a name; what was done stays under the pseudonym."""
    if not people.forget(visit_of(request).work.engine, request.path_params["actor"]):
        raise Refused("not_found", "There is no name behind this pseudonym.")
    return Response(status_code=204)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/names",
        role="admin",
        handler=index,
        query=PAGING,
        answer=Answer(shape=shapes.Names),
        summary="List the names behind the pseudonyms of the register.",
    ),
    Endpoint(
        method="DELETE",
        path="/v1/names/{actor}",
        role="admin",
        handler=delete,
        answer=Answer(status=204),
        summary="Forget a name; the pseudonym stays.",
    ),
)
