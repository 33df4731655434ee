"""An address declared in one place: who may ask, what a request carries, what comes back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.routing import Route, compile_path

from service.door.query import Query
from service.errors import Refused

Handler = Callable[..., Any]
Shape = Any
"""A type that pydantic can describe, a JSON Schema as a mapping, or None for nothing."""

JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A JSON Schema that stands on its own, under the name that OpenAPI gives it."""

    name: str
    schema: Mapping[str, Any]


MULTIPART = "multipart/form-data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What a request carries.

    Parameters
    ----------
    kinds : mapping from media type to shape
        A type that is not among them is 415; without a Content-Type the first counts.
    streamed : bool
        Read piece by piece by whoever answers, up to the limit of uploads; otherwise read whole, up to that of bodies.
    """

    kinds: Mapping[str, Shape]
    streamed: bool = False
    required: bool = True


FORM = Body(kinds={MULTIPART: None, "application/x-www-form-urlencoded": None}, streamed=True)
"""The form of a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What comes back where all is well; `or_types` are what else it may come as."""

    shape: Shape = None
    status: int = 200
    media_type: str = JSON
    or_types: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One method of one path.

    Parameters
    ----------
    role : str or None
        Least role that may ask; None is open to all.
    handler : callable or None
        Starlette endpoint; None where BentoML answers itself.
    summary : str
        One line for the documentation.
    query : sequence of Query
        Every parameter that is known.
    once : bool
        Honours ``Idempotency-Key``.
    reveals : bool
        Tells what was computed of many comparisons: closed to a role that judges before it sees.
    page : bool
        Made for browsers: without a session they are sent to the sign-in page, errors are pages.
    """

    method: str
    path: str
    role: str | None
    handler: Handler | None
    summary: str
    body: Body | None = None
    query: Sequence[Query] = ()
    answer: Answer = Answer()
    once: bool = False
    reveals: bool = False
    page: bool = False
    pattern: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", compile_path(self.path)[0])

    def route(self) -> Route:
        """Return the route of the mounted app that answers."""
        if self.handler is None:
            raise RuntimeError(f"BentoML answers {self.method} {self.path}")
        return Route(self.path, self.handler, methods=[self.method])


def matching(endpoints: Sequence[Endpoint], method: str, path: str) -> Endpoint:
    """Return the endpoint of a request; HEAD is answered as GET is.

    Raises
    ------
    Refused
        ``not_found`` for an unknown path, ``method_not_allowed`` for a known one.
    """
    here = [item for item in endpoints if item.pattern.match(path)]
    here = [item for item in here if item.path == path] or here  # what has a name of its own is no {id}
    if not here or "\x00" in path:
        raise Refused("not_found", "There is nothing at this address.")
    wanted = "GET" if method == "HEAD" else method
    for item in here:
        if item.method == wanted:
            return item
    allowed = ", ".join(sorted(_methods(here)))
    raise Refused("method_not_allowed", f"This address answers {allowed}.", headers={"Allow": allowed})


def _methods(endpoints: Sequence[Endpoint]) -> set[str]:
    methods = {item.method for item in endpoints}
    return methods | {"HEAD"} if "GET" in methods else methods
