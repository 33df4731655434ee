from __future__ import annotations

import numpy as np
import pytest

from kpfootprint.stats.tables import log_dirichlet_multinomial, log_sets

ALPHA = np.array([[1.2, 0.4, 3.0, 0.9], [0.3, 2.0, 0.7, 5.0]])


def whole(counts: np.ndarray, sets: np.ndarray, members: np.ndarray) -> np.ndarray:
    return log_dirichlet_multinomial(counts, ALPHA) + log_sets(sets, members, counts, ALPHA)


def test_stones_of_disjoint_sets_are_integrated_over_their_classes_exactly() -> None:
    counts = np.array([[2.0, 0.0, 1.0, 0.0]])
    members = np.array([[True, True, False, False], [False, False, True, True]])
    found = whole(counts, np.array([[2.0, 1.0]]), members)
    # by summing over every way to lay the three stones to their classes, orders counted
    ways = [
        np.log(weight) + log_dirichlet_multinomial(counts + np.array([[2.0 - k, k, 1.0 - j, j]]), ALPHA)
        for k, weight in ((0.0, 1), (1.0, 2), (2.0, 1))
        for j in (0.0, 1.0)
    ]
    assert found == pytest.approx(np.logaddexp.reduce(ways, axis=0))


def test_a_set_of_one_is_that_class_and_a_set_of_all_says_nothing() -> None:
    counts = np.array([[2.0, 0.0, 1.0, 4.0]])
    one, every = np.array([[True, False, False, False]]), np.ones((1, 4), dtype=bool)
    more = np.array([[3.0, 0.0, 0.0, 0.0]])
    assert whole(counts, np.array([[3.0]]), one) == pytest.approx(log_dirichlet_multinomial(counts + more, ALPHA))
    assert log_sets(np.array([[5.0]]), every, counts, ALPHA) == pytest.approx(np.zeros((1, 2)))
