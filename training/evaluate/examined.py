"""The product itself on reference parcels: examined from end to end by a model refitted without the parcels it sees.

The parcel model is fitted anew for every split; gate, share network, ranks and calibration are the release's own. They
come from simulated parcels, and from four numbers that all reference parcels agreed on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from kpfootprint.comparison.results import Examination
from kpfootprint.flow import examinations_of
from kpfootprint.parcel import Batch, Declaration
from kpfootprint.reference import ReferencePackage
from kpfootprint.release import Release
from kpfootprint.stats.arrays import Ints
from kpfootprint.stats.tables import resample_tables
from training.calibrate import resample
from training.evaluate.methods import some, zones_of
from training.evaluate.mixtures import Shares
from training.evaluate.trials import ExportDay, Trials
from training.folds import Split
from training.prepare import Choice, Prepared, fit_model, prepare


def refitted(release: Release, prepared: Prepared, train: Ints) -> Release:
    """Return the release with its parcel model fitted anew to the parcels at `train` (positions in the package)."""
    rows = np.flatnonzero(np.isin(prepared.rows, train))
    choice = Choice(**release.manifest.get("evidence", {}))
    fitted = fit_model(prepared, rows, choice=choice)
    tables = None
    if release.model.tables is not None:
        drawn = resample(prepared.groups[rows], n_resamples=len(release.model.resampled_sources), seed=0)
        arrays = prepared.arrays.take(rows)
        tables = resample_tables(fitted.tables, arrays, fitted.structure, prepared.groups[rows], drawn)
    return replace(
        release,
        model=replace(
            release.model,
            structure=fitted.structure,
            predictor=fitted.predictor,
            bands=fitted.bands,
            tables=tables,
        ),
    )


@dataclass(frozen=True, slots=True)
class Refits:
    """A release refitted for every split of a package."""

    package: ReferencePackage
    parts: tuple[tuple[Split, Release], ...]

    @classmethod
    def of(cls, release: Release, package: ReferencePackage, splits: Sequence[Split]) -> Refits:
        """Fit once for each split.

        Raises
        ------
        ValueError
            Where the package does not hold the zones of the release.
        """
        prepared = prepare(package, minimum_parcels=int(release.manifest["config"]["minimum_parcels"]))
        if prepared.zone_ids != release.zone_ids or prepared.zone_ids != zones_of(package):
            raise ValueError(f"the package must hold the release's zones {release.zone_ids}, got {zones_of(package)}")
        return cls(package, tuple((split, refitted(release, prepared, split.train)) for split in splits))

    def examine(self, batch: Batch, parcel: Ints) -> tuple[Examination, ...]:
        """Examine parcels that derive from reference parcels by the refit that did not learn from these.

        Parameters
        ----------
        batch : Batch of n parcels
            With declarations and export dates.
        parcel : ndarray of shape (n,)
            Position of the reference parcel that each derives from.
        """
        found: dict[int, Examination] = {}
        for split, release in self.parts:
            rows = np.flatnonzero(np.isin(parcel, split.test))
            if rows.size:
                said = examinations_of(some(batch, rows), release, status_on=_ANY_DAY)
                found.update(zip(rows.tolist(), said, strict=True))
        return tuple(found[row] for row in range(len(batch)))


_ANY_DAY = date(2000, 1, 1)  # every parcel below has an export date of its own


def declared_batch(package: ReferencePackage, trials: Trials) -> Batch:
    """Return a parcel for each trial: the reference parcel with that declaration, exported on that day."""
    zones = zones_of(package)
    return Batch(
        tuple(
            replace(
                package.batch.parcels[parcel],
                declarations=(Declaration(zone_id=zones[declared]),),
                exported_on=trials.days[day].day,
            )
            for parcel, declared, day in zip(trials.parcel, trials.declared, trials.day, strict=True)
        )
    )


@dataclass(frozen=True, slots=True)
class ExaminedShares:
    """The product's undeclared shares, behind the harness's door for unmixing."""

    release: Release
    days: tuple[ExportDay, ...]

    def shares(self, batch: Batch, declared: Ints, *, level: float) -> Shares:
        """Examine each parcel as exported on a day when its declared zone was compliant, where there is one."""
        shown = Batch(
            tuple(
                replace(parcel, exported_on=self._day(int(zone))) for parcel, zone in zip(batch, declared, strict=True)
            )
        )
        return shares_of(examinations_of(shown, self.release, status_on=_ANY_DAY), level=level)

    def _day(self, zone: int) -> date:
        return next((item.day for item in self.days if item.compliant[zone]), self.days[-1].day)


@dataclass(frozen=True, slots=True)
class ProductShares:
    """The product as a method of unmixing; it is fitted anew to the parcels of each split."""

    release: Release
    days: tuple[ExportDay, ...]
    name: str

    def fit(self, package: ReferencePackage, train: Ints) -> ExaminedShares:
        """Fit the parcel model; nothing else is learnt anew."""
        prepared = prepare(package, minimum_parcels=int(self.release.manifest["config"]["minimum_parcels"]))
        return ExaminedShares(refitted(self.release, prepared, train), self.days)


def shares_of(examinations: Sequence[Examination], *, level: float) -> Shares:
    """Collect what examinations say of undeclared stones; ValueError where one says nothing or at another level."""
    rows = []
    for examination in examinations:
        if examination.mixture is None:
            raise ValueError("every parcel must declare a zone of the release, got one without shares")
        fraction = examination.mixture.undeclared_stone_fraction
        if abs(fraction.level - level) > 1e-9:
            raise ValueError(f"level must be that of the release, {fraction.level}, got {level}")
        rows.append((fraction.estimate, fraction.low, fraction.high, examination.mixture.p_value))
    return Shares(*np.array(rows, dtype=np.float64).reshape(-1, 4).T)
