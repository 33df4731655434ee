"""The explicit parcel model as a method of the harness: fitted anew to the parcels of each split, nothing else seen."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kpfootprint.footprint import footprints_of
from kpfootprint.parcel import Batch
from kpfootprint.reference import ReferencePackage
from kpfootprint.stats.model import gate_of
from kpfootprint.stats.networks import Network
from kpfootprint.stats.novelty import strangeness
from kpfootprint.stats.selection import Evidence, fuse
from kpfootprint.stats.summaries import WINDOWS
from kpfootprint.stats.views import View, view_of
from training.calibrate import TRUST
from training.evaluate.methods import some, zones_of
from training.evaluate.trials import Alternatives
from training.prepare import Fitted, Prepared, fit_model, prepare

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class FittedExplicit:
    """The model with the columns of its zones among those of the whole package."""

    prepared: Prepared
    fitted: Fitted
    gate: Network | None
    columns: Ints
    n_zones: int

    def evidence(self, batch: Batch) -> Floats:
        """Return fused evidence; zones that were not learnt get -inf."""
        out = np.full((len(batch), self.n_zones + 1), -np.inf)
        for rows, _, _, found in self._seen(batch):
            out[np.ix_(rows, self.columns)] = found.listed
            out[rows, -1] = found.unlisted
        return out

    def strangeness(self, batch: Batch) -> Floats:
        """Return the distance to the nearest zone, on the scale of the product."""
        out = np.zeros(len(batch))
        for rows, view, chances, _ in self._seen(batch):
            out[rows] = strangeness(view, chances[:, 0])
        return out

    def _seen(self, batch: Batch) -> list[tuple[Ints, View, Floats, Evidence]]:
        structure, scheme = self.fitted.structure, self.prepared.reference.scheme
        seen = []
        for part in footprints_of(batch, scheme, structure, self.prepared.level_names):
            view = view_of(part.arrays, structure, self.fitted.predictor)
            if self.gate is None:
                chances = np.full((len(part.rows), len(WINDOWS)), 1.0 / len(WINDOWS))
            else:
                chances = gate_of(self.gate, view, structure)
            windows = len(WINDOWS)
            found = fuse(view.listed[:windows], view.unlisted[:windows], chances, None)
            seen.append((part.rows, view, chances, found))
        return seen


@dataclass(frozen=True, slots=True)
class ExplicitModel:
    """The explicit model. `gate` is the network of a release; without one every reading of the sizes is as likely."""

    gate: Network | None = None
    name: str = "explicit parcel model (no networks)"
    alternatives: Alternatives = "mean"
    trust: float = TRUST
    held_by_novelty: bool = True

    def fit(self, package: ReferencePackage, train: Ints) -> FittedExplicit:
        """Prepare and fit from the parcels of the split alone."""
        learnt = replace(
            package,
            batch=some(package.batch, train),
            zone_of=tuple(package.zone_of[i] for i in train),
            collected_on=tuple(package.collected_on[i] for i in train),
        )
        prepared = prepare(learnt, minimum_parcels=1)
        zones = zones_of(package)
        columns = np.array([zones.index(zone) for zone in prepared.zone_ids], dtype=np.intp)
        return FittedExplicit(prepared, fit_model(prepared), self.gate, columns, len(zones))
