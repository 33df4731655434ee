"""From a small reference on disk to a fitted folder, its evaluation, its report and its judgement: the real thing."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from kpfootprint.parcel import Batch
from kpfootprint.reference import ReferencePackage
from kpfootprint.release import Release, load_release
from tests.training.parcels import make_package
from training.acceptance import judge
from training.config import FitConfig, read_config
from training.evaluate.examined import table_weight_of
from training.evaluate.measure import measure
from training.evaluate.own import OwnEvidence
from training.evaluate.run import evaluate
from training.evaluate.setting import Setting
from training.fit import fit, write_fit
from training.publish import card_of
from training.record import Evaluation, read_evaluation
from training.validation_report import render_validation

pytestmark = pytest.mark.slow


WEIGHT, AT_LEAST, BEYOND = 0.35, 5, "coast"
"""Policy numbers that are not those of this version's settings, and the zone that has too few parcels for them."""


def small(config: FitConfig) -> FitConfig:
    return replace(
        config,
        evidence=replace(config.evidence, unlisted_weight=WEIGHT),
        minimum_parcels=AT_LEAST,
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


def without(package: ReferencePackage, zone: str, *, but: int = 0) -> ReferencePackage:
    """Take a zone's parcels out, all but the first `but`."""
    first = [row for row, name in enumerate(package.zone_of) if name == zone][:but]
    rows = [row for row, name in enumerate(package.zone_of) if name != zone or row in first]
    return replace(
        package,
        batch=Batch(tuple(package.batch.parcels[row] for row in rows)),
        zone_of=tuple(package.zone_of[row] for row in rows),
        collected_on=tuple(package.collected_on[row] for row in rows),
    )


@pytest.fixture(scope="module")
def package() -> ReferencePackage:
    whole = make_package(zones=("east", "centre", "north", "south", BEYOND, "west"), n_each=10)
    return without(whole, BEYOND, but=AT_LEAST - 1)


@pytest.fixture(scope="module")
def release(package: ReferencePackage, tmp_path_factory: pytest.TempPathFactory) -> Release:
    folder = tmp_path_factory.mktemp("fit")
    model, manifest = fit(package, small(read_config()), print)
    write_fit(folder, model, manifest, card_of(manifest))
    return load_release(folder)


@pytest.fixture(scope="module")
def evaluation(release: Release, package: ReferencePackage, tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    folder = tmp_path_factory.mktemp("evaluation")
    found = evaluate(release, package, quick=True, n_jobs=1, progress=print)
    (folder / "evaluation.json").write_text(found.to_json(), encoding="utf-8")
    assert read_evaluation(folder) == Evaluation.from_json(found.to_json())
    return found


def test_every_characteristic_is_measured(evaluation: Evaluation) -> None:
    found = {result.characteristic for result in evaluation.results}
    expected = {"open world", "accuracy", "discrimination", "calibration", "robustness"}
    assert expected | {"attribution", "mixture", "novelty", "decision"} <= found
    assert evaluation.coverage
    assert evaluation.detection
    assert evaluation.decisions
    kinds = {cell.kind for cell in evaluation.novelty}
    assert {"known zone", "known zone, size range missing", "simulated, far", "simulated, near"} <= kinds


def test_figures_follow_the_policy_numbers_of_the_release(
    release: Release, evaluation: Evaluation, package: ReferencePackage
) -> None:
    """Its weight of an unlisted source and its least number of parcels, not those of this version's settings."""
    assert {trial.true_zone for trial in evaluation.trials} == {*package.zone_of} - {BEYOND}
    assert evaluation.made["unlisted weight"] == WEIGHT
    weight = table_weight_of(release)
    method = OwnEvidence(
        small(read_config()).evidence, release.rules.strong_novelty_p, gate=release.model.gate, table_weight=weight
    )
    left_out = [item.parcel_id for item in evaluation.suspects if item.reason == "mislabelled"]
    known = without(package, BEYOND)
    own, other = (
        measure(
            Setting.of(method, known, left_out, unlisted_weight=weight, turned=method.settings.turned), n_resamples=2
        )
        for weight in (WEIGHT, 0.2)
    )
    lrs = [[trial.log10_lr for trial in found.trials] for found in (evaluation, own, other)]
    assert lrs[0] == pytest.approx(lrs[1], abs=1e-9)
    assert lrs[0] != pytest.approx(lrs[2], abs=1e-3)


def test_zones_that_differ_plainly_are_told_apart(evaluation: Evaluation) -> None:
    auc = evaluation.result("AUC")
    assert auc is not None
    assert auc.value is not None
    assert auc.value > 0.9
    for result in evaluation.results:
        if result.value is not None and result.low is not None and result.metric != "Cllr_cal":
            assert result.value >= 0


def test_the_report_is_written_and_a_quick_evaluation_carries_no_release(evaluation: Evaluation) -> None:
    page = render_validation(evaluation, read_config().acceptance)
    assert "This was a quick evaluation" in page
    assert json.loads(evaluation.to_json())["quick"] is True
    judgement = judge(evaluation, read_config().acceptance)
    assert any("quick" in reason for reason in judgement.reasons)
