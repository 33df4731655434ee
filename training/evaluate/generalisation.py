"""Later parcels, and poorer references: what a method is worth beyond the reference it was measured on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from kpfootprint.reference import ReferencePackage
from kpfootprint.stats.arrays import Ints
from training.evaluate.methods import fit_splits, held_out, with_parcels, zone_codes, zones_of
from training.evaluate.setting import N_FOLDS, SEED, Setting, verification_results
from training.evaluate.trials import Draws, verification_trials
from training.folds import Split, fold_of_parcels, folds, middle_date, temporal_split
from training.record import Result

FEW = (3, 5, 10)
"""Reference parcels of each zone that are left to learn from."""
WRONG_LABELS = 0.1
"""Share of reference parcels that are given another zone's label."""


def few_references(
    package: ReferencePackage, fold: Ints, rng: np.random.Generator
) -> Iterator[tuple[str, list[Split]]]:
    """Yield how few parcels of each zone are left to learn from, and the splits to do it by."""
    zone_of = np.array(package.zone_of)
    zones = np.array(zones_of(package))
    whole = list(folds(fold))
    for few in FEW:
        splits = []
        for split in whole:
            kept = [
                rng.permutation(mine)[:few]
                for zone in zones
                if (mine := split.train[zone_of[split.train] == zone]).size
            ]
            splits.append(replace(split, train=np.sort(np.concatenate(kept))))
        yield f"{few} reference parcels a zone", splits


def poorer_references(package: ReferencePackage, fold: Ints) -> Iterator[tuple[str, ReferencePackage, list[Split]]]:
    """Yield what is wrong with the reference, the package to learn from, and the splits to do it by."""
    zone_of = np.array(package.zone_of)
    zones = np.array(zones_of(package))
    rng = np.random.default_rng(SEED)
    for conditions, splits in few_references(package, fold, rng):
        yield conditions, package, splits
    wrong = rng.random(zone_of.size) < WRONG_LABELS
    other = zones[(zone_codes(package) + rng.integers(1, zones.size, zone_of.size)) % zones.size]
    labels = tuple(str(label) for label in np.where(wrong, other, zone_of))
    yield f"{WRONG_LABELS:.0%} of reference labels wrong", replace(package, zone_of=labels), list(folds(fold))


def with_poorer_references(setting: Setting, draws: Draws) -> list[Result]:
    """Learn and calibrate from poorer references, and judge the same parcels by what they truly are."""
    results: list[Result] = []
    for conditions, package, splits in poorer_references(setting.package, setting.fold):
        if zones_of(package) != zones_of(setting.package):
            continue
        fits = fit_splits(setting.method, package, splits)
        results += setting.results(fits, conditions=conditions, characteristic="robustness", draws=draws)
    return results


def on_later_parcels(setting: Setting, draws: Draws) -> list[Result]:
    """Learn from the earlier parcels, calibrate across folds of them, and test on the later ones."""
    package, codes, n_stones = setting.package, setting.codes, setting.n_stones
    if len({day for day in package.collected_on if day is not None}) < 2:
        return []
    split = temporal_split(package.collected_on, middle_date(package.collected_on))
    early = with_parcels(package, split.train)
    if zones_of(early) != zones_of(package):
        return []
    fold = fold_of_parcels(early.zone_of, n_folds=N_FOLDS, seed=SEED)
    evidence = np.full((codes.size, setting.n_zones + 1), np.nan)
    method = setting.method
    evidence[split.train] = held_out(fit_splits(method, early, folds(fold)), early.batch, setting.n_zones)[0]
    evidence[split.test] = held_out(fit_splits(method, package, [split]), package.batch, setting.n_zones)[0][split.test]
    trials = verification_trials(codes, setting.days)
    trials = trials.where(setting.trusted[trials.parcel] & ~np.isnan(evidence[trials.parcel, 0]))
    scores = setting.scores(evidence, trials)
    later = np.isin(trials.parcel, split.test)
    known = trials.where(~later)
    if known.is_h1.all() or not known.is_h1.any():
        return []
    calibration = setting.calibration(known, scores.where(~later))
    tested, asked = trials.where(later), scores.where(later)
    ln_n = np.log(n_stones[tested.parcel])
    log10_lr = calibration.bounded(calibration.apply(asked.asked, ln_n, asked.told))
    return verification_results(
        tested,
        log10_lr,
        draws=draws,
        conditions=f"collected from {split.name} on",
        characteristic="generalisation",
    )
