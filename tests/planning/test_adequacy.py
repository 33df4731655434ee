"""Adequacy of a zone's references: shape, order, and what further parcels can and cannot do."""

from __future__ import annotations

from typing import Any

import pytest

from kpfootprint.errors import IngestError
from kpfootprint.planning.answers import adequacy_answer
from kpfootprint.release import Release
from kpfootprint.report.planned import worded
from tests.planning.conftest import DAY


@pytest.fixture(scope="module")
def answer(release: Release) -> dict[str, Any]:
    return adequacy_answer("kadey", release, DAY)


def test_the_answer_has_the_shape_of_the_contract(answer: dict[str, Any]) -> None:
    said = worded(answer, {"kadey": "Kadey"})
    assert {"zone_id", "n_parcels", "effective_parcels", "hardest", "gain", "sentence"} <= set(said)
    assert {"zone_id", "chance_false_consistent"} <= set(said["hardest"][0])
    assert {"extra_parcels", "expected_cllr", "expected_chance"} <= set(said["gain"][0])
    assert "Kadey" in said["sentence"]


def test_the_hardest_come_first_and_more_parcels_never_harm(answer: dict[str, Any]) -> None:
    passing = [item["chance_false_consistent"] for item in answer["hardest"]]
    assert passing == sorted(passing, reverse=True)
    assert "kadey" not in {item["zone_id"] for item in answer["hardest"]}
    costs = [item["expected_cllr"] for item in answer["gain"]]
    chances = [item["expected_chance"] for item in answer["gain"]]
    assert costs == sorted(costs, reverse=True)
    assert chances == sorted(chances)
    assert 0 < answer["effective_parcels"] <= answer["n_parcels"]


def test_a_zone_without_reference_is_refused_with_those_that_have_one(release: Release) -> None:
    with pytest.raises(IngestError, match="it has of: berberati"):
        adequacy_answer("boganda", release, DAY)
