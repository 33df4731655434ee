"""Who may come in: by a key, the one-time link, a provider of OpenID Connect, or the proxy in front; keys and names."""

from __future__ import annotations

import base64
import json
import re
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from anyio import to_thread
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth, StarletteOAuth2App
from httpx2 import HTTPError
from joserfc.errors import JoseError
from starlette.responses import RedirectResponse, Response

from kpfootprint.retold import retold
from service.clock import now
from service.door.admission import forget, remember, session_secret, vouched_by_proxy
from service.door.bodies import text_of
from service.door.endpoint import FORM, Endpoint, Visit, chosen_language
from service.errors import Refused
from service.pages.render import again, moved_to, page
from service.register import keys, people
from service.register.keys import (
    BadKey,
    close_session,
    expiry_in,
    is_good,
    make_key,
    open_by_link,
    open_for,
    recognised,
)
from service.register.people import Vouched, known
from service.settings import Settings

UNDER_WAY = "kpf_sign_in"
"""Cookie that a browser carries to the provider's page and back: what was asked there, and where to go on to."""

LASTS = 600
SCOPE = "openid profile"
NAMES = ("name", "preferred_username", "email", "sub")
MOST_GROUPS = 200


@Endpoint("GET", "/sign-in", None, page=True)
def show(visit: Visit) -> Response:
    """Use up a one-time link, take the proxy's word, or ask for a key."""
    token = visit.request.query_params.get("token")
    target = local_target(visit.request.query_params.get("next"))
    if visit.request.method == "HEAD":  # who only looks uses nothing up
        return _ask(visit, target)
    if token is not None:
        secret = open_by_link(visit.work.engine, token, instead_of=session_secret(visit.request.headers))
        return _ask(visit, target, 401, "stale") if secret is None else _signed_in(visit, secret, target)
    vouched = vouched_by_proxy(visit.work.settings, visit.request.headers)
    return _ask(visit, target) if vouched is None else _welcome(visit, vouched, target)


@Endpoint("POST", "/sign-in", None, body=FORM, page=True)
def submit(visit: Visit) -> Response:
    """Sign a browser in with a key."""
    engine, target = visit.work.engine, local_target(text_of(visit.form, "next"))
    key = recognised(engine, text_of(visit.form, "key"))
    if key is None:
        return _ask(visit, target, 401, "unknown")
    before = session_secret(visit.request.headers)
    return _signed_in(visit, open_for(engine, f"key:{key.id}", key.role, key_id=key.id, instead_of=before), target)


@Endpoint("POST", "/sign-out", "viewer", body=FORM, page=True)
def sign_out(visit: Visit) -> Response:
    """End the session."""
    secret = session_secret(visit.request.headers)
    if secret is not None:
        close_session(visit.work.engine, secret)
    answer = moved_to(visit, "/sign-in")
    forget(answer)
    return answer


@Endpoint("GET", "/sign-in/provider", None, page=True)
async def begin(visit: Visit) -> Response:
    """Send the browser to the provider."""
    client, target = _client(visit), local_target(visit.request.query_params.get("next"))
    session: dict[str, Any] = {}
    visit.request.scope["session"] = session
    back_here = str(visit.request.url.replace(path="/sign-in/provider/back", query=""))
    try:
        answer: Response = await client.authorize_redirect(visit.request, back_here)
    except (HTTPError, AuthlibBaseError, RuntimeError, ValueError):
        return _ask(visit, target, 503, "unreachable")
    carried = base64.urlsafe_b64encode(json.dumps([target, session]).encode()).decode()
    secure = visit.request.url.scheme == "https"
    answer.set_cookie(UNDER_WAY, carried, max_age=LASTS, path="/sign-in", httponly=True, samesite="lax", secure=secure)
    return answer


