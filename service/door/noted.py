"""What is noted of a request: an id, a line in the log, figures. Never what it carries, and never a key."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.door.endpoint import Endpoint
from service.door.visit import SCOPE_NAME, Visit
from service.work.place import Workplace

log = logging.getLogger("kpfootprint.service")

NO_ANSWER = 499


class Noted:
    """The outermost layer: opens the visit, and notes it when it is over; only `inside` hears of starting."""

    def __init__(self, app: ASGIApp, *, inside: ASGIApp, work: Workplace, endpoints: Sequence[Endpoint]) -> None:
        self.app, self.inside, self.work, self.endpoints = app, inside, work, endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; what is none of ours ends here."""
        if scope["type"] == "lifespan":
            await self.inside(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        started = time.perf_counter()
        status = NO_ANSWER
        visit = Visit(work=self.work, request=Request(scope), endpoints=self.endpoints)
        scope[SCOPE_NAME] = visit

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            seconds = time.perf_counter() - started
            status = NO_ANSWER if visit.gone else status
            method = scope["method"] if scope["method"].isalpha() else "?"
            self.work.meters.answered(method, visit.route, status, seconds)
            log.info(
                "%s %s %d",
                method,
                visit.route,
                status,
                extra={
                    "method": method,
                    "route": visit.route,
                    "status": status,
                    "milliseconds": round(seconds * 1000, 1),
                    "actor": visit.principal.actor if visit.principal else None,
                    "request_id": visit.request_id,
                },
            )
