from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_expit

from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.calibration import Calibration, Cases, elub_bounds, told_apart
from kpfootprint.stats.metrics import auc, cllr

ONE = np.zeros(())
"""Log number of stones where all parcels hold as many."""


def cases(score: Floats, y: NDArray[np.int_]) -> Cases:
    """Return cases that are a parcel each, of one stone and weight."""
    one, parcel = np.ones(score.size), np.arange(score.size)
    return Cases(score=score, is_h1=y == 1, ln_n=0.0 * one, weight=one, parcel=parcel, told=one, share=one)


def bounds(h1: Floats, h2: Floats) -> tuple[float, float]:
    """Return the bounds that cases of their own carry."""
    return elub_bounds(h1, h2, weights=(np.ones(h1.size), np.ones(h2.size)), counts=(h1.size, h2.size))


def fitted(score: Floats, y: NDArray[np.int_], n_stones: Floats | None = None, trust: float = 0.0) -> Calibration:
    """Calibrate by cases that are a parcel each."""
    known = cases(score, y)
    return Calibration.fit(known if n_stones is None else replace(known, ln_n=np.log(n_stones)), trust=trust)


SCORES = arrays(np.float64, st.integers(2, 30), elements=st.integers(-400, 400).map(lambda i: i / 8))


def simulated(
    seed: int, n: int = 400, *, slope: float = 1.0, shift: float = 0.0
) -> tuple[Floats, NDArray[np.int_], Floats]:
    """Scores whose log10 LR is ``slope * score + shift`` by construction, and sizes that mean nothing."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    ln_lr = rng.normal(np.where(y == 1, 2.0, -2.0), 2.0)  # normal with variance twice the mean: its own ln LR
    return (ln_lr / np.log(10) - shift) / slope, y, rng.lognormal(6, 1, n)


@given(SCORES, st.data())
def test_calibration_is_monotone_and_finite(score: Floats, data: st.DataObject) -> None:
    y = data.draw(arrays(np.int64, score.size, elements=st.integers(0, 1)).filter(lambda v: np.unique(v).size == 2))
    calibrated = fitted(score, y).apply(np.sort(score), ONE)
    assert np.isfinite(calibrated).all()
    assert (np.diff(calibrated) >= 0).all()


@pytest.mark.slow
@given(SCORES, st.data())
def test_swapping_hypotheses_mirrors(score: Floats, data: st.DataObject) -> None:
    y = data.draw(arrays(np.int64, score.size, elements=st.integers(0, 1)).filter(lambda v: np.unique(v).size == 2))
    there = fitted(score, y).apply(score, ONE)
    back = fitted(-score, 1 - y).apply(-score, ONE)
    np.testing.assert_allclose(back, -there, atol=1e-8)


def test_calibrated_scores_are_left_alone() -> None:
    score, y, _ = simulated(1, 10_000)
    a, b, c, d = fitted(score, y).coefficients
    assert (a, b) == pytest.approx((0, 1), abs=0.03)
    assert (c, d) == (0, 0)


@pytest.mark.slow
def test_scale_and_shift_are_undone() -> None:
    score, y, _ = simulated(2, 10_000, slope=0.5, shift=1.0)
    assert tuple(fitted(score, y).coefficients[:2]) == pytest.approx((1.0, 0.5), abs=0.03)


def test_coefficients_are_the_optimum_that_scipy_finds() -> None:
    score, y, n_stones = simulated(3, 200, slope=0.7)
    weight = np.where(y == 1, 1 / (y == 1).sum(), 1 / (y == 0).sum()) * y.size / 2
    x = (np.log(n_stones) - np.log(n_stones).mean()) / np.log(n_stones).std()
    design = np.stack([np.ones_like(score), score, x, x * score], axis=1)
    prior = np.array([0.0, 1.0, 0.0, 0.0])

    def loss(coef: Floats) -> float:
        eta = design @ coef * np.log(10)
        return float(-(weight * log_expit((2 * y - 1) * eta)).sum() + 1.5 / 2 * ((coef - prior) ** 2).sum())

    expected = minimize(loss, prior, method="BFGS", options={"gtol": 1e-8}).x
    found = fitted(score, y, n_stones, trust=1.5).coefficients
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_size_terms_learn_that_small_parcels_say_less() -> None:
    rng = np.random.default_rng(4)
    n_stones = rng.choice([50.0, 2000.0], 20_000)
    score = rng.normal(0, 1, n_stones.size)
    truth = np.where(n_stones == 50, 0.4, 1.6) * score
    y = (rng.uniform(size=score.size) < expit(truth * np.log(10))).astype(int)
    calibration = fitted(score, y, n_stones)
    one = np.ones(2)
    np.testing.assert_allclose(calibration.apply(one, np.log([50.0, 2000.0])), [0.4, 1.6], atol=0.06)
    # Beyond the sizes seen in fit nothing is extrapolated, and below them the offset fades.
    assert len(set(calibration.apply(one, np.log([2000.0, 1e6])).tolist())) == 1
    zero = calibration.apply(np.zeros(2), np.log([50.0, 1.0]))
    assert abs(zero[1]) < abs(zero[0]) / 10 + 1e-9


def test_overconfident_scores_are_mended_and_order_kept() -> None:
    score, y, _ = simulated(5, 2000, slope=0.2)
    calibrated = fitted(score, y).apply(score, ONE)
    assert cllr(calibrated[y == 1], calibrated[y == 0]) < cllr(score[y == 1], score[y == 0]) - 0.2
    assert auc(calibrated[y == 1], calibrated[y == 0]) == pytest.approx(auc(score[y == 1], score[y == 0]))


def test_a_score_that_points_the_wrong_way_is_worth_nothing() -> None:
    score, y, _ = simulated(6, 400)
    calibrated = fitted(-score, y).apply(np.array([-3.0, 0.0, 3.0]), ONE)
    assert np.ptp(calibrated) == 0.0
    np.testing.assert_allclose(calibrated, 0.0, atol=0.1)


def test_weights_are_repeats() -> None:
    score, y, _ = simulated(7, 60)
    times = np.random.default_rng(7).integers(1, 4, 60)
    # A trust in proportion to the number of cases makes both problems the same.
    one = Calibration.fit(replace(cases(score, y), weight=times.astype(float)), trust=60.0)
    two = fitted(np.repeat(score, times), np.repeat(y, times), trust=float(times.sum()))
    np.testing.assert_allclose(one.coefficients, two.coefficients, atol=1e-9)


def test_a_parcel_that_tells_nothing_apart_has_an_lr_of_one() -> None:
    score, y, _ = simulated(3)
    told = told_apart(np.stack([score, -score], axis=1), 3.0)
    calibration = Calibration.fit(replace(cases(score - 0.5, y), told=np.asarray(told)), trust=0.0, offset_spread=3.0)
    assert abs(calibration.coefficients[0]) > 0.1
    nothing = told_apart(np.full((2, 5), -7.0), calibration.offset_spread)
    np.testing.assert_allclose(calibration.apply(np.zeros(2), np.log([30.0, 900.0]), nothing), 0.0, atol=1e-12)
    whole = calibration.apply(np.zeros(1), ONE, 1.0)
    assert abs(whole[0]) > 0.1


def test_what_is_told_apart_grows_with_the_spread_and_knows_no_constant() -> None:
    listed = np.random.default_rng(0).normal(size=(50, 6))
    told = told_apart(listed, 3.0)
    np.testing.assert_allclose(told_apart(listed + 40.0, 3.0), told)
    assert np.all(told_apart(2.0 * listed, 3.0) > told)
    unlearnt = np.concatenate([listed, np.full((50, 2), -np.inf)], axis=1)
    np.testing.assert_allclose(told_apart(unlearnt, 3.0), told)
    assert told_apart(listed, None) == 1.0


def test_cases_of_one_parcel_count_once() -> None:
    """Thirty declarations of a parcel are no thirty parcels: neither trust nor bounds may take them for that."""
    score, y, _ = simulated(9, 80)
    alone = Calibration.fit(cases(score, y), trust=10.0)
    parcel = np.tile(np.arange(80), 30)
    repeated = replace(cases(np.tile(score, 30), np.tile(y, 30)), parcel=parcel)
    often = Calibration.fit(repeated, trust=10.0)
    np.testing.assert_allclose(often.coefficients, alone.coefficients, atol=1e-6)
    np.testing.assert_allclose(often.bounds, alone.bounds, atol=0.011)
    assert Calibration.fit(replace(repeated, parcel=np.arange(2400)), trust=10.0).bounds[1] > alone.bounds[1] + 0.1


def test_fewer_parcels_carry_less() -> None:
    score, y, _ = simulated(10, 2000)
    widths = [float(np.ptp(fitted(score[:n], y[:n]).bounds)) for n in (20, 100, 500, 2000)]
    assert widths == sorted(widths)
    assert widths[0] < widths[-1] / 2


def test_resampled_coefficients_are_those_of_the_parcels_drawn() -> None:
    score, y, _ = simulated(11, 50)
    times = np.random.default_rng(3).multinomial(50, np.full(50, 0.02), size=3)
    known = cases(score, y)
    found = Calibration.fit(known, trust=0.0, times=times)
    again = Calibration.fit(replace(known, weight=times[0].astype(float)), trust=0.0)
    np.testing.assert_allclose(found.resampled[0][:2], again.coefficients[:2], atol=0.05)
    nobody = np.where(y == 1, 0, 1)[None]
    kept = Calibration.fit(known, trust=0.0, times=nobody)
    np.testing.assert_array_equal(kept.resampled[0], kept.coefficients)


def test_infinite_scores_transform() -> None:
    score, y, _ = simulated(8)
    out = fitted(score, y).apply(np.array([-np.inf, np.inf]), ONE)
    assert out.tolist() == [-np.inf, np.inf]


@given(SCORES, SCORES)
def test_bounds_enclose_zero_and_do_not_outgrow_the_cases(h1: Floats, h2: Floats) -> None:
    low, high = bounds(h1, h2)
    assert -np.log10(h1.size + 1) - 0.011 <= low <= 0 <= high <= np.log10(h2.size + 1) + 0.011


def test_bounds_of_perfect_evidence_by_hand() -> None:
    # All 99 H1 at +9, all 99 H2 at -9. At t > 1: 1 < 1/100 + t * 1/100 where t > 99, so the bound is just under 2.
    low, high = bounds(np.full(99, 9.0), np.full(99, -9.0))
    assert high == pytest.approx(np.log10(99), abs=0.011)
    assert low == pytest.approx(-np.log10(99), abs=0.011)


def test_inputs_are_not_written_to() -> None:
    h1, h2 = np.array([12.0, 1.0, -2.0]), np.array([-12.0, np.inf, 0.0])
    y, n_stones = np.array([1, 0, 1]), np.array([40.0, 50.0, 60.0])
    for values in (h1, h2, y, n_stones):
        values.setflags(write=False)
    bounds(h1, h2)
    assert h1.tolist() == [12.0, 1.0, -2.0]
    fitted(h1, y, n_stones).apply(h2, np.log(n_stones))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fitted(np.arange(2.0), np.arange(2), trust=-1), "trust must be 0 or more, got -1"),
        (lambda: cases(np.array([1.0, np.inf]), np.arange(2)), "scores must be finite"),
        (lambda: cases(np.arange(2.0), np.ones(2, dtype=np.intp)), "both hypotheses need cases"),
    ],
)
def test_bad_input_is_named(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
