"""The one door: every request passes it before BentoML, the API or a page sees anything of it.

Each layer has one concern, the outermost first: what is noted of a request, what every answer wears, how errors are
told, whether it is let in at all, does the answer begin in time, does anybody still wait for it, and does the body fit.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kpfootprint.wanted import while_wanted
from service.door.admission import Rate, admit, count, identify, look_up, refuse_forged
from service.door.bodies import inspected
from service.door.endpoint import SCOPE_NAME, Endpoint, Visit, visit_of
from service.door.query import asked_in
from service.errors import MEDIA_TYPE, Refused, refusal_of, refusal_with
from service.logs import log
from service.settings import Settings
from service.work.place import Workplace

ANSWER_WITHIN = 55.0
"""Seconds until an answer must have begun; BentoML would cut it off after 60, in a shape of its own."""

SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

Tell = Callable[[Request, Refused], Response]
"""How a refusal is told to whoever asked."""


def dressed(app: ASGIApp) -> ASGIApp:
    """Put the security headers and the request id on every answer."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def dress(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = list(message["headers"])
                headers = MutableHeaders(raw=message["headers"])
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                headers["X-Request-ID"] = visit_of(scope).request_id
                if "server" in headers:
                    del headers["server"]
            await send(message)

        await app(scope, receive, dress)

    return answer


def in_time(app: ASGIApp) -> ASGIApp:
    """Cut off who has not begun to answer in time; how long an answer then takes is up to who reads it."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(ANSWER_WITHIN) as until:

                async def begun(message: Message) -> None:
                    until.reschedule(None)
                    await send(message)

                await app(scope, receive, begun)
        except TimeoutError:
            if not until.expired():
                raise
            raise Refused("timeout", "No answer within {seconds} s.", seconds=round(ANSWER_WITHIN)) from None

    return answer


def say_foreseen(request_id: str, refused: Refused, error: Exception) -> None:
    """Say in a line of the log why a request failed through no fault of whoever asked, however many ask meanwhile."""
    if refused.status >= 500:
        told = " ".join((refused.detail if error is refused else str(error)).split())
        log.error("request %s failed: %s", request_id, told)


def told(app: ASGIApp, tell: Tell, tell_plainly: Tell) -> ASGIApp:
    """Tell what went wrong: what was refused here, what the handlers raised, and the bare errors of anybody else."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        begun = False
        held: Refused | None = None
        visit, request = visit_of(scope), Request(scope, receive)

        async def looked_at(message: Message) -> None:
            nonlocal begun, held
            if held is not None:
                return
            if message["type"] == "http.response.start":
                status, headers = message["status"], Headers(raw=message["headers"])
                if status >= 400 and not headers.get("content-type", "").startswith((MEDIA_TYPE, "text/html")):
                    held = refusal_with(status)
                    return
                begun = True
            await send(message)

        try:
            await app(scope, receive, looked_at)
        except (ConnectionAbortedError, ClientDisconnect):
            # nobody is left to be told anything; but without an answer BentoML would wait for one until its time is up
            visit.gone = True
            held = Refused("bad_request", "The connection ended before the request did.")
        except Exception as error:  # what it was says more than the bare answer that somebody made of it
            held = _refusal(error, visit.request_id)
        if held is None or begun:
            return
        try:
            response = tell(request, held)
        except Exception as second:  # without an answer BentoML would let the request wait until its time is up
            log.error("the page of an error failed, request %s", visit.request_id, exc_info=second)
            response = tell_plainly(request, held)
        await response(scope, receive, send)

    return answer


def _refusal(error: Exception, request_id: str) -> Refused:
    refused = refusal_of(error)
    if refused is not None:
        say_foreseen(request_id, refused, error)
        return refused
    log.error("request %s failed", request_id, exc_info=error)
    return Refused("internal_error", "The log of the service says more about {request}.", request=request_id)


def while_awaited(app: ASGIApp) -> ASGIApp:
    """End the work on a request, in its threads too, once whoever asked has left or the time is up.

    `ConnectionAbortedError` is raised where nobody is left to be answered.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        wanted, answered = True, False
        visitor = asyncio.current_task()
        leaving: asyncio.Task[None] | None = None

        async def left() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        def leave(_: asyncio.Task[None]) -> None:
            nonlocal wanted
            if wanted and not answered and visitor is not None:
                wanted = False
                visitor.cancel()

        async def heard() -> Message:
            nonlocal leaving
            if leaving is not None:
                await asyncio.wait([leaving])
                return {"type": "http.disconnect"}
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body", False):
                leaving = asyncio.create_task(left())
                leaving.add_done_callback(leave)
            return message

        async def said(message: Message) -> None:
            nonlocal answered
            answered = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        try:
            with while_wanted(lambda: wanted):
                await app(scope, heard, said)
        except asyncio.CancelledError:
            if wanted or visitor is None:
                raise
            visitor.uncancel()
            raise ConnectionAbortedError from None
        finally:
            wanted = False
            if leaving is not None:
                leaving.cancel()

    return answer


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
