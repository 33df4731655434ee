"""Releases over HTTP: those that are here, which one is in force, and putting another one in force."""

from __future__ import annotations

from functools import partial
from typing import cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.clock import written
from service.door.endpoint import JSON, Answer, Body, Endpoint
from service.door.visit import visit_of
from service.register.activations import Activation
from service.routes import shapes
from service.routes.bodies import document_in
from service.routes.paging import PAGING, listed
from service.work.releases import Known, activate, known_release, known_releases, roll_back


def index(request: Request) -> Response:
    """List the releases; one of them is active."""
    items = [_shown(item) for item in known_releases(visit_of(request).work)]
    return JSONResponse(listed(request, items))


def show(request: Request) -> Response:
    """Return a release with its card and its evaluation."""
    found = known_release(visit_of(request).work, request.path_params["release"])
    card = found.folder / "CARD.md"
    whole = {
        **_shown(found),
        "card": card.read_text(encoding="utf-8") if card.is_file() else "",
        "evaluation": dict(found.evaluation) or None,
    }
    return JSONResponse(whole)


async def create_activation(request: Request) -> Response:
    """Put a release in force."""
    visit = visit_of(request)
    given: shapes.NewActivation = document_in(request, shapes.NewActivation, table="activation")
    done = await visit.work.heavy(
        partial(
            activate,
            visit.work,
            request.path_params["release"],
            reason=given["reason"],
            force=given.get("force"),
            actor=visit.who.actor,
        )
    )
    return JSONResponse(_activated(done), status_code=201)


async def create_rollback(request: Request) -> Response:
    """Go back to the release that was in force before."""
    visit = visit_of(request)
    given: shapes.Reason = document_in(request, shapes.Reason, table="rollback")
    done = await visit.work.heavy(partial(roll_back, visit.work, reason=given["reason"], actor=visit.who.actor))
    return JSONResponse(_activated(done), status_code=201)


def _activated(done: Activation) -> shapes.Activated:
    return {"active": done.release, "previous": done.previous, "at": written(done.at), "actor": done.actor}


def _shown(item: Known) -> shapes.ModelItem:
    shown = {
        "release": item.name,
        "active": item.active,
        "released": item.manifest.get("released"),
        "reference": item.manifest.get("reference"),
        "headline": item.headline,
        "activations": [
            {"at": written(past.at), "actor": past.actor, "reason": past.reason} for past in item.activations
        ],
    }
    return cast(shapes.ModelItem, shown)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/models",
        role="viewer",
        handler=index,
        query=PAGING,
        answer=Answer(shape=shapes.Models),
        summary="List the releases; one is active.",
    ),
    Endpoint(
        method="POST",
        path="/v1/models/rollback",
        role="researcher",
        handler=create_rollback,
        body=Body(kinds={JSON: shapes.Reason}),
        answer=Answer(shape=shapes.Activated, status=201),
        summary="Go back to the release that was active before.",
    ),
    Endpoint(
        method="GET",
        path="/v1/models/{release}",
        role="viewer",
        handler=show,
        answer=Answer(shape=shapes.Model),
        summary="Read the card and the evaluation of a release.",
    ),
    Endpoint(
        method="POST",
        path="/v1/models/{release}/activate",
        role="researcher",
        handler=create_activation,
        body=Body(kinds={JSON: shapes.NewActivation}),
        answer=Answer(shape=shapes.Activated, status=201),
        summary="Put a release in force.",
    ),
)
