"""The likelihood ratio, one way for all: score, H2, calibration, bounds; product, fit and evaluation go through it."""

from __future__ import annotations

from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.calibration import Calibration, told_apart
from kpfootprint.stats.metrics import LN10
from kpfootprint.stats.novelty import highest_log10_lr
from kpfootprint.stats.selection import Evidence, log_alternative


def log10_score(evidence: Evidence, alternatives: Floats, unlisted_weight: Floats) -> Floats:
    """Return uncalibrated log10 scores (n,) of what was declared against H2.

    Parameters
    ----------
    alternatives : ndarray of shape (n, Z)
        Weights of the listed sources of H2.
    unlisted_weight : ndarray of shape (n,)
        Weight of a source that nobody has sampled.
    """
    out: Floats = (evidence.declared - log_alternative(evidence, alternatives, unlisted_weight)) / LN10
    return out


def unbounded_log10_lr(
    calibration: Calibration, evidence: Evidence, alternatives: Floats, unlisted_weight: Floats, ln_n: Floats
) -> Floats:
    """Return calibrated log10 LRs (n,) before bounds."""
    score = log10_score(evidence, alternatives, unlisted_weight)
    return calibration.apply(score, ln_n, told_apart(evidence.listed, calibration.offset_spread))


def bounded_log10_lr(calibration: Calibration, log10_lr: Floats, novelty_p: Floats) -> Floats:
    """Return log10 LRs within what the cases carry, and no higher than a parcel of its novelty p-value carries."""
    return calibration.bounded(log10_lr, highest_log10_lr(novelty_p))
