"""One shape for everything that goes wrong over HTTP (RFC 9457), and the one place that knows status codes."""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeVar

from kpfootprint.errors import IngestError, Problem, ReleaseError, SchemeMismatch
from kpfootprint.retold import Said
from service import Wordings
from service.register.database import RegisterUnavailable

T = TypeVar("T")

MEDIA_TYPE = "application/problem+json"

KINDS: Final[Mapping[str, tuple[int, str]]] = {
    "bad_request": (400, "The request cannot be read"),
    "not_json": (400, "The body is not JSON"),
    "unauthenticated": (401, "A key is needed"),
    "forbidden": (403, "This key may not do that"),
    "forged_request": (403, "The request did not come from a page of this service"),
    "not_found": (404, "There is nothing here"),
    "method_not_allowed": (405, "The address exists, the method does not"),
    "conflict": (409, "It cannot be done as things stand"),
    "too_large": (413, "The body is too large"),
    "unsupported_media_type": (415, "A body of this type cannot be read"),
    "invalid_input": (422, "The input has problems"),
    "scheme_mismatch": (422, "The parcel does not fit the release"),
    "idempotency_key_reused": (422, "The Idempotency-Key belongs to another request"),
    "too_many_requests": (429, "Too many requests"),
    "internal_error": (500, "Something went wrong here"),
    "not_ready": (503, "The service is not ready"),
    "invalid_release": (503, "The active release cannot be used"),
    "register_unavailable": (503, "The register cannot be reached"),
    "no_room": (503, "There is no room to keep anything"),
    "timeout": (504, "The request took too long"),
}
"""Every code of a problem with its status and title."""

BARE: Wordings = {
    "bad_request": "The request cannot be read as it was sent.",
    "not_ready": "The release or the register cannot be used yet; the log of the service says why.",
    "internal_error": "The log of the service says more; name the request_id when you ask.",
}
"""What is said for a status code that no code of ours chose; of others the title."""

FOUND = ("1 problem found.", "{count} problems found.")
"""How many problems an input has: one, or more."""

MOST_PROBLEMS = 1000
LONGEST_TEXT = 500

BY_STATUS: Final[Mapping[int, str]] = {status: code for code, (status, _) in reversed([*KINDS.items()])}
"""The code of a bare status: the first of its kinds."""


class Refused(Exception):
    """A request is answered with a problem; `code` is one of `KINDS`, and `text` is worded late.

    `text` is what went wrong in English, with places for `values`; a page tells it in another language.
    """

    def __init__(
        self,
        code: str,
        text: str,
        *,
        problems: tuple[Problem, ...] = (),
        headers: Mapping[str, str] | None = None,
        **values: object,
    ) -> None:
        self.code = code
        self.status, self.title = KINDS[code]
        self.said = Said(text, **values)  # texts and numbers alone: a refusal goes from process to process
        self.problems = problems
        self.headers = dict(headers or {})
        super().__init__(f"{code}: {self.detail}")

    def __reduce__(self) -> tuple[Any, ...]:
        made = partial(Refused, problems=self.problems, headers=self.headers, **self.said.values)
        return made, (self.code, self.said.text)

    @property
    def detail(self) -> str:
        """What went wrong, in English."""
        return str(self.said)

    def document(self, *, instance: str, request_id: str) -> dict[str, Any]:
        """Return the problem details of this refusal."""
        return {
            "type": f"/docs#{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            "code": self.code,
            "request_id": request_id,
            "problems": [_told(problem) for problem in self.problems[:MOST_PROBLEMS]],
        }


def _told(problem: Problem) -> dict[str, Any]:
    """Return a problem with its texts cut to what anybody reads; an answer is never as long as what was wrong."""
    members = problem.as_dict()
    return {
        name: text[: LONGEST_TEXT - 1] + "…" if isinstance(text, str) and len(text) > LONGEST_TEXT else text
        for name, text in members.items()
    }


def existing(what: T | None, absent: str) -> T:
    """Return what was looked for; refuse (``not_found``), saying `absent`, where it is None or False."""
    if what is None or what is False:
        raise Refused("not_found", absent)
    return what


def refusal_for(problems: Sequence[Problem]) -> Refused:
    """Return the refusal of an input with these problems."""
    return Refused("invalid_input", FOUND[len(problems) != 1], problems=tuple(problems), count=len(problems))


def told_alone(problem: Problem) -> Refused:
    """Return the refusal of a request that has one problem, a parameter of the query or a header, and says it."""
    told = Said("{name}: {fault}", name=problem.column, fault=problem.reason)
    return Refused("invalid_input", "{told}.", problems=(problem,), told=told)


def refusal_of(error: Exception) -> Refused | None:
    """Return how an error of the library or the register is answered, or None where nobody foresaw it."""
    match error:
        case Refused():
            return error
        case IngestError(problems=problems):
            return refusal_for(problems)
        case SchemeMismatch():
            return Refused("scheme_mismatch", "{told}", told=error)
        case ReleaseError():
            return Refused("invalid_release", "The active release cannot be loaded; the log of the service says why.")
        case RegisterUnavailable():
            return Refused("register_unavailable", "The register cannot be read or written now; nothing was kept.")
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return Refused("no_room", "There is no room left on a disk of the service; nothing was kept.")
        case _:
            return None


def refusal_with(status: int) -> Refused:
    """Return what is said for a bare status code that no code of ours chose."""
    code = BY_STATUS.get(status, "bad_request" if status < 500 else "internal_error")
    return Refused(code, BARE.get(code, "{told}."), told=KINDS[code][1])
