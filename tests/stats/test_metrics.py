from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kpfootprint.stats import metrics
from kpfootprint.stats.arrays import Floats

Metric = Callable[..., float]

# Multiples of 1/8: ties are frequent and monotone maps keep them apart and equal exactly.
LRS = arrays(np.float64, st.integers(1, 30), elements=st.integers(-40, 40).map(lambda i: i / 8))
SCALARS: list[Metric] = [
    metrics.cllr,
    metrics.cllr_min,
    metrics.cllr_cal,
    metrics.auc,
    metrics.rejection_at,
]
RANK_METRICS: list[Metric] = [metrics.cllr_min, metrics.auc, metrics.rejection_at]


def read_only(values: Floats) -> Floats:
    copy = values.copy()
    copy.setflags(write=False)
    return copy


@given(st.integers(1, 20), st.integers(1, 20))
def test_saying_nothing_costs_one_bit(n1: int, n2: int) -> None:
    h1, h2 = np.zeros(n1), np.zeros(n2)
    assert metrics.cllr(h1, h2) == pytest.approx(1.0, abs=1e-15)
    assert metrics.cllr_min(h1, h2) == pytest.approx(1.0, abs=1e-15)
    assert metrics.auc(h1, h2) == pytest.approx(0.5)


@given(LRS, LRS)
def test_recalibration_never_costs(h1: Floats, h2: Floats) -> None:
    assert metrics.cllr_min(h1, h2) <= metrics.cllr(h1, h2) + 1e-12
    assert metrics.cllr_min(h1, h2) <= 1 + 1e-12
    assert metrics.cllr_cal(h1, h2) >= -1e-12


@pytest.mark.parametrize("metric", RANK_METRICS)
@given(h1=LRS, h2=LRS)
def test_rank_metrics_do_not_change_under_monotone_maps(metric: Metric, h1: Floats, h2: Floats) -> None:
    assert metric(np.arcsinh(h1), np.arcsinh(h2)) == pytest.approx(metric(h1, h2), abs=1e-12)
    assert metric(h1**3 + h1, h2**3 + h2) == pytest.approx(metric(h1, h2), abs=1e-12)


@given(LRS, LRS)
def test_swapping_hypotheses_mirrors(h1: Floats, h2: Floats) -> None:
    assert metrics.cllr(-h2, -h1) == pytest.approx(metrics.cllr(h1, h2))
    assert metrics.cllr_min(-h2, -h1) == pytest.approx(metrics.cllr_min(h1, h2), abs=1e-12)
    assert metrics.auc(h2, h1) == pytest.approx(1 - metrics.auc(h1, h2))
    assert metrics.auc(-h2, -h1) == pytest.approx(metrics.auc(h1, h2))
    for at in (1, 10, 100):
        assert metrics.misleading(-h2, -h1, at=at)[::-1] == metrics.misleading(h1, h2, at=at)


@given(LRS, LRS)
def test_auc_is_the_share_of_pairs_in_order(h1: Floats, h2: Floats) -> None:
    difference = h1[:, None] - h2[None, :]
    assert metrics.auc(h1, h2) == pytest.approx(float(((difference > 0) + (difference == 0) / 2).mean()))


@given(LRS, LRS)
def test_pav_is_monotone_and_a_fixed_point(h1: Floats, h2: Floats) -> None:
    p1, p2 = metrics.pav(h1, h2)
    order = np.argsort(np.concatenate([h1, h2]), kind="stable")
    recalibrated = np.concatenate([p1, p2])[order]
    assert (recalibrated[1:] >= recalibrated[:-1]).all()
    again1, again2 = metrics.pav(p1, p2)
    np.testing.assert_allclose(again1, p1, atol=1e-9)
    np.testing.assert_allclose(again2, p2, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("metric", SCALARS)
@given(h1=LRS, h2=LRS, data=st.data())
def test_integer_weights_are_repeats(metric: Metric, h1: Floats, h2: Floats, data: st.DataObject) -> None:
    counts = st.integers(0, 3)
    times1 = data.draw(arrays(np.int64, h1.size, elements=counts).filter(lambda w: w.sum() > 0))
    times2 = data.draw(arrays(np.int64, h2.size, elements=counts).filter(lambda w: w.sum() > 0))
    weighted = metric(h1, h2, weights_h1=times1, weights_h2=times2)
    assert weighted == pytest.approx(metric(np.repeat(h1, times1), np.repeat(h2, times2)), abs=1e-9)


@pytest.mark.parametrize("metric", SCALARS)
def test_inputs_are_not_written_to(metric: Metric) -> None:
    rng = np.random.default_rng(3)
    h1, h2 = read_only(rng.normal(1, 8, 40)), read_only(rng.normal(-1, 8, 60))
    weights = read_only(rng.uniform(0.5, 2, 40))
    assert np.isfinite(metric(h1, h2, weights_h1=weights))
    metrics.misleading(h1, h2, at=10, weights_h1=weights)


def test_rejection_by_hand() -> None:
    h1, h2 = np.array([4.0, 3.0, 1.0, 0.5]), np.array([2.0, 0.0, -1.0, -2.0])
    assert metrics.rejection_at(h1, h2, false_acceptance=0.0) == pytest.approx(0.5)
    assert metrics.rejection_at(h1, h2, false_acceptance=0.25) == pytest.approx(0.0)
    assert metrics.rejection_at(h1, h2, false_acceptance=1.0) == 0.0
    # Half-way between the ROC points (0, .5) and (.25, .5) lies .5.
    assert metrics.rejection_at(h1, h2, false_acceptance=0.125) == pytest.approx(0.5)


def test_infinite_evidence() -> None:
    inf = np.inf
    assert metrics.cllr([inf], [-inf]) == 0.0
    assert metrics.cllr([-inf], [-inf]) == inf
    assert metrics.cllr_min([inf, 1.0], [-inf, 0.0]) == 0.0
    assert metrics.cllr([-inf, 1.0], [-1.0], weights_h1=[0.0, 1.0]) == pytest.approx(metrics.cllr([1.0], [-1.0]))


def test_misleading_rates_by_hand() -> None:
    rates = [metrics.misleading([-3.0, -1.5, -0.5, 1.0], [-1.0, 1.0, 1.5], at=at) for at in (1, 10, 100)]
    assert [h1 for h1, _ in rates] == pytest.approx([0.75, 0.5, 0.25])
    assert [h2 for _, h2 in rates] == pytest.approx([2 / 3, 1 / 3, 0.0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.cllr([], [1.0]), "h1 must be one-dimensional"),
        (lambda: metrics.cllr([1.0], [np.nan]), "h2 must hold no NaN, got 1 of 1"),
        (lambda: metrics.auc([1.0], [1.0], weights_h1=[1.0, 2.0]), "weights_h1 must have the shape"),
        (lambda: metrics.auc([1.0], [1.0], weights_h2=[-1.0]), "weights_h2 must be finite and not negative"),
        (lambda: metrics.rejection_at([1.0], [1.0], false_acceptance=5), "false_acceptance must lie between 0 and 1"),
        (lambda: metrics.misleading([1.0], [1.0], at=0.5), "an LR of 1 or more"),
    ],
)
def test_bad_input_is_named(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
