from __future__ import annotations

import numpy as np
import pytest

from tests.training.parcels import SCHEME, make_parcel
from training.evaluate.mixtures import confuse, high_grade, keep, mix, remove_size_range, subsample


@pytest.mark.parametrize("softness", [0.0, 0.2])
def test_a_size_range_goes_from_one_end(softness: float) -> None:
    rng = np.random.default_rng(2)
    parcel = make_parcel(1, name="P", n=500, rng=rng)
    for _ in range(20):
        sieved = remove_size_range(parcel, rng=rng, softness=softness)
        before, after = parcel.stone_list.weight_ct, sieved.stone_list.weight_ct
        assert 250 <= after.size <= 470
        if softness == 0.0:
            assert after.min() > before.min() or after.max() < before.max()
            inside = (before >= after.min()) & (before <= after.max())
            assert inside.sum() == after.size
        assert sieved.n_stones == after.size
        assert sieved.carats == pytest.approx(after.sum())


def test_small_parcels_keep_some_stones() -> None:
    rng = np.random.default_rng(3)
    parcel = make_parcel(1, name="P", n=32, rng=rng)
    assert all(remove_size_range(parcel, rng=rng, softness=0.0).n_stones >= 30 for _ in range(20))


def test_high_grading_takes_large_stones_only() -> None:
    rng = np.random.default_rng(4)
    parcel = make_parcel(1, name="P", n=1000, rng=rng)
    left = high_grade(parcel, rng=rng).stone_list.weight_ct
    before = parcel.stone_list.weight_ct
    edge = np.quantile(before, 0.8)
    assert (left <= edge).sum() == (before <= edge).sum()
    assert 0.35 < (left > edge).sum() / (before > edge).sum() < 0.65


def test_mixture_holds_exactly_the_stated_share() -> None:
    rng = np.random.default_rng(5)
    one, other = make_parcel(0, name="A", n=300, rng=rng), make_parcel(2, name="B", n=50, rng=rng)
    # Colour codes say where a stone came from.
    marked, other_marked = (keep(parcel, np.ones(parcel.n_stones, dtype=bool)) for parcel in (one, other))
    for parcel, code in ((marked, 0), (other_marked, 2)):
        parcel.stone_list.codes["colour"].setflags(write=True)
        parcel.stone_list.codes["colour"][:] = code
    mixed = mix(marked, other_marked, 0.25, 400, rng=rng)
    assert mixed.parcel_id == "A"
    assert mixed.n_stones == 400
    assert (mixed.stone_list.codes["colour"] == 2).sum() == 100


def test_subsample_draws_without_replacement() -> None:
    rng = np.random.default_rng(6)
    parcel = make_parcel(0, name="A", n=100, rng=rng)
    drawn = subsample(parcel, 40, rng=rng)
    assert drawn.n_stones == 40
    values, counts = np.unique(drawn.stone_list.weight_ct, return_counts=True)
    whole = dict(zip(*np.unique(parcel.stone_list.weight_ct, return_counts=True), strict=True))
    assert all(count <= whole[value] for value, count in zip(values, counts, strict=True))
    assert subsample(parcel, 100, rng=rng) is parcel


def test_confusion_moves_the_stated_share_to_neighbours() -> None:
    rng = np.random.default_rng(7)
    parcel = make_parcel(0, name="A", n=5000, rng=rng)
    confused = confuse(parcel, SCHEME, 0.1, rng=rng)
    for name, classes in (("colour", 3), ("morphology", 2)):
        before, after = parcel.stone_list.codes[name], confused.stone_list.codes[name]
        assert np.abs(after - before).max() == 1
        assert (after != before).mean() == pytest.approx(0.1, abs=0.02)
        assert after.min() >= 0
        assert after.max() < classes