@Endpoint("GET", "/sign-in/provider/back", None, page=True)
async def back(visit: Visit) -> Response:
    """Sign in whom the provider vouches for, once its word is seen to be its own, and meant for this browser."""
    client, settings = _client(visit), visit.work.settings
    target, visit.request.scope["session"] = _carried(visit)
    try:
        issuer = {"iss": {"essential": True, "value": settings.oidc_issuer}}
        claims = (await client.authorize_access_token(visit.request, claims_options=issuer))["userinfo"]
        subject = str(claims["sub"])
    except HTTPError:
        return _ask(visit, target, 503, "unreachable")
    except (AuthlibBaseError, JoseError, LookupError, RuntimeError, ValueError, TypeError, AttributeError):
        return _ask(visit, target, 401, "refused")
    given = claims.get(settings.oidc_claim) or ()
    groups = [given] if isinstance(given, str) else [str(group) for group in list(given)[:MOST_GROUPS]]
    name = next(str(claims[key]) for key in NAMES if claims.get(key))
    vouched = Vouched(issuer=str(settings.oidc_issuer), subject=subject, name=name, groups=groups)
    answer = await to_thread.run_sync(_welcome, visit, vouched, target)
    answer.delete_cookie(UNDER_WAY, path="/sign-in", httponly=True, samesite="lax")
    return answer


def _client(visit: Visit) -> StarletteOAuth2App:
    settings = visit.work.settings
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


def _carried(visit: Visit) -> tuple[str, dict[str, Any]]:
    """Return where the browser wanted to go, and what was asked of the provider for it."""
    try:
        target, session = json.loads(base64.urlsafe_b64decode(visit.request.cookies.get(UNDER_WAY, "")))
    except (ValueError, TypeError, RecursionError):  # whoever asks may send any cookie
        return "/", {}
    return local_target(str(target)), session if isinstance(session, dict) else {}


def _welcome(visit: Visit, vouched: Vouched, target: str) -> Response:
    """Open a session with the role of somebody's groups; without one there is none."""
    work = visit.work
    role = vouched.role(work.settings.roles_of_groups)
    if role is None:
        return _ask(visit, target, 403, "no_role")
    secret = open_for(work.engine, known(work.engine, vouched), role, instead_of=session_secret(visit.request.headers))
    return _signed_in(visit, secret, target)


def _ask(visit: Visit, target: str, status: int = 200, why: str | None = None) -> Response:
    """Show the page that asks for a key, or offers the provider, and why it is shown again."""
    issuer = visit.work.settings.oidc_issuer
    provider = None if issuer is None else urlsplit(issuer).netloc
    return page(visit, "sign-in.html", status=status, target=target, why=why, provider=provider)


def _signed_in(visit: Visit, secret: str, target: str) -> Response:
    lang = chosen_language(visit.request)
    if lang is not None and "lang=" not in target:
        target += f"{'&' if '?' in target else '?'}lang={lang}"
    answer = RedirectResponse(target, status_code=303)
    remember(answer, secret, secure=visit.request.url.scheme == "https")
    return answer


def local_target(target: str | None) -> str:
    """Return a path of this service to go on to; anything else becomes the start page."""
    good = target is not None and target.isprintable() and re.fullmatch(r"/(?!/)[^\\]*", target)
    return target if good and target else "/"


@Endpoint("GET", "/access", "admin", page=True)
def show_access(visit: Visit, *, made: str = "") -> Response:
    """Show every key, session and name, with a new key that is shown this once, or with what was wrong."""
    engine, moment = visit.work.engine, now()
    return page(
        visit,
        "access.html",
        status=201 if made else 200,
        made=made,
        keys=[(key, is_good(key, moment)) for key in reversed(keys.all_keys(engine))],
        sessions=keys.open_sessions(engine),
        today=moment.date().isoformat(),
    )


@Endpoint("POST", "/access", "admin", body=FORM, page=True)
def create_key(visit: Visit) -> Response:
    """Make a key and show it, this once."""
    role, name, expires = (text_of(visit.form, field) for field in ("role", "name", "expires_at"))
    try:
        _, secret = make_key(visit.work.engine, role, name, expiry_in(expires or None))
    except BadKey as error:
        return again(visit, retold(error, visit.lang), show_access)
    return show_access(visit, made=secret)


@Endpoint("POST", "/access/{kind}/{id}", "admin", body=FORM, page=True)
def end(visit: Visit) -> Response:
    """Revoke a key, end a session, or forget a name."""
    kind, subject = visit.path["kind"], visit.path["id"]
    act = {"revoke": keys.revoke, "end": keys.end_session, "forget": people.forget}.get(kind)
    if act is None or not act(visit.work.engine, subject):
        raise Refused("not_found", "There is nothing of this id to end here.")
    return moved_to(visit, "/access")
