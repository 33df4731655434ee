"""What a release is judged by, whether a candidate is fit for it, and whether it is worse than the one in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from kpfootprint.stats import metrics
from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.intervals import ConfidenceInterval, bootstrap_over_parcels
from training.record import CHARACTERISTICS, Characteristic, Evaluation, Trial

Better = Literal["lower", "higher"]
Verdict = Literal["goal reached", "within the limit", "beyond the limit", "not measured"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """A metric under stated conditions with its `goal` and its `limit`."""

    characteristic: Characteristic
    metric: str
    conditions: str
    better: Better
    goal: float
    limit: float
    required: bool

    def __post_init__(self) -> None:
        name = f"criterion {self.metric!r} ({self.conditions})"
        if self.characteristic not in CHARACTERISTICS:
            raise ValueError(f"{name}: characteristic must be one of {CHARACTERISTICS}, got {self.characteristic!r}")
        if self.better not in ("lower", "higher"):
            raise ValueError(f"{name}: better must be 'lower' or 'higher', got {self.better!r}")
        if self._beyond(self.goal, self.limit):
            raise ValueError(f"{name}: the goal must not lie beyond the limit, got {self.goal} and {self.limit}")

    def _beyond(self, value: float, bound: float) -> bool:
        return value > bound if self.better == "lower" else value < bound

    def verdict(self, evaluation: Evaluation) -> Verdict:
        """Say where the measured value lies."""
        result = evaluation.result(self.metric, self.conditions)
        if result is None or result.value is None:
            return "not measured"
        if not self._beyond(result.value, self.goal):
            return "goal reached"
        return "beyond the limit" if self._beyond(result.value, self.limit) else "within the limit"


def apart(value: float, *others: float) -> str:
    """Return a number with three decimals, or as many more as keep it from looking like another that it is not.

    >>> apart(0.0302, 0.03), apart(0.25, 0.03)
    ('0.0302', '0.250')
    """
    texts = (f"{value:.{places}f}" for places in range(3, 9))
    return next((text for text in texts if all(float(text) != other or value == other for other in others)), str(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class NotWorse:
    """A metric in which a candidate must not be worse than the release in force by more than `tolerance`."""

    metric: str
    better: Better
    tolerance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """All criteria of a version."""

    version: str
    criteria: tuple[Criterion, ...]
    comparisons: tuple[NotWorse, ...]

    def criterion(self, metric: str, conditions: str) -> Criterion | None:
        """Return the criterion of a metric under some conditions, or None."""
        return next((c for c in self.criteria if c.metric == metric and c.conditions == conditions), None)


def criteria_of(part: Mapping[str, Any]) -> Criteria:
    """Return the criteria of the part ``acceptance`` of the settings; ValueError where an entry does not fit."""
    try:
        return Criteria(
            version=str(part["version"]),
            criteria=tuple(Criterion(**item) for item in part["criterion"]),
            comparisons=tuple(NotWorse(**item) for item in part["comparison"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"a criterion does not fit: {error}") from None


STATISTICS: dict[str, metrics.Statistic] = {
    "Cllr": metrics.cllr,
    "Cllr_min": metrics.cllr_min,
    "AUC": metrics.auc,
    "true rejected at 5 % false": metrics.rejection_at,
}
SEED = 20260501
N_RESAMPLES = 500
LEFT_OUT = "zone left out"
"""How the conditions begin under which a zone stands for a source that nobody has sampled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A metric of both releases on the same trials, and the interval of ``after - before`` over parcels."""

    metric: str
    before: float
    after: float
    limits: ConfidenceInterval


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseComparison:
    """Two releases side by side: `before` is A, `after` is B.

    `n_common` trials are in both.
    """

    before: Evaluation
    after: Evaluation
    n_common: int
    differences: tuple[Difference, ...]

    def as_text(self) -> str:
        """Return a plain table for a terminal."""
        lines = [f"{self.before.release} -> {self.after.release}: {self.n_common} common trials"]
        for d in self.differences:
            interval = f"[{d.limits.low:+.3f}, {d.limits.high:+.3f}]"
            lines.append(
                f"  {d.metric:28} {d.before:6.3f} {d.after:6.3f}  difference {d.after - d.before:+.3f} {interval}"
            )
        return "\n".join(lines) + "\n"


def compare_evaluations(before: Evaluation, after: Evaluation) -> ReleaseComparison:
    """Compare two evaluations on the trials that both hold: the same parcel, declaration and day.

    Intervals are paired: both releases are measured on the same draws of parcels.
    """
    known = {(t.parcel_id, t.declared, t.day): t for t in before.trials}
    common = [t for t in after.trials if (t.parcel_id, t.declared, t.day) in known]
    old = np.array([known[t.parcel_id, t.declared, t.day].log10_lr for t in common])
    new = np.array([t.log10_lr for t in common])
    both = len({t.is_h1 for t in common}) == 2
    return ReleaseComparison(
        before=before,
        after=after,
        n_common=len(common),
        differences=tuple(_difference(name, common, old, new) for name in STATISTICS) if both else (),
    )


def _difference(metric: str, common: list[Trial], old: Floats, new: Floats) -> Difference:
    is_h1, weight = (np.array([getattr(t, name) for t in common]) for name in ("is_h1", "weight"))

    def value(log10_lr: Floats, drawn: Floats) -> float:
        return metrics.of_cases(STATISTICS[metric], log10_lr, is_h1, weight * drawn)

    limits = bootstrap_over_parcels(
        lambda drawn: value(new, drawn) - value(old, drawn),
        [t.parcel_id for t in common],
        strata=[t.true_zone for t in common],
        rng=np.random.default_rng(SEED),
        n_resamples=N_RESAMPLES,
    )
    once = np.ones(len(common))
    return Difference(metric=metric, before=value(old, once), after=value(new, once), limits=limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Whether a candidate may be released. `reasons` says why not; `remarks` what else is to be known."""

    reasons: tuple[str, ...]
    remarks: tuple[str, ...]


