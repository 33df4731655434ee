from __future__ import annotations

import numpy as np
import pytest

from kpfootprint.stats.arrays import Floats, Ints
from kpfootprint.stats.parcel_model import PAIRWISE, ParcelModel, fit_parcel_model

G, D = 8, 3
SIZES = np.array([25, 25, 25, 25, 25, 25, 25, 3])


def a_world(seed: int, *, between: float = 1.5, mislabel: bool = False) -> tuple[ParcelModel, Floats, Floats]:
    """Groups, a factor of three levels, deviations and errors of known size; a parcel of group 1 labelled 0."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(G), SIZES).astype(np.intp)
    n = groups.size
    means = rng.normal(size=(G, D)) * between
    effects = np.array([[0.4, 0, 0], [-0.4, 0, 0.2], [0, 0.3, -0.2]])
    level = rng.integers(3, size=n).astype(np.intp)
    level[rng.random(n) < 0.1] = -1
    true_level = np.where(level < 0, rng.integers(3, size=n), level)
    errors = np.array([np.eye(D) * v for v in rng.uniform(0.005, 0.05, n)])
    y = means[groups] + effects[true_level] + 0.3 * rng.standard_normal((n, D))
    y += np.sqrt(errors[:, 0, 0])[:, None] * rng.standard_normal((n, D))
    if mislabel:
        far = int(np.argmax(((means - means[0]) ** 2).sum(axis=1)))
        y[0] += means[far] - means[0]
    model = fit_parcel_model(y, errors, (groups, level), (G, 3))
    return model, means, effects


def test_group_means_and_effects_are_recovered() -> None:
    model, means, effects = a_world(1)
    gap = (model.groups - model.groups.mean(axis=0)) - (means - means.mean(axis=0))
    # Each mean rests on 25 parcels with a spread of about 0.36, the last one on three.
    assert np.abs(gap[:-1]).max() < 4 * 0.36 / 5
    assert np.abs(gap[-1]).max() < 4 * 0.36 / np.sqrt(3)
    contrast = model.levels[0] - model.levels[0].mean(axis=0)
    np.testing.assert_allclose(contrast, effects - effects.mean(axis=0), atol=0.17)


def test_variances_are_recovered() -> None:
    within = np.mean([np.diag(a_world(seed)[0].within) for seed in range(4)], axis=0)
    # Robust weights take a little of the spread away.
    np.testing.assert_allclose(within, 0.09, rtol=0.25)


def test_a_mislabelled_parcel_is_found_and_moves_its_group_little() -> None:
    clean, spoilt = a_world(2)[0], a_world(2, mislabel=True)[0]
    assert spoilt.other[0] > 0.9
    assert spoilt.other[1:].max() < 0.5
    assert spoilt.weights[0] < 0.05
    assert clean.other[0] < 0.5
    assert np.abs(spoilt.groups[0] - clean.groups[0]).max() < 0.1
    assert 1 / spoilt.open_part[0] == pytest.approx(1 / clean.open_part[0] - 1, abs=2)


def test_few_parcels_shrink_towards_the_grand_mean() -> None:
    """With groups hardly apart, the group of three parcels gives up more of its own mean than the others."""
    ratio = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        groups = np.repeat(np.arange(G), SIZES).astype(np.intp)
        y = 0.5 * rng.standard_normal((G, D))[groups] + rng.standard_normal((groups.size, D))
        errors = np.tile(0.01 * np.eye(D), (groups.size, 1, 1))
        model = fit_parcel_model(y, errors, (groups,), (G,))
        own = np.array([y[groups == g].mean(axis=0) for g in range(G)]) - model.mean
        kept = np.linalg.norm(model.groups - model.mean, axis=1) / np.linalg.norm(own, axis=1)
        ratio.append([kept[:-1].mean(), kept[-1]])
    many, few = np.mean(ratio, axis=0)
    assert few < many
    assert few < 0.8


def test_t_weights_fall_with_distance_and_stay_positive() -> None:
    model = a_world(2, mislabel=True)[0]
    assert np.all((model.weights > 0) & (model.weights <= (10 + D) / 10))
    assert model.weights[0] < np.median(model.weights)


def test_priors_of_levels_are_smoothed_frequencies() -> None:
    model = a_world(3)[0]
    assert model.level_priors[0].sum() == pytest.approx(1.0)
    assert np.all(model.level_priors[0] > 0)


def test_a_group_without_parcels_is_refused() -> None:
    with pytest.raises(ValueError, match="every group needs a parcel"):
        fit_parcel_model(np.zeros((2, 1)), np.ones((2, 1, 1)), (np.array([0, 2]),), (3,), n_iterations=1)


@pytest.mark.parametrize("zones", [5, 20, 60, 200])
def test_sums_over_parcels_are_taken_two_at_a_time_however_many_zones_there_are(zones: int) -> None:
    design, square = np.empty((4 * zones, zones + 6)), np.empty((4 * zones, 10, 10))
    coefficients = np.empty((zones + 6, 10, zones + 6, 10))
    for subscripts, arrays in (
        ("pk,pl,pde->kdle", (design, design, square)),
        ("pk,kdle,pl->pde", (design, coefficients, design)),
    ):
        path = np.einsum_path(subscripts, *arrays, optimize=PAIRWISE)[0]
        assert all(len(step) == 2 for step in path[1:])


# What is believed of the covariance.


def tied(inside: float, across: float) -> Floats:
    """A covariance of two attributes of four numbers, all of variance 0.1."""
    block = np.repeat([0, 1], 4)
    ties = np.where(block[:, None] == block, inside, across).astype(np.float64)
    np.fill_diagonal(ties, 1.0)
    out: Floats = 0.1 * ties
    return out


ATTRIBUTES = (slice(0, 4), slice(4, 8))


def parcels_of(cov: Floats, n_each: int, seed: int) -> tuple[Floats, Floats, Ints]:
    """Draw parcels of six groups of a known covariance."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(6), n_each).astype(np.intp)
    y = rng.normal(size=(6, 8))[groups] + rng.multivariate_normal(np.zeros(8), cov, size=groups.size)
    return y, np.tile(0.005 * np.eye(8), (groups.size, 1, 1)), groups


