from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.reference_world import fitted, prepared
from training.declarants import N_TRIES, SPECK, declarations_tried
from training.scenarios import KINDS, Scenario, draw_truth, undeclared_share
from training.simulate import places


@given(st.integers(0, 10_000), st.integers(2, 13))
def test_what_is_tried_are_declarations_the_own_zone_first(seed: int, n_allowed: int) -> None:
    rng = np.random.default_rng(seed)
    order = rng.permutation(14)
    allowed = np.zeros(14, dtype=bool)
    allowed[order[:n_allowed]] = True
    home, source = int(order[0]), int(order[-1])
    tried = declarations_tried(home, source, allowed, rng)
    assert tried.shape == (N_TRIES, 14)
    np.testing.assert_allclose(tried.sum(axis=1), 1.0)
    assert tried[0, home] == 1.0
    assert (tried[-1, home], tried[-1, source]) == (1.0 - SPECK, SPECK)
    assert np.all(tried[-2] > 0)
    assert not np.any(tried[:-2, ~allowed]), "only the last two name what was not compliant"


def test_truths_are_shares_and_say_what_is_undeclared() -> None:
    sets, n = prepared().allowed_sets, 4000
    kinds = (1.0,) * len(KINDS)
    truth = draw_truth(Scenario(kinds=kinds), n, sets, places(fitted()), np.random.default_rng(7))
    for shares in (truth.declared, truth.home):
        np.testing.assert_allclose(shares.sum(axis=1), 1.0)
        assert np.all(shares >= 0)
    assert np.all((truth.share >= 0) & (truth.share <= truth.foreign))
    true = np.isin(truth.kind, (KINDS.index("listed"), KINDS.index("blend")))
    assert np.all(truth.share[true] == 0)
    assert truth.as_declared[true].mean() > 0.95
    nowhere = np.isin(truth.kind, (KINDS.index("near"), KINDS.index("far")))
    np.testing.assert_allclose(truth.share[nowhere], 1.0)
    assert {1, 2, 3} < set((truth.declared > 0.05).sum(axis=1).tolist())
    assert (truth.declared > 0).sum(axis=1).max() >= sets.shape[1] - 1


def test_only_what_exceeds_the_declared_share_of_other_sources_is_undeclared() -> None:
    declared = np.array([[0.7, 0.3, 0.0]] * 4)
    allowed = np.array([[True, False, True]] * 4)
    found = undeclared_share(np.full(4, 0.5), np.array([0, 1, 2, 3]), declared, allowed)
    np.testing.assert_allclose(found, [0.0, 0.5 * 0.7, 0.0, 0.5])
