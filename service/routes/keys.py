"""Keys over HTTP, for administrators."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kpfootprint.errors import Problem
from service.errors import Refused
from service.register.keys import BadKey, Key, all_keys, make_key, revoke
from service.routes.comparisons import json_in
from service.visit import visit_of


def index(request: Request) -> Response:
    """List every key, never its secret."""
    found = all_keys(visit_of(request).work.engine)
    return JSONResponse({"items": [_shown(key) for key in found], "next": None})


def create(request: Request) -> Response:
    """Make a key; the answer is the only place where it can be read."""
    visit = visit_of(request)
    asked = _document(visit.body)
    problems = [
        Problem(table="key", column=name, value=str(value)[:80], code="wrong_type", reason=reason)
        for name, value, good, reason in (
            ("role", asked.get("role"), isinstance(asked.get("role"), str), "a role is needed, as text"),
            ("name", asked.get("name", ""), isinstance(asked.get("name", ""), str), "a name is text"),
        )
        if not good
    ]
    problems += [
        Problem(table="key", column=str(name)[:80], code="unknown_column", reason="a key has a role and a name")
        for name in sorted(set(asked) - {"role", "name"})
    ]
    if problems:
        raise Refused("invalid_input", "The key cannot be made as asked.", problems=tuple(problems))
    try:
        key, secret = make_key(visit.work.engine, asked["role"], asked.get("name", ""))
    except BadKey as error:
        problem = Problem(table="key", code="invalid", reason=str(error))
        raise Refused("invalid_input", "The key cannot be made as asked.", problems=(problem,)) from None
    return JSONResponse({**_shown(key), "key": secret}, status_code=201, headers={"Location": f"/v1/keys/{key.id}"})


def delete(request: Request) -> Response:
    """Revoke a key and end its sessions."""
    if not revoke(visit_of(request).work.engine, request.path_params["id"]):
        raise Refused("not_found", "There is no key with this id.")
    return Response(status_code=204)


def _document(body: bytes) -> dict[str, Any]:
    document = json_in(body)
    if not isinstance(document, dict):
        problem = Problem(table="key", code="wrong_type", reason="a key is asked for with an object")
        raise Refused("invalid_input", "The key cannot be made as asked.", problems=(problem,))
    return document


def _shown(key: Key) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "role": key.role,
        "created_at": key.created_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "revoked_at": key.revoked_at and key.revoked_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
