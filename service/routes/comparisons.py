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
from service.clock import written
from service.door.endpoint import JSON, Answer, Body, Endpoint, Named
from service.door.query import choice, text
from service.door.visit import visit_of
from service.errors import Refused
from service.languages import LANGUAGES, language_of
from service.register import comparisons
from service.register.comparisons import SORTS, Listed, Search
from service.register.database import reading
from service.routes import shapes
from service.routes.paging import FROM, PAGING, TO, following, span_in
from service.routes.parcels import GIVEN, KINDS, reader_of
from service.work.compare import Kept, compare, once_of
from service.work.flags import flags_now
from service.work.kept import as_seen, is_blind, printed, report_text

LANG = choice("lang", "Language of texts; Accept-Language counts where it is absent. JSON never changes.", LANGUAGES)
REPORT = Named(name="Report", schema=report_schema())


async def submitted(request: Request) -> Response:
    """Compare the parcel that a request carries: 201 with the report, and where it can be read again."""
    visit = visit_of(request)
    read = await reader_of(request)
    key, came = request.headers.get("idempotency-key"), (visit.body, request.url.query.encode())

    def kept_once() -> Kept:
        digest = "" if key is None else hashlib.sha256(b"\0".join(came)).hexdigest()
        return compare(visit.work, read, actor=visit.who.actor, once=once_of(key, visit.who.actor, digest))

    kept = await visit.work.heavy(kept_once)
    place = f"/v1/comparisons/{kept.id}"
    sealed = {"sealed": True, "parcel": f"{place}/parcel", "opinions": f"{place}/opinions"}
    answer = json.dumps(sealed) if is_blind(visit.work, visit.who) else kept.report
    return Response(answer, status_code=201, media_type=JSON, headers={"Location": place})


def show(request: Request) -> Response:
    """Return a report as it was answered."""
    visit = visit_of(request)
    return Response(report_text(visit.work, request.path_params["id"], visit.who), media_type=JSON)


def show_parcel(request: Request) -> Response:
    """Return the parcel of a comparison as it was compared."""
    with reading(visit_of(request).work.engine) as connection:
        found = comparisons.parcel_of(connection, request.path_params["id"])
    if found is None:
        raise Refused("not_found", "There is no comparison with this id.")
    return JSONResponse(found)


def show_html(request: Request) -> Response:
    """Return a report as a page."""
    lang = language_of(request)
    visit = visit_of(request)
    report, stationery = printed(visit.work, request.path_params["id"], visit.who)
    page = render_html(report, lang, stationery=stationery)
    return Response(page, media_type="text/html", headers={"Content-Language": lang, "Vary": "Accept-Language"})


def show_pdf(request: Request) -> Response:
    """Return a report as a document to file."""
    from kpfootprint.report import render_pdf  # loads a typesetter, which most workers never need

    lang = language_of(request)
    visit = visit_of(request)
    report, stationery = printed(visit.work, request.path_params["id"], visit.who)
    document = render_pdf(report, lang, stationery=stationery)
    name = f"comparison-{request.path_params['id']}-{lang}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"', "Content-Language": lang, "Vary": "Accept-Language"}
    return Response(document, media_type="application/pdf", headers=headers)


def index(request: Request) -> Response:
    """Return a page of comparisons."""
    visit = visit_of(request)
    asked = visit.asked
    start, end = span_in(asked)
    names = ("zone", "exporter", "conclusion", "parcel_id", "q", "code", "sort")
    search = Search(**{name: asked[name] for name in names}, start=start, end=end)
    if is_blind(visit.work, visit.who) and (search.conclusion or "log10_lr" in search.sort):
        raise Refused("forbidden", "What is computed is sealed from this role: it neither narrows nor sorts a list.")
    found, further = comparisons.page_of(visit.work.engine, before=asked["before"], limit=asked["limit"], search=search)
    found = as_seen(visit.work, visit.who, found)
    with reading(visit.work.engine) as connection:
        flags = flags_now(connection, found)
    return JSONResponse(
        {"items": [item_of(item, flags[item.id]) for item in found], "next": following(request, further)}
    )


def item_of(item: Listed, flags: Sequence[Mapping[str, Any]]) -> shapes.ComparisonItem:
    """Return what a list says of a comparison."""
    shown = {
        "id": item.id,
        "url": f"/v1/comparisons/{item.id}",
        "created_at": written(item.created_at),
        "parcel_id": item.parcel_id,
        "declared": list(item.declared),
        "conclusion": item.conclusion,
        "log10_lr": item.log10_lr,
        "release": item.release,
        "report_id": item.report_id,
        "exporter": item.exporter,
        "certificate_no": item.certificate_no,
        "exported_on": item.exported_on,
        "n_stones": item.n_stones,
        "carats": item.carats,
        "flags": list(flags),
        "submission": None if item.submission_id is None else f"/v1/submissions/{item.submission_id}",
    }
    return cast(shapes.ComparisonItem, shown)


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/comparisons",
        role="monitor",
        handler=None,
        query=(LANG, *GIVEN),
        body=Body(kinds=KINDS),
        answer=Answer(shape=REPORT, status=201),
        once=True,
        summary="Compare a parcel with what was declared, and keep the report.",
    ),
    Endpoint(
        method="GET",
        path="/v1/comparisons",
        role="viewer",
        handler=index,
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
        answer=Answer(shape=shapes.Comparisons),
        summary="List comparisons, the newest first or as asked.",
    ),
    Endpoint(
        method="GET",
        path="/v1/comparisons/{id}.html",
        role="viewer",
        handler=show_html,
        query=(LANG,),
        answer=Answer(shape={"type": "string"}, media_type="text/html"),
        summary="Read a report as a page.",
    ),
    Endpoint(
        method="GET",
        path="/v1/comparisons/{id}.pdf",
        role="viewer",
        handler=show_pdf,
        query=(LANG,),
        answer=Answer(shape={"type": "string", "format": "binary"}, media_type="application/pdf"),
        summary="Read a report as a PDF.",
    ),
    Endpoint(
        method="GET",
        path="/v1/comparisons/{id}/parcel",
        role="viewer",
        handler=show_parcel,
        answer=Answer(shape=shapes.Parcel),
        summary="Read the parcel that was compared.",
    ),
    Endpoint(
        method="GET",
        path="/v1/comparisons/{id}",
        role="viewer",
        handler=show,
        query=(LANG,),
        answer=Answer(shape=REPORT),
        summary="Read a report as it was answered.",
    ),
)
