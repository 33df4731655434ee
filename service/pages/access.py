"""The page of who may come in: keys made and revoked, sessions ended, names forgotten."""

from __future__ import annotations

from functools import partial

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from service.clock import now
from service.door.endpoint import FORM, Endpoint
from service.door.visit import visit_of
from service.errors import Refused
from service.pages.forms import read_form, text_of
from service.pages.render import link_to, page
from service.register import people, sessions
from service.register.keys import BadKey, all_keys, expiry_in, is_good, make_key, revoke

ROLE_TEXTS = {
    "viewer": "reads reports",
    "monitor": "also submits and decides",
    "researcher": "also trains and activates releases",
    "admin": "also makes keys",
}


def show(request: Request) -> Response:
    """Show every key, session and name."""
    return shown(request)


def shown(request: Request, *, status: int = 200, made: str | None = None, problem: str | None = None) -> Response:
    """Return the page, with a new key that is shown this once, or with what was wrong."""
    engine, moment = visit_of(request).work.engine, now()
    keys = all_keys(engine)
    return page(
        request,
        "access.html",
        status=status,
        made=made,
        problem=problem,
        keys=[(key, is_good(key, moment)) for key in reversed(keys)],
        sessions=sessions.open_sessions(engine),
        names=people.names_of_actors(engine),
        roles=ROLE_TEXTS,
        today=moment.date().isoformat(),
        may_change=visit_of(request).who.csrf is not None,
    )


async def create(request: Request) -> Response:
    """Make a key and show it, this once."""
    form = await read_form(request)
    role, name, expires = (text_of(form, field) for field in ("role", "name", "expires_at"))
    await form.close()
    return await to_thread.run_sync(partial(_made, request, role, name, expires))


def _made(request: Request, role: str, name: str, expires: str) -> Response:
    try:
        _, secret = make_key(visit_of(request).work.engine, role, name, expiry_in(expires or None))
    except BadKey as error:
        return shown(request, status=422, problem=str(error))
    return shown(request, status=201, made=secret)


async def end(request: Request) -> Response:
    """Revoke a key, end a session, or forget a name."""
    form = await read_form(request)
    await form.close()
    kind, subject = request.path_params["kind"], request.path_params["id"]
    act = {"revoke": revoke, "end": sessions.end, "forget": people.forget}.get(kind)
    if act is None or not await to_thread.run_sync(act, visit_of(request).work.engine, subject):
        raise Refused("not_found", "There is nothing of this id to end here.")
    return RedirectResponse(link_to(request, "/access"), status_code=303)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/access",
        role="admin",
        handler=show,
        page=True,
        summary="Page: keys, sessions and names.",
    ),
    Endpoint(
        method="POST",
        path="/access",
        role="admin",
        handler=create,
        body=FORM,
        page=True,
        summary="Page: make a key.",
    ),
    Endpoint(
        method="POST",
        path="/access/{kind}/{id}",
        role="admin",
        handler=end,
        body=FORM,
        page=True,
        summary="Page: revoke a key, end a session, forget a name.",
    ),
)
