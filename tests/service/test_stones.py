"""The same stones are found again, shuffled, partly left out, rounded; and how often that is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from service.work.stones import LEAST_SHARED, marks_of, near, overlap

Stones = Mapping[str, Any]
COLOURS, FORMS = 6, 6
FALSE_ALARM = 0.01
FOUND = 0.95


def drawn(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Return stones as a zone gives them: sizes lognormal, to 0.001 ct, classes in unequal shares."""
    weights = np.maximum(np.round(np.exp(rng.normal(-1.3, 0.75, n)), 3), 0.02)
    colour = rng.choice(COLOURS, n, p=np.array([30, 25, 20, 12, 8, 5]) / 100)
    form = rng.choice(FORMS, n, p=np.array([35, 25, 15, 12, 8, 5]) / 100)
    return as_document(weights, colour, form)


def as_document(weights: NDArray[Any], colour: NDArray[Any], form: NDArray[Any]) -> dict[str, Any]:
    classes = {"colour": [f"c{k}" for k in colour], "morphology": [f"m{k}" for k in form]}
    return {"stones": {"weight_ct": weights.tolist(), **classes}}


def changed(document: Stones, rows: NDArray[Any], round_to: Callable[[NDArray[Any]], NDArray[Any]]) -> dict[str, Any]:
    stones = document["stones"]
    out: dict[str, Any] = {name: [stones[name][row] for row in rows] for name in stones}
    out["weight_ct"] = np.maximum(round_to(np.asarray(out["weight_ct"])), 0.01).tolist()
    return {"stones": out}


def cut(weights: NDArray[Any]) -> NDArray[Any]:
    down: NDArray[Any] = np.floor(weights * 100) / 100
    return down


def rounded(weights: NDArray[Any]) -> NDArray[Any]:
    return np.round(weights, 2)


def seen(new: Stones, earlier: Stones) -> bool:
    """Say whether the register would flag the new list: it shares marks, and its stones agree beyond chance."""
    shared = len(set(near(marks_of(new))) & set(marks_of(earlier)))
    found = overlap(new, earlier)
    return shared >= LEAST_SHARED and found is not None and found.seen


def test_order_changes_no_mark() -> None:
    rng = np.random.default_rng(1)
    document = drawn(rng, 200)
    assert marks_of(changed(document, rng.permutation(200), np.asarray)) == marks_of(document)


def test_a_list_is_found_whole() -> None:
    document = drawn(np.random.default_rng(2), 300)
    found = overlap(document, document)
    assert found is not None
    assert (found.agreeing, found.share, found.seen) == (300, 1.0, True)


def test_few_stones_and_sheets_without_a_list_say_nothing() -> None:
    assert marks_of({"counts": []}) == []
    assert overlap({"counts": []}, drawn(np.random.default_rng(3), 10)) is None
    assert marks_of({"stones": {"weight_ct": [0.5]}}) == []


@pytest.mark.slow
@pytest.mark.parametrize("n", [60, 200, 600, 2000])
def test_different_parcels_are_hardly_ever_taken_for_one(n: int) -> None:
    rng = np.random.default_rng(n)
    pairs = 1000 if n < 2000 else 200
    wrong = sum(seen(drawn(rng, n), drawn(rng, n)) for _ in range(pairs))
    assert wrong / pairs <= FALSE_ALARM


@pytest.mark.slow
@pytest.mark.parametrize("n", [60, 200, 600, 2000])
@pytest.mark.parametrize("kept", [1.0, 0.8, 0.6])
@pytest.mark.parametrize("how", [np.asarray, rounded, cut], ids=["as it was", "rounded", "cut off"])
def test_the_same_stones_are_found(n: int, kept: float, how: Callable[[NDArray[Any]], NDArray[Any]]) -> None:
    rng = np.random.default_rng(n)
    trials = 100 if n < 2000 else 25
    found = 0
    for _ in range(trials):
        earlier = drawn(rng, n)
        rows = rng.permutation(n)[: int(kept * n)]
        found += seen(changed(earlier, rows, how), earlier)
    assert found / trials >= FOUND
