"""Worlds that differ are drawn as they say."""

from __future__ import annotations

import numpy as np
import pytest

from kpfootprint.stats.ranks import NOVEL_P
from tests.training.parcels import make_package
from training.config import read_config
from training.evaluate.own import OwnEvidence
from training.evaluate.trials import Draws
from training.evaluate.worlds import WORLDS, World, draw_world, world_results
from training.prepare import Fitted, Prepared, fit_model, prepare


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    return prepare(make_package(n_each=12), minimum_parcels=3)


@pytest.fixture(scope="module")
def fitted(prepared: Prepared) -> Fitted:
    return fit_model(prepared)


def spread(world: World, prepared: Prepared, fitted: Fitted) -> float:
    """Return the variance of the mean log size between parcels of a zone."""
    package = draw_world(world, prepared, fitted, seed=3)
    means = np.array([np.log(p.stones.weight_ct).mean() for p in package.batch if p.stones is not None])
    zones = np.array(package.zone_of)
    return float(np.mean([means[zones == zone].var(ddof=1) for zone in set(package.zone_of)]))


def test_every_world_has_the_parcels_of_the_package(prepared: Prepared, fitted: Fitted) -> None:
    for world in WORLDS:
        package = draw_world(world, prepared, fitted, seed=1)
        assert len(package.batch) == len(prepared.arrays)
        assert sorted(set(package.zone_of)) == sorted(prepared.zone_ids)


def test_more_variance_is_more_variance(prepared: Prepared, fitted: Fitted) -> None:
    plain, ten = (spread(World(name="", variance=factor), prepared, fitted) for factor in (1.0, 10.0))
    assert ten > 2.5 * plain


@pytest.mark.slow
def test_lrs_stay_calibrated_where_parcels_vary_more(prepared: Prepared, fitted: Fitted) -> None:
    method = OwnEvidence(read_config().evidence, NOVEL_P)
    results = world_results(method, prepared, fitted, draws=Draws(np.random.default_rng(1), 3), worlds=WORLDS[1:3])
    assert all(r.value is not None and r.value < 1.1 for r in results if r.metric == "Cllr")
