from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_expit

from kpfootprint.stats.calibration import AffineCalibrator, elub_bounds
from kpfootprint.stats.metrics import auc, cllr

Floats = NDArray[np.float64]
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
    calibrated = AffineCalibrator().fit(score, y).transform(np.sort(score))
    assert np.isfinite(calibrated).all()
    assert (np.diff(calibrated) >= 0).all()


@given(SCORES, st.data())
def test_swapping_hypotheses_mirrors(score: Floats, data: st.DataObject) -> None:
    y = data.draw(arrays(np.int64, score.size, elements=st.integers(0, 1)).filter(lambda v: np.unique(v).size == 2))
    there = AffineCalibrator().fit(score, y).transform(score)
    back = AffineCalibrator().fit(-score, 1 - y).transform(-score)
    np.testing.assert_allclose(back, -there, atol=1e-8)


def test_calibrated_scores_are_left_alone() -> None:
    score, y, _ = simulated(1, 40_000)
    a, b, c, d = AffineCalibrator().fit(score, y).coef_
    assert (a, b) == pytest.approx((0, 1), abs=0.03)
    assert (c, d) == (0, 0)


def test_scale_and_shift_are_undone() -> None:
    score, y, _ = simulated(2, 40_000, slope=0.5, shift=1.0)
    calibrator = AffineCalibrator().fit(score, y)
    assert tuple(calibrator.coef_[:2]) == pytest.approx((1.0, 0.5), abs=0.03)


@pytest.mark.parametrize("size_terms", ["none", "intercept", "both"])
def test_coefficients_are_the_optimum_that_scipy_finds(size_terms: str) -> None:
    score, y, n_stones = simulated(3, 200, slope=0.7)
    weight = np.where(y == 1, 1 / (y == 1).sum(), 1 / (y == 0).sum()) * y.size / 2
    x = (np.log(n_stones) - np.log(n_stones).mean()) / np.log(n_stones).std()
    design = np.stack([np.ones_like(score), score, x, x * score], axis=1)
    free = {"none": 2, "intercept": 3, "both": 4}[size_terms]
    prior = np.array([0.0, 1.0, 0.0, 0.0])[:free]

    def loss(coef: Floats) -> float:
        eta = design[:, :free] @ coef * np.log(10)
        return float(-(weight * log_expit((2 * y - 1) * eta)).sum() + 1.5 / 2 * ((coef - prior) ** 2).sum())

    expected = minimize(loss, prior, method="BFGS", options={"gtol": 1e-8}).x
    calibrator = AffineCalibrator(size_terms=size_terms, penalty=1.5)  # type: ignore[arg-type]
    calibrator.fit(score, y, n_stones=n_stones)
    np.testing.assert_allclose(calibrator.coef_[:free], expected, atol=1e-5)
    assert not calibrator.coef_[free:].any()


def test_size_terms_learn_that_small_parcels_say_less() -> None:
    rng = np.random.default_rng(4)
    n_stones = rng.choice([50.0, 2000.0], 20_000)
    score = rng.normal(0, 1, n_stones.size)
    truth = np.where(n_stones == 50, 0.4, 1.6) * score
    y = (rng.uniform(size=score.size) < expit(truth * np.log(10))).astype(int)
    calibrator = AffineCalibrator(size_terms="both").fit(score, y, n_stones=n_stones)
    np.testing.assert_allclose(calibrator.transform([1.0, 1.0], n_stones=[50, 2000]), [0.4, 1.6], atol=0.06)
    # Beyond the sizes seen in fit nothing is extrapolated.
    assert calibrator.transform(1.0, n_stones=1e6) == calibrator.transform(1.0, n_stones=2000)


def test_overconfident_scores_are_mended_and_order_kept() -> None:
    score, y, _ = simulated(5, 2000, slope=0.2)
    calibrated = AffineCalibrator().fit(score, y).transform(score)
    assert cllr(calibrated[y == 1], calibrated[y == 0]) < cllr(score[y == 1], score[y == 0]) - 0.2
    assert auc(calibrated[y == 1], calibrated[y == 0]) == pytest.approx(auc(score[y == 1], score[y == 0]))


