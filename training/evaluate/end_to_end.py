"""The product from end to end on held-out parcels: conclusions, novelty, and the zones it names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kpfootprint.parcel import Batch
from kpfootprint.stats.arrays import Bools
from training.evaluate.decisions import decision_errors, decision_results
from training.evaluate.examined import Refits, declared_batch
from training.evaluate.methods import n_stones_of
from training.evaluate.novelty import novelty_cell, novelty_result
from training.evaluate.setting import SEED
from training.evaluate.stress import hardships
from training.evaluate.trials import ExportDay, Trials, counted
from training.record import DecisionErrors, NoveltyCell, Result


def examined(
    refits: Refits, trials: Trials, n_resamples: int
) -> tuple[list[Result], list[DecisionErrors], list[NoveltyCell]]:
    """Conclusions on every trial, and the product's own novelty of known zones, as collected and sieved."""
    package = refits.package
    rng = np.random.default_rng(SEED)
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
        if p_values.size:  # parcels of a few stones resemble nothing
            cells.append(novelty_cell(kind, p_values))
    return [*results, *(novelty_result(cell) for cell in cells)], decisions, cells


def prediction_sets(refits: Refits, day: ExportDay, trusted: Bools) -> list[Result]:
    """How often the set of zones named at its level holds a held-out parcel's zone, and how many zones it names.

    Parcels that are too small to resemble anything name no zones and are passed over.
    """
    rows = np.flatnonzero(trusted)
    batch = Batch(tuple(replace(refits.package.batch.parcels[i], exported_on=day.day) for i in rows))
    examined = zip(rows, refits.examine(batch, rows), strict=True)
    named = [(refits.package.zone_of[i], one.attribution) for i, one in examined if one.attribution is not None]
    if not named:
        return []
    inside = [zone in said.prediction_set for zone, said in named]
    level = named[0][1].level
    held = counted("attribution", f"{level:.0%} set holds the zone", "as collected", sum(inside), len(inside))
    size = float(np.mean([len(said.prediction_set) for _, said in named]))
    return [held, replace(held, metric=f"zones in the {level:.0%} set", value=size, low=None, high=None)]
