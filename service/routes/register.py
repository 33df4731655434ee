"""The register over HTTP: where its chain ends, all of it to take away, and another register's to take in."""

from __future__ import annotations

from functools import partial

from anyio import to_thread
from starlette.concurrency import iterate_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from service.clock import written
from service.door.endpoint import MULTIPART, Answer, Body, Endpoint
from service.door.query import choice
from service.door.visit import visit_of
from service.register import entries
from service.register.database import reading
from service.register.entries import Head
from service.register.exchange import exported
from service.routes import shapes
from service.routes.jobs import accepted
from service.routes.paging import FROM, TO, span_in
from service.routes.shapes_of_submissions import Accepted
from service.routes.uploads import file_in, form_in, form_schema
from service.work.take_in import queue_import

JSON_LINES = "application/x-ndjson"
IMPORTED = (
    *(JSON_LINES, "application/jsonl", "application/jsonlines", "application/x-jsonlines"),
    *("application/json", "text/plain", "application/octet-stream"),
)
TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": JSON_LINES}


def head(request: Request) -> Response:
    """Return where the chain ends."""
    with reading(visit_of(request).work.engine) as connection:
        return JSONResponse(head_shown(entries.head(connection)))


def head_shown(found: Head) -> shapes.Head:
    """Return the end of the chain as it is answered."""
    return {"position": found.position, "hash": found.hash, "at": None if found.at is None else written(found.at)}


def export(request: Request) -> Response:
    """Stream every entry, or those of a span of days."""
    visit = visit_of(request)
    form = visit.asked["format"]
    lines = exported(visit.work.engine, form, *span_in(visit.asked))
    headers = {"Content-Type": TYPES[form], "Content-Disposition": f'attachment; filename="register.{form}"'}
    return StreamingResponse(iterate_in_threadpool(lines), headers=headers)


async def take_in(request: Request) -> Response:
    """Take in what another register exported: 202, and the job that does it."""
    visit = visit_of(request)
    if visit.media_type == MULTIPART:
        form = await form_in(request)
        try:
            content = await file_in(form).read()
        finally:
            await form.close()
    else:
        content = await request.body()
    job_id = await visit.work.heavy(partial(queue_import, visit.work, content, actor=visit.who.actor))
    return await to_thread.run_sync(accepted, visit.work, job_id)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/register/head",
        role="viewer",
        handler=head,
        answer=Answer(shape=shapes.Head),
        summary="Read where the chain of the register ends.",
    ),
    Endpoint(
        method="GET",
        path="/v1/register/export",
        role="viewer",
        handler=export,
        query=(choice("format", "Form of the lines.", (*TYPES,), default="jsonl"), FROM, TO),
        answer=Answer(shape={"type": "string"}, media_type=JSON_LINES, or_types=("text/csv",)),
        reveals=True,
        summary="Take the register away, as CSV or JSON Lines.",
    ),
    Endpoint(
        method="POST",
        path="/v1/register/import",
        role="monitor",
        handler=take_in,
        body=Body(kinds={kind: {"type": "string"} for kind in IMPORTED} | {MULTIPART: form_schema()}, streamed=True),
        answer=Answer(shape=Accepted, status=202),
        summary="Take in what another register exported.",
    ),
)