def test_a_score_that_points_the_wrong_way_is_worth_nothing() -> None:
    score, y, _ = simulated(6, 400)
    calibrated = AffineCalibrator().fit(-score, y).transform([-3.0, 0.0, 3.0])
    np.testing.assert_allclose(calibrated, 0.0, atol=1e-9)


def test_sample_weights_are_repeats() -> None:
    score, y, n_stones = simulated(7, 60)
    times = np.random.default_rng(7).integers(1, 4, 60)
    # A penalty in proportion to the number of cases makes both problems the same.
    weighted = AffineCalibrator(size_terms="both", penalty=60.0).fit(score, y, n_stones=n_stones, sample_weight=times)
    repeated = AffineCalibrator(size_terms="both", penalty=float(times.sum()))
    x = np.log(n_stones)
    repeated.fit(*(np.repeat(v, times) for v in (score, y)), n_stones=np.repeat(n_stones, times))
    # The two standardise size differently; with size left out they agree exactly.
    assert x.std() > 0
    one = AffineCalibrator(penalty=60.0).fit(score, y, sample_weight=times)
    two = AffineCalibrator(penalty=float(times.sum())).fit(np.repeat(score, times), np.repeat(y, times))
    np.testing.assert_allclose(one.coef_, two.coef_, atol=1e-9)
    assert np.isfinite(weighted.coef_).all()
    assert np.isfinite(repeated.coef_).all()


def test_infinite_scores_transform() -> None:
    score, y, _ = simulated(8)
    out = AffineCalibrator().fit(score, y).transform([-np.inf, np.inf])
    assert out.tolist() == [-np.inf, np.inf]


@given(SCORES, SCORES)
def test_bounds_enclose_zero_and_do_not_outgrow_the_cases(h1: Floats, h2: Floats) -> None:
    low, high = elub_bounds(h1, h2)
    assert -np.log10(h1.size + 1) - 0.011 <= low <= 0 <= high <= np.log10(h2.size + 1) + 0.011


def test_bounds_of_perfect_evidence_by_hand() -> None:
    # All 99 H1 at +9, all 99 H2 at -9. At t > 1: 1 < 1/100 + t * 1/100 where t > 99, so the bound is just under 2.
    low, high = elub_bounds(np.full(99, 9.0), np.full(99, -9.0))
    assert high == pytest.approx(np.log10(99), abs=0.011)
    assert low == pytest.approx(-np.log10(99), abs=0.011)


def test_inputs_are_not_written_to() -> None:
    h1, h2 = np.array([12.0, 1.0, -2.0]), np.array([-12.0, np.inf, 0.0])
    y, n_stones = np.array([1, 0, 1]), np.array([40.0, 50.0, 60.0])
    for values in (h1, h2, y, n_stones):
        values.setflags(write=False)
    elub_bounds(h1, h2)
    assert h1.tolist() == [12.0, 1.0, -2.0]
    AffineCalibrator(size_terms="both").fit(h1, y, n_stones=n_stones).transform(h2, n_stones=n_stones)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: AffineCalibrator(size_terms="all").fit([1.0, 0.0], [1, 0]), "size_terms must be"),  # type: ignore[arg-type]
        (lambda: AffineCalibrator(penalty=0).fit([1.0, 0.0], [1, 0]), "penalty must be positive, got 0"),
        (lambda: AffineCalibrator().fit([1.0, np.inf], [1, 0]), "score must be one-dimensional, not empty and finite"),
        (lambda: AffineCalibrator().fit([1.0, 0.0], [1, 1]), "is_h1 must hold 2 values of 0 and 1, both of them"),
        (lambda: AffineCalibrator().fit([1.0, 0.0], [1, 0], sample_weight=[1, 0]), "sample_weight must hold 2"),
        (lambda: AffineCalibrator(size_terms="both").fit([1.0, 0.0], [1, 0]), "n_stones is needed"),
        (lambda: AffineCalibrator().transform([1.0]), "not fitted yet"),
        (lambda: elub_bounds([], [1.0]), "log10_lr_h1 must be one-dimensional"),
        (lambda: elub_bounds([1.0], [1.0], step=0), "step positive"),
    ],
)
def test_bad_input_is_named(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
