from __future__ import annotations

from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import approx_fprime, minimize
from scipy.stats import norm

from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.structure import SizeFit, SizeGrid, cell_probabilities, fine_edges, fit_sizes, log_keep
from tests.laws import tried

CLASS_EDGES = np.array([0, 0.025, 0.045, 0.075, 0.115, 0.175, 0.315, 0.525, 0.715, 1.235, 1.475, 2.135, 3.895, np.inf])
GRID = SizeGrid.from_edges(fine_edges(CLASS_EDGES))
NO_PRIOR = {"prior_mean": np.array([-1.0, -0.4]), "prior_precision": 1e-9 * np.eye(2)}
EDGE, SOFTNESS = np.log(0.05), 0.2


def kept(n: int = 1, edge: float = EDGE) -> Floats:
    return log_keep(GRID, np.full(n, edge), np.full(n, SOFTNESS), np.full(n, np.inf))


def draw(mu: float, sigma: float, n: int, seed: int, n_parcels: int = 1) -> Floats:
    """Weights themselves, kept by chance and rounded to 0.01 ct: nothing of the grid is in them."""
    rng = np.random.default_rng(seed)
    counts = np.zeros((n_parcels, GRID.n_cells))
    for row in range(n_parcels):
        x = rng.normal(mu, sigma, 6 * n)
        x = x[rng.random(x.size) < norm.cdf((x - EDGE) / SOFTNESS)][:n]
        counts[row] = np.bincount(GRID.cell_of(np.maximum(np.exp(x).round(2), 0.01)), minlength=GRID.n_cells)
    return counts


@tried(25)
@given(st.floats(-2.2, 0.3), st.floats(0.35, 1.1))
def test_cell_probabilities_agree_with_quadrature(mu: float, sigma: float) -> None:
    ours = cell_probabilities(GRID, np.array([[mu, np.log(sigma)]]), kept())[0]

    sizes, screen = NormalDist(mu, sigma), NormalDist(EDGE, SOFTNESS)

    def density(x: float) -> float:
        return sizes.pdf(x) * screen.cdf(x)

    ends = np.log(np.where(np.isinf(GRID.edges), np.exp(8.0), GRID.edges))
    theirs = np.array([quad(density, low, high)[0] for low, high in pairwise(ends)])
    # The last cell is open: the grid takes it to end at four times its start, so it is left out of the comparison.
    np.testing.assert_allclose(ours[:-1], theirs[:-1] / theirs.sum(), atol=2e-3, rtol=0.02)


def test_edges_lie_between_recorded_sizes_and_hold_all_class_edges() -> None:
    edges = fine_edges(CLASS_EDGES)
    assert np.all(np.diff(edges) > 0)
    np.testing.assert_allclose(np.mod(edges[:-2] * 100, 1.0), 0.5, atol=1e-6)
    # The first class starts at 0, which no stone has: its first cell starts half a step above.
    for edge in CLASS_EDGES[1:]:
        assert np.isclose(edges, edge).any() or np.isinf(edge)


def test_no_recorded_size_lies_on_an_edge() -> None:
    sizes = np.arange(1, 1200) / 100
    by_shift = [GRID.cell_of(sizes + shift) for shift in (-1e-4, 0.0, 1e-4)]
    np.testing.assert_array_equal(by_shift[0], by_shift[1])
    np.testing.assert_array_equal(by_shift[1], by_shift[2])


def test_fit_recovers_the_sizes_that_were_drawn() -> None:
    fit = fit_sizes(draw(-1.3, 0.7, 4000, seed=1, n_parcels=40), GRID, kept(40), **NO_PRIOR)
    error = np.sqrt(np.diagonal(np.linalg.inv(fit.information), axis1=1, axis2=2))
    z = (fit.theta - [-1.3, np.log(0.7)]) / error
    assert np.abs(z.mean(axis=0)).max() < 4 / np.sqrt(40)  # 0 within four standard errors
    np.testing.assert_allclose(z.std(axis=0), 1.0, atol=0.4)


