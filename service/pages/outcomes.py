"""The pages of what became known later: told of one comparison, and how conclusions stood up over all of them."""

from __future__ import annotations

from itertools import zip_longest

from starlette.datastructures import FormData
from starlette.responses import Response

from kpfootprint.conclusions import CONCLUSIONS
from kpfootprint.ingest import number_given
from kpfootprint.planning.drift import PER_SHIPMENTS
from kpfootprint.visible import csv_line
from service import Wording
from service.clock import today
from service.door.bodies import checked, text_of, texts_of
from service.door.endpoint import FORM, Endpoint, Visit
from service.errors import Refused
from service.pages.render import ITEMS, again, moved_to, page
from service.register.database import reading
from service.routes.paging import BEFORE
from service.routes.shapes_of_cases import NewOutcome
from service.work.dashboard import NONE, dashboard
from service.work.kept import known
from service.work.outcomes import UNLISTED, cases, summary, tell_outcome

COLUMNS = ("month", "zone_id", "parcels", "stones", "carats", *CONCLUSIONS, NONE)
ROWS = 4
INCOMPLETE: Wording = (
    "Choose at least one source, give shares that add up to a hundred per cent, and say how it became known."
)


@Endpoint("GET", "/outcomes", "viewer", query=(BEFORE,), page=True, reveals=True)
def index(visit: Visit) -> Response:
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
def ask(visit: Visit) -> Response:
    """Ask what became known of a comparison."""
    comparison_id = visit.path["id"]
    with reading(visit.work.engine) as connection:
        item = known(connection, comparison_id)
    zones = visit.work.release().zone_table.zones
    return page(visit, "outcome.html", item=item, rows=_rows_in(visit.form), zones=zones, unlisted=UNLISTED)


@Endpoint("POST", "/comparisons/{id}/outcome", "monitor", body=FORM, page=True)
def keep(visit: Visit) -> Response:
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
        return again(visit, INCOMPLETE, ask)
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
