"""For those who run the service: releases, who may come in, figures for a scraper, the description of the routes."""

from __future__ import annotations

import threading

from starlette.responses import JSONResponse, Response

from kpfootprint.errors import Problem
from kpfootprint.retold import said_of
from service.door.endpoint import JSON, Answer, Endpoint, Visit
from service.errors import Refused, existing
from service.meters import MEDIA_TYPE
from service.openapi import description
from service.register import jobs, keys, people, submissions
from service.register.activations import Activation
from service.register.jobs import STATES
from service.register.keys import BadKey, expiry_in, make_key
from service.routes import shapes
from service.routes.paging import PAGING, listed, told
from service.work.releases import Known, activate, known_release, known_releases, roll_back


@Endpoint("GET", "/v1/models", "viewer", query=PAGING, answer=shapes.Models)
def index_of_releases(visit: Visit) -> Answer:
    """List the releases, the newest first; one is active."""
    items = [_shown(item) for item in known_releases(visit.work)]
    return listed(visit, items)


@Endpoint("GET", "/v1/models/{release}", "viewer")
def show_release(visit: Visit) -> shapes.Model:
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


@Endpoint("GET", "/v1/keys", "admin", query=PAGING, answer=shapes.Keys)
def index_of_keys(visit: Visit) -> Answer:
    """List the keys, without their secrets."""
    return listed(visit, [told(shapes.KeyItem, key) for key in keys.all_keys(visit.work.engine)])


@Endpoint("POST", "/v1/keys", "admin", answer=shapes.MadeKey, status=201)
def create_key(visit: Visit, given: shapes.NewKey) -> Answer:
    """Make a key; the answer alone shows it."""
    try:
        expires_at = expiry_in(given.get("expires_at"))
        key, secret = make_key(visit.work.engine, given["role"], given.get("name", ""), expires_at)
    except BadKey as error:
        problem = Problem(table="key", code="invalid", reason=said_of(error))
        raise Refused("invalid_input", "The key cannot be made as asked.", problems=(problem,)) from None
    visit.place = f"/v1/keys/{key.id}"
    return told(shapes.MadeKey, key, key=secret)


@Endpoint("DELETE", "/v1/keys/{id}", "admin", status=204)
def revoke_key(visit: Visit) -> Response:
    """Revoke a key."""
    existing(keys.revoke(visit.work.engine, visit.path["id"]), "There is no key with this id.")
    return Response(status_code=204)


@Endpoint("GET", "/v1/sessions", "admin", query=PAGING, answer=shapes.Sessions)
def index_of_sessions(visit: Visit) -> Answer:
    """List the browsers that are signed in."""
    return listed(visit, [told(shapes.SessionItem, item) for item in keys.open_sessions(visit.work.engine)])


@Endpoint("DELETE", "/v1/sessions/{id}", "admin", status=204)
def end_session(visit: Visit) -> Response:
    """End a session."""
    existing(keys.end_session(visit.work.engine, visit.path["id"]), "There is no session with this id.")
    return Response(status_code=204)


@Endpoint("GET", "/v1/names", "admin", query=PAGING, answer=shapes.Names)
def index_of_names(visit: Visit) -> Answer:
    """List the names behind the pseudonyms of the register."""
    names = people.names_of_actors(visit.work.engine)
    return listed(visit, [told(shapes.NameItem, actor=actor, name=name) for actor, name in names.items()])


@Endpoint("DELETE", "/v1/names/{actor}", "admin", status=204)
def forget_name(visit: Visit) -> Response:
    """Forget a name; the pseudonym stays."""
    existing(people.forget(visit.work.engine, visit.path["actor"]), "There is no name behind this pseudonym.")
    return Response(status_code=204)


TEXT = {"type": "string"}
PLAIN = "text/plain"


@Endpoint("GET", "/metrics", "viewer", answer=TEXT, media_type=PLAIN)
def metrics(visit: Visit) -> Response:
    """Read the figures of the service, for Prometheus."""
    work = visit.work
    counted = dict.fromkeys(STATES, 0) | jobs.counts(work.engine)
    undecided, overdue = submissions.clocks(work.engine)
    return Response(work.meters.exposition_with(counted, undecided, overdue), headers={"Content-Type": MEDIA_TYPE})


@Endpoint("GET", "/openapi.json", "viewer", answer={"type": "object"})
def openapi(visit: Visit) -> Response:
    """Read the description of these routes."""
    endpoints = visit.endpoints
    with _describing:
        if id(endpoints) not in _described:  # they are the same for as long as the service runs
            _described[id(endpoints)] = JSONResponse(description(endpoints, shapes.ProblemDetails)).body
    return Response(_described[id(endpoints)], media_type=JSON)


_describing = threading.Lock()
_described: dict[int, bytes | memoryview[int]] = {}

LIVEZ = Endpoint("GET", "/livez", None, answer=TEXT, media_type=PLAIN, summary="Ask whether the process lives.")
READYZ = Endpoint(
    "GET", "/readyz", None, answer=TEXT, media_type=PLAIN, summary="Ask whether a parcel could be compared now."
)
