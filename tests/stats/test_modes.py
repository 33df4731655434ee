"""One reading or two: what has one mode is never told as two, what has two always is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from kpfootprint.stats.shares import two_modes

SHARES = np.concatenate([[0.0], np.linspace(0.01, 0.99, 28) ** 1.2, [1.0]])


@given(a=st.floats(1.0, 30.0), b=st.floats(1.0, 30.0))
def test_what_has_one_mode_is_one_reading(a: float, b: float) -> None:
    assert two_modes(SHARES, np.asarray(beta.cdf(SHARES, a, b))) == ()


@pytest.mark.parametrize("spike", [0.3, 0.6, 0.9])
def test_none_with_a_tail_that_only_falls_is_one_reading(spike: float) -> None:
    assert two_modes(SHARES, spike + (1 - spike) * np.asarray(beta.cdf(SHARES, 1.0, 5.0))) == ()


@given(spike=st.floats(0.2, 0.8), a=st.floats(8.0, 40.0), b=st.floats(8.0, 40.0))
def test_none_or_some_are_two_readings_with_their_chances(spike: float, a: float, b: float) -> None:
    none, some = two_modes(SHARES, spike + (1 - spike) * np.asarray(beta.cdf(SHARES, a, b)))
    assert none[:2] == (0.0, 0.0)
    assert none[2] == pytest.approx(spike, abs=0.02)
    assert none[2] + some[2] == pytest.approx(1.0)
    assert some[0] - 0.05 <= a / (a + b) <= some[1] + 0.05


@given(weight=st.floats(0.25, 0.75))
def test_two_shares_that_lie_apart_are_two_readings(weight: float) -> None:
    both = weight * np.asarray(beta.cdf(SHARES, 20, 80)) + (1 - weight) * np.asarray(beta.cdf(SHARES, 80, 20))
    low, high = two_modes(SHARES, both)
    assert low[1] < high[0]
    assert low[2] == pytest.approx(weight, abs=0.03)
