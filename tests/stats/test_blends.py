from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kpfootprint.stats.declarations import declared_location
from kpfootprint.stats.evidence import admixtures, contract, expand
from tests.worlds import shipped

MODEL = shipped().model
STRUCTURE, SOURCES, SCALES = MODEL.structure, MODEL.predictor.sources, MODEL.predictor.scales


def test_contract_undoes_expand_for_single_sources() -> None:
    np.testing.assert_allclose(contract(expand(SOURCES, STRUCTURE), STRUCTURE), SOURCES, atol=1e-8)


@given(st.integers(0, len(SOURCES) - 1), st.floats(0.01, 0.99))
def test_a_blend_of_a_source_with_itself_is_itself(source: int, share: float) -> None:
    expanded = expand(SOURCES[[source, source]], STRUCTURE)
    np.testing.assert_allclose(
        contract(np.array([[share, 1 - share]]) @ expanded, STRUCTURE)[0], SOURCES[source], atol=1e-7
    )


def test_a_blend_has_the_moments_and_chances_of_its_goods_together() -> None:
    """Against two heaps of stones drawn and thrown together."""
    rng = np.random.default_rng(1)
    mixed = expand(contract(np.array([[0.3, 0.7]]) @ expand(SOURCES[[0, 9]], STRUCTURE), STRUCTURE), STRUCTURE)[0]
    heaps = [rng.normal(SOURCES[z, 0], np.exp(SOURCES[z, 1]), n) for z, n in ((0, 60_000), (9, 140_000))]
    sizes = np.concatenate(heaps)
    np.testing.assert_allclose(mixed[:2], [sizes.mean(), (sizes**2).mean()], atol=0.02)
    start = 2
    for basis, block in zip(STRUCTURE.bases, STRUCTURE.blocks[1:], strict=True):
        weights = np.exp(SOURCES[[0, 9]][:, block] @ basis.T)
        expected = np.array([0.3, 0.7]) @ (weights / weights.sum(axis=1, keepdims=True))
        np.testing.assert_allclose(mixed[start : start + len(expected)], expected, atol=1e-9)
        start += len(expected)


def test_the_scale_of_a_blend_is_the_sum_of_squared_shares() -> None:
    declared = np.zeros((2, len(SOURCES)))
    declared[0, 4] = 1.0
    declared[1, [2, 3]] = 0.25, 0.75
    location, scale = declared_location(MODEL, declared)
    np.testing.assert_allclose(location[0], SOURCES[4])
    np.testing.assert_allclose(scale, [SCALES[4], 0.0625 * SCALES[2] + 0.5625 * SCALES[3]])


def test_admixtures_run_from_what_was_declared_to_the_foreign_source() -> None:
    expanded = expand(SOURCES, STRUCTURE)
    numbers = admixtures(expanded[[1]], expanded, np.array([0.0, 0.5, 1.0]), STRUCTURE)
    assert numbers.shape == (1, 3, *SOURCES.shape)
    np.testing.assert_allclose(numbers[0, 0], np.tile(SOURCES[1], (len(SOURCES), 1)), atol=1e-7)
    np.testing.assert_allclose(numbers[0, 2], SOURCES, atol=1e-7)
    half = contract(0.5 * (expanded[[1]] + expanded[[6]]), STRUCTURE)
    np.testing.assert_allclose(numbers[0, 1, 6], half[0], atol=1e-7)
