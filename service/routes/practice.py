"""Practice over HTTP: a parcel of known origin, an answer, and how often one is wrong beside the program."""

from __future__ import annotations

import json
from typing import cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.door.endpoint import JSON, Body, Endpoint
from service.door.visit import visit_of
from service.routes import shapes_of_cases as shapes
from service.routes.paging import PAGING, following, told
from service.work.practice import Exercise, answer, answered, draw, exercise_of, score


@Endpoint("POST", "/v1/practice", "viewer", answer=shapes.Exercise, status=201, heavy=True)
def create(request: Request) -> Response:
    """Draw a parcel of known origin to practise on."""
    visit = visit_of(request)
    found = draw(visit.work, actor=visit.who.actor)
    return JSONResponse(_shown(found), status_code=201, headers={"Location": f"/v1/practice/{found.id}"})


@Endpoint("GET", "/v1/practice/{id}", "viewer", answer=shapes.Exercise)
def show(request: Request) -> Response:
    """Read an exercise; where it comes from once it was answered."""
    visit = visit_of(request)
    return JSONResponse(_shown(exercise_of(visit.work, request.path_params["id"], actor=visit.who.actor)))


@Endpoint(
    "POST",
    "/v1/practice/{id}/answer",
    "viewer",
    body=Body({JSON: shapes.NewAnswer}),
    answer=shapes.Exercise,
    status=201,
)
def create_answer(request: Request) -> Response:
    """Answer an exercise, once."""
    visit = visit_of(request)
    kept = answer(visit.work, request.path_params["id"], **visit.given, actor=visit.who.actor)
    return JSONResponse(_shown(kept), status_code=201)


@Endpoint("GET", "/v1/practice", "viewer", query=PAGING, answer=shapes.Practice)
def index(request: Request) -> Response:
    """Read how often one is wrong, beside the program on the same parcels."""
    visit = visit_of(request)
    found, further = answered(visit.work, actor=visit.who.actor, **visit.asked)
    scored = score(visit.work, actor=visit.who.actor)
    return JSONResponse({**scored, "items": [_shown(item) for item in found], "next": following(request, further)})


def _shown(item: Exercise) -> shapes.Exercise:
    known = {"origin": item.origin, "share": item.share, "declaration_held": item.held, "computed": item.computed}
    known["report"] = json.loads(item.report)
    if item.conclusion is None:
        known = dict.fromkeys(known)
    exercise = told(shapes.Exercise, item, url=f"/v1/practice/{item.id}", parcel=item.document, **known)
    return cast(shapes.Exercise, exercise)
