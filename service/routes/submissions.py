"""Submissions over HTTP: received, shown, listed, decided, and their due dates as a calendar."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kpfootprint.errors import Problem
from service.door.endpoint import JSON, MULTIPART, Body, Endpoint
from service.door.forms import form_schema, text_of, texts_of, upload_in
from service.door.query import choice, text, yes_no
from service.door.visit import visit_of
from service.errors import Refused
from service.register import entries, submissions
from service.register.database import reading
from service.register.entries import Entry
from service.register.submissions import SORTS, Submission, Wanted
from service.routes import shapes_of_submissions as shapes
from service.routes.paging import FROM, PAGING, TO, following, span_in, told
from service.routes.parcels import CHOOSING, choices_of
from service.work.calendar import calendar_of, feed_key_of, is_feed_key
from service.work.compare import once_of
from service.work.decide import decide
from service.work.shipment import Shipment, ShipmentParcel, shipment_of
from service.work.submit import submit

STATES = ("received", "compared", "decided")
MAX_NOTE = 5000


@Endpoint(
    "POST",
    "/v1/submissions",
    "monitor",
    query=(CHOOSING,),
    body=Body({MULTIPART: form_schema("note", lists=("choose",))}, streamed=True),
    answer=shapes.SubmissionReceived,
    status=202,
    once=True,
    heavy=True,
)
def create(request: Request) -> Response:
    """Receive a file of many parcels, and have them compared."""
    visit = visit_of(request)
    (name, content), note = upload_in(visit.form), text_of(visit.form, "note")
    if len(note) > MAX_NOTE:
        problem = Problem(table="form", column="note", code="too_long", reason=f"at most {MAX_NOTE} characters")
        raise Refused("invalid_input", "The note is too long.", problems=(problem,))
    said = [*visit.asked["choose"], *texts_of(visit.form, "choose")]
    came = (name.encode(), note.encode(), content, *(text.encode() for text in said))
    digest, key = hashlib.sha256(b"\0".join(came)).hexdigest(), request.headers.get("idempotency-key")
    received = submit(
        visit.work,
        name=name,
        content=content,
        note=note,
        actor=visit.who.actor,
        choices=choices_of(said),
        once=once_of(key, visit.who.actor, digest),
        large=visit.large,
    )
    answer: shapes.SubmissionReceived = {"id": received.id, "job": f"/v1/jobs/{received.job_id}"}
    return JSONResponse(answer, status_code=202, headers={"Location": f"/v1/submissions/{received.id}"})


@Endpoint("GET", "/v1/submissions/{id}", "viewer", answer=shapes.Submission)
def show(request: Request) -> Response:
    """Read a submission, its parcels and its history."""
    visit = visit_of(request)
    return JSONResponse(_shown_whole(shipment_of(visit.work, request.path_params["id"], visit.who)))


@Endpoint(
    "GET",
    "/v1/submissions",
    "viewer",
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
    answer=shapes.Submissions,
)
def index(request: Request) -> Response:
    """List submissions, what is due first."""
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
        decided = entries.last_of_each(connection, "decision", [item.id for item in found])
    items = [_shown(item, moment, decided.get(item.id)) for item in found]
    return JSONResponse({"items": items, "next": following(request, further)})


@Endpoint(
    "POST",
    "/v1/submissions/{id}/decision",
    "monitor",
    body=Body({JSON: shapes.NewDecision}),
    answer=shapes.Submission,
    status=201,
)
def create_decision(request: Request) -> Response:
    """Decide on a submission; earlier decisions stay in its history."""
    visit, submission_id = visit_of(request), request.path_params["id"]
    decide(visit.work, submission_id, **visit.given, actor=visit.who.actor)
    headers = {"Location": f"/v1/submissions/{submission_id}"}
    return JSONResponse(
        _shown_whole(shipment_of(visit.work, submission_id, visit.who)), status_code=201, headers=headers
    )


@Endpoint(
    "GET",
    "/v1/submissions.ics",
    None,
    query=(text("key", "Key of the feed, where no other is sent."),),
    answer={"type": "string"},
    media_type="text/calendar",
)
def calendar(request: Request) -> Response:
    """Read the due dates as a calendar."""
    visit = visit_of(request)
    key = visit.asked["key"]
    if visit.principal is None and not (key and is_feed_key(visit.work.engine, key)):
        raise Refused("unauthenticated", "The address needs ?key=, as POST /v1/feeds gives it.")
    found, _, moment = submissions.page_of(visit.work.engine, wanted=Wanted(undecided=True), before=None, limit=1000)
    base = str(request.base_url).rstrip("/")
    return Response(calendar_of(found, moment, base), headers={"Content-Type": "text/calendar; charset=utf-8"})


@Endpoint(
    "POST",
    "/v1/feeds",
    "viewer",
    answer={"type": "object", "required": ["href"], "properties": {"href": {"type": "string"}}},
    status=201,
)
def create_feed(request: Request) -> Response:
    """Get the address of the calendar, with a key in it that can do nothing else."""
    visit = visit_of(request)
    key = feed_key_of(visit.work.engine, visit.who.actor)
    if key is None:
        raise Refused("conflict", "A feed belongs to a key or a person; the one-time link stands for neither.")
    return JSONResponse({"href": f"/v1/submissions.ics?key={key}"}, status_code=201)


def _shown(
    item: Submission, moment: datetime, decision: Entry | None, shape: Any = shapes.SubmissionItem, **more: Any
) -> Any:
    return told(
        shape,
        item,
        url=f"/v1/submissions/{item.id}",
        overdue=item.is_overdue(moment),
        job=f"/v1/jobs/{item.job_id}",
        decision=None if decision is None else told(shapes.Decided, decision, **decision.values),
        **more,
    )


def _shown_whole(shipment: Shipment) -> shapes.Submission:
    history = [told(shapes.Event, entry, event=entry.kind) for entry in shipment.history]
    whole: shapes.Submission = _shown(
        shipment.submission,
        shipment.moment,
        shipment.decision,
        shapes.Submission,
        parcels=[_parcel(parcel) for parcel in shipment.parcels],
        flags=list(shipment.flags),
        figures=shipment.figures,
        history=history,
    )
    return whole


def _parcel(parcel: ShipmentParcel) -> shapes.SubmittedParcel:
    found = parcel.comparison
    computed: dict[str, Any] = {"comparison": None, "conclusion": None, "log10_lr": None}
    if found is not None:
        href = f"/v1/comparisons/{found.id}"
        computed = {"comparison": href, "conclusion": found.conclusion, "log10_lr": found.log10_lr}
    return cast(shapes.SubmittedParcel, told(shapes.SubmittedParcel, parcel, **computed))
