from __future__ import annotations

import numpy as np
import pytest

from kpfootprint.stats.arrays import Floats
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
    model = fit_parcel_model(y, errors, groups, (level,), n_groups=G, n_levels=(3,))
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
    assert spoilt.n_effective[0] == pytest.approx(clean.n_effective[0] - 1, abs=1.5)


def test_few_parcels_shrink_towards_the_grand_mean() -> None:
    """With groups hardly apart, the group of three parcels gives up more of its own mean than the others."""
    ratio = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        groups = np.repeat(np.arange(G), SIZES).astype(np.intp)
        y = 0.5 * rng.standard_normal((G, D))[groups] + rng.standard_normal((groups.size, D))
        errors = np.tile(0.01 * np.eye(D), (groups.size, 1, 1))
        model = fit_parcel_model(y, errors, groups, (), n_groups=G, n_levels=())
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
        fit_parcel_model(
            np.zeros((2, 1)), np.ones((2, 1, 1)), np.array([0, 2]), (), n_groups=3, n_levels=(), n_iterations=1
        )


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
