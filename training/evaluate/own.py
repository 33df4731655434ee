"""The product's own evidence as a method of the harness: fitted anew to the parcels of each split alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from kpfootprint.footprint import footprints_of
from kpfootprint.parcel import Batch
from kpfootprint.reference import ReferencePackage
from kpfootprint.stats.arrays import Floats, Ints
from kpfootprint.stats.model import look
from kpfootprint.stats.networks import Network
from training.calibrate import choose_for
from training.config import EvidenceConfig
from training.evaluate.measure import few_references
from training.evaluate.methods import FittedSplits, Seen, fit_splits, with_parcels, zones_of
from training.evaluate.setting import SEED, Setting
from training.evaluate.trials import Alternatives, Draws
from training.folds import folds
from training.prepare import Fitted, Prepared, fit_model, prepare, with_weight
from training.record import Result

ALONE: dict[str, float | None] = {
    "chosen anew in each fold": None,
    "explicit model alone": 0.0,
    "tables alone": 1.0,
}
"""Either kind of evidence alone, beside the two as cross-validation pools them."""


@dataclass(frozen=True, slots=True)
class FittedOwn:
    """The model, with the columns of its zones among those of the whole package."""

    prepared: Prepared
    fitted: Fitted
    columns: Ints
    n_zones: int

    def under(self, table_weight: float) -> FittedOwn:
        """Return the same fit with another weight of the tables."""
        return replace(self, fitted=with_weight(self.fitted, table_weight))

    def seen(self, batch: Batch) -> Seen:
        """Return fused evidence, -inf for zones that were not learnt, and the distance to the nearest zone."""
        evidence, strange = np.full((len(batch), self.n_zones + 1), -np.inf), np.zeros(len(batch))
        structure, scheme = self.fitted.structure, self.prepared.reference.scheme
        for part in footprints_of(batch, scheme, structure, self.prepared.level_names):
            looked = look(self.fitted, part.arrays)
            evidence[np.ix_(part.rows, self.columns)] = looked.evidence.listed
            evidence[part.rows, -1] = looked.evidence.unlisted
            strange[part.rows] = looked.strangeness
        return evidence, strange


@dataclass(frozen=True, slots=True)
class OwnEvidence:
    """The explicit model and the tables, averaged as cross-validation inside each split's parcels decides.

    Parameters
    ----------
    settings : EvidenceConfig
        Those of a release, or of ``config.toml``.
    strong_novelty_p : float
        So is this.
    gate : Network, optional
        That of a release; without one every reading of the sizes is as likely.
    table_weight : float, optional
        A fixed weight of the tables in place of cross-validation.
    prior : ndarray of shape (D, D), optional
        What is known beforehand of the covariance of parcels of one zone.
    """

    settings: EvidenceConfig
    strong_novelty_p: float
    gate: Network | None = None
    table_weight: float | None = None
    prior: Floats | None = None
    name: str = "explicit model and tables (no networks)"
    alternatives: Alternatives = "mean"

    @property
    def trust(self) -> float:
        """Parcels' worth of belief that its scores are log10 LRs before any calibration."""
        return self.settings.trust

    @property
    def offset_spread(self) -> float | None:
        """Spread of log evidence over zones at which calibration's offset counts by 63 %."""
        return self.settings.offset_spread

    def fit(self, package: ReferencePackage, train: Ints) -> FittedOwn:
        """Prepare, choose and fit from the parcels of the split alone."""
        prepared = prepare(with_parcels(package, train), minimum_parcels=1)
        weight = choose_for(prepared, self.gate, self.settings) if self.table_weight is None else self.table_weight
        zones = zones_of(package)
        columns = np.array([zones.index(zone) for zone in prepared.zone_ids], dtype=np.intp)
        fitted = fit_model(prepared, table_weight=weight, table_vote=self.settings.table_vote, prior=self.prior)
        fitted = replace(fitted, gate=self.gate)
        return FittedOwn(prepared, fitted, columns, len(zones))


def each_alone(setting: Setting, method: OwnEvidence, *, draws: Draws) -> list[Result]:
    """Measure either kind of evidence alone, on the trials and folds of a setting."""
    anew = fit_splits(replace(method, table_weight=None), setting.package, folds(setting.fold))
    results: list[Result] = []
    for conditions, weight in ALONE.items():
        alone = replace(setting, method=replace(method, table_weight=weight))
        fits = anew
        if weight is not None:
            fits = [(split, cast(FittedOwn, fit).under(weight)) for split, fit in anew]
        results += alone.results(fits, conditions=conditions, characteristic="fusion", draws=draws)
    return results


def with_spread_known(setting: Setting, method: OwnEvidence, *, draws: Draws) -> list[Result]:
    """Measure few reference parcels a zone where the covariance of parcels is known, as from an older release.

    It is learnt from all parcels of each fold, and everything else from the few: about the best that so few can do.
    """
    package, results = setting.package, []
    known = {
        split.name: fit_model(prepare(with_parcels(package, split.train), minimum_parcels=1)).model.within
        for split in folds(setting.fold)
    }
    for conditions, splits in few_references(package, setting.fold, np.random.default_rng(SEED)):
        leaning = replace(method, table_weight=0.0)
        fits: FittedSplits = [
            (split, replace(leaning, prior=known[split.name]).fit(package, split.train)) for split in splits
        ]
        results += setting.results(
            fits,
            conditions=f"{conditions}, spread known",
            characteristic="robustness",
            draws=draws,
        )
    return results
