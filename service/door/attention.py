"""Does anybody still wait for the answer: where nobody does, what is under way for it ends."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kpfootprint.wanted import while_wanted


class Attention:
    """Ends the work on a request, in its threads too, once whoever asked has left or the time is up."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; raise `ConnectionAbortedError` where nobody is left to be answered."""
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
                await self.app(scope, heard, said)
        except asyncio.CancelledError:
            if wanted or visitor is None:
                raise
            visitor.uncancel()
            raise ConnectionAbortedError from None
        finally:
            wanted = False
            if leaving is not None:
                leaving.cancel()
