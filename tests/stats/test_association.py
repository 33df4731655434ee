"""Within a parcel, goods of two kinds bring their attributes along together; goods of one kind do not."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpfootprint.stats.arrays import Floats, ParcelArrays
from kpfootprint.stats.declarations import (
    N_BANDS,
    association_gain,
    association_statistic,
    declared_location,
    foreign_sources,
    profile_of,
    size_bands,
)
from kpfootprint.stats.evidence import view_of
from tests.reference_world import draw, fitted
from training.scenarios import Truth

LARGE = {"median_stones": 3000.0, "spread_stones": 0.2, "small": 0.0, "large": 0.0}


def statistic(arrays: ParcelArrays, truth: Truth) -> Floats:
    world = fitted()
    view = view_of(arrays, world)
    profile = profile_of(view, truth.declared)
    return association_statistic(profile, foreign_sources(truth.declared, truth.allowed))


@given(st.lists(st.floats(0.001, 1.0), min_size=1, max_size=20))
def test_bands_are_increasing_and_without_gaps(chances: list[float]) -> None:
    bands = size_bands(np.array(chances))
    assert bands[0] == 0
    assert set(np.diff(bands).tolist()) <= {0, 1}
    assert bands[-1] < N_BANDS


@pytest.mark.slow
def test_mixed_goods_gain_and_goods_of_one_kind_do_not() -> None:
    pure, of_pure = draw("listed", 60, seed=21, **LARGE)
    mixed, of_mixed = draw("mixed", 120, seed=22, **LARGE)
    # halves of far sources: the last seven zones of the package are not western
    plain = (np.abs(of_mixed.share - 0.5) < 0.2) & (of_mixed.source >= 7) & (of_mixed.source < 14)
    rows = np.flatnonzero(plain)
    assert rows.size > 8
    half = Truth(**{name: getattr(of_mixed, name)[rows] for name in (item.name for item in fields(Truth))})
    found, none = statistic(mixed.take(rows), half), statistic(pure, of_pure)
    assert np.median(none) < 1.0
    assert np.mean(found > np.quantile(none, 0.95)) > 0.3


@pytest.mark.slow
def test_nothing_is_gained_where_no_two_attributes_are_recorded() -> None:
    arrays, truth = draw("mixed", 10, seed=23)
    world = fitted()
    alone = replace(arrays, recorded=arrays.recorded & np.array([True, False, False]))
    alone = replace(alone, tables=tuple(0.0 * t for t in alone.tables), pairs=tuple(0.0 * p for p in alone.pairs))
    location, _ = declared_location(world, truth.declared)
    gain = association_gain(
        alone,
        world.structure,
        world.predictor,
        location=location,
        shares=np.array([0.2, 0.6]),
        bands=world.bands,
    )
    np.testing.assert_allclose(gain, 0.0, atol=1e-9)


@pytest.mark.slow
def test_an_admixture_of_the_declared_goods_themselves_changes_nothing() -> None:
    """Zone z put into zone z is zone z, whatever the share."""
    arrays, _ = draw("listed", 8, seed=24)
    world = fitted()
    z = 3
    gain = association_gain(
        arrays,
        world.structure,
        world.predictor,
        location=np.tile(world.predictor.sources[z], (len(arrays), 1)),
        shares=np.array([0.1, 0.5, 0.9]),
        bands=world.bands,
    )[..., z]
    for share in range(1, gain.shape[-1]):
        assert gain[..., share] == pytest.approx(gain[..., 0], abs=1e-7)
