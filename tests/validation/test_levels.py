"""Do the stated levels hold on fresh parcels from the shipped model? Limits allow for chance at about 99 %."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import softmax

from kpfootprint.comparison.weigh import judge
from kpfootprint.reference import shipped_reference
from kpfootprint.stats.arrays import Bools, ParcelArrays
from kpfootprint.stats.intervals import clopper_pearson
from kpfootprint.stats.metrics import cllr, cllr_min
from kpfootprint.stats.model import look
from kpfootprint.stats.verification import LikelihoodRatio
from tests.worlds import draw_true, shipped
from training.package import load_package
from training.prepare import Fitted, Prepared, fit_model, prepare
from training.rank import BLEND, FALSE, LISTED, MIXED
from training.scenarios import Scenario, Truth
from training.simulate import Urn, simulate

pytestmark = pytest.mark.slow

N = 6000


@dataclass(frozen=True, slots=True)
class World:
    truth: Truth
    ln_n: NDArray[np.float64]
    p_value: NDArray[np.float64]
    as_declared_p: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    log10_lr: NDArray[np.float64]
    novelty_p: NDArray[np.float64]
    outside_set: NDArray[np.bool_]


def seen(arrays: ParcelArrays, truth: Truth) -> tuple[NDArray[Any], ...]:
    release, model = shipped(), shipped().model
    looked = look(model, arrays, truth.declared)
    judged = judge(release, looked, truth.allowed)
    shares = judged.shares
    posterior, home = softmax(looked.evidence.listed, axis=1), truth.home.argmax(axis=1)
    inside = [model.in_set(row[[own]], ln_n)[0] for row, own, ln_n in zip(posterior, home, looked.ln_n, strict=True)]
    of_shares = (shares.p_value, shares.as_declared_p, shares.low, shares.high)
    return looked.ln_n, *of_shares, judged.signs.log10_lr, judged.signs.novelty_p, ~np.array(inside)


def make_world(prepared: Prepared, fitted: Fitted) -> World:
    scenario = shipped().manifest["config"]["scenario"]
    drawn = Scenario(
        kinds=(0.3, 0.05, 0.05, 0.2, 0.3, 0.1, 0.0),
        degrees_of_freedom=scenario["degrees_of_freedom"],
        odd_share=scenario["odd_share"],
    )
    urn = Urn(fitted=fitted, sets=prepared.allowed_sets, n_jobs=1)
    columns, truth = simulate(seen, urn, drawn, n=N, seed=np.random.SeedSequence(71))
    return World(truth, *columns)


@pytest.fixture(scope="module")
def world() -> World:
    prepared = prepare(load_package(shipped_reference()), minimum_parcels=3)
    return make_world(prepared, fit_model(prepared))


def at_least(rate: float, cases: Bools) -> None:
    """Fail where the cases show, beyond chance, that the true rate is above `rate`."""
    limits = clopper_pearson(int(cases.sum()), int(cases.size), level=0.98)
    assert limits.low <= rate, (cases.mean(), cases.size)


@pytest.mark.parametrize("kind", ["single", "large", "blend"])
def test_the_test_of_no_undeclared_goods_keeps_its_level(world: World, kind: str) -> None:
    wanted = world.truth.kind == (BLEND if kind == "blend" else LISTED)
    if kind == "large":
        wanted &= world.ln_n > np.log(2000)
    assert wanted.sum() > 60
    for p_value in (world.p_value, world.as_declared_p):
        alarm = p_value[wanted] <= 0.05
        at_least(0.06, alarm)
        assert alarm.mean() <= 0.09


def test_intervals_of_shares_cover(world: World) -> None:
    for kind in (LISTED, BLEND, MIXED):
        rows = world.truth.kind == kind
        share = world.truth.share[rows]
        covered = (world.low[rows] <= share) & (share <= world.high[rows])
        assert covered.mean() >= 0.85, kind


def test_novelty_keeps_its_level_for_what_is_listed(world: World) -> None:
    cut = world.truth.cut_low | world.truth.cut_high
    rows = np.isin(world.truth.kind, (LISTED, BLEND)) & ~cut
    for level in (0.02, 0.05, 0.1, 0.3, 0.5):
        found = (world.novelty_p[rows] <= level).mean()
        # It may be cautious; it may not cry wolf. Its ranks are those of reference parcels left out in turn; simulated
        # ones, as in this test, vary as much as a cautious covariance allows: up to half as many again look strange.
        assert 0.3 * level <= found <= 1.5 * level + 0.01, level
    sieved = np.isin(world.truth.kind, (LISTED, BLEND)) & cut
    assert (world.novelty_p[sieved] <= 0.05).mean() <= 1.5 * 0.05 + 0.02  # and chance, among 831


@pytest.mark.parametrize(("low", "high"), [(40, 100), (100, 300), (300, 1000), (1000, 10**6)])
def test_the_set_of_zones_keeps_its_level_whatever_the_size(world: World, low: int, high: int) -> None:
    n = np.exp(world.ln_n)
    at_least(0.1, world.outside_set[(world.truth.kind == LISTED) & (n >= low) & (n < high)])


def test_likelihood_ratios_are_near_their_ideal(world: World) -> None:
    true, false = (world.log10_lr[np.isin(world.truth.kind, kinds)] for kinds in ((LISTED, BLEND), (FALSE,)))
    assert cllr(true, false) - cllr_min(true, false) < 0.1
    assert cllr(true, false) < 0.5


def test_true_blends_are_rarely_spoken_against(world: World) -> None:
    assert (world.log10_lr[world.truth.kind == BLEND] < -1).mean() <= 0.02


def test_evidence_vanishes_as_a_parcel_shrinks() -> None:
    model = shipped().model
    rng = np.random.default_rng(5)
    zones = rng.integers(len(model.predictor.sources), size=150)
    declared = np.eye(len(model.predictor.sources))[rng.permutation(zones)]
    sizes = []
    for n in (2, 20, 200):
        arrays = draw_true(model, zones, n_stones=n, rng=rng)
        looked = look(model, arrays, declared)
        lr = LikelihoodRatio(model=model, looked=looked, alternatives=1.0 - declared, unlisted_weight=0.2)
        sizes.append(float(np.median(np.abs(lr.value))))
    assert sizes[0] < sizes[1] < sizes[2]
    assert sizes[0] < 0.5
