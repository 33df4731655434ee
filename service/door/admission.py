"""Whether a request is let in: who asks, is the address there, may they go there (so often), did another site send it.

A program sends a key, a browser the cookie of its session. A browser may be made to ask by a page of another site. It
says by itself which page that was (Sec-Fetch-Site, or Origin where it is older or the connection is not encrypted), and
what changes something has to come from a page of this service. A program's key no foreign page can send.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from urllib.parse import urlsplit

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.responses import Response

from service import Wording
from service.door.endpoint import Visit, matching
from service.errors import Refused
from service.register.database import RegisterUnavailable
from service.register.keys import SESSION_LASTS, same
from service.register.people import Principal, Vouched, actor_of, principal_by_key, principal_by_session
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


JUDGES_FIRST: Wording = "Whoever has this role judges here before seeing what was computed (KPF_BLIND_ROLES)."
SAFE = frozenset({"GET", "HEAD"})


def look_up(visit: Visit) -> None:
    """Look the address up; one that is unknown is not told before it is known who asks."""
    try:
        visit.endpoint = matching(visit.endpoints, visit.request.method, visit.request.scope["path"])
    except Refused as refused:
        visit.missing = refused


def admit(visit: Visit) -> None:
    """Refuse whom the address is not for."""
    role = None if visit.endpoint is None else visit.endpoint.role
    if visit.principal is None and (visit.endpoint is None or role is not None):
        raise visit.denied or Refused(
            "unauthenticated", "Send a key as 'Authorization: Bearer ...', or sign in.", headers=CHALLENGE
        )
    if visit.missing is not None:
        raise visit.missing
    if role is not None and not visit.who.may(role):
        raise Refused("forbidden", "The role {role} is needed, and this is a {given}.", role=role, given=visit.who.role)
    if visit.endpoint is not None and visit.endpoint.reveals and visit.who.role in visit.work.settings.blind:
        raise Refused("forbidden", JUDGES_FIRST)


def refuse_forged(visit: Visit) -> None:
    """Refuse a browser's request to change something, unless the browser says that a page of this service sent it.

    Every browser says it of what changes something; who says nothing is a program, which nobody's page can make send
    its cookies.
    """
    principal, headers = visit.principal, visit.request.headers
    if visit.request.method in SAFE or (principal is not None and not principal.session):
        return
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        own = site in {"same-origin", "none"}
    elif origin is not None:
        own = _host_of(origin) in {headers.get("host"), _host_of(visit.work.settings.public_address or "")} - {""}
    else:
        own = True
    if not own:
        raise Refused("forged_request", "No page of this service sent this request.")


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # no address at all
        return ""


MAX_ACTORS = 10_000


class Rate:
    """A bucket of tokens for each actor: `per_minute` fit in (one at least), and as many flow in over a minute.

    Parameters
    ----------
    per_minute : float
        Requests a minute; 0 is no limit.
    clock : callable
        Seconds that only go forward.
    """

    def __init__(self, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_minute = per_minute
        self.clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, actor: str) -> None:
        """Take a token, or raise `Refused` with the seconds after which there will be one."""
        if not self.per_minute:
            return
        now = self.clock()
        full = max(self.per_minute, 1.0)
        tokens, since = self._buckets.pop(actor, (full, now))
        tokens = min(full, tokens + (now - since) * self.per_minute / 60)
        granted = tokens >= 1
        self._buckets[actor] = (tokens - 1 if granted else tokens, now)
        if len(self._buckets) > MAX_ACTORS:
            self._buckets.popitem(last=False)
        if not granted:
            wait = int((1 - tokens) * 60 / self.per_minute) + 1
            raise Refused(
                "too_many_requests",
                "At most {most} requests a minute; try again in {wait} s.",
                most=f"{self.per_minute:g}",
                wait=wait,
                headers={"Retry-After": str(wait)},
            )


def count(rate: Rate, visit: Visit) -> None:
    """Count a request by key, and by address where there is none; looking at what is open to all is not counted."""
    is_open = visit.endpoint is not None and visit.endpoint.role is None
    if visit.principal is not None:
        rate.take(visit.principal.actor)
    elif visit.denied is not None or not is_open or visit.request.method not in SAFE:
        client = visit.request.client
        rate.take(f"address:{client[0] if client else ''}")
