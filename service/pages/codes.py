"""The page that takes the short code of a printed report, typed or from its QR code, and leads to the kept one."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from service.door.endpoint import Endpoint
from service.door.query import text
from service.door.visit import visit_of
from service.pages.render import link_to, page
from service.register.comparisons import Search, page_of


def show(request: Request) -> Response:
    """Go to the newest comparison whose report has the code, or ask for a code."""
    visit = visit_of(request)
    code = visit.asked["code"]
    if not code:
        return page(request, "code.html", code="")
    found, _ = page_of(visit.work.engine, before=None, limit=1, search=Search(code=code))
    if not found:
        return page(request, "code.html", status=404, code=code)
    return RedirectResponse(link_to(request, f"/comparisons/{found[0].id}"), status_code=303)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/code",
        role="viewer",
        handler=show,
        query=(text("code", "The short code of a report, or its id."),),
        page=True,
        summary="Page: the report that has a short code.",
    ),
)
