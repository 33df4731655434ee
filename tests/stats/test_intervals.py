from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from kpfootprint.stats.intervals import bootstrap_over_parcels, clopper_pearson
from kpfootprint.stats.metrics import auc
from tests.every import every


@every("errors, trials", [(0, 20), (3, 20), (20, 20), (7, 300), (1, 1)])
@every("level", [0.5, 0.9, 0.99])
def test_share_intervals_agree_with_scipy(errors: int, trials: int, level: float) -> None:
    exact = binomtest(errors, trials).proportion_ci(level, method="exact")
    found = clopper_pearson(errors, trials, level=level)
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=1e-12)


def test_exact_interval_covers() -> None:
    n = 25
    limits = [clopper_pearson(k, n, level=0.9) for k in range(n + 1)]
    for share in np.linspace(0.02, 0.98, 25):
        inside = np.array([item.low <= share <= item.high for item in limits])
        assert binom.pmf(np.arange(n + 1), n, share)[inside].sum() >= 0.9


def test_bootstrap_draws_whole_parcels() -> None:
    # Four trials of each of 40 parcels agree wholly: the interval is that of 40 values, not of 160.
    rng = np.random.default_rng(8)
    value = rng.normal(size=40)
    parcels = np.repeat([f"P{i}" for i in range(40)], 4)
    trials = np.repeat(value, 4)
    found = bootstrap_over_parcels(
        lambda w: float(np.average(trials, weights=w)),
        parcels,
        strata=np.zeros(parcels.size),
        rng=np.random.default_rng(1),
        n_resamples=2000,
    )
    expected = 1.645 * value.std() / np.sqrt(40)
    assert (found.high - found.low) / 2 == pytest.approx(expected, rel=0.1)
    assert found.low < value.mean() < found.high


def test_bootstrap_keeps_strata_and_repeats_with_its_seed() -> None:
    parcels = np.arange(12)
    strata = np.repeat(["a", "b"], 6)
    sizes: list[float] = []

    def statistic(weights: np.ndarray) -> float:
        sizes.append(float(weights[strata == "a"].sum()))
        return float(weights @ parcels)

    first = bootstrap_over_parcels(statistic, parcels, rng=np.random.default_rng(5), strata=strata, n_resamples=50)
    again = bootstrap_over_parcels(statistic, parcels, rng=np.random.default_rng(5), strata=strata, n_resamples=50)
    assert set(sizes) == {6.0}
    assert first == again


def test_draws_without_a_hypothesis_are_left_out() -> None:
    h1 = np.array([True, False])

    def statistic(weights: np.ndarray) -> float:
        return auc([1.0], [0.0], weights_h1=weights[h1], weights_h2=weights[~h1])

    found = bootstrap_over_parcels(statistic, [1, 2], strata=[0, 0], rng=np.random.default_rng(0), n_resamples=40)
    assert (found.low, found.high) == (1.0, 1.0)


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="errors must lie between 0 and trials"):
        clopper_pearson(3, 2)
    with pytest.raises(ValueError, match="level must lie between 0 and 1, got 90"):
        clopper_pearson(1, 2, level=90)
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="strata must give every parcel one stratum"):
        bootstrap_over_parcels(lambda w: float(w[0]), [1, 1], rng=rng, strata=["a", "b"], n_resamples=1)
