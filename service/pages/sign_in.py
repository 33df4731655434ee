"""Signing browsers in and out."""

from __future__ import annotations

import sqlalchemy as sa
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from service.door.endpoint import FORM, Endpoint
from service.door.identity import forget, remember, session_secret
from service.door.visit import visit_of
from service.languages import chosen_language
from service.pages.forms import read_form, text_of
from service.pages.render import page
from service.register.keys import recognised
from service.register.sessions import close, open_by_key, open_by_link


def show(request: Request) -> Response:
    """Use up a one-time link, or ask for a key."""
    token = request.query_params.get("token")
    target = local_target(request.query_params.get("next"))
    if token is not None and request.method == "GET":  # a HEAD that only looks uses nothing up
        earlier = session_secret(request.headers)
        secret = open_by_link(visit_of(request).work.engine, token, instead_of=earlier)
        if secret is not None:
            return _signed_in(request, secret, target)
    return page(
        request, "sign-in.html", status=200 if token is None else 401, target=target, alert="stale" if token else None
    )


async def submit(request: Request) -> Response:
    """Sign a browser in with a key."""
    form = await read_form(request, signs_in=True)
    target = local_target(text_of(form, "next"))
    given, earlier = text_of(form, "key"), session_secret(request.headers)
    secret = await to_thread.run_sync(_opened, visit_of(request).work.engine, given, earlier)
    if secret is None:
        return page(request, "sign-in.html", status=401, target=target, alert="unknown")
    return _signed_in(request, secret, target)


def _opened(engine: sa.Engine, given: str, earlier: str | None) -> str | None:
    key = recognised(engine, given)
    return None if key is None else open_by_key(engine, key, instead_of=earlier)


async def sign_out(request: Request) -> Response:
    """End the session."""
    await read_form(request)
    secret = session_secret(request.headers)
    if secret is not None:
        await to_thread.run_sync(close, visit_of(request).work.engine, secret)
    answer = RedirectResponse(_with_language(request, "/sign-in"), status_code=303)
    forget(answer)
    return answer


def _signed_in(request: Request, secret: str, target: str) -> Response:
    answer = RedirectResponse(_with_language(request, target), status_code=303)
    remember(answer, secret, secure=request.url.scheme == "https")
    return answer


def _with_language(request: Request, target: str) -> str:
    lang = chosen_language(request)
    if lang is None or "lang=" in target:
        return target
    return f"{target}{'&' if '?' in target else '?'}lang={lang}"


def local_target(target: str | None) -> str:
    """Return a path of this service to go on to; anything else becomes the start page."""
    good = (
        target is not None
        and target.startswith("/")
        and not target.startswith(("//", "/\\"))
        and target.isprintable()
        and "\\" not in target
    )
    return target if good and target else "/"


ENDPOINTS = (
    Endpoint(method="GET", path="/sign-in", role=None, handler=show, page=True, summary="Page: sign in."),
    Endpoint(
        method="POST",
        path="/sign-in",
        role=None,
        handler=submit,
        body=FORM,
        page=True,
        summary="Page: sign in with a key.",
    ),
    Endpoint(
        method="POST",
        path="/sign-out",
        role="viewer",
        handler=sign_out,
        body=FORM,
        page=True,
        summary="Page: sign out.",
    ),
)
