"""Do planned chances agree with what virtual mixtures of reference parcels give?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pytest

from kpfootprint.footprint import footprints_of
from kpfootprint.parcel import Batch, Conditions, Parcel, Stones
from kpfootprint.planning.answers import plan_answer
from kpfootprint.planning.trials import share_p_of
from kpfootprint.reference import shipped_reference
from kpfootprint.release import Release, load_release, shipped_release
from kpfootprint.stats.intervals import clopper_pearson
from kpfootprint.stats.shares import NONE_P
from training.package import load_package

DAY = date(2024, 3, 11)
N_MIXTURES = 120
HOME, FOREIGN = "berberati", "bria"


@dataclass(frozen=True, slots=True)
class World:
    """The shipped release and the reference parcels of each zone."""

    release: Release
    parcels: dict[str, list[Parcel]]


def mixture(home: Parcel, foreign: Parcel, n_stones: int, share: float, rng: np.random.Generator) -> Parcel:
    """Draw stones of two reference parcels, without putting any back."""
    n_foreign = round(n_stones * share)
    parts = []
    for parcel, n in ((home, n_stones - n_foreign), (foreign, n_foreign)):
        assert parcel.stones is not None
        rows = rng.choice(parcel.n_stones, n, replace=False)
        parts.append((parcel.stones.weight_ct[rows], {k: v[rows] for k, v in parcel.stones.codes.items()}))
    weight = np.concatenate([weights for weights, _ in parts])
    codes = {name: np.concatenate([part[name] for _, part in parts]) for name in parts[0][1]}
    return Parcel(
        parcel_id="mixture",
        n_stones=weight.size,
        carats=float(weight.sum()),
        conditions=Conditions(cleaning_state=home.conditions.cleaning_state),
        stones=Stones(weight_ct=weight, codes=codes),
    )


SIZES, SHARES = (150, 400, 900), (0.1, 0.2, 0.35, 0.5)
SLACK = 0.1
"""Sixteen foreign parcels are mixed again and again, so the count knows less than its own limits say."""


@pytest.fixture(scope="module")
def world() -> World:
    release, package = load_release(shipped_release()), load_package(shipped_reference())
    of = {
        zone: [p for p, z in zip(package.batch, package.zone_of, strict=True) if z == zone] for zone in release.zone_ids
    }
    return World(release=release, parcels=of)


@pytest.fixture(scope="module")
def plans(world: World) -> dict[float, list[dict[str, float]]]:
    question = {"declared": [HOME], "against": FOREIGN}
    return {share: plan_answer({**question, "share": share}, world.release, DAY)["detection"] for share in SHARES}


@pytest.mark.slow
@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("n_stones", SIZES)
def test_planned_chances_agree_with_virtual_mixtures(
    n_stones: int, share: float, world: World, plans: dict[float, list[dict[str, float]]]
) -> None:
    release, rng = world.release, np.random.default_rng([2026, n_stones, round(100 * share)])
    home, foreign = (
        [p for p in world.parcels[zone] if p.n_stones >= least]
        for zone, least in ((HOME, n_stones * (1 - share)), (FOREIGN, n_stones * share))
    )
    drawn = tuple(
        mixture(home[rng.integers(len(home))], foreign[rng.integers(len(foreign))], n_stones, share, rng)
        for _ in range(N_MIXTURES)
    )
    (prints,) = footprints_of(Batch(drawn), release.scheme, release.model.structure, release.level_names)
    declared = np.tile(np.eye(len(release.zone_ids))[release.zone_ids.index(HOME)], (N_MIXTURES, 1))
    allowed = np.array([release.zone_table.status_on(zone, DAY) == "compliant" for zone in release.zone_ids])
    found = int((share_p_of(release, prints.arrays, declared, allowed) <= NONE_P).sum())
    counted = clopper_pearson(found, N_MIXTURES)
    sizes = np.log([row["n_stones"] for row in plans[share]])
    low, high = (
        float(np.interp(np.log(n_stones), sizes, [row[name] for row in plans[share]])) for name in ("low", "high")
    )
    said = f"{found} of {N_MIXTURES} found, planned {low:.2f} to {high:.2f}"
    assert low - SLACK <= counted.high, said
    assert counted.low <= high + SLACK, said
