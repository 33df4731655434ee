"""Who is asking: a key for programs, the cookie of a session for browsers."""

from __future__ import annotations

import sqlalchemy as sa
from anyio import to_thread
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service.door.visit import visit_of
from service.errors import Refused
from service.register.people import Principal, principal_by_key, principal_by_session
from service.register.sessions import SESSION_LASTS
from service.register.trouble import RegisterUnavailable

COOKIE = "kpf_session"
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="kpfootprint"'}


class Identity:
    """Finds out who asks; a key that is not good is noted for whoever decides."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass with its principal."""
        visit = visit_of(scope)
        try:
            visit.principal = await to_thread.run_sync(principal_of, visit.work.engine, Headers(scope=scope))
        except Refused as refused:
            visit.denied = refused
        except RegisterUnavailable:
            if visit.endpoint is None or visit.endpoint.role is not None:
                raise
        await self.app(scope, receive, send)


def principal_of(engine: sa.Engine, headers: Headers) -> Principal | None:
    """Return who is asking, or None without key and session; raise `Refused` for a key that is not good."""
    authorization = headers.get("authorization")
    if authorization is not None:
        scheme, _, presented = authorization.partition(" ")
        found = principal_by_key(engine, presented.strip()) if scheme.lower() == "bearer" else None
        if found is None:
            raise Refused("unauthenticated", "This key is not known here, or was revoked.", headers=CHALLENGE)
        return found
    secret = session_secret(headers)
    return None if secret is None else principal_by_session(engine, secret)


def session_secret(headers: Headers) -> str | None:
    """Return the session's secret that a browser sent, or None; cookies of others may look as they like."""
    for header in headers.getlist("cookie"):
        for pair in header.split(";"):
            name, equals, value = pair.strip().partition("=")
            if equals and name.strip() == COOKIE:
                return value.strip().strip('"')
    return None


def remember(response: Response, secret: str, *, secure: bool) -> None:
    """Give the browser its session."""
    response.set_cookie(
        COOKIE, secret, max_age=int(SESSION_LASTS.total_seconds()), httponly=True, samesite="lax", secure=secure
    )


def forget(response: Response) -> None:
    """Take the session from the browser."""
    response.delete_cookie(COOKIE, httponly=True, samesite="lax")
