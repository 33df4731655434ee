"""Submissions over HTTP: received, shown, listed, decided, and their due dates as a calendar."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import partial
from typing import Any, cast

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kpfootprint.errors import Problem
from service.clock import written
from service.door.endpoint import JSON, MULTIPART, Answer, Body, Endpoint
from service.door.query import choice, text, yes_no
from service.door.visit import visit_of
from service.errors import Refused
from service.register import entries, submissions
from service.register.database import reading
from service.register.entries import Entry
from service.register.submissions import SORTS, Submission, Wanted
from service.routes import shapes_of_submissions as shapes
from service.routes.bodies import document_in
from service.routes.paging import FROM, PAGING, TO, following, span_in
from service.routes.parcels import CHOOSING, choices_of
from service.routes.uploads import file_in, form_in, form_schema, text_in
from service.work.calendar import calendar_of, feed_key_of, is_feed_key
from service.work.compare import once_of
from service.work.decide import decide
from service.work.shipment import Shipment, last_decision, shipment_of
from service.work.submit import submit

STATES = ("received", "compared", "decided")
MAX_NOTE = 5000


async def create(request: Request) -> Response:
    """Receive a file of parcels: 202, and the job that compares them."""
    visit = visit_of(request)
    form = await form_in(request, "note", "choose")
    try:
        upload, note = file_in(form), text_in(form, "note")
        if len(note) > MAX_NOTE:
            problem = Problem(table="form", column="note", code="too_long", reason=f"at most {MAX_NOTE} characters")
            raise Refused("invalid_input", "The note is too long.", problems=(problem,))
        content = await upload.read()
        name = upload.filename or ""
        said = [*visit.asked["choose"], *(value for value in form.getlist("choose") if isinstance(value, str))]
    finally:
        await form.close()
    answers = [text.encode() for text in said]
    digest = hashlib.sha256(b"\0".join((name.encode(), note.encode(), content, *answers))).hexdigest()
    received = await visit.work.heavy(
        partial(
            submit,
            visit.work,
            name=name,
            content=content,
            note=note,
            actor=visit.who.actor,
            choices=choices_of(said),
            once=once_of(request.headers.get("idempotency-key"), visit.who.actor, digest),
        )
    )
    answer: shapes.SubmissionReceived = {"id": received.id, "job": f"/v1/jobs/{received.job_id}"}
    return JSONResponse(answer, status_code=202, headers={"Location": f"/v1/submissions/{received.id}"})


def show(request: Request) -> Response:
    """Return a submission with its parcels and its history."""
    visit = visit_of(request)
    return JSONResponse(_shown_whole(shipment_of(visit.work, request.path_params["id"], visit.who)))


def index(request: Request) -> Response:
    """Return a page of submissions."""
    visit = visit_of(request)
    asked = visit.asked
    start, end = span_in(asked)
    wanted = Wanted(
        **{name: asked[name] for name in ("state", "overdue", "exporter", "zone", "sort")}, start=start, end=end
    )
    found, further, moment = submissions.page_of(
        visit.work.engine, wanted=wanted, before=asked["before"], limit=asked["limit"]
    )
    with reading(visit.work.engine) as connection:
        items = [_shown(item, moment, last_decision(entries.about(connection, item.id))) for item in found]
    return JSONResponse({"items": items, "next": following(request, further)})


async def create_decision(request: Request) -> Response:
    """Decide on a submission: 201, the submission."""
    visit = visit_of(request)
    given: shapes.NewDecision = document_in(request, shapes.NewDecision, table="decision")
    submission_id = request.path_params["id"]
    await to_thread.run_sync(
        partial(
            decide,
            visit.work,
            submission_id,
            decision=given["decision"],
            note=given.get("note", ""),
            actor=visit.who.actor,
        )
    )
    shipment = await to_thread.run_sync(shipment_of, visit.work, submission_id, visit.who)
    return JSONResponse(
        _shown_whole(shipment), status_code=201, headers={"Location": f"/v1/submissions/{submission_id}"}
    )


def calendar(request: Request) -> Response:
    """Return the due dates of undecided submissions as a calendar, by a key in the address or as usual."""
    visit = visit_of(request)
    key = visit.asked["key"]
    if visit.principal is None and not (key and is_feed_key(visit.work.engine, key)):
        raise Refused("unauthenticated", "The address needs ?key=, as POST /v1/feeds gives it.")
    found, _, moment = submissions.page_of(visit.work.engine, wanted=Wanted(undecided=True), before=None, limit=1000)
    base = str(request.base_url).rstrip("/")
    return Response(calendar_of(found, moment, base), headers={"Content-Type": "text/calendar; charset=utf-8"})


def create_feed(request: Request) -> Response:
    """Give the address of the calendar, with a key in it that can do nothing else and ends with whoever asks."""
    visit = visit_of(request)
    key = feed_key_of(visit.work.engine, visit.who.actor)
    if key is None:
        raise Refused("conflict", "A feed belongs to a key or a person; the one-time link stands for neither.")
    return JSONResponse({"href": f"/v1/submissions.ics?key={key}"}, status_code=201)


def _shown(item: Submission, moment: datetime, decision: Entry | None) -> shapes.SubmissionItem:
    shown = {
        "id": item.id,
        "url": f"/v1/submissions/{item.id}",
        "received_at": written(item.received_at),
        "due_at": written(item.due_at),
        "state": item.state,
        "overdue": item.state != "decided" and item.due_at < moment,
        "exporter": item.exporter,
        "note": item.note,
        "file_name": item.file_name,
        "n_parcels": item.n_parcels,
        "n_bad": item.n_bad,
        "job": f"/v1/jobs/{item.job_id}",
        "decision": None if decision is None else _decision(decision),
    }
    return cast(shapes.SubmissionItem, shown)


def _decision(entry: Entry) -> dict[str, Any]:
    return {
        "decision": entry.values["decision"],
        "note": entry.values["note"],
        "actor": entry.actor,
        "at": written(entry.at),
    }


def _shown_whole(shipment: Shipment) -> shapes.Submission:
    item = _shown(shipment.submission, shipment.moment, last_decision(shipment.history))
    parcels = [
        {
            "parcel_id": parcel.parcel_id,
            "comparison": None if parcel.comparison is None else f"/v1/comparisons/{parcel.comparison.id}",
            "conclusion": None if parcel.comparison is None else parcel.comparison.conclusion,
            "log10_lr": None if parcel.comparison is None else parcel.comparison.log10_lr,
            "flags": list(parcel.flags),
            "problems": list(parcel.problems),
        }
        for parcel in shipment.parcels
    ]
    history = [
        {"at": written(entry.at), "actor": entry.actor, "event": entry.kind, "values": dict(entry.values)}
        for entry in shipment.history
    ]
    return cast(
        shapes.Submission,
        {**item, "parcels": parcels, "flags": list(shipment.flags), "figures": shipment.figures, "history": history},
    )


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/submissions",
        role="monitor",
        handler=create,
        query=(CHOOSING,),
        body=Body(kinds={MULTIPART: form_schema("note", lists=("choose",))}, streamed=True),
        answer=Answer(shape=shapes.SubmissionReceived, status=202),
        once=True,
        summary="Receive a file of many parcels, and have them compared.",
    ),
    Endpoint(
        method="GET",
        path="/v1/submissions",
        role="viewer",
        handler=index,
        query=(
            *PAGING,
            choice("state", "How far they are.", STATES),
            yes_no("overdue", "Whether they are past their due date and not decided."),
            text("exporter", "With a parcel of this exporter."),
            text("zone", "With a parcel that declares this zone."),
            FROM,
            TO,
            choice("sort", "In which order.", (*SORTS,), default="due_at"),
        ),
        answer=Answer(shape=shapes.Submissions),
        summary="List submissions, what is due first.",
    ),
    Endpoint(
        method="GET",
        path="/v1/submissions.ics",
        role=None,
        handler=calendar,
        query=(text("key", "Key of the feed, where no other is sent."),),
        answer=Answer(shape={"type": "string"}, media_type="text/calendar"),
        summary="Read the due dates as a calendar.",
    ),
    Endpoint(
        method="POST",
        path="/v1/feeds",
        role="viewer",
        handler=create_feed,
        answer=Answer(
            shape={"type": "object", "required": ["href"], "properties": {"href": {"type": "string"}}}, status=201
        ),
        summary="Get the address of the calendar, with a key in it that can do nothing else.",
    ),
    Endpoint(
        method="GET",
        path="/v1/submissions/{id}",
        role="viewer",
        handler=show,
        answer=Answer(shape=shapes.Submission),
        summary="Read a submission, its parcels and its history.",
    ),
    Endpoint(
        method="POST",
        path="/v1/submissions/{id}/decision",
        role="monitor",
        handler=create_decision,
        body=Body(kinds={JSON: shapes.NewDecision}),
        answer=Answer(shape=shapes.Submission, status=201),
        summary="Decide on a submission; earlier decisions stay in its history.",
    ),
)
