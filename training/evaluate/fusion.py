"""Explicit evidence and a network amortised over it: how much of each, as cross-validation decides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kpfootprint.stats.metrics import cllr
from training.evaluate.methods import fit_splits, held_out
from training.evaluate.record import Result
from training.evaluate.setting import Setting
from training.evaluate.verification import calibrator_of, verification_results
from training.folds import folds

Floats = NDArray[np.float64]

WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Weights of the network that are tried; the evidence of both is averaged on the log scale."""
LEAST = 1e3
"""Log evidence below the best zone's is taken as no lower than this before it is averaged."""


def fused_results(
    explicit: Setting, network: Setting, *, rng: np.random.Generator, n_resamples: int = 300
) -> list[Result]:
    """Measure the network alone and the fusion; the weight for each fold is chosen on the parcels of the others.

    Parameters
    ----------
    explicit, network : Setting
        The same package and trials with either method.

    Returns
    -------
    list of Result
        Metrics of both under conditions of their own, and the mean weight that was chosen.
    """
    seen = [
        held_out(
            fit_splits(setting.method, setting.package, folds(setting.fold)), setting.package.batch, setting.n_zones
        )
        for setting in (explicit, network)
    ]
    aligned = [evidence - evidence.max(axis=1, keepdims=True) for evidence, _ in seen]
    unknown = np.isneginf(aligned[0]) & np.isneginf(aligned[1])  # a zone that neither has learnt
    first, second = (np.maximum(evidence, -LEAST) for evidence in aligned)
    candidates = [np.where(unknown, -np.inf, (1.0 - w) * first + w * second) for w in WEIGHTS]
    trials = explicit.trials
    scores = [explicit.scores(evidence) for evidence in candidates]
    fold = explicit.fold[trials.parcel]
    fused = np.empty_like(candidates[0])
    chosen = []
    for k in np.unique(explicit.fold):
        others = trials.where(fold != k)
        size, h1, weight = explicit.n_stones[others.parcel], others.is_h1, others.zone_weights
        costs = []
        for score in scores:
            asked = score[fold != k]
            calibrator, bounds = calibrator_of(others, asked, explicit.n_stones, trust=explicit.method.trust)
            found = np.clip(calibrator.transform(asked, n_stones=size), *bounds)
            costs.append(cllr(found[h1], found[~h1], weights_h1=weight[h1], weights_h2=weight[~h1]))
        best = int(np.argmin(costs))
        chosen.append(WEIGHTS[best])
        fused[explicit.fold == k] = candidates[best][explicit.fold == k]
    results = [
        Result(
            characteristic="fusion",
            metric="weight of the network",
            conditions="chosen on the other folds",
            value=float(np.mean(chosen)),
            low=float(np.min(chosen)),
            high=float(np.max(chosen)),
            level=1.0,
            n_parcels=int(np.unique(trials.parcel).size),
            n_trials=len(chosen),
        )
    ]
    for conditions, evidence in (("network alone", candidates[-1]), ("fused", fused)):
        results += verification_results(
            trials,
            explicit.log10_lr((evidence, seen[0][1])),
            rng=rng,
            conditions=conditions,
            characteristic="fusion",
            n_resamples=n_resamples,
        )
    return results
