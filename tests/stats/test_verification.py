from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.model import Evidence, look
from kpfootprint.stats.verification import LikelihoodRatio, shapley, subsets, unlisted_odds
from tests.worlds import draw_true, shipped


def test_subsets_are_all_but_the_empty_one_and_the_full_one_is_first() -> None:
    flags = subsets(3)
    assert flags[0].all()
    assert len({tuple(row) for row in flags.tolist()}) == 7
    assert flags.any(axis=1).all()


@given(st.integers(0, 10_000), st.integers(1, 4))
def test_shares_add_up_to_the_full_value(seed: int, k: int) -> None:
    flags = subsets(k)
    values = np.random.default_rng(seed).normal(size=(len(flags), 3)) * 5
    np.testing.assert_allclose(shapley(flags, values).sum(axis=1), values[0], atol=1e-10)


def test_a_dummy_gets_nothing_and_equals_get_the_same() -> None:
    flags = subsets(3)
    worth = (flags[:, 0] & flags[:, 1]) * 4.0 + (flags[:, 0] | flags[:, 1]) * 2.0  # the third adds nothing
    share = shapley(flags, worth[:, None])[0]
    np.testing.assert_allclose(share, [3.0, 3.0, 0.0], atol=1e-12)


def test_additive_values_give_each_its_own() -> None:
    flags = subsets(3)
    np.testing.assert_allclose(shapley(flags, (flags @ [1.0, -2.0, 0.5])[:, None])[0], [1.0, -2.0, 0.5])


def looked_at(seed: int, n: int = 6) -> LikelihoodRatio:
    model = shipped().model
    zones = np.arange(n) % len(model.predictor.sources)
    arrays = draw_true(model, zones, n_stones=400, rng=np.random.default_rng(seed))
    declared = np.eye(len(model.predictor.sources))[zones]
    declared[1] = 0.5 * declared[1] + 0.5 * declared[2]
    alternatives = np.zeros_like(declared)
    alternatives[:, -5:] = 1.0
    looked = look(model, arrays, declared)
    return LikelihoodRatio(model=model, looked=looked, alternatives=alternatives, unlisted_weight=0.2)


@pytest.mark.slow
@given(st.lists(st.integers(0, 5), min_size=1, max_size=8), st.integers(0, 10_000))
def test_a_second_look_is_as_if_it_were_the_first(rows: list[int], seed: int) -> None:
    model, looked = shipped().model, looked_at(4).looked
    picked, rng = np.array(rows), np.random.default_rng(seed)
    declared = rng.dirichlet(np.ones(len(model.predictor.sources)), len(rows))
    arrays = looked.view.arrays.take(picked)
    fresh = look(model, arrays, declared)
    again = looked.under(picked, declared)
    for name in ("listed", "unlisted", "declared"):
        np.testing.assert_allclose(getattr(again.evidence, name), getattr(fresh.evidence, name), atol=1e-9)
    assert fresh.profile is not None
    assert again.profile is not None
    np.testing.assert_allclose(again.profile.mixed, fresh.profile.mixed, atol=1e-9)
    np.testing.assert_allclose(again.profile.pairs, fresh.profile.pairs, atol=1e-9)


def test_the_full_subset_is_the_lr_and_nothing_recorded_is_worth_nothing() -> None:
    lr = looked_at(1)
    flags, values, _ = lr.by_subset()
    np.testing.assert_allclose(values[0], lr.value)
    assert values.shape == (7, 6)
    np.testing.assert_allclose(shapley(flags, values).sum(axis=1), values[0], atol=1e-9)


def test_the_lr_falls_with_better_alternatives_and_rises_with_the_declared() -> None:
    lr = looked_at(2)
    e = lr.looked.evidence
    better = Evidence(listed=e.listed + 1.0, unlisted=e.unlisted + 1.0, declared=e.declared)
    more = Evidence(listed=e.listed, unlisted=e.unlisted, declared=e.declared + 1.0)
    assert np.all(lr.of(better) <= lr.value)
    assert np.all(lr.of(more) >= lr.value)


def test_before_calibration_swapping_the_hypotheses_turns_the_sign() -> None:
    """With a calibration that changes nothing, LR(a against b) = -LR(b against a)."""
    lr = looked_at(3)
    calibration = replace(lr.model.calibration, coefficients=np.array([0.0, 1.0, 0.0, 0.0]))
    lr = replace(lr, model=replace(lr.model, calibration=calibration))
    listed = lr.looked.evidence.listed

    def against_each(declared: int) -> Floats:
        evidence = Evidence(listed=listed, unlisted=listed[:, 0], declared=listed[:, declared])
        return replace(lr, looked=replace(lr.looked, evidence=evidence)).against_each()

    np.testing.assert_allclose(against_each(3)[:, 7], -against_each(7)[:, 3], atol=1e-9)


def test_bounds_hold() -> None:
    calibration = shipped().model.calibration
    low, high = calibration.bounds
    assert low < 0 < high
    np.testing.assert_array_equal(calibration.bounded(np.array([-99.0, 99.0])), [low, high])


def test_resampled_lrs_lie_around_the_lr() -> None:
    lr = looked_at(4, n=10)
    resampled, value = lr.resampled(), lr.value
    assert resampled.shape == (len(lr.model.resampled_sources), 10)
    low, high = np.quantile(resampled, [0.01, 0.99], axis=0)
    assert np.mean((low <= value) & (value <= high)) >= 0.8
    assert np.all(high > low)


def test_posteriors_sum_to_one() -> None:
    listed, unlisted = unlisted_odds(looked_at(5).looked.evidence, 0.2)
    np.testing.assert_allclose(listed.sum(axis=1) + unlisted, 1.0)


def test_posteriors_of_equal_evidence_are_the_priors() -> None:
    listed, unlisted = unlisted_odds(Evidence(listed=np.zeros((1, 4)), unlisted=np.zeros(1), declared=np.zeros(1)), 0.2)
    np.testing.assert_allclose(listed, 0.2)
    assert unlisted[0] == pytest.approx(0.2)
