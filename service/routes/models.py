"""Releases over HTTP: those that are here, which one is in force, and putting another one in force."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.door.endpoint import JSON, Body, Endpoint
from service.door.visit import visit_of
from service.register.activations import Activation
from service.routes import shapes
from service.routes.paging import PAGING, listed, told
from service.work.releases import Known, activate, known_release, known_releases, roll_back


@Endpoint("GET", "/v1/models", "viewer", query=PAGING, answer=shapes.Models)
def index(request: Request) -> Response:
    """List the releases; one is active."""
    items = [_shown(item) for item in known_releases(visit_of(request).work)]
    return JSONResponse(listed(request, items))


@Endpoint("GET", "/v1/models/{release}", "viewer", answer=shapes.Model)
def show(request: Request) -> Response:
    """Read the card and the evaluation of a release."""
    found = known_release(visit_of(request).work, request.path_params["release"])
    card = found.folder / "CARD.md"
    whole = {
        **_shown(found),
        "card": card.read_text(encoding="utf-8") if card.is_file() else "",
        "evaluation": dict(found.evaluation) or None,
    }
    return JSONResponse(whole)


@Endpoint(
    "POST",
    "/v1/models/{release}/activate",
    "researcher",
    body=Body({JSON: shapes.NewActivation}),
    answer=shapes.Activated,
    status=201,
    heavy=True,
)
def create_activation(request: Request) -> Response:
    """Put a release in force."""
    visit = visit_of(request)
    return _activated(activate(visit.work, request.path_params["release"], **visit.given, actor=visit.who.actor))


@Endpoint(
    "POST",
    "/v1/models/rollback",
    "researcher",
    body=Body({JSON: shapes.Reason}),
    answer=shapes.Activated,
    status=201,
    heavy=True,
)
def create_rollback(request: Request) -> Response:
    """Go back to the release that was active before."""
    visit = visit_of(request)
    return _activated(roll_back(visit.work, **visit.given, actor=visit.who.actor))


def _activated(done: Activation) -> Response:
    return JSONResponse(told(shapes.Activated, done, active=done.release), status_code=201)


def _shown(item: Known) -> dict[str, Any]:
    manifest = {name: item.manifest.get(name) for name in ("released", "reference")}
    past = [told(shapes.ActivationItem, one) for one in item.activations]
    shown: dict[str, Any] = told(shapes.ModelItem, item, release=item.name, activations=past, **manifest)
    return shown
