"""What experts say, and how conclusions stood up: opinions, practice, outcomes, the register at a glance."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from itertools import zip_longest
from typing import Any

from starlette.datastructures import FormData
from starlette.responses import Response

from kpfootprint.conclusions import CONCLUSIONS
from kpfootprint.ingest import number_given
from kpfootprint.planning.drift import PER_SHIPMENTS
from kpfootprint.planning.sorters import labels_of
from kpfootprint.report import read_report, render_html
from kpfootprint.visible import csv_line
from service import Wording
from service.clock import today
from service.door.bodies import checked, text_of, texts_of, written_in
from service.door.endpoint import FORM, Endpoint, Visit
from service.errors import Refused
from service.pages.render import ITEMS, again, framed, moved_to, page
from service.register.database import reading
from service.routes.paging import BEFORE
from service.routes.shapes_of_cases import NewAnswer, NewOpinion, NewOutcome
from service.work import practice
from service.work.kept import (
    UNLISTED,
    cases,
    give_opinion,
    known,
    parcel_text,
    sealed_from,
    summary,
    tally_of,
    tell_outcome,
)
from service.work.planning import NONE, dashboard


@Endpoint("GET", "/comparisons/{id}/opinion", "viewer", page=True)
def ask_opinion(visit: Visit) -> Response:
    """Show a parcel without what was computed, and ask for a conclusion."""
    comparison_id = visit.path["id"]
    document = json.loads(parcel_text(visit.work, comparison_id))
    sealed = bool(sealed_from(visit.work, visit.who, [comparison_id]))
    return _judged(visit, document, sealed=sealed, exercise=False)


@Endpoint("POST", "/comparisons/{id}/opinion", "monitor", body=FORM, page=True)
def keep_opinion(visit: Visit) -> Response:
    """Keep an expert's conclusion, and go on to the report."""
    comparison_id = visit.path["id"]
    given = written_in(visit.form, NewOpinion)
    if given is None:
        return again(visit, "Choose a conclusion and give your reasons.", ask_opinion)
    give_opinion(visit.work, comparison_id, **given, who=visit.who)
    return moved_to(visit, f"/comparisons/{comparison_id}")


@Endpoint("GET", "/practice", "viewer", query=(BEFORE,), page=True)
def index(visit: Visit) -> Response:
    """Show how often one is wrong, beside the program on the same parcels, and the exercises that were answered."""
    found, further = practice.answered(visit.work, actor=visit.who.actor, before=visit.asked["before"], limit=ITEMS)
    return page(
        visit,
        "practice.html",
        score=practice.score(visit.work, actor=visit.who.actor),
        found=found,
        further=further,
        unlisted=UNLISTED,
        synthetic=visit.work.release().manifest["reference"]["synthetic"],
    )


@Endpoint("POST", "/practice", "viewer", body=FORM, heavy=True, page=True)
def draw(visit: Visit) -> Response:
    """Draw a parcel and go to it."""
    return moved_to(visit, f"/practice/{practice.draw(visit.work, actor=visit.who.actor).id}")


@Endpoint("GET", "/practice/{id}", "viewer", page=True)
def show(visit: Visit) -> Response:
    """Show an exercise: what there is to see, or, once it was answered, what it was and the program's report."""
    item = practice.exercise_of(visit.work, visit.path["id"], actor=visit.who.actor)
    if item.conclusion is None:
        return _judged(visit, item.document, sealed=True, exercise=True)
    return framed(visit, partial(render_html, read_report(item.report), visit.lang), up="/practice", exercise=item)


@Endpoint("POST", "/practice/{id}", "viewer", body=FORM, page=True)
def keep_answer(visit: Visit) -> Response:
    """Keep an answer and show what it was."""
    exercise_id = visit.path["id"]
    given = written_in(visit.form, NewAnswer)
    if given is None:
        return again(visit, "Choose a conclusion.", show)
    practice.answer(visit.work, exercise_id, **given, actor=visit.who.actor)
    return moved_to(visit, f"/practice/{exercise_id}")


