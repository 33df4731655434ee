"""What every list has: its pages, and a span of time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from service.door.query import Query, day, whole_number
from service.door.visit import visit_of

PAGE = 50
MAX_PAGE = 500

PAGING: tuple[Query, ...] = (
    whole_number("limit", f"How many items; {PAGE} without it.", maximum=MAX_PAGE, default=PAGE),
    whole_number("before", "Where the page starts; `next` of the page before holds it."),
)
FROM = day("from", "First day (UTC).")
TO = day("to", "Last day (UTC), itself included.")


def span_in(asked: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
    """Return the beginning of the first day and the end of the last one, as they are asked for."""
    start, end = asked["from"], asked["to"]
    return (
        None if start is None else datetime.combine(start, time(), UTC),
        None if end is None else datetime.combine(end, time(), UTC) + timedelta(days=1),
    )


def following(request: Request, further: int | None) -> str | None:
    """Return the address of the next page, with everything that was asked, or None where this one is the last."""
    if further is None:
        return None
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "before"]
    if "limit" not in dict(kept):
        kept.append(("limit", str(visit_of(request).asked["limit"])))
    return f"{request.url.path}?{urlencode([*kept, ('before', further)])}"
