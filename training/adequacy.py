"""What the reference parcels of each zone are good for: read off the held-out trials of an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kpfootprint.stats.intervals import clopper_pearson
from training.record import Evaluation, Trial

FEW = 5
"""Fewer parcels of a zone than this leave its own variation mostly to the other zones'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneAdequacy:
    """Trials about one zone.

    `median_true` is the median log10 LR of its own parcels declared as themselves, `supported` the share of them with
    LR > 10, `misled` with LR < 1/10; `passed` the share of other zones' parcels with LR > 10 under its name (at most
    `passed_high` with 95 % confidence), `hardest` the zone whose parcels do so most. None where there was no trial.
    """

    zone_id: str
    n_parcels: int
    median_true: float | None
    supported: float | None
    misled: float | None
    passed: float | None
    passed_high: float | None
    hardest: str | None
    verdict: str


def adequacy(evaluation: Evaluation) -> list[ZoneAdequacy]:
    """Return what the trials say of each zone, in alphabetical order."""
    zones = sorted({t.true_zone for t in evaluation.trials} | {t.declared for t in evaluation.trials})
    return [_of_zone(zone, evaluation.trials) for zone in zones]


def _of_zone(zone: str, trials: Sequence[Trial]) -> ZoneAdequacy:
    own = [t for t in trials if t.declared == zone and t.is_h1]
    other = [t for t in trials if t.declared == zone and not t.is_h1]
    n_parcels = len({t.parcel_id for t in trials if t.true_zone == zone})
    true, false = (np.array([t.log10_lr for t in some]) for some in (own, other))
    by_zone = {
        name: float(np.mean([t.log10_lr > 1 for t in other if t.true_zone == name]))
        for name in sorted({t.true_zone for t in other})
    }
    hardest = max(by_zone, key=by_zone.__getitem__, default=None)
    if hardest is not None and by_zone[hardest] == 0:
        hardest = None
    passed = float(np.mean(false > 1)) if false.size else None
    supported = float(np.mean(true > 1)) if true.size else None
    misled = float(np.mean(true < -1)) if true.size else None
    high = None if passed is None else clopper_pearson(int((false > 1).sum()), false.size).high
    return ZoneAdequacy(
        zone_id=zone,
        n_parcels=n_parcels,
        median_true=float(np.median(true)) if true.size else None,
        supported=supported,
        misled=misled,
        passed=passed,
        passed_high=high,
        hardest=hardest,
        verdict=_verdict(n_parcels, supported, misled, passed, hardest),
    )


def _verdict(n: int, supported: float | None, misled: float | None, passed: float | None, hardest: str | None) -> str:
    """Say in a line what the parcels of a zone carry, and what would help."""
    if supported is None or misled is None:
        return "never compliant here: its parcels serve as alternatives alone"
    if n < FEW:
        return f"few: {n} parcels; more of them would help first"
    if misled > 0.05:
        return "its own parcels are turned away: look for wrong labels or a zone that is two"
    if passed is not None and passed > 0.05:
        return f"hard to tell from {hardest}: more parcels of both, or a further attribute"
    if supported < 0.5:
        return "its own parcels are seldom supported: more parcels or more stones in each"
    return "carries a comparison"
