"""Pages where an expert judges a parcel unaided: one of the register, perhaps still sealed, or one to practise on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from kpfootprint.report import read_report, render_html
from service.door.endpoint import FORM, Endpoint
from service.door.forms import written_in
from service.door.query import whole_number
from service.door.visit import visit_of
from service.errors import Refused
from service.languages import language_of
from service.pages.render import framed, moved_to, page
from service.register.comparisons import parcel_of
from service.register.database import reading
from service.routes.shapes_of_cases import NewAnswer, NewOpinion
from service.work import practice
from service.work.decide import UNLISTED, give_opinion
from service.work.kept import sealed_from
from service.work.planning import zone_names
from service.work.tally import tally_of

PAGE = 25
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
    "undeclared_consistent": "Undeclared goods called consistent",
    "undecided": "Left undecided",
}


@Endpoint("GET", "/comparisons/{id}/opinion", "viewer", page=True)
def ask_opinion(request: Request) -> Response:
    """Show a parcel without what was computed, and ask for a conclusion."""
    return _opinion(request)


def _opinion(request: Request, *, status: int = 200, alert: str = "", given: Given = None) -> Response:
    visit, comparison_id = visit_of(request), request.path_params["id"]
    with reading(visit.work.engine) as connection:
        document = parcel_of(connection, comparison_id)
    if document is None:
        raise Refused("not_found", "There is no comparison with this id.")
    sealed = bool(sealed_from(visit.work, visit.who, [comparison_id]))
    return _judged(request, document, status=status, alert=alert, given=given, sealed=sealed, exercise=False)


@Endpoint("POST", "/comparisons/{id}/opinion", "monitor", body=FORM, page=True)
def keep_opinion(request: Request) -> Response:
    """Keep an expert's conclusion, and go on to the report."""
    visit, comparison_id = visit_of(request), request.path_params["id"]
    given, fits = written_in(visit.form, NewOpinion)
    if not fits:
        return _opinion(request, status=422, alert=INCOMPLETE, given=given)
    give_opinion(visit.work, comparison_id, **given, who=visit.who)
    return moved_to(request, f"/comparisons/{comparison_id}")


@Endpoint("GET", "/practice", "viewer", query=(whole_number("before", "Where the page starts."),), page=True)
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


@Endpoint("POST", "/practice", "viewer", body=FORM, heavy=True, page=True)
def draw(request: Request) -> Response:
    """Draw a parcel and go to it."""
    visit = visit_of(request)
    return moved_to(request, f"/practice/{practice.draw(visit.work, actor=visit.who.actor).id}")


@Endpoint("GET", "/practice/{id}", "viewer", page=True)
def show(request: Request) -> Response:
    """Show an exercise: what there is to see, or, once it was answered, what it was and the program's report."""
    return _exercise(request)


def _exercise(request: Request, *, status: int = 200, alert: str = "", given: Given = None) -> Response:
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


@Endpoint("POST", "/practice/{id}", "viewer", body=FORM, page=True)
def keep_answer(request: Request) -> Response:
    """Keep an answer and show what it was."""
    visit, exercise_id = visit_of(request), request.path_params["id"]
    given, fits = written_in(visit.form, NewAnswer)
    if not fits:
        return _exercise(request, status=422, alert=CHOOSE, given=given)
    practice.answer(visit.work, exercise_id, **given, actor=visit.who.actor)
    return moved_to(request, f"/practice/{exercise_id}")


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
