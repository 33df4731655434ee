from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.categories import contrast_basis, fit_classes, fit_margins
from kpfootprint.stats.structure import ClassLogits


@pytest.mark.parametrize("n_classes", [2, 3, 6, 9])
def test_contrasts_are_orthonormal_and_sum_to_zero(n_classes: int) -> None:
    basis = contrast_basis(n_classes)
    np.testing.assert_allclose(basis.T @ basis, np.eye(n_classes - 1), atol=1e-12)
    np.testing.assert_allclose(basis.sum(axis=0), 0.0, atol=1e-12)


def a_table(seed: int, n_bands: int = 5, n_classes: int = 4) -> tuple[Floats, Floats, Floats]:
    rng = np.random.default_rng(seed)
    x = np.linspace(-1.2, 1.5, n_bands)
    slopes = rng.normal(size=n_classes) * 0.4
    slopes -= slopes.mean()
    table = rng.poisson(12 * np.exp(rng.normal(size=(1, n_bands, n_classes)) * 0.5)).astype(float)
    return table, x, slopes


def logits(x: Floats, slopes: Floats, mean: Floats | None = None, precision: Floats | None = None) -> ClassLogits:
    """Return logits under a prior: one that says next to nothing where none is given."""
    n = len(slopes) - 1
    return ClassLogits(
        x=x,
        slopes=slopes,
        basis=contrast_basis(n + 1),
        prior_mean=np.zeros(n) if mean is None else mean,
        prior_precision=1e-9 * np.eye(n) if precision is None else precision,
    )


def test_fit_is_the_mode_that_scipy_finds() -> None:
    table, x, slopes = a_table(1)
    basis = contrast_basis(4)
    mean, precision = np.array([0.2, -0.1, 0.3]), np.diag([1.0, 2.0, 0.5])

    def loss(theta: Floats) -> float:
        logits = basis @ theta + x[:, None] * slopes
        logits = logits - np.logaddexp.reduce(logits, axis=1)[:, None]
        return float(-(table[0] * logits).sum() + 0.5 * (theta - mean) @ precision @ (theta - mean))

    theirs = minimize(loss, mean, tol=1e-10)
    ours = fit_classes(table, logits(x, slopes, mean, precision))
    np.testing.assert_allclose(ours.theta[0], theirs.x, atol=1e-4)


def test_without_slopes_fit_agrees_with_scikit_learn() -> None:
    table, x, _ = a_table(2)
    counts = table[0].sum(axis=0)
    ours = fit_classes(table, logits(x, np.zeros(4)))
    model = LogisticRegression(C=1e8, fit_intercept=True, tol=1e-10, max_iter=5000)
    model.fit(np.zeros((4, 1)), np.arange(4), sample_weight=counts)
    np.testing.assert_allclose(ours.probabilities[0, 0], model.predict_proba(np.zeros((1, 1)))[0], atol=1e-5)
    np.testing.assert_allclose(ours.probabilities[0, 0], counts / counts.sum(), atol=1e-8)


def test_information_is_the_covariance_of_the_score() -> None:
    """By hand for one band: I = n B' (diag p - p p') B."""
    p = np.array([0.5, 0.3, 0.2])
    basis = contrast_basis(3)
    table = 80.0 * p[None, None]
    fit = fit_classes(table, logits(np.zeros(1), np.zeros(3)))
    np.testing.assert_allclose(fit.information[0], 80 * basis.T @ (np.diag(p) - np.outer(p, p)) @ basis, rtol=1e-5)


@given(st.integers(0, 10_000))
def test_probabilities_sum_to_one_and_shift_with_no_constant(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, slopes = rng.normal(size=4), rng.normal(size=5)
    theta = rng.normal(size=(3, 4)) * 3
    p = logits(x, slopes).chances(theta)
    np.testing.assert_allclose(p.sum(axis=2), 1.0, atol=1e-12)
    np.testing.assert_allclose(p, logits(x, slopes + 7.0).chances(theta), atol=1e-10)


def test_empty_classes_stay_finite() -> None:
    table = np.zeros((1, 2, 3))
    table[0, :, 0] = 5.0
    fit = fit_classes(table, logits(np.zeros(2), np.zeros(3), precision=np.eye(2) / 4))
    assert np.abs(fit.theta).max() < 6.0


@given(st.integers(0, 10_000))
def test_margins_are_met_and_odds_ratios_kept(seed: int) -> None:
    rng = np.random.default_rng(seed)
    association = rng.normal(size=(4, 3)) * 0.5
    rows, columns = rng.dirichlet(np.ones(4) * 3, 2), rng.dirichlet(np.ones(3) * 3, 2)
    table = fit_margins(association, rows, columns, 60)
    np.testing.assert_allclose(table.sum(axis=1), columns, atol=1e-10)
    np.testing.assert_allclose(table.sum(axis=2), rows, atol=1e-6)
    logs = np.log(table)
    interaction = logs - logs.mean(axis=1, keepdims=True) - logs.mean(axis=2, keepdims=True)
    expected = association - association.mean(axis=0) - association.mean(axis=1)[:, None]
    np.testing.assert_allclose(
        interaction - interaction.mean(axis=(1, 2), keepdims=True),
        np.stack([expected - expected.mean()] * 2),
        atol=1e-8,
    )
