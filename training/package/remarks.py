"""What a valid package leaves in doubt: said before anything is learnt from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import numpy as np

from kpfootprint.reference import ReferencePackage

_FACTORS = {"sorter": "sorters", "cleaning_state": "cleaning", "selection": "selection"}


def remarks(package: ReferencePackage, minimum_parcels: int, *, today: date | None = None) -> list[str]:
    """Return a sentence for each doubt: zones left out, confounded conditions, days, classes that say nothing.

    Parameters
    ----------
    today : date, optional
        Parcels collected after it are told.
    """
    return [*_few(package, minimum_parcels), *_confounded(package), *_days(package, today), *_classes(package)]


def _few(package: ReferencePackage, minimum_parcels: int) -> Iterator[str]:
    for zone, count in _counted(package.zone_of).items():
        if count < minimum_parcels:
            yield f"{zone} has fewer than {minimum_parcels} parcels; it will not be among the sources"


def _confounded(package: ReferencePackage) -> Iterator[str]:
    """Give the conditions each of whose values stands for one zone: nobody can tell the two apart."""
    for factor, name in _FACTORS.items():
        zones: dict[str, set[str]] = {}
        for parcel, zone in zip(package.batch, package.zone_of, strict=True):
            if (value := getattr(parcel.conditions, factor)) is not None:
                zones.setdefault(value, set()).add(zone)
        if len(zones) > 1 and len(set().union(*zones.values())) > 1 and all(len(of) == 1 for of in zones.values()):
            yield (
                f"every {factor} has parcels of one zone only: what is taken for a difference between zones may be one "
                f"of {name}; let one {factor} have parcels of several zones"
            )


def _days(package: ReferencePackage, today: date | None) -> Iterator[str]:
    days = [day for day in package.collected_on if day is not None]
    late = 0 if today is None else sum(day > today for day in days)
    if late:
        yield f"{late} of the parcels: collected after {today}; correct collected_on"
    if not days:
        yield "no parcel says when it was collected: whether zones change with time cannot be seen"
    elif len(set(days)) == 1 < len(days):
        yield f"all parcels were collected on {days[0]}: whether zones change with time cannot be seen"


def _classes(package: ReferencePackage) -> Iterator[str]:
    for attribute in package.scheme.categorical:
        counts: dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]] = {}
        names = [item.name for item in attribute.classes]
        for parcel, zone in zip(package.batch, package.zone_of, strict=True):
            codes = None if parcel.stones is None else parcel.stones.codes.get(attribute.name)
            if codes is not None:
                exact = codes[(codes >= 0) & (codes < len(names))]
                counts[zone] = counts.get(zone, np.zeros(len(names), np.int64)) + np.bincount(
                    exact, minlength=len(names)
                )
        total = sum(counts.values(), np.zeros(len(names), np.int64))
        unseen = [name for name, count in zip(names, total.tolist(), strict=True) if count == 0]
        if unseen:
            yield f"no stone has the {attribute.name} {', '.join(unseen)}: parcels that show it will look strange"
        for zone, count in counts.items():
            if count.sum() and count.max() == count.sum() and np.count_nonzero(total) > 1:
                name = names[int(count.argmax())]
                yield f"all stones of {zone} have the {attribute.name} {name}: were they sorted by it?"
        without = [zone for zone in _counted(package.zone_of) if not counts.get(zone, np.zeros(1)).sum()]
        if without:
            yield f"{attribute.name} was recorded of no stone of {', '.join(without)}"


def _counted(zone_of: tuple[str, ...]) -> Mapping[str, int]:
    return {zone: zone_of.count(zone) for zone in sorted(set(zone_of))}
