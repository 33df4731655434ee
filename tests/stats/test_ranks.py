from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from kpfootprint.stats.ranks import RankTable


def a_table(seed: int = 1, n: int = 8000) -> RankTable:
    """A statistic whose place and spread change with size."""
    rng = np.random.default_rng(seed)
    ln_n = rng.normal(6.2, 0.9, n)
    return RankTable.from_calibration(rng.normal(size=n) * (1 + 0.1 * ln_n) + ln_n, ln_n)


def test_p_values_are_uniform_under_the_null_at_every_size() -> None:
    table, rng = a_table(), np.random.default_rng(2)
    for size in (5.0, 6.2, 7.5):
        ln_n = np.full(600, size)
        p = table.p_values(rng.normal(size=600) * (1 + 0.1 * ln_n) + ln_n, ln_n)
        # The table itself rests on 960 parcels a size: a deviation of 0.06 comes from chance alone.
        assert kstest(p, "uniform").statistic < 0.09
        assert (p <= 0.05).mean() < 0.09


@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(2, 10))
def test_larger_statistics_have_smaller_p_values(a: float, b: float, ln_n: float) -> None:
    table = a_table(n=900)
    p = table.p_values(np.array([min(a, b), max(a, b)]), np.full(2, ln_n))
    assert 1.0 >= p[0] >= p[1] >= table.floor


@given(st.floats(0.05, 0.95), st.integers(0, 12))
def test_p_values_pass_evenly_from_one_size_to_the_next(along: float, row: int) -> None:
    table = a_table(n=900)
    low, high = table.ln_n[row : row + 2]
    at_low, at_high, between = (
        table.p_values(np.linspace(0, 12, 30), np.full(30, size)) for size in (low, high, low + along * (high - low))
    )
    inside = np.minimum(at_low, at_high) > table.floor
    assert inside.any()
    np.testing.assert_allclose(between[inside], ((1 - along) * at_low + along * at_high)[inside])


@given(st.integers(600, 9000), st.floats(2, 10))
def test_what_lies_beyond_all_parcels_has_the_floor_or_one(n: int, ln_n: float) -> None:
    table = a_table(n=n)
    assert table.floor == 1 / (int(0.12 * n) + 1)  # twelve in a hundred are the nearest
    assert table.p_values(np.array([-1e9, 1e9]), np.full(2, ln_n)).tolist() == [1.0, table.floor]


def test_sizes_beyond_the_calibration_use_its_ends() -> None:
    table = a_table(n=2000)
    ends = table.p_values(np.array([6.0, 6.0]), table.ln_n[[0, -1]])
    beyond = table.p_values(np.array([6.0, 6.0]), np.array([-5.0, 30.0]))
    np.testing.assert_allclose(ends, beyond)
