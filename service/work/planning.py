"""What comes before a comparison and after many: plans, the adequacy of references, parcels as one claim."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from kpfootprint.errors import Problem
from kpfootprint.ingest import ingest_json
from kpfootprint.parcel import Batch, Parcel
from kpfootprint.planning.answers import adequacy_answer, plan_answer, pool_answer
from kpfootprint.planning.sorters import sorters_answer, sortings_of
from kpfootprint.release import Release
from kpfootprint.report.planned import worded
from service.clock import today
from service.errors import existing, refusal_for
from service.register.comparisons import parcels_of, reports_of, sorted_by
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
    existing(zone in known, "zone with this id")
    return worded(adequacy_answer(zone, release, on or today()), known, lang)


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
    found, problems = [], []
    with reading(work.engine) as connection:
        documents, reports = parcels_of(connection, ids), reports_of(connection, ids)
    for row, comparison_id in enumerate(ids, 1):
        parcel, report = documents.get(comparison_id), reports.get(comparison_id)
        reason = "there is no comparison with this id" if parcel is None or report is None else None
        if comparison_id in ids[: row - 1]:
            reason = "this comparison was given before"
        if reason is not None:
            value = comparison_id[:80]
            problems.append(
                Problem(table="pool", row=row, column="comparisons", value=value, code="invalid", reason=reason)
            )
        elif parcel is not None and report is not None:
            read_back = ingest_json(parcel, release.scheme, release.zone_table, sealed=True)
            found.append((read_back, json.loads(report)))
    if problems:
        raise refusal_for(problems)
    return found
