"""How much one key may ask in a minute."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from service.door.admission import SAFE
from service.door.visit import Visit
from service.errors import Refused

MAX_ACTORS = 10_000


class Rate:
    """A bucket of tokens for each actor: `per_minute` fit in (one at least), and as many flow in over a minute.

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
        full = max(self.per_minute, 1.0)
        tokens, since = self._buckets.pop(actor, (full, now))
        tokens = min(full, tokens + (now - since) * self.per_minute / 60)
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


def count(rate: Rate, visit: Visit) -> None:
    """Count a request by key, and by address where there is none; looking at what is open to all is not counted."""
    is_open = visit.endpoint is not None and visit.endpoint.role is None
    if visit.principal is not None:
        rate.take(visit.principal.actor)
    elif visit.denied is not None or not is_open or visit.request.method not in SAFE:
        client = visit.request.client
        rate.take(f"address:{client[0] if client else ''}")
