"""The page that shows the register at a glance, and the same as a table for a spreadsheet."""

from __future__ import annotations

from starlette.responses import Response

from kpfootprint.conclusions import CONCLUSIONS
from kpfootprint.planning.drift import PER_SHIPMENTS
from kpfootprint.visible import csv_line
from service.door.endpoint import Endpoint
from service.door.visit import Visit
from service.pages.render import page
from service.work.dashboard import NONE, dashboard

COLUMNS = ("month", "zone_id", "parcels", "stones", "carats", *CONCLUSIONS, NONE)


@Endpoint("GET", "/dashboard", "viewer", page=True, reveals=True)
def show(visit: Visit) -> Response:
    """Show the register at a glance."""
    work = visit.work
    return page(
        visit,
        "dashboard.html",
        found=dashboard(work),
        names=work.release().zone_table.names,
        kinds=CONCLUSIONS,
        nothing=NONE,
        per_shipments=PER_SHIPMENTS,
    )


@Endpoint("GET", "/dashboard.csv", "viewer", page=True, answer={"type": "string"}, media_type="text/csv", reveals=True)
def table(visit: Visit) -> Response:
    """Return shipments by month and zone as CSV."""
    lines = [csv_line(COLUMNS)]
    for item in dashboard(visit.work).months:
        counts = [item.conclusions.get(name, 0) for name in (*CONCLUSIONS, NONE)]
        lines.append(csv_line([item.month, item.zone_id, item.n_parcels, item.n_stones, item.carats, *counts]))
    headers = {"Content-Disposition": 'attachment; filename="shipments.csv"'}
    return Response("".join(f"{line}\r\n" for line in lines), media_type="text/csv; charset=utf-8", headers=headers)
