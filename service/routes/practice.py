"""Practice over HTTP: a parcel of known origin, an answer, and how often one is wrong beside the program."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.clock import written
from service.door.endpoint import JSON, Answer, Body, Endpoint
from service.door.visit import visit_of
from service.routes import shapes_of_cases as shapes
from service.routes.bodies import document_in
from service.routes.paging import PAGING, following
from service.work.practice import Exercise, answer, answered, draw, exercise_of, score


async def create(request: Request) -> Response:
    """Draw a parcel to practise on; one that waits for an answer is given again."""
    visit = visit_of(request)
    found = await visit.work.heavy(partial(draw, visit.work, actor=visit.who.actor))
    return JSONResponse(_shown(found), status_code=201, headers={"Location": f"/v1/practice/{found.id}"})


def show(request: Request) -> Response:
    """Return an exercise: the parcel, and the origin and the program's report once it was answered."""
    visit = visit_of(request)
    return JSONResponse(_shown(exercise_of(visit.work, request.path_params["id"], actor=visit.who.actor)))


async def create_answer(request: Request) -> Response:
    """Keep an answer: 201, the exercise with what it was."""
    visit = visit_of(request)
    given: shapes.NewAnswer = document_in(request, shapes.NewAnswer, table="answer")
    kept = partial(
        answer,
        visit.work,
        request.path_params["id"],
        conclusion=given["conclusion"],
        reasons=given.get("reasons", ""),
        actor=visit.who.actor,
    )
    return JSONResponse(_shown(await to_thread.run_sync(kept)), status_code=201)


def index(request: Request) -> Response:
    """Return how often one was wrong, beside the program on the same parcels, and the exercises."""
    visit = visit_of(request)
    asked = {name: visit.asked[name] for name in ("before", "limit")}
    found, further = answered(visit.work, actor=visit.who.actor, **asked)
    told = score(visit.work, actor=visit.who.actor)
    return JSONResponse({**told, "items": [_shown(item) for item in found], "next": following(request, further)})


def _shown(item: Exercise) -> dict[str, Any]:
    open_ = item.conclusion is None
    return {
        "id": item.id,
        "url": f"/v1/practice/{item.id}",
        "drawn_at": written(item.drawn_at),
        "parcel": item.document,
        "conclusion": item.conclusion,
        "reasons": item.reasons,
        "answered_at": None if item.answered_at is None else written(item.answered_at),
        "origin": None if open_ else item.origin,
        "declaration_held": None if open_ else item.held,
        "computed": None if open_ else item.computed,
        "report": None if open_ else json.loads(item.report),
    }


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/practice",
        role="viewer",
        handler=create,
        answer=Answer(shape=shapes.Exercise, status=201),
        summary="Draw a parcel of known origin to practise on.",
    ),
    Endpoint(
        method="GET",
        path="/v1/practice",
        role="viewer",
        handler=index,
        query=PAGING,
        answer=Answer(shape=shapes.Practice),
        summary="Read how often one is wrong, beside the program on the same parcels.",
    ),
    Endpoint(
        method="GET",
        path="/v1/practice/{id}",
        role="viewer",
        handler=show,
        answer=Answer(shape=shapes.Exercise),
        summary="Read an exercise; where it comes from once it was answered.",
    ),
    Endpoint(
        method="POST",
        path="/v1/practice/{id}/answer",
        role="viewer",
        handler=create_answer,
        body=Body(kinds={JSON: shapes.NewAnswer}),
        answer=Answer(shape=shapes.Exercise, status=201),
        summary="Answer an exercise, once.",
    ),
)
