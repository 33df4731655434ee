"""A method of unmixing through the harness: virtual mixtures of parcels that it did not learn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from kpfootprint.parcel import Batch
from kpfootprint.reference import ReferencePackage
from kpfootprint.stats.arrays import Ints
from training.evaluate.methods import zones_of
from training.evaluate.mixtures import (
    Shares,
    coverage_cells,
    detection_cells,
    mixture_results,
    virtual_mixtures,
)
from training.evaluate.setting import N_FOLDS, SEED
from training.evaluate.trials import draw_export_days
from training.folds import fold_of_parcels, folds
from training.record import CoverageCell, DetectionCell, Evaluation


class FittedShares(Protocol):
    """A method of unmixing that has learnt from some parcels of a package."""

    def shares(self, batch: Batch, declared: Ints, *, level: float) -> Shares:
        """Return the undeclared share of parcels that declare one zone each (positions in `zones_of`)."""


class ShareMethod(Protocol):
    """A method of unmixing."""

    @property
    def name(self) -> str:
        """What the method is called in tables."""

    def fit(self, package: ReferencePackage, train: Ints) -> FittedShares:
        """Learn from the parcels at the positions `train`, and from nothing else of the package's parcels."""


def measure_shares(
    method: ShareMethod,
    package: ReferencePackage,
    *,
    n_each: int = 6,
    left_out: Sequence[str] = (),
    level: float = 0.9,
    alpha: float = 0.05,
) -> Evaluation:
    """Measure errors, coverage and detection on mixtures, the same ones for every method.

    A zone is declared that was compliant on one of the export days; foreign stones come from zones that were not
    compliant on that day.

    Parameters
    ----------
    n_each : int
        Mixtures of each share and size in each fold.
    left_out : sequence of str
        Parcels suspected to carry the wrong zone, which are not mixed.
    alpha : float
        A mixture counts as found where the p-value is `alpha` or less.
    """
    rng = np.random.default_rng(SEED)
    zones = zones_of(package)
    trusted = np.array([parcel.parcel_id not in set(left_out) for parcel in package.batch])
    days = draw_export_days(package.zone_table, zones, rng=np.random.default_rng(SEED))
    sources: dict[str, list[str]] = {}
    for item in reversed(days):  # the first day on which a zone was compliant counts, as for the product
        elsewhere = [zone for zone, compliant in zip(zones, item.compliant, strict=True) if not compliant]
        sources |= {zone: elsewhere for zone, compliant in zip(zones, item.compliant, strict=True) if compliant}
    coverage: list[CoverageCell] = []
    detection: list[DetectionCell] = []
    for split in folds(fold_of_parcels(package.zone_of, n_folds=N_FOLDS, seed=SEED)):
        fitted = method.fit(package, split.train)
        usable = split.test[trusted[split.test]]
        truth = virtual_mixtures(package, usable, n_each=n_each, rng=rng, sources=sources)
        said = fitted.shares(truth.batch, truth.declared, level=level)
        coverage += coverage_cells(truth, said.share, said.low, said.high, level=level)
        detection += detection_cells(truth, said.p_value <= alpha)
    return Evaluation(
        release=method.name,
        reference={"name": package.name, "version": package.version, "sha256": package.sha256},
        quick=False,
        results=tuple(mixture_results(coverage, detection)),
        coverage=tuple(coverage),
        detection=tuple(detection),
    )
