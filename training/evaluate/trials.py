"""Verification trials: parcels of known zones under declarations that are true (H1) or false (H2), on export days."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Literal

import numpy as np

from kpfootprint.reference import COMPLIANT, ZoneTable
from kpfootprint.stats.arrays import Bools, Floats, Ints, n_alike, rows_of
from kpfootprint.stats.calibration import Calibration, Cases
from kpfootprint.stats.intervals import bootstrap_over_parcels, clopper_pearson
from kpfootprint.stats.metrics import LN10
from kpfootprint.stats.model import Evidence, log10_score
from training.record import Characteristic, Line, Result

Alternatives = Literal["mean", "nearest"]
FARTHEST = 1e6
"""Log evidence no lower than minus this: a method that rules a zone out altogether still gives a finite score."""


@dataclass(frozen=True, slots=True)
class ExportDay:
    """A day with the zones that were compliant on it: `compliant` of shape (n_zones,), in the order of the zones."""

    day: date
    compliant: Bools


def draw_export_days(zone_table: ZoneTable, zones: Sequence[str], *, rng: np.random.Generator) -> tuple[ExportDay, ...]:
    """Draw a day from every stretch of time on which the same ones of `zones` were compliant.

    Stretches without a compliant or without another zone are left out; the last one is taken to last 500 days.

    Parameters
    ----------
    zones : sequence of str
        Zones with reference parcels.
    """
    changes = sorted({day for p in zone_table.periods for day in (p.valid_from, p.valid_to) if day is not None})
    if not changes:
        raise ValueError("zone_table must hold a dated status, got none")
    ends = [*changes[1:], changes[-1] + timedelta(days=500)]
    stretches: dict[tuple[bool, ...], list[tuple[date, date]]] = {}
    for start, end in zip(changes, ends, strict=True):
        compliant = tuple(zone_table.status_on(zone, start) == COMPLIANT for zone in zones)
        if any(compliant) and not all(compliant):
            stretches.setdefault(compliant, []).append((start, end))
    days: list[ExportDay] = []
    for compliant, parts in stretches.items():
        possible = [start + timedelta(days=i) for start, end in parts for i in range((end - start).days)]
        (drawn,) = rng.choice(len(possible), size=1, replace=False)
        days.append(ExportDay(possible[drawn], np.array(compliant)))
    return tuple(days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """Trials in columns, each of shape (n_trials,).

    `parcel` and `true_zone`, `declared` are positions among the parcels and zones, `day` among `days`.
    `true_zone` is -1 for a parcel of a zone that is not among the zones at all.
    """

    days: tuple[ExportDay, ...]
    parcel: Ints
    true_zone: Ints
    declared: Ints
    day: Ints
    is_h1: Bools

    def where(self, which: Bools) -> Trials:
        """Return some of the trials."""
        return rows_of(self, which, but=("days",))

    @property
    def of_both(self) -> bool:
        """Whether there are trials of either hypothesis."""
        return bool(self.is_h1.any() and not self.is_h1.all())

    def of_another_compliant(self, rng: np.random.Generator) -> Trials:
        """Return the trials under another zone that was compliant on their day; those without one are left out."""
        others = np.array([self.days[day].compliant for day in self.day])
        others[np.arange(self.day.size), self.declared] = False
        declared = np.where(others, rng.random(others.shape), -1.0).argmax(axis=1)
        return replace(self, declared=declared).where(others.sum(axis=1) > 0)

    @property
    def zone_weights(self) -> Floats:
        """Weights by which, within each hypothesis, every zone of origin weighs the same."""
        weights = np.zeros(self.parcel.size)
        for hypothesis in (True, False):
            chosen = self.is_h1 == hypothesis
            weights[chosen] = 1.0 / n_alike(self.true_zone[chosen])
        return weights


def verification_trials(zone: Ints, days: Sequence[ExportDay]) -> Trials:
    """Make every trial that the export days allow.

    H1: a parcel of a zone that was compliant, declared as its own zone. H2: a parcel of any other zone, declared as
    each of the compliant zones once. A parcel of a compliant zone is never declared as another one: that would be a
    false paper but no breach of the zones, and it is no part of H2.

    Parameters
    ----------
    zone : ndarray of shape (n_parcels,)
        Zone of each parcel, as a position; -1 for zones outside the list (always H2).
    """
    rows: list[tuple[int, int, int, int, bool]] = []
    for d, item in enumerate(days):
        for parcel, own in enumerate(zone):
            if own >= 0 and item.compliant[own]:
                rows.append((parcel, own, own, d, True))
            else:
                rows += [(parcel, own, int(declared), d, False) for declared in np.flatnonzero(item.compliant)]
    table = np.array(rows, dtype=np.intp).reshape(-1, 5)
    return Trials(
        days=tuple(days),
        parcel=table[:, 0],
        true_zone=table[:, 1],
        declared=table[:, 2],
        day=table[:, 3],
        is_h1=table[:, 4].astype(bool),
    )


def verification_scores(
    trials: Trials,
    evidence: Floats,
    *,
    unlisted_weight: float,
    alternatives: Alternatives = "mean",
    unlisted_source: bool = False,
) -> Floats:
    r"""Scores of trials, in log10 units: what was declared against from elsewhere.

    .. math:: \log_{10} e_{declared} - \log_{10}\Bigl((1-u)\tfrac{1}{|N|}\sum_{z \in N} e_z + u\, e_{unlisted}\Bigr)

    with `N` the listed zones that were not compliant on the day, the declared one excepted, of which the method has
    learnt anything.

    Parameters
    ----------
    evidence : ndarray of shape (n_parcels, n_zones + 1)
        Natural logs of the evidence of each parcel for each zone and, last, for an unlisted zone (-inf from methods
        that do not know such a thing; the listed zones then carry all the weight).
    unlisted_weight : float
        `u`, between 0 and 1.
    alternatives : {"mean", "nearest"}
        For methods that measure distances: ``nearest`` sets the declared zone against the best zone in `N` alone.
    unlisted_source : bool
        Whether each parcel's own zone is taken out of `N`, as if nobody had sampled it.

    Returns
    -------
    ndarray of shape (n_trials,)
        Infinite where there is nothing to set the declaration against.
    """
    if not 0 <= unlisted_weight <= 1:
        raise ValueError(f"unlisted_weight must lie between 0 and 1, got {unlisted_weight}")
    declared = np.maximum(evidence[trials.parcel, trials.declared], -FARTHEST)
    listed, unlisted = evidence[trials.parcel, :-1], evidence[trials.parcel, -1]
    other = ~np.stack([item.compliant for item in trials.days])[trials.day]
    rows = np.arange(trials.parcel.size)
    other[rows, trials.declared] = False
    if unlisted_source:
        known = trials.true_zone >= 0
        other[rows[known], trials.true_zone[known]] = False
    other &= np.isfinite(listed)
    knows_unlisted = ~np.isneginf(unlisted)
    nothing = ~other.any(axis=1) & ((alternatives == "nearest") | ~knows_unlisted)
    if alternatives == "nearest":
        best = np.where(other, listed, -np.inf).max(axis=1)
        return np.asarray(np.where(nothing, np.inf, (declared - best) / LN10), dtype=np.float64)
    asked = Evidence(
        listed=np.where(np.isfinite(listed), listed, -FARTHEST),
        unlisted=np.where(knows_unlisted, unlisted, -FARTHEST),
        declared=declared,
    )
    weight = np.where(knows_unlisted, unlisted_weight, 1e-300)
    return np.where(nothing, np.inf, log10_score(asked, other.astype(np.float64), weight))


@dataclass(frozen=True, slots=True)
class Scores:
    """What a method says of trials: `asked` (n_trials,), and `unlisted` (n_trials,) with the own zone taken out.

    `unlisted` counts for the trials of H2 alone, which it turns into parcels that nobody has sampled the source of;
    `told` (n_trials,) is how far the parcel tells sources apart.
    """

    asked: Floats
    unlisted: Floats
    told: Floats

    def where(self, which: Bools) -> Scores:
        """Return those of some of the trials."""
        return rows_of(self, which)

    def log10_lr(self, calibration: Calibration, ln_n: Floats) -> Floats:
        """Return bounded LRs of trials of parcels of these log numbers of stones."""
        return calibration.bounded(calibration.apply(self.asked, ln_n, self.told))


def cases_of(trials: Trials, scores: Scores, n_stones: Floats, unlisted_weight: float) -> Cases:
    """Return what calibration learns from: H1, and H2 as it is worded, listed and unlisted by their weights.

    Parameters
    ----------
    n_stones : ndarray of shape (n_parcels,)
        Of each parcel that the trials count by position.
    """
    h2 = ~trials.is_h1
    weights = trials.zone_weights
    listed, unlisted = np.isfinite(scores.asked), np.isfinite(scores.unlisted) & h2
    share = unlisted_weight if unlisted.any() else 0.0
    weight = np.concatenate(
        [
            np.where(h2, (1.0 - share) * weights / weights[h2].sum(), weights)[listed],
            share * weights[unlisted] / max(float(weights[unlisted].sum()), 1e-300),
        ]
    )
    parcel = np.concatenate([trials.parcel[listed], trials.parcel[unlisted]])
    return Cases(
        score=np.concatenate([scores.asked[listed], scores.unlisted[unlisted]]),
        is_h1=np.concatenate([trials.is_h1[listed], np.zeros(int(unlisted.sum()), dtype=bool)]),
        ln_n=np.log(n_stones[parcel]),
        weight=weight,
        parcel=parcel,
        told=np.concatenate([scores.told[listed], scores.told[unlisted]]),
        share=np.ones(parcel.size),
    )


@dataclass(frozen=True, slots=True)
class Draws:
    """Draws of parcels that intervals are told by: where they come from, and how many an interval takes."""

    rng: np.random.Generator
    n: int

    def result(
        self,
        statistic: Callable[[Floats], float],
        parcel: Ints,
        strata: Ints,
        *,
        named: Line,
    ) -> Result:
        """Return a statistic of trials with its interval over parcels; it takes how often each trial was drawn.

        `named` are the characteristic, the metric and the conditions.
        """
        characteristic, metric, conditions = named
        limits = bootstrap_over_parcels(statistic, parcel, rng=self.rng, strata=strata, n_resamples=self.n)
        return Result(
            characteristic=characteristic,
            metric=metric,
            conditions=conditions,
            value=statistic(np.ones(parcel.size)),
            **asdict(limits),
            n_parcels=int(np.unique(parcel).size),
            n_trials=int(parcel.size),
        )

    def share(self, hits: Bools, weights: Floats, parcel: Ints, strata: Ints, *, named: Line) -> Result:
        """Return the weighted share of trials that something holds of, as `result` does."""

        def weighted(drawn: Floats) -> float:
            return float(np.average(hits, weights=weights * drawn))

        return self.result(weighted, parcel, strata, named=named)


def counted(characteristic: Characteristic, metric: str, conditions: str, hits: int, trials: int) -> Result:
    """Return the share of independent parcels that something holds of, with its exact interval."""
    limits = clopper_pearson(hits, trials)
    return Result(
        characteristic=characteristic,
        metric=metric,
        conditions=conditions,
        value=hits / trials,
        **asdict(limits),
        n_parcels=trials,
        n_trials=trials,
    )
