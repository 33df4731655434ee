"""What comes before a comparison and after many: plans, the adequacy of references, parcels as one claim."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from kpfootprint.errors import Problem
from kpfootprint.ingest import ingest_json
from kpfootprint.parcel import Batch
from kpfootprint.planning.answers import adequacy_answer, plan_answer, pool_answer
from kpfootprint.release import Release
from kpfootprint.report.planned import worded
from service.errors import Refused, refusal_for
from service.register import comparisons
from service.work.place import Workplace


def zone_names(release: Release) -> dict[str, str]:
    """Return the names of zones by id."""
    return {zone.zone_id: zone.name for zone in release.zone_table.zones}


def planned(work: Workplace, question: Mapping[str, Any], on: date, lang: str = "en") -> dict[str, Any]:
    """Say how many stones and references it takes to find a share."""
    release = work.release()
    return worded(plan_answer(question, release, on), zone_names(release), lang)


def judged(work: Workplace, zone: str, on: date, lang: str = "en") -> dict[str, Any]:
    """Say whether the references of a zone are enough."""
    release = work.release()
    known = zone_names(release)
    if zone not in known:
        raise Refused("not_found", "There is no zone with this id.")
    return worded(adequacy_answer(zone, release, on), known, lang)


def pooled(work: Workplace, ids: Sequence[str], on: date) -> dict[str, Any]:
    """Weigh kept parcels as one claim."""
    release = work.release()
    parcels, problems = [], []
    for row, comparison_id in enumerate(ids, 1):
        kept = comparisons.parcel_of(work.engine, comparison_id)
        reason = "there is no comparison with this id" if kept is None else None
        if comparison_id in ids[: row - 1]:
            reason = "this comparison was given before"
        if reason is not None:
            problems.append(
                Problem(
                    table="pool", row=row, column="comparisons", value=comparison_id[:80], code="invalid", reason=reason
                )
            )
        elif kept is not None:
            parcels.append(ingest_json(json.loads(kept), release.scheme, release.zone_table, sealed=True))
    if problems:
        raise refusal_for(problems)
    return worded(pool_answer(Batch(tuple(parcels)), release, on), zone_names(release))
