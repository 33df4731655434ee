"""Certificates that were reported as fraudulent: loaded as a list, looked up by number."""

from __future__ import annotations

import csv
import io
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kpfootprint.errors import Problem
from service.clock import written
from service.door.endpoint import JSON, Answer, Body, Endpoint
from service.door.query import text
from service.door.visit import visit_of
from service.errors import Refused
from service.register import certificates
from service.register.database import reading, registering
from service.routes import shapes_of_submissions as shapes
from service.routes.bodies import checked, document_in
from service.routes.paging import PAGING, following

CSV = "text/csv"
COLUMNS = ("certificate_no", "reported_by", "reported_on", "note")


def create(request: Request) -> Response:
    """Add certificates from JSON or CSV: how many are new."""
    visit = visit_of(request)
    if visit.media_type == CSV:
        document: Any = checked({"items": _rows(visit.body)}, shapes.NewCertificates, table="certificates")
    else:
        document = document_in(request, shapes.NewCertificates, table="certificates")
    with registering(visit.work.engine) as connection:
        added, known = certificates.add(connection, document["items"], actor=visit.who.actor)
    return JSONResponse({"added": added, "known": known}, status_code=201)


def index(request: Request) -> Response:
    """Return a page of reported certificates, the newest first."""
    visit = visit_of(request)
    with reading(visit.work.engine) as connection:
        found, further = certificates.page_of(
            connection,
            certificate_no=visit.asked["certificate_no"],
            before=visit.asked["before"],
            limit=visit.asked["limit"],
        )
    items: list[shapes.CertificateItem] = [
        {
            "certificate_no": item.certificate_no,
            "reported_by": item.reported_by,
            "reported_on": item.reported_on,
            "note": item.note,
            "added_at": written(item.added_at),
        }
        for item in found
    ]
    return JSONResponse({"items": items, "next": following(request, further)})


def _rows(body: bytes) -> list[dict[str, str]]:
    try:
        content = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        content = body.decode("cp1252", errors="replace")
    first = content.partition("\n")[0]
    mark = max(";,\t", key=first.count)
    reader = csv.reader(io.StringIO(content), delimiter=mark)
    header = [name.strip().lower() for name in next(reader, [])]
    unknown = [name for name in header if name not in COLUMNS]
    if unknown or "certificate_no" not in header or "reported_by" not in header:
        reason = f"the columns are {', '.join(COLUMNS)}; the first two are needed"
        told = Problem(table="certificates", row=1, value=first[:80], code="unknown_column", reason=reason)
        raise Refused("invalid_input", "The columns are not those of certificates.", problems=(told,))
    rows = []
    for cells in reader:
        if any(cell.strip() for cell in cells):
            values = {name: cell.strip() or None for name, cell in zip(header, cells, strict=False)}
            rows.append({name: value for name, value in values.items() if value is not None})
    return rows


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/certificates",
        role="monitor",
        handler=create,
        body=Body(kinds={JSON: shapes.NewCertificates, CSV: {"type": "string"}}),
        answer=Answer(shape=shapes.CertificatesAdded, status=201),
        summary="Add certificates that were reported as fraudulent.",
    ),
    Endpoint(
        method="GET",
        path="/v1/certificates",
        role="viewer",
        handler=index,
        query=(*PAGING, text("certificate_no", "Number; blanks, marks and capitals do not count.")),
        answer=Answer(shape=shapes.Certificates),
        summary="List certificates that were reported as fraudulent.",
    ),
)
