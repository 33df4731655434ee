"""Strangeness and what follows from it: on one scale whatever is recorded, deaf to scale-free changes, level kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2, norm

from kpfootprint.stats.evidence import AS_RECORDED, CLASSES, SLOTS, View, view_of
from kpfootprint.stats.ranks import LOG10_SUPPORT_OF_UNUSUAL, NOVEL_P, RankTable, highest_log10_lr, strangeness
from kpfootprint.stats.tables import table_distances
from tests import reference_world as world
from training.prepare import Fitted, with_weight

TRUST = np.ones(400)


def seen(kind: str, n: int, *, seed: int) -> tuple[View, np.ndarray]:
    arrays, _ = world.draw(kind, n, seed=seed)
    fitted = world.fitted()
    return view_of(arrays, fitted), np.log(arrays.n_stones)


@pytest.fixture(scope="module")
def known() -> tuple[View, np.ndarray]:
    return seen("listed", 400, seed=41)


@pytest.mark.slow
def test_it_is_the_normal_score_of_a_chi_square_distance(known: tuple[View, np.ndarray]) -> None:
    """Wilson and Hilferty's approximation, against scipy's distribution, where the tail is not extreme."""
    view, _ = known
    distance, dims = view.distance[AS_RECORDED].min(axis=1), view.n_dims[AS_RECORDED]
    exact = norm.isf(chi2.sf(distance, dims))
    usual = np.abs(exact) < 4
    assert usual.sum() > 300
    np.testing.assert_allclose(strangeness(view, TRUST)[usual], exact[usual], atol=0.12)


@pytest.mark.slow
def test_an_attribute_that_is_not_recorded_does_not_make_a_parcel_look_familiar(
    known: tuple[View, np.ndarray],
) -> None:
    view, _ = known
    fitted = world.fitted()
    without = replace(view.arrays, recorded=view.arrays.recorded & np.array([True, True, False]))
    less = strangeness(view_of(without, fitted), np.ones(len(without)))
    assert abs(np.median(less) - np.median(strangeness(view, TRUST))) < 0.5


@pytest.mark.slow
def test_sizes_that_are_not_trusted_do_not_count(known: tuple[View, np.ndarray]) -> None:
    view, _ = known
    bent = replace(view, distance=np.where(np.arange(len(SLOTS))[:, None, None] == CLASSES, view.distance, 1e6))
    np.testing.assert_array_equal(strangeness(bent, 0.0 * TRUST), strangeness(view, 0.0 * TRUST))
    assert np.all(strangeness(bent, TRUST) > 10)


def test_what_was_declared_is_one_more_candidate(known: tuple[View, np.ndarray]) -> None:
    view, ln_n = known
    alone = strangeness(view, TRUST)
    far, near = np.full((len(SLOTS), ln_n.size), 1e6), np.zeros((len(SLOTS), ln_n.size))
    np.testing.assert_array_equal(strangeness(view, TRUST, far), alone)
    np.testing.assert_array_equal(strangeness(view, TRUST, np.full_like(far, np.nan)), alone)
    assert np.all(strangeness(view, TRUST, near) < alone)


@pytest.mark.slow
def test_far_sources_are_flagged_and_listed_ones_at_the_stated_level(known: tuple[View, np.ndarray]) -> None:
    view, ln_n = known
    table = RankTable.from_calibration(strangeness(view, TRUST), ln_n)
    fresh, fresh_ln_n = seen("listed", 400, seed=42)
    far, far_ln_n = seen("far", 300, seed=43)
    assert np.mean(table.p_values(strangeness(fresh, TRUST), fresh_ln_n) <= NOVEL_P) < 0.11
    assert np.mean(table.p_values(strangeness(far, TRUST[:300]), far_ln_n) <= NOVEL_P) > 0.6


def weighed(view: View, weight: float) -> View:
    assert isinstance(view.model, Fitted)
    return replace(view, model=with_weight(view.model, weight))


def test_tables_count_as_much_as_they_weigh(known: tuple[View, np.ndarray]) -> None:
    view, _ = known
    explicit, tables, half = (strangeness(weighed(view, w), TRUST) for w in (0.0, 1.0, 0.5))
    np.testing.assert_allclose(half, (explicit + tables) / 2)
    assert view.model.tables is not None
    distance, counted = table_distances(view.model.tables, view.arrays, view.model.structure, None)
    nearest, dims = distance[0].min(axis=1), counted[0]
    exact = norm.isf(chi2.sf(nearest, dims))
    usual = np.abs(exact) < 4
    np.testing.assert_allclose(tables[usual], exact[usual], atol=0.12)


def test_classes_that_no_source_has_are_strange_by_the_tables(known: tuple[View, np.ndarray]) -> None:
    view, _ = known
    colours = np.zeros_like(view.arrays.tables[0])
    colours[:, :, -1] = view.arrays.tables[0].sum(axis=2)
    odd = replace(view, arrays=replace(view.arrays, tables=(colours, *view.arrays.tables[1:])))
    assert np.all(strangeness(weighed(odd, 0.5), TRUST) > strangeness(weighed(view, 0.5), TRUST))
    np.testing.assert_array_equal(strangeness(weighed(odd, 0.0), TRUST), strangeness(weighed(view, 0.0), TRUST))


def test_sizes_that_are_not_trusted_do_not_count_in_the_tables(known: tuple[View, np.ndarray]) -> None:
    view, _ = known
    cells = np.zeros_like(view.arrays.cells)
    cells[:, -1] = view.arrays.cells.sum(axis=1)
    large, plain = weighed(replace(view, arrays=replace(view.arrays, cells=cells)), 0.5), weighed(view, 0.5)
    np.testing.assert_array_equal(strangeness(large, 0.0 * TRUST), strangeness(plain, 0.0 * TRUST))
    assert np.all(strangeness(large, TRUST) > strangeness(plain, TRUST))


def test_only_flagged_parcels_are_held() -> None:
    found = highest_log10_lr(np.array([0.001, 0.15, 0.15 + 1e-9, 0.7]), 0.15)
    np.testing.assert_array_equal(found, [LOG10_SUPPORT_OF_UNUSUAL, LOG10_SUPPORT_OF_UNUSUAL, np.inf, np.inf])
