"""Comparisons over HTTP: the answer to a POST is BentoML's to send, reading them again is the mounted app's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kpfootprint.report import render_html
from kpfootprint.report.schema import report_schema
from kpfootprint.rules import CONCLUSIONS
from service.door.endpoint import JSON, Body, Endpoint, Named
from service.door.query import choice, text
from service.door.visit import visit_of
from service.errors import Refused
from service.languages import LANGUAGES, language_of
from service.register import comparisons
from service.register.comparisons import SORTS, Listed, Search
from service.register.database import reading
from service.routes import shapes
from service.routes.paging import FROM, PAGING, TO, following, span_in, told
from service.routes.parcels import GIVEN, KINDS, reader_of
from service.work.compare import Kept, compare, once_of
from service.work.flags import flags_now
from service.work.kept import as_seen, is_blind, printed, report_text

LANG = choice("lang", "Language of texts; Accept-Language counts where it is absent. JSON never changes.", LANGUAGES)
REPORT = Named(name="Report", schema=report_schema())
SEARCHED = ("zone", "exporter", "conclusion", "parcel_id", "q", "code", "sort")
COMPARE = Endpoint(
    "POST",
    "/v1/comparisons",
    "monitor",
    query=(LANG, *GIVEN),
    body=Body(KINDS),
    answer=REPORT,
    status=201,
    once=True,
    summary="Compare a parcel with what was declared, and keep the report.",
)


async def submitted(request: Request) -> Response:
    """Compare the parcel that a request carries: 201 with the report, and where it can be read again."""
    visit = visit_of(request)
    read = await reader_of(request)
    key, came = request.headers.get("idempotency-key"), (visit.body, request.url.query.encode())

    def kept_once() -> Kept:
        digest = "" if key is None else hashlib.sha256(b"\0".join(came)).hexdigest()
        return compare(
            visit.work, read, actor=visit.who.actor, once=once_of(key, visit.who.actor, digest), large=visit.large
        )

    kept = await visit.work.heavy(kept_once, large=visit.large)
    place = f"/v1/comparisons/{kept.id}"
    sealed = {"sealed": True, "parcel": f"{place}/parcel", "opinions": f"{place}/opinions"}
    answer = json.dumps(sealed) if is_blind(visit.work, visit.who) else kept.report
    return Response(answer, status_code=201, media_type=JSON, headers={"Location": place})


@Endpoint("GET", "/v1/comparisons/{id}/parcel", "viewer", answer=shapes.Parcel)
def show_parcel(request: Request) -> Response:
    """Read the parcel that was compared."""
    with reading(visit_of(request).work.engine) as connection:
        found = comparisons.parcel_text_of(connection, request.path_params["id"])
    if found is None:
        raise Refused("not_found", "There is no comparison with this id.")
    return Response(found, media_type=JSON)


@Endpoint(
    "GET", "/v1/comparisons/{id}.html", "viewer", query=(LANG,), answer={"type": "string"}, media_type="text/html"
)
def show_html(request: Request) -> Response:
    """Read a report as a page."""
    lang = language_of(request)
    visit = visit_of(request)
    report, stationery = printed(visit.work, request.path_params["id"], visit.who)
    page = render_html(report, lang, stationery=stationery)
    return Response(page, media_type="text/html", headers={"Content-Language": lang, "Vary": "Accept-Language"})


@Endpoint(
    "GET",
    "/v1/comparisons/{id}.pdf",
    "viewer",
    query=(LANG,),
    answer={"type": "string", "format": "binary"},
    media_type="application/pdf",
)
def show_pdf(request: Request) -> Response:
    """Read a report as a PDF."""
    from kpfootprint.report import render_pdf  # loads a typesetter, which most workers never need

    lang = language_of(request)
    visit = visit_of(request)
    report, stationery = printed(visit.work, request.path_params["id"], visit.who)
    document = render_pdf(report, lang, stationery=stationery)
    name = f"comparison-{request.path_params['id']}-{lang}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"', "Content-Language": lang, "Vary": "Accept-Language"}
    return Response(document, media_type="application/pdf", headers=headers)


@Endpoint(
    "GET",
    "/v1/comparisons",
    "viewer",
    query=(
        *PAGING,
        text("zone", "That declare this zone."),
        text("exporter", "Of this exporter."),
        choice("conclusion", "With this conclusion.", CONCLUSIONS),
        FROM,
        TO,
        text("parcel_id", "Of this parcel."),
        text("q", "With words that begin so, in parcel, exporter, certificate or declared zones."),
        text("code", "Whose report has this short code, or this id."),
        choice("sort", "In which order.", (*SORTS,), default="-created_at"),
    ),
    answer=shapes.Comparisons,
)
def index(request: Request) -> Response:
    """List comparisons, the newest first or as asked."""
    visit = visit_of(request)
    asked = visit.asked
    start, end = span_in(asked)
    search = Search(**{name: asked[name] for name in SEARCHED}, start=start, end=end)
    if is_blind(visit.work, visit.who) and (search.conclusion or "log10_lr" in search.sort):
        raise Refused("forbidden", "What is computed is sealed from this role: it neither narrows nor sorts a list.")
    found, further = comparisons.page_of(visit.work.engine, before=asked["before"], limit=asked["limit"], search=search)
    found = as_seen(visit.work, visit.who, found)
    with reading(visit.work.engine) as connection:
        flags = flags_now(connection, found)
    return JSONResponse(
        {"items": [item_of(item, flags[item.id]) for item in found], "next": following(request, further)}
    )


@Endpoint("GET", "/v1/comparisons/{id}", "viewer", query=(LANG,), answer=REPORT)
def show(request: Request) -> Response:
    """Read a report as it was answered."""
    visit = visit_of(request)
    return Response(report_text(visit.work, request.path_params["id"], visit.who), media_type=JSON)


def item_of(item: Listed, flags: Sequence[Mapping[str, Any]]) -> shapes.ComparisonItem:
    """Return what a list says of a comparison."""
    submission = None if item.submission_id is None else f"/v1/submissions/{item.submission_id}"
    url = f"/v1/comparisons/{item.id}"
    return cast(
        shapes.ComparisonItem, told(shapes.ComparisonItem, item, url=url, flags=list(flags), submission=submission)
    )
