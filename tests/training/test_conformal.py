from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kpfootprint.stats.arrays import Floats
from training.evaluate.setting import conformal_p

SCORES = arrays(np.float64, st.integers(1, 30), elements=st.integers(-40, 40).map(lambda i: i / 8))


@given(SCORES, SCORES, st.data())
def test_p_is_a_rank_among_the_nearest_sizes(score: Floats, calibration: Floats, data: st.DataObject) -> None:
    rng = np.random.default_rng(score.size * 100 + calibration.size)
    ln_n, known = rng.normal(6, 1, score.size), rng.normal(6, 1, calibration.size)
    for values in (score, calibration, ln_n, known):
        values.setflags(write=False)
    k = data.draw(st.integers(1, calibration.size))
    p = conformal_p(score, ln_n, calibration, known, nearest=k)
    for i in range(score.size):
        chosen = np.argsort(np.abs(known - ln_n[i]))[:k]
        assert p[i] == pytest.approx((1 + (calibration[chosen] >= score[i]).sum()) / (k + 1))


@given(SCORES, SCORES)
def test_where_there_are_too_few_all_are_ranked_among(score: Floats, calibration: Floats) -> None:
    p = conformal_p(score, np.zeros(score.size), calibration, np.zeros(calibration.size), nearest=100)
    np.testing.assert_allclose(p, [(1 + (calibration >= s).sum()) / (calibration.size + 1) for s in score])


def test_no_more_than_the_stated_share_is_flagged() -> None:
    rng = np.random.default_rng(11)
    sizes, known = np.zeros(200), np.zeros(99)
    flagged = [
        float((conformal_p(rng.normal(size=200), sizes, rng.normal(size=99), known, nearest=99) <= 0.05).mean())
        for _ in range(200)
    ]
    # Exactly 5 of 100 ranks lie at or below .05; the mean of 200 rounds has a standard error of about .0022.
    assert np.mean(flagged) == pytest.approx(0.05, abs=0.007)