def test_information_is_the_curvature_of_the_likelihood_at_expected_counts() -> None:
    theta = np.array([-1.1, -0.35])
    n = 500.0
    counts = n * cell_probabilities(GRID, theta[None], kept())
    fit = fit_sizes(counts, GRID, kept(), **NO_PRIOR)
    np.testing.assert_allclose(fit.theta[0], theta, atol=1e-5)

    def loss(t: Floats) -> float:
        return -float(counts[0] @ np.log(np.maximum(cell_probabilities(GRID, t[None], kept())[0], 1e-300)))

    def gradient(t: Floats) -> Floats:
        return np.asarray(approx_fprime(t, loss, 1e-5), dtype=np.float64)

    hessian = np.stack([(gradient(theta + h) - gradient(theta - h)) / 2e-3 for h in 1e-3 * np.eye(2)])
    np.testing.assert_allclose(fit.information[0], hessian, rtol=0.02, atol=1.0)


def test_a_hard_sieve_outside_the_window_changes_nothing() -> None:
    counts = draw(-1.2, 0.7, 1500, seed=3)
    inside = np.zeros((1, GRID.n_cells))
    inside[0, 8:22] = 1.0
    sieved = counts.copy()
    sieved[0, :8] = 0.0
    sieved[0, 22:] = 0.0
    whole = fit_sizes(counts, GRID, kept(), inside=inside, **NO_PRIOR)
    cut = fit_sizes(sieved, GRID, kept(), inside=inside, **NO_PRIOR)
    np.testing.assert_allclose(whole.theta, cut.theta, atol=1e-10)
    np.testing.assert_allclose(whole.information, cut.information, atol=1e-8)
    error = np.sqrt(np.diagonal(np.linalg.inv(cut.information[0])))
    assert np.all(np.abs(cut.theta[0] - [-1.2, np.log(0.7)]) < 4 * error)


def test_classes_that_are_cells_give_the_fit_of_the_cells() -> None:
    counts = draw(-1.0, 0.6, 700, seed=4, n_parcels=3)
    membership = GRID.membership(GRID.edges[:-1], GRID.edges[1:])
    np.testing.assert_allclose(membership, np.eye(GRID.n_cells), atol=1e-9)
    by_cell = fit_sizes(counts, GRID, kept(3), **NO_PRIOR)
    by_class = fit_sizes(counts, GRID, kept(3), membership=membership, **NO_PRIOR)
    _same(by_cell, by_class)


def _same(first: SizeFit, second: SizeFit) -> None:
    np.testing.assert_allclose(first.theta, second.theta, atol=1e-6)
    np.testing.assert_allclose(first.information, second.information, rtol=1e-4, atol=1e-3)


def test_coarser_classes_know_less_and_agree() -> None:
    counts = draw(-1.0, 0.6, 3000, seed=5)
    lower, upper = CLASS_EDGES[[0, 3, 6, 8]], CLASS_EDGES[[3, 6, 8, 13]]
    membership = GRID.membership(lower, upper)
    fine = fit_sizes(counts, GRID, kept(), **NO_PRIOR)
    coarse = fit_sizes(counts @ membership.T, GRID, kept(), membership=membership, **NO_PRIOR)
    assert np.linalg.eigvalsh(fine.information[0] - coarse.information[0]).min() > -0.02 * fine.information[0].max()
    error = np.sqrt(np.diagonal(np.linalg.inv(coarse.information[0])))
    assert np.all(np.abs(coarse.theta[0] - fine.theta[0]) < 4 * error)


PRIOR = {"prior_mean": np.array([-1.5, -0.25]), "prior_precision": np.diag([2.0, 6.0])}


def log_posterior(theta: Floats, counts: Floats, membership: Floats) -> float:
    """Written down once more: chances of the classes among all that was kept."""
    chance = membership @ cell_probabilities(GRID, theta[None], kept())[0]
    off = theta - PRIOR["prior_mean"]
    return float(counts @ np.log(np.maximum(chance, 1e-300)) - 0.5 * off @ PRIOR["prior_precision"] @ off)


