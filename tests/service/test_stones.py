"""The same stones are found again, shuffled, partly left out, rounded; and how often that is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kpfootprint.ingest import parcel_to_json
from service.work.stones import StoneList, marks_of, most_alike, overlap, stones_in
from tests.reference_world import package, with_stones
from tests.service.stones_seen import changed, cut, drawn, rounded, seen

FALSE_ALARM = 0.01
FOUND = 0.95


def listed(document: Mapping[str, Any]) -> StoneList:
    found = stones_in(document)
    assert found is not None
    return found


def test_order_changes_no_mark() -> None:
    rng = np.random.default_rng(1)
    document = drawn(rng, 200)
    assert marks_of(stones_in(changed(document, rng.permutation(200), np.asarray))) == marks_of(stones_in(document))


def test_a_list_is_found_whole() -> None:
    document = listed(drawn(np.random.default_rng(2), 300))
    found = overlap(document, document)
    assert (found.agreeing, found.share, found.seen) == (300, 1.0, True)


def test_of_lists_that_came_whole_the_larger_one_is_laid_beside_first() -> None:
    rng = np.random.default_rng(4)
    earlier, others = drawn(rng, 200), drawn(rng, 200)
    here = {"stones": {name: [*earlier["stones"][name], *others["stones"][name]] for name in earlier["stones"]}}
    parts = {name: changed(earlier, np.arange(n), np.asarray) for name, n in (("a", 60), ("b", 80), ("c", 100))}
    lists = [(name, listed(one)) for name, one in {**parts, "whole": earlier}.items()]
    laid = most_alike(listed(here), lists)
    assert [name for name, _ in laid] == ["whole", "c", "b"]
    assert overlap(listed(here), laid[0][1]).share == pytest.approx(0.5, abs=0.1)
    assert overlap(laid[0][1], listed(here)).share == pytest.approx(1.0, abs=0.1)


def test_few_stones_and_sheets_without_a_list_say_nothing() -> None:
    assert marks_of(stones_in({"counts": []})) == []
    assert stones_in({"counts": []}) is None
    assert marks_of(stones_in({"stones": {"weight_ct": [0.5]}})) == []


@pytest.mark.slow
@pytest.mark.parametrize("n", [100, 300, 600])
def test_no_two_reference_parcels_of_a_zone_are_taken_for_one(n: int) -> None:
    parcels = [parcel for parcel in package().batch.parcels if parcel.stones is not None and parcel.n_stones >= n]
    lists = [listed(parcel_to_json(with_stones(parcel, slice(0, n)), package().scheme)) for parcel in parcels[:30]]
    assert len(lists) > 20
    assert not any(overlap(one, other).seen for one in lists for other in lists if one is not other)


def test_a_list_of_weights_alone_is_found_where_it_comes_again_whole() -> None:
    rng = np.random.default_rng(5)
    one, other = ({"stones": {"weight_ct": drawn(rng, 100)["stones"]["weight_ct"]}} for _ in range(2))
    assert overlap(listed(changed(one, rng.permutation(100), rounded)), listed(one)).seen
    assert not overlap(listed(other), listed(one)).seen


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
