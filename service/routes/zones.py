"""Zones that can be declared, with their status on a day."""

from __future__ import annotations

from datetime import date

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.errors import bad_parameter
from service.visit import visit_of
from service.work import today


def index(request: Request) -> Response:
    """Return every zone with its status on ``?on=DATE``, today without it."""
    text = request.query_params.get("on")
    try:
        day = today() if text is None else date.fromisoformat(text)
    except ValueError:
        raise bad_parameter("on", str(text), "not a date; write dates as YYYY-MM-DD") from None
    table = visit_of(request).work.release().zone_table
    items = [
        {
            "zone_id": zone.zone_id,
            "name": zone.name,
            "country": zone.country,
            "region": zone.region,
            "status": table.status_on(zone.zone_id, day),
        }
        for zone in table.zones
    ]
    return JSONResponse({"on": day.isoformat(), "items": items, "next": None})
