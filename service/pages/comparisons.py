"""The pages of comparisons that were made: searched, found by a printed code, one, several side by side."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from starlette.responses import Response

from kpfootprint.conclusions import CONCLUSIONS
from kpfootprint.report import compare_side_by_side, read_report, render_html
from kpfootprint.report.report import in_full, origins_of
from kpfootprint.report.sections.summary import doubted
from service.door.endpoint import Endpoint, Visit
from service.door.query import choice, text
from service.pages.planning import ticked
from service.pages.render import ITEMS, framed, moved_to, page
from service.register.comparisons import SORTS, Search, page_of, reports_of
from service.register.database import reading
from service.routes.paging import BEFORE
from service.work.flags import flags_now
from service.work.kept import as_seen, is_blind, printed, report_text, said_of, sealed_from


@Endpoint(
    "GET",
    "/comparisons",
    "viewer",
    query=(
        BEFORE,
        text("q", "With words that begin so."),
        text("zone", "That declare this zone."),
        choice("conclusion", "With this conclusion.", CONCLUSIONS),
        choice("sort", "In which order.", (*SORTS,), default="-created_at"),
    ),
    page=True,
)
def index(visit: Visit) -> Response:
    """List comparisons, the newest first or as asked."""
    asked = visit.asked
    search = Search(**{name: asked[name] for name in ("q", "zone", "conclusion", "sort")})
    if is_blind(visit.work, visit.who):  # neither narrows nor sorts by what is sealed
        search = replace(search, conclusion=None, sort="-created_at")
    found, further = page_of(visit.work.engine, before=asked["before"], limit=ITEMS, search=search)
    entries = as_seen(visit.work, visit.who, found)
    with reading(visit.work.engine) as connection:
        flags = flags_now(connection, entries)
        reports = reports_of(connection, [entry.id for entry in entries])
    contents = {item: in_full(read_report(report).content) for item, report in reports.items()}
    return page(
        visit,
        "comparisons.html",
        entries=entries,
        further=further,
        flags=flags,
        on_the_day={item: content["status"] for item, content in contents.items()},
        doubted={item for item, content in contents.items() if doubted(content)},
        origins={item: origins_of(content) for item, content in contents.items()},
        search=search,
        zones=visit.work.release().zone_table.zones,
    )


@Endpoint("GET", "/comparisons/{id}", "viewer", page=True)
def show(visit: Visit) -> Response:
    """Show a report: its own page, with a way back, its other forms and what experts concluded above it."""
    comparison_id = visit.path["id"]
    if sealed_from(visit.work, visit.who, [comparison_id]):
        return moved_to(visit, f"/comparisons/{comparison_id}/opinion")
    report, stationery = printed(visit.work, comparison_id, visit.who)
    opinions, outcomes = said_of(visit.work, comparison_id)
    return framed(
        visit,
        partial(render_html, report, visit.lang, stationery=stationery),
        id=comparison_id,
        opinions=opinions,
        outcomes=outcomes,
    )


@Endpoint("GET", "/beside", "viewer", query=(text("id", "A comparison; repeat it.", repeats=True),), page=True)
def beside(visit: Visit) -> Response:
    """Show several reports side by side."""
    ids = ticked(visit.asked["id"], 2)
    reports = [read_report(report_text(visit.work, item, visit.who)) for item in ids]
    return framed(visit, partial(compare_side_by_side, reports, visit.lang))


@Endpoint("GET", "/code", "viewer", query=(text("code", "The short code of a report, or its id."),), page=True)
def find_by_code(visit: Visit) -> Response:
    """Go to the newest comparison whose report has the code, or ask for a code."""
    code = visit.asked["code"]
    if not code:
        return page(visit, "code.html", code="")
    found, _ = page_of(visit.work.engine, before=None, limit=1, search=Search(code=code))
    if not found:
        return page(visit, "code.html", status=404, code=code)
    return moved_to(visit, f"/comparisons/{found[0].id}")
