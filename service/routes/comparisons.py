"""Comparisons over HTTP: the answer to a POST is BentoML's to send, reading them again is the mounted app's."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kpfootprint.ingest import ingest_json
from kpfootprint.report import read_report, render_html
from service.errors import Refused, bad_parameter
from service.languages import language_of
from service.register import comparisons
from service.register.comparisons import Entry, Once
from service.visit import Visit, visit_of
from service.work import Kept

PAGE = 50
MAX_PAGE = 500


def submitted(visit: Visit, body: bytes, idempotency_key: str | None) -> Response:
    """Compare a JSON parcel: 201 with the report, and where it can be read again."""
    document = json_in(body)
    once = None
    if idempotency_key is not None:
        if not (1 <= len(idempotency_key) <= 255 and idempotency_key.isascii() and idempotency_key.isprintable()):
            reason = "1 to 255 printable ASCII characters are needed"
            raise bad_parameter("Idempotency-Key", idempotency_key, reason, place="header")
        digest = hashlib.sha256(body).hexdigest()
        once = Once(actor=visit.who.actor, key=idempotency_key, request_sha256=digest)
    kept = visit.work.compare(
        lambda release: ingest_json(document, release.scheme, release.zone_table), actor=visit.who.actor, once=once
    )
    return created(kept)


def json_in(body: bytes) -> Any:
    """Return the JSON of a body; raise `Refused` where it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused("not_json", f"The body is not JSON: {error}.") from None


def created(kept: Kept) -> Response:
    """Return the answer to a parcel that was compared and kept."""
    headers = {"Location": f"/v1/comparisons/{kept.id}"}
    return Response(kept.report, status_code=201, media_type="application/json", headers=headers)


def report_text(request: Request) -> str:
    """Return the JSON text of the report that the address names, or refuse."""
    text = comparisons.report_of(visit_of(request).work.engine, request.path_params["id"])
    if text is None:
        raise Refused("not_found", "There is no comparison with this id.")
    return text


def show(request: Request) -> Response:
    """Return a report as it was answered."""
    return Response(report_text(request), media_type="application/json")


def show_html(request: Request) -> Response:
    """Return a report as a page."""
    lang = language_of(request)
    page = render_html(read_report(report_text(request)), lang)
    return Response(page, media_type="text/html", headers={"Content-Language": lang, "Vary": "Accept-Language"})


def show_pdf(request: Request) -> Response:
    """Return a report as a document to file."""
    from kpfootprint.report import render_pdf  # loads a typesetter, which most workers never need

    lang = language_of(request)
    document = render_pdf(read_report(report_text(request)), lang)
    name = f"comparison-{request.path_params['id']}-{lang}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"', "Content-Language": lang, "Vary": "Accept-Language"}
    return Response(document, media_type="application/pdf", headers=headers)


def index(request: Request) -> Response:
    """Return a page of comparisons, the newest first."""
    limit = _number(request, "limit", PAGE, MAX_PAGE) or PAGE
    entries, further = comparisons.page_of(visit_of(request).work.engine, before=position_before(request), limit=limit)
    following = None if further is None else f"/v1/comparisons?limit={limit}&before={further}"
    return JSONResponse({"items": [item_of(entry) for entry in entries], "next": following})


def position_before(request: Request) -> int | None:
    """Return where a further page of the list starts, or None for the first."""
    return _number(request, "before", None, None)


def item_of(entry: Entry) -> dict[str, Any]:
    """Return what a list says of a comparison."""
    return {
        "id": entry.id,
        "url": f"/v1/comparisons/{entry.id}",
        "created_at": entry.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "parcel_id": entry.parcel_id,
        "declared": list(entry.declared),
        "conclusion": entry.conclusion,
        "log10_lr": entry.log10_lr,
        "release": entry.release,
        "report_id": entry.report_id,
    }


def _number(request: Request, name: str, default: int | None, largest: int | None) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and 1 <= len(text) <= 15 and int(text) >= 1):
        raise bad_parameter(name, text, "not a whole number from 1 upwards")
    return int(text) if largest is None else min(int(text), largest)
