"""What a valid package leaves in doubt: said before anything is learnt from it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np

from kpfootprint.ingest.words import condition_values
from kpfootprint.parcel import FACTORS
from kpfootprint.reference import ReferencePackage
from kpfootprint.stats.arrays import Ints

UNIT, UNIT_STONES, UNIT_PARCELS = 4.0, 10, 3
"""How many times lighter or heavier than usual is far, for parcels of so many stones in zones of so many parcels."""
FEW, SHOWN = 0.05, 10
"""Share of stones that may lie below all size classes without a word; names that are told."""
Remark = dict[str, Any]
"""A code with its values, which `kpfootprint.report.problems` puts into words."""


def remarks(package: ReferencePackage, minimum_parcels: int, *, today: date | None = None) -> list[Remark]:
    """Return what is in doubt: zones left out or without status, confounded conditions, days, classes that say nothing.

    Parameters
    ----------
    today : date, optional
        Parcels collected after it are told.
    """
    found = [*_few(package, minimum_parcels), *_statuses(package), *_confounded(package), *_days(package, today)]
    found += [*_own_conditions(package), *_sizes(package), *_classes(package)]
    if package.unread:  # columns of the stones that are neither a weight nor an attribute
        found.append(_remark("unread", names=list(package.unread[:SHOWN])))
    return found


def _remark(code: str, **values: str | int | float | list[str]) -> Remark:
    return {"code": code, "values": values}


def _few(package: ReferencePackage, minimum_parcels: int) -> Iterator[Remark]:
    for zone, count in sorted(Counter(package.zone_of).items()):
        if count < minimum_parcels:
            yield _remark("few_parcels", zone=zone, least=minimum_parcels)


def _statuses(package: ReferencePackage) -> Iterator[Remark]:
    """Give the zones that have no status on any day though others of their country have one; all, where none has.

    Such a zone counts as not compliant, as one abroad does, to which the rule of compliant zones does not apply.
    """
    zones = package.zone_table.zones
    covered = {period.zone_id for period in package.zone_table.periods}
    if not covered:
        yield _remark("no_status")
    ruled = {zone.country for zone in zones if zone.zone_id in covered}
    if bare := [zone.zone_id for zone in zones if zone.country in ruled and zone.zone_id not in covered]:
        yield _remark("zone_without_status", names=bare[:SHOWN])


def _confounded(package: ReferencePackage) -> Iterator[Remark]:
    """Give the conditions each of whose values stands for one zone: nobody can tell the two apart."""
    for factor in FACTORS:
        zones: dict[str, set[str]] = {}
        for parcel, zone in zip(package.batch, package.zone_of, strict=True):
            if (value := getattr(parcel.conditions, factor)) is not None:
                zones.setdefault(value, set()).add(zone)
        if len(zones) > 1 and len(set().union(*zones.values())) > 1 and all(len(of) == 1 for of in zones.values()):
            yield _remark("confounded", factor=factor)


def _own_conditions(package: ReferencePackage) -> Iterator[Remark]:
    """Give the words for conditions that stand for none of those which are known: each counts as one of its own."""
    for factor in FACTORS:
        given = {value for parcel in package.batch if (value := getattr(parcel.conditions, factor)) is not None}
        known = set(filter(None, condition_values(factor).values()))
        if known and (own := sorted(given - known)):
            yield _remark("own_condition", factor=factor, names=own[:SHOWN], known=sorted(known))


def _days(package: ReferencePackage, today: date | None) -> Iterator[Remark]:
    days = [day for day in package.collected_on if day is not None]
    named = zip(package.batch, package.collected_on, strict=True)
    if late := [parcel.parcel_id for parcel, day in named if today is not None and day is not None and day > today]:
        assert today is not None
        yield _remark("late_days", day=today.isoformat(), n=len(late), names=late[:SHOWN])
    if not days:
        yield _remark("no_days")
    elif len(set(days)) == 1 < len(days):
        yield _remark("one_day", day=days[0].isoformat())


def _sizes(package: ReferencePackage) -> Iterator[Remark]:
    """Say where all stones weigh the same, parcels seem to be in another unit, or many stones lie below all sizes.

    The usual stone of a parcel in grams is far lighter than in other parcels of its zone.
    """
    every = np.concatenate([parcel.stone_list.weight_ct for parcel in package.batch])
    if np.ptp(every) == 0:
        yield _remark("one_weight", weight=f"{every[0]:g}")
    usual: dict[str, dict[str, float]] = {}
    for parcel, zone in zip(package.batch, package.zone_of, strict=True):
        if parcel.n_stones >= UNIT_STONES:
            usual.setdefault(zone, {})[parcel.parcel_id] = float(np.median(parcel.stone_list.weight_ct))
    for zone, weights in sorted(usual.items()):
        middle = float(np.median(list(weights.values())))
        odd = [name for name, weight in weights.items() if not middle / UNIT < weight < middle * UNIT]
        if odd and len(weights) >= UNIT_PARCELS:
            yield _remark("other_unit", zone=zone, names=odd[:SHOWN])
    first = package.scheme.size.sieve_set.lower_ct[0]
    share = float(np.mean(every < first))
    if share > FEW:
        yield _remark("below_sizes", percent=share, edge=f"{first:g}")


def _classes(package: ReferencePackage) -> Iterator[Remark]:
    for attribute in package.scheme.categorical:
        names = [item.name for item in attribute.classes]
        counts: defaultdict[str, Ints] = defaultdict(np.zeros(len(names), np.intp).copy)
        for parcel, zone in zip(package.batch, package.zone_of, strict=True):
            codes = parcel.stone_list.codes.get(attribute.name)
            if codes is not None:
                exact = codes[(codes >= 0) & (codes < len(names))]
                counts[zone] += np.bincount(exact, minlength=len(names))
        total = sum(counts.values(), np.zeros(len(names), np.intp))
        unseen = [name for name, count in zip(names, total.tolist(), strict=True) if count == 0]
        if unseen:
            yield _remark("unseen", attribute=attribute.name, names=unseen)
        for zone, count in counts.items():
            if count.sum() and count.max() == count.sum() and np.count_nonzero(total) > 1:
                yield _remark("one_class", zone=zone, attribute=attribute.name, names=[names[int(count.argmax())]])
        without = [zone for zone in sorted(set(package.zone_of)) if not counts[zone].any()]
        if without:
            yield _remark("not_recorded", attribute=attribute.name, names=without)
