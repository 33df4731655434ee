from __future__ import annotations

import json
from dataclasses import replace

import pytest

from kpfootprint.release import shipped_release
from tests.training.evaluations import make_evaluation
from training.config import read_config
from training.record import CHARACTERISTICS, Evaluation, read_evaluation


def test_json_and_back_is_the_same() -> None:
    evaluation = make_evaluation(read_config().acceptance)
    text = evaluation.to_json()
    assert Evaluation.from_json(text) == evaluation
    assert Evaluation.from_json(text).to_json() == text


def test_what_is_no_number_becomes_null() -> None:
    evaluation = make_evaluation(read_config().acceptance)
    first = replace(evaluation.results[0], value=float("nan"), high=float("inf"))
    document = json.loads(replace(evaluation, results=(first,)).to_json())
    assert document["results"][0]["value"] is None
    assert document["results"][0]["high"] is None


def test_another_shape_is_refused_by_name() -> None:
    document = json.loads(make_evaluation(read_config().acceptance).to_json())
    with pytest.raises(ValueError, match="schema_version must be '1', got '9'"):
        Evaluation.from_json(json.dumps({**document, "schema_version": "9"}))
    del document["results"][0]["metric"]
    with pytest.raises(KeyError, match="metric"):
        Evaluation.from_json(json.dumps(document))


def test_what_older_versions_wrote_is_read() -> None:
    evaluation = make_evaluation()
    document = json.loads(evaluation.to_json())
    (cell,) = document["decisions"]
    older = cell | {"measured_on": "held_out", "true_inconclusive": 10, "false_inconclusive": 30}
    document |= {"decisions": [older, cell | {"measured_on": "simulated"}], "oracle": [], "surprise": 1}
    assert Evaluation.from_json(json.dumps(document)) == evaluation


def test_every_characteristic_that_was_measured_is_known() -> None:
    """An unknown one could be named by no criterion."""
    measured = read_evaluation(shipped_release())
    assert {result.characteristic for result in measured.results} <= set(CHARACTERISTICS)
