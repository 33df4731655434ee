"""Flags: what the register knows that a parcel does not say. They inform, and decide nothing."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from kpfootprint.stats.intervals import next_value
from service import Wordings
from service.register import comparisons, earlier
from service.register.comparisons import Examined, Listed, certificate_key
from service.register.earlier import Earlier
from service.work.stones import LEAST_SHARED, StoneList, marks_of, most_alike, near, overlap, stones_in

SHOWN = 5
LOOKED_AT = 10
MOST_AT_HAND = 1_000_000
"""Stones of earlier lists that are kept at hand."""

TEXTS: Wordings = {
    "certificate_reported": "Certificate {certificate_no} was reported as fraudulent by {reported_by}.",
    "certificate_seen_before": "Certificate {certificate_no} came before, with parcel {parcel_id}.",
    "stones_seen_before": "{percent}% of these stones seem to have come before, in parcel {parcel_id}.",
    "carats_above_history": (
        "{carats} ct of {zone_id} is more than {n} earlier parcels lead to expect: up to {high} ct (99%)."
    ),
    "value_outside_history": (
        "{usd_per_ct} USD a carat is outside what {n} earlier parcels of {zone_id} lead to expect: "
        "{low} to {high} USD (98%)."
    ),
    "declared_total_differs": "The declared zones add up to {declared} ct, the parcel to {parcel} ct.",
}
"""English messages of flags; the pages have them in other languages too."""


def flag(code: str, **values: Any) -> dict[str, Any]:
    """Return a flag with its text."""
    return {"code": code, "values": values, "text": TEXTS[code].format(**values)}


Histories = dict[str, list[tuple[float | None, float | None]]]
"""What was looked up of zones in a transaction, with the parcels that are kept in it."""


def flagged(connection: sa.Connection, examined: Sequence[Examined]) -> list[Examined]:
    """Return parcels that are about to be kept with their flags, and with the marks their stones are found again by."""
    lists = [stones_in(one.document) for one in examined]
    marks = [marks_of(listed) for listed in lists]
    histories: Histories = {}
    stones = _stones(connection, examined, lists, marks)
    return [
        replace(
            one,
            flags=[*_certificate(connection, one), *before, *_history(connection, one, histories), *_total(one)],
            marks=own,
        )
        for one, before, own in zip(examined, stones, marks, strict=True)
    ]


def flags_now(connection: sa.Connection, listed: Iterable[Listed]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the flags of comparisons, by id: those they were kept with, and certificates that were reported since."""
    items = list(listed)
    keys = {item.id: certificate_key(item.certificate_no) for item in items if item.certificate_no}
    reported = earlier.reported(connection, keys.values())
    out: dict[str, list[Mapping[str, Any]]] = {}
    for item in items:
        out[item.id] = [*item.flags]
        found = reported.get(keys.get(item.id, ""))
        if found is not None and not any(one["code"] == "certificate_reported" for one in item.flags):
            out[item.id].insert(0, _reported(found))
    return out


def _reported(found: earlier.Reported) -> dict[str, Any]:
    return flag(
        "certificate_reported",
        certificate_no=found.certificate_no,
        reported_by=found.reported_by,
        reported_on=found.reported_on,
    )


def _certificate(connection: sa.Connection, seen: Examined) -> list[dict[str, Any]]:
    number = seen.document.get("certificate_no")
    key = certificate_key(number) if number else ""
    if not key:
        return []
    flags = [_reported(found) for found in earlier.reported(connection, [key]).values()]
    before = earlier.with_certificate(connection, key, seen.submission_id, SHOWN)
    if before:
        flags.append(
            flag(
                "certificate_seen_before",
                certificate_no=number,
                parcel_id=before[0].parcel_id,
                comparisons=[f"/v1/comparisons/{item.id}" for item in before],
            )
        )
    return flags


def _stones(
    connection: sa.Connection,
    examined: Sequence[Examined],
    lists: Sequence[StoneList | None],
    marks: Sequence[Sequence[int]],
) -> list[list[dict[str, Any]]]:
    """Return the flag of each parcel whose stones came before: in the register, or earlier among these parcels."""
    wide = [near([*own]) for own in marks]
    least = [min(LEAST_SHARED, len(own)) for own in marks]
    shared = earlier.with_marks(connection, wide, least, LOOKED_AT)
    for number, own in enumerate(map(set, wide)):
        for before, one in enumerate(examined[:number] if own else ()):
            if (n_shared := len(own.intersection(marks[before]))) >= least[number]:
                parcel_id = one.content["parcel"]["parcel_id"]
                shared[number].insert(0, (n_shared, Earlier(id=one.id, parcel_id=parcel_id)))
    likely = [
        [item for _, item in sorted(found, key=lambda one: -one[0])[:LOOKED_AT]]  # of as many marks the newest first
        for found in shared
    ]
    ids = {item.id for found in likely for item in found}
    known = _earlier_lists(
        connection, ids, {one.id: here for one, here in zip(examined, lists, strict=True) if here is not None}
    )
    return [
        [] if here is None else _seen_before(here, [(item, known[item.id]) for item in found if item.id in known])
        for here, found in zip(lists, likely, strict=True)
    ]


def _seen_before(here: StoneList, lists: Sequence[tuple[Earlier, StoneList]]) -> list[dict[str, Any]]:
    laid = [(overlap(here, there), item) for item, there in most_alike(here, lists)]
    seen = [one for one in laid if one[0].seen]
    if not seen:
        return []
    found, item = max(seen, key=lambda one: one[0].share)  # of as large a part the likeliest
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


_at_hand: dict[str, StoneList] = {}
"""Stone lists of comparisons, which never change, by id: the same ones are looked at over and over in a shipment."""


def _earlier_lists(
    connection: sa.Connection, ids: Collection[str], new: Mapping[str, StoneList]
) -> dict[str, StoneList]:
    if sum(len(listed.weights) for listed in [*_at_hand.values()]) > MOST_AT_HAND:
        _at_hand.clear()
    known = {one: listed for one in ids if (listed := new.get(one) or _at_hand.get(one)) is not None}
    documents = comparisons.parcels_of(connection, [one for one in ids if one not in known])
    known |= {
        one: listed for one, document in documents.items() if (listed := stones_in(json.loads(document))) is not None
    }
    _at_hand.update(known)
    _at_hand.update(new)
    return known


def _history(connection: sa.Connection, seen: Examined, histories: Histories) -> list[dict[str, Any]]:
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


def _total(seen: Examined) -> list[dict[str, Any]]:
    return [
        flag("declared_total_differs", **{name: round(value, 2) for name, value in caution["values"].items()})
        for caution in seen.content["cautions"]
        if caution["code"] == "declared_carats_differ"
    ]
