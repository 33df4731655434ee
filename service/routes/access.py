"""Who may come in, over HTTP: keys, signed-in browsers, and the names behind the pseudonyms of the register."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kpfootprint.errors import Problem
from service.door.endpoint import JSON, Body, Endpoint
from service.door.visit import visit_of
from service.errors import Refused
from service.register import people, sessions
from service.register.keys import BadKey, all_keys, expiry_in, make_key, revoke
from service.routes import shapes
from service.routes.paging import PAGING, listed, told


@Endpoint("GET", "/v1/keys", "admin", query=PAGING, answer=shapes.Keys)
def index_of_keys(request: Request) -> Response:
    """List the keys, without their secrets."""
    found = all_keys(visit_of(request).work.engine)
    return JSONResponse(listed(request, [told(shapes.KeyItem, key) for key in found]))


@Endpoint("POST", "/v1/keys", "admin", body=Body({JSON: shapes.NewKey}), answer=shapes.MadeKey, status=201)
def create_key(request: Request) -> Response:
    """Make a key; the answer alone shows it."""
    visit = visit_of(request)
    asked: shapes.NewKey = visit.given
    try:
        expires_at = expiry_in(asked.get("expires_at"))
        key, secret = make_key(visit.work.engine, asked["role"], asked.get("name", ""), expires_at)
    except BadKey as error:
        problem = Problem(table="key", code="invalid", reason=str(error))
        raise Refused("invalid_input", "The key cannot be made as asked.", problems=(problem,)) from None
    answer = told(shapes.MadeKey, key, key=secret)
    return JSONResponse(answer, status_code=201, headers={"Location": f"/v1/keys/{key.id}"})


@Endpoint("DELETE", "/v1/keys/{id}", "admin", status=204)
def revoke_key(request: Request) -> Response:
    """Revoke a key."""
    if not revoke(visit_of(request).work.engine, request.path_params["id"]):
        raise Refused("not_found", "There is no key with this id.")
    return Response(status_code=204)


@Endpoint("GET", "/v1/sessions", "admin", query=PAGING, answer=shapes.Sessions)
def index_of_sessions(request: Request) -> Response:
    """List the browsers that are signed in."""
    found = sessions.open_sessions(visit_of(request).work.engine)
    return JSONResponse(listed(request, [told(shapes.SessionItem, item) for item in found]))


@Endpoint("DELETE", "/v1/sessions/{id}", "admin", status=204)
def end_session(request: Request) -> Response:
    """End a session."""
    if not sessions.end(visit_of(request).work.engine, request.path_params["id"]):
        raise Refused("not_found", "There is no session with this id.")
    return Response(status_code=204)


@Endpoint("GET", "/v1/names", "admin", query=PAGING, answer=shapes.Names)
def index_of_names(request: Request) -> Response:
    """List the names behind the pseudonyms of the register."""
    found = people.names_of_actors(visit_of(request).work.engine)
    items: list[shapes.NameItem] = [{"actor": actor, "name": name} for actor, name in found.items()]
    return JSONResponse(listed(request, items))


@Endpoint("DELETE", "/v1/names/{actor}", "admin", status=204)
def forget_name(request: Request) -> Response:
    """Forget a name; the pseudonym stays."""
    if not people.forget(visit_of(request).work.engine, request.path_params["actor"]):
        raise Refused("not_found", "There is no name behind this pseudonym.")
    return Response(status_code=204)
