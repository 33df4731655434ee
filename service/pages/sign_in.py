"""Signing browsers in and out: by a key, the one-time link, a provider of OpenID Connect, or the proxy in front."""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from anyio import to_thread
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth, StarletteOAuth2App
from httpx2 import HTTPError
from joserfc.errors import JoseError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from service.door.endpoint import FORM, Endpoint
from service.door.forms import text_of
from service.door.identity import forget, remember, session_secret, vouched_by_proxy
from service.door.visit import visit_of
from service.errors import Refused
from service.languages import chosen_language
from service.pages.render import page
from service.register.keys import recognised
from service.register.people import Vouched, known
from service.register.sessions import close, open_by_key, open_by_link, open_for
from service.settings import Settings

UNDER_WAY = "kpf_sign_in"
"""Cookie that a browser carries to the provider's page and back: what was asked there, and where to go on to."""

LASTS = 600
SCOPE = "openid profile"
NAMES = ("name", "preferred_username", "email", "sub")
MOST_GROUPS = 200


@Endpoint("GET", "/sign-in", None, page=True)
def show(request: Request) -> Response:
    """Use up a one-time link, take the proxy's word, or ask for a key."""
    visit = visit_of(request)
    token = request.query_params.get("token")
    target = local_target(request.query_params.get("next"))
    if request.method == "HEAD":  # who only looks uses nothing up
        return _ask(request, target)
    if token is not None:
        secret = open_by_link(visit.work.engine, token, instead_of=session_secret(request.headers))
        return _ask(request, target, 401, "stale") if secret is None else _signed_in(request, secret, target)
    vouched = vouched_by_proxy(visit.work.settings, request.headers)
    return _ask(request, target) if vouched is None else _welcome(request, vouched, target)


@Endpoint("POST", "/sign-in", None, body=FORM, page=True)
def submit(request: Request) -> Response:
    """Sign a browser in with a key."""
    visit = visit_of(request)
    engine, target = visit.work.engine, local_target(text_of(visit.form, "next"))
    key = recognised(engine, text_of(visit.form, "key"))
    if key is None:
        return _ask(request, target, 401, "unknown")
    return _signed_in(request, open_by_key(engine, key, instead_of=session_secret(request.headers)), target)


@Endpoint("POST", "/sign-out", "viewer", body=FORM, page=True)
def sign_out(request: Request) -> Response:
    """End the session."""
    secret = session_secret(request.headers)
    if secret is not None:
        close(visit_of(request).work.engine, secret)
    answer = RedirectResponse(_with_language(request, "/sign-in"), status_code=303)
    forget(answer)
    return answer


@Endpoint("GET", "/sign-in/provider", None, page=True)
async def begin(request: Request) -> Response:
    """Send the browser to the provider."""
    client, target = _client(request), local_target(request.query_params.get("next"))
    session: dict[str, Any] = {}
    request.scope["session"] = session
    try:
        answer: Response = await client.authorize_redirect(request, _back_here(request))
    except (HTTPError, AuthlibBaseError, RuntimeError, ValueError):
        return _ask(request, target, 503, "unreachable")
    carried = base64.urlsafe_b64encode(json.dumps([target, session]).encode()).decode()
    secure = request.url.scheme == "https"
    answer.set_cookie(UNDER_WAY, carried, max_age=LASTS, path="/sign-in", httponly=True, samesite="lax", secure=secure)
    return answer


@Endpoint("GET", "/sign-in/provider/back", None, page=True)
async def back(request: Request) -> Response:
    """Sign in whom the provider vouches for, once its word is seen to be its own, and meant for this browser."""
    client, settings = _client(request), visit_of(request).work.settings
    target, request.scope["session"] = _carried(request)
    try:
        issuer = {"iss": {"essential": True, "value": settings.oidc_issuer}}
        claims = (await client.authorize_access_token(request, claims_options=issuer))["userinfo"]
        subject = str(claims["sub"])
    except HTTPError:
        return _ask(request, target, 503, "unreachable")
    except (AuthlibBaseError, JoseError, LookupError, RuntimeError, ValueError, TypeError, AttributeError):
        return _ask(request, target, 401, "refused")
    given = claims.get(settings.oidc_claim) or ()
    groups = [given] if isinstance(given, str) else [str(group) for group in list(given)[:MOST_GROUPS]]
    name = next(str(claims[key]) for key in NAMES if claims.get(key))
    vouched = Vouched(issuer=str(settings.oidc_issuer), subject=subject, name=name, groups=groups)
    answer = await to_thread.run_sync(_welcome, request, vouched, target)
    answer.delete_cookie(UNDER_WAY, path="/sign-in", httponly=True, samesite="lax")
    return answer


def _client(request: Request) -> StarletteOAuth2App:
    settings = visit_of(request).work.settings
    if settings.oidc_issuer is None:
        raise Refused("not_found", "Nobody but keys signs in here.")
    return _client_of(settings)


@cache
def _client_of(settings: Settings) -> StarletteOAuth2App:
    """Return the client of the provider; it remembers what the provider says of itself."""
    made: StarletteOAuth2App = OAuth().register(
        "provider",
        server_metadata_url=f"{str(settings.oidc_issuer).rstrip('/')}/.well-known/openid-configuration",
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        client_kwargs={"scope": SCOPE, "code_challenge_method": "S256", "timeout": 10},
    )
    return made


def _back_here(request: Request) -> str:
    return str(request.url.replace(path="/sign-in/provider/back", query=""))


def _carried(request: Request) -> tuple[str, dict[str, Any]]:
    """Return where the browser wanted to go, and what was asked of the provider for it."""
    try:
        target, session = json.loads(base64.urlsafe_b64decode(request.cookies.get(UNDER_WAY, "")))
    except (ValueError, TypeError, RecursionError):  # whoever asks may send any cookie
        return "/", {}
    return local_target(str(target)), session if isinstance(session, dict) else {}


def _welcome(request: Request, vouched: Vouched, target: str) -> Response:
    """Open a session with the role of somebody's groups; without one there is none."""
    work = visit_of(request).work
    role = vouched.role(work.settings.roles_of_groups)
    if role is None:
        return _ask(request, target, 403, "no_role")
    secret = open_for(work.engine, known(work.engine, vouched), role, instead_of=session_secret(request.headers))
    return _signed_in(request, secret, target)


def _ask(request: Request, target: str, status: int = 200, alert: str | None = None) -> Response:
    """Show the page that asks for a key, or offers the provider; an alert says why it is shown again."""
    issuer = visit_of(request).work.settings.oidc_issuer
    provider = None if issuer is None else urlsplit(issuer).netloc
    return page(request, "sign-in.html", status=status, target=target, alert=alert, provider=provider)


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
