"""A network that names the zone, trained on parcels drawn from each split's explicit model: evidence by another way.

It sees smoothed counts beside the explicit evidence, so it could learn what the explicit model leaves out: the shape
of sizes, how far an attribute departs from its slope, which readings to trust.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kpfootprint.footprint import footprints_of
from kpfootprint.parcel import Batch
from kpfootprint.reference import ReferencePackage
from kpfootprint.stats.model import gate_of
from kpfootprint.stats.networks import Network
from kpfootprint.stats.scenarios import Scenario, Truth
from kpfootprint.stats.selection import gate_features
from kpfootprint.stats.structure import ParcelArrays
from kpfootprint.stats.views import view_of
from training.calibrate import TRUST
from training.config import FitConfig
from training.evaluate.explicit import ExplicitModel, FittedExplicit
from training.evaluate.trials import Alternatives
from training.networks import fit_network
from training.prepare import Fitted
from training.simulation import simulate

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

N_SIMULATED = 24_000
PURE = (0.7, 0.15, 0.15, 0.0, 0.0, 0.0, 0.0)
"""Listed sources, unlisted ones near them, unlisted ones anywhere."""


def zone_features(arrays: ParcelArrays, fitted: Fitted, gate: Network) -> Floats:
    """Return what the network sees (n, F): log ratios of counts, fits of size, explicit evidence in every reading."""
    structure = fitted.structure
    view = view_of(arrays, structure, fitted.predictor)
    by_class = arrays.cells @ structure.membership_of_classes()
    bands = np.eye(fitted.bands.max() + 1)[fitted.bands]
    parts = [np.log(by_class + 0.5)]
    parts += [np.log(np.einsum("psc,sk->pkc", table, bands) + 0.5).reshape(len(arrays), -1) for table in arrays.tables]
    parts = [part - part.mean(axis=1, keepdims=True) for part in parts]
    best = view.listed.max(axis=2, keepdims=True)
    for values in (view.listed - best, view.unlisted - best):
        parts += list(np.clip(values, -25.0, 25.0) / 5.0)
    parts += [view.summaries.estimates[0], gate_features(view, structure), gate_of(gate, view, structure)]
    return np.concatenate(parts, axis=1)


def _seen(arrays: ParcelArrays, truth: Truth, *, fitted: Fitted, gate: Network) -> tuple[Floats, Ints]:
    return zone_features(arrays, fitted, gate).astype(np.float32), truth.source


@dataclass(frozen=True, slots=True)
class FittedZoneNetwork:
    """The network of a split; `log_prior` (Z + 1,) is how often it met each zone."""

    explicit: FittedExplicit
    gate: Network
    network: Network
    log_prior: Floats

    def evidence(self, batch: Batch) -> Floats:
        """Return log chances less their priors; zones that were not learnt get -inf."""
        out = np.full((len(batch), self.explicit.n_zones + 1), -np.inf)
        prepared, fitted = self.explicit.prepared, self.explicit.fitted
        for part in footprints_of(batch, prepared.reference.scheme, fitted.structure, prepared.level_names):
            chances = self.network.probabilities(zone_features(part.arrays, fitted, self.gate))
            found = np.log(np.maximum(chances, 1e-9)) - self.log_prior
            out[np.ix_(part.rows, self.explicit.columns)] = found[:, :-1]
            out[part.rows, -1] = found[:, -1]
        return out

    def strangeness(self, batch: Batch) -> None:
        """Return None: the network only compares."""


@dataclass(frozen=True, slots=True)
class ZoneNetwork:
    """The network as a method of the harness. `gate` and `config` are a release's."""

    gate: Network
    config: FitConfig
    n_simulated: int = N_SIMULATED
    n_jobs: int = 1
    name: str = "network amortised over the explicit model"
    alternatives: Alternatives = "mean"
    trust: float = TRUST
    held_by_novelty: bool = True

    def fit(self, package: ReferencePackage, train: Ints) -> FittedZoneNetwork:
        """Fit the explicit model to the parcels of the split, draw from it, and train on what was drawn."""
        explicit = ExplicitModel(gate=self.gate).fit(package, train)
        scenario: Scenario = replace(self.config.scenario, kinds=PURE)
        everyone = np.ones((1, len(explicit.prepared.zone_ids)))
        parts, _ = simulate(
            lambda arrays, truth: _seen(arrays, truth, fitted=explicit.fitted, gate=self.gate),
            explicit.fitted,
            scenario,
            everyone,
            n=self.n_simulated,
            seed=np.random.SeedSequence(self.config.seed),
            n_jobs=self.n_jobs,
        )
        labels = np.concatenate([label for _, label in parts])
        n_classes = len(explicit.prepared.zone_ids) + 1
        network = fit_network(
            np.concatenate([features for features, _ in parts]),
            labels,
            n_classes=n_classes,
            hidden=self.config.hidden,
            stages=self.config.stages,
            penalty=self.config.penalty,
            batch=self.config.batch,
            random_state=self.config.seed % 2**31,
        )
        met = np.bincount(labels, minlength=n_classes) + 1.0
        return FittedZoneNetwork(explicit, self.gate, network, np.log(met / met.sum()))
