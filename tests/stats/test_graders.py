"""What a confused grader does to a parcel, in the model and on stones."""

from __future__ import annotations

import numpy as np
import pytest

from kpfootprint.footprint import footprints_of
from kpfootprint.parcel import Batch
from kpfootprint.stats import categories
from kpfootprint.stats.categories import RATE, contrast_basis, grader_shift, neighbours
from kpfootprint.stats.summaries import summarise
from tests import reference_world as world
from training.evaluate.mixtures import confuse


@pytest.mark.parametrize("n_classes", [2, 3, 9])
def test_every_stone_moves_to_a_neighbour(n_classes: int) -> None:
    moved = neighbours(n_classes)
    np.testing.assert_allclose(moved.sum(axis=0), 1.0)
    row, column = np.nonzero(moved)
    np.testing.assert_array_equal(np.abs(row - column), 1)


def test_the_shift_is_that_of_the_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    chances, basis = rng.dirichlet(np.ones(6), 20), contrast_basis(6)
    seen = (1 - RATE) * chances + RATE * chances @ neighbours(6).T
    np.testing.assert_allclose(grader_shift(chances, basis), (np.log(seen) - np.log(chances)) @ basis, atol=1e-12)
    np.testing.assert_allclose(grader_shift(np.full((1, 6), 1 / 6), basis)[:, 0], 0.0, atol=0.05)
    monkeypatch.setattr(categories, "RATE", 0.0)
    np.testing.assert_array_equal(grader_shift(chances, basis), 0.0)


def test_a_rare_class_beside_a_common_one_moves_most() -> None:
    basis = contrast_basis(4)
    shift = basis @ grader_shift(np.array([[0.005, 0.495, 0.25, 0.25]]), basis)[0]
    assert np.argmax(shift) == 0
    assert shift[0] > 2 * np.abs(shift[1:]).max()


@pytest.mark.slow
def test_stones_confused_at_twice_the_usual_rate_stay_within_the_stated_error() -> None:
    """Of a large parcel only the grader's error is left; logits of confused stones move by about two of it."""
    parcel = max(world.package().batch.parcels, key=lambda item: item.n_stones)
    scheme, rng = world.package().scheme, np.random.default_rng(5)
    confused = confuse(parcel, scheme, 2 * RATE, rng=rng)
    structure = world.fitted().structure
    (part,) = footprints_of(Batch((parcel, confused)), scheme, structure, world.prepared().level_names)
    found = summarise(part.arrays, structure)
    for block in structure.blocks[1:]:
        gap = found.estimates[0, 1, block] - found.estimates[0, 0, block]
        distance = gap @ np.linalg.solve(found.errors[0, 0, block, block], gap)
        assert 1.0 < distance < 6.0
