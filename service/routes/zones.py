"""Zones that can be declared, with their status on a day."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.clock import today
from service.door.endpoint import Endpoint
from service.door.query import day
from service.door.visit import visit_of
from service.routes import shapes
from service.routes.paging import PAGING, listed, told


@Endpoint(
    "GET",
    "/v1/zones",
    "viewer",
    query=(*PAGING, day("on", "Day whose status is told; today without it.")),
    answer=shapes.Zones,
)
def index(request: Request) -> Response:
    """List the zones and their status on a day."""
    visit = visit_of(request)
    on = visit.asked["on"] or today()
    table = visit.work.release().zone_table
    items = [told(shapes.ZoneItem, zone, status=table.status_on(zone.zone_id, on)) for zone in table.zones]
    return JSONResponse({"on": on.isoformat(), **listed(request, items)})
