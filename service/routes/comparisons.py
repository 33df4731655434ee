"""Comparisons over HTTP: the answer to a POST is BentoML's to send, reading them again is the mounted app's."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from kpfootprint.conclusions import CONCLUSIONS
from kpfootprint.report import render_html
from kpfootprint.report.schema import report_schema
from kpfootprint.retold import LANGUAGES
from service.door.bodies import form_in
from service.door.endpoint import JSON, MULTIPART, Answer, Body, Endpoint, Named, Visit
from service.door.query import choice, text
from service.errors import Refused
from service.register import comparisons
from service.register.comparisons import SORTS, Kept, Listed, Search
from service.register.database import reading
from service.routes import shapes
from service.routes.paging import FROM, PAGING, TO, following, span_in, told
from service.routes.parcels import GIVEN, KINDS, reader_of
from service.work.flags import flags_now
from service.work.kept import as_seen, is_blind, parcel_text, printed, report_text
from service.work.receive import compare, once_of

LANG = choice("lang", "Language of texts; Accept-Language counts where it is absent. JSON never changes.", LANGUAGES)
REPORT = Named(name="Report", schema=report_schema())
SEARCHED = ("exporter", "conclusion", "parcel_id", "q", "code", "sort")
COMPARE = Endpoint(
    "POST",
    "/v1/comparisons",
    "monitor",
    query=(LANG, *GIVEN),
    body=Body(KINDS),
    answer=(REPORT, shapes.Sealed),
    status=201,
    once=True,
    summary="Compare a parcel with what was declared, and keep the report.",
)


async def submitted(visit: Visit) -> Response:
    """Compare the parcel that a request carries: 201 with the report, and where it can be read again."""
    if visit.media_type == MULTIPART:
        visit.form = await form_in(visit.request, COMPARE)
    try:
        read = reader_of(visit)
    finally:
        await visit.form.close()
    key, query = visit.request.headers.get("idempotency-key"), visit.request.url.query.encode()

    def kept_once() -> Kept:
        once = once_of(key, visit.who.actor, visit.body, query)
        return compare(visit.work, read, actor=visit.who.actor, once=once, large=visit.large)

    kept = await visit.work.heavy(kept_once, large=visit.large)
    place = f"/v1/comparisons/{kept.id}"
    sealed = shapes.Sealed(sealed=True, parcel=f"{place}/parcel", opinions=f"{place}/opinions")
    answer = json.dumps(sealed) if is_blind(visit.work, visit.who) else kept.report
    return Response(answer, status_code=201, media_type=JSON, headers={"Location": place})


@Endpoint("GET", "/v1/comparisons/{id}/parcel", "viewer", answer=shapes.Parcel)
def show_parcel(visit: Visit) -> Response:
    """Read the parcel that was compared."""
    return Response(parcel_text(visit.work, visit.path["id"]), media_type=JSON)


@Endpoint(
    "GET", "/v1/comparisons/{id}.html", "viewer", query=(LANG,), answer={"type": "string"}, media_type="text/html"
)
def show_html(visit: Visit) -> Response:
    """Read a report as a page."""
    report, stationery = printed(visit.work, visit.path["id"], visit.who)
    page = render_html(report, visit.lang, stationery=stationery)
    return Response(page, media_type="text/html", headers=visit.in_its_language)


@Endpoint(
    "GET",
    "/v1/comparisons/{id}.pdf",
    "viewer",
    query=(LANG,),
    answer={"type": "string", "format": "binary"},
    media_type="application/pdf",
)
def show_pdf(visit: Visit) -> Response:
    """Read a report as a PDF."""
    from kpfootprint.report import render_pdf  # loads a typesetter, which most workers never need

    lang = visit.lang
    report, stationery = printed(visit.work, visit.path["id"], visit.who)
    document = render_pdf(report, lang, stationery=stationery)
    name = f"comparison-{visit.path['id']}-{lang}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"'} | visit.in_its_language
    return Response(document, media_type="application/pdf", headers=headers)


@Endpoint(
    "GET",
    "/v1/comparisons",
    "viewer",
    query=(
        *PAGING,
        text("zone", "That declare this zone or country."),
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
def index(visit: Visit) -> Answer:
    """List comparisons, the newest first or as asked."""
    asked = visit.asked
    start, end = span_in(asked)
    zone = visit.work.origin(asked["zone"])
    search = Search(**{name: asked[name] for name in SEARCHED}, zone=zone, start=start, end=end)
    if is_blind(visit.work, visit.who) and (search.conclusion or "log10_lr" in search.sort):
        raise Refused("forbidden", "What is computed is sealed from this role: it neither narrows nor sorts a list.")
    found, further = comparisons.page_of(visit.work.engine, before=asked["before"], limit=asked["limit"], search=search)
    found = as_seen(visit.work, visit.who, found)
    with reading(visit.work.engine) as connection:
        flags = flags_now(connection, found)
    return {"items": [item_of(item, flags[item.id]) for item in found], "next": following(visit, further)}


@Endpoint("GET", "/v1/comparisons/{id}", "viewer", query=(LANG,), answer=REPORT)
def show(visit: Visit) -> Response:
    """Read a report as it was answered."""
    return Response(report_text(visit.work, visit.path["id"], visit.who), media_type=JSON)


def item_of(item: Listed, flags: Sequence[Mapping[str, Any]]) -> Answer:
    """Return what a list says of a comparison."""
    submission = None if item.submission_id is None else f"/v1/submissions/{item.submission_id}"
    url = f"/v1/comparisons/{item.id}"
    return told(shapes.ComparisonItem, item, url=url, flags=flags, submission=submission)
