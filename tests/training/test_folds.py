from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.every import every
from training.folds import fold_of_parcels, folds, later, leave_one_zone_out

ZONES = st.lists(st.sampled_from(["a", "b", "c"]), min_size=6, max_size=60)


@given(ZONES, st.integers(2, 6), st.integers(0, 5))
def test_folds_spread_every_zone_and_repeat_with_their_seed(zones: list[str], n_folds: int, seed: int) -> None:
    fold = fold_of_parcels(zones, n_folds=n_folds, seed=seed)
    assert (fold == fold_of_parcels(zones, n_folds=n_folds, seed=seed)).all()
    for zone in set(zones):
        sizes = np.bincount(fold[np.array(zones) == zone], minlength=n_folds)
        assert sizes.max() - sizes.min() <= 1
    sizes = np.bincount(fold, minlength=n_folds)
    assert sizes.max() - sizes.min() <= 1


@given(ZONES)
def test_splits_never_share_a_parcel_and_test_each_once(zones: list[str]) -> None:
    for splits in (list(folds(fold_of_parcels(zones, n_folds=3, seed=1))), list(leave_one_zone_out(zones))):
        tested = np.concatenate([split.test for split in splits])
        assert sorted(tested) == list(range(len(zones)))
        for split in splits:
            assert not set(split.train) & set(split.test)
            assert len(split.train) + len(split.test) == len(zones)
    for split in leave_one_zone_out(zones):
        assert split.name not in {zones[i] for i in split.train}


def test_a_later_part_is_tested_on_and_undated_parcels_are_left_out() -> None:
    days = [date(2015, 1, 1) + timedelta(days=i) for i in range(10)]
    split = later([*days, None])
    assert split is not None
    assert (split.name, split.train.tolist(), split.test.tolist()) == ("2015-01-08", [*range(7)], [7, 8, 9])


@every("n_early", range(1, 20))
def test_parcels_of_two_days_are_parted_between_them(n_early: int) -> None:
    days = [date(2015, 1, 1)] * n_early + [date(2016, 1, 1)] * (20 - n_early)
    split = later(days)
    assert split is not None
    assert (split.train.size, split.test.size) == (n_early, 20 - n_early)


def test_parcels_of_one_day_are_not_parted() -> None:
    assert later([None, date(2015, 1, 1), date(2015, 1, 1)]) is None
    assert later([]) is None


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="n_folds must be 2 or more of 2 parcels or more, got 1 of 2"):
        fold_of_parcels(["a", "b"], n_folds=1, seed=1)


def test_few_parcels_make_few_folds() -> None:
    assert sorted(fold_of_parcels(["a", "b"], n_folds=3, seed=1)) == [0, 1]
