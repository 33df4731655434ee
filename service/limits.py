"""How much one key may ask in a minute, and how long a body may be."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.types import Message, Receive

from service.errors import Refused

MAX_ACTORS = 10_000


class Rate:
    """A bucket of tokens for each actor: `per_minute` fit in, and as many flow in over a minute.

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
        tokens, since = self._buckets.pop(actor, (self.per_minute, now))
        tokens = min(self.per_minute, tokens + (now - since) * self.per_minute / 60)
        granted = tokens >= 1
        self._buckets[actor] = (tokens - 1 if granted else tokens, now)
        if len(self._buckets) > MAX_ACTORS:
            self._buckets.popitem(last=False)
        if not granted:
            wait = int((1 - tokens) * 60 / self.per_minute) + 1
            raise Refused(
                "too_many_requests",
                f"At most {self.per_minute:g} requests a minute; try again in {wait} s.",
                headers={"Retry-After": str(wait)},
            )


def declared_length(value: str | None, limit: int) -> None:
    """Refuse a Content-Length that is no number or above `limit` bytes."""
    if value is None:
        return
    if not (value.isascii() and value.isdigit()):
        raise Refused("bad_request", f"Content-Length must be a number of bytes, got {value[:40]!r}.")
    if int(value) > limit:
        raise too_large(limit)


def too_large(limit: int) -> Refused:
    """Return the refusal of a body above `limit` bytes; the connection is closed, as the rest is not read."""
    return Refused("too_large", f"A body may have at most {limit:,} bytes.", headers={"Connection": "close"})


async def whole_body(receive: Receive, limit: int) -> bytes:
    """Read a body of at most `limit` bytes, chunked or not."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionAbortedError
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise too_large(limit)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def replaying(body: bytes, receive: Receive) -> Receive:
    """Return a receiver that gives a body once more, whole, and then what the connection says."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


class Counted:
    """A receiver that counts a streamed body; above `limit` bytes it ends the stream and remembers it.

    Raising inside ``receive`` would come out as a 500; so `exceeded` is left for whoever answers.
    """

    def __init__(self, receive: Receive, limit: int) -> None:
        self.receive, self.limit = receive, limit
        self.size = 0
        self.exceeded = False

    async def __call__(self) -> Message:
        """Pass one message on."""
        message = await self.receive()
        self.size += len(message.get("body", b""))
        if self.size > self.limit:
            self.exceeded = True
            return {"type": "http.disconnect"}
        return message
