"""The scale between two sorters: covers as stated, 1 where both agree, blind to the order of classes."""

from __future__ import annotations

import numpy as np
import pytest

from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.intervals import LEVEL
from kpfootprint.stats.sorters import SHIFT_SD, USUAL_ALIKE, USUAL_APART, as_second, as_usual, in_common, learn_scale

N_CLASSES = 6


def shifted(chances: Floats, shift: Floats) -> Floats:
    out: Floats = chances * np.exp(shift) / (chances * np.exp(shift)).sum()
    return out


def sort_again(first: Floats, shift: Floats, rng: np.random.Generator) -> Floats:
    """Sort the stones of a parcel again: each stays where it is unless its class has now too many."""
    chances = (first + 0.5) / (first + 0.5).sum()
    wanted = shifted(chances, shift)
    stay = np.minimum(1.0, wanted / chances)
    gains = np.maximum(wanted - chances, 0.0)
    kept = rng.binomial(first.astype(int), stay)
    moved = int((first - kept).sum())
    return np.asarray(kept + (rng.multinomial(moved, gains / gains.sum()) if moved else 0), dtype=float)


def sorted_twice(
    rng: np.random.Generator, shift: Floats, n_parcels: int, own: float = 0.05
) -> tuple[Floats, Floats, Floats]:
    """Draw parcels that two sorters sorted, and the ratios of the shift in them."""
    first = np.array(
        [rng.multinomial(rng.integers(150, 900), rng.dirichlet(np.full(6, 3.0))) for _ in range(n_parcels)]
    )
    first = first.astype(float)
    second = np.array([sort_again(row, shift + own * rng.standard_normal(shift.size), rng) for row in first])
    typical = first.sum(axis=0) / first.sum()
    return first, second, shifted(typical, shift) / typical


@pytest.mark.parametrize("n_parcels", [2, 12])
def test_the_scale_covers_the_true_one_as_often_as_stated(n_parcels: int) -> None:
    rng = np.random.default_rng(31)
    covered, errors, widths = [], [], []
    for _ in range(80):
        first, second, true = sorted_twice(rng, 0.8 * SHIFT_SD * rng.standard_normal(N_CLASSES), n_parcels)
        scale = learn_scale(first, second)
        covered.append((scale.low <= true) & (true <= scale.high))
        errors.append(np.abs(np.log(scale.ratio / true)))
        widths.append(np.log(scale.high / scale.low))
    assert np.mean(covered) >= LEVEL - 0.06, np.mean(covered)
    assert np.mean(errors) < {2: 0.12, 12: 0.06}[n_parcels]
    assert np.mean(widths) < {2: 0.7, 12: 0.3}[n_parcels], "limits that say nothing would cover too"


def test_sorters_who_agree_have_a_scale_of_one() -> None:
    counts = np.array([[120.0, 40, 3, 0], [80, 100, 9, 0]])
    scale = learn_scale(counts, counts)
    np.testing.assert_allclose(scale.ratio, 1.0, atol=1e-12)
    assert (scale.low < 1).all()
    assert (scale.high > 1).all()
    np.testing.assert_allclose(as_second(scale, counts[0])[:2], counts[0, :2], rtol=0.05)
    assert in_common(counts[0], counts[0]) == pytest.approx(1.0)


def test_a_class_that_nobody_saw_is_left_to_the_belief() -> None:
    counts = np.tile([[120.0, 40, 30, 0]], (30, 1))
    shifts = learn_scale(counts, counts).shifts
    assert shifts[:, 3].std() > 0.8 * SHIFT_SD
    assert (shifts[:, 0] - shifts[:, 1]).std() < 0.2 * SHIFT_SD


def test_the_order_of_classes_means_nothing() -> None:
    first, second, _ = sorted_twice(np.random.default_rng(5), np.array([0.5, -0.3, 0.0, 0.2, -0.4, 0.1]), 4)
    order = np.array([3, 0, 5, 1, 4, 2])
    plain, turned = learn_scale(first, second), learn_scale(first[:, order], second[:, order])
    np.testing.assert_allclose(turned.ratio, plain.ratio[order], rtol=1e-9)
    np.testing.assert_allclose(turned.low, plain.low[order], rtol=0.05)
    np.testing.assert_allclose(turned.high, plain.high[order], rtol=0.05)


def test_the_other_way_round_is_the_inverse() -> None:
    shift = np.array([0.6, -0.2, 0.1, -0.5, 0.0, 0.0])
    first, second, _ = sorted_twice(np.random.default_rng(8), shift, 8)
    there, back = learn_scale(first, second), learn_scale(second, first)
    np.testing.assert_allclose(there.ratio * back.ratio, 1.0, rtol=0.1)
    np.testing.assert_allclose(as_second(there, first.sum(axis=0)), second.sum(axis=0), rtol=0.12)


def test_parcels_sorted_as_usual_are_not_called_unusual_and_others_are() -> None:
    rng = np.random.default_rng(17)
    usual, odd = [], []
    for _ in range(60):
        shift = 0.3 * rng.standard_normal(N_CLASSES)
        first, second, _ = sorted_twice(rng, shift, 7)
        scale = learn_scale(first[:6], second[:6])
        usual.append(as_usual(scale, first[6], second[6]))
        other = sort_again(first[6], shift + np.array([1.2, 0, 0, -1.2, 0, 0]), rng)
        odd.append(as_usual(scale, first[6], other))
    assert np.mean(np.array(usual) <= 0.05) <= 0.1
    assert np.mean(np.array(odd) <= 0.05) >= 0.8


def test_parcels_of_one_class_leave_what_is_thought_of_sorters_as_it_was() -> None:
    counts = np.zeros((3, N_CLASSES))
    counts[:, 2] = 40, 90, 200
    scale = learn_scale(counts, 2 * counts)
    assert np.std(np.log(scale.alike / USUAL_ALIKE)) == pytest.approx(1.0, abs=0.1)
    assert np.sqrt(np.mean(scale.apart**2)) == pytest.approx(USUAL_APART, abs=0.04)
    np.testing.assert_allclose(scale.shifts.mean(axis=0), 0.0, atol=0.05)
    np.testing.assert_allclose(scale.shifts.std(axis=0), SHIFT_SD, atol=0.05)
