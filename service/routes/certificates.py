"""Certificates that were reported as fraudulent: loaded as a list, looked up by number."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from kpfootprint.errors import Problem
from service.door.bodies import checked
from service.door.endpoint import JSON, Answer, Body, Endpoint, Visit
from service.door.query import text
from service.errors import Refused, refusal_for
from service.register import certificates
from service.register.database import reading, registering
from service.routes import shapes_of_submissions as shapes
from service.routes.paging import PAGING, following, told
from service.routes.parcels import CSV
from service.work.reading import rows_of_csv

COLUMNS = ("certificate_no", "reported_by", "reported_on", "note")


@Endpoint(
    "POST",
    "/v1/certificates",
    "monitor",
    body=Body({JSON: shapes.NewCertificates, CSV: {"type": "string"}}),
    status=201,
)
def create(visit: Visit) -> shapes.CertificatesAdded:
    """Add certificates that were reported as fraudulent."""
    document = visit.given or _in_table(visit.body)
    with registering(visit.work.engine) as connection:
        added, known = certificates.add(connection, document["items"], actor=visit.who.actor)
    return {"added": added, "known": known}


@Endpoint(
    "GET",
    "/v1/certificates",
    "viewer",
    query=(*PAGING, text("certificate_no", "Number; blanks, marks and capitals do not count.")),
    answer=shapes.Certificates,
)
def index(visit: Visit) -> Answer:
    """List certificates that were reported as fraudulent."""
    with reading(visit.work.engine) as connection:
        found, further = certificates.page_of(connection, **visit.asked)
    items = [told(shapes.CertificateItem, item) for item in found]
    return {"items": items, "next": following(visit, further)}


def _in_table(body: bytes) -> shapes.NewCertificates:
    """Return the certificates of a table; problems name its own rows and columns."""
    rows = _rows(body)
    try:
        document = checked({"items": [values for _, values in rows]}, shapes.NewCertificates, table="certificates")
    except Refused as error:
        found = [replace(one, row=rows[one.row - 1][0]) if one.row else one for one in error.problems]
        raise refusal_for(found) from None
    return cast(shapes.NewCertificates, document)


def _rows(body: bytes) -> list[tuple[int, dict[str, str]]]:
    """Return the rows of a table with the lines that they end on."""
    lines = rows_of_csv(body, "certificates")
    _, first = next((line for line in lines if any(line[1])), (1, []))
    header = [name.strip().lower() for name in first]
    unknown = [name for name in header if name not in COLUMNS]
    if unknown or "certificate_no" not in header or "reported_by" not in header:
        reason = f"the columns are {', '.join(COLUMNS)}; the first two are needed"
        told = Problem(table="certificates", row=1, value=", ".join(first)[:80], code="unknown_column", reason=reason)
        raise Refused("invalid_input", "The columns are not those of certificates.", problems=(told,))
    rows, problems = [], []
    for line, cells in lines:
        given = [cell.strip() for cell in cells]
        if any(given[len(header) :]):
            reason = (
                f"there are {len(header)} columns, and more cells; put texts that hold the separator between quotes"
            )
            problems.append(
                Problem(table="certificates", row=line, value=given[-1][:80], code="invalid", reason=reason)
            )
        elif any(given):
            rows.append((line, {name: text for name, text in zip(header, given, strict=False) if text}))
    if problems:
        raise refusal_for(problems)
    return rows
