"""What is known of an address before anybody is let in: method, path, role, body."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.routing import Route, compile_path

from service.errors import Refused

Handler = Callable[..., Any]
Body = Literal["none", "json", "form"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One method of one path.

    Parameters
    ----------
    role : str or None
        Least role that may ask; None is open to all.
    handler : callable or None
        Starlette endpoint; None where BentoML answers itself.
    body : {"none", "json", "form"}
        What a request may carry. JSON bodies are read whole by the door, forms are streamed.
    page : bool
        Made for browsers: without a session they are sent to the sign-in page, errors are pages.
    summary : str
        One line for the documentation.
    """

    method: str
    path: str
    role: str | None
    handler: Handler | None
    summary: str
    body: Body = "none"
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
    if not here:
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
