"""A small invented reference: three zones that differ, made without any of the project's models."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from kpfootprint.parcel import Batch, Parcel, Stones
from kpfootprint.reference import ReferencePackage, StatusPeriod, Zone, ZoneTable
from kpfootprint.scheme import Attribute, AttributeClass, Scheme, SieveSet, SizeAttribute

EDGES = (0.0, 0.1, 0.2, 0.4, 0.8, 1.6)
SIEVE = SieveSet(name="test", classes=tuple("abcdef"), lower_ct=EDGES, upper_ct=(*EDGES[1:], float("inf")))
SCHEME = Scheme(
    size=SizeAttribute(name="size", column="weight_ct", labels={"en": "size"}, synonyms=(), sieve_set=SIEVE),
    categorical=tuple(
        Attribute(
            name=name,
            column=name,
            labels={"en": name},
            synonyms=(),
            classes=tuple(AttributeClass(name=c, labels={"en": c}) for c in classes),
        )
        for name, classes in (("colour", ("white", "brown", "yellow")), ("morphology", ("whole", "broken")))
    ),
    sieve_sets=(SIEVE,),
)
ZONES = ("east", "north", "west")


def make_parcel(zone: float, *, name: str, n: int, rng: np.random.Generator, drift: float = 0.15) -> Parcel:
    """Draw a parcel: every zone has its own sizes, colours and habits, and parcels of a zone drift."""
    weight = np.maximum(np.exp(rng.normal(-1.6 + 0.4 * zone + drift * rng.normal(), 0.8, n)), 0.01)
    colour = np.array([0.5 - 0.15 * zone, 0.3, 0.2 + 0.15 * zone]) * np.exp(drift * rng.normal(size=3))
    habit = np.array([0.4 + 0.15 * zone, 0.6 - 0.15 * zone]) * np.exp(drift * rng.normal(size=2))
    codes = {
        "colour": rng.choice(3, n, p=colour / colour.sum()).astype(np.int16),
        "morphology": rng.choice(2, n, p=habit / habit.sum()).astype(np.int16),
    }
    stones = Stones(weight_ct=weight.round(2), codes=codes)
    return Parcel(parcel_id=name, n_stones=n, carats=float(stones.weight_ct.sum()), stones=stones)


def make_package(
    *, zones: tuple[str, ...] = ZONES, n_each: int = 12, n_stones: int = 200, seed: int = 5
) -> ReferencePackage:
    """Make a package in which *west* was compliant from 2016 on and the others never."""
    rng = np.random.default_rng(seed)
    zone_of = tuple(zone for zone in zones for _ in range(n_each))
    parcels = tuple(
        make_parcel(
            2 * zones.index(zone) / (len(zones) - 1),
            name=f"P{i:03}",
            n=int(rng.integers(n_stones // 2, 2 * n_stones)),
            rng=rng,
        )
        for i, zone in enumerate(zone_of)
    )
    start = date(2016, 1, 1)
    return ReferencePackage(
        name="test",
        version="1",
        sha256="0" * 64,
        synthetic=True,
        scheme=SCHEME,
        zone_table=ZoneTable(
            zones=tuple(Zone(zone_id=z, name=z, country="CF", region=z) for z in zones),
            periods=(
                StatusPeriod(zone_id="west", status="compliant", valid_from=start, valid_to=None, source="test"),
                StatusPeriod(zone_id="north", status="suspended", valid_from=start, valid_to=None, source="test"),
            ),
        ),
        batch=Batch(parcels),
        zone_of=zone_of,
        collected_on=tuple(start + timedelta(days=40 * (i % n_each)) for i in range(len(parcels))),
    )
