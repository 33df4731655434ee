"""A declaration judged: its likelihood ratio, undeclared shares, novelty, and the word that follows from them.

A declaration can be chosen to please. So nothing is called consistent where goods that were not compliant show under
the declaration of compliant zones that suits the parcel best, whatever was declared. And a blend has to explain the
parcel: where one of its main zones alone explains it about as well, the word is never kinder than the kindest that a
main zone alone would get.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from kpfootprint.rules import CONCLUSIONS, Rules, Signs, conclude
from kpfootprint.stats.arrays import Bools, Floats, Ints
from kpfootprint.stats.metrics import LN10
from kpfootprint.stats.model import FootprintModel, Look, goods_p, undeclared_shares
from kpfootprint.stats.novelty import highest_log10_lr
from kpfootprint.stats.selection import elsewhere
from kpfootprint.stats.shares import ShareEstimates
from kpfootprint.stats.verification import log10_lr_of

MAIN = 0.05
"""Least declared share of stones of a main zone; the largest is always one."""
EXPLAINS_LOG10 = 0.5
"""A blend explains a parcel that is this many times (log10) as probable from it as from its best main zone alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Declarations (n) judged.

    Parameters
    ----------
    unbounded, log10_lr : ndarray of shape (n,)
        Calibrated LR before and within bounds.
    highest : ndarray of shape (n,)
        Largest log10 LR that each parcel carries.
    novelty_p : ndarray of shape (n,)
        P-value of "like nothing in the reference".
    shares : ShareEstimates
        Undeclared shares of stones.
    best_p : ndarray of shape (n,)
        P-value of no undeclared goods under the declaration that would suit the parcel best; 1 where the word does not
        hang on it.
    by_itself : ndarray of shape (n,)
        Position in `CONCLUSIONS` of the word that the declaration gets as it stands.
    conclusion : ndarray of shape (n,)
        The same, but no kinder than the kindest word that a main zone would get alone, where a blend explains the
        parcel no better than its best main zone.
    """

    unbounded: Floats
    log10_lr: Floats
    highest: Floats
    novelty_p: Floats
    shares: ShareEstimates
    best_p: Floats
    by_itself: Ints
    conclusion: Ints


def main_zones(declared: Floats) -> Bools:
    """Return the main zones (n, Z) of each declaration."""
    out: Bools = (declared >= MAIN) | (declared == declared.max(axis=1, keepdims=True))
    return out


def judge(model: FootprintModel, rules: Rules, unlisted_weight: float, looked: Look, allowed: Bools) -> Judged:
    """Judge declarations.

    Parameters
    ----------
    looked : Look
        Parcels seen with their declarations.
    allowed : ndarray of shape (n, Z), bool
        Zones that were compliant.
    """
    own, declared = _by_itself(model, rules, unlisted_weight, looked, allowed), looked.weighed[0]
    main = main_zones(declared)
    best = np.where(main, looked.evidence.listed, -np.inf).max(axis=1)
    several = (declared > 0).sum(axis=1) > 1
    unexplained = several & (looked.evidence.declared - best < EXPLAINS_LOG10 * LN10)
    conclusion = own.conclusion
    row, zone = np.nonzero(main & unexplained[:, None])
    if row.size:
        alone = looked.under(row, np.eye(declared.shape[1])[zone])
        said = _by_itself(model, rules, unlisted_weight, alone, allowed[row]).conclusion
        kindest = np.full(len(declared), len(CONCLUSIONS), dtype=np.intp)
        np.minimum.at(kindest, row, said)
        conclusion = np.where(unexplained, np.maximum(conclusion, kindest), conclusion)
    return replace(own, conclusion=conclusion)


def _by_itself(model: FootprintModel, rules: Rules, unlisted_weight: float, looked: Look, allowed: Bools) -> Judged:
    """Judge declarations as they stand."""
    n, ln_n = len(looked.gate), looked.ln_n
    weight = np.full(n, unlisted_weight)
    unbounded = log10_lr_of(model, looked.evidence, elsewhere(looked.weighed[0], allowed), weight, ln_n)
    novelty_p = model.novelty.p_values(looked.strangeness, ln_n)
    highest = np.minimum(model.calibration.bounds[1], highest_log10_lr(novelty_p))
    log10_lr = model.calibration.bounded(unbounded, highest)
    shares = undeclared_shares(model, looked, allowed)
    signs = Signs(
        log10_lr=log10_lr,
        share_p=shares.p_value,
        share_low=shares.low,
        as_declared_p=shares.as_declared_p,
        best_p=np.ones(n),
        novelty_p=novelty_p,
    )
    by_itself = conclude(rules, signs, looked.view.arrays.n_stones)
    asked = np.flatnonzero(by_itself == 0) if rules.consistent_best_p > 0 else np.zeros(0, dtype=np.intp)
    if asked.size:
        signs.best_p[asked] = goods_p(model, looked, asked, allowed[asked])
        by_itself = conclude(rules, signs, looked.view.arrays.n_stones)
    return Judged(
        unbounded=unbounded,
        log10_lr=log10_lr,
        highest=highest,
        novelty_p=novelty_p,
        shares=shares,
        best_p=signs.best_p,
        by_itself=by_itself,
        conclusion=by_itself,
    )
