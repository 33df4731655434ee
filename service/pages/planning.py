"""The pages of planning: what to ask, and the answers as documents with a way back above them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from starlette.responses import Response

from kpfootprint.errors import Problem
from kpfootprint.report.html import render_document
from kpfootprint.report.pdf import document_pdf
from kpfootprint.report.planned_sections import document_of
from kpfootprint.retold import Said
from service import Wordings
from service.clock import now, today, written
from service.door.endpoint import Endpoint, Visit
from service.door.query import Query, text
from service.errors import Refused
from service.pages.render import framed, page
from service.routes.planning import ON, SERIES
from service.work.planning import drifted, judged, planned, pooled, sorted_again

SHARES = (0.05, 0.1, 0.2, 0.3, 0.5)
MOST_TICKED = 12
TICK: Wordings = {1: "Tick 1 to 12 comparisons.", 2: "Tick 2 to 12 comparisons."}
"""What is asked for where too few or too many are ticked, by how many are needed."""
PDF = "application/pdf"
TICKED = (text("id", "A comparison; repeat it.", repeats=True),)


def _number(name: str, about: str, most: float, default: float) -> Query:
    """Return a parameter that is a number above 0 and at most `most`."""

    def read(given: str) -> float:
        if not 0 < float(given) <= most:
            raise ValueError(Said("not a number above 0 and up to {most}", most=f"{most:g}"))
        return float(given)

    schema = {"type": "number", "exclusiveMinimum": 0, "maximum": most}
    return Query(name=name, about=about, schema=schema, read=read, default=default)


PLAN = (
    text("declare", "A declared zone."),
    text("second", "A second declared zone, of a blend."),
    _number("percent", "Percent of the carats that are declared of the second zone.", 99.9, 30.0),
    text("against", "A zone, non_compliant or nowhere."),
    _number("share", "Share of stones to be found.", 1, 0.2),
    ON,
)


@Endpoint("GET", "/planning", "viewer", page=True)
def ask(visit: Visit) -> Response:
    """Show what can be asked."""
    release = visit.work.release()
    zones = [zone for zone in release.zone_table.zones if zone.zone_id in release.zone_ids]
    return page(visit, "planning.html", zones=zones, shares=SHARES, today=today().isoformat())


@Endpoint("GET", "/planning/stones", "viewer", query=PLAN, page=True, heavy=True)
def plan(visit: Visit) -> Response:
    """Show how many stones and references it takes to find a share."""
    asked = visit.asked
    declared: list[Any] = [asked["declare"]]
    if asked["second"] is not None:
        percents = {asked["declare"]: 100.0 - asked["percent"], asked["second"]: asked["percent"]}
        declared = [{"zone_id": zone, "percent": percent} for zone, percent in percents.items()]
    question = {"declared": declared, "against": asked["against"], "share": asked["share"]}
    return _shown(visit, partial(planned, visit.work, question, asked["on"]))


@Endpoint("GET", "/zones/{id}/adequacy", "viewer", query=(ON,), page=True, heavy=True)
def adequacy(visit: Visit) -> Response:
    """Show whether the references of a zone are enough."""
    zone = visit.path["id"]
    asked = {"on": (visit.asked["on"] or today()).isoformat(), "lang": visit.lang}
    pdf = f"/zones/{quote(zone)}/adequacy.pdf?{urlencode(asked)}"
    return _shown(visit, partial(judged, visit.work, zone, **visit.asked), pdf=pdf)


@Endpoint("GET", "/zones/{id}/adequacy.pdf", "viewer", query=(ON,), media_type=PDF, page=True, heavy=True)
def adequacy_pdf(visit: Visit) -> Response:
    """Return whether the references of a zone are enough as PDF, the annex to a proposal."""
    lang = visit.lang
    answer = judged(visit.work, visit.path["id"], **visit.asked, lang=lang)
    document = document_of(answer, visit.work.release().zone_table.names, lang, created_at=written(now()))
    named = {"Content-Disposition": f"inline; filename*=UTF-8''adequacy-{quote(answer['zone_id'], safe='')}.pdf"}
    return Response(document_pdf(document), media_type=PDF, headers=named | visit.in_its_language)


@Endpoint("GET", "/pool", "viewer", query=TICKED, page=True, reveals=True, heavy=True)
def pool(visit: Visit) -> Response:
    """Show what ticked comparisons say as one claim."""
    return _shown(visit, partial(pooled, visit.work, ticked(visit.asked["id"], 1)))


@Endpoint("GET", "/sorters", "viewer", query=TICKED, page=True, reveals=True, heavy=True)
def sorters(visit: Visit) -> Response:
    """Show how far the sorters of ticked comparisons agree."""
    return _shown(visit, partial(sorted_again, visit.work, ticked(visit.asked["id"], 2)))


@Endpoint("GET", "/drift", "viewer", query=SERIES, page=True, reveals=True, heavy=True)
def drift(visit: Visit) -> Response:
    """Show what changes over the shipments of an exporter or a zone."""
    return _shown(visit, partial(drifted, visit.work, **visit.asked))


def ticked(given: Iterable[str], least: int) -> Sequence[str]:
    """Return the comparisons that were ticked, each once; refuse fewer than `least`, and too many."""
    ids = tuple(dict.fromkeys(given))
    if not least <= len(ids) <= MOST_TICKED:
        problem = Problem(table="query", column="id", code="invalid", reason=TICK[least])
        raise Refused("invalid_input", TICK[least], problems=(problem,))
    return ids


def _shown(visit: Visit, ask: Callable[..., dict[str, Any]], *, pdf: str = "") -> Response:
    """Return an answer as a document of this site."""
    lang = visit.lang
    document = document_of(ask(lang=lang), visit.work.release().zone_table.names, lang)
    return framed(visit, partial(render_document, document), up="/planning", pdf=pdf)
