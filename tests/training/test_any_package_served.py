"""Packages of any kind from their tables to a report: fitted, evaluated, released, served, without a change of code."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from kpfootprint.flow import examine
from kpfootprint.parcel import Batch, Declaration
from kpfootprint.release import load_release
from kpfootprint.report import render_html, render_text
from kpfootprint.trial import try_release
from tests.training.packages import KINDS, write_folder
from training.config import FitConfig, read_config
from training.evaluate.run import evaluate_model
from training.fit import fit, write_fit
from training.package import load_package
from training.publish import card_of, publish

pytestmark = pytest.mark.slow


def small(config: FitConfig) -> FitConfig:
    networks: dict[str, Any] = {
        "n_judged": 1000,
        "n_tried": 10,
        "hidden": (16,),
        "gate_hidden": (8,),
        "stages": ((1e-3, 2),),
    }
    return replace(config, n_folds=3, n_resamples=4, n_simulated=3000, n_ranked=4000, n_jobs=1, **networks)


@pytest.mark.parametrize(
    "name",
    [
        *("fourth", "one attribute", "other classes", "other sieve", "missing in part", "missing in zones"),
        *("three parcels", "one large zone", "two zones", "one date", "no conditions", "no status", "few stones"),
        *("few stones, four attributes", "not weighed", "a stone or two", "more classes than stones"),
    ],
)
def test_from_tables_to_a_report(name: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", KINDS[name])
    package = load_package(folder)
    model, manifest = fit(package, small(read_config()), print)
    fitted = tmp_path / "fitted"
    write_fit(fitted, model, manifest, card_of(manifest))
    criteria = read_config().acceptance
    page = evaluate_model(fitted, folder, quick=True, n_jobs=1, progress=print, criteria=criteria)
    assert 'id="zones"' in page.read_text("utf-8")
    judged = partial(publish, fitted, models=tmp_path / "models", in_force=None, known={}, criteria=criteria)
    assert judged().folder is None
    released = judged(force="A small one, for a test").folder
    assert released is not None
    release = load_release(released)
    assert release.name in (released / "validation.html").read_text("utf-8")
    weighed = {zone: len(carats) for zone, carats in release.manifest["carats"].items()}
    assert weighed == release.manifest["reference"]["n_parcels"]
    assert ("Status of zones assumed" in release.card) == (name in ("no status",))
    try_release(release)
    parcels = [
        replace(parcel, declarations=tuple(Declaration(zone_id=zone, carats=1.0) for zone in zones))
        for parcel, zones in zip(
            package.batch.parcels[:3], ((), (package.zone_of[1],), dict.fromkeys(package.zone_of)), strict=True
        )
    ]
    now = datetime(2020, 1, 1, tzinfo=UTC)
    for report in examine(Batch(tuple(parcels)), release, status_on=date(2020, 1, 1), created_at=now):
        for lang in ("en", "fr"):
            assert render_text(report, lang)
            assert "</html>" in render_html(report, lang)
