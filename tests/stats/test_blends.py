"""Shares that nobody stated: draws that lean to a source are weighed back to those that do not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import gammaln

from kpfootprint.stats.model import drawn_shares


@pytest.mark.slow
@pytest.mark.parametrize("k", [2, 5, 14])
def test_draws_are_those_of_a_dirichlet_distribution(k: int) -> None:
    a, n = 0.5, 50_000
    shares, log_weights = drawn_shares(n, k, a, np.random.default_rng(k))
    weights = np.exp(log_weights)
    assert shares.shape == (n, k)
    assert shares.sum(axis=1) == pytest.approx(np.ones(n))
    assert weights.max() <= 2.0
    assert weights.mean() == pytest.approx(1.0, abs=0.02)
    assert weights @ shares / n == pytest.approx(np.full(k, 1 / k), rel=0.08)
    assert weights @ shares**2 / n == pytest.approx(np.full(k, (a + 1) / (k * (k * a + 1))), rel=0.08)


@pytest.mark.parametrize(("k", "m"), [(2, 100), (5, 30), (14, 10)])
def test_an_integral_near_a_corner_is_found_by_few_draws(k: int, m: int) -> None:
    a = 0.5
    exact = np.exp(gammaln(a + m) + gammaln(k * a) - gammaln(a) - gammaln(k * a + m))
    found = []
    for seed in range(50):
        shares, log_weights = drawn_shares(1024, k, a, np.random.default_rng(seed))
        found.append(np.average(shares[:, 0] ** m, weights=np.exp(log_weights)))
    error = np.log10(np.array(found) / exact)
    assert np.sqrt(np.mean(error**2)) < 0.1


def test_of_one_source_there_is_nothing_to_draw() -> None:
    shares, log_weights = drawn_shares(3, 1, 0.5, np.random.default_rng(0))
    assert shares.tolist() == [[1.0], [1.0], [1.0]]
    assert log_weights.tolist() == [0.0, 0.0, 0.0]
