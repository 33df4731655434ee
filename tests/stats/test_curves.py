from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.metrics import cllr, cllr_min, empirical_cross_entropy, reliability, tippett

LRS = arrays(np.float64, st.integers(1, 30), elements=st.integers(-40, 40).map(lambda i: i / 8))


@given(LRS, LRS)
def test_tippett_curves_are_shares_at_least(h1: Floats, h2: Floats) -> None:
    at, share_h1, share_h2 = tippett(h1, h2)
    assert set(at) == {*h1, *h2}
    np.testing.assert_allclose(share_h1, [(h1 >= x).mean() for x in at], atol=1e-12)
    np.testing.assert_allclose(share_h2, [(h2 >= x).mean() for x in at], atol=1e-12)


@given(LRS, LRS)
def test_entropy_at_even_odds_is_cllr_and_neutral_is_the_prior_entropy(h1: Floats, h2: Floats) -> None:
    curves = empirical_cross_entropy(h1, h2, [-1.5, 0.0, 2.0])
    assert curves.observed[1] == pytest.approx(cllr(h1, h2))
    assert curves.calibrated[1] == pytest.approx(cllr_min(h1, h2), abs=1e-12)
    p = 1 / (1 + 10 ** np.array([1.5, 0.0, -2.0]))
    np.testing.assert_allclose(curves.neutral, -p * np.log2(p) - (1 - p) * np.log2(1 - p), rtol=1e-9)
    assert (curves.calibrated <= curves.observed + 1e-12).all()
    assert (curves.calibrated <= curves.neutral + 1e-12).all()


@given(LRS, LRS)
def test_mirrored_cases_mirror_the_entropy(h1: Floats, h2: Floats) -> None:
    odds = np.array([-1.0, 0.0, 0.5])
    there = empirical_cross_entropy(h1, h2, odds)
    back = empirical_cross_entropy(-h2, -h1, -odds)
    np.testing.assert_allclose(back.observed, there.observed, rtol=1e-9)


@given(LRS, LRS)
def test_reliability_increases(h1: Floats, h2: Floats) -> None:
    given_lr, recalibrated = reliability(h1, h2)
    assert (np.diff(given_lr) > 0).all()
    assert (recalibrated[1:] >= recalibrated[:-1]).all()


def test_inputs_are_not_written_to() -> None:
    h1, h2 = np.array([1.0, 12.0, -0.5]), np.array([-1.0, -12.0, 0.25])
    for values in (h1, h2):
        values.setflags(write=False)
    tippett(h1, h2)
    reliability(h1, h2)
    empirical_cross_entropy(h1, h2, np.array([0.0]))


def test_bad_prior_odds_are_named() -> None:
    with pytest.raises(ValueError, match="log10_prior_odds must be one-dimensional and finite"):
        empirical_cross_entropy([1.0], [0.0], [np.inf])
