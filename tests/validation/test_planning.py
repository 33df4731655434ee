"""Do planned chances agree with what virtual mixtures of held-out reference parcels give?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pytest

from kpfootprint.footprint import footprints_of
from kpfootprint.parcel import Batch, Conditions, Parcel, Stones
from kpfootprint.planning.answers import plan_answer
from kpfootprint.planning.trials import share_p_of
from kpfootprint.reference import ReferencePackage, shipped_reference
from kpfootprint.release import Release, load_release, shipped_release
from kpfootprint.stats.arrays import Bools, Ints
from kpfootprint.stats.intervals import clopper_pearson
from kpfootprint.stats.shares import NONE_P
from training.evaluate.examined import table_weight_of
from training.evaluate.mixtures import prepared_alike
from training.folds import fold_of_parcels, folds
from training.package import load_package
from training.prepare import fit_model, prepare

DAY = date(2024, 3, 11)
N_FOLDS, N_EACH = 5, 6
"""Folds of the reference parcels, and mixtures of each parcel of the declared zone."""
PAIRS = (("berberati", "bria"), ("carnot", "berberati"))
SIZES, SHARES = (150, 400, 900), (0.1, 0.2, 0.35, 0.5)


@dataclass(frozen=True, slots=True)
class World:
    """The shipped release, and for each fold what it would be without its parcels, and where these stand."""

    release: Release
    package: ReferencePackage
    folds: list[tuple[Release, Ints]]


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


@pytest.fixture(scope="module")
def world() -> World:
    """Learn sources, spread and tables anew without each fold; the networks stay as they are."""
    release, package = load_release(shipped_release()), load_package(shipped_reference())
    prepared, weight = prepare(package, minimum_parcels=3), table_weight_of(release)
    assert prepared.zone_ids == release.zone_ids
    parts = []
    for split in folds(fold_of_parcels(package.zone_of, n_folds=N_FOLDS, seed=2026)):
        found = fit_model(prepared, split.train, table_weight=weight)
        learnt = {name: getattr(found, name) for name in ("structure", "predictor", "tables", "bands")}
        parts.append((replace(release, model=replace(release.model, **learnt)), split.test))
    return World(release=release, package=package, folds=parts)


def limits(found: Bools, home: list[str], foreign: list[str]) -> tuple[float, float]:
    """Return limits of the rate: mixtures of one parcel are found alike, so parcels count and not mixtures alone."""
    counted, rate, variance = clopper_pearson(int(found.sum()), found.size), float(found.mean()), 0.0
    for names in (home, foreign):
        rates = [found[np.array(names) == name].mean() for name in sorted(set(names))]
        variance += float(np.var(rates, ddof=1)) / len(rates) if len(rates) > 1 else 0.0
    half = 2.0 * variance**0.5
    return min(counted.low, rate - half), max(counted.high, rate + half)


@pytest.mark.slow
@pytest.mark.parametrize(("declared", "against"), PAIRS)
def test_planned_chances_agree_with_virtual_mixtures(declared: str, against: str, world: World) -> None:
    said = []
    for share in SHARES:
        plan = plan_answer({"declared": [declared], "against": against, "share": share}, world.release, DAY)
        sizes = np.log([row["n_stones"] for row in plan["detection"]])
        for n_stones in SIZES:
            found, home, foreign = mixed_and_tried(world, declared, against, n_stones, share)
            low, high = (
                float(np.interp(np.log(n_stones), sizes, [row[name] for row in plan["detection"]]))
                for name in ("low", "high")
            )
            least, most = limits(found, home, foreign)
            if not (low <= most and least <= high):
                said.append(f"{share:.0%} of {n_stones}: {found.mean():.2f} found, planned {low:.2f} to {high:.2f}")
    # each within its interval of about 95 %: of twelve one may lie outside
    assert len(said) <= 1, said


def mixed_and_tried(
    world: World, declared: str, against: str, n_stones: int, share: float
) -> tuple[Bools, list[str], list[str]]:
    """Return which mixtures of held-out parcels are found, and the two parcels of each.

    Goods that are mixed are cleaned and sorted together, in a plan as here; else the cleaning would be found.
    """
    rng = np.random.default_rng([2026, n_stones, round(100 * share)])
    outcomes: list[Bools] = []
    home: list[str] = []
    foreign: list[str] = []
    parcels, zones = world.package.batch.parcels, world.package.zone_of
    for release, held_out in world.folds:
        own = [i for i in held_out if zones[i] == declared and parcels[i].n_stones >= n_stones * (1 - share)]
        other = np.array([i for i in held_out if zones[i] == against and parcels[i].n_stones >= n_stones * share])
        if not own or not other.size:
            continue
        positions = [(i, prepared_alike(world.package, i, other, rng)) for i in own for _ in range(N_EACH)]
        pairs = [(parcels[i], parcels[k]) for i, k in positions]
        drawn = tuple(mixture(one, two, n_stones, share, rng) for one, two in pairs)
        (prints,) = footprints_of(Batch(drawn), release.scheme, release.model.structure, release.level_names)
        said = np.tile(np.eye(len(release.zone_ids))[release.zone_ids.index(declared)], (len(drawn), 1))
        allowed = np.array([release.zone_table.status_on(zone, DAY) == "compliant" for zone in release.zone_ids])
        allowed[release.zone_ids.index(declared)] = True
        allowed[release.zone_ids.index(against)] = False
        outcomes.append(share_p_of(release, prints.arrays, said, allowed) <= NONE_P)
        home += [one.parcel_id for one, _ in pairs]
        foreign += [two.parcel_id for _, two in pairs]
    return np.concatenate(outcomes), home, foreign
