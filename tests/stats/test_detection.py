from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from kpfootprint.stats.shares import GRID, POWER, detection_chance, detection_limit, source_distances
from tests.reference_world import draw, fitted
from tests.worlds import shipped
from training.rank import fit_detection


@given(st.floats(50, 3000), st.floats(1.0, 4.0), st.floats(3.0, 30.0))
def test_the_limit_falls_with_stones_and_rises_for_nearer_sources(n: float, factor: float, distance: float) -> None:
    coefficients, weights = shipped().model.detection, np.ones(1)
    limit = detection_limit(coefficients, n, np.array([distance]), weights)
    assert detection_limit(coefficients, n * factor, np.array([distance]), weights) <= limit
    assert detection_limit(coefficients, n, np.array([distance / factor]), weights) >= limit


def test_the_limit_has_the_stated_power() -> None:
    coefficients = np.array([4.0, 2.0, 0.8, 1.0, 0.0, 0.0])
    distances, weights = np.array([6.0, 20.0, 1.0]), np.array([1.0, 1.0, 0.0])
    limit = detection_limit(coefficients, 1500.0, distances, weights)
    step = np.log(GRID[1] / GRID[0])
    at = [float(detection_chance(coefficients, a, 1500.0, distances[:2]).mean()) for a in (limit, limit / np.exp(step))]
    assert at[0] >= POWER > at[1]


def test_the_chance_is_the_stated_formula() -> None:
    beta = np.array([0.3, 1.1, 0.7, 0.9, 0.05, -0.1])
    a, n, d = np.log(0.2), np.log(800 / 500), np.log(5.0 / 8.0)
    by_hand = expit(0.3 + 1.1 * a + 0.7 * n + 0.9 * d + 0.05 * a * n - 0.1 * a * d)
    np.testing.assert_allclose(detection_chance(beta, 0.2, 800.0, np.array([5.0])), by_hand)


def test_without_a_source_nothing_can_be_found() -> None:
    assert detection_limit(shipped().model.detection, 1000.0, np.ones(3), np.zeros(3)) == 1.0


def test_distances_are_those_of_mahalanobis() -> None:
    model = shipped().model
    sources = model.predictor.sources
    distance = source_distances(model.predictor, model.structure, np.eye(len(sources)))
    np.testing.assert_allclose(np.diag(distance), 0.0, atol=1e-6)
    np.testing.assert_allclose(distance, distance.T, rtol=1e-6, atol=1e-6)
    gap = sources[1] - sources[0]
    np.testing.assert_allclose(distance[0, 1], np.sqrt(gap @ np.linalg.inv(model.predictor.within) @ gap), rtol=1e-6)


@pytest.mark.parametrize("everywhere", [pytest.param(False, marks=pytest.mark.slow), True])
def test_where_nothing_or_all_was_found_the_chance_is_the_same_everywhere(everywhere: bool) -> None:
    arrays, truth = draw("mixed", 60, seed=1)
    coefficients = fit_detection(np.full(60, everywhere), truth, np.log(arrays.n_stones), fitted())
    chances = detection_chance(coefficients, np.array([0.05, 0.9]), 500.0, np.array([1.0, 30.0]))
    assert chances[0] == chances[1]
    assert (chances > 0.9).all() == everywhere
