"""Blends of parcels of two declared zones, whole and with undeclared goods in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kpfootprint.comparison.results import Examination
from kpfootprint.parcel import Batch, Declaration, Parcel
from kpfootprint.reference import ReferencePackage
from kpfootprint.stats.arrays import Bools, Ints
from training.evaluate.decisions import FOUND_P, blend_results
from training.evaluate.examined import Refits, shares_of
from training.evaluate.methods import n_stones_of, zone_codes, zones_of
from training.evaluate.mixtures import Mixtures, answered, coverage_cells, detection_cells, prepared_alike
from training.evaluate.stress import mix, together, with_stones
from training.evaluate.trials import ExportDay
from training.record import CoverageCell, DetectionCell, Result

SHARES = (0.0, 0.1, 0.3, 0.5)
SIZES = (300, 800)


def blend_of(
    package: ReferencePackage, pair: tuple[int, int], n_stones: tuple[int, int], *, rng: np.random.Generator
) -> Parcel:
    """Draw stones of the two parcels at `pair`, and declare the zones of both with the drawn carats."""
    parcels = [package.batch.parcels[position] for position in pair]
    halves = [mix(item, item, 0.0, n, rng=rng) for item, n in zip(parcels, n_stones, strict=True)]
    declared = tuple(
        Declaration(zone_id=package.zone_of[position], carats=half.carats)
        for position, half in zip(pair, halves, strict=True)
    )
    return replace(with_stones(parcels[0], together(*halves)), declarations=declared)


def virtual_blends(
    package: ReferencePackage, which: Ints, zones: Sequence[str], n: int, *, rng: np.random.Generator
) -> Batch:
    """Blend pairs of parcels of two of `zones` and declare both with their true carats: nothing is undeclared.

    Parameters
    ----------
    which : ndarray of int
        Positions of the parcels to blend.
    zones : sequence of str
        Zones to take parcels of (those compliant on a day, say), two or more of which `which` has parcels.
    n : int
        Blends.
    """
    usable, sizes = _usable(package, which, zones), n_stones_of(package.batch)
    made = []
    for k in range(n):
        first, second = _pair(package, usable, rng)
        share = float(rng.uniform(0.15, 0.85))
        n_stones = int(np.clip(np.exp(rng.normal(np.log(500), 0.7)), 60, 3000))
        n_stones = min(n_stones, int(sizes[first] / (1.0 - share)), int(sizes[second] / share))  # no stone twice
        if n_stones < 2:  # parcels of a stone or two make no blend
            continue
        n_second = min(max(round(share * n_stones), 1), n_stones - 1)
        blend = blend_of(package, (first, second), (n_stones - n_second, n_second), rng=rng)
        made.append(replace(blend, parcel_id=f"blend-{k:04}"))
    return Batch(tuple(made))


def mixed_blends(
    package: ReferencePackage, which: Ints, day: ExportDay, n_each: int, *, rng: np.random.Generator
) -> Mixtures:
    """Put goods of zones that were not compliant on a day into blends of two that were, at every share and size.

    No stone is drawn twice; what cannot be had of the parcels at hand is left out.
    """
    zones, codes, sizes = zones_of(package), zone_codes(package), n_stones_of(package.batch)
    usable = _usable(package, which, [zone for zone, yes in zip(zones, day.compliant, strict=True) if yes])
    elsewhere = which[~day.compliant[codes[which]]]
    made, rows = [], []
    for share in SHARES:
        for n_stones in SIZES:
            for _ in range(n_each):
                first, second = _pair(package, usable, rng)
                n_foreign = round(share * n_stones)
                n_second = round(float(rng.uniform(0.2, 0.8)) * (n_stones - n_foreign))
                n_first = n_stones - n_foreign - n_second
                enough = elsewhere[sizes[elsewhere] >= n_foreign]
                if sizes[first] < n_first or sizes[second] < n_second or enough.size == 0:
                    continue
                foreign = prepared_alike(package, first, enough, rng)
                parcel = blend_of(package, (first, second), (n_first, n_second), rng=rng)
                if n_foreign:
                    other = package.batch.parcels[foreign]
                    parcel = with_stones(parcel, together(parcel, mix(other, other, 0.0, n_foreign, rng=rng)))
                made.append(replace(parcel, exported_on=day.day))
                rows.append((codes[first], codes[foreign], first, n_stones, n_foreign / n_stones))
    return Mixtures.of(made, rows)


def measure_blends(
    refits: Refits, days: tuple[ExportDay, ...], trusted: Bools, *, n_each: int, rng: np.random.Generator
) -> tuple[list[Result], list[CoverageCell], list[DetectionCell]]:
    """Examine blends of held-out parcels on the last day on which two zones or more were compliant and one was not.

    Parameters
    ----------
    trusted : ndarray of shape (n_parcels,), bool
        Parcels to blend.
    n_each : int
        True blends of each fold; mixed ones come a tenth as many for each share and size.
    """
    day = next((item for item in reversed(days) if 2 <= item.compliant.sum() < item.compliant.size), None)
    if day is None:
        return [], [], []
    package = refits.package
    compliant = [zone for zone, yes in zip(zones_of(package), day.compliant, strict=True) if yes]
    said: list[Examination] = []
    coverage: list[CoverageCell] = []
    detection: list[DetectionCell] = []
    for split, release in refits.parts:
        part = Refits(package, ((split, release),))
        which = split.test[trusted[split.test]]
        if len({package.zone_of[i] for i in which} & set(compliant)) < 2:
            continue
        true = virtual_blends(package, which, compliant, n_each, rng=rng)
        true = Batch(tuple(replace(parcel, exported_on=day.day) for parcel in true))
        said += part.examine(true, np.full(len(true), split.test[0]))
        mixed = mixed_blends(package, which, day, max(n_each // 10, 1), rng=rng)
        if not len(mixed.batch):
            continue
        mixed, shares = answered(mixed, shares_of(part.examine(mixed.batch, mixed.parcel)))
        coverage += coverage_cells(mixed, shares, kind="blend")
        detection += detection_cells(mixed, shares.p_value <= FOUND_P, kind="blend")
    return blend_results(said) if said else [], coverage, detection


def _usable(package: ReferencePackage, which: Ints, zones: Sequence[str]) -> list[int]:
    return [int(i) for i in which if package.zone_of[i] in set(zones)]


def _pair(package: ReferencePackage, usable: Sequence[int], rng: np.random.Generator) -> tuple[int, int]:
    first = int(rng.choice(usable))
    others = np.array([i for i in usable if package.zone_of[i] != package.zone_of[first]], dtype=np.intp)
    return first, prepared_alike(package, first, others, rng)
