"""Pages where an expert judges a parcel unaided: one of the register, perhaps still sealed, or one to practise on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.responses import Response

from kpfootprint.planning.sorters import labels_of
from kpfootprint.report import read_report, render_html
from service.door.bodies import written_in
from service.door.endpoint import FORM, Endpoint, Visit
from service.pages.render import ITEMS, again, framed, moved_to, page
from service.routes.paging import BEFORE
from service.routes.shapes_of_cases import NewAnswer, NewOpinion
from service.work import practice
from service.work.kept import parcel_text, sealed_from, tally_of
from service.work.outcomes import UNLISTED, give_opinion


@Endpoint("GET", "/comparisons/{id}/opinion", "viewer", page=True)
def ask_opinion(visit: Visit) -> Response:
    """Show a parcel without what was computed, and ask for a conclusion."""
    comparison_id = visit.path["id"]
    document = json.loads(parcel_text(visit.work, comparison_id))
    sealed = bool(sealed_from(visit.work, visit.who, [comparison_id]))
    return _judged(visit, document, sealed=sealed, exercise=False)


@Endpoint("POST", "/comparisons/{id}/opinion", "monitor", body=FORM, page=True)
def keep_opinion(visit: Visit) -> Response:
    """Keep an expert's conclusion, and go on to the report."""
    comparison_id = visit.path["id"]
    given = written_in(visit.form, NewOpinion)
    if given is None:
        return again(visit, "Choose a conclusion and give your reasons.", ask_opinion)
    give_opinion(visit.work, comparison_id, **given, who=visit.who)
    return moved_to(visit, f"/comparisons/{comparison_id}")


@Endpoint("GET", "/practice", "viewer", query=(BEFORE,), page=True)
def index(visit: Visit) -> Response:
    """Show how often one is wrong, beside the program on the same parcels, and the exercises that were answered."""
    found, further = practice.answered(visit.work, actor=visit.who.actor, before=visit.asked["before"], limit=ITEMS)
    return page(
        visit,
        "practice.html",
        score=practice.score(visit.work, actor=visit.who.actor),
        found=found,
        further=further,
        unlisted=UNLISTED,
        synthetic=visit.work.release().manifest["reference"]["synthetic"],
    )


@Endpoint("POST", "/practice", "viewer", body=FORM, heavy=True, page=True)
def draw(visit: Visit) -> Response:
    """Draw a parcel and go to it."""
    return moved_to(visit, f"/practice/{practice.draw(visit.work, actor=visit.who.actor).id}")


@Endpoint("GET", "/practice/{id}", "viewer", page=True)
def show(visit: Visit) -> Response:
    """Show an exercise: what there is to see, or, once it was answered, what it was and the program's report."""
    item = practice.exercise_of(visit.work, visit.path["id"], actor=visit.who.actor)
    if item.conclusion is None:
        return _judged(visit, item.document, sealed=True, exercise=True)
    return framed(visit, partial(render_html, read_report(item.report), visit.lang), up="/practice", exercise=item)


@Endpoint("POST", "/practice/{id}", "viewer", body=FORM, page=True)
def keep_answer(visit: Visit) -> Response:
    """Keep an answer and show what it was."""
    exercise_id = visit.path["id"]
    given = written_in(visit.form, NewAnswer)
    if given is None:
        return again(visit, "Choose a conclusion.", show)
    practice.answer(visit.work, exercise_id, **given, actor=visit.who.actor)
    return moved_to(visit, f"/practice/{exercise_id}")


def _judged(visit: Visit, document: Mapping[str, Any], *, sealed: bool, exercise: bool) -> Response:
    release = visit.work.release()
    parcel, counted = tally_of(document, release)
    return page(
        visit,
        "judge.html",
        parcel=parcel,
        counted=counted,
        labels=labels_of(release.scheme),
        sealed=sealed,
        exercise=exercise,
    )
