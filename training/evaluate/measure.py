"""A method through the harness: comparison on known zones, hardship and zones left out, and unmixing of mixtures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from kpfootprint.parcel import Batch
from kpfootprint.reference import ReferencePackage
from kpfootprint.stats.arrays import Bools, Floats, Ints
from training.evaluate.decisions import FOUND_P
from training.evaluate.generalisation import on_later_parcels, with_poorer_references
from training.evaluate.methods import Method, fit_splits, held_out, n_stones_of, trial_records, zones_of
from training.evaluate.mixtures import (
    Shares,
    answered,
    coverage_cells,
    detection_cells,
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
from training.evaluate.stress import SIEVED, hardships
from training.evaluate.trials import Draws, draw_export_days
from training.folds import fold_of_parcels, folds
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
    for d, item in enumerate(setting.days):
        of_day, day = trials.day == d, f"exported on {item.day}"
        results += verification_results(
            trials.where(of_day), log10_lr[of_day], draws=draws, conditions=day, characteristic="accuracy"
        )

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
        world = open_world(setting, setting.scores(evidence))
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
        reference={"name": package.name, "version": package.version, "sha256": package.sha256},
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
    name: str, learnt_from: Callable[[Ints], ShareTeller], package: ReferencePackage, *, n_each: int = 6, trusted: Bools
) -> Evaluation:
    """Measure errors, coverage and detection on mixtures, the same ones for every method.

    A zone is declared that was compliant on one of the export days; foreign stones come from zones that were not
    compliant on that day.

    Parameters
    ----------
    learnt_from : callable
        Takes the positions of the parcels that may be learnt from, and returns what tells the undeclared shares of
        parcels that declare one zone each (positions in `zones_of`), with limits at `LEVEL`.
    n_each : int
        Mixtures of each share and size in each fold.
    trusted : ndarray of shape (n_parcels,), bool
        Parcels to mix.
    """
    rng = np.random.default_rng(SEED)
    zones = zones_of(package)
    days = draw_export_days(package.zone_table, zones, rng=np.random.default_rng(SEED))
    sources: dict[str, list[str]] = {}
    for item in reversed(days):  # the first day on which a zone was compliant counts, as for the product
        elsewhere = [zone for zone, compliant in zip(zones, item.compliant, strict=True) if not compliant]
        sources |= {zone: elsewhere for zone, compliant in zip(zones, item.compliant, strict=True) if compliant}
    coverage: list[CoverageCell] = []
    detection: list[DetectionCell] = []
    for split in folds(fold_of_parcels(package.zone_of, n_folds=N_FOLDS, seed=SEED)):
        tell = learnt_from(split.train)
        usable = split.test[trusted[split.test]]
        truth = virtual_mixtures(package, usable, n_each=n_each, rng=rng, sources=sources)
        truth, said = answered(truth, tell(truth.batch, truth.declared))
        coverage += coverage_cells(truth, said)
        detection += detection_cells(truth, said.p_value <= FOUND_P)
    return Evaluation(
        release=name,
        reference={"name": package.name, "version": package.version, "sha256": package.sha256},
        quick=False,
        results=tuple(mixture_results(coverage, detection)),
        coverage=tuple(coverage),
        detection=tuple(detection),
    )
