"""The question turned round: what calibration learns beside the cases of the zones that were compliant."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kpfootprint.stats.arrays import Bools, Ints
from kpfootprint.stats.calibration import Calibration, Cases
from training.calibrate import beside, possible, turned_share
from training.prepare import turned_round

SETS = st.integers(2, 6).flatmap(lambda z: arrays(np.bool_, st.tuples(st.integers(0, 5), st.just(z))))


def drawn(seed: int, n: int, *, shift: float = 0.0) -> Cases:
    """Return cases that are a parcel each; scores are their log10 LRs, or `shift` below."""
    rng = np.random.default_rng(seed)
    h1, one = np.arange(n) % 2 == 0, np.ones(n)
    score = rng.normal(np.where(h1, 2.0, -2.0), 2.0) / np.log(10) - shift
    return Cases(score=score, is_h1=h1, ln_n=0.0 * one, weight=one, parcel=np.arange(n), told=one, share=one)


@given(SETS)
def test_sets_turned_round_are_all_others_once(sets: Bools) -> None:
    known = {tuple(row) for row in sets.tolist()}
    turned = [tuple(row) for row in turned_round(sets).tolist()]
    assert len(turned) == len(set(turned))
    others = {tuple(not zone for zone in row) for row in known}
    assert set(turned) == others - known
    assert not known & set(turned)
    assert turned_round(np.concatenate([sets, turned_round(sets)])).size == 0


def test_the_more_parcels_the_less_the_question_turned_round_counts() -> None:
    shares = [turned_share(20.0, n) for n in (5, 20, 80, 2000)]
    assert shares == sorted(shares, reverse=True)
    assert shares[1] == 0.5
    assert shares[-1] < 0.01
    assert turned_share(0.0, 30) == 0.0


@pytest.mark.parametrize(("groups", "can"), [([0, 1, 1], True), ([1, 1], False), ([0], False)])
def test_both_hypotheses_are_needed(groups: list[int], can: bool) -> None:
    zones: Ints = np.array(groups, dtype=np.intp)
    assert possible(zones, np.array([[True, False]])) is can
    assert not possible(zones, np.empty((0, 2), dtype=bool))


def test_what_stands_beside_weighs_its_share_and_counts_for_it() -> None:
    asked, turned = drawn(1, 40), replace(drawn(2, 60), weight=np.linspace(1, 3, 60))
    both = beside(asked, turned, 0.25)
    for h1 in (True, False):
        weights = both.weight[both.is_h1 == h1], both.share[both.is_h1 == h1]
        first = weights[1] == 1.0
        assert weights[0][~first].sum() == pytest.approx(0.25 * weights[0][first].sum())
    # parcels 0 to 39 were asked about already, in the same hypothesis; of twenty others a quarter is new
    assert both.counted(True) == both.counted(False) == pytest.approx(20 + 0.25 * 10)


def test_a_question_beside_that_counts_for_nothing_changes_nothing() -> None:
    asked = drawn(3, 200)
    alone = Calibration.fit(asked, trust=5.0)
    found = Calibration.fit(beside(asked, drawn(4, 200, shift=1.0), 1e-9), trust=5.0)
    np.testing.assert_allclose(found.apply(asked.score, asked.ln_n), alone.apply(asked.score, asked.ln_n), atol=0.05)
    np.testing.assert_allclose(found.bounds, alone.bounds, atol=0.06)


def test_parcels_asked_beside_widen_no_support() -> None:
    """Few parcels carry little support for a declaration, however many answer the question turned round."""
    asked, turned = drawn(5, 30), drawn(6, 3000)
    moved = replace(turned, parcel=turned.parcel + 30)
    found, alone = (Calibration.fit(item, trust=5.0) for item in (beside(asked, moved, 0.9), asked))
    assert found.bounds[1] <= np.log10(15 + 1) + 0.01
    assert found.bounds[0] < alone.bounds[0] - 0.2