def judge(candidate: Evaluation, criteria: Criteria, *, in_force: Evaluation | None = None) -> Judgement:
    """Judge a candidate by the criteria, and against the release in force where there is one.

    Reasons against it: no trials or an LR that is not a number; a required metric that was not measured; a metric
    beyond its limit; a paired difference that lies wholly on the wrong side. A metric that misses its goal alone is a
    remark, and so is what cannot be measured of two zones.
    """
    reasons: list[str] = []
    remarks: list[str] = []
    n_zones = len({trial.true_zone for trial in candidate.trials})
    if not candidate.trials or not all(np.isfinite(t.log10_lr) for t in candidate.trials):
        reasons.append("invalid: it needs trials on held-out reference parcels, each with a finite log10 LR")
    if candidate.quick:
        reasons.append("invalid: a quick evaluation does not carry a release; evaluate without --quick")
    for criterion in criteria.criteria:
        verdict = criterion.verdict(candidate)
        name = f"{criterion.metric} ({criterion.conditions})"
        result = candidate.result(criterion.metric, criterion.conditions)
        value = "" if result is None or result.value is None else apart(result.value, criterion.goal, criterion.limit)
        if verdict == "beyond the limit":
            reasons.append(f"{name} is {value}, beyond the limit of {criterion.limit:g}")
        elif verdict == "not measured" and criterion.conditions.startswith(LEFT_OUT) and n_zones < 3:
            remarks.append(f"{name} cannot be measured with two zones: without one nothing is left to compare with")
        elif verdict == "not measured" and criterion.required:
            reasons.append(f"{name} was not measured")
        elif verdict == "within the limit":
            remarks.append(f"{name} is {value}, short of the goal of {criterion.goal:g}")
        elif verdict == "not measured":
            remarks.append(f"{name} was not measured")
    if in_force is not None:
        worse, notes = _against(compare_evaluations(in_force, candidate), criteria)
        reasons += worse
        remarks += notes
    return Judgement(reasons=tuple(reasons), remarks=tuple(remarks))


def _against(comparison: ReleaseComparison, criteria: Criteria) -> tuple[list[str], list[str]]:
    found = {d.metric: d for d in comparison.differences}
    release = comparison.before.release
    worse: list[str] = []
    notes: list[str] = []
    if not found:
        notes.append(f"no trials in common with {release}: whether it is worse cannot be said")
    for rule in criteria.comparisons:
        if (d := found.get(rule.metric)) is None:
            continue
        gain = -1 if rule.better == "lower" else 1
        best = max(gain * d.limits.low, gain * d.limits.high)
        said = f"{rule.metric} {d.before:.3f} -> {d.after:.3f}"
        if best < -rule.tolerance:
            worse.append(f"worse than {release}: {said}, also at the kind end of its 90 % interval")
        else:
            notes.append(f"against {release}: {said}")
    return worse, notes
