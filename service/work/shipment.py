"""A submission as people look at it, its parcels beside their reports, its flags, its history; and what they decide."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from service.errors import Refused, existing
from service.register import comparisons, entries, submissions
from service.register.comparisons import Listed
from service.register.database import reading, registering
from service.register.entries import Entry
from service.register.people import Principal
from service.register.submissions import Submission
from service.work.flags import flags_now
from service.work.kept import sealed_from, without_result
from service.work.place import Workplace


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentParcel:
    """A parcel of a shipment."""

    parcel_id: str
    declared: tuple[str, ...]
    comparison: Listed | None
    flags: Sequence[Mapping[str, Any]]
    problems: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """A submission with everything about it.

    `has_stopped` says whether comparing ended before its end, `moment` when it was looked at.
    """

    submission: Submission
    has_stopped: bool
    moment: datetime
    parcels: tuple[ShipmentParcel, ...]
    flags: tuple[Mapping[str, Any], ...]
    history: tuple[Entry, ...]

    @property
    def decision(self) -> Entry | None:
        """The decision that holds, or None before the first."""
        return next((entry for entry in reversed(self.history) if entry.kind == "decision"), None)

    @property
    def figures(self) -> dict[str, float | None]:
        """The figures that statistics of shipments look at: volume, mean stone weight, value per carat."""
        found = [parcel.comparison for parcel in self.parcels if parcel.comparison is not None]
        n_stones = sum(item.n_stones or 0 for item in found)
        carats = sum(item.carats or 0 for item in found)
        value = sum(item.value_usd or 0 for item in found)
        valued = sum(item.carats or 0 for item in found if item.value_usd)
        return {
            "n_stones": n_stones or None,
            "carats": round(carats, 2) or None,
            "mean_ct": round(carats / n_stones, 4) if carats and n_stones else None,
            "value_usd": round(value, 2) or None,
            "usd_per_ct": round(value / valued, 2) if value and valued else None,
        }


def shipment_of(work: Workplace, submission_id: str, who: Principal) -> Shipment:
    """Return a submission with everything about it that somebody may see."""
    with reading(work.engine) as connection:
        submission = _known(connection, submission_id)
        rows = submissions.rows_of(connection, submission_id, "parcel_id", "declared", "problems", "comparison_id")
        ids = [row["comparison_id"] for row in rows if row["comparison_id"] is not None]
        listed = comparisons.several(connection, ids)
        flags = flags_now(connection, listed.values())
        has_stopped = submissions.has_stopped(connection, submission)
        moment = entries.time_of_register(connection)
        history = tuple(entries.about(connection, submission_id))
    sealed = sealed_from(work, who, ids)
    seen = {one: without_result(item, sealed) for one, item in listed.items()}
    parcels = tuple(
        ShipmentParcel(
            parcel_id=row["parcel_id"],
            declared=tuple(row["declared"].split()),
            comparison=seen.get(row["comparison_id"]),
            flags=flags.get(row["comparison_id"], ()),
            problems=json.loads(row["problems"]),
        )
        for row in rows
    )
    return Shipment(
        submission=submission,
        has_stopped=has_stopped,
        moment=moment,
        parcels=parcels,
        flags=tuple(_together(parcels)),
        history=history,
    )


def _together(parcels: Sequence[ShipmentParcel]) -> list[dict[str, Any]]:
    """Return the flags of a shipment: each that one of its parcels has, with that parcel's name."""
    return [
        {
            "code": flag["code"],
            "values": {"parcel_id": parcel.parcel_id, **flag["values"]},
            "text": f"{parcel.parcel_id}: {flag['text']}",
        }
        for parcel in parcels
        for flag in parcel.flags
    ]


def decide(
    work: Workplace, submission_id: str, *, decision: str, note: str = "", actor: str, n_seen: int | None = None
) -> bool:
    """Keep a decision; an earlier one stays in the history.

    Nothing is kept, and False returned, where there are more or fewer earlier ones than the `n_seen` that were seen.
    """
    with registering(work.engine) as connection:
        n_decisions = sum(entry.kind == "decision" for entry in entries.about(connection, submission_id))
        if n_seen not in (None, n_decisions):
            return False
        if not submissions.decide(connection, _known(connection, submission_id), decision, note, actor):
            raise Refused("conflict", "Only a submission that was compared can be decided; this one still waits.")
    return True


def compare_again(work: Workplace, submission_id: str, *, actor: str) -> str:
    """Have a submission compared further whose comparing was cancelled, or failed; return the job."""
    with registering(work.engine) as connection:
        submission = _known(connection, submission_id)
        if not submissions.has_stopped(connection, submission):
            raise Refused("conflict", "Nothing of this submission was left: it waits, is compared, or was decided.")
        return submissions.resume(connection, submission, actor)


def _known(connection: sa.Connection, submission_id: str) -> Submission:
    return existing(submissions.submission_of(connection, submission_id), "There is no submission with this id.")
