"""Pages where an expert judges a parcel unaided: one of the register, perhaps still sealed, or one to practise on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from kpfootprint.report import read_report, render_html
from kpfootprint.rules import CONCLUSIONS
from service.door.endpoint import FORM, Endpoint
from service.door.query import whole_number
from service.door.visit import visit_of
from service.errors import Refused
from service.languages import language_of
from service.pages.forms import read_form, text_of
from service.pages.render import framed, link_to, page
from service.register.comparisons import parcel_of
from service.register.database import reading
from service.work import practice
from service.work.decide import UNLISTED, give_opinion
from service.work.kept import sealed_from
from service.work.planning import zone_names
from service.work.tally import tally_of

PAGE = 25
MOST_REASONS = 20_000
WORDS = {
    "consistent": "The stones are as I would expect of what is declared.",
    "inconclusive": "I cannot say.",
    "query": "They are not: somebody should ask.",
    "not_comparable": "They cannot be compared.",
}
Given = Mapping[str, str] | None
"""What was chosen and written before, to be shown again."""

INCOMPLETE = "Choose a conclusion and give your reasons."
CHOOSE = "Choose a conclusion."
RATES = {
    "wrong": "Wrong in all",
    "true_queried": "True declarations queried",
    "false_consistent": "False declarations called consistent",
    "undecided": "Left undecided",
}


def ask_opinion(request: Request) -> Response:
    """Show a parcel without what was computed, and ask for a conclusion."""
    return _opinion(request)


def _opinion(
    request: Request, *, status: int = 200, alert: str = "", given: Mapping[str, str] | None = None
) -> Response:
    visit, comparison_id = visit_of(request), request.path_params["id"]
    with reading(visit.work.engine) as connection:
        document = parcel_of(connection, comparison_id)
    if document is None:
        raise Refused("not_found", "There is no comparison with this id.")
    sealed = bool(sealed_from(visit.work, visit.who, [comparison_id]))
    return _judged(request, document, status=status, alert=alert, given=given, sealed=sealed, exercise=False)


async def keep_opinion(request: Request) -> Response:
    """Keep an expert's conclusion, and go on to the report."""
    visit = visit_of(request)
    form = await read_form(request)
    given = {name: text_of(form, name)[:MOST_REASONS] for name in ("conclusion", "reasons")}
    await form.close()
    if given["conclusion"] not in CONCLUSIONS or not given["reasons"]:
        return await to_thread.run_sync(partial(_opinion, request, status=422, alert=INCOMPLETE, given=given))
    comparison_id = request.path_params["id"]
    await to_thread.run_sync(partial(give_opinion, visit.work, comparison_id, **given, who=visit.who))
    return RedirectResponse(link_to(request, f"/comparisons/{comparison_id}"), status_code=303)


def index(request: Request) -> Response:
    """Show how often one is wrong, beside the program on the same parcels, and the exercises that were answered."""
    visit = visit_of(request)
    found, further = practice.answered(visit.work, actor=visit.who.actor, before=visit.asked["before"], limit=PAGE)
    return page(
        request,
        "practice.html",
        score=practice.score(visit.work, actor=visit.who.actor),
        rates=RATES,
        found=found,
        further=further,
        names=zone_names(visit.work.release()),
        unlisted=UNLISTED,
        synthetic=visit.work.release().manifest["reference"]["synthetic"],
        may_draw=visit.who.csrf is not None,
    )


async def draw(request: Request) -> Response:
    """Draw a parcel and go to it."""
    visit = visit_of(request)
    form = await read_form(request)
    await form.close()
    found = await visit.work.heavy(partial(practice.draw, visit.work, actor=visit.who.actor))
    return RedirectResponse(link_to(request, f"/practice/{found.id}"), status_code=303)


def show(request: Request) -> Response:
    """Show an exercise: what there is to see, or, once it was answered, what it was and the program's report."""
    return _exercise(request)


def _exercise(
    request: Request, *, status: int = 200, alert: str = "", given: Mapping[str, str] | None = None
) -> Response:
    visit = visit_of(request)
    item = practice.exercise_of(visit.work, request.path_params["id"], actor=visit.who.actor)
    if item.conclusion is None:
        return _judged(request, item.document, status=status, alert=alert, given=given, sealed=True, exercise=True)
    report = read_report(item.report)
    names = zone_names(visit.work.release())
    return framed(
        request,
        partial(render_html, report, language_of(request)),
        up="/practice",
        exercise=item,
        origin=names.get(item.origin),
        declared=[names.get(zone["zone_id"], zone["zone_id"]) for zone in item.document["declarations"]],
    )


async def keep_answer(request: Request) -> Response:
    """Keep an answer and show what it was."""
    visit = visit_of(request)
    form = await read_form(request)
    given = {name: text_of(form, name)[:MOST_REASONS] for name in ("conclusion", "reasons")}
    await form.close()
    if given["conclusion"] not in CONCLUSIONS:
        return await to_thread.run_sync(partial(_exercise, request, status=422, alert=CHOOSE, given=given))
    exercise_id = request.path_params["id"]
    await to_thread.run_sync(partial(practice.answer, visit.work, exercise_id, **given, actor=visit.who.actor))
    return RedirectResponse(link_to(request, f"/practice/{exercise_id}"), status_code=303)


def _judged(
    request: Request,
    document: Mapping[str, Any],
    *,
    status: int,
    alert: str,
    given: Given,
    sealed: bool,
    exercise: bool,
) -> Response:
    visit = visit_of(request)
    release = visit.work.release()
    tally = tally_of(document, release)
    return page(
        request,
        "judge.html",
        status=status,
        alert=alert,
        given=given or {"conclusion": "", "reasons": ""},
        parcel=tally.parcel,
        counted=tally.counted,
        names=zone_names(release),
        sealed=sealed,
        exercise=exercise,
        choices=WORDS,
        may_judge=visit.who.csrf is not None and (exercise or visit.who.may("monitor")),
    )


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/comparisons/{id}/opinion",
        role="viewer",
        handler=ask_opinion,
        page=True,
        summary="Page: judge a parcel unaided.",
    ),
    Endpoint(
        method="POST",
        path="/comparisons/{id}/opinion",
        role="monitor",
        handler=keep_opinion,
        body=FORM,
        page=True,
        summary="Page: keep one's own conclusion.",
    ),
    Endpoint(
        method="GET",
        path="/practice",
        role="viewer",
        handler=index,
        query=(whole_number("before", "Where the page starts."),),
        page=True,
        summary="Page: practice, and how often one is wrong.",
    ),
    Endpoint(
        method="POST",
        path="/practice",
        role="viewer",
        handler=draw,
        body=FORM,
        page=True,
        summary="Page: draw a parcel to practise on.",
    ),
    Endpoint(method="GET", path="/practice/{id}", role="viewer", handler=show, page=True, summary="Page: an exercise."),
    Endpoint(
        method="POST",
        path="/practice/{id}",
        role="viewer",
        handler=keep_answer,
        body=FORM,
        page=True,
        summary="Page: answer an exercise.",
    ),
)
