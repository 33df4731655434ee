"""Decide on a submission, say what one thinks of a comparison, and what became known later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kpfootprint.errors import Problem
from service.errors import Refused, existing, refusal_for
from service.register import comparisons, entries, submissions
from service.register.database import registering
from service.register.entries import Entry
from service.register.people import Principal
from service.work.kept import sealed_from
from service.work.place import Workplace

SHARES_ADD_UP = 1e-6
UNLISTED = "unlisted"
"""Origin of a parcel from a source that the release does not list."""


def decide(work: Workplace, submission_id: str, *, decision: str, note: str = "", actor: str) -> None:
    """Keep a decision; an earlier one stays in the history."""
    with registering(work.engine) as connection:
        existing(submissions.submission_of(connection, submission_id), "submission with this id")
        if not submissions.decide(connection, submission_id, decision, note, actor):
            raise Refused("conflict", "Only a submission that was compared can be decided; this one still waits.")


def give_opinion(work: Workplace, comparison_id: str, *, conclusion: str, reasons: str, who: Principal) -> Entry:
    """Keep an expert's own conclusion beside the computed one, and whether the expert could not see that one before."""
    blind = bool(sealed_from(work, who, [comparison_id]))
    values = {"conclusion": conclusion, "reasons": reasons, "blind": blind}
    return _noted(work, comparison_id, "opinion", values, who.actor)


def tell_outcome(
    work: Workplace, comparison_id: str, *, origin: Sequence[Mapping[str, Any]], source: str, actor: str
) -> Entry:
    """Keep what became known later of where a parcel came from."""
    known = {zone.zone_id for zone in work.release().zone_table.zones}
    problems = [
        Problem(
            table="origin",
            row=row,
            column="zone_id",
            value=str(item["zone_id"])[:80],
            code="unknown_zone",
            reason="no zone of this release has this id",
        )
        for row, item in enumerate(origin, start=1)
        if item["zone_id"] not in known | {UNLISTED}
    ]
    total = sum(item["share"] for item in origin)
    if abs(total - 1) > SHARES_ADD_UP:
        reason = f"the shares add up to {total:g}, and must to 1"
        problems.append(Problem(table="origin", column="share", code="invalid", reason=reason))
    if problems:
        raise refusal_for(problems)
    values = {"origin": [dict(item) for item in origin], "source": source}
    return _noted(work, comparison_id, "outcome", values, actor)


def _noted(work: Workplace, comparison_id: str, kind: Any, values: Mapping[str, Any], actor: str) -> Entry:
    with registering(work.engine) as connection:
        existing(comparisons.listed(connection, comparison_id), "comparison with this id")
        return entries.append(connection, kind, actor=actor, subject=comparison_id, values=values)
