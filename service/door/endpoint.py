"""An address declared in one place: who may ask, what a request carries, what comes back; and a request on its way.

What the door found out about a request is for whoever answers it, and in which language.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from types import ModuleType
from typing import Any, TypeVar, get_type_hints

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.routing import compile_path
from starlette.types import Scope
from typing_extensions import is_typeddict

from kpfootprint.retold import LANGUAGES
from service.door.query import Query
from service.errors import Refused
from service.register.people import Principal
from service.work.place import Workplace

Handler = Callable[..., Any]
Answering = TypeVar("Answering", bound=Handler)
Answer = Mapping[str, Any]
"""What a handler returns to go out as JSON, with the status of its endpoint."""
Shape = Any
"""A type that pydantic can describe, a JSON Schema as a mapping, one of several of them, or None for nothing."""

JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A JSON Schema that stands on its own, under the name that OpenAPI gives it."""

    name: str
    schema: Mapping[str, Any]


MULTIPART, URLENCODED = "multipart/form-data", "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Body:
    """What a request carries.

    Parameters
    ----------
    kinds : mapping from media type to shape
        A type that is not among them is 415; without a Content-Type the first counts.
    streamed : bool
        Read piece by piece, up to the limit of uploads; otherwise read whole, up to that of bodies.
    """

    kinds: Mapping[str, Shape]
    streamed: bool = False


FORM = Body({MULTIPART: None, URLENCODED: None}, streamed=True)
"""The form of a page."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path; written above the function that answers it, whose first line describes it.

    Parameters
    ----------
    role : str or None
        Least role that may ask; None is open to all.
    body, query
        What a request carries, and every parameter that is known. A function that takes `given` beside the visit
        is given the JSON document of the shape that it is annotated with.
    answer, status, media_type, or_types
        What comes back where all is well, by default the shape that the function returns; `or_types` are what else
        it may come as.
    once : bool
        Honours ``Idempotency-Key``.
    reveals : bool
        Tells what was computed of many comparisons: closed to a role that judges before it sees.
    heavy : bool
        Waits until the heavy operations before it are done.
    page : bool
        Made for browsers: without a session they are sent to the sign-in page, errors are pages.
    summary, handler
        Taken from the function below; None where BentoML answers itself.
    """

    method: str
    path: str
    role: str | None
    _: KW_ONLY
    body: Body | None = None
    query: Sequence[Query] = ()
    answer: Shape = None
    status: int = 200
    media_type: str = JSON
    or_types: Sequence[str] = ()
    once: bool = False
    reveals: bool = False
    heavy: bool = False
    page: bool = False
    summary: str = ""
    handler: Handler | None = None
    pattern: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", compile_path(self.routed)[0])

    @property
    def routed(self) -> str:
        """The path as requests are held against: the id of a zone is whatever a package gives it, slashes too."""
        return self.path.replace("/zones/{id}/", "/zones/{id:path}/")

    def __call__(self, handler: Answering) -> Answering:
        """Return a function as it is, once it bears this endpoint: others may call it, too."""
        answering: Handler = handler
        summary, body, answer = (handler.__doc__ or "").partition("\n")[0], self.body, self.answer
        hints = get_type_hints(handler, include_extras=True)
        if "given" in hints:
            answering, body = lambda visit: handler(visit, visit.given), Body({JSON: hints["given"]})
        if is_typeddict(hints["return"]):
            answer = hints["return"]
        vars(handler)["endpoint"] = replace(self, handler=answering, summary=summary, body=body, answer=answer)
        return handler


def declared_in(module: ModuleType) -> Iterator[Endpoint]:
    """Yield the endpoints of a module, in the order in which they stand there."""
    for item in vars(module).values():
        here = item if getattr(item, "__module__", "") != module.__name__ else getattr(item, "endpoint", None)
        if isinstance(here, Endpoint):
            yield here


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
    methods = {item.method for item in here}
    allowed = ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
    raise Refused("method_not_allowed", "This address answers {allowed}.", allowed=allowed, headers={"Allow": allowed})


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
