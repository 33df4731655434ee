"""From a small reference on disk to a fitted folder, its evaluation, its report and its judgement: the real thing."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from kpfootprint.release import load_release
from tests.training.parcels import make_package
from training.card import card_of
from training.config import FitConfig, read_config
from training.criteria import read_criteria
from training.evaluate.run import evaluate
from training.fit import fit, write_fit
from training.judge import judge
from training.record import Evaluation, read_evaluation
from training.validation_report import render_validation

pytestmark = pytest.mark.slow


def small(config: FitConfig) -> FitConfig:
    return replace(
        config,
        n_folds=3,
        n_resamples=4,
        n_simulated=6000,
        n_ranked=8000,
        n_judged=1000,
        n_tried=10,
        hidden=(16,),
        gate_hidden=(8,),
        stages=((1e-3, 2),),
        n_jobs=1,
    )


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    package = make_package(zones=("east", "centre", "north", "south", "coast", "west"), n_each=10)
    folder = tmp_path_factory.mktemp("fit")
    model, manifest = fit(package, small(read_config()), print)
    write_fit(folder, model, manifest, card_of(manifest))
    found = evaluate(load_release(folder), package, quick=True, n_jobs=1, progress=print)
    (folder / "evaluation.json").write_text(found.to_json(), encoding="utf-8")
    assert read_evaluation(folder) == Evaluation.from_json(found.to_json())
    return found


def test_every_characteristic_is_measured(evaluation: Evaluation) -> None:
    found = {result.characteristic for result in evaluation.results}
    expected = {"open world", "accuracy", "discrimination", "calibration", "robustness"}
    assert expected | {"attribution", "mixture", "novelty", "decision"} <= found
    assert evaluation.coverage
    assert evaluation.detection
    assert {cell.measured_on for cell in evaluation.decisions} == {"held_out", "simulated"}
    kinds = {cell.kind for cell in evaluation.novelty}
    assert {"known zone", "known zone, size range missing", "simulated, far", "simulated, near"} <= kinds


def test_zones_that_differ_plainly_are_told_apart(evaluation: Evaluation) -> None:
    auc = evaluation.result("AUC")
    assert auc is not None
    assert auc.value is not None
    assert auc.value > 0.9
    for result in evaluation.results:
        if result.value is not None and result.low is not None and result.metric != "Cllr_cal":
            assert result.value >= 0


def test_the_report_is_written_and_a_quick_evaluation_carries_no_release(evaluation: Evaluation) -> None:
    page = render_validation(evaluation, read_criteria())
    assert "This was a quick evaluation" in page
    assert json.loads(evaluation.to_json())["quick"] is True
    judgement = judge(evaluation, read_criteria())
    assert any("quick" in reason for reason in judgement.reasons)
