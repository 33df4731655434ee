"""What a release is judged by: what is good, what is bearable, what must have been measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from training.record import CHARACTERISTICS, Evaluation

Better = Literal["lower", "higher"]
Verdict = Literal["goal reached", "within the limit", "beyond the limit", "not measured"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """A metric under stated conditions with its `goal` and its `limit`."""

    characteristic: str
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
class Comparison:
    """A metric in which a candidate must not be worse than the release in force by more than `tolerance`."""

    metric: str
    better: Better
    tolerance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """All criteria of a version."""

    version: str
    criteria: tuple[Criterion, ...]
    comparisons: tuple[Comparison, ...]

    def criterion(self, metric: str, conditions: str) -> Criterion | None:
        """Return the criterion of a metric under some conditions, or None."""
        return next((c for c in self.criteria if c.metric == metric and c.conditions == conditions), None)


def criteria_of(part: Mapping[str, Any]) -> Criteria:
    """Return the criteria of the part ``acceptance`` of the settings; ValueError where an entry does not fit."""
    try:
        return Criteria(
            version=str(part["version"]),
            criteria=tuple(Criterion(**item) for item in part["criterion"]),
            comparisons=tuple(Comparison(**item) for item in part["comparison"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"a criterion does not fit: {error}") from None
