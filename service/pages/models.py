"""The pages of releases: what there is, what is in force since when, one release with its card, another in force."""

from __future__ import annotations

from functools import partial

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from service.door.endpoint import FORM, Answer, Endpoint
from service.door.visit import visit_of
from service.errors import Refused
from service.pages.forms import read_form, text_of
from service.pages.render import link_to, page
from service.register import jobs
from service.register.activations import activations
from service.register.people import names_of_actors
from service.work.releases import activate, known_release, known_releases, roll_back

JOB_STATES = {"queued": "waits", "running": "runs", "done": "done", "failed": "failed", "cancelled": "cancelled"}
"""States of jobs as pages say them."""
NO_REASON = "Say why: the reason stands in the history."
NOT_JUDGED = "This release was not judged; to put it in force all the same, say why."
TRAININGS = 20


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
        people=names_of_actors(visit.work.engine),
        trainings=jobs.latest(visit.work.engine, "training", TRAININGS),
        states=JOB_STATES,
        may_train=visit.who.may("researcher") and visit.who.csrf is not None,
    )


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


def report(request: Request) -> Response:
    """Return the evaluation report of a release, as it was written when the release was measured."""
    path = known_release(visit_of(request).work, request.path_params["release"]).folder / REPORT
    if not path.is_file():
        raise Refused("not_found", "This release has no evaluation report.")
    return Response(path.read_bytes(), media_type="text/html; charset=utf-8", headers={"Content-Language": "en"})


async def make_activation(request: Request) -> Response:
    """Put a release in force and show all of them."""
    visit = visit_of(request)
    name = request.path_params["release"]
    form = await read_form(request)
    reason, force = text_of(form, "reason"), text_of(form, "force")
    await form.close()
    found = await to_thread.run_sync(partial(known_release, visit.work, name))
    alert = NO_REASON if not reason else "" if found.manifest.get("released") or force else NOT_JUDGED
    if alert:
        return await to_thread.run_sync(partial(shown_one, request, name, status=422, alert=alert))
    put = partial(activate, visit.work, name, reason=reason[:2000], force=force[:2000] or None, actor=visit.who.actor)
    await visit.work.heavy(put)
    return RedirectResponse(link_to(request, "/models"), status_code=303)


async def make_rollback(request: Request) -> Response:
    """Go back to the release before and show all of them."""
    visit = visit_of(request)
    form = await read_form(request)
    reason = text_of(form, "reason")
    await form.close()
    if not reason:
        return await to_thread.run_sync(partial(shown, request, status=422, alert=NO_REASON))
    await visit.work.heavy(partial(roll_back, visit.work, reason=reason[:2000], actor=visit.who.actor))
    return RedirectResponse(link_to(request, "/models"), status_code=303)


ENDPOINTS = (
    Endpoint(method="GET", path="/models", role="viewer", handler=index, page=True, summary="Page: releases."),
    Endpoint(
        method="POST",
        path="/models/rollback",
        role="researcher",
        handler=make_rollback,
        body=FORM,
        page=True,
        summary="Page: go back to the release before.",
    ),
    Endpoint(
        method="GET",
        path="/models/{release}",
        role="viewer",
        handler=show,
        page=True,
        summary="Page: a release, its card and its evaluation.",
    ),
    Endpoint(
        method="GET",
        path="/models/{release}/evaluation",
        role="viewer",
        handler=report,
        answer=Answer(shape={"type": "string"}, media_type="text/html"),
        page=True,
        summary="Page: the evaluation report of a release.",
    ),
    Endpoint(
        method="POST",
        path="/models/{release}/activate",
        role="researcher",
        handler=make_activation,
        body=FORM,
        page=True,
        summary="Page: put a release in force.",
    ),
)
