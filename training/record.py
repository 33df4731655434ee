"""The shape of ``evaluation.json``: what was measured of a release, typed, and its way to JSON and back.

Every list may be empty where something was not measured (a quick evaluation leaves out much); nothing is invented.
Shares lie between 0 and 1, LRs are log10, intervals stand with their level. NaN and infinities are written as null.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from kpfootprint.errors import ReleaseError
from kpfootprint.plain import built, plain
from kpfootprint.stats.intervals import LEVEL

SCHEMA_VERSION = "1"

Number = Annotated[float, lambda value: value if math.isfinite(value) else None]
"""As JSON has it, which knows no NaN and no infinities."""

Characteristic = Literal[
    "open world",
    "accuracy",
    "discrimination",
    "calibration",
    "robustness",
    "other worlds",
    "fusion",
    "coherence",
    "generalisation",
    "attribution",
    "mixture",
    "novelty",
    "decision",
]
"""Performance characteristic (Meuwly et al. 2017, and what this product adds), in the order of the report.

The open world comes first: support for a declaration that comes from nowhere in the reference is the worst error.
"""
CHARACTERISTICS: tuple[Characteristic, ...] = get_args(Characteristic)
Line = tuple[Characteristic, str, str]
"""What names a line of the validation table: characteristic, metric, conditions."""

NO_END = 100_000
"""Upper limit of the largest range of sizes: more stones than any parcel has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One line of the validation table.

    `characteristic` is one of `CHARACTERISTICS`, or what another version called one; `conditions` says on which parcels
    (``as collected``, ...). `value`, `low` and `high` are None where the metric cannot be had from these trials.
    """

    characteristic: Characteristic
    metric: str
    conditions: str
    value: Number | None
    low: Number | None = None
    high: Number | None = None
    level: Number = LEVEL
    n_parcels: int
    n_trials: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """LR of a reference parcel under a declaration on a day, from a fit that did not see the parcel."""

    parcel_id: str
    true_zone: str
    declared: str
    day: str
    is_h1: bool
    n_stones: int
    log10_lr: Number
    weight: Number = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageCell:
    """How often share intervals held the true share: `covered` of `trials` in a cell of kind, share and size.

    Shares from `share_low` to `share_high` (equal where one share was set), stones likewise. `kind` is ``single``
    (one declared zone), ``blend``, or a further kind of parcel.
    """

    kind: str
    share_low: Number
    share_high: Number
    n_stones_low: int
    n_stones_high: int
    level: Number
    covered: int
    trials: int
    mean_absolute_error: Number | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionCell:
    """Chance (`found` of `trials`) that a share is found at 5 % false alarm, at a size; share 0 is the false alarm."""

    kind: str
    n_stones: int
    share: Number
    found: int
    trials: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoveltyCell:
    """Parcels of a kind flagged as novel at `alpha` (``reference``, ``sieved``, ``near``, ``far``, a zone left out)."""

    kind: str
    alpha: Number
    flagged: int
    trials: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionErrors:
    """Errors of the conclusion among held-out parcels of a range of sizes."""

    n_stones_low: int
    n_stones_high: int
    true_queried: int
    true_trials: int
    false_consistent: int
    false_trials: int


def stones_between(low: int, high: int) -> str:
    """Name a range of sizes; the last has no upper end, only a number that no parcel reaches.

    >>> stones_between(40, 99), stones_between(3200, NO_END - 1)
    ('40 to 99', '3200 or more')
    """
    return f"{low} to {high}" if high < NO_END - 1 else f"{low} or more"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A reference parcel that the robust fit doubts: `reason` is ``mislabelled`` or ``odd``."""

    parcel_id: str
    zone_id: str
    reason: str
    chance: Number
    resembles: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Influence:
    """A reference parcel without which the mean of its zone would move by `moves` standard deviations of parcels."""

    parcel_id: str
    zone_id: str
    moves: Number
    n_parcels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Everything measured of a release.

    `made` holds what an expert needs to do it again: seeds, versions, fold count, export days, durations in seconds.
    `bounds` are the log10 LR bounds in force.
    """

    schema_version: str = SCHEMA_VERSION
    release: str
    reference: Mapping[str, Any]
    quick: bool
    made: Mapping[str, Any] = field(default_factory=dict)
    bounds: tuple[Number, Number] | None = None
    results: tuple[Result, ...] = ()
    trials: tuple[Trial, ...] = ()
    coverage: tuple[CoverageCell, ...] = ()
    detection: tuple[DetectionCell, ...] = ()
    novelty: tuple[NoveltyCell, ...] = ()
    decisions: tuple[DecisionErrors, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    influential: tuple[Influence, ...] = ()

    def result(self, metric: str, conditions: str = "as collected") -> Result | None:
        """Return the line of that metric and those conditions, or None."""
        return next((r for r in self.results if r.metric == metric and r.conditions == conditions), None)

    def to_json(self) -> str:
        """Return the document with sorted keys, one entry of a list on a line."""
        document = plain(self)
        lines = []
        for key in sorted(document):
            value = document[key]
            if isinstance(value, list) and value and isinstance(value[0], dict):
                inner = ",\n  ".join(json.dumps(item, sort_keys=True, ensure_ascii=False) for item in value)
                lines.append(f" {json.dumps(key)}: [\n  {inner}\n ]")
            else:
                lines.append(f" {json.dumps(key)}: {json.dumps(value, sort_keys=True, ensure_ascii=False)}")
        return "{\n" + ",\n".join(lines) + "\n}\n"

    @classmethod
    def from_json(cls, text: str) -> Evaluation:
        """Read what `to_json` wrote; ValueError at another schema, KeyError where something lacks."""
        document = json.loads(text)
        if document.get("schema_version") != SCHEMA_VERSION:
            raise ValueError(f"schema_version must be {SCHEMA_VERSION!r}, got {document.get('schema_version')!r}")
        # up to 2026.10 the manifest's error rates of simulated parcels stood there too
        cells = document.get("decisions", ())
        document["decisions"] = [cell for cell in cells if cell.get("measured_on") != "simulated"]
        return built(cls, document)


def summed(counts: Iterable[tuple[float, int, int]]) -> dict[float, tuple[int, int]]:
    """Return how many of how many there are at each place, in order; `counts` are (place, many, of)."""
    sums: dict[float, tuple[int, int]] = {}
    for place, many, of in counts:
        before = sums.get(place, (0, 0))
        sums[place] = before[0] + many, before[1] + of
    return dict(sorted(sums.items()))


def read_evaluation(folder: Path) -> Evaluation:
    """Read ``evaluation.json`` of a release folder; `ReleaseError` where nothing was measured, or it cannot be read."""
    measured = folder / "evaluation.json"
    text = measured.read_text(encoding="utf-8") if measured.is_file() else "{}"
    try:
        if text.strip() != "{}":
            return Evaluation.from_json(text)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ReleaseError("{file}: no evaluation: {detail}", file=measured, detail=error) from None
    raise ReleaseError("{folder} was not evaluated: python -m training evaluate --model {folder}", folder=folder)
