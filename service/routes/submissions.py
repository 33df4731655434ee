"""Submissions over HTTP: received, shown, listed, decided, and the address of the calendar of their due dates."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from service.door.bodies import checked, form_schema, text_of, texts_of, upload_in
from service.door.endpoint import MULTIPART, Answer, Body, Endpoint, Visit
from service.door.query import choice, text, yes_no
from service.errors import Refused
from service.register import entries, submissions
from service.register.database import reading
from service.register.entries import Entry
from service.register.people import feed_key_of
from service.register.submissions import SORTS, STATES, Submission, Wanted
from service.routes import shapes_of_cases as shapes
from service.routes.comparisons import CHOOSING, choices_of
from service.routes.paging import FROM, PAGING, TO, following, span_in, told
from service.work.receive import once_of, submit
from service.work.shipment import ShipmentParcel, compare_again, decide, shipment_of


@Endpoint(
    "POST",
    "/v1/submissions",
    "monitor",
    query=(CHOOSING,),
    body=Body({MULTIPART: form_schema("note", lists=("choose",))}, streamed=True),
    status=202,
    once=True,
    heavy=True,
)
def create(visit: Visit) -> shapes.SubmissionReceived:
    """Receive a file of many parcels, and have them compared."""
    (name, content), note = upload_in(visit.form), text_of(visit.form, "note")
    checked({"note": note}, shapes.Noted, table="form")
    said = [*visit.asked["choose"], *texts_of(visit.form, "choose")]
    came = (name.encode(), note.encode(), content, *(text.encode() for text in said))
    key = visit.request.headers.get("idempotency-key")
    received = submit(
        visit.work,
        name=name,
        content=content,
        note=note,
        actor=visit.who.actor,
        choices=choices_of(said),
        once=once_of(key, visit.who.actor, *came),
        large=visit.large,
    )
    visit.place = f"/v1/submissions/{received.id}"
    return {"id": received.id, "job": f"/v1/jobs/{received.job_id}"}


@Endpoint("GET", "/v1/submissions/{id}", "viewer", answer=shapes.Submission)
def show(visit: Visit) -> Answer:
    """Read a submission, its parcels and its history."""
    return _shown_whole(visit, visit.path["id"])


@Endpoint(
    "GET",
    "/v1/submissions",
    "viewer",
    query=(
        *PAGING,
        choice("state", "How far they are.", STATES),
        yes_no("overdue", "Whether they are past their due date and not decided."),
        text("exporter", "With a parcel of this exporter."),
        text("zone", "With a parcel that declares this zone or country."),
        FROM,
        TO,
        choice("sort", "In which order.", (*SORTS,), default="due_at"),
    ),
    answer=shapes.Submissions,
)
def index(visit: Visit) -> Answer:
    """List submissions, what is due first."""
    asked = visit.asked
    start, end = span_in(asked)
    wanted = Wanted(
        **{name: asked[name] for name in ("state", "overdue", "exporter", "sort")},
        zone=visit.work.origin(asked["zone"]),
        start=start,
        end=end,
    )
    found, further, moment = submissions.page_of(
        visit.work.engine, wanted=wanted, before=asked["before"], limit=asked["limit"]
    )
    with reading(visit.work.engine) as connection:
        decided = entries.last_of_each(connection, "decision", [item.id for item in found])
    items = [_shown(item, moment, decided.get(item.id), shapes.SubmissionItem) for item in found]
    return {"items": items, "next": following(visit, further)}


@Endpoint("POST", "/v1/submissions/{id}/decision", "monitor", answer=shapes.Submission, status=201)
def create_decision(visit: Visit, given: shapes.NewDecision) -> Answer:
    """Decide on a submission; earlier decisions stay in its history."""
    submission_id = visit.path["id"]
    decide(visit.work, submission_id, **given, actor=visit.who.actor)
    visit.place = f"/v1/submissions/{submission_id}"
    return _shown_whole(visit, submission_id)


@Endpoint("POST", "/v1/submissions/{id}/compare", "monitor", status=202)
def create_comparing(visit: Visit) -> shapes.SubmissionReceived:
    """Compare what is left of a submission whose comparing was cancelled, or failed."""
    submission_id = visit.path["id"]
    job_id = compare_again(visit.work, submission_id, actor=visit.who.actor)
    visit.place = f"/v1/submissions/{submission_id}"
    return {"id": submission_id, "job": f"/v1/jobs/{job_id}"}


@Endpoint(
    "POST",
    "/v1/feeds",
    "viewer",
    answer={"type": "object", "required": ["href"], "properties": {"href": {"type": "string"}}},
    status=201,
)
def create_feed(visit: Visit) -> Answer:
    """Get the address of the calendar, with a key in it that can do nothing else."""
    key = feed_key_of(visit.work.engine, visit.who.actor)
    if key is None:
        raise Refused("conflict", "A feed belongs to a key or a person; the one-time link stands for neither.")
    return {"href": f"/v1/submissions.ics?key={key}"}


def _shown_whole(visit: Visit, submission_id: str) -> Answer:
    shipment = shipment_of(visit.work, submission_id, visit.who)
    return _shown(
        shipment.submission,
        shipment.moment,
        shipment.decision,
        shapes.Submission,
        parcels=[_parcel(parcel) for parcel in shipment.parcels],
        flags=shipment.flags,
        figures=shipment.figures,
        history=[told(shapes.Event, entry, event=entry.kind) for entry in shipment.history],
    )


def _shown(item: Submission, moment: datetime, decision: Entry | None, shape: Any, **more: Any) -> dict[str, Any]:
    return told(
        shape,
        item,
        url=f"/v1/submissions/{item.id}",
        overdue=item.is_overdue(moment),
        job=f"/v1/jobs/{item.job_id}",
        decision=None if decision is None else told(shapes.Decided, decision, **decision.values),
        **more,
    )


def _parcel(parcel: ShipmentParcel) -> shapes.SubmittedParcel:
    found, name = parcel.comparison, ("conclusion", "log10_lr")
    computed = {one: found and getattr(found, one) for one in name}
    return told(shapes.SubmittedParcel, parcel, comparison=found and f"/v1/comparisons/{found.id}", **computed)
