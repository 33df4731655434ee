from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.conformal import conformal_p_values

SCORES = arrays(np.float64, st.integers(1, 30), elements=st.integers(-40, 40).map(lambda i: i / 8))


@given(SCORES, SCORES)
def test_p_is_a_rank_above_its_floor(score: Floats, calibration: Floats) -> None:
    p, floor = conformal_p_values(score, calibration)
    m = calibration.size
    np.testing.assert_allclose(p, [(1 + (calibration >= s).sum()) / (m + 1) for s in score])
    assert (p >= floor).all()
    assert (floor == 1 / (m + 1)).all()


@given(SCORES, SCORES, st.data())
def test_matching_uses_the_nearest_sizes(score: Floats, calibration: Floats, data: st.DataObject) -> None:
    rng = np.random.default_rng(score.size * 100 + calibration.size)
    ln_n, known = rng.normal(6, 1, score.size), rng.normal(6, 1, calibration.size)
    k = data.draw(st.integers(1, calibration.size))
    p, floor = conformal_p_values(score, calibration, ln_n=ln_n, calibration_ln_n=known, nearest=k)
    for i in range(score.size):
        chosen = np.argsort(np.abs(known - ln_n[i]))[:k]
        assert p[i] == pytest.approx((1 + (calibration[chosen] >= score[i]).sum()) / (k + 1))
    assert (floor == 1 / (k + 1)).all()


def test_no_more_than_the_stated_share_is_flagged() -> None:
    rng = np.random.default_rng(11)
    flagged = [
        float((conformal_p_values(rng.normal(size=200), rng.normal(size=99))[0] <= 0.05).mean()) for _ in range(200)
    ]
    # Exactly 5 of 100 ranks lie at or below .05; the mean of 200 rounds has a standard error of about .0022.
    assert np.mean(flagged) == pytest.approx(0.05, abs=0.007)


def test_inputs_are_not_written_to() -> None:
    arrays_ = [np.array([3.0, 1.0, 2.0]) for _ in range(4)]
    for values in arrays_:
        values.setflags(write=False)
    a, b, c, d = arrays_
    conformal_p_values(a, b)
    conformal_p_values(a, b, ln_n=c, calibration_ln_n=d, nearest=2)


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="nearest must lie between 1 and the 1 calibration parcels, got 2"):
        conformal_p_values([1.0], [1.0], ln_n=[1.0], calibration_ln_n=[1.0], nearest=2)
    with pytest.raises(ValueError, match="ln_n and calibration_ln_n are needed"):
        conformal_p_values([1.0], [1.0], nearest=1)
    with pytest.raises(ValueError, match="calibration_score must be one-dimensional"):
        conformal_p_values([1.0], [])
