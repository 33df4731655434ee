"""Who is asking: a key for programs, the cookie of a session for browsers."""

from __future__ import annotations

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.responses import Response

from service.door.endpoint import Visit
from service.errors import Refused
from service.register.keys import SESSION_LASTS, same
from service.register.people import Principal, Vouched, actor_of, principal_by_key, principal_by_session
from service.register.unavailable import RegisterUnavailable
from service.settings import Settings
from service.work.place import Workplace

COOKIE = "kpf_session"
PROXY_SECRET = "X-Proxy-Secret"
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="kpfootprint"'}


async def identify(visit: Visit) -> None:
    """Find out who asks; a key that is not good is noted for whoever decides. A stranger waits for no register."""
    headers = visit.request.headers
    if "authorization" not in headers and session_secret(headers) is None:
        return
    try:
        visit.principal = await to_thread.run_sync(principal_of, visit.work, headers)
    except Refused as refused:
        visit.denied = refused
    except RegisterUnavailable:
        if visit.endpoint is None or visit.endpoint.role is not None:
            raise


def principal_of(work: Workplace, headers: Headers) -> Principal | None:
    """Return who is asking, or None without key and session; raise `Refused` for a key that is not good.

    A session of somebody else than the proxy says is none.
    """
    engine = work.engine
    authorization = headers.get("authorization")
    if authorization is not None:
        scheme, _, presented = authorization.partition(" ")
        found = principal_by_key(engine, presented.strip()) if scheme.lower() == "bearer" else None
        if found is None:
            raise Refused(
                "unauthenticated", "This key is not known here, has expired, or was revoked.", headers=CHALLENGE
            )
        return found
    secret = session_secret(headers)
    found = None if secret is None else principal_by_session(engine, secret)
    vouched = vouched_by_proxy(work.settings, headers)
    if found is not None and vouched is not None and found.actor != actor_of(engine, vouched):
        return None
    return found


def vouched_by_proxy(settings: Settings, headers: Headers) -> Vouched | None:
    """Return whom the proxy in front of the service vouches for; nobody where it does not send its secret."""
    user = headers.get(settings.proxy_user_header, "").strip()
    wanted, sent = settings.proxy_secret, headers.get(PROXY_SECRET, "")
    if wanted is None or not user or not same(sent, wanted):
        return None
    groups = headers.get(settings.proxy_groups_header, "").split(",")
    return Vouched(issuer="proxy", subject=user, name=user, groups=[group.strip() for group in groups])


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
