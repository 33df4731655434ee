"""Flags: what the register knows that a parcel does not say. They inform, and decide nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from kpfootprint.stats.intervals import next_value
from service.register import certificates, comparisons, earlier
from service.register.comparisons import Listed, certificate_key
from service.work.stones import LEAST_SHARED, StoneList, marks_of, most_alike, near, overlap, stones_in

SHOWN = 5
LOOKED_AT = 10
MOST_AT_HAND = 1_000_000
"""Stones of earlier lists that are kept at hand."""

TEXTS: Final[Mapping[str, str]] = {
    "certificate_reported": "Certificate {certificate_no} was reported as fraudulent by {reported_by}.",
    "certificate_seen_before": "Certificate {certificate_no} came before, with parcel {parcel_id}.",
    "stones_seen_before": "{percent} % of these stones seem to have come before, in parcel {parcel_id}.",
    "carats_above_history": (
        "{carats} ct of {zone_id} is more than {n} earlier parcels lead to expect: up to {high} ct (99 %)."
    ),
    "value_outside_history": (
        "{usd_per_ct} USD a carat is outside what {n} earlier parcels of {zone_id} lead to expect: "
        "{low} to {high} USD (98 %)."
    ),
    "declared_total_differs": "The declared zones add up to {declared} ct, the parcel to {parcel} ct.",
}
"""English messages of flags; the pages have them in other languages too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A parcel that was examined, with what flags are about."""

    content: Mapping[str, Any]
    document: Mapping[str, Any]
    submission_id: str | None = None


def flag(code: str, **values: Any) -> dict[str, Any]:
    """Return a flag with its text."""
    return {"code": code, "values": values, "text": TEXTS[code].format(**values)}


Histories = dict[str, list[tuple[float | None, float | None]]]
"""What was looked up of zones in a transaction, with the parcels that were kept in it."""


def flags_and_marks(
    connection: sa.Connection, seen: Seen, histories: Histories | None = None
) -> tuple[list[dict[str, Any]], list[int]]:
    """Return the flags of a parcel that is about to be kept, and the marks its stones are found again by.

    Parameters
    ----------
    histories : dict, optional
        One for all parcels that are kept in this transaction.
    """
    stones = stones_in(seen.document)
    marks = marks_of(stones)
    flags = [
        *_certificate(connection, seen),
        *_stones(connection, stones, marks),
        *_history(connection, seen, {} if histories is None else histories),
        *_total(seen),
    ]
    return flags, marks


def flags_now(connection: sa.Connection, listed: Iterable[Listed]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the flags of comparisons, by id: those they were kept with, and certificates that were reported since."""
    items = list(listed)
    keys = {item.id: certificate_key(item.certificate_no) for item in items if item.certificate_no}
    reported = certificates.reported(connection, keys.values())
    out: dict[str, list[Mapping[str, Any]]] = {}
    for item in items:
        out[item.id] = [*item.flags]
        found = reported.get(keys.get(item.id, ""))
        if found is not None and not any(one["code"] == "certificate_reported" for one in item.flags):
            out[item.id].insert(0, _reported(found))
    return out


def _reported(found: certificates.Reported) -> dict[str, Any]:
    return flag(
        "certificate_reported",
        certificate_no=found.certificate_no,
        reported_by=found.reported_by,
        reported_on=found.reported_on,
    )


def _certificate(connection: sa.Connection, seen: Seen) -> list[dict[str, Any]]:
    number = seen.document.get("certificate_no")
    key = certificate_key(number) if number else ""
    if not key:
        return []
    flags = [_reported(found) for found in certificates.reported(connection, [key]).values()]
    before = earlier.with_certificate(connection, key, seen.submission_id, SHOWN)
    if before:
        flags.append(
            flag(
                "certificate_seen_before",
                certificate_no=number,
                parcel_id=before[0].parcel_id,
                comparisons=_hrefs(before),
            )
        )
    return flags


def _stones(connection: sa.Connection, here: StoneList | None, marks: Sequence[int]) -> list[dict[str, Any]]:
    if here is None:
        return []
    shared = earlier.with_marks(connection, near([*marks]), min(LEAST_SHARED, len(marks)), LOOKED_AT)
    lists = [(item, there) for item in shared if (there := _earlier_list(connection, item.id)) is not None]
    for item, there in most_alike(here, lists):
        found = overlap(here, there)
        if found.seen:
            return [
                flag(
                    "stones_seen_before",
                    percent=round(100 * found.share),
                    parcel_id=item.parcel_id,
                    comparison=f"/v1/comparisons/{item.id}",
                    agreeing=found.agreeing,
                    by_chance=found.by_chance,
                )
            ]
    return []


_at_hand: dict[str, StoneList] = {}
"""Stone lists of comparisons, which never change, by id: the same ones are looked at over and over in a shipment."""


def _earlier_list(connection: sa.Connection, comparison_id: str) -> StoneList | None:
    found = _at_hand.get(comparison_id)
    if found is None:
        found = stones_in(comparisons.parcel_of(connection, comparison_id) or {})
        if sum(len(listed.weights) for listed in _at_hand.values()) > MOST_AT_HAND:
            _at_hand.clear()
        if found is not None:
            _at_hand[comparison_id] = found
    return found


def _history(connection: sa.Connection, seen: Seen, histories: Histories) -> list[dict[str, Any]]:
    flags: list[dict[str, Any]] = []
    parcel, value = seen.content["parcel"], seen.document.get("value_usd")
    declared = parcel["declared"]
    per_carat = value / parcel["carats"] if value and parcel["carats"] else None
    for item in declared:
        zone_id = item["zone_id"]
        if zone_id not in histories:
            histories[zone_id] = earlier.history_of_zone(connection, zone_id)
        carats, values = (
            [one for one in found if one] for found in zip(*histories[zone_id] or [(None, None)], strict=True)
        )
        weight = item["carats"] or (parcel["carats"] if len(declared) == 1 else None)
        if weight and (bounds := next_value(carats)) is not None and weight > bounds[1]:
            told = {"zone_id": zone_id, "carats": round(weight, 2), "n": len(carats)}
            flags.append(flag("carats_above_history", **told, high=round(bounds[1], 2)))
        if per_carat and (bounds := next_value(values)) is not None and not bounds[0] <= per_carat <= bounds[1]:
            told = {"zone_id": zone_id, "usd_per_ct": round(per_carat, 2), "n": len(values)}
            flags.append(flag("value_outside_history", **told, low=round(bounds[0], 2), high=round(bounds[1], 2)))
        kept = (item["carats"] or parcel["carats"], per_carat)
        histories[zone_id] = [kept, *histories[zone_id]][: earlier.NEWEST]
    return flags


def _total(seen: Seen) -> list[dict[str, Any]]:
    return [
        flag("declared_total_differs", **{name: round(value, 2) for name, value in caution["values"].items()})
        for caution in seen.content["cautions"]
        if caution["code"] == "declared_carats_differ"
    ]


def _hrefs(before: Sequence[earlier.Earlier]) -> list[str]:
    return [f"/v1/comparisons/{item.id}" for item in before]
