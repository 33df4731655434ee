"""The declaration that suits a parcel best hangs on the parcel and on who was compliant, not on what was declared."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kpfootprint.stats.declarations import MIXED_SHARES, PROFILE_SLOTS, best_declaration

Z, N = 4, 3


def drawn(seed: int) -> tuple[np.random.Generator, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    found = rng.normal(scale=5.0, size=(len(PROFILE_SLOTS), N, len(MIXED_SHARES), Z, Z))
    allowed = rng.random((N, Z)) < 0.6
    return rng, found, rng.random(N), allowed


@given(st.integers(0, 2**32 - 1))
def test_what_was_declared_of_compliant_sources_does_not_count(seed: int) -> None:
    rng, found, trust, allowed = drawn(seed)
    allowed[:, 0] = True
    first, second = (np.where(allowed, rng.random((N, Z)), 0.0) for _ in range(2))
    best = [best_declaration(found, trust, d / d.sum(axis=1, keepdims=True), allowed) for d in (first, second)]
    assert np.array_equal(best[0], best[1])
    assert np.all(best[0][~allowed] == 0.0)


@given(st.integers(0, 2**32 - 1))
def test_sources_that_were_not_compliant_stay_as_declared(seed: int) -> None:
    rng, found, trust, allowed = drawn(seed)
    declared = rng.dirichlet(np.ones(Z), N)
    best = best_declaration(found, trust, declared, allowed)
    assert np.allclose(best.sum(axis=1), 1.0)
    assert np.allclose(best[~allowed], declared[~allowed])


@given(st.integers(0, 2**32 - 1), st.integers(0, Z - 1), st.integers(0, Z - 1))
def test_the_likeliest_pair_is_taken(seed: int, first: int, second: int) -> None:
    _, found, trust, _ = drawn(seed)
    share = 1
    found[:, :, share, first, second] = 100.0
    best = best_declaration(found, trust, np.eye(Z)[[0] * N], np.ones((N, Z), dtype=bool))
    expected = (1.0 - MIXED_SHARES[share]) * np.eye(Z)[first] + MIXED_SHARES[share] * np.eye(Z)[second]
    assert np.allclose(best, expected)
