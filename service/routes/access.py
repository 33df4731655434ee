"""Who may come in, over HTTP: keys, signed-in browsers, and the names behind the pseudonyms of the register."""

from __future__ import annotations

from starlette.responses import Response

from kpfootprint.errors import Problem
from kpfootprint.retold import said_of
from service.door.endpoint import Answer, Endpoint, Visit
from service.errors import Refused, existing
from service.register import keys, people
from service.register.keys import BadKey, expiry_in, make_key
from service.routes import shapes
from service.routes.paging import PAGING, listed, told


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
