"""Practice over HTTP: a parcel of known origin, an answer, and how often one is wrong beside the program."""

from __future__ import annotations

import json

from service.door.endpoint import Endpoint
from service.door.visit import Visit
from service.routes import shapes_of_cases as shapes
from service.routes.paging import PAGING, following, told
from service.work.practice import Exercise, answer, answered, draw, exercise_of, score


@Endpoint("POST", "/v1/practice", "viewer", status=201, heavy=True)
def create(visit: Visit) -> shapes.Exercise:
    """Draw a parcel of known origin to practise on."""
    found = draw(visit.work, actor=visit.who.actor)
    visit.place = f"/v1/practice/{found.id}"
    return _shown(found)


@Endpoint("GET", "/v1/practice/{id}", "viewer")
def show(visit: Visit) -> shapes.Exercise:
    """Read an exercise; where it comes from once it was answered."""
    return _shown(exercise_of(visit.work, visit.path["id"], actor=visit.who.actor))


@Endpoint("POST", "/v1/practice/{id}/answer", "viewer", status=201)
def create_answer(visit: Visit, given: shapes.NewAnswer) -> shapes.Exercise:
    """Answer an exercise, once."""
    return _shown(answer(visit.work, visit.path["id"], **given, actor=visit.who.actor))


@Endpoint("GET", "/v1/practice", "viewer", query=PAGING)
def index(visit: Visit) -> shapes.Practice:
    """Read how often one is wrong, beside the program on the same parcels."""
    found, further = answered(visit.work, actor=visit.who.actor, **visit.asked)
    scored = score(visit.work, actor=visit.who.actor)
    items = [_shown(item) for item in found]
    return told(shapes.Practice, **scored, items=items, next=following(visit, further))


def _shown(item: Exercise) -> shapes.Exercise:
    known = {"origin": item.origin, "share": item.share, "declaration_held": item.held, "computed": item.computed}
    known["report"] = json.loads(item.report)
    if item.conclusion is None:
        known = dict.fromkeys(known)
    return told(shapes.Exercise, item, url=f"/v1/practice/{item.id}", parcel=item.document, **known)
