"""A method through the harness: known zones, hardship, zones left out, poorer references, later parcels, mixtures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from kpfootprint.parcel import Batch
from kpfootprint.reference import ReferencePackage
from kpfootprint.stats.arrays import Floats, Ints
from training.evaluate.methods import (
    Method,
    fit_splits,
    held_out,
    n_stones_of,
    trial_records,
    with_parcels,
    zone_codes,
    zones_of,
)
from training.evaluate.mixtures import (
    SIEVED,
    Shares,
    hardships,
    measured,
    mixture_results,
    virtual_mixtures,
)
from training.evaluate.open_world import open_world, open_world_results
from training.evaluate.setting import (
    N_FOLDS,
    SEED,
    Setting,
    conformal_p,
    novelty_cell,
    novelty_result,
    verification_results,
)
from training.evaluate.trials import Draws
from training.folds import Split, fold_of_parcels, folds, later
from training.record import CoverageCell, DetectionCell, Evaluation, NoveltyCell, Result

ShareTeller = Callable[[Batch, Ints], Shares]


def measure(setting: Setting, *, anew: Method | None = None, n_resamples: int = 300, quick: bool = False) -> Evaluation:
    """Measure verification, attribution and novelty of a method on a reference package.

    Parameters
    ----------
    anew : Method, optional
        The method as it is where the reference is another: it then chooses anew what the other has fixed.
    quick : bool
        Leave out all hardships but one, the later parcels and the poorer references.
    """
    draws = Draws(np.random.default_rng(SEED), n_resamples)
    method, package, trials, trusted = setting.method, setting.package, setting.trials, setting.trusted
    fits = fit_splits(method, package, folds(setting.fold))
    evidence, strange = seen = held_out(fits, package.batch, setting.n_zones)
    log10_lr = setting.log10_lr(seen)
    results = verification_results(trials, log10_lr, draws=draws)
    results.append(_best_zone(evidence[trusted], setting.codes[trusted]))

    sieved_strange: Floats | None = None
    for conditions, shown in hardships(package, seed=SEED):
        if quick and conditions != SIEVED:
            continue
        hard = held_out(fits, shown, setting.n_zones)
        hard_lr = setting.log10_lr(seen, (hard, n_stones_of(shown)))
        results += verification_results(
            trials, hard_lr, draws=draws, conditions=conditions, characteristic="robustness"
        )
        if conditions == SIEVED:
            sieved_strange = hard[1]

    cells: list[NoveltyCell] = []
    ln_n = np.log(setting.n_stones)
    if setting.n_zones > 2:  # of two zones, one left out leaves nothing to compare with
        world = open_world(setting, evidence)
        if strange is not None and sieved_strange is not None and world.strangeness is not None:
            of_left_out = conformal_p(world.strangeness, ln_n, strange[trusted], ln_n[trusted])
            world = replace(world, log10_lr=setting.held(world.log10_lr, of_left_out, world.trials))
            cells = [
                novelty_cell("known zone", setting.novelty_p(strange)[trusted]),
                novelty_cell(f"known zone, {SIEVED}", setting.novelty_p(strange, sieved_strange)[trusted]),
                novelty_cell("zone left out", of_left_out[trusted]),
            ]
        results += open_world_results(world, setting.codes, draws=draws)
    if not quick:
        results += on_later_parcels(setting, draws)
        results += with_poorer_references(setting if anew is None else replace(setting, method=anew), draws)
    results += [novelty_result(cell) for cell in cells]
    return Evaluation(
        release=method.name,
        reference=package.identity,
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


def measure_shares(
    name: str, learnt_from: Callable[[Ints], ShareTeller], setting: Setting, *, n_each: int = 6
) -> Evaluation:
    """Measure errors, coverage and detection on mixtures of trusted parcels, the same ones for every method.

    A zone is declared that was compliant on one of the export days; foreign stones come from zones that were not
    compliant on that day.

    Parameters
    ----------
    learnt_from : callable
        Takes the positions of the parcels that may be learnt from, and returns what tells the undeclared shares of
        parcels that declare one zone each (positions in `zones_of`), with limits at `LEVEL`.
    n_each : int
        Mixtures of each share and size in each fold.
    """
    rng, package = np.random.default_rng(SEED), setting.package
    zones = zones_of(package)
    sources: dict[str, list[str]] = {}
    for item in reversed(setting.days):  # the first day on which a zone was compliant counts, as for the product
        elsewhere = [zone for zone, compliant in zip(zones, item.compliant, strict=True) if not compliant]
        sources |= {zone: elsewhere for zone, compliant in zip(zones, item.compliant, strict=True) if compliant}
    coverage: list[CoverageCell] = []
    detection: list[DetectionCell] = []
    for split in folds(setting.fold):
        usable = split.test[setting.trusted[split.test]]
        truth = virtual_mixtures(package, usable, n_each=n_each, rng=rng, sources=sources)
        if not len(truth.batch):  # parcels too small to be mixed
            continue
        held, found = measured(truth, learnt_from(split.train)(truth.batch, truth.declared))
        coverage, detection = coverage + held, detection + found
    return Evaluation(
        release=name,
        reference=package.identity,
        quick=False,
        results=tuple(mixture_results(coverage, detection)),
        coverage=tuple(coverage),
        detection=tuple(detection),
    )


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
    split = later(package.collected_on)
    if split is None:
        return []
    early = with_parcels(package, split.train)
    if zones_of(early) != zones_of(package):
        return []
    fold = fold_of_parcels(early.zone_of, n_folds=N_FOLDS, seed=SEED)
    method, n_zones = setting.method, setting.n_zones
    evidence = held_out(fit_splits(method, package, [split]), package.batch, n_zones)[0]
    evidence[split.train] = held_out(fit_splits(method, early, folds(fold)), early.batch, n_zones)[0]
    earlier, later_on = (np.isin(np.arange(codes.size), rows) for rows in (split.train, split.test))
    if not setting.trials.where(earlier[setting.trials.parcel]).of_both:
        return []
    calibration = setting.calibration(evidence, earlier)
    tested = setting.trials.where(later_on[setting.trials.parcel])
    ln_n = np.log(n_stones[tested.parcel])
    log10_lr = setting.scores(evidence, tested).log10_lr(calibration, ln_n)
    return verification_results(
        tested,
        log10_lr,
        draws=draws,
        conditions=f"collected from {split.name} on",
        characteristic="generalisation",
    )
