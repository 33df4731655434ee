"""The evaluation of a fitted folder or a release, from end to end: ``evaluation.json`` and ``validation.html``."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from joblib import parallel_config

from kpfootprint.reference import ReferencePackage
from kpfootprint.release import MANIFEST, Release, load_release
from training.acceptance import Criteria
from training.config import evidence_config_of
from training.declarants import try_declarations
from training.evaluate.doubts import influential_of, suspects_of
from training.evaluate.examined import (
    Refits,
    examined,
    measure_blends,
    prediction_sets,
    product_shares,
    table_weight_of,
    tried_results,
)
from training.evaluate.measure import measure, measure_shares
from training.evaluate.methods import measured_on
from training.evaluate.open_world import scenario_of, simulated_nowhere
from training.evaluate.own import OwnEvidence, each_alone, with_spread_known
from training.evaluate.setting import N_FOLDS, SEED, Setting
from training.evaluate.trials import Draws, ExportDay
from training.evaluate.worlds import world_results
from training.folds import folds
from training.package import load_package
from training.prepare import fit_model, prepare
from training.record import Evaluation, Result
from training.simulate import Urn
from training.validation_report import render_validation

Progress = Callable[[str], None]


def evaluate_model(
    folder: Path,
    reference: Path,
    *,
    quick: bool,
    n_jobs: int,
    progress: Progress,
    criteria: Criteria,
) -> Path:
    """Evaluate a folder on the package it was fitted to, and write what was found beside it.

    Parameters
    ----------
    quick : bool
        Fewer draws, mixtures and hardships; such an evaluation cannot carry a release.
    criteria : Criteria
        What the report holds the figures against.

    Returns
    -------
    Path
        The validation report.

    Raises
    ------
    ReleaseError, ReferenceDataError
        Where either folder is not whole.
    ValueError
        Where the folder was fitted to another package.
    """
    release, package = load_release(folder), load_package(reference)
    if release.manifest["reference"]["sha256"] != package.sha256:
        fitted = release.manifest["reference"]
        raise ValueError(
            f"{folder} was fitted to {fitted['name']} {fitted['version']} ({fitted['sha256'][:12]}), and {reference} is"
            f" {package.name} {package.version} ({package.sha256[:12]}); name its own package, or fit anew"
        )
    with parallel_config(n_jobs=n_jobs):
        evaluation = evaluate(release, package, quick=quick, n_jobs=n_jobs, progress=progress)
    _put(folder, "evaluation.json", evaluation.to_json())
    _put(folder, "validation.html", render_validation(evaluation, criteria))
    return folder / "validation.html"


def evaluate(
    release: Release, package: ReferencePackage, *, quick: bool, n_jobs: int, progress: Progress
) -> Evaluation:
    """Measure everything that can be measured of a release on a reference package."""
    started = time.perf_counter()
    release, package = _measurable(release, package)
    n_resamples = 100 if quick else 300
    progress("evidence of held-out parcels, zones left out, later parcels, hardship")
    prepared = prepare(package, minimum_parcels=1)
    fitted = fit_model(prepared)
    suspects = suspects_of(prepared, fitted)
    left_out = [item.parcel_id for item in suspects if item.reason == "mislabelled"]
    settings = evidence_config_of(release)
    anew = OwnEvidence(settings, release.rules.strong_novelty_p, gate=release.model.gate, name=release.name)
    method = replace(anew, table_weight=table_weight_of(release))
    weight = release.unlisted_weight
    setting = Setting.of(method, package, left_out, unlisted_weight=weight, turned=settings.turned)
    evaluation = measure(setting, anew=anew, n_resamples=n_resamples, quick=quick)
    # Novelty of known zones is measured below with the product's own ranks; zones left out have no such ranks.
    left_out_cells = [cell for cell in evaluation.novelty if cell.kind == "zone left out"]
    kept = [r for r in evaluation.results if r.characteristic != "novelty" or r.conditions == "zone left out"]

    progress("held-out parcels examined from end to end")
    days = setting.days
    refits = Refits.of(release, package, list(folds(setting.fold)))
    results, decisions, novelty = examined(refits, setting.trials, n_resamples)
    results += prediction_sets(refits, days[-1], setting.trusted)

    progress("true blends and virtual mixtures")
    rng = np.random.default_rng(SEED)
    blends, coverage, detection = measure_blends(refits, days, setting.trusted, n_each=10 if quick else 60, rng=rng)
    learnt_from = partial(product_shares, refits, days)
    mixing = measure_shares(release.name, learnt_from, setting, n_each=1 if quick else 6)

    fusion: list[Result] = []
    if not quick:
        progress("either kind of evidence alone")
        fusion = each_alone(setting, anew, draws=Draws(np.random.default_rng(SEED), n_resamples))
        fusion += with_spread_known(setting, anew, draws=Draws(np.random.default_rng(SEED), n_resamples))
        progress("worlds that differ")
        fusion += world_results(anew, prepared, fitted, draws=Draws(np.random.default_rng(SEED), n_resamples))

    progress("simulated parcels from nowhere")
    n = 2000 if quick else 10_000
    urn, seed = Urn(fitted=fitted, sets=prepared.allowed_sets, n_jobs=n_jobs), np.random.SeedSequence(SEED)
    nowhere, cells = simulated_nowhere(release, urn, n=n, seed=SEED)
    progress("declarants who try")
    tried = try_declarations(release, urn, scenario_of(release), n=30 if quick else 300, seed=seed)
    return replace(
        evaluation,
        made=_made(release, days, time.perf_counter() - started),
        bounds=(float(release.model.calibration.bounds[0]), float(release.model.calibration.bounds[1])),
        results=(*kept, *results, *fusion, *blends, *mixing.results, *nowhere, *tried_results(tried)),
        coverage=(*mixing.coverage, *coverage),
        detection=(*mixing.detection, *detection),
        novelty=(*novelty, *left_out_cells, *cells),
        decisions=tuple(decisions),
        suspects=suspects,
        influential=influential_of(prepared, fitted),
    )


def _measurable(release: Release, package: ReferencePackage) -> tuple[Release, ReferencePackage]:
    """Keep the parcels of zones that the release learnt, and a table of status that tells zones apart in both."""
    kept = measured_on(package, release.zone_ids)
    return replace(release, manifest={**release.manifest, "zone_table": kept.zone_table.to_json()}), kept


def _made(release: Release, days: tuple[ExportDay, ...], seconds: float) -> dict[str, Any]:
    return {
        "seed": SEED,
        "folds": N_FOLDS,
        "export days": [item.day.isoformat() for item in days],
        "made with": dict(release.manifest["made_with"]),
        "unlisted weight": release.unlisted_weight,
        "seconds": round(seconds),
    }


def _put(folder: Path, name: str, text: str) -> None:
    """Write a file of a release folder and its hash into the manifest."""
    (folder / name).write_text(text, encoding="utf-8")
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["files"][name] = hashlib.sha256(text.encode()).hexdigest()
    (folder / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
