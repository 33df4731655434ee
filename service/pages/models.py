"""The pages of releases: what there is, what is in force since when, one release with its card, another in force."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from service.door.endpoint import FORM, Endpoint
from service.door.forms import written_in
from service.door.visit import visit_of
from service.errors import Refused
from service.pages.render import moved_to, page
from service.register import jobs
from service.register.activations import activations, first_in_force
from service.register.people import names_of_actors
from service.routes.shapes import NewActivation, Reason
from service.work.releases import activate, known_release, known_releases, roll_back

JOB_STATES = {"queued": "waits", "running": "runs", "done": "done", "failed": "failed", "cancelled": "cancelled"}
"""States of jobs as pages say them."""
NO_REASON = "Say why: the reason stands in the history."
NOT_JUDGED = "This release was not judged; to put it in force all the same, say why."
TRAININGS = 20


@Endpoint("GET", "/models", "viewer", page=True)
def index(request: Request) -> Response:
    """List the releases, what was in force when, and the trainings."""
    return shown(request)


def shown(request: Request, *, status: int = 200, alert: str = "") -> Response:
    """Return the page of all releases."""
    visit = visit_of(request)
    known = known_releases(visit.work)
    past = activations(visit.work.engine)
    return page(
        request,
        "models.html",
        status=status,
        alert=alert,
        known=known,
        in_force=next((item.name for item in known if item.active), ""),
        past=past[::-1],
        first=first_in_force(past),
        people=names_of_actors(visit.work.engine),
        trainings=jobs.latest(visit.work.engine, "training", TRAININGS),
        states=JOB_STATES,
        may_train=visit.who.may("researcher") and visit.who.csrf is not None,
    )


@Endpoint("GET", "/models/{release}", "viewer", page=True)
def show(request: Request) -> Response:
    """Show a release with its card and its evaluation."""
    return shown_one(request, request.path_params["release"])


def shown_one(request: Request, name: str, *, status: int = 200, alert: str = "") -> Response:
    """Return the page of a release."""
    visit = visit_of(request)
    found = known_release(visit.work, name)
    card = found.folder / "CARD.md"
    return page(
        request,
        "model.html",
        status=status,
        alert=alert,
        item=found,
        card=card.read_text(encoding="utf-8") if card.is_file() else "",
        results=[row for row in found.evaluation.get("results", ()) if row.get("value") is not None],
        report=(found.folder / REPORT).is_file(),
        people=names_of_actors(visit.work.engine),
        may_train=visit.who.may("researcher") and visit.who.csrf is not None,
    )


REPORT = "validation.html"


@Endpoint("GET", "/models/{release}/evaluation", "viewer", answer={"type": "string"}, media_type="text/html", page=True)
def report(request: Request) -> Response:
    """Return the evaluation report of a release, as it was written when the release was measured."""
    path = known_release(visit_of(request).work, request.path_params["release"]).folder / REPORT
    if not path.is_file():
        raise Refused("not_found", "This release has no evaluation report.")
    return Response(path.read_bytes(), media_type="text/html; charset=utf-8", headers={"Content-Language": "en"})


@Endpoint("POST", "/models/{release}/activate", "researcher", body=FORM, heavy=True, page=True)
def make_activation(request: Request) -> Response:
    """Put a release in force and show all of them."""
    visit, name = visit_of(request), request.path_params["release"]
    given, fits = written_in(visit.form, NewActivation)
    judged = known_release(visit.work, name).manifest.get("released")
    if not fits or not (judged or given["force"]):
        return shown_one(request, name, status=422, alert=NOT_JUDGED if fits else NO_REASON)
    activate(visit.work, name, reason=given["reason"], force=given["force"] or None, actor=visit.who.actor)
    return moved_to(request, "/models")


@Endpoint("POST", "/models/rollback", "researcher", body=FORM, heavy=True, page=True)
def make_rollback(request: Request) -> Response:
    """Go back to the release before and show all of them."""
    visit = visit_of(request)
    given, fits = written_in(visit.form, Reason)
    if not fits:
        return shown(request, status=422, alert=NO_REASON)
    roll_back(visit.work, **given, actor=visit.who.actor)
    return moved_to(request, "/models")
