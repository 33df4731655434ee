from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.shares import (
    AS_DECLARED,
    NONE_P,
    ShareEstimates,
    blendedness,
    cumulative,
    estimate_shares,
    none_statistic,
    other_statistic,
    quantiles,
    share_bins,
)
from tests.worlds import shipped

EDGES = share_bins()


def estimates_of(chances: Floats, n_stones: float = 500.0, *, blend: bool = False) -> ShareEstimates:
    n = len(chances)
    return estimate_shares(shipped().model.shares, chances, np.full(n, np.log(n_stones)), np.full(n, float(blend)))


def test_bins_hold_as_declared_none_and_all_apart() -> None:
    assert np.all(np.diff(EDGES) > 0)
    where = np.searchsorted(EDGES, [AS_DECLARED, 0.0, 0.001, 0.5, 0.999, 1.0], side="right") - 1
    assert where[:2].tolist() == [0, 1]
    assert where[-1] == EDGES.size - 2
    assert np.all((where[2:5] > 1) & (where[2:5] < EDGES.size - 2))


@given(st.integers(0, 100_000), st.floats(0.05, 3.0), st.floats(20, 20_000), st.booleans())
def test_estimates_lie_within_their_intervals(seed: int, spread: float, n_stones: float, blend: bool) -> None:
    n_bins = shipped().model.shares.edges.size - 1
    chances = np.random.default_rng(seed).dirichlet(np.full(n_bins, spread), 6)
    found = estimates_of(chances, n_stones, blend=blend)
    for lower, upper in ((np.zeros(6), found.low), (found.low, found.estimate), (found.estimate, found.high)):
        assert np.all(lower <= upper)
    assert np.all(found.high <= 1.0)
    assert np.all(found.low[found.p_value > NONE_P] == 0.0)
    assert np.all((found.p_value > 0) & (found.p_value <= 1))


def test_certain_chances_give_intervals_as_wide_as_a_bin() -> None:
    edges = shipped().model.shares.edges
    chances = np.zeros((2, edges.size - 1))
    chances[0, 0] = chances[1, -1] = 1.0
    found = estimates_of(chances)
    np.testing.assert_allclose([found.low[0], found.estimate[0]], 0.0, atol=1e-6)
    np.testing.assert_allclose([found.estimate[1], found.high[1]], 1.0, atol=1e-6)
    np.testing.assert_allclose([found.high[0], found.low[1]], [edges[3], edges[-3]])
    assert found.p_value[0] > 0.5
    assert found.p_value[1] < 0.01


@given(st.integers(0, 100_000), st.floats(0.001, 3.0), st.floats(20, 20_000))
def test_no_interval_is_without_width(seed: int, spread: float, n_stones: float) -> None:
    n_bins = shipped().model.shares.edges.size - 1
    chances = np.random.default_rng(seed).dirichlet(np.full(n_bins, spread), 6)
    found = estimates_of(chances, n_stones)
    assert np.all(found.high - found.low > 1e-3)


def test_quantiles_invert_the_distribution() -> None:
    chances = np.random.default_rng(4).dirichlet(np.ones(EDGES.size - 1), 3)
    upper = np.clip(EDGES, 0, 1)
    level = np.array([0.1, 0.5, 0.9])
    found = quantiles(chances, EDGES, level)
    back = [np.interp(x, upper, row) for x, row in zip(found, cumulative(chances), strict=True)]
    inside = (found > 0) & (found < 1)
    np.testing.assert_allclose(np.array(back)[inside], level[inside], atol=1e-6)


def test_the_statistics_fall_with_the_chances_of_none_and_of_nothing_else() -> None:
    edges = np.array([-2.0, -0.5, 1e-9, 2.0])
    chances = np.array([[1.0, 0.0, 0.0], [0.2, 0.3, 0.5], [0.0, 0.0, 1.0]])
    none, other = none_statistic(chances, edges), other_statistic(chances)
    np.testing.assert_allclose(none[:2], [0.0, np.log(2)], atol=1e-12)
    np.testing.assert_allclose(other[:2], [0.0, np.log(5)], atol=1e-12)
    assert np.isfinite([none[2], other[2]]).all()
    assert none[2] > none[1]
    assert other[2] > other[1]


@given(st.lists(st.floats(0, 1), min_size=2, max_size=14).filter(lambda raw: sum(raw) > 0.01))
def test_specks_beside_a_source_make_no_blend(raw: list[float]) -> None:
    declared = np.array([raw]) / sum(raw)
    found = float(blendedness(declared)[0])
    assert 0.0 <= found <= 1.0
    assert found <= 10.0 * (1.0 - declared.max()) + 1e-9
