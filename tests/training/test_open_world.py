from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kpfootprint.reference import ReferencePackage
from kpfootprint.stats.ranks import NOVEL_P
from tests.training.parcels import ZONES, make_package
from training.config import read_config
from training.evaluate.doubts import suspects_of
from training.evaluate.measure import measure
from training.evaluate.methods import Method, fit_splits, held_out, zones_of
from training.evaluate.open_world import open_world, open_world_results
from training.evaluate.own import OwnEvidence
from training.evaluate.setting import Setting
from training.evaluate.trials import Draws
from training.folds import folds
from training.peers import PEERS
from training.prepare import fit_model, prepare


@pytest.fixture(scope="module")
def package() -> ReferencePackage:
    return make_package()


def of(package: ReferencePackage, method: Method = PEERS[-1]) -> Setting:
    return Setting.of(method, package, unlisted_weight=0.2, turned=0.0)


def test_parcels_from_nowhere_are_declared_as_compliant_zones_alone(package: ReferencePackage) -> None:
    setting = of(package)
    codes = setting.codes
    fits = fit_splits(setting.method, package, folds(setting.fold))
    found = open_world(setting, held_out(fits, package.batch, 3)[0])
    # Only west was ever compliant: parcels of east and north are declared as west, one trial each.
    assert (found.trials.declared == ZONES.index("west")).all()
    assert sorted(set(codes[found.trials.parcel])) == [ZONES.index("east"), ZONES.index("north")]
    assert np.isfinite(found.log10_lr).all()
    results = open_world_results(found, codes, draws=Draws(np.random.default_rng(2), 20))
    every, best = (
        next(r for r in results if r.conditions == f"zone left out, {c} declaration") for c in ("every", "best")
    )
    assert every.value == best.value
    equal = np.mean([(found.log10_lr[codes[found.trials.parcel] == z] > 1).mean() for z in (0, 1)])
    assert every.value == pytest.approx(equal)


def test_p_values_across_folds_rank_within_other_folds(package: ReferencePackage) -> None:
    rng = np.random.default_rng(3)
    strange, n_stones, fold = rng.normal(size=300), rng.uniform(100, 1000, 300), np.arange(300) % 5
    everything = np.ones(300, dtype=bool)
    setting = replace(of(package), codes=fold, n_stones=n_stones, fold=fold, trusted=everything)
    p = setting.novelty_p(strange)
    assert (p <= 0.05).mean() == pytest.approx(0.05, abs=0.03)
    assert (setting.novelty_p(strange, strange + 10) <= 0.05).all()


@pytest.mark.slow
def test_the_own_evidence_goes_through_the_whole_harness(package: ReferencePackage) -> None:
    evaluation = measure(of(package, OwnEvidence(read_config().evidence, NOVEL_P)), n_resamples=5)
    found = {(r.metric, r.conditions): r.value for r in evaluation.results}
    auc = found["AUC", "as collected"]
    assert auc is not None
    assert auc > 0.9
    assert ("LR > 10 from nowhere", "zone left out, best declaration") in found
    assert len(evaluation.trials) > 0
    assert zones_of(package) == ZONES


def test_a_parcel_under_the_wrong_zone_is_suspected() -> None:
    package = make_package(n_each=16, n_stones=600, seed=9)
    zone_of = ("west", *package.zone_of[1:])
    swapped = type(package)(
        **{**{name: getattr(package, name) for name in type(package).__dataclass_fields__}, "zone_of": zone_of}
    )
    doubted = {}
    for name, shown in (("swapped", swapped), ("as it is", package)):
        prepared = prepare(shown, minimum_parcels=1)
        doubted[name] = {s.parcel_id for s in suspects_of(prepared, fit_model(prepared))}
    assert "P000" in doubted["swapped"]
    assert "P000" not in doubted["as it is"]
