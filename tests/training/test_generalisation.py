"""Poorer references, fusion, and LRs that a flagged parcel cannot carry: on a small invented package."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from kpfootprint.parcel import Batch
from kpfootprint.reference import ReferencePackage
from kpfootprint.stats.novelty import LOG10_SUPPORT_OF_NOVEL
from tests.training.parcels import make_package
from training.evaluate.fusion import WEIGHTS, fused_results
from training.evaluate.generalisation import FEW, WRONG_LABELS, poorer_references, with_poorer_references
from training.evaluate.methods import Fitted, fit_splits, held_out, zone_codes, zones_of
from training.evaluate.record import Result
from training.evaluate.setting import Setting
from training.evaluate.trials import Alternatives
from training.folds import folds
from training.peers import PeerMethod
from training.peers.distances import ChiSquare
from training.peers.likelihoods import LinearDiscriminant


@pytest.fixture(scope="module")
def package() -> ReferencePackage:
    return make_package(n_each=15)


def value(results: list[Result], metric: str, conditions: str) -> float:
    (found,) = [r.value for r in results if (r.metric, r.conditions) == (metric, conditions)]
    assert found is not None
    return found


def test_few_parcels_are_left_of_every_zone_and_none_that_is_tested(package: ReferencePackage) -> None:
    fold = Setting.of(PeerMethod(ChiSquare), package).fold
    codes = zone_codes(package)
    for (conditions, learnt, splits), few in zip(poorer_references(package, fold), FEW, strict=False):
        assert conditions == f"{few} reference parcels a zone"
        assert learnt is package
        for split in splits:
            assert not set(split.train) & set(split.test)
            np.testing.assert_array_equal(np.bincount(codes[split.train]), few)


def test_wrong_labels_are_of_another_zone(package: ReferencePackage) -> None:
    *_, (conditions, learnt, _) = poorer_references(package, Setting.of(PeerMethod(ChiSquare), package).fold)
    assert conditions == f"{WRONG_LABELS:.0%} of reference labels wrong"
    wrong = np.array(learnt.zone_of) != np.array(package.zone_of)
    assert 0 < wrong.mean() < 0.3
    assert set(learnt.zone_of) == set(package.zone_of)


def test_every_poorer_reference_is_measured(package: ReferencePackage) -> None:
    setting = Setting.of(PeerMethod(LinearDiscriminant), package)
    results = with_poorer_references(setting, np.random.default_rng(1), 5)
    assert len({r.conditions for r in results}) == len(FEW) + 1
    assert all(0.0 < value(results, "Cllr", conditions) < 0.9 for conditions in {r.conditions for r in results})


@dataclass(frozen=True)
class Noise:
    """Evidence that has nothing to do with the parcel."""

    n_zones: int = 0
    name: str = "noise"
    alternatives: Alternatives = "mean"
    trust: float = 0.0
    held_by_novelty: bool = False

    def fit(self, package: ReferencePackage, train: np.ndarray) -> Fitted:  # noqa: ARG002
        return replace(self, n_zones=len(zones_of(package)))

    def evidence(self, batch: Batch) -> np.ndarray:
        seed = sum(parcel.n_stones for parcel in batch)
        return np.random.default_rng(seed).normal(size=(len(batch), self.n_zones + 1))

    def strangeness(self, batch: Batch) -> None:  # noqa: ARG002
        return None


def test_a_second_opinion_that_is_noise_gets_no_weight(package: ReferencePackage) -> None:
    first = PeerMethod(LinearDiscriminant)
    settings = (Setting.of(first, package), Setting.of(Noise(), package))
    results = fused_results(*settings, rng=np.random.default_rng(1), n_resamples=5)
    assert value(results, "weight of the network", "chosen on the other folds") <= WEIGHTS[1]
    assert value(results, "AUC", "fused") > value(results, "AUC", "network alone") + 0.2


def test_the_same_opinion_twice_fuses_to_itself(package: ReferencePackage) -> None:
    setting = Setting.of(PeerMethod(LinearDiscriminant), package)
    results = fused_results(setting, setting, rng=np.random.default_rng(1), n_resamples=5)
    for metric in ("AUC", "Cllr"):
        assert value(results, metric, "fused") == pytest.approx(value(results, metric, "network alone"))


def test_flagged_parcels_are_held_where_the_method_says_so(package: ReferencePackage) -> None:
    plain = Setting.of(PeerMethod(ChiSquare), package)
    ruled = Setting.of(PeerMethod(ChiSquare, held_by_novelty=True), package)
    seen = held_out(fit_splits(plain.method, package, folds(plain.fold)), package.batch, plain.n_zones)
    assert seen[1] is not None
    strange = np.where(np.arange(plain.codes.size) == plain.codes.size - 1, 1e3, seen[1])
    free, held = plain.log10_lr((seen[0], strange)), ruled.log10_lr((seen[0], strange))
    flagged = ruled.novelty_p(strange)[plain.trials.parcel] <= 0.05
    assert flagged.any()
    np.testing.assert_array_equal(free[~flagged], held[~flagged])
    np.testing.assert_array_equal(np.minimum(free[flagged], LOG10_SUPPORT_OF_NOVEL), held[flagged])
