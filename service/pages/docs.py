"""The page that describes the routes for programs."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from service.door.endpoint import Endpoint
from service.door.visit import visit_of
from service.errors import KINDS
from service.pages.render import page


@Endpoint("GET", "/docs", "viewer", page=True)
def show(request: Request) -> Response:
    """Show every route for programs, and every code of a problem."""
    routes = [item for item in visit_of(request).endpoints if not item.page]
    return page(request, "docs.html", routes=routes, kinds=KINDS, base=str(request.base_url).rstrip("/"))
