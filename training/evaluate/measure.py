"""A method through the harness: known zones, hardship, zones left out, later parcels, poorer references, novelty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kpfootprint.reference import ReferencePackage
from kpfootprint.stats.arrays import Floats, Ints
from training.evaluate.generalisation import on_later_parcels, with_poorer_references
from training.evaluate.methods import Method, fit_splits, held_out, n_stones_of, trial_records
from training.evaluate.novelty import novelty_cell, novelty_result, p_values_against
from training.evaluate.open_world import open_world, open_world_results
from training.evaluate.setting import SEED, Setting
from training.evaluate.stress import SIEVED, hardships
from training.evaluate.verification import verification_results
from training.folds import folds
from training.record import Evaluation, NoveltyCell, Result


def measure(
    method: Method,
    package: ReferencePackage,
    *,
    unlisted_weight: float,
    anew: Method | None = None,
    left_out: Sequence[str] = (),
    n_resamples: int = 300,
    quick: bool = False,
) -> Evaluation:
    """Measure verification, attribution and novelty of a method on a reference package.

    Parameters
    ----------
    anew : Method, optional
        The method as it is where the reference is another: it then chooses anew what the other has fixed.
    left_out : sequence of str
        Parcels suspected to carry the wrong zone: learnt from like any other, but neither calibrated nor counted.
    quick : bool
        Leave out all hardships but one, the later parcels and the poorer references.
    """
    rng = np.random.default_rng(SEED)
    setting = Setting.of(method, package, left_out, unlisted_weight=unlisted_weight)
    trials, trusted, codes, n_stones = setting.trials, setting.trusted, setting.codes, setting.n_stones
    fits = fit_splits(method, package, folds(setting.fold))
    evidence, strange = seen = held_out(fits, package.batch, setting.n_zones)
    log10_lr = setting.log10_lr(seen)
    results = verification_results(trials, log10_lr, rng=rng, n_resamples=n_resamples)
    results.append(_best_zone(evidence[trusted], codes[trusted]))
    for d, item in enumerate(setting.days):
        of_day = trials.day == d
        results += verification_results(
            trials.where(of_day),
            log10_lr[of_day],
            rng=rng,
            conditions=f"exported on {item.day}",
            characteristic="accuracy",
            n_resamples=n_resamples,
        )

    sieved_strange: Floats | None = None
    for conditions, shown in hardships(package, seed=SEED):
        if quick and conditions != SIEVED:
            continue
        hard = held_out(fits, shown, setting.n_zones)
        hard_lr = setting.log10_lr(seen, (hard, n_stones_of(shown)))
        results += verification_results(
            trials, hard_lr, rng=rng, conditions=conditions, characteristic="robustness", n_resamples=n_resamples
        )
        if conditions == SIEVED:
            sieved_strange = hard[1]

    cells: list[NoveltyCell] = []
    if setting.n_zones > 2:  # of two zones, one left out leaves nothing to compare with
        world = open_world(setting, setting.scores(evidence))
        if strange is not None and sieved_strange is not None and world.strangeness is not None:
            of_left_out = p_values_against(world.strangeness, n_stones, strange[trusted], n_stones[trusted])
            world = replace(world, log10_lr=setting.held(world.log10_lr, of_left_out, world.trials))
            cells = [
                novelty_cell("known zone", setting.novelty_p(strange)[trusted]),
                novelty_cell(f"known zone, {SIEVED}", setting.novelty_p(strange, sieved_strange)[trusted]),
                novelty_cell("zone left out", of_left_out[trusted]),
            ]
        results += open_world_results(world, codes, rng=rng, n_resamples=n_resamples)
    if not quick:
        results += on_later_parcels(setting, rng, n_resamples)
        poorer = setting if anew is None else replace(setting, method=anew)
        results += with_poorer_references(poorer, rng, n_resamples)
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
