"""What the door found out about a request, for whoever answers it, and in which language."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.types import Scope

from kpfootprint.retold import LANGUAGES
from service.door.endpoint import JSON, Endpoint
from service.errors import Refused
from service.register.people import Principal
from service.work.place import Workplace


def chosen_language(request: Request) -> str | None:
    """Return the language that the address asks for, or None."""
    asked = request.query_params.get("lang", "").lower()
    return asked if asked in LANGUAGES else None


def accepted_language(header: str) -> str:
    """Return the language we have that an Accept-Language header likes best.

    Examples
    --------
    >>> accepted_language("de, fr-CF;q=0.8, en;q=0.5")
    'fr'
    """
    wishes: list[tuple[float, int, str]] = []
    for position, part in enumerate(header.split(",")):
        name, _, parameters = part.partition(";")
        language = name.strip().lower().partition("-")[0]
        try:
            weight = float(parameters.partition("q=")[2] or 1)
        except ValueError:
            continue
        if weight > 0 and language in LANGUAGES:
            wishes.append((-weight, position, language))
    return min(wishes)[2] if wishes else LANGUAGES[0]


SCOPE_NAME = "kpfootprint.visit"

PLAIN = frozenset({JSON, "text/csv", "text/tab-separated-values"})
LARGE, LARGE_PACKED = 2_000_000, 300_000
"""Bytes of a body that keeps others waiting while it is read; one that is no parcel is refused above the first."""


@dataclass(slots=True, kw_only=True)
class Visit:
    """A request on its way: the workplace, where it goes, who asks, what was asked, the body where it was read.

    Parameters
    ----------
    missing : Refused or None
        What is to be said of an address that is not there.
    denied : Refused or None
        What is to be said of a key that is not good.
    given : Any
        The JSON body, seen to have the shape that is declared.
    size : int
        Bytes of the body that have come.
    place : str
        Where what was made is kept: the Location of the answer.
    gone : bool
        Whether whoever asked left before the request was whole.
    alert : str
        What a form lacks, said above it where its page is shown again as it was filled.
    """

    work: Workplace
    request: Request
    endpoints: Sequence[Endpoint] = ()
    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    endpoint: Endpoint | None = None
    missing: Refused | None = None
    principal: Principal | None = None
    denied: Refused | None = None
    asked: dict[str, Any] = field(default_factory=dict)
    body: bytes = b""
    size: int = 0
    media_type: str = ""
    given: Any = None
    form: FormData = field(default_factory=FormData)
    place: str = ""
    gone: bool = False
    alert: str = ""

    @property
    def who(self) -> Principal:
        """Who asks; only addresses that are open to all are visited without."""
        if self.principal is None:
            raise RuntimeError("this address is open to all: nobody is known here")
        return self.principal

    @property
    def path(self) -> dict[str, Any]:
        """What stands in the address, by the names of its template."""
        return self.request.path_params

    @property
    def lang(self) -> str:
        """The language of the answer."""
        headers = self.request.headers
        return chosen_language(self.request) or accepted_language(headers.get("accept-language", ""))

    @property
    def in_its_language(self) -> dict[str, str]:
        """Headers of an answer in words: its language, and that another browser may be given another one."""
        return {"Content-Language": self.lang, "Vary": "Accept-Language"}

    @property
    def large(self) -> bool:
        """Whether to read the body would keep others waiting; what may be packed holds more than it seems to."""
        return self.size > (LARGE if self.media_type in PLAIN else LARGE_PACKED)

    @property
    def route(self) -> str:
        """Template of the address, for figures and the log."""
        return "unmatched" if self.endpoint is None else self.endpoint.path


def visit_of(request: Request | Scope) -> Visit:
    """Return the visit that the door opened for a request."""
    scope = request.scope if isinstance(request, Request) else request
    visit: Visit = scope[SCOPE_NAME]
    return visit
