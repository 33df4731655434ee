"""The usual methods, measured in the same harness as the product: same folds, same trials, same calibrator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from kpfootprint.parcel import Batch
from kpfootprint.reference import ReferencePackage
from kpfootprint.scheme import Scheme
from kpfootprint.stats.arrays import Floats, Ints
from training.evaluate.methods import some, zone_codes, zones_of
from training.evaluate.mixtures import Shares
from training.evaluate.trials import Alternatives
from training.peers.distances import ChiSquare, DeclaredKolmogorovSmirnov, KolmogorovSmirnov, NearestCentroid
from training.peers.likelihoods import (
    DirichletMultinomial,
    LinearDiscriminant,
    LogisticRegression,
    Multinomial,
    RandomForest,
)
from training.peers.mixing import MonteCarloKS, MultinomialEM, MultinomialPair
from training.peers.tables import Tables, tables_of


class Peer(Protocol):
    """A usual method on tables of counts."""

    name: str
    alternatives: Alternatives

    def fit(self, tables: Tables, zone: Ints, n_zones: int) -> Peer:
        """Learn from reference parcels: their tables and zones, 0 to ``n_zones - 1``, some of which may be absent."""

    def score(self, tables: Tables) -> Floats:
        """Return scores of each parcel under each zone, shape (n_parcels, n_zones): the higher, the more alike."""


@dataclass(frozen=True, slots=True)
class FittedPeer:
    """A peer that has learnt, behind the harness's door. `unit` is the spread of a distance, 1 for log chances."""

    peer: Peer
    scheme: Scheme
    unit: float
    says_strange: bool

    def evidence(self, batch: Batch) -> Floats:
        """Return scores, and -inf for the unlisted zone that peers do not know."""
        scores = self.peer.score(tables_of(batch, self.scheme)) / self.unit
        return np.concatenate([scores, np.full((len(scores), 1), -np.inf)], axis=1)

    def strangeness(self, batch: Batch) -> Floats | None:
        """Return minus the best score where scores are distances, None where they only compare zones."""
        if not self.says_strange:
            return None
        return np.asarray(-self.peer.score(tables_of(batch, self.scheme)).max(axis=1), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class PeerMethod:
    """A peer as a method of the harness. `peer` makes a new one for each fit."""

    peer: type[Peer]
    trust: float = 0.0
    offset_spread: float | None = None
    held_by_novelty: bool = False

    @property
    def name(self) -> str:
        """Name of the peer."""
        return self.peer.name

    @property
    def alternatives(self) -> Alternatives:
        """How its scores are set against alternatives."""
        return self.peer.alternatives

    def fit(self, package: ReferencePackage, train: Ints) -> FittedPeer:
        """Learn from some parcels of the package."""
        tables = tables_of(some(package.batch, train), package.scheme)
        peer = self.peer().fit(tables, zone_codes(package)[train], len(zones_of(package)))
        distance = peer.alternatives != "mean"
        unit = float(peer.score(tables).std()) if distance else 1.0
        return FittedPeer(peer, package.scheme, unit, distance or isinstance(peer, LinearDiscriminant))


PEERS: tuple[PeerMethod, ...] = tuple(
    PeerMethod(peer)
    for peer in (
        DeclaredKolmogorovSmirnov,
        KolmogorovSmirnov,
        ChiSquare,
        NearestCentroid,
        Multinomial,
        DirichletMultinomial,
        RandomForest,
        LogisticRegression,
        LinearDiscriminant,
    )
)


@dataclass(frozen=True, slots=True)
class FittedUnmixer:
    """A peer that unmixes and has learnt, behind the harness's door."""

    unmixer: MultinomialEM | MonteCarloKS
    scheme: Scheme

    def shares(self, batch: Batch, declared: Ints, *, level: float) -> Shares:
        """Return what the peer says of the undeclared share."""
        return self.unmixer.unmix(tables_of(batch, self.scheme), declared, level=level)


@dataclass(frozen=True, slots=True)
class UnmixerMethod:
    """A peer that unmixes, as a method of the harness."""

    unmixer: type[MultinomialEM] | type[MonteCarloKS]

    @property
    def name(self) -> str:
        """Name of the peer."""
        return self.unmixer.name

    def fit(self, package: ReferencePackage, train: Ints) -> FittedUnmixer:
        """Learn from some parcels of the package."""
        tables = tables_of(some(package.batch, train), package.scheme)
        return FittedUnmixer(
            self.unmixer().fit(tables, zone_codes(package)[train], len(zones_of(package))), package.scheme
        )


UNMIXERS = (UnmixerMethod(MultinomialEM), UnmixerMethod(MultinomialPair), UnmixerMethod(MonteCarloKS))
