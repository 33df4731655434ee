from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from kpfootprint.flow import examinations_of
from kpfootprint.parcel import Batch
from kpfootprint.reference import ReferencePackage
from tests import reference_world as world
from tests.training.parcels import make_package
from tests.worlds import shipped
from training.evaluate.examined import mixed_blends, shares_of, virtual_blends
from training.evaluate.mixtures import (
    Shares,
    measured,
    mixture_results,
    subsample,
    virtual_mixtures,
)
from training.evaluate.trials import ExportDay

ANY_OTHER = {"east": ("north", "west"), "north": ("east", "west"), "west": ("east", "north")}


@pytest.fixture(scope="module")
def package() -> ReferencePackage:
    return make_package()


def test_mixtures_are_of_the_parcels_given_and_declare_their_own_zone(package: ReferencePackage) -> None:
    which = np.array([0, 1, 12, 13, 24])
    truth = virtual_mixtures(
        package, which, n_each=3, sources=ANY_OTHER, rng=np.random.default_rng(1), shares=(0.0, 0.3), sizes=(50, 90)
    )
    assert len(truth.batch) == 12
    assert set(truth.parcel) <= set(which)
    assert (truth.declared != truth.foreign).all()
    zones = ("east", "north", "west")
    for i, parcel in enumerate(truth.batch):
        assert parcel.n_stones == truth.n_stones[i]
        (declaration,) = parcel.declarations
        assert declaration.zone_id == zones[truth.declared[i]] == package.zone_of[truth.parcel[i]]
    assert sorted(set(truth.share)) == pytest.approx([0.0, 0.3])


def test_cells_and_summary_by_hand(package: ReferencePackage) -> None:
    which = np.arange(36)
    truth = virtual_mixtures(
        package, which, n_each=4, sources=ANY_OTHER, rng=np.random.default_rng(2), shares=(0.0, 0.5), sizes=(50,)
    )
    estimate = truth.share + 0.1
    low, high = np.maximum(truth.share - 0.2, 0.0), np.where(truth.share > 0, truth.share - 0.1, 0.3)
    coverage, found = measured(truth, Shares(estimate, low, high, np.where(truth.share > 0, 0.01, 1.0)))
    assert [(c.share_low, c.covered, c.trials) for c in coverage] == [(0.0, 4, 4), (0.5, 0, 4)]
    assert [(c.share, c.found, c.trials) for c in found] == [(0.0, 0, 4), (0.5, 4, 4)]
    values = {r.metric: r.value for r in mixture_results(coverage, found)}
    assert values["mean error of the share"] == pytest.approx(0.1)
    assert values["90% interval covers"] == 0.5
    assert values["false alarm on unmixed parcels"] == 0.0
    assert values["share of 50% found"] == 1.0
    assert mixture_results([], []) == []


def test_a_mixture_that_cannot_be_compared_counts_neither_way(package: ReferencePackage) -> None:
    truth = virtual_mixtures(
        package, np.arange(36), n_each=2, sources=ANY_OTHER, rng=np.random.default_rng(3), shares=(0.3,), sizes=(50,)
    )
    p_value = np.ones(len(truth.batch))
    p_value[1] = np.nan
    (held,), (found,) = measured(truth, Shares(truth.share, truth.share, truth.share, p_value))
    assert held.trials == held.covered == found.trials == len(truth.batch) - 1


def test_one_grain_as_heavy_as_a_thousand_leaves_a_parcel_without_a_share() -> None:
    """Real tables have such grains; the evaluation goes on without the parcel."""
    plain = world.reference_parcel(world.first_of("berberati"), "berberati")
    assert plain.stones is not None
    heavy = plain.stones.weight_ct.copy()
    heavy[0] = 1000.0 * heavy.sum()
    stones = replace(plain.stones, weight_ct=heavy)
    odd = replace(plain, parcel_id="odd", stones=stones, carats=float(heavy.sum()))
    found = shares_of(examinations_of(Batch((plain, odd)), shipped(), status_on=world.TODAY))
    assert np.isfinite(found.p_value).tolist() == [True, False]


def test_parcels_of_a_stone_make_no_blend(package: ReferencePackage) -> None:
    rng = np.random.default_rng(3)
    stones = replace(package, batch=Batch(tuple(subsample(parcel, 1, rng=rng) for parcel in package.batch)))
    assert len(virtual_blends(stones, np.arange(36), ["west", "north"], 10, rng=rng)) < 10


def test_true_blends_declare_what_is_in_them(package: ReferencePackage) -> None:
    batch = virtual_blends(package, np.arange(36), ["west", "north"], 10, rng=np.random.default_rng(3))
    for parcel in batch:
        assert sorted(d.zone_id for d in parcel.declarations) == ["north", "west"]
        assert sum(d.carats or 0.0 for d in parcel.declarations) == pytest.approx(parcel.carats)
        assert parcel.stone_list.weight_ct.size == parcel.n_stones


def test_mixed_blends_hold_the_stated_share_of_zones_that_were_not_compliant(package: ReferencePackage) -> None:
    """Of the test package's three zones only "east" was not compliant."""
    day = ExportDay(day=date(2020, 1, 1), compliant=np.array([False, True, True]))
    truth = mixed_blends(package, np.arange(36), day, 3, rng=np.random.default_rng(4))
    assert len(truth.batch) > 0
    assert set(truth.foreign) == {0}
    for i, parcel in enumerate(truth.batch):
        assert parcel.n_stones == truth.n_stones[i]
        assert sorted(d.zone_id for d in parcel.declarations) == ["north", "west"]
        declared = sum(d.carats or 0.0 for d in parcel.declarations)
        if truth.share[i] == 0:
            assert declared == pytest.approx(parcel.carats)
        else:
            assert declared < (parcel.carats or 0.0)
