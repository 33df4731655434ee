from __future__ import annotations

import numpy as np
import pytest

from kpfootprint.reference import ReferencePackage
from tests.training.parcels import make_package
from training.evaluate.methods import zone_codes
from training.evaluate.trials import draw_export_days, verification_scores, verification_trials
from training.peers import PEERS
from training.peers.oracle import CONDITIONS, DirichletWorld, excess_cost, measure_beside_oracle
from training.peers.tables import tables_of


@pytest.fixture(scope="module")
def package() -> ReferencePackage:
    return make_package()


def test_the_world_draws_what_it_says(package: ReferencePackage) -> None:
    world = DirichletWorld.like(package, concentration=200.0)
    drawn = world.draw(200, rng=np.random.default_rng(2))
    tables, codes = tables_of(drawn.batch, drawn.scheme), zone_codes(drawn)
    for zone in range(3):
        n_stones = tables.size[codes == zone].sum(axis=1, keepdims=True)
        shares = tables.size[codes == zone] / n_stones
        np.testing.assert_allclose(shares.mean(axis=0), world.size[zone] / 200.0, atol=0.015)
        # Variance of a share under Dirichlet-multinomial: p (1 - p) (1/n + (1 - 1/n) / (A + 1)).
        p = world.size[zone] / 200.0
        expected = (p * (1 - p) * (1 / n_stones + (1 - 1 / n_stones) / 201.0)).mean(axis=0)
        np.testing.assert_allclose(shares.var(axis=0), expected, rtol=0.4)


@pytest.mark.slow
def test_the_oracle_is_calibrated_and_nothing_beats_it_beyond_chance(package: ReferencePackage) -> None:
    evaluations, excess = measure_beside_oracle(
        PEERS[:4], package, unlisted_weight=0.2, turned=0.0, n_reference=10, n_tested=60, n_resamples=60
    )
    oracle = evaluations[-1]
    assert oracle.release == "Bayes oracle"
    calibration = oracle.result("Cllr_cal", CONDITIONS)
    assert calibration is not None
    assert calibration.value == pytest.approx(0.0, abs=0.05)
    for name, value, limits in excess:
        assert limits.high > 0, name
        assert limits.low <= value <= limits.high


def test_a_method_that_saw_the_answer_is_found_out(package: ReferencePackage) -> None:
    world = DirichletWorld.like(package, concentration=20.0)
    fresh = world.draw(60, rng=np.random.default_rng(3), median_stones=60.0)
    days = draw_export_days(package.zone_table, ["east", "north", "west"], rng=np.random.default_rng(3))
    trials = verification_trials(zone_codes(fresh), days)
    oracle = verification_scores(trials, world.evidence(fresh.batch), unlisted_weight=0.2)
    leaking = oracle + np.where(trials.is_h1, 0.5, -0.5)
    value, limits = excess_cost(trials, leaking, oracle, rng=np.random.default_rng(4), n_resamples=100)
    assert value < 0
    assert limits.high < 0
