from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.evidence import SLOTS
from kpfootprint.stats.model import (
    NEVER_SURE,
    UNLISTED_WEIGHTS,
    Evidence,
    any_unlisted,
    fuse,
    gate_of,
    log_alternative,
    log_mean,
    look,
    pooled,
)
from tests.worlds import draw_true, shipped


def some_evidence(seed: int, n: int = 3, z: int = 5) -> Evidence:
    rng = np.random.default_rng(seed)
    return pooled((rng.normal(size=(4, n, z)) * 4, rng.normal(size=(4, n, 5)) * 4, rng.normal(size=(4, n)) * 4))


@given(st.integers(0, 10_000), st.integers(0, 3))
def test_a_gate_at_one_window_gives_its_evidence_up_to_its_base(seed: int, window: int) -> None:
    readings = some_evidence(seed)
    listed, level = readings.listed, readings.level
    fused = fuse(readings, np.tile(np.eye(4)[window], (3, 1)))
    # A closed window keeps a chance of a millionth, so what it says very loudly is still heard a little.
    closed = np.maximum(
        np.exp(listed - level[..., None]).sum(axis=0),
        0.0,
    )
    lower = listed[window] - level[window][:, None]
    upper = np.log(np.exp(lower) + 1e-6 * closed)
    assert np.all(fused.listed >= lower - 1e-9)
    assert np.all(fused.listed <= upper + 1e-9)


def test_the_unlisted_components_are_weighed_as_stated() -> None:
    assert UNLISTED_WEIGHTS.sum() == pytest.approx(1.0)
    parts = np.log(np.array([[2.0, 3.0, 5.0, 7.0, 11.0]]))
    assert np.exp(any_unlisted(parts))[0] == pytest.approx(np.array([2, 3, 5, 7, 11]) @ UNLISTED_WEIGHTS)


def test_h2_is_the_stated_mixture() -> None:
    evidence = Evidence(
        listed=np.log(np.array([[2.0, 4.0, 8.0]])), unlisted=np.log(np.array([3.0])), declared=np.zeros(1)
    )
    found = log_alternative(evidence, np.array([[0.0, 1.0, 1.0]]), np.array([0.2]))
    assert np.exp(found)[0] == pytest.approx(0.8 * 6.0 + 0.2 * 3.0)


@given(st.floats(-30, 30), st.floats(0.01, 1.0))
def test_without_a_listed_alternative_h2_is_the_unlisted_source(unlisted: float, weight: float) -> None:
    evidence = Evidence(listed=np.zeros((1, 3)), unlisted=np.array([unlisted]), declared=np.zeros(1))
    assert log_alternative(evidence, np.zeros((1, 3)), np.array([weight]))[0] == pytest.approx(unlisted, abs=1e-9)


@given(st.integers(0, 10_000))
def test_the_weight_moves_h2_between_its_two_parts(seed: int) -> None:
    evidence = fuse(some_evidence(seed), np.full((3, 4), 0.25))
    alternatives = np.tile([0.0, 1.0, 1.0, 0.0, 1.0], (3, 1))
    path = np.array([log_alternative(evidence, alternatives, np.full(3, w)) for w in (0.01, 0.2, 0.5, 0.9, 0.999)])
    step = np.diff(path, axis=0)
    up = evidence.unlisted > path[0]
    assert np.all(np.where(up, step >= -1e-9, step <= 1e-9))


def test_without_sizes_the_gate_and_the_windows_do_not_matter() -> None:
    model = shipped().model
    arrays = draw_true(model, np.arange(5), n_stones=300, rng=np.random.default_rng(3))
    recorded = arrays.recorded.copy()
    recorded[:, 0] = False
    looked = look(model, replace(arrays, recorded=recorded))
    np.testing.assert_array_equal(gate_of(looked.view), np.tile([1.0, 0, 0, 0], (5, 1)))
    for slot in range(1, len(SLOTS)):
        np.testing.assert_allclose(looked.view.listed[slot], looked.view.listed[0], atol=1e-6)
    again = fuse(pooled((looked.view.listed, looked.view.unlisted, np.zeros((5, 5)))), np.full((5, 4), 0.25))
    np.testing.assert_allclose(again.listed, looked.evidence.listed, atol=1e-4)
    np.testing.assert_allclose(again.unlisted, looked.evidence.unlisted, atol=1e-4)


def two_kinds(seed: int) -> tuple[tuple[Floats, Floats, Floats], tuple[Floats, Floats]]:
    rng = np.random.default_rng(seed)
    own = np.full((4, 3), np.nan)
    return (rng.normal(size=(4, 3, 5)) * 4, rng.normal(size=(4, 3, 5)) * 4, own), (rng.normal(size=(4, 3, 6)) * 4, own)


def chance_of_unlisted(found: Evidence) -> Floats:
    return expit(found.unlisted - log_mean(found.listed))


@given(st.integers(0, 10_000), st.floats(0.05, 0.95), st.floats(0.0, 1.0))
def test_an_unlisted_source_is_a_matter_of_both_probabilities(seed: int, weight: float, vote: float) -> None:
    explicit, tables = two_kinds(seed)
    alone = [chance_of_unlisted(pooled(explicit)), chance_of_unlisted(pooled(explicit, tables, 1.0))]
    found = pooled(explicit, tables, weight, vote)
    np.testing.assert_array_equal(found.listed, pooled(explicit, tables, weight).listed)
    expected = (1.0 - vote) * alone[0] + vote * alone[1]
    np.testing.assert_allclose(chance_of_unlisted(found), np.clip(expected, *NEVER_SURE), rtol=1e-9)
    moved = (tables[0] + 3.0, tables[1])  # each kind is known up to a constant of the parcel
    np.testing.assert_allclose(
        chance_of_unlisted(pooled(explicit, moved, weight, vote)), chance_of_unlisted(found), atol=1e-9
    )


@given(st.integers(0, 10_000), st.sampled_from([0.0, 1.0]), st.floats(0.0, 1.0))
def test_one_kind_that_weighs_everything_has_the_only_vote(seed: int, weight: float, vote: float) -> None:
    explicit, tables = two_kinds(seed)
    np.testing.assert_array_equal(
        pooled(explicit, tables, weight, vote).unlisted, pooled(explicit, tables, weight).unlisted
    )