@tried(40)
@given(st.integers(0, 2**32 - 1))
def test_the_fit_of_a_sheet_is_where_an_optimiser_finds_it_whatever_classes_it_has(seed: int) -> None:
    """Sheets begin at +7 and end where they like: the fit climbs to the top all the same."""
    rng = np.random.default_rng(seed)
    first = int(rng.integers(0, 9))
    rows = np.arange(first, int(rng.integers(first + 3, 14)))
    membership = GRID.membership(CLASS_EDGES[rows], CLASS_EDGES[rows + 1])
    theta = np.array([rng.uniform(-2.2, 0.3), np.log(rng.uniform(0.35, 1.1))])
    counts = rng.multinomial(rng.integers(40, 3000), cell_probabilities(GRID, theta[None], kept())[0]) @ membership.T
    assume(np.sort(counts)[-2] >= 5)  # where one class has all stones, sizes within it are as the prior says
    fit = fit_sizes(counts[None], GRID, kept(), membership=membership, **PRIOR)

    def loss(t: Floats) -> float:
        return -log_posterior(t, counts, membership)

    best = min(float(minimize(loss, start, method="Nelder-Mead").fun) for start in (fit.theta[0], theta))
    assert loss(fit.theta[0]) < best + 0.02


def test_classes_without_stones_tell_as_much_as_the_others() -> None:
    """A class of no stones that a sheet does not list says what it says in a sheet that lists it."""
    whole = GRID.membership(CLASS_EDGES[:-1], CLASS_EDGES[1:])
    counts = (draw(-1.2, 0.6, 500, seed=8) @ whole.T)[0]
    counts[:4] = 0.0
    listed = fit_sizes(counts[None], GRID, kept(), membership=whole, **PRIOR)
    joined = np.vstack([whole[4:], whole[:4].sum(axis=0)])
    told = fit_sizes(np.append(counts[4:], 0.0)[None], GRID, kept(), membership=joined, **PRIOR)
    unlisted = fit_sizes(counts[None, 4:], GRID, kept(), membership=whole[4:], **PRIOR)
    np.testing.assert_allclose(unlisted.theta, listed.theta, atol=1e-5)
    np.testing.assert_allclose(unlisted.information, told.information, rtol=1e-6)


def test_two_stones_more_or_less_move_a_fit_by_less_than_its_error() -> None:
    """Three valuations of one parcel of 560 stones, of which 190 to 160 lie in each of three classes."""
    lower, upper = np.array([0.115, 0.175, 0.315]), np.array([0.175, 0.315, np.inf])
    membership = GRID.membership(lower, upper)
    counts = np.array([[186.0, 212.0, 162.0], [188.0, 210.0, 160.0], [190.0, 209.0, 163.0]])
    fit = fit_sizes(counts, GRID, kept(3), membership=membership, **PRIOR)
    error = np.sqrt(np.diagonal(np.linalg.inv(fit.information), axis1=1, axis2=2))
    assert np.all(np.ptp(fit.theta, axis=0) < error.min(axis=0))


def test_every_cell_lies_in_classes_that_cover_it() -> None:
    membership = GRID.membership(np.array([0.0, 0.1, 0.9]), np.array([0.1, 0.9, np.inf]))
    np.testing.assert_allclose(membership.sum(axis=0), 1.0, atol=1e-9)


def test_nothing_is_kept_above_a_top() -> None:
    top = np.array([np.log(1.235)])
    probabilities = cell_probabilities(
        GRID, np.array([[0.0, 0.0]]), log_keep(GRID, np.array([EDGE]), np.array([SOFTNESS]), top)
    )
    assert probabilities[0, GRID.edges[:-1] >= 1.235].sum() == pytest.approx(0.0, abs=1e-12)


def test_a_parcel_of_one_stone_has_a_finite_fit() -> None:
    counts = np.zeros((1, GRID.n_cells))
    counts[0, 10] = 1.0
    prior = {"prior_mean": np.array([-1.0, -0.4]), "prior_precision": np.diag([2.0, 6.0])}
    fit = fit_sizes(counts, GRID, kept(), **prior)
    assert np.isfinite(fit.theta).all()
    assert np.abs(fit.theta - prior["prior_mean"]).max() < 2.0


@pytest.mark.parametrize("log_sigma", [-1e6, -800.0, -60.0, 60.0, 800.0, 1e6])
def test_a_spread_beyond_any_number_gives_chances_all_the_same(log_sigma: float) -> None:
    found = cell_probabilities(GRID, np.array([[-1.0, log_sigma], [40.0, log_sigma]]), np.repeat(kept(), 2, axis=0))
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert (found >= 0).all()
