"""The pages of planning: what to ask, and the answers as documents with a way back above them."""

from __future__ import annotations

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from kpfootprint.report.html import render_document
from kpfootprint.report.planned import document_of
from service.clock import today
from service.door.endpoint import Endpoint
from service.door.query import Query, day, text
from service.door.visit import visit_of
from service.languages import language_of
from service.pages.render import page, rendered
from service.routes.planning import SERIES
from service.work.drift import drifted
from service.work.planning import judged, planned, zone_names

SHARES = (0.05, 0.1, 0.2, 0.3, 0.5)


def ask(request: Request) -> Response:
    """Show what can be asked."""
    release = visit_of(request).work.release()
    zones = [zone for zone in release.zone_table.zones if zone.zone_id in release.zone_ids]
    return page(request, "planning.html", zones=zones, shares=SHARES, today=today().isoformat())


async def plan(request: Request) -> Response:
    """Show how many stones and references it takes to find a share."""
    visit = visit_of(request)
    asked = visit.asked
    question: dict[str, Any] = {"declared": [asked["declare"]], "against": asked["against"], "share": asked["share"]}
    lang = language_of(request)
    answer = await visit.work.heavy(partial(planned, visit.work, question, asked["on"] or today(), lang))
    return _shown(request, answer, lang)


async def adequacy(request: Request) -> Response:
    """Show whether the references of a zone are enough."""
    visit = visit_of(request)
    lang = language_of(request)
    on = visit.asked["on"] or today()
    answer = await visit.work.heavy(partial(judged, visit.work, request.path_params["id"], on, lang))
    return _shown(request, answer, lang)


async def drift(request: Request) -> Response:
    """Show what changes over the shipments of an exporter or a zone."""
    visit = visit_of(request)
    asked, lang = visit.asked, language_of(request)
    follow = partial(
        drifted,
        visit.work,
        exporter=asked["exporter"],
        zone=asked["zone"],
        per_shipments=asked["per_points"],
        lang=lang,
    )
    return _shown(request, await visit.work.heavy(follow), lang)


def _shown(request: Request, answer: dict[str, Any], lang: str) -> Response:
    zones = zone_names(visit_of(request).work.release())
    made = render_document(
        document_of(answer, zones, lang),
        above=rendered(request, "planning-bar.html"),
        style=rendered(request, "report-bar.css"),
    )
    return HTMLResponse(made, headers={"Content-Language": lang, "Vary": "Accept-Language"})


def _share(given: str) -> float:
    share = float(given)
    if not 0 < share <= 1:
        raise ValueError("not a share above 0 and up to 1")
    return share


ON = day("on", "Day whose status of zones counts; today without it.")
ENDPOINTS = (
    Endpoint(
        method="GET", path="/planning", role="viewer", handler=ask, page=True, summary="Page: what can be planned."
    ),
    Endpoint(
        method="GET",
        path="/planning/stones",
        role="viewer",
        handler=plan,
        query=(
            text("declare", "A declared zone."),
            text("against", "A zone, non_compliant or nowhere."),
            Query(
                name="share",
                about="Share of stones to be found.",
                schema={"type": "number", "exclusiveMinimum": 0, "maximum": 1},
                read=_share,
                default=0.2,
            ),
            ON,
        ),
        page=True,
        summary="Page: how many stones it takes.",
    ),
    Endpoint(
        method="GET",
        path="/zones/{id}/adequacy",
        role="viewer",
        handler=adequacy,
        query=(ON,),
        page=True,
        summary="Page: whether a zone's references are enough.",
    ),
    Endpoint(
        method="GET",
        path="/drift",
        role="viewer",
        handler=drift,
        query=SERIES,
        page=True,
        summary="Page: what changes from shipment to shipment.",
    ),
)
