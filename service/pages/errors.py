"""How a refusal is told: a page to a browser that asked for one, problem details to everybody else; and all of them."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from service.door.admission import SAFE
from service.door.endpoint import Endpoint, Visit, visit_of
from service.errors import KINDS, MEDIA_TYPE, Refused
from service.pages.problems import Teller
from service.pages.render import link_to, page


def refusal_response(request: Request, refused: Refused) -> Response:
    """Return the answer that tells a refusal; a browser that is not signed in is sent to where it can be."""
    path = request.url.path
    wants_page = "text/html" in request.headers.get("accept", "")
    if not wants_page or (path.startswith("/v1/") and not path.endswith(".html")):
        return problem_response(request, refused)
    if refused.code == "unauthenticated" and request.method in SAFE:
        target = path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(link_to(visit_of(request), "/sign-in", next=target), status_code=303)
    visit = visit_of(request)
    teller = Teller(visit.lang)
    shown = {"refused": refused, "detail": teller.refused(refused), "told": teller.told}
    answer = page(visit, "error.html", status=refused.status, request_id=visit.request_id, **shown)
    answer.headers.update(refused.headers)
    return answer


def problem_response(request: Request, refused: Refused) -> Response:
    """Return the problem details of a refusal."""
    instance = quote(request.scope.get("raw_path") or request.url.path, safe="/:@!$&'()*+,;=~%")
    document = refused.document(instance=instance, request_id=visit_of(request).request_id)
    return JSONResponse(document, refused.status, refused.headers, MEDIA_TYPE)


@Endpoint("GET", "/docs", "viewer", page=True)
def show_routes(visit: Visit) -> Response:
    """Show every route for programs, and every code of a problem."""
    routes = [item for item in visit.endpoints if not item.page]
    return page(visit, "docs.html", routes=routes, kinds=KINDS, base=str(visit.request.base_url).rstrip("/"))
