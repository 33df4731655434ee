"""The one door: every request passes it before BentoML, the API or a page sees anything of it.

In this order: is there such an address, who asks, may they, do they ask too often, did another site send them, does
the body fit. What is refused is refused here, and nothing that is not in the table of endpoints is reached at all.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.answer import Answer
from service.auth import CHALLENGE, SAFE, check_csrf, check_origin, principal_of
from service.errors import Refused, refusal_of
from service.limits import Counted, Rate, declared_length, replaying, too_large, whole_body
from service.pages.errors import problem_response, refusal_response
from service.routes.endpoint import Endpoint, matching
from service.visit import SCOPE_NAME, Visit
from service.work import Workplace

log = logging.getLogger("kpfootprint.service")

ANSWER_WITHIN = 55.0
"""Seconds until an answer must have begun; BentoML would cut it off after 60, in a shape of its own."""

JSON_TYPES = ("application/json",)
FORM_TYPES = ("multipart/form-data", "application/x-www-form-urlencoded")


class Door:
    """Pure ASGI middleware; `work` and `endpoints` are the app's own."""

    def __init__(self, app: ASGIApp, *, work: Workplace, endpoints: Sequence[Endpoint]) -> None:
        self.app = app
        self.work = work
        self.endpoints = endpoints
        self.rate = Rate(work.settings.rate_per_minute / work.settings.workers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or say why not."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        started = time.perf_counter()
        visit = Visit(work=self.work, endpoints=self.endpoints)
        answer = Answer(send, visit.request_id)
        scope[SCOPE_NAME] = visit
        route = "unmatched"
        try:
            try:
                endpoint = matching(self.endpoints, scope["method"], scope["path"])
            except Refused:
                await self._known(scope, visit)
                raise
            route = endpoint.path
            await self._let_in(endpoint, scope, receive, answer, visit)
        except (ConnectionAbortedError, ClientDisconnect):
            gone = Refused("bad_request", "The connection ended before the request did.")
            await self._tell(answer.refusal or gone, scope, receive, answer, visit)
        except Exception as error:
            await self._tell(error, scope, receive, answer, visit)
        finally:
            seconds = time.perf_counter() - started
            status = answer.status or 499
            self.work.meters.answered(scope["method"], route, status, seconds)
            log.info(
                "%s %s %d %.1f ms %s %s",
                scope["method"] if scope["method"].isalpha() else "?",
                route,
                status,
                seconds * 1000,
                visit.principal.actor if visit.principal else "-",
                visit.request_id,
            )

    async def _known(self, scope: Scope, visit: Visit, *, is_open: bool = False) -> None:
        """Find out who asks; refuse those who must say it and do not, and those who ask too often.

        Requests are counted by key; where there is none, by address, but for what anybody may look at.
        """
        client = scope.get("client")
        address = f"address:{client[0] if client else ''}"
        try:
            visit.principal = await to_thread.run_sync(principal_of, self.work.engine, Headers(scope=scope))
        except Refused:
            self.rate.take(address)
            if is_open:
                return
            raise
        if visit.principal is not None:
            self.rate.take(visit.principal.actor)
        elif not is_open or scope["method"] not in SAFE:
            self.rate.take(address)
        if visit.principal is None and not is_open:
            raise Refused(
                "unauthenticated", "Send a key as 'Authorization: Bearer ...', or sign in.", headers=CHALLENGE
            )

    async def _let_in(self, endpoint: Endpoint, scope: Scope, receive: Receive, answer: Answer, visit: Visit) -> None:
        headers = Headers(scope=scope)
        await self._known(scope, visit, is_open=endpoint.role is None)
        if endpoint.role is not None and not visit.who.may(endpoint.role):
            raise Refused("forbidden", f"The role {endpoint.role} is needed, and this is a {visit.who.role}.")
        if scope["method"] not in SAFE:
            self._check_sender(endpoint, headers, visit)
        limit = self.work.settings.max_upload if endpoint.body == "form" else self.work.settings.max_body
        declared_length(headers.get("content-length"), limit)
        _check_type(endpoint, headers)
        counted = Counted(receive, limit)
        async with asyncio.timeout(ANSWER_WITHIN) as until:
            if endpoint.body == "json":
                visit.body = await whole_body(receive, limit)
                inner: Receive = replaying(visit.body, receive)
            else:
                inner = counted

            async def send(message: Message) -> None:
                until.reschedule(None)  # an answer has begun; how long it takes is up to who reads it
                if not counted.exceeded:
                    await answer(message)

            try:
                await self.app(scope, inner, send)
            finally:
                if counted.exceeded:
                    answer.refusal = too_large(limit)
        if answer.refusal is not None:
            raise answer.refusal

    def _check_sender(self, endpoint: Endpoint, headers: Headers, visit: Visit) -> None:
        if visit.principal is None or visit.principal.csrf is not None:
            check_origin(headers)
        if visit.principal is not None and endpoint.body != "form":
            check_csrf(visit.principal, headers.get("x-csrf-token"))

    async def _tell(self, error: Exception, scope: Scope, receive: Receive, answer: Answer, visit: Visit) -> None:
        """Answer with what went wrong: a page for a browser that asked for one, problem details otherwise."""
        refused = answer.refusal or (
            Refused("timeout", f"No answer within {ANSWER_WITHIN:g} s.") if isinstance(error, TimeoutError) else None
        )
        refused = refused or refusal_of(error)
        if refused is None or refused.status >= 500:
            log.error("request %s failed", visit.request_id, exc_info=error)
        refused = refused or Refused("internal_error", f"The log of the service says more about {visit.request_id}.")
        if answer.status is not None:
            return
        answer.refusal = None
        request = Request(scope, receive)
        try:
            response = refusal_response(request, refused)
        except Exception as second:  # without an answer BentoML would let the request wait until its time is up
            log.error("the page of an error failed, request %s", visit.request_id, exc_info=second)
            response = problem_response(request, refused)
        await response(scope, receive, answer)


def _check_type(endpoint: Endpoint, headers: Headers) -> None:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    wanted = {"json": JSON_TYPES, "form": FORM_TYPES, "none": None}[endpoint.body]
    if wanted is not None and media_type and media_type not in wanted:
        raise Refused("unsupported_media_type", f"Send {' or '.join(wanted)}, not {media_type[:80]}.")
