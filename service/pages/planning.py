"""The pages of planning: what to ask, and the answers as documents with a way back above them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from kpfootprint.errors import Problem
from kpfootprint.report.html import render_document
from kpfootprint.report.pdf import document_pdf
from kpfootprint.report.planned import document_of
from service.clock import now, today, written
from service.door.endpoint import Answer, Endpoint
from service.door.query import Query, day, text
from service.door.visit import visit_of
from service.errors import Refused
from service.languages import language_of
from service.pages.render import framed, page
from service.routes.planning import SERIES
from service.work.drift import drifted
from service.work.planning import judged, planned, pooled, sorted_again, zone_names

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
    declared: list[Any] = [asked["declare"]]
    if asked["second"] is not None:
        percent = asked["percent"]
        declared = [
            {"zone_id": asked["declare"], "percent": 100.0 - percent},
            {"zone_id": asked["second"], "percent": percent},
        ]
    question = {"declared": declared, "against": asked["against"], "share": asked["share"]}
    lang = language_of(request)
    answer = await visit.work.heavy(partial(planned, visit.work, question, asked["on"] or today(), lang))
    return _shown(request, answer, lang)


async def adequacy(request: Request) -> Response:
    """Show whether the references of a zone are enough."""
    visit = visit_of(request)
    lang = language_of(request)
    on = visit.asked["on"] or today()
    answer = await visit.work.heavy(partial(judged, visit.work, request.path_params["id"], on, lang))
    return _shown(request, answer, lang, pdf=f"/zones/{answer['zone_id']}/adequacy.pdf?on={on.isoformat()}&lang={lang}")


async def pool(request: Request) -> Response:
    """Show what ticked comparisons say as one claim."""
    visit = visit_of(request)
    lang = language_of(request)
    answer = await visit.work.heavy(partial(pooled, visit.work, _ticked(request, 1), today(), lang))
    return _shown(request, answer, lang)


async def sorters(request: Request) -> Response:
    """Show how far the sorters of ticked comparisons agree."""
    visit = visit_of(request)
    lang = language_of(request)
    answer = await visit.work.heavy(partial(sorted_again, visit.work, _ticked(request, 2), None, lang))
    return _shown(request, answer, lang)


def _ticked(request: Request, least: int) -> Sequence[str]:
    ids = tuple(dict.fromkeys(visit_of(request).asked["id"]))
    if not least <= len(ids) <= MOST_TICKED:
        reason = f"tick {least} to {MOST_TICKED} comparisons"
        problem = Problem(table="query", column="id", code="invalid", reason=reason)
        raise Refused("invalid_input", f"{reason[0].upper()}{reason[1:]}.", problems=(problem,))
    return ids


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


async def adequacy_pdf(request: Request) -> Response:
    """Return whether the references of a zone are enough as PDF, the annex to a proposal."""
    visit = visit_of(request)
    lang = language_of(request)
    zone, on = request.path_params["id"], visit.asked["on"] or today()
    answer = await visit.work.heavy(partial(judged, visit.work, zone, on, lang))
    document = document_of(answer, zone_names(visit.work.release()), lang, created_at=written(now()))
    headers = {
        "Content-Language": lang,
        "Vary": "Accept-Language",
        "Content-Disposition": f'inline; filename="adequacy-{answer["zone_id"]}.pdf"',
    }
    return Response(await visit.work.heavy(partial(document_pdf, document)), media_type=PDF, headers=headers)


def _shown(request: Request, answer: dict[str, Any], lang: str, *, pdf: str = "") -> Response:
    zones = zone_names(visit_of(request).work.release())
    document = document_of(answer, zones, lang)
    return framed(request, partial(render_document, document), up="/planning", pdf=pdf)


def _share(given: str) -> float:
    share = float(given)
    if not 0 < share <= 1:
        raise ValueError("not a share above 0 and up to 1")
    return share


MOST_TICKED = 12
PDF = "application/pdf"
TICKED = (text("id", "A comparison; repeat it.", repeats=True),)


def _percent(given: str) -> float:
    percent = float(given)
    if not 0 < percent < 100:
        raise ValueError("not a percentage between 0 and 100")
    return percent


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
            text("second", "A second declared zone, of a blend."),
            Query(
                name="percent",
                about="Percent of the carats that are declared of the second zone.",
                schema={"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 100},
                read=_percent,
                default=30.0,
            ),
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
        path="/zones/{id}/adequacy.pdf",
        role="viewer",
        handler=adequacy_pdf,
        query=(ON,),
        page=True,
        answer=Answer(media_type=PDF),
        summary="Page: whether a zone's references are enough, as PDF.",
    ),
    Endpoint(
        method="GET",
        path="/pool",
        role="viewer",
        handler=pool,
        query=TICKED,
        page=True,
        reveals=True,
        summary="Page: what several comparisons say as one claim.",
    ),
    Endpoint(
        method="GET",
        path="/sorters",
        role="viewer",
        handler=sorters,
        query=TICKED,
        page=True,
        reveals=True,
        summary="Page: how far several sorters of one parcel agree.",
    ),
    Endpoint(
        method="GET",
        path="/drift",
        role="viewer",
        handler=drift,
        query=SERIES,
        page=True,
        reveals=True,
        summary="Page: what changes from shipment to shipment.",
    ),
)
