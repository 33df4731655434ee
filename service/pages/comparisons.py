"""The pages of comparisons that were made: searched, one, several side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from kpfootprint.errors import Problem
from kpfootprint.report import compare_side_by_side, read_report, render_html
from kpfootprint.report.report import in_full
from kpfootprint.rules import CONCLUSIONS
from service.door.endpoint import Endpoint
from service.door.query import choice, text, whole_number
from service.door.visit import visit_of
from service.errors import Refused
from service.languages import language_of
from service.pages.render import page, rendered
from service.register.comparisons import Search, page_of, report_of, reports_of
from service.register.database import reading
from service.work.flags import flags_now

PAGE = 25
MOST_BESIDE = 12
TOP = re.compile(r'<body[^>]*>\s*(?:<a class="skip"[^>]*>[^<]*</a>\s*)?')
"""Where a page begins, after the link that skips to its content, which has to stay the first."""

STATUSES = {
    "compliant": "compliant",
    "not_compliant": "not compliant",
    "mixed": "partly not compliant",
    "unknown": "not known",
}
"""English messages for the status of what was declared."""

SORTS = ("-created_at", "created_at", "log10_lr", "-log10_lr")


def index(request: Request) -> Response:
    """List comparisons, the newest first or as asked."""
    visit = visit_of(request)
    asked = visit.asked
    search = Search(
        q=asked["q"], zone=asked["zone"], conclusion=asked["conclusion"], sort=asked["sort"] or "-created_at"
    )
    entries, further = page_of(visit.work.engine, before=asked["before"], limit=PAGE, search=search)
    with reading(visit.work.engine) as connection:
        flags = flags_now(connection, entries)
        reports = reports_of(connection, [entry.id for entry in entries])
    zones = visit.work.release().zone_table.zones
    return page(
        request,
        "comparisons.html",
        entries=entries,
        further=further,
        flags=flags,
        on_the_day={item: in_full(read_report(report).content)["status"] for item, report in reports.items()},
        statuses=STATUSES,
        search=search,
        zones=zones,
        names={zone.zone_id: zone.name for zone in zones},
    )


def show(request: Request) -> Response:
    """Show a report: its own page, with a way back and to its other forms above it."""
    lang = language_of(request)
    made = render_html(
        read_report(_report(request, request.path_params["id"])),
        lang,
        stationery=visit_of(request).work.settings.stationery,
        above=rendered(request, "report-bar.html", id=request.path_params["id"]),
        style=rendered(request, "report-bar.css"),
    )
    return HTMLResponse(made, headers={"Content-Language": lang, "Vary": "Accept-Language"})


def beside(request: Request) -> Response:
    """Show several reports side by side."""
    ids: Sequence[str] = tuple(dict.fromkeys(visit_of(request).asked["id"]))
    if not 2 <= len(ids) <= MOST_BESIDE:
        reason = f"tick 2 to {MOST_BESIDE} comparisons to see them side by side"
        problem = Problem(table="query", column="id", code="invalid", reason=reason)
        raise Refused("invalid_input", f"{reason[0].upper()}{reason[1:]}.", problems=(problem,))
    lang = language_of(request)
    document = compare_side_by_side([read_report(_report(request, item)) for item in ids], lang)
    style = f"<style>\n{rendered(request, 'report-bar.css')}</style>\n</head>"
    bar = rendered(request, "beside-bar.html")
    made = TOP.sub(lambda found: f"{found.group()}{bar}", document.replace("</head>", style, 1), count=1)
    return HTMLResponse(made, headers={"Content-Language": lang, "Vary": "Accept-Language"})


def _report(request: Request, comparison_id: str) -> str:
    found = report_of(visit_of(request).work.engine, comparison_id)
    if found is None:
        raise Refused("not_found", "There is no comparison with this id.")
    return found


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/comparisons",
        role="viewer",
        handler=index,
        query=(
            whole_number("before", "Where the page starts."),
            text("q", "With words that begin so."),
            text("zone", "That declare this zone."),
            choice("conclusion", "With this conclusion.", CONCLUSIONS),
            choice("sort", "In which order.", SORTS),
        ),
        page=True,
        summary="Page: the comparisons.",
    ),
    Endpoint(method="GET", path="/comparisons/{id}", role="viewer", handler=show, page=True, summary="Page: a report."),
    Endpoint(
        method="GET",
        path="/beside",
        role="viewer",
        handler=beside,
        query=(text("id", "A comparison; repeat it.", repeats=True),),
        page=True,
        summary="Page: several reports side by side.",
    ),
)
