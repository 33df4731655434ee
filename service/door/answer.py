"""What leaves the door: security headers on everything, errors in one shape, all in time, nothing to who has left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kpfootprint.wanted import while_wanted
from service.door.endpoint import visit_of
from service.errors import MEDIA_TYPE, Refused, refusal_of, refusal_with
from service.logs import log

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
