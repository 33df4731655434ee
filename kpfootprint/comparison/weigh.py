"""All numbers of a batch at once: likelihood ratios, posteriors, shares, novelty. Arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import fdtrc

from kpfootprint.comparison.free_shares import FreeShares
from kpfootprint.comparison.hypotheses import Hypotheses
from kpfootprint.comparison.judge import Judged, judge
from kpfootprint.release import Release
from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.declarations import Profile, not_named
from kpfootprint.stats.evidence import DEGREES_OF_FREEDOM
from kpfootprint.stats.model import Look, look
from kpfootprint.stats.selection import slot_evidence
from kpfootprint.stats.structure import ParcelArrays
from kpfootprint.stats.verification import (
    against_each,
    log10_lr_of,
    lr_under_variance,
    resampled_lrs,
    shapley,
    subset_lrs,
    unlisted_odds,
)
from kpfootprint.stats.views import AS_RECORDED, CLASSES

LEVEL = 0.9
OTHER_WEIGHTS = (0.1, 0.5, 0.9)
"""Weights of the unlisted source for which the LR is shown beside the stated one."""
VARIANCES = (1.0, 3.0, 10.0)
"""Multiples of the variance between parcels of a zone for which the LR is shown; the first is as it was learnt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfDeclaration:
    """What was declared of n parcels, weighed; log10 LRs are calibrated, and within bounds unless they say otherwise.

    `judged` has the LR itself, undeclared shares and the conclusion; `each` (n, Z) is the LR against each zone alone,
    `any_other` against all zones as far as not declared, `by_weight` (n, 3) under `OTHER_WEIGHTS`, `by_variance`
    (n, 3) under `VARIANCES`, `by_selection` (n, 3) unbounded: sizes as recorded, marginalised, left out;
    `sorter_blank` (n,) unbounded, as if the sorter were not known; `attribute_shares` (n, A + 1) of the unbounded LR;
    `split` (n,) unbounded, of the stated split against any split of the same origins, NaN where that is not asked.
    """

    profile: Profile
    judged: Judged
    low: Floats
    high: Floats
    any_other: Floats
    each: Floats
    by_weight: Floats
    by_variance: Floats
    by_selection: Floats
    sorter_blank: Floats
    attribute_shares: Floats
    typicality_p: Floats
    split: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """Numbers of n parcels over Z zones; `declaration` is None where H1 cannot be had."""

    looked: Look
    posterior: Floats
    unlisted_posterior: Floats
    novelty_p: Floats
    declaration: OfDeclaration | None


def weigh(arrays: ParcelArrays, hypotheses: Hypotheses, release: Release, free: FreeShares) -> Weighed:
    """Compute the numbers of a batch, of which H1 can be had of all parcels or of none.

    Parameters
    ----------
    free : FreeShares
        What the declarations leave free; `hypotheses` has the mean blend of it.

    Raises
    ------
    ValueError
        Where it can be had of some.
    """
    testable = hypotheses.testable
    if testable.any() != testable.all():
        raise ValueError("H1 must be had of all parcels or of none; take them apart by `testable`")
    model = release.model
    declared = hypotheses.weights if testable.all() else None
    looked = _integrated(look(model, arrays, declared), free.log_evidence)
    of_declaration = None if declared is None else _of_declaration(looked, hypotheses, release, free)
    posterior, unlisted = unlisted_odds(looked.evidence, release.unlisted_weight)
    return Weighed(
        looked=looked,
        posterior=posterior,
        unlisted_posterior=unlisted,
        novelty_p=model.novelty.p_values(looked.strangeness, looked.ln_n),
        declaration=of_declaration,
    )


def _of_declaration(looked: Look, hypotheses: Hypotheses, release: Release, free: FreeShares) -> OfDeclaration:
    model, evidence, ln_n, profile = release.model, looked.evidence, looked.ln_n, looked.weighed[1]
    weights, alternatives = hypotheses.weights, hypotheses.alternatives
    n = len(weights)
    judged = judge(model, release.rules, release.unlisted_weight, looked, hypotheses.allowed)
    highest = judged.highest
    stated = np.full(n, release.unlisted_weight)
    flags, values, sorter_blank = subset_lrs(model, looked, alternatives, stated)
    resampled = resampled_lrs(model, looked, alternatives, stated)
    if free.log_evidence.any():
        # what is integrated over moves every version of the LR alike
        point = _integrated(looked, -free.log_evidence).evidence
        resampled = resampled + judged.unbounded - log10_lr_of(model, point, alternatives, stated, ln_n)

    def bounded(log10_lr: Floats) -> Floats:
        return model.calibration.bounded(log10_lr, highest)

    tail = (1.0 - LEVEL) / 2.0
    low, high = np.quantile(bounded(resampled), [tail, 1.0 - tail], axis=0)
    selection = [
        log10_lr_of(model, slot_evidence(looked.readings, slot), alternatives, stated, ln_n)
        for slot in (AS_RECORDED, CLASSES)
    ]
    wider = [lr_under_variance(model, looked, alternatives, stated, factor) for factor in VARIANCES[1:]]
    return OfDeclaration(
        profile=profile,
        judged=judged,
        low=np.minimum(low, judged.log10_lr),
        high=np.maximum(high, judged.log10_lr),
        any_other=bounded(log10_lr_of(model, evidence, not_named(weights), stated, ln_n)),
        each=bounded(against_each(model, evidence, ln_n).T).T,
        by_weight=np.stack(
            [bounded(log10_lr_of(model, evidence, alternatives, np.full(n, w), ln_n)) for w in OTHER_WEIGHTS], axis=1
        ),
        by_variance=np.stack([judged.log10_lr, *map(bounded, wider)], axis=1),
        by_selection=np.stack([selection[0], judged.unbounded, selection[1]], axis=1),
        sorter_blank=np.where(looked.view.arrays.levels[:, -1] >= 0, sorter_blank, np.nan),
        attribute_shares=shapley(flags, values),
        typicality_p=_typicality(looked, profile),
        split=free.split_log10_lr,
    )


def _integrated(looked: Look, log_evidence: Floats) -> Look:
    """Return what was declared with the evidence of all its shares in place of that of its mean blend."""
    if not log_evidence.any():
        return looked
    return replace(
        looked,
        evidence=replace(looked.evidence, declared=looked.evidence.declared + log_evidence),
        readings=replace(looked.readings, declared=looked.readings.declared + log_evidence),
    )


def _typicality(looked: Look, profile: Profile) -> Floats:
    """Return the tail of the F distribution that a t-distributed parcel's distance from its own source follows."""
    window = looked.gate.argmax(axis=1)
    rows = np.arange(len(window))
    dims = np.maximum(looked.view.n_dims[0], 1.0)
    out: Floats = fdtrc(dims, DEGREES_OF_FREEDOM, profile.distance[window, rows] / dims)
    return out
