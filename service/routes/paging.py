"""What answers are made of: the members of a shape, the pages of a list, a span of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from service.clock import span_of, written
from service.door.endpoint import Visit
from service.door.query import day_or_moment, whole_number

Shape = TypeVar("Shape")

PAGE = 50
MAX_PAGE = 500

BEFORE = whole_number("before", "Where the page starts; `next` of the page before holds it.")
PAGING = (whole_number("limit", f"How many items; {PAGE} without it.", maximum=MAX_PAGE, default=PAGE), BEFORE)
FROM = day_or_moment("from", "First day, or first moment (UTC).")
TO = day_or_moment("to", "Last day, or last moment (UTC), itself included.")


def span_in(asked: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
    """Return the span of time that is asked for."""
    return span_of(asked["from"], asked["to"])


def told(shape: type[Shape], of: Any = None, /, **members: Any) -> Shape:
    """Return what a shape tells of something: the members that are given, and its attributes under the other names."""
    shown = {name: members[name] if name in members else getattr(of, name) for name in shape.__annotations__}
    shown |= {name: written(value) for name, value in shown.items() if isinstance(value, datetime)}
    return cast(Shape, shown)


def listed(visit: Visit, items: Sequence[Any]) -> dict[str, Any]:
    """Return a page of a list that is short enough to be had whole; `before` counts the items before the page."""
    asked = visit.asked
    start = asked["before"] or 0
    end = start + asked["limit"]
    return {"items": [*items[start:end]], "next": following(visit, end if end < len(items) else None)}


def following(visit: Visit, further: int | None) -> str | None:
    """Return the address of the next page, with everything that was asked, or None where this one is the last."""
    if further is None:
        return None
    kept = [(name, value) for name, value in visit.request.query_params.multi_items() if name != "before"]
    if "limit" not in dict(kept):
        kept.append(("limit", str(visit.asked["limit"])))
    return f"{visit.request.url.path}?{urlencode([*kept, ('before', further)])}"
