"""The evaluation of a fitted folder or a release, from end to end: ``evaluation.json`` and ``validation.html``."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from kpfootprint.comparison.results import Examination
from kpfootprint.parcel import Batch
from kpfootprint.reference import ReferencePackage
from kpfootprint.release import MANIFEST, Release, load_release
from training.criteria import read_criteria
from training.evaluate.decisions import blend_results, decision_errors, decision_results, simulated_errors
from training.evaluate.examined import ProductShares, Refits, declared_batch, shares_of
from training.evaluate.explicit import ExplicitModel, suspects_of
from training.evaluate.measure import N_FOLDS, SEED, measure
from training.evaluate.measure_shares import measure_shares
from training.evaluate.methods import n_stones_of, zone_codes, zones_of
from training.evaluate.mixtures import virtual_blends
from training.evaluate.novelty import novelty_cell, novelty_result
from training.evaluate.nowhere import simulated_nowhere
from training.evaluate.record import CoverageCell, DecisionErrors, Evaluation, NoveltyCell, Result
from training.evaluate.stress import hardships
from training.evaluate.trials import ExportDay, draw_export_days, verification_trials
from training.folds import fold_of_parcels, folds
from training.package import load_package
from training.prepare import prepare
from training.validation_report import render_validation

Progress = Callable[[str], None]


def evaluate_model(folder: Path, reference: Path, *, quick: bool, n_jobs: int, progress: Progress) -> Path:
    """Evaluate a folder on the package it was fitted to, and write what was found beside it.

    Parameters
    ----------
    quick : bool
        Fewer draws, mixtures and hardships; such an evaluation cannot carry a release.

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
        raise ValueError(f"{folder} was fitted to another reference package than {reference}")
    evaluation = evaluate(release, package, quick=quick, n_jobs=n_jobs, progress=progress)
    _put(folder, "evaluation.json", evaluation.to_json())
    _put(folder, "validation.html", render_validation(evaluation, read_criteria()))
    return folder / "validation.html"


def evaluate(
    release: Release, package: ReferencePackage, *, quick: bool, n_jobs: int, progress: Progress
) -> Evaluation:
    """Measure everything that can be measured of a release on a reference package."""
    started = time.perf_counter()

    def step(text: str) -> None:
        progress(f"{time.perf_counter() - started:6.0f} s  {text}")

    n_resamples = 100 if quick else 300
    step("evidence of held-out parcels, zones left out, later parcels, hardship")
    suspects = suspects_of(package)
    left_out = [item.parcel_id for item in suspects if item.reason == "mislabelled"]
    method = ExplicitModel(gate=release.model.gate, name=release.name)
    evaluation = measure(method, package, left_out=left_out, n_resamples=n_resamples, quick=quick)
    # Novelty of known zones is measured below with the product's own ranks; zones left out have no such ranks.
    left_out_cells = [cell for cell in evaluation.novelty if cell.kind == "zone left out"]
    kept = [r for r in evaluation.results if r.characteristic != "novelty" or r.conditions == "zone left out"]

    step("held-out parcels examined from end to end")
    days = draw_export_days(package.zone_table, zones_of(package), rng=np.random.default_rng(SEED))
    splits = list(folds(fold_of_parcels(package.zone_of, n_folds=N_FOLDS, seed=SEED)))
    refits = Refits.of(release, package, splits)
    results, decisions, novelty = _examined(refits, days, set(left_out), n_resamples)

    step("true blends and virtual mixtures")
    blends, coverage = _blends(refits, days, set(left_out), n_each=10 if quick else 60)
    name = release.name
    mixing = measure_shares(ProductShares(release, days, name), package, n_each=1 if quick else 6, left_out=left_out)

    step("simulated parcels from nowhere")
    n = 2000 if quick else 10_000
    nowhere, cells = simulated_nowhere(release, prepare(package), n=n, seed=SEED, n_jobs=n_jobs)
    step("done")
    return replace(
        evaluation,
        reference={**evaluation.reference, "synthetic": package.synthetic},
        made=_made(release, days, time.perf_counter() - started),
        bounds=(float(release.model.calibration.bounds[0]), float(release.model.calibration.bounds[1])),
        results=(*kept, *results, *blends, *mixing.results, *nowhere),
        coverage=(*mixing.coverage, *coverage),
        detection=mixing.detection,
        novelty=(*novelty, *left_out_cells, *cells),
        decisions=(*decisions, *simulated_errors(release.manifest.get("error_rates", ()))),
        suspects=suspects,
    )


def _examined(
    refits: Refits, days: tuple[ExportDay, ...], left_out: set[str], n_resamples: int
) -> tuple[list[Result], list[DecisionErrors], list[NoveltyCell]]:
    """Conclusions on every trial, and the product's own novelty of known zones, as collected and sieved."""
    package = refits.package
    rng = np.random.default_rng(SEED)
    trusted = np.array([parcel.parcel_id not in left_out for parcel in package.batch])
    trials = verification_trials(zone_codes(package), days)
    trials = trials.where(trusted[trials.parcel])
    said = refits.examine(declared_batch(package, trials), trials.parcel)
    results = decision_results(trials, said, rng=rng, n_resamples=n_resamples)
    decisions = decision_errors(trials, said, n_stones_of(package.batch))

    # One true declaration of each parcel, on the last day on which its zone was compliant.
    true = trials.where(trials.is_h1)
    last = {int(parcel): i for i, parcel in enumerate(true.parcel)}
    one_each = true.where(np.isin(np.arange(true.parcel.size), list(last.values())))
    conditions, sieved = next(hardships(package, seed=SEED))
    cells = []
    for kind, shown in (("known zone", package.batch), (f"known zone, {conditions}", sieved)):
        batch = declared_batch(replace(package, batch=shown), one_each)
        found = refits.examine(batch, one_each.parcel)
        p_values = np.array([e.novelty.p_value for e in found if e.novelty is not None])
        cells.append(novelty_cell(kind, p_values))
    return [*results, *(novelty_result(cell) for cell in cells)], decisions, cells


def _blends(
    refits: Refits, days: tuple[ExportDay, ...], left_out: set[str], *, n_each: int
) -> tuple[list[Result], list[CoverageCell]]:
    """Blends of held-out parcels of two zones that were compliant on the last day with two or more of them."""
    package, zones = refits.package, zones_of(refits.package)
    day = next((item for item in reversed(days) if item.compliant.sum() >= 2), None)
    if day is None:
        return [], []
    compliant = [zone for zone, yes in zip(zones, day.compliant, strict=True) if yes]
    rng = np.random.default_rng(SEED)
    said: list[Examination] = []
    for split, release in refits.parts:
        part = Refits(package, ((split, release),))
        usable = np.array([i for i in split.test if package.batch.parcels[i].parcel_id not in left_out], dtype=np.intp)
        made = virtual_blends(package, usable, compliant, n_each, rng=rng)
        batch = Batch(tuple(replace(parcel, exported_on=day.day) for parcel in made))
        said += part.examine(batch, np.full(len(batch), split.test[0]))
    shares = shares_of(said, level=0.9)
    coverage = CoverageCell(
        kind="blend",
        share_low=0.0,
        share_high=0.0,
        n_stones_low=60,
        n_stones_high=3000,
        level=0.9,
        covered=int((shares.low <= 1e-9).sum()),
        trials=len(said),
        mean_absolute_error=float(shares.share.mean()),
    )
    return blend_results(said), [coverage]


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
