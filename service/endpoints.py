"""The table of endpoints: every address of the service, and what it takes to be let in."""

from __future__ import annotations

from service.pages import comparisons as comparison_pages
from service.pages import docs, sign_in, start
from service.routes import comparisons, keys, models, operations, zones
from service.routes.endpoint import Endpoint

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        method="POST",
        path="/v1/comparisons",
        role="monitor",
        handler=None,
        body="json",
        summary="Compare a parcel with what was declared, and keep the report.",
    ),
    Endpoint(
        method="GET",
        path="/v1/comparisons",
        role="viewer",
        handler=comparisons.index,
        summary="List comparisons, the newest first.",
    ),
    Endpoint(
        method="GET",
        path="/v1/comparisons/{id}.html",
        role="viewer",
        handler=comparisons.show_html,
        summary="Read a report as a page.",
    ),
    Endpoint(
        method="GET",
        path="/v1/comparisons/{id}.pdf",
        role="viewer",
        handler=comparisons.show_pdf,
        summary="Read a report as a PDF.",
    ),
    Endpoint(
        method="GET",
        path="/v1/comparisons/{id}",
        role="viewer",
        handler=comparisons.show,
        summary="Read a report as it was answered.",
    ),
    Endpoint(
        method="GET",
        path="/v1/zones",
        role="viewer",
        handler=zones.index,
        summary="List the zones and their status on a day.",
    ),
    Endpoint(
        method="GET",
        path="/v1/models",
        role="viewer",
        handler=models.index,
        summary="List the releases; one is active.",
    ),
    Endpoint(
        method="GET", path="/v1/keys", role="admin", handler=keys.index, summary="List the keys, without their secrets."
    ),
    Endpoint(
        method="POST",
        path="/v1/keys",
        role="admin",
        handler=keys.create,
        body="json",
        summary="Make a key; the answer alone shows it.",
    ),
    Endpoint(method="DELETE", path="/v1/keys/{id}", role="admin", handler=keys.delete, summary="Revoke a key."),
    Endpoint(
        method="GET",
        path="/openapi.json",
        role="viewer",
        handler=operations.openapi,
        summary="Read the description of these routes.",
    ),
    Endpoint(method="GET", path="/livez", role=None, handler=None, summary="Ask whether the process lives."),
    Endpoint(
        method="GET", path="/readyz", role=None, handler=None, summary="Ask whether a parcel could be compared now."
    ),
    Endpoint(
        method="GET",
        path="/metrics",
        role="viewer",
        handler=operations.metrics,
        summary="Read the figures of the service, for Prometheus.",
    ),
    Endpoint(method="GET", path="/", role="viewer", handler=start.show, page=True, summary="Page: a new comparison."),
    Endpoint(
        method="POST",
        path="/",
        role="monitor",
        handler=start.submit,
        body="form",
        page=True,
        summary="Page: compare what the form holds.",
    ),
    Endpoint(
        method="POST",
        path="/examples/{name}",
        role="monitor",
        handler=start.example,
        body="form",
        page=True,
        summary="Page: compare an example parcel.",
    ),
    Endpoint(
        method="GET",
        path="/comparisons",
        role="viewer",
        handler=comparison_pages.index,
        page=True,
        summary="Page: the comparisons.",
    ),
    Endpoint(
        method="GET",
        path="/comparisons/{id}",
        role="viewer",
        handler=comparison_pages.show,
        page=True,
        summary="Page: a report.",
    ),
    Endpoint(
        method="GET",
        path="/docs",
        role="viewer",
        handler=docs.show,
        page=True,
        summary="Page: these routes, described.",
    ),
    Endpoint(method="GET", path="/sign-in", role=None, handler=sign_in.show, page=True, summary="Page: sign in."),
    Endpoint(
        method="POST",
        path="/sign-in",
        role=None,
        handler=sign_in.submit,
        body="form",
        page=True,
        summary="Page: sign in with a key.",
    ),
    Endpoint(
        method="POST",
        path="/sign-out",
        role="viewer",
        handler=sign_in.sign_out,
        body="form",
        page=True,
        summary="Page: sign out.",
    ),
)
