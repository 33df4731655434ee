"""The one guard against requests that another site's page made a browser send: where they come from, and a token."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.door.visit import Visit, visit_of
from service.errors import Refused
from service.register.secrets import same

SAFE = frozenset({"GET", "HEAD"})


class ForgeryGuard:
    """Refuses what a browser sends from elsewhere, and what does not carry its session's token.

    A program's request carries a key of its own, which no foreign page can send. The token of a form is inside the
    form: `check_token` is asked again by whoever reads it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass that changes nothing, or comes from a page of this service."""
        visit, headers = visit_of(scope), Headers(scope=scope)
        if scope["method"] not in SAFE and (visit.principal is None or visit.principal.csrf is not None):
            _check_origin(headers)
            if visit.endpoint is not None and not visit.endpoint.page:
                check_token(visit, headers.get("x-csrf-token"))
        await self.app(scope, receive, send)


def _check_origin(headers: Headers) -> None:
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    foreign = _host_of(origin) != headers.get("host") if origin else site not in {None, "same-origin", "none"}
    if foreign:
        raise Refused("forged_request", "A page of another site sent this request.")


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # no address at all
        return None


def check_token(visit: Visit, given: str | None) -> None:
    """Refuse a browser's request that does not carry its session's token."""
    wanted = None if visit.principal is None else visit.principal.csrf
    if wanted is not None and not same(given or "", wanted):
        raise Refused("forged_request", "The token of the form is missing or old; load the page again.")
