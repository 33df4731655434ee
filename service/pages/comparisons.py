"""The pages of comparisons that were made."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from kpfootprint.report import read_report, render_html
from service.door.endpoint import Endpoint
from service.door.query import whole_number
from service.door.visit import visit_of
from service.errors import Refused
from service.languages import language_of
from service.pages.render import page, rendered
from service.register.comparisons import page_of, report_of

PAGE = 25


def index(request: Request) -> Response:
    """List comparisons, the newest first."""
    work = visit_of(request).work
    entries, further = page_of(work.engine, before=visit_of(request).asked["before"], limit=PAGE)
    names = {zone.zone_id: zone.name for zone in work.release().zone_table.zones}
    return page(request, "comparisons.html", entries=entries, further=further, names=names)


def show(request: Request) -> Response:
    """Show a report: its own page, with a way back and to its other forms above it."""
    lang = language_of(request)
    text = report_of(visit_of(request).work.engine, request.path_params["id"])
    if text is None:
        raise Refused("not_found", "There is no comparison with this id.")
    made = render_html(
        read_report(text),
        lang,
        stationery=visit_of(request).work.settings.stationery,
        above=rendered(request, "report-bar.html", id=request.path_params["id"]),
        style=rendered(request, "report-bar.css"),
    )
    return HTMLResponse(made, headers={"Content-Language": lang, "Vary": "Accept-Language"})


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/comparisons",
        role="viewer",
        handler=index,
        query=(whole_number("before", "Where the page starts."),),
        page=True,
        summary="Page: the comparisons.",
    ),
    Endpoint(method="GET", path="/comparisons/{id}", role="viewer", handler=show, page=True, summary="Page: a report."),
)
