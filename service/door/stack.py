"""The one door: every request passes it before BentoML, the API or a page sees anything of it.

Each layer has one concern, the outermost first: what is noted of a request, what every answer wears, how errors are
told, whether it is let in at all, does the answer begin in time, does anybody still wait for it, and does the body fit.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.door.admission import Rate, admit, count, identify, look_up, refuse_forged
from service.door.answer import Tell, dressed, in_time, told, while_awaited
from service.door.endpoint import SCOPE_NAME, Endpoint, Visit, visit_of
from service.door.inspection import inspected
from service.door.query import asked_in
from service.logs import log
from service.settings import Settings
from service.work.place import Workplace


class Checks:
    """Asks of a request, one after the other, what has to be known before any of its body is read."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.rate = Rate(settings.rate_per_minute / settings.workers)  # for all workers together: each counts its share

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass with its endpoint, its principal and what it asks."""
        visit = visit_of(scope)
        look_up(visit)
        await identify(visit)
        count(self.rate, visit)
        admit(visit)
        refuse_forged(visit)
        if visit.endpoint is not None:
            visit.asked = asked_in(scope["query_string"], visit.endpoint.query, lenient=visit.endpoint.page)
        await self.app(scope, receive, send)


def door(app: ASGIApp, *, work: Workplace, endpoints: Sequence[Endpoint], tell: Tell, tell_plainly: Tell) -> ASGIApp:
    """Return `app` behind the door.

    Parameters
    ----------
    work : Workplace
        What visitors work with; opened by whoever runs the app.
    endpoints : sequence of Endpoint
        Every address there is; nothing else is reached at all.
    tell, tell_plainly : callable
        How a refusal is told, and how where telling it so fails.
    """
    checked = Checks(in_time(while_awaited(inspected(app))), work.settings)
    return Noted(dressed(told(checked, tell, tell_plainly)), inside=app, work=work, endpoints=endpoints)


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
