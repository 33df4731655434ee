"""The Dirichlet-multinomial tables: against scipy, closed under leaving out, wide where little is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import dirichlet_multinomial as scipy_dirichlet_multinomial

from kpfootprint.stats.arrays import ParcelArrays
from kpfootprint.stats.evidence import view_of
from kpfootprint.stats.model import any_unlisted, average, averaged_readings, slots_of
from kpfootprint.stats.structure import Structure
from kpfootprint.stats.tables import (
    fit_tables,
    listed_and_unlisted,
    log_dirichlet_multinomial,
    resample_tables,
    resampled_tables,
    table_counts,
    table_distances,
    tables_of_blends,
)
from tests.worlds import draw_true, shipped

ZONES = np.repeat(np.arange(14), 8).astype(np.intp)


@pytest.fixture(scope="module")
def structure() -> Structure:
    return shipped().model.structure


@pytest.fixture(scope="module")
def arrays() -> ParcelArrays:
    return draw_true(shipped().model, ZONES, n_stones=300, rng=np.random.default_rng(1))


def test_likelihood_agrees_with_scipy_up_to_a_constant_of_the_parcel() -> None:
    rng = np.random.default_rng(1)
    counts = rng.integers(0, 30, (4, 5)).astype(float)
    parameters = rng.uniform(0.2, 9, (3, 5))
    ours = log_dirichlet_multinomial(counts, parameters)
    theirs = np.array(
        [
            [scipy_dirichlet_multinomial.logpmf(c.astype(int), a, c.sum().astype(int)) for a in parameters]
            for c in counts
        ]
    )
    np.testing.assert_allclose(ours - ours[:, :1], theirs - theirs[:, :1], atol=1e-9)


def test_leaving_classes_out_is_a_smaller_table() -> None:
    rng = np.random.default_rng(2)
    counts, parameters = rng.integers(0, 30, (4, 5)).astype(float), rng.uniform(0.2, 9, (3, 5))
    counted = np.tile([1.0, 1.0, 0.0, 1.0, 0.0], (4, 1))
    kept = [0, 1, 3]
    np.testing.assert_allclose(
        log_dirichlet_multinomial(counts, parameters, counted),
        log_dirichlet_multinomial(counts[:, kept], parameters[:, kept]),
        atol=1e-9,
    )


def test_tables_know_a_zone_from_another_and_an_unlisted_source_is_wider(
    arrays: ParcelArrays, structure: Structure
) -> None:
    model = fit_tables(arrays, structure, ZONES, 14, weight=0.5)
    fresh = draw_true(shipped().model, ZONES, n_stones=300, rng=np.random.default_rng(2))
    total = listed_and_unlisted(model, fresh, structure, 1.0).total(0)
    assert (total[:, :-1].argmax(axis=1) == ZONES).mean() > 0.4
    for table in model.tables:
        spread = table.variance()
        assert (spread[-1] > spread[:-1]).all()
        assert (table.variance(3.0) > spread).all()
        np.testing.assert_allclose(table.shares.sum(axis=1), 1.0)


def test_the_variance_between_parcels_is_recovered(arrays: ParcelArrays, structure: Structure) -> None:
    rng = np.random.default_rng(3)
    zones = np.repeat(np.arange(6), 40).astype(np.intp)
    means = rng.dirichlet(np.full(9, 3.0), 6)
    parts = np.array([rng.multinomial(400, rng.dirichlet(30.0 * means[z])) for z in zones], dtype=float)
    rows = np.zeros(len(zones), dtype=np.intp)
    taken = arrays.take(rows)
    tables = (taken.tables[0], parts[:, None, :] * np.eye(taken.tables[1].shape[1])[0][None, :, None])
    shaped = replace(taken, tables=(tables[0], np.zeros_like(taken.tables[1])))
    shaped.tables[1][:, 0, :] = parts[:, : taken.tables[1].shape[2]]
    found = fit_tables(shaped, structure, zones, 6, weight=1.0).tables[2].within
    assert found == pytest.approx(1 / 31, rel=0.25)


def test_few_references_are_trusted_less(arrays: ParcelArrays, structure: Structure) -> None:
    few = np.flatnonzero(np.arange(len(ZONES)) % 8 < 2)
    many = fit_tables(arrays, structure, ZONES, 14, weight=1.0)
    little = fit_tables(arrays.take(few), structure, ZONES[few], 14, weight=1.0)
    for whole, part in zip(many.tables, little.tables, strict=True):
        assert part.known[:-1].mean() - part.known[-1] < whole.known[:-1].mean() - whole.known[-1]


def test_a_declared_zone_is_that_zone_and_a_blend_lies_between(arrays: ParcelArrays, structure: Structure) -> None:
    model = fit_tables(arrays, structure, ZONES, 14, weight=1.0)
    listed = listed_and_unlisted(model, arrays, structure, 1.0).total(0)
    own = tables_of_blends(model, arrays, structure, np.eye(14)[ZONES][:, None]).total(0)[:, 0]
    np.testing.assert_allclose(own, listed[np.arange(len(ZONES)), ZONES], atol=1e-9)
    half = 0.5 * (np.eye(14)[ZONES] + np.eye(14)[(ZONES + 1) % 14])
    assert (tables_of_blends(model, arrays, structure, half[:, None]).total(0)[:, 0] < own + 3.0).mean() > 0.9


def test_what_is_not_recorded_says_nothing(arrays: ParcelArrays, structure: Structure) -> None:
    model = fit_tables(arrays, structure, ZONES, 14, weight=1.0)
    recorded = arrays.recorded.copy()
    recorded[:, 0] = False
    found = listed_and_unlisted(model, replace(arrays, recorded=recorded), structure, 1.0)
    np.testing.assert_array_equal(found.size, 0.0)
    assert all(part.any() for part in found.classes)
    assert not table_counts(replace(arrays, recorded=recorded), structure)[0].any()


def test_resampled_once_each_is_the_model(arrays: ParcelArrays, structure: Structure) -> None:
    model = fit_tables(arrays, structure, ZONES, 14, weight=1.0)
    drawn = resample_tables(model, arrays, structure, ZONES, np.ones((1, len(ZONES)), dtype=np.intp))
    declared = np.eye(14)[ZONES]
    again = resampled_tables(drawn, arrays, structure, declared).total(0)
    np.testing.assert_allclose(
        again[:, :14], listed_and_unlisted(model, arrays, structure, 1.0).total(0)[:, :-1], atol=1e-8
    )
    np.testing.assert_allclose(
        again[:, 14], tables_of_blends(model, arrays, structure, declared[:, None]).total(0)[:, 0], atol=1e-8
    )


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_pooling_is_an_average_on_the_log_scale(weight: float, arrays: ParcelArrays, structure: Structure) -> None:
    few = arrays.take(np.arange(6))
    model = fit_tables(arrays, structure, ZONES, 14, weight=weight)
    view = view_of(few, replace(shipped().model, structure=structure, tables=model))
    every = slots_of(listed_and_unlisted(model, few, structure, 1.0))
    found = averaged_readings(view)
    np.testing.assert_allclose(found.listed, average(view.listed, every[:, :, :-1], weight))
    np.testing.assert_allclose(found.unlisted, any_unlisted(average(view.unlisted, every[:, :, -1:], weight)))
    assert np.isnan(found.declared).all()


def test_distances_are_as_large_as_their_numbers_where_the_tables_are_true(
    arrays: ParcelArrays, structure: Structure
) -> None:
    """Parcels drawn from Dirichlet-multinomials of a zone lie as far from it as there are classes less one."""
    model = fit_tables(arrays, structure, ZONES, 14, weight=1.0)
    rng, n, zone = np.random.default_rng(5), 3000, 4
    table = model.tables[1]
    drawn = rng.dirichlet(table.shares[zone] * (1.0 / table.variance()[zone] - 1.0), n)
    counts = np.array([rng.multinomial(400, shares) for shares in drawn], dtype=float)
    rows = arrays.take(np.zeros(n, dtype=np.intp))
    colours = np.zeros_like(rows.tables[0])
    colours[:, 0] = counts
    recorded = np.zeros_like(rows.recorded)
    recorded[:, 1] = True
    only_colour = replace(rows, tables=(colours, rows.tables[1]), recorded=recorded)
    distance, counted = table_distances(model, only_colour, structure, None)
    assert (counted == counts.shape[1] - 1).all()
    np.testing.assert_array_equal(distance[0], distance[1])
    assert distance[0, :, zone].mean() == pytest.approx(counts.shape[1] - 1, rel=0.1)


def test_the_distance_to_a_declared_zone_is_that_zones_and_sizes_can_be_left_out(
    arrays: ParcelArrays, structure: Structure
) -> None:
    model = fit_tables(arrays, structure, ZONES, 14, weight=1.0)
    distance, counted = table_distances(model, arrays, structure, np.eye(14)[ZONES])
    np.testing.assert_allclose(distance[:, :, -1], distance[:, np.arange(len(ZONES)), ZONES])
    assert (distance[0] >= distance[1]).all()
    assert (counted[0] - counted[1] == len(model.tables[0].unlisted) - 1).all()
    alone, _ = table_distances(model, arrays, structure, None)
    np.testing.assert_array_equal(alone, distance[:, :, :-1])


def test_nothing_recorded_lies_nowhere(arrays: ParcelArrays, structure: Structure) -> None:
    model = fit_tables(arrays, structure, ZONES, 14, weight=1.0)
    blank = replace(arrays, recorded=np.zeros_like(arrays.recorded))
    distance, counted = table_distances(model, blank, structure, None)
    np.testing.assert_array_equal(distance, 0.0)
    np.testing.assert_array_equal(counted, 0.0)
