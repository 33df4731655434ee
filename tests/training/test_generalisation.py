"""Poorer references, fusion, and LRs that a flagged parcel cannot carry: on a small invented package."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import partial

import numpy as np
import pytest

from kpfootprint.reference import ReferencePackage
from kpfootprint.stats.ranks import LOG10_SUPPORT_OF_UNUSUAL, NOVEL_P
from tests.training.parcels import make_package
from training.config import read_config
from training.evaluate.measure import (
    FEW,
    WRONG_LABELS,
    measure_shares,
    on_later_parcels,
    poorer_references,
    with_poorer_references,
)
from training.evaluate.methods import fit_splits, held_out, zone_codes
from training.evaluate.own import ALONE, OwnEvidence, each_alone
from training.evaluate.setting import Setting
from training.evaluate.trials import Draws
from training.folds import folds
from training.peers.usual import ChiSquare, LinearDiscriminant, MultinomialEM
from training.record import Result


@pytest.fixture(scope="module")
def package() -> ReferencePackage:
    return make_package(n_each=15)


def value(results: list[Result], metric: str, conditions: str) -> float:
    (found,) = [r.value for r in results if (r.metric, r.conditions) == (metric, conditions)]
    assert found is not None
    return found


def test_few_parcels_are_left_of_every_zone_and_none_that_is_tested(package: ReferencePackage) -> None:
    fold = Setting.of(ChiSquare(), package, unlisted_weight=0.2, turned=0.0).fold
    codes = zone_codes(package)
    for (conditions, learnt, splits), few in zip(poorer_references(package, fold), FEW, strict=False):
        assert conditions == f"{few} reference parcels a zone"
        assert learnt is package
        for split in splits:
            assert not set(split.train) & set(split.test)
            np.testing.assert_array_equal(np.bincount(codes[split.train]), few)


def test_wrong_labels_are_of_another_zone(package: ReferencePackage) -> None:
    *_, (conditions, learnt, _) = poorer_references(
        package, Setting.of(ChiSquare(), package, unlisted_weight=0.2, turned=0.0).fold
    )
    assert conditions == f"{WRONG_LABELS:.0%} of reference labels wrong"
    wrong = np.array(learnt.zone_of) != np.array(package.zone_of)
    assert 0 < wrong.mean() < 0.3
    assert set(learnt.zone_of) == set(package.zone_of)


def test_every_poorer_reference_is_measured(package: ReferencePackage) -> None:
    setting = Setting.of(LinearDiscriminant(), package, unlisted_weight=0.2, turned=0.0)
    results = with_poorer_references(setting, Draws(np.random.default_rng(1), 5))
    assert len({r.conditions for r in results}) == len(FEW) + 1
    assert all(0.0 < value(results, "Cllr", conditions) < 0.9 for conditions in {r.conditions for r in results})


def test_a_few_small_parcels_are_measured_as_far_as_they_go() -> None:
    package = make_package(n_each=3, n_stones=20)
    package = replace(package, collected_on=tuple(date(2016, 1, day) for day in range(1, 10)))
    setting = Setting.of(ChiSquare(), package, unlisted_weight=0.2, turned=0.0)
    early = replace(package, zone_of=(*package.zone_of[::3], *package.zone_of[1::3], *package.zone_of[2::3]))
    later = Setting.of(ChiSquare(), early, unlisted_weight=0.2, turned=0.0)
    assert {r.characteristic for r in on_later_parcels(later, Draws(np.random.default_rng(1), 5))} <= {"generalisation"}
    unmixer = MultinomialEM()
    learnt_from = partial(unmixer.learnt_from, package)
    assert measure_shares(unmixer.name, learnt_from, setting).results == ()


@pytest.mark.slow
def test_either_kind_of_evidence_is_measured_alone(package: ReferencePackage) -> None:
    own = OwnEvidence(read_config().evidence, NOVEL_P)
    results = each_alone(
        Setting.of(own, package, unlisted_weight=0.2, turned=0.0), own, draws=Draws(np.random.default_rng(1), 5)
    )
    assert all(value(results, "AUC", conditions) > 0.8 for conditions in ALONE)


def test_flagged_parcels_are_held_where_the_method_says_so(package: ReferencePackage) -> None:
    plain = Setting.of(ChiSquare(), package, unlisted_weight=0.2, turned=0.0)
    method = ChiSquare()
    method.strong_novelty_p = NOVEL_P
    ruled = Setting.of(method, package, unlisted_weight=0.2, turned=0.0)
    seen = held_out(fit_splits(plain.method, package, folds(plain.fold)), package.batch, plain.n_zones)
    assert seen[1] is not None
    strange = np.where(np.arange(plain.codes.size) == plain.codes.size - 1, 1e3, seen[1])
    free, held = plain.log10_lr((seen[0], strange)), ruled.log10_lr((seen[0], strange))
    flagged = ruled.novelty_p(strange)[plain.trials.parcel] <= 0.05
    assert flagged.any()
    np.testing.assert_array_equal(free[~flagged], held[~flagged])
    np.testing.assert_array_equal(np.minimum(free[flagged], LOG10_SUPPORT_OF_UNUSUAL), held[flagged])
