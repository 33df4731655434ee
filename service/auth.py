"""Who is asking, and whether they may: keys for programs, sessions for browsers."""

from __future__ import annotations

from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

import sqlalchemy as sa
from starlette.datastructures import Headers
from starlette.responses import Response

from service.errors import Refused
from service.register.keys import ROLES, recognised
from service.register.secrets import same
from service.register.sessions import SESSION_LASTS, session_of

COOKIE = "kpf_session"
SAFE = frozenset({"GET", "HEAD"})
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="kpfootprint"'}


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who is asking.

    Parameters
    ----------
    actor : str
        Stable name that the register keeps: ``key:ID``, or ``browser`` after the one-time link.
    csrf : str or None
        Token that a browser's forms carry; None for programs.
    """

    actor: str
    name: str
    role: str
    csrf: str | None = None

    def may(self, role: str) -> bool:
        """Say whether this role includes `role`."""
        return ROLES.index(self.role) >= ROLES.index(role)


def session_secret(headers: Headers) -> str | None:
    """Return the session's secret that a browser sent, or None."""
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return None if cookie is None else cookie.value


def principal_of(engine: sa.Engine, headers: Headers) -> Principal | None:
    """Return who is asking, or None without key and session; raise `Refused` for a key that is not good."""
    authorization = headers.get("authorization")
    if authorization is not None:
        scheme, _, presented = authorization.partition(" ")
        key = recognised(engine, presented.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            raise Refused("unauthenticated", "This key is not known here, or was revoked.", headers=CHALLENGE)
        return Principal(actor=f"key:{key.id}", name=key.name or key.id, role=key.role)
    secret = session_secret(headers)
    session = None if secret is None else session_of(engine, secret)
    if session is None:
        return None
    actor = "browser" if session.key_id is None else f"key:{session.key_id}"
    return Principal(actor=actor, name=session.name or session.key_id or "", role=session.role, csrf=session.csrf)


def check_origin(headers: Headers) -> None:
    """Refuse a request that another site's page made a browser send."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    foreign = urlsplit(origin).netloc != headers.get("host") if origin else site not in {None, "same-origin", "none"}
    if foreign:
        raise Refused("forged_request", "A page of another site sent this request.")


def check_csrf(principal: Principal, given: str | None) -> None:
    """Refuse a browser's request that does not carry its session's token."""
    if principal.csrf is not None and not same(given or "", principal.csrf):
        raise Refused("forged_request", "The token of the form is missing or old; load the page again.")


def remember(response: Response, secret: str, *, secure: bool) -> None:
    """Give the browser its session."""
    response.set_cookie(
        COOKIE, secret, max_age=int(SESSION_LASTS.total_seconds()), httponly=True, samesite="lax", secure=secure
    )


def forget(response: Response) -> None:
    """Take the session from the browser."""
    response.delete_cookie(COOKIE, httponly=True, samesite="lax")


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
