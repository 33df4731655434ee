"""Do planned chances agree with what virtual mixtures of reference parcels give?"""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from kpfootprint.footprint import footprints_of
from kpfootprint.parcel import Batch, Conditions, Parcel, Stones
from kpfootprint.planning.answers import plan_answer
from kpfootprint.planning.trials import outcomes_of
from kpfootprint.reference import shipped_reference
from kpfootprint.release import load_release, shipped_release
from kpfootprint.stats.intervals import clopper_pearson
from kpfootprint.stats.shares import NONE_P
from training.package import load_package

DAY = date(2024, 3, 11)
N_MIXTURES = 120


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


@pytest.mark.slow
@pytest.mark.parametrize(("n_stones", "share"), [(150, 0.2), (150, 0.5), (400, 0.2), (400, 0.5)])
def test_planned_chances_agree_with_virtual_mixtures(n_stones: int, share: float) -> None:
    release, package = load_release(shipped_release()), load_package(shipped_reference())
    rng = np.random.default_rng(2026)
    of = {
        zone: [p for p, z in zip(package.batch, package.zone_of, strict=True) if z == zone] for zone in release.zone_ids
    }
    enough = {zone: [p for p in parcels if p.n_stones >= n_stones] for zone, parcels in of.items()}
    home, foreign = enough["berberati"], enough["bria"]
    drawn = tuple(
        mixture(home[rng.integers(len(home))], foreign[rng.integers(len(foreign))], n_stones, share, rng)
        for _ in range(N_MIXTURES)
    )
    (prints,) = footprints_of(Batch(drawn), release.scheme, release.model.structure, release.level_names)
    declared = np.tile(np.eye(len(release.zone_ids))[release.zone_ids.index("berberati")], (N_MIXTURES, 1))
    allowed = np.array([release.zone_table.status_on(zone, DAY) == "compliant" for zone in release.zone_ids])
    outcomes = outcomes_of(release, prints.arrays, declared, allowed)
    found = int((outcomes.share_p <= NONE_P).sum())
    counted = clopper_pearson(found, N_MIXTURES)
    plan = plan_answer({"declared": ["berberati"], "against": "bria", "share": share}, release, DAY)
    sizes = np.log([row["n_stones"] for row in plan["detection"]])
    low, high = (
        float(np.interp(np.log(n_stones), sizes, [row[name] for row in plan["detection"]])) for name in ("low", "high")
    )
    # thirty and sixteen parcels are mixed again and again, so the count knows less than its own limits say
    slack = 0.1
    assert low - slack <= counted.high
    assert counted.low <= high + slack
