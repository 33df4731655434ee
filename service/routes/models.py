"""Releases over HTTP: those that are here, which one is in force, and putting another one in force."""

from __future__ import annotations

from service.door.endpoint import Answer, Endpoint, Visit
from service.register.activations import Activation
from service.routes import shapes
from service.routes.paging import PAGING, listed, told
from service.work.releases import Known, activate, known_release, known_releases, roll_back


@Endpoint("GET", "/v1/models", "viewer", query=PAGING, answer=shapes.Models)
def index(visit: Visit) -> Answer:
    """List the releases, the newest first; one is active."""
    items = [_shown(item) for item in known_releases(visit.work)]
    return listed(visit, items)


@Endpoint("GET", "/v1/models/{release}", "viewer")
def show(visit: Visit) -> shapes.Model:
    """Read the card and the evaluation of a release."""
    found = known_release(visit.work, visit.path["release"])
    return {**_shown(found), "card": found.card, "evaluation": dict(found.evaluation) or None}


@Endpoint("POST", "/v1/models/{release}/activate", "researcher", answer=shapes.Activated, status=201, heavy=True)
def create_activation(visit: Visit, given: shapes.NewActivation) -> Answer:
    """Put a release in force."""
    return _activated(activate(visit.work, visit.path["release"], **given, actor=visit.who.actor))


@Endpoint("POST", "/v1/models/rollback", "researcher", answer=shapes.Activated, status=201, heavy=True)
def create_rollback(visit: Visit, given: shapes.Reason) -> Answer:
    """Go back to the release that was active before."""
    return _activated(roll_back(visit.work, **given, actor=visit.who.actor))


def _activated(done: Activation) -> Answer:
    return told(shapes.Activated, done, active=done.release)


def _shown(item: Known) -> shapes.ModelItem:
    manifest = {name: item.manifest.get(name) for name in ("released", "reference")}
    past = [told(shapes.ActivationItem, one) for one in item.activations]
    return told(shapes.ModelItem, item, release=item.name, activations=past, **manifest)
