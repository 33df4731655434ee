"""The pages of submissions: the inbox by due date, what is wrong with a file before it is received, a shipment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from starlette.responses import Response

from kpfootprint.comparison.results import standing
from kpfootprint.errors import IngestError, Problem
from kpfootprint.ingest import Choices, Reading, Upload
from kpfootprint.reference import ZoneTable
from kpfootprint.report.locale import Words, words
from service import Wordings
from service.door.bodies import file_of, text_of, written_in
from service.door.endpoint import FORM, Endpoint, Visit
from service.door.query import choice, text
from service.errors import Refused
from service.pages.problems import Teller
from service.pages.render import ITEMS, again, moved_to, page, translations
from service.pages.sheet import Asked, carried, carried_in, choices_in
from service.register import entries, submissions
from service.register.database import reading
from service.register.people import feed_key_of
from service.register.submissions import Wanted
from service.routes.paging import BEFORE
from service.routes.shapes_of_cases import NewDecision
from service.work.flags import TEXTS
from service.work.marked import marked_copy
from service.work.receive import read_submission, submit
from service.work.shipment import ShipmentParcel, compare_again, decide, shipment_of

SHOWN_PROBLEMS = 200
SHOWN_PARCELS = 50
SHOWN_OF_A_PARCEL = 20
SHOW = ("open", "decided", "all")
STATES: Wordings = {
    "received": "being compared",
    "compared": "to be decided",
    "decided": "decided",
    "stopped": "comparing has stopped",
}
DECIDED: Wordings = {"approved": "approved", "refused": "refused", "returned": "returned"}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@Endpoint(
    "GET",
    "/submissions",
    "viewer",
    query=(
        choice("show", "Which.", SHOW),
        text("exporter", "Of this exporter."),
        BEFORE,
    ),
    page=True,
)
def index(visit: Visit) -> Response:
    """List submissions, what is due first: what is overdue stands at the top."""
    show, exporter = visit.asked["show"] or "open", visit.asked["exporter"]
    wanted = Wanted(
        undecided=show == "open",
        state="decided" if show == "decided" else None,
        exporter=exporter,
        sort="due_at" if show == "open" else "-received_at",
    )
    found, further, moment = submissions.page_of(
        visit.work.engine, wanted=wanted, before=visit.asked["before"], limit=ITEMS
    )
    with reading(visit.work.engine) as connection:
        ids = [item.id for item in found]
        decisions = entries.last_of_each(connection, "decision", ids)
        states = {
            item.id: STATES["stopped" if submissions.has_stopped(connection, item) else item.state] for item in found
        }
        concluded = {} if visit.who.role in visit.work.settings.blind else submissions.conclusions_of(connection, ids)
    undecided, overdue = submissions.clocks(visit.work.engine)
    feed = feed_key_of(visit.work.engine, visit.who.actor)
    return page(
        visit,
        "submissions.html",
        found=found,
        further=further,
        moment=moment,
        show=show,
        exporter=exporter or "",
        undecided=undecided,
        overdue=overdue,
        said={item.id: DECIDED[decisions[item.id].values["decision"]] for item in found if item.id in decisions},
        states=states,
        concluded=concluded,
        feed=feed and f"{str(visit.request.base_url).rstrip('/')}/v1/submissions.ics?lang={visit.lang}&key={feed}",
    )


@Endpoint("POST", "/submissions/check", "monitor", body=FORM, heavy=True, page=True)
def check(visit: Visit) -> Response:
    """Read a file and show what is in it and what is wrong, before anything is kept."""
    form = visit.form
    upload, note = file_of(form), text_of(form, "note")
    if upload is not None:
        file = Upload(upload.filename or "", upload.file.read())
    elif text_of(form, "content"):
        file = _carried(visit)
    else:
        return moved_to(visit, "/submissions")
    try:
        choices = choices_in(form)
    except IngestError as error:
        return _check_page(visit, file, note, None, error.problems, {})
    return checked(visit, file, note=note, choices=choices)


def checked(visit: Visit, file: Upload, *, note: str, choices: Choices) -> Response:
    """Show what is in a file of parcels, and what it asks; one that cannot be read at all shows its problems alone."""
    found: Reading | None = None
    try:
        found = visit.work.do(read_submission, file.name, file.data, choices, large=visit.large)
        problems = found.problems
    except IngestError as error:
        problems = error.problems
    return _check_page(visit, file, note, found, problems, choices)


def _check_page(
    visit: Visit,
    file: Upload,
    note: str,
    found: Reading | None,
    problems: Sequence[Problem],
    choices: Choices,
) -> Response:
    lang, scheme = visit.lang, visit.work.release().scheme
    packed = carried(file)
    return page(
        visit,
        "submission-check.html",
        status=200 if found is not None else 422,
        name=file.name,
        note=note,
        n_parcels=0 if found is None else len(found.order),
        n_bad=0 if found is None else len(found.failures),
        problems=problems[:SHOWN_PROBLEMS],
        n_problems=len(problems),
        packed=packed if len(packed) < visit.work.settings.max_body else "",
        readable=found is not None,
        asked=Asked.of(problems, choices),
        teller=Teller(lang, scheme),
        parcels=[] if found is None else found.parcels[:SHOWN_PARCELS],
    )


@Endpoint("POST", "/submissions", "monitor", body=FORM, heavy=True, page=True)
def receive(visit: Visit) -> Response:
    """Receive the file that was looked at."""
    file = _carried(visit)
    note, choices = text_of(visit.form, "note"), choices_in(visit.form)
    received = submit(
        visit.work,
        name=file.name,
        content=file.data,
        note=note,
        actor=visit.who.actor,
        choices=choices,
        large=visit.large,
    )
    return moved_to(visit, f"/submissions/{received.id}")


@Endpoint("POST", "/submissions/marked", "monitor", body=FORM, heavy=True, page=True)
def marked(visit: Visit) -> Response:
    """Give the file that was looked at as a workbook with the bad cells marked."""
    file, choices = _carried(visit), choices_in(visit.form)
    made = visit.work.do(marked_copy, file.name, file.data, choices, large=visit.large)
    headers = {"Content-Disposition": 'attachment; filename="problems.xlsx"'}
    return Response(made, media_type=XLSX, headers=headers)


def _carried(visit: Visit) -> Upload:
    file = carried_in(visit.form, visit.work.settings.max_upload)
    if file is None:
        raise Refused("bad_request", "The form does not carry the file; choose it again.")
    return file


@Endpoint("GET", "/submissions/{id}", "viewer", page=True)
def show(visit: Visit) -> Response:
    """Show a shipment: its parcels side by side, its flags, a decision, and all that happened to it."""
    shipment = shipment_of(visit.work, visit.path["id"], visit.who)
    catalogue, told_in, release = translations(visit.lang), words(visit.lang), visit.work.release()
    names, teller = release.zone_table.names, Teller(visit.lang, release.scheme)
    return page(
        visit,
        "submission.html",
        shipment=shipment,
        item=shipment.submission,
        state=STATES["stopped" if shipment.has_stopped else shipment.submission.state],
        decided=DECIDED,
        flag_text=lambda flag: catalogue.gettext(TEXTS[flag["code"]]).format(**_worded(flag["values"], names, told_in)),
        problem_text=lambda problem: _told(problem, teller),
        flagged=[parcel for parcel in shipment.parcels if parcel.flags],
        shown=SHOWN_OF_A_PARCEL,
        comparable=[parcel.comparison.id for parcel in shipment.parcels if parcel.comparison is not None][:12],
        barred=lambda parcel: _barred(parcel, release.zone_table, shipment.moment),
    )


def _barred(parcel: ShipmentParcel, zones: ZoneTable, moment: datetime) -> list[str]:
    """Return the declared zones that were not compliant when a parcel was exported, or are not today without a day."""
    day = None if parcel.comparison is None else parcel.comparison.exported_on
    on = moment.date() if day is None else date.fromisoformat(day)
    return [zone for zone in parcel.declared if standing(zones.status_on(zone, on)) == "not_compliant"]


def _worded(values: Mapping[str, Any], names: Mapping[str, str], told_in: Words) -> dict[str, Any]:
    """Return the values of a flag as people write them: zones by name, numbers with their decimal mark."""
    zone = values.get("zone_id")
    shown = {name: told_in.number(value, 2) if isinstance(value, float) else value for name, value in values.items()}
    return shown | {"zone_id": names.get(zone, zone)} if zone else shown


def _told(problem: Mapping[str, Any], teller: Teller) -> str:
    members = {name: problem[name] for name in ("table", "row", "column", "value", "code", "reason")}
    return teller.told(Problem(**members, values=problem.get("values", {})))


@Endpoint("POST", "/submissions/{id}/decision", "monitor", body=FORM, page=True)
def make_decision(visit: Visit) -> Response:
    """Keep a decision and show the shipment again."""
    submission_id = visit.path["id"]
    given = written_in(visit.form, NewDecision)
    if given is None:
        return again(visit, "Choose one of the three decisions.", show)
    seen = text_of(visit.form, "seen")
    n_seen = int(seen) if seen.isascii() and seen.isdigit() else None
    if not decide(visit.work, submission_id, **given, actor=visit.who.actor, n_seen=n_seen):
        return again(
            visit, "Somebody decided meanwhile: the history says what. Decide again if you still want to.", show
        )
    return moved_to(visit, f"/submissions/{submission_id}")


@Endpoint("POST", "/submissions/{id}/compare", "monitor", body=FORM, page=True)
def compare_further(visit: Visit) -> Response:
    """Have what is left compared, and show the shipment again."""
    submission_id = visit.path["id"]
    compare_again(visit.work, submission_id, actor=visit.who.actor)
    return moved_to(visit, f"/submissions/{submission_id}")
