"""What each of the two kinds of evidence is worth alone, beside the two as cross-validation pools them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.evaluate.methods import fit_splits, held_out
from training.evaluate.own import OwnEvidence
from training.evaluate.setting import Setting
from training.evaluate.verification import verification_results
from training.folds import folds
from training.prepare import Choice
from training.record import Result

ALONE: dict[str, Choice | None] = {
    "chosen anew in each fold": None,
    "explicit model alone": Choice(),
    "tables alone": Choice(table_weight=1.0),
}


def each_alone(
    setting: Setting, method: OwnEvidence, *, rng: np.random.Generator, n_resamples: int = 300
) -> list[Result]:
    """Measure either kind of evidence alone, without any shrinkage, on the trials and folds of a setting."""
    results: list[Result] = []
    for conditions, choice in ALONE.items():
        alone = replace(setting, method=replace(method, choice=choice))
        seen = held_out(fit_splits(alone.method, alone.package, folds(alone.fold)), alone.package.batch, alone.n_zones)
        results += verification_results(
            alone.trials,
            alone.log10_lr(seen),
            rng=rng,
            conditions=conditions,
            characteristic="fusion",
            n_resamples=n_resamples,
        )
    return results
