"""Is there such an address, and may whoever asks go there."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from service.door.endpoint import matching
from service.door.identity import CHALLENGE
from service.door.visit import visit_of
from service.errors import Refused


class Directory:
    """Looks the address up; one that is unknown is not told before it is known who asks."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass with its endpoint."""
        visit = visit_of(scope)
        try:
            visit.endpoint = matching(visit.endpoints, scope["method"], scope["path"])
        except Refused as refused:
            visit.missing = refused
        await self.app(scope, receive, send)


class Admission:
    """Refuses whom the address is not for."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass whose role reaches."""
        visit = visit_of(scope)
        role = None if visit.endpoint is None else visit.endpoint.role
        if visit.principal is None and (visit.endpoint is None or role is not None):
            raise visit.denied or Refused(
                "unauthenticated", "Send a key as 'Authorization: Bearer ...', or sign in.", headers=CHALLENGE
            )
        if visit.missing is not None:
            raise visit.missing
        if role is not None and not visit.who.may(role):
            raise Refused("forbidden", f"The role {role} is needed, and this is a {visit.who.role}.")
        if visit.endpoint is not None and visit.endpoint.reveals and visit.who.role in visit.work.settings.blind:
            raise Refused(
                "forbidden", f"A {visit.who.role} judges here before seeing what was computed (KPF_BLIND_ROLES)."
            )
        await self.app(scope, receive, send)
