"""Work ends when nobody waits for it any more: whoever asked has left, or the time is up."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from anyio import to_thread

from kpfootprint.wanted import NoLongerWanted, go_on
from service.door.stack import while_awaited

BODY: dict[str, Any] = {"type": "http.request", "body": b"", "more_body": False}
START: dict[str, Any] = {"type": "http.response.start", "status": 200, "headers": []}
END: dict[str, Any] = {"type": "http.response.body", "body": b"", "more_body": False}

Call = Callable[[Any, Any, Any], Awaitable[None]]


class Work:
    """Works in a thread for as long as it is wanted, twenty seconds at most."""

    def __init__(self) -> None:
        self.begun, self.ended = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.begun.set()
        try:
            for _ in range(2000):
                time.sleep(0.01)
                go_on()
        except NoLongerWanted:
            self.ended.set()
            raise

    async def app(self, *visit: Any) -> None:
        await visit[1]()
        await to_thread.run_sync(self)


class Visitor:
    """Sends a request, then leaves when told."""

    def __init__(self) -> None:
        self.leaves = asyncio.Event()
        self._sent = False

    async def receive(self) -> dict[str, Any]:
        if not self._sent:
            self._sent = True
            return BODY
        await self.leaves.wait()
        return {"type": "http.disconnect"}


async def nothing(_: Any) -> None:
    return


@asynccontextmanager
async def under_way(work: Work, visitor: Visitor) -> AsyncIterator[asyncio.Task[None]]:
    task: asyncio.Task[None] = asyncio.ensure_future(while_awaited(work.app)({}, visitor.receive, nothing))
    assert await to_thread.run_sync(work.begun.wait, 10)
    yield task
    assert await to_thread.run_sync(work.ended.wait, 10), "its thread works on"


def test_work_ends_when_whoever_asked_has_left() -> None:
    async def scene() -> None:
        work, visitor = Work(), Visitor()
        async with under_way(work, visitor) as task:
            visitor.leaves.set()
            with pytest.raises(ConnectionAbortedError):
                await task

    asyncio.run(scene())


def test_work_ends_when_the_time_is_up() -> None:
    async def scene() -> None:
        work = Work()
        async with under_way(work, Visitor()) as task:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(task, 0.05)

    asyncio.run(scene())


def test_who_leaves_with_an_answer_ends_nothing() -> None:
    visitor: Visitor
    done = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(START)
        await send(END)
        visitor.leaves.set()
        await asyncio.sleep(0.05)
        done.append(True)

    async def scene() -> None:
        nonlocal visitor
        visitor = Visitor()
        await while_awaited(app)({}, visitor.receive, nothing)

    asyncio.run(scene())
    assert done
