"""What the door found out about a request, for whoever answers it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.types import Scope

from service.auth import Principal
from service.routes.endpoint import Endpoint
from service.work import Workplace

SCOPE_NAME = "kpfootprint.visit"


@dataclass(slots=True, kw_only=True)
class Visit:
    """A request on its way: the workplace, who asks, and the body where the door has read it."""

    work: Workplace
    endpoints: Sequence[Endpoint] = ()
    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    principal: Principal | None = None
    body: bytes = b""

    @property
    def who(self) -> Principal:
        """Who asks; only addresses that are open to all are visited without."""
        if self.principal is None:
            raise RuntimeError("this address is open to all: nobody is known here")
        return self.principal


def visit_of(request: Request | Scope) -> Visit:
    """Return the visit that the door opened for a request."""
    scope = request.scope if isinstance(request, Request) else request
    visit: Visit = scope[SCOPE_NAME]
    return visit
