"""What the harness asks of a method, and evidence for every reference parcel from a fit that did not see it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from joblib import Parallel, delayed

from kpfootprint.parcel import Batch
from kpfootprint.reference import ReferencePackage
from kpfootprint.stats.arrays import Floats, Ints
from training.evaluate.trials import Alternatives, Trials
from training.folds import Split
from training.prepare import usable_status
from training.record import Trial

Seen = tuple[Floats, Floats | None]
"""Evidence (n_parcels, n_zones + 1) and strangeness (n_parcels,) of parcels."""


class Fitted(Protocol):
    """A method that has learnt from some parcels of a package."""

    def seen(self, batch: Batch) -> Seen:
        """Return ln evidence, up to a constant of each parcel, and how unlike anything in the reference each parcel is.

        The former is for the method's zones and, last, an unlisted zone: -inf from methods without one. The latter is
        None if the method cannot say.
        """


class Method(Protocol):
    """A method of comparison. `zones_of` fixes the order of the evidence's columns, which no split changes."""

    @property
    def name(self) -> str:
        """What the method is called in tables."""

    @property
    def alternatives(self) -> Alternatives:
        """How its scores are to be set against alternatives, see `verification_scores`."""

    @property
    def trust(self) -> float:
        """Parcels' worth of belief that its scores are log10 LRs before any calibration."""

    @property
    def offset_spread(self) -> float | None:
        """Spread of its log evidence over zones at which calibration's offset counts by 63 %; whole without it."""

    @property
    def strong_novelty_p(self) -> float:
        """Novelty p-value up to which parcels carry no strong support, see `highest_log10_lr`; 0 if all do."""

    def fit(self, package: ReferencePackage, train: Ints) -> Fitted:
        """Learn from the parcels at the positions `train`, and from nothing else of the package's parcels."""


def zones_of(package: ReferencePackage) -> tuple[str, ...]:
    """Return the zones that have reference parcels, in the package's order."""
    present = set(package.zone_of)
    return tuple(zone.zone_id for zone in package.zone_table.zones if zone.zone_id in present)


def zone_codes(package: ReferencePackage) -> Ints:
    """Return the position of each parcel's zone in `zones_of`."""
    place = {zone: i for i, zone in enumerate(zones_of(package))}
    return np.array([place[zone] for zone in package.zone_of], dtype=np.intp)


def n_stones_of(batch: Batch) -> Floats:
    """Return the number of stones of each parcel."""
    return np.array([parcel.n_stones for parcel in batch], dtype=np.float64)


def with_parcels(package: ReferencePackage, which: Ints) -> ReferencePackage:
    """Return the package with the parcels at some positions alone."""
    return replace(
        package,
        batch=package.batch.take(which),
        zone_of=tuple(package.zone_of[i] for i in which),
        collected_on=tuple(package.collected_on[i] for i in which),
    )


def measured_on(package: ReferencePackage, zone_ids: Sequence[str]) -> ReferencePackage:
    """Return the package with the parcels of some zones alone, and with a status of zones that tells these apart."""
    rows = np.flatnonzero(np.isin(package.zone_of, zone_ids))
    return replace(with_parcels(package, rows), zone_table=usable_status(package.zone_table, zone_ids))


FittedSplits = list[tuple[Split, Fitted]]


def fit_splits(method: Method, package: ReferencePackage, splits: Iterable[Split]) -> FittedSplits:
    """Fit a method once for each split, to be shown as many batches as one likes.

    The fits go side by side where the caller set joblib's `parallel_config`.
    """
    every = list(splits)
    fitted = Parallel()(delayed(method.fit)(package, split.train) for split in every)
    return list(zip(every, fitted, strict=True))


def held_out(fits: FittedSplits, shown: Batch, n_zones: int) -> Seen:
    """Return evidence and strangeness of every parcel from the split that tests on it.

    Parameters
    ----------
    fits : list of (Split, Fitted)
        From `fit_splits`; their tests should cover every parcel once. Parcels that none tests on get NaN.
    shown : Batch of n_parcels
        The package's parcels, or what is shown in place of each (sieved parcels, say), in the same order.
    """
    evidence = np.full((len(shown), n_zones + 1), np.nan)
    strangeness: Floats | None = np.full(len(shown), np.nan)
    for split, fitted in fits:
        evidence[split.test], strange = fitted.seen(shown.take(split.test))
        if strange is None or strangeness is None:
            strangeness = None
        else:
            strangeness[split.test] = strange
    return evidence, strangeness


def trial_records(package: ReferencePackage, trials: Trials, log10_lr: Floats) -> tuple[Trial, ...]:
    """Return trials on the package's parcels as they stand in ``evaluation.json``."""
    zones, parcels, weights = zones_of(package), package.batch.parcels, trials.zone_weights
    return tuple(
        Trial(
            parcel_id=parcels[trials.parcel[i]].parcel_id,
            true_zone=package.zone_of[trials.parcel[i]],
            declared=zones[trials.declared[i]],
            day=trials.days[trials.day[i]].day.isoformat(),
            is_h1=bool(trials.is_h1[i]),
            n_stones=parcels[trials.parcel[i]].n_stones,
            log10_lr=float(log10_lr[i]),
            weight=float(weights[i]),
        )
        for i in range(trials.parcel.size)
    )
