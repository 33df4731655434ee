"""What comes before a comparison and after many: plans, the adequacy of references, parcels as one claim, drift."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from kpfootprint.comparison.results import ODD_WEIGHTS
from kpfootprint.errors import Problem
from kpfootprint.ingest import ingest_json
from kpfootprint.parcel import Batch, Parcel
from kpfootprint.planning.answers import Shipment, adequacy_answer, drift_answer, plan_answer, pool_answer
from kpfootprint.planning.sorters import sorters_answer, sortings_of
from kpfootprint.release import Release
from kpfootprint.report.planned_sentences import worded
from service import Wording
from service.clock import today, written
from service.errors import Refused, existing, refusal_for
from service.register.comparisons import Search, page_of, parcels_of, reports_of, sorted_by
from service.register.database import reading
from service.work.place import Workplace

MOST_EARLIER = 200
"""Earlier sheets from which the scale between sorters is learnt."""


def planned(work: Workplace, question: Mapping[str, Any], on: date | None = None, lang: str = "en") -> dict[str, Any]:
    """Say how many stones and references it takes to find a share."""
    release = work.release()
    return worded(plan_answer(question, release, on or today()), release.zone_table.names, lang)


def judged(work: Workplace, zone: str, on: date | None = None, lang: str = "en") -> dict[str, Any]:
    """Say whether the references of a zone are enough."""
    release = work.release()
    known = release.zone_table.names
    existing(zone in known, "There is no zone with this id.")
    return worded(work.said_once(adequacy_answer, zone, on or today()), known, lang)


def pooled(work: Workplace, comparisons: Sequence[str], lang: str = "en") -> dict[str, Any]:
    """Weigh kept parcels as one claim."""
    release = work.release()
    parcels = [parcel for parcel, _ in _kept(work, comparisons, release)]
    return worded(pool_answer(Batch(tuple(parcels)), release, today()), release.zone_table.names, lang)


def sorted_again(
    work: Workplace, comparisons: Sequence[str], history: Sequence[str] | None = None, lang: str = "en"
) -> dict[str, Any]:
    """Set several sorters' kept sheets of one parcel side by side.

    Parameters
    ----------
    history : sequence of str or None
        Comparisons that tell how these sorters usually differ; None for the newest that the register has of them.
    """
    release = work.release()
    kept = _kept(work, comparisons, release)
    sortings = sortings_of(Batch(tuple(parcel for parcel, _ in kept)))
    if history is None:
        history = sorted_by(work.engine, [one.sorter for one in sortings], limit=MOST_EARLIER)
    earlier = sortings_of(Batch(tuple(parcel for parcel, _ in _kept(work, history, release))))
    answer = sorters_answer(sortings, [report for _, report in kept], earlier, release)
    return worded(answer, release.zone_table.names, lang)


def _kept(work: Workplace, ids: Sequence[str], release: Release) -> list[tuple[Parcel, dict[str, Any]]]:
    """Return kept parcels with their reports; every id that is not there, or there twice, is a problem."""
    found: list[tuple[Parcel, dict[str, Any]]] = []
    problems: list[Problem] = []
    with reading(work.engine) as connection:
        documents, reports = parcels_of(connection, ids), reports_of(connection, ids)
    for row, comparison_id in enumerate(ids, 1):
        twice, value = comparison_id in ids[: row - 1], comparison_id[:80]
        if twice or comparison_id not in documents:
            told: dict[str, Any] = {
                "table": "pool",
                "row": row,
                "column": "comparisons",
                "value": value,
                "code": "invalid",
            }
            problems.append(Problem(**told, reason=TWICE if twice else UNKNOWN))
            continue
        document = json.loads(documents[comparison_id])
        read_back = ingest_json(document, release.scheme, release.zone_table, sealed=True)
        found.append((read_back, json.loads(reports[comparison_id])))
    if problems:
        raise refusal_for(problems)
    return found


MOST_SHIPMENTS = 300
"""Of a series: the newest ones."""
UNKNOWN: Wording = "there is no comparison with this id"
TWICE: Wording = "this comparison was given before"
UNNAMED: Wording = "Name an exporter, a zone or both."
UNFIT = {"small_parcel", *ODD_WEIGHTS}
"""Cautions of parcels that no chart follows: too few stones, or a doubtful unit of weight, change everything."""
SPANNED = 3.29
"""Standard deviations that an interval at 90 % spans."""


def drifted(
    work: Workplace, *, exporter: str | None, zone: str | None, per_points: int, lang: str = "en"
) -> dict[str, Any]:
    """Follow the shipments of an exporter, of a declared zone, or of both at once, in the order of their export.

    A shipment without a day of export stands at the moment when it was compared.

    Raises
    ------
    Refused
        ``invalid_input`` where neither is named.
    """
    if exporter is None and zone is None:
        problem = Problem(table="query", column="exporter", code="missing", reason=UNNAMED)
        raise Refused("invalid_input", UNNAMED, problems=(problem,))
    release, zone = work.release(), work.origin(zone)
    found, _ = page_of(
        work.engine, before=None, limit=MOST_SHIPMENTS, search=Search(exporter=exporter, zone=zone, sort="-created_at")
    )
    with reading(work.engine) as connection:
        ids = [entry.id for entry in found]
        documents, reports = parcels_of(connection, ids), reports_of(connection, ids)
    followed: list[tuple[Parcel, Shipment]] = []
    for entry in reversed(found):
        document, content = json.loads(documents[entry.id]), json.loads(reports[entry.id])
        if not UNFIT.isdisjoint(caution["code"] for caution in content.get("cautions", ())):
            continue
        day = document.get("exported_on")
        mixture, carats = content["mixture"], content["parcel"]["carats"]
        share = None if mixture is None else mixture["undeclared_stone_fraction"]
        value = document.get("value_usd")
        followed.append(
            (
                ingest_json(document, release.scheme, release.zone_table, sealed=True),
                Shipment(
                    at=written(entry.created_at) if day is None else f"{day}T00:00:00Z",
                    comparison=f"/v1/comparisons/{entry.id}",
                    log10_lr=entry.log10_lr,
                    undeclared=None if share is None else share["estimate"],
                    undeclared_open=None if share is None else (share["high"] - share["low"]) / SPANNED,
                    value_per_carat=None if not value or not carats else value / carats,
                    conditions=document.get("conditions") or {},
                ),
            )
        )
    followed.sort(key=lambda pair: pair[1].at)
    batch, shipments = Batch(tuple(parcel for parcel, _ in followed)), [shipment for _, shipment in followed]
    answer = drift_answer(batch, shipments, release, per_shipments=per_points)
    return worded({"exporter": exporter, "zone_id": zone, **answer}, release.zone_table.names, lang)