def _judged(visit: Visit, document: Mapping[str, Any], *, sealed: bool, exercise: bool) -> Response:
    release = visit.work.release()
    parcel, counted = tally_of(document, release)
    return page(
        visit,
        "judge.html",
        parcel=parcel,
        counted=counted,
        labels=labels_of(release.scheme),
        sealed=sealed,
        exercise=exercise,
    )


COLUMNS = ("month", "zone_id", "parcels", "stones", "carats", *CONCLUSIONS, NONE)
ROWS = 4
INCOMPLETE: Wording = (
    "Choose at least one source, give shares that add up to a hundred per cent, and say how it became known."
)


@Endpoint("GET", "/outcomes", "viewer", query=(BEFORE,), page=True, reveals=True)
def index_of_outcomes(visit: Visit) -> Response:
    """Show how conclusions stood up where the origin became known, with how little so few cases can say."""
    found = cases(visit.work)[::-1]
    start = visit.asked["before"] or 0
    return page(
        visit,
        "outcomes.html",
        found=found[start : start + ITEMS],
        further=start + ITEMS if len(found) > start + ITEMS else None,
        score=summary(found),
    )


@Endpoint("GET", "/comparisons/{id}/outcome", "monitor", page=True)
def ask_outcome(visit: Visit) -> Response:
    """Ask what became known of a comparison."""
    comparison_id = visit.path["id"]
    with reading(visit.work.engine) as connection:
        item = known(connection, comparison_id)
    zones = visit.work.release().zone_table.zones
    return page(visit, "outcome.html", item=item, rows=_rows_in(visit.form), zones=zones, unlisted=UNLISTED)


@Endpoint("POST", "/comparisons/{id}/outcome", "monitor", body=FORM, page=True)
def keep_outcome(visit: Visit) -> Response:
    """Keep what became known, and go on to the report."""
    comparison_id = visit.path["id"]
    rows, source = _rows_in(visit.form), text_of(visit.form, "source")
    origin = [{"zone_id": zone, "share": _share(percent)} for zone, percent in rows if zone or percent]
    if len(origin) == 1 and origin[0]["share"] is None:
        origin[0]["share"] = 1.0
    try:
        told = checked({"origin": origin, "source": source}, NewOutcome, table="form")
        tell_outcome(visit.work, comparison_id, **told, actor=visit.who.actor)
    except Refused as refused:
        if refused.code != "invalid_input":
            raise
        return again(visit, INCOMPLETE, ask_outcome)
    return moved_to(visit, f"/comparisons/{comparison_id}")


def _rows_in(form: FormData) -> list[tuple[str, str]]:
    """Return zones and per cent as they were chosen and written."""
    zones, percents = (texts_of(form, name) for name in ("zone", "percent"))
    rows = [
        (zone.strip(), percent.strip().removesuffix("%").strip())
        for zone, percent in zip_longest(zones, percents, fillvalue="")
    ]
    return [*rows, *[("", "")] * (ROWS - len(rows))]


def _share(percent: str) -> float | None:
    """Return per cent as they were written as a share, or None where they are no number."""
    given = number_given(percent) if percent else None
    return given / 100 if isinstance(given, int | float) else None


@Endpoint("GET", "/dashboard", "viewer", page=True, reveals=True)
def at_a_glance(visit: Visit) -> Response:
    """Show the register at a glance."""
    work = visit.work
    return page(
        visit,
        "dashboard.html",
        found=dashboard(work),
        kinds=CONCLUSIONS,
        nothing=NONE,
        per_shipments=PER_SHIPMENTS,
        as_of=today().isoformat(),
    )


@Endpoint("GET", "/dashboard.csv", "viewer", page=True, answer={"type": "string"}, media_type="text/csv", reveals=True)
def shipments(visit: Visit) -> Response:
    """Return shipments by month and zone as CSV."""
    lines = [csv_line(COLUMNS)]
    for item in dashboard(visit.work).months:
        counts = [item.conclusions.get(name, 0) for name in (*CONCLUSIONS, NONE)]
        lines.append(csv_line([item.month, item.zone_id, item.n_parcels, item.n_stones, item.carats, *counts]))
    headers = {"Content-Disposition": 'attachment; filename="shipments.csv"'}
    return Response("".join(f"{line}\r\n" for line in lines), media_type="text/csv; charset=utf-8", headers=headers)