def fitted(y: Floats, errors: Floats, groups: Ints, prior: Floats | None = None) -> Floats:
    """Return what is learnt of the covariance."""
    return fit_parcel_model(y, errors, (groups,), (6,), attributes=ATTRIBUTES, prior=prior).within


def learnt(cov: Floats, n_each: int, seed: int) -> Floats:
    return fitted(*parcels_of(cov, n_each, seed))


def ties(within: Floats) -> Floats:
    scale = np.sqrt(np.diag(within))
    out: Floats = within / np.outer(scale, scale)
    return out


def ties_across(within: Floats) -> Floats:
    return ties(within)[:4, 4:]


def test_attributes_that_do_not_hang_together_are_learnt_so_from_few_parcels() -> None:
    drawn = [ties_across(learnt(tied(0.5, 0.0), 4, seed)) for seed in range(6)]
    # Correlations of 24 parcels in six groups scatter by about 1 / sqrt(18) = 0.24 by themselves.
    assert np.sqrt(np.mean(np.square(drawn))) < 0.12


@pytest.mark.slow
@pytest.mark.parametrize("n_each", [4, 12])
def test_attributes_that_hang_together_are_not_forced_apart(n_each: int) -> None:
    drawn = [ties_across(learnt(tied(0.5, 0.45), n_each, seed)).mean() for seed in range(6)]
    assert np.mean(drawn) > (0.25 if n_each == 4 else 0.35)


@pytest.mark.slow
def test_many_parcels_overrule_what_is_believed() -> None:
    cov = tied(0.6, -0.2)
    np.testing.assert_allclose(ties(learnt(cov, 300, 1)), ties(cov), atol=0.06)


@pytest.mark.slow
@pytest.mark.parametrize("n_each", [2, 3, 20])
def test_what_is_learnt_is_a_covariance(n_each: int) -> None:
    """Also where attributes hang together more than the numbers within one, which shrinking them apart would break."""
    for seed in range(4):
        assert np.linalg.eigvalsh(learnt(tied(0.0, 0.24), n_each, seed)).min() > 0


def test_the_order_in_which_classes_are_listed_changes_nothing() -> None:
    """Classes listed otherwise turn the contrasts of an attribute."""
    y, errors, groups = parcels_of(tied(0.5, 0.3), 4, 5)
    turn = np.eye(8)
    for attribute, seed in zip(ATTRIBUTES, (1, 2), strict=True):
        turn[attribute, attribute] = np.linalg.qr(np.random.default_rng(seed).normal(size=(4, 4)))[0]
    turned = fitted(y @ turn.T, turn @ errors @ turn.T, groups)
    np.testing.assert_allclose(turned, turn @ fitted(y, errors, groups) @ turn.T, atol=1e-10)


def test_a_prior_gives_the_shape_and_the_parcels_the_amount() -> None:
    drawn = parcels_of(tied(0.5, 0.3), 2, 6)
    prior = np.diag(np.arange(1.0, 9.0))
    found = fitted(*drawn, prior=prior)
    np.testing.assert_allclose(fitted(*drawn, prior=7.0 * prior), found)
    # Twelve parcels against six for each number.
    assert np.corrcoef(np.diag(found), np.diag(prior))[0, 1] > 0.95
    assert np.trace(found) < 0.05 * np.trace(prior)


def test_what_is_not_known_of_a_mean_falls_as_one_over_its_parcels() -> None:
    model, *_ = a_world(3)
    worth = 1 / model.open_part
    assert worth[:-1] == pytest.approx(np.full(G - 1, worth[:-1].mean()), rel=0.25)
    assert 2 < worth[:-1].mean() / worth[-1] < 25 / 2
