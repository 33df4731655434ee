"""Zones that can be declared, with their status on a day."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.clock import today
from service.door.endpoint import Answer, Endpoint
from service.door.query import day
from service.door.visit import visit_of
from service.routes import shapes
from service.routes.paging import PAGING, listed


def index(request: Request) -> Response:
    """Return every zone with its status on ``?on=DATE``, today without it."""
    visit = visit_of(request)
    on = visit.asked["on"] or today()
    table = visit.work.release().zone_table
    items = [
        {
            "zone_id": zone.zone_id,
            "name": zone.name,
            "country": zone.country,
            "region": zone.region,
            "status": table.status_on(zone.zone_id, on),
        }
        for zone in table.zones
    ]
    return JSONResponse({"on": on.isoformat(), **listed(request, items)})


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/zones",
        role="viewer",
        handler=index,
        query=(*PAGING, day("on", "Day whose status is told; today without it.")),
        answer=Answer(shape=shapes.Zones),
        summary="List the zones and their status on a day.",
    ),
)
