from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.simulate import Parts, Recovery, draw_parcels, joint_chances
from tests.reference_world import draw, fitted


def margin_errors() -> float:
    """Return the largest log ratio of a margin of the joint table to the chances it was made from."""
    structure, numbers = fitted().structure, fitted().predictor.sources
    every = np.arange(len(numbers) * structure.n_size_classes)
    joint = joint_chances(structure, numbers, every).reshape(len(numbers), -1, *structure.n_classes)
    joint = joint / joint.sum(axis=(2, 3), keepdims=True)
    worst = 0.0
    for a in range(2):
        chances = structure.chances(a, numbers)
        worst = max(worst, float(np.abs(np.log(joint.sum(axis=3 - a) / chances)).max()))
    return worst


def test_joint_tables_have_the_chances_of_their_attributes() -> None:
    assert margin_errors() < 1e-3


@pytest.mark.parametrize("taken", [0.3, 0.7, 1.0])
def test_of_the_stones_beyond_a_cut_the_stated_share_is_taken(taken: float) -> None:
    structure, n, q = fitted().structure, 40, 0.7
    numbers = np.tile(fitted().predictor.sources[0], (n, 1))
    edge = np.full(n, structure.edge_mean)

    def cells(cut: float, share: float) -> Floats:
        recovery = replace(
            Recovery.whole(edge),
            cut_high=np.full(n, cut),
            width_high=np.full(n, 1e-3),
            taken=np.full(n, share),
        )
        drawn = draw_parcels(
            structure,
            Parts(parcel=np.arange(n), n_stones=np.full(n, 4000), numbers=numbers),
            recovery,
            shown_edge=edge,
            shown_levels=np.full((n, 3), -1),
            rng=np.random.default_rng(11),
        )
        total: Floats = drawn.cells.sum(axis=0)
        return total

    whole, left = cells(1.0, 1.0), cells(q, taken)
    at = int((whole.cumsum() / whole.sum() >= q).argmax())  # the cut goes through this cell
    before, after = (counts[at + 1 :].sum() / counts[:at].sum() for counts in (whole, left))
    assert after == pytest.approx(before * (1 - taken), abs=0.01)


def test_tables_of_drawn_parcels_count_the_same_stones() -> None:
    arrays, truth = draw("mixed", 80, seed=3)
    indicator = fitted().structure.membership_of_classes()
    for table in arrays.tables:
        np.testing.assert_array_equal(table.sum(axis=2), arrays.cells @ indicator)
    np.testing.assert_array_equal(arrays.pairs[0].sum(axis=2), arrays.tables[0].sum(axis=1))
    np.testing.assert_array_equal(arrays.pairs[0].sum(axis=1), arrays.tables[1].sum(axis=1))
    foreign = truth.foreign * arrays.n_stones
    np.testing.assert_allclose(foreign, foreign.round(), atol=1e-6)


def test_the_same_seed_draws_the_same_parcels() -> None:
    (first, _), (again, _), (other, _) = (
        draw("listed", 20, seed=1),
        draw("listed", 20, seed=1),
        draw("listed", 20, seed=2),
    )
    np.testing.assert_array_equal(first.cells, again.cells)
    assert not np.array_equal(first.cells, other.cells)
