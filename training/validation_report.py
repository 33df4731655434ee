"""The validation report: ``evaluation.json`` and the criteria, as one HTML file that loads nothing from outside.

Laid out as the guideline has it: one row for each performance characteristic, metric, criterion and result.

References
----------
Meuwly, D., Ramos, D., Haraksim, R. (2017). A guideline for the validation of likelihood ratio methods used for forensic
evidence evaluation. Forensic Science International 276, 142-153.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import FileSystemLoader

from kpfootprint.report.html import escaping
from kpfootprint.stats.intervals import clopper_pearson
from training import validation_plots as plots
from training.acceptance import Criteria, Criterion, apart
from training.record import (
    CHARACTERISTICS,
    DecisionErrors,
    DetectionCell,
    Evaluation,
    Result,
    Trial,
    stones_between,
    summed,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the validation table: `of` is its result, or else the criterion that was not measured."""

    of: Result | Criterion
    result: Result | None
    criterion: Criterion | None
    verdict: str


def render_validation(evaluation: Evaluation, criteria: Criteria) -> str:
    """Return the page; the same evaluation and criteria give the same bytes."""
    environment = escaping(FileSystemLoader(Path(__file__).with_name("templates")))
    rows = validation_rows(evaluation, criteria)
    return environment.get_template("validation.html").render(
        evaluation=evaluation,
        criteria=criteria,
        apart=apart,
        headline=[row for row in rows if row.of.characteristic == "open world"],
        groups=[
            (name, [row for row in rows if row.of.characteristic == name])
            for name in dict.fromkeys((*CHARACTERISTICS, *(row.of.characteristic for row in rows)))
        ],
        counts=_counts(rows),
        pictures=_pictures(evaluation),
        limits=detection_limits(evaluation.detection),
        decisions=[
            (stones_between(cell.n_stones_low, cell.n_stones_high), *_decision_rates(cell))
            for cell in evaluation.decisions
        ],
        zones=adequacy(evaluation),
        made=_flat(evaluation.made),
    )


def validation_rows(evaluation: Evaluation, criteria: Criteria) -> list[Row]:
    """Return every measured metric with its criterion, and every criterion that was not measured."""
    measured = {(r.metric, r.conditions) for r in evaluation.results}
    lines: list[Result | Criterion] = [*evaluation.results]
    lines += [c for c in criteria.criteria if (c.metric, c.conditions) not in measured]
    return [_row(line, evaluation, criteria) for line in lines]


def _row(of: Result | Criterion, evaluation: Evaluation, criteria: Criteria) -> Row:
    criterion = criteria.criterion(of.metric, of.conditions)
    return Row(
        of=of,
        result=of if isinstance(of, Result) else None,
        criterion=criterion,
        verdict=criterion.verdict(evaluation) if criterion else "",
    )


def _flat(made: Mapping[str, object], before: str = "") -> list[tuple[str, str]]:
    """Return names and values in a row; what holds further names is told name by name."""
    rows: list[tuple[str, str]] = []
    for name, value in sorted(made.items()):
        if isinstance(value, Mapping):
            rows += _flat(value, f"{before}{name}, ")
        elif isinstance(value, list | tuple):
            rows.append((before + name, ", ".join(map(str, value))))
        else:
            rows.append((before + name, str(value)))
    return rows


def _counts(rows: Sequence[Row]) -> list[tuple[str, int]]:
    names = ("goal reached", "within the limit", "beyond the limit", "not measured")
    return [(name, sum(row.verdict == name for row in rows)) for name in names]


def _pictures(evaluation: Evaluation) -> list[plots.Picture]:
    """Draw what there is to draw; what was not measured is left out."""
    columns = plots.Columns(evaluation.trials)
    trials = columns if columns.h1.size and columns.h2.size else None
    every: list[tuple[Any, Callable[[Any], plots.Picture]]] = [
        *((trials, draw) for draw in (plots.tippett_plot, plots.entropy_plot, plots.reliability_plot, plots.roc_plot)),
        (evaluation.coverage, partial(plots.coverage_plot, by="share")),
        (evaluation.coverage, partial(plots.coverage_plot, by="size")),
        (evaluation.detection, plots.detection_plot),
        (evaluation.novelty, plots.novelty_plot),
        (evaluation.decisions, plots.decision_plot),
    ]
    return [draw(of) for of, draw in every if of]


def detection_limits(cells: Sequence[DetectionCell]) -> list[tuple[str, int, str, str]]:
    """Return (kind, stones, limit, false alarm): the smallest share of the grid from which on 90 % are found."""
    rows = []
    for kind, n in sorted({(c.kind, c.n_stones) for c in cells}):
        sums = summed((c.share, c.found, c.trials) for c in cells if (c.kind, c.n_stones) == (kind, n))
        limit = "none within the grid"
        for share in sorted((s for s in sums if s > 0), reverse=True):
            if sums[share][0] < 0.9 * sums[share][1]:
                break
            limit = f"{share:.0%}"
        alarm = (
            f"{sums[0.0][0] / sums[0.0][1]:.3f} ({sums[0.0][0]} of {sums[0.0][1]})" if 0.0 in sums else "not measured"
        )
        rows.append((kind, n, limit, alarm))
    return rows


def _decision_rates(cell: DecisionErrors) -> tuple[str, str]:
    def rate(errors: int, trials: int) -> str:
        if trials == 0:
            return "–"
        limits = clopper_pearson(errors, trials)
        return f"{errors / trials:.3f} ({errors} of {trials}; 90 %: {limits.low:.3f} to {limits.high:.3f})"

    return rate(cell.true_queried, cell.true_trials), rate(cell.false_consistent, cell.false_trials)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneAdequacy:
    """Trials about one zone.

    `supported` is the share of its own parcels declared as themselves with LR > 10; `passed` the share of other zones'
    parcels with LR > 10 under its name, `hardest` the zone whose parcels do so most. None where there was no trial.
    """

    zone_id: str
    n_parcels: int
    supported: float | None
    passed: float | None
    hardest: str | None


def adequacy(evaluation: Evaluation) -> list[ZoneAdequacy]:
    """Return what the trials say of each zone, in alphabetical order."""
    zones = sorted({t.true_zone for t in evaluation.trials} | {t.declared for t in evaluation.trials})
    return [_of_zone(zone, evaluation.trials) for zone in zones]


def _of_zone(zone: str, trials: Sequence[Trial]) -> ZoneAdequacy:
    own = [t.log10_lr > 1 for t in trials if t.declared == zone and t.is_h1]
    others: dict[str, list[bool]] = {}
    for trial in trials:
        if trial.declared == zone and not trial.is_h1:
            others.setdefault(trial.true_zone, []).append(trial.log10_lr > 1)
    passed = [hit for hits in others.values() for hit in hits]
    return ZoneAdequacy(
        zone_id=zone,
        n_parcels=len({t.parcel_id for t in trials if t.true_zone == zone}),
        supported=float(np.mean(own)) if own else None,
        passed=float(np.mean(passed)) if passed else None,
        hardest=max(sorted(others), key=lambda name: float(np.mean(others[name]))) if any(passed) else None,
    )
