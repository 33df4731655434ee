"""Who may come in, over HTTP: keys, signed-in browsers, and the names behind the pseudonyms of the register."""

from __future__ import annotations

from typing import cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kpfootprint.errors import Problem
from service.clock import written
from service.door.endpoint import JSON, Answer, Body, Endpoint
from service.door.visit import visit_of
from service.errors import Refused
from service.register import people, sessions
from service.register.keys import BadKey, Key, all_keys, expiry_in, make_key, revoke
from service.routes import shapes
from service.routes.bodies import document_in
from service.routes.paging import PAGING, listed


def index_of_keys(request: Request) -> Response:
    """List every key, never its secret."""
    found = all_keys(visit_of(request).work.engine)
    return JSONResponse(listed(request, [_shown(key) for key in found]))


def create_key(request: Request) -> Response:
    """Make a key; the answer is the only place where it can be read."""
    asked: shapes.NewKey = document_in(request, shapes.NewKey, table="key")
    try:
        key, secret = make_key(
            visit_of(request).work.engine, asked["role"], asked.get("name", ""), expiry_in(asked.get("expires_at"))
        )
    except BadKey as error:
        problem = Problem(table="key", code="invalid", reason=str(error))
        raise Refused("invalid_input", "The key cannot be made as asked.", problems=(problem,)) from None
    return JSONResponse({**_shown(key), "key": secret}, status_code=201, headers={"Location": f"/v1/keys/{key.id}"})


def revoke_key(request: Request) -> Response:
    """Revoke a key and end its sessions."""
    if not revoke(visit_of(request).work.engine, request.path_params["id"]):
        raise Refused("not_found", "There is no key with this id.")
    return Response(status_code=204)


def _shown(key: Key) -> shapes.KeyItem:
    return {
        "id": key.id,
        "name": key.name,
        "role": cast(shapes.Role, key.role),
        "created_at": written(key.created_at),
        "revoked_at": None if key.revoked_at is None else written(key.revoked_at),
        "expires_at": None if key.expires_at is None else written(key.expires_at),
        "last_used_at": None if key.last_used_at is None else written(key.last_used_at),
    }


def index_of_sessions(request: Request) -> Response:
    """List every session that has not ended."""
    items: list[shapes.SessionItem] = [
        {
            "id": item.id,
            "actor": item.actor,
            "role": cast(shapes.Role, item.role),
            "created_at": written(item.created_at),
            "expires_at": written(item.expires_at),
        }
        for item in sessions.open_sessions(visit_of(request).work.engine)
    ]
    return JSONResponse(listed(request, items))


def end_session(request: Request) -> Response:
    """End a session."""
    if not sessions.end(visit_of(request).work.engine, request.path_params["id"]):
        raise Refused("not_found", "There is no session with this id.")
    return Response(status_code=204)


def index_of_names(request: Request) -> Response:
    """List every name that is known, with the pseudonym that entries have instead."""
    found = people.names_of_actors(visit_of(request).work.engine)
    items: list[shapes.NameItem] = [{"actor": actor, "name": name} for actor, name in found.items()]
    return JSONResponse(listed(request, items))


def forget_name(request: Request) -> Response:
    """Forget a name; what was done stays under the pseudonym."""
    if not people.forget(visit_of(request).work.engine, request.path_params["actor"]):
        raise Refused("not_found", "There is no name behind this pseudonym.")
    return Response(status_code=204)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/keys",
        role="admin",
        handler=index_of_keys,
        query=PAGING,
        answer=Answer(shape=shapes.Keys),
        summary="List the keys, without their secrets.",
    ),
    Endpoint(
        method="POST",
        path="/v1/keys",
        role="admin",
        handler=create_key,
        body=Body(kinds={JSON: shapes.NewKey}),
        answer=Answer(shape=shapes.MadeKey, status=201),
        summary="Make a key; the answer alone shows it.",
    ),
    Endpoint(
        method="DELETE",
        path="/v1/keys/{id}",
        role="admin",
        handler=revoke_key,
        answer=Answer(status=204),
        summary="Revoke a key.",
    ),
    Endpoint(
        method="GET",
        path="/v1/sessions",
        role="admin",
        handler=index_of_sessions,
        query=PAGING,
        answer=Answer(shape=shapes.Sessions),
        summary="List the browsers that are signed in.",
    ),
    Endpoint(
        method="DELETE",
        path="/v1/sessions/{id}",
        role="admin",
        handler=end_session,
        answer=Answer(status=204),
        summary="End a session.",
    ),
    Endpoint(
        method="GET",
        path="/v1/names",
        role="admin",
        handler=index_of_names,
        query=PAGING,
        answer=Answer(shape=shapes.Names),
        summary="List the names behind the pseudonyms of the register.",
    ),
    Endpoint(
        method="DELETE",
        path="/v1/names/{actor}",
        role="admin",
        handler=forget_name,
        answer=Answer(status=204),
        summary="Forget a name; the pseudonym stays.",
    ),
)
