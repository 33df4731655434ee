"""Comparisons over HTTP: the answer to a POST is BentoML's to send, reading them again is the mounted app's."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kpfootprint.ingest import ingest_json
from kpfootprint.report import read_report, render_html
from kpfootprint.report.schema import report_schema
from service.clock import written
from service.door.endpoint import JSON, Answer, Body, Endpoint, Named
from service.door.query import Query, choice, whole_number
from service.door.visit import Visit, visit_of
from service.errors import Refused, bad_parameter
from service.languages import LANGUAGES, language_of
from service.register import comparisons
from service.register.comparisons import Entry, Once
from service.routes import shapes
from service.routes.bodies import json_in
from service.work.compare import compare

PAGE = 50
MAX_PAGE = 500

LANG = choice("lang", "Language of texts; Accept-Language counts where it is absent. JSON never changes.", LANGUAGES)
PAGING: tuple[Query, ...] = (
    whole_number("limit", f"How many items; {PAGE} without it.", maximum=MAX_PAGE, default=PAGE),
    whole_number("before", "Where the page starts; `next` of the page before holds it."),
)
REPORT = Named(name="Report", schema=report_schema())


async def submitted(request: Request) -> Response:
    """Compare the parcel that a request carries: 201 with the report, and where it can be read again."""
    visit = visit_of(request)
    document = json_in(visit.body)
    kept = await visit.work.heavy(
        partial(
            compare,
            visit.work,
            lambda release: ingest_json(document, release.scheme, release.zone_table),
            actor=visit.who.actor,
            once=once_in(request),
        )
    )
    headers = {"Location": f"/v1/comparisons/{kept.id}"}
    return Response(kept.report, status_code=201, media_type=JSON, headers=headers)


def once_in(request: Request) -> Once | None:
    """Return the Idempotency-Key of a request with what came under it, or None where there is none."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not (1 <= len(key) <= 255 and key.isascii() and key.isprintable()):
        reason = "1 to 255 printable ASCII characters are needed"
        raise bad_parameter("Idempotency-Key", key, reason, place="header")
    visit = visit_of(request)
    digest = hashlib.sha256(visit.body).hexdigest()
    return Once(actor=visit.who.actor, key=key, request_sha256=digest)


def report_text(visit: Visit, comparison_id: str) -> str:
    """Return the JSON text of a report, or refuse."""
    found = comparisons.report_of(visit.work.engine, comparison_id)
    if found is None:
        raise Refused("not_found", "There is no comparison with this id.")
    return found


def show(request: Request) -> Response:
    """Return a report as it was answered."""
    return Response(report_text(visit_of(request), request.path_params["id"]), media_type=JSON)


def show_html(request: Request) -> Response:
    """Return a report as a page."""
    lang = language_of(request)
    page = render_html(read_report(report_text(visit_of(request), request.path_params["id"])), lang)
    return Response(page, media_type="text/html", headers={"Content-Language": lang, "Vary": "Accept-Language"})


def show_pdf(request: Request) -> Response:
    """Return a report as a document to file."""
    from kpfootprint.report import render_pdf  # loads a typesetter, which most workers never need

    lang = language_of(request)
    document = render_pdf(read_report(report_text(visit_of(request), request.path_params["id"])), lang)
    name = f"comparison-{request.path_params['id']}-{lang}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"', "Content-Language": lang, "Vary": "Accept-Language"}
    return Response(document, media_type="application/pdf", headers=headers)


def index(request: Request) -> Response:
    """Return a page of comparisons, the newest first."""
    visit = visit_of(request)
    limit = visit.asked["limit"]
    entries, further = comparisons.page_of(visit.work.engine, before=visit.asked["before"], limit=limit)
    following = None if further is None else f"/v1/comparisons?limit={limit}&before={further}"
    return JSONResponse({"items": [item_of(entry) for entry in entries], "next": following})


def item_of(entry: Entry) -> dict[str, Any]:
    """Return what a list says of a comparison."""
    return {
        "id": entry.id,
        "url": f"/v1/comparisons/{entry.id}",
        "created_at": written(entry.created_at),
        "parcel_id": entry.parcel_id,
        "declared": list(entry.declared),
        "conclusion": entry.conclusion,
        "log10_lr": entry.log10_lr,
        "release": entry.release,
        "report_id": entry.report_id,
    }


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/comparisons",
        role="monitor",
        handler=None,
        query=(LANG,),
        body=Body(kinds={JSON: shapes.Parcel}),
        answer=Answer(shape=REPORT, status=201),
        once=True,
        summary="Compare a parcel with what was declared, and keep the report.",
    ),
    Endpoint(
        method="GET",
        path="/v1/comparisons",
        role="viewer",
        handler=index,
        query=PAGING,
        answer=Answer(shape=shapes.Comparisons),
        summary="List comparisons, the newest first.",
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
        path="/v1/comparisons/{id}",
        role="viewer",
        handler=show,
        query=(LANG,),
        answer=Answer(shape=REPORT),
        summary="Read a report as it was answered.",
    ),
)
