"""The page that describes the routes for programs."""

from __future__ import annotations

from starlette.responses import Response

from service.door.endpoint import Endpoint
from service.door.visit import Visit
from service.errors import KINDS
from service.pages.render import page


@Endpoint("GET", "/docs", "viewer", page=True)
def show(visit: Visit) -> Response:
    """Show every route for programs, and every code of a problem."""
    routes = [item for item in visit.endpoints if not item.page]
    return page(visit, "docs.html", routes=routes, kinds=KINDS, base=str(visit.request.base_url).rstrip("/"))
