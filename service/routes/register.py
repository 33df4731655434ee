"""The register over HTTP: where its chain ends, all of it to take away, and another register's to take in."""

from __future__ import annotations

from starlette.concurrency import iterate_in_threadpool
from starlette.responses import Response, StreamingResponse

from service.door.bodies import form_schema, upload_in
from service.door.endpoint import MULTIPART, Answer, Body, Endpoint, Visit
from service.door.query import choice
from service.register import entries
from service.register.backup import exported
from service.register.database import reading
from service.routes import shapes
from service.routes.jobs import accepted
from service.routes.paging import FROM, TO, span_in, told
from service.routes.shapes_of_submissions import Accepted
from service.work.take_in import queue_import

JSON_LINES = "application/x-ndjson"
IMPORTED = (
    *(JSON_LINES, "application/jsonl", "application/jsonlines", "application/x-jsonlines"),
    *("application/json", "text/plain", "application/octet-stream"),
)
TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": JSON_LINES}


@Endpoint("GET", "/v1/register/head", "viewer", answer=shapes.Head)
def head(visit: Visit) -> Answer:
    """Read where the chain of the register ends."""
    with reading(visit.work.engine) as connection:
        return told(shapes.Head, entries.head(connection))


@Endpoint(
    "GET",
    "/v1/register/export",
    "viewer",
    query=(choice("format", "Form of the lines.", (*TYPES,), default="jsonl"), FROM, TO),
    answer={"type": "string"},
    media_type=JSON_LINES,
    or_types=("text/csv",),
    reveals=True,
)
def export(visit: Visit) -> Response:
    """Take the register away, as CSV or JSON Lines."""
    form = visit.asked["format"]
    lines = exported(visit.work.engine, form, *span_in(visit.asked))
    headers = {"Content-Type": TYPES[form], "Content-Disposition": f'attachment; filename="register.{form}"'}
    return StreamingResponse(iterate_in_threadpool(lines), headers=headers)


@Endpoint(
    "POST",
    "/v1/register/import",
    "monitor",
    body=Body({kind: {"type": "string"} for kind in IMPORTED} | {MULTIPART: form_schema()}, streamed=True),
    status=202,
    heavy=True,
)
def take_in(visit: Visit) -> Accepted:
    """Take in what another register exported."""
    content = upload_in(visit.form)[1] if visit.media_type == MULTIPART else visit.body
    return accepted(visit, queue_import(visit.work, content, actor=visit.who.actor))
