"""Opinions, outcomes and practice over HTTP: what an expert concludes, what was known later, how both stood up."""

from __future__ import annotations

import json

from service.door.endpoint import Endpoint, Visit
from service.register.entries import Entry
from service.routes import shapes_of_cases as shapes
from service.routes.paging import PAGING, Shape, following, listed, told
from service.work.kept import Case, cases, give_opinion, summary, tell_outcome
from service.work.practice import Exercise, answer, answered, draw, exercise_of, score


@Endpoint("POST", "/v1/comparisons/{id}/opinions", "monitor", status=201)
def create_opinion(visit: Visit, given: shapes.NewOpinion) -> shapes.Opinion:
    """Keep an expert's own conclusion beside the computed one."""
    return _kept(shapes.Opinion, give_opinion(visit.work, visit.path["id"], **given, who=visit.who))


@Endpoint("POST", "/v1/comparisons/{id}/outcome", "monitor", status=201)
def create_outcome(visit: Visit, given: shapes.NewOutcome) -> shapes.Outcome:
    """Keep what became known later of where a parcel came from."""
    return _kept(shapes.Outcome, tell_outcome(visit.work, visit.path["id"], **given, actor=visit.who.actor))


@Endpoint("GET", "/v1/outcomes", "viewer", query=PAGING, reveals=True)
def index(visit: Visit) -> shapes.Outcomes:
    """Read how conclusions stood up where the origin became known."""
    found = cases(visit.work)
    return told(shapes.Outcomes, **summary(found), **listed(visit, [_shown(case) for case in found]))


def _kept(shape: type[Shape], entry: Entry) -> Shape:
    return told(shape, entry, comparison=f"/v1/comparisons/{entry.subject}", **entry.values)


def _shown(case: Case) -> shapes.OutcomeItem:
    return told(
        shapes.OutcomeItem,
        case.comparison,
        **case.outcome.values,
        comparison=f"/v1/comparisons/{case.comparison.id}",
        at=case.outcome.at,
        actor=case.outcome.actor,
        declaration_held=case.held,
        opinion=None if case.opinion is None else case.opinion.values["conclusion"],
    )


@Endpoint("POST", "/v1/practice", "viewer", status=201, heavy=True)
def create_exercise(visit: Visit) -> shapes.Exercise:
    """Draw a parcel of known origin to practise on."""
    found = draw(visit.work, actor=visit.who.actor)
    visit.place = f"/v1/practice/{found.id}"
    return _exercise(found)


@Endpoint("GET", "/v1/practice/{id}", "viewer")
def show_exercise(visit: Visit) -> shapes.Exercise:
    """Read an exercise; where it comes from once it was answered."""
    return _exercise(exercise_of(visit.work, visit.path["id"], actor=visit.who.actor))


@Endpoint("POST", "/v1/practice/{id}/answer", "viewer", status=201)
def create_answer(visit: Visit, given: shapes.NewAnswer) -> shapes.Exercise:
    """Answer an exercise, once."""
    return _exercise(answer(visit.work, visit.path["id"], **given, actor=visit.who.actor))


@Endpoint("GET", "/v1/practice", "viewer", query=PAGING)
def index_of_exercises(visit: Visit) -> shapes.Practice:
    """Read how often one is wrong, beside the program on the same parcels."""
    found, further = answered(visit.work, actor=visit.who.actor, **visit.asked)
    scored = score(visit.work, actor=visit.who.actor)
    items = [_exercise(item) for item in found]
    return told(shapes.Practice, **scored, items=items, next=following(visit, further))


def _exercise(item: Exercise) -> shapes.Exercise:
    known = {"origin": item.origin, "share": item.share, "declaration_held": item.held, "computed": item.computed}
    known["report"] = json.loads(item.report)
    if item.conclusion is None:
        known = dict.fromkeys(known)
    return told(shapes.Exercise, item, url=f"/v1/practice/{item.id}", parcel=item.document, **known)
