"""A method through the harness: known zones, hardship, zones left out, later parcels, novelty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kpfootprint.parcel import Batch
from kpfootprint.reference import ReferencePackage
from training.evaluate.methods import Method, fit_splits, held_out, n_stones_of, trial_records, zone_codes, zones_of
from training.evaluate.novelty import novelty_cell, novelty_result, p_values_across_folds, p_values_against
from training.evaluate.open_world import open_world, open_world_results
from training.evaluate.record import Evaluation, NoveltyCell, Result
from training.evaluate.stress import SIEVED, hardships
from training.evaluate.trials import ExportDay, draw_export_days, verification_scores, verification_trials
from training.evaluate.verification import calibrated_across_folds, calibrator_of, verification_results
from training.folds import fold_of_parcels, folds, middle_date, temporal_split

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]

SEED = 20260501
N_FOLDS = 5


def measure(
    method: Method,
    package: ReferencePackage,
    *,
    left_out: Sequence[str] = (),
    n_resamples: int = 300,
    quick: bool = False,
) -> Evaluation:
    """Measure verification, attribution and novelty of a method on a reference package.

    Parameters
    ----------
    left_out : sequence of str
        Parcels suspected to carry the wrong zone: learnt from like any other, but neither calibrated nor counted.
    quick : bool
        Leave out all hardships but one, and the later parcels.
    """
    rng = np.random.default_rng(SEED)
    codes, n_stones = zone_codes(package), n_stones_of(package.batch)
    fold = fold_of_parcels(package.zone_of, n_folds=N_FOLDS, seed=SEED)
    days = draw_export_days(package.zone_table, zones_of(package), rng=np.random.default_rng(SEED))
    trusted = np.array([parcel.parcel_id not in set(left_out) for parcel in package.batch])

    trials = verification_trials(codes, days)
    trials = trials.where(trusted[trials.parcel])
    sieved_strange: Floats | None = None
    n_zones = len(zones_of(package))
    fits = fit_splits(method, package, folds(fold))
    evidence, strange = held_out(fits, package.batch, n_zones)
    scores = verification_scores(trials, evidence, alternatives=method.alternatives)
    log10_lr = calibrated_across_folds(trials, scores, fold, n_stones)
    results = verification_results(trials, log10_lr, rng=rng, n_resamples=n_resamples)
    results.append(_best_zone(evidence[trusted], codes[trusted]))

    for conditions, shown in hardships(package, seed=SEED):
        if quick and conditions != SIEVED:
            continue
        hard_evidence, hard_strange = held_out(fits, shown, n_zones)
        hard_scores = verification_scores(trials, hard_evidence, alternatives=method.alternatives)
        hard_lr = calibrated_across_folds(trials, scores, fold, n_stones, shown=(hard_scores, n_stones_of(shown)))
        results += verification_results(
            trials, hard_lr, rng=rng, conditions=conditions, characteristic="robustness", n_resamples=n_resamples
        )
        if conditions == SIEVED:
            sieved_strange = hard_strange

    world = open_world(method, package, days, (trials, scores), n_stones, alternatives=method.alternatives)
    results += open_world_results(world, codes, rng=rng, n_resamples=n_resamples)
    if not quick:
        results += _later(method, package, days, trusted, rng, n_resamples)

    cells: list[NoveltyCell] = []
    if strange is not None and sieved_strange is not None and world.strangeness is not None:
        cells = _novelty(strange, sieved_strange, world.strangeness, n_stones, fold, trusted)
        results += [novelty_result(cell) for cell in cells]
    reference = {"name": package.name, "version": package.version, "sha256": package.sha256}
    return Evaluation(
        release=method.name,
        reference=reference,
        quick=quick,
        results=tuple(results),
        trials=trial_records(package, trials, log10_lr),
        novelty=tuple(cells),
    )


def _best_zone(evidence: Floats, codes: Ints) -> Result:
    right = evidence[:, :-1].argmax(axis=1) == codes
    by_zone = [float(right[codes == zone].mean()) for zone in np.unique(codes)]
    return Result(
        characteristic="attribution",
        metric="best zone right",
        conditions="as collected",
        value=float(np.mean(by_zone)),
        n_parcels=int(codes.size),
        n_trials=int(codes.size),
    )


def _later(
    method: Method,
    package: ReferencePackage,
    days: tuple[ExportDay, ...],
    trusted: Bools,
    rng: np.random.Generator,
    n_resamples: int,
) -> list[Result]:
    """Learn from the earlier parcels, calibrate across folds of them, and test on the later ones."""
    codes, n_stones = zone_codes(package), n_stones_of(package.batch)
    split = temporal_split(package.collected_on, middle_date(package.collected_on))
    early = replace(
        package,
        batch=Batch(tuple(package.batch.parcels[i] for i in split.train)),
        zone_of=tuple(package.zone_of[i] for i in split.train),
        collected_on=tuple(package.collected_on[i] for i in split.train),
    )
    if zones_of(early) != zones_of(package):
        return []
    fold = fold_of_parcels(early.zone_of, n_folds=N_FOLDS, seed=SEED)
    evidence = np.full((codes.size, len(zones_of(package)) + 1), np.nan)
    n_zones = len(zones_of(package))
    evidence[split.train] = held_out(fit_splits(method, early, folds(fold)), early.batch, n_zones)[0]
    evidence[split.test] = held_out(fit_splits(method, package, [split]), package.batch, n_zones)[0][split.test]
    trials = verification_trials(codes, days)
    trials = trials.where(trusted[trials.parcel] & ~np.isnan(evidence[trials.parcel, 0]))
    scores = verification_scores(trials, evidence, alternatives=method.alternatives)
    later = np.isin(trials.parcel, split.test)
    known = trials.where(~later)
    calibrator, bounds = calibrator_of(known.is_h1, scores[~later], n_stones[known.parcel], known.zone_weights)
    tested = trials.where(later)
    log10_lr = np.clip(calibrator.transform(scores[later], n_stones=n_stones[tested.parcel]), *bounds)
    return verification_results(
        tested,
        log10_lr,
        rng=rng,
        conditions=f"collected from {split.name} on",
        characteristic="generalisation",
        n_resamples=n_resamples,
    )


def _novelty(
    strange: Floats, sieved: Floats, left_out: Floats, n_stones: Floats, fold: Ints, trusted: Bools
) -> list[NoveltyCell]:
    known, size, of = strange[trusted], n_stones[trusted], fold[trusted]
    return [
        novelty_cell("known zone", p_values_across_folds(known, size, of)),
        novelty_cell("known zone, sieved", p_values_across_folds(known, size, of, sieved[trusted])),
        novelty_cell("zone left out", p_values_against(left_out[trusted], size, known, size)),
    ]
