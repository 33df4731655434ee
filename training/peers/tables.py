"""Parcels as plain tables of counts: all that the usual methods look at, and the harness's door that they share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Self

import numpy as np

from kpfootprint.parcel import FACTORS, Batch
from kpfootprint.reference import ReferencePackage
from kpfootprint.scheme import Scheme
from kpfootprint.stats.arrays import Floats, Ints
from training.evaluate.methods import Seen, zone_codes, zones_of
from training.evaluate.mixtures import Shares
from training.evaluate.trials import Alternatives
from training.prepare import stones_counted


@dataclass(frozen=True, slots=True)
class Tables:
    """Counts of a batch of parcels.

    Parameters
    ----------
    size : ndarray of shape (n_parcels, n_sizes)
        Stones in each size class of the package's own sieve set.
    by_size : mapping from attribute name to ndarray of shape (n_parcels, n_sizes, n_classes)
        Stones in each class of a categorical attribute within each size class; stones without it are left out.
    """

    size: Floats
    by_size: Mapping[str, Floats]

    @property
    def margins(self) -> list[Floats]:
        """Counts of size and of each categorical attribute by itself, each (n_parcels, n_classes)."""
        return [self.size, *(counts.sum(axis=1) for counts in self.by_size.values())]

    @property
    def cells(self) -> list[Floats]:
        """Counts of size, and of each attribute within three bands of size, each (n_parcels, n_cells)."""
        return [self.size, *(_in_bands(counts).reshape(len(counts), -1) for counts in self.by_size.values())]


def _in_bands(counts: Floats) -> Floats:
    """Add size classes up to three bands: the four lowest, the four next, the rest."""
    starts = [start for start in (0, 4, 8) if start < counts.shape[1]]
    return np.add.reduceat(counts, starts, axis=1)


def tables_of(batch: Batch, scheme: Scheme) -> Tables:
    """Count the stones of each parcel; ValueError for sorting sheets: the usual methods are measured on stone lists."""
    structure, arrays = stones_counted(batch, scheme, [()] * len(FACTORS))
    by_size = zip((item.name for item in scheme.categorical), arrays.tables, strict=True)
    return Tables(arrays.cells @ structure.membership_of_classes(), dict(by_size))


class Learner:
    """A usual method: it learns from tables of counts and their zones, 0 to ``n_zones - 1``, some of them absent."""

    name: str
    scheme_: Scheme

    def learn(self, tables: Tables, zone: Ints, n_zones: int) -> None:
        """Learn from reference parcels."""
        raise NotImplementedError

    def fit(self, package: ReferencePackage, train: Ints) -> Self:
        """Return a copy that has learnt from some parcels of a package, and from no others."""
        made = copy(self)
        made.scheme_ = package.scheme
        tables = tables_of(package.batch.take(train), package.scheme)
        made.learn(tables, zone_codes(package)[train], len(zones_of(package)))
        return made


class Peer(Learner):
    """A usual method of comparison, as the harness asks for one."""

    alternatives: Alternatives = "mean"
    trust = 0.0
    offset_spread: float | None = None
    says_strange = False
    """Whether scores that are no distances say how unlike everything a parcel is."""

    strong_novelty_p = 0.0
    unit_ = 1.0

    def score(self, tables: Tables) -> Floats:
        """Return scores of each parcel under each zone, shape (n_parcels, n_zones): the higher, the more alike."""
        raise NotImplementedError

    def fit(self, package: ReferencePackage, train: Ints) -> Self:
        """Learn from some parcels of a package; the unit of distances is their spread among these."""
        made = super().fit(package, train)
        if made.alternatives != "mean":
            made.unit_ = float(made.score(tables_of(package.batch.take(train), package.scheme)).std())
        return made

    def seen(self, batch: Batch) -> Seen:
        """Return scores, -inf for the unlisted zone that peers do not know, and minus the best where that tells."""
        scores = self.score(tables_of(batch, self.scheme_))
        evidence = np.concatenate([scores / self.unit_, np.full((len(scores), 1), -np.inf)], axis=1)
        says = self.says_strange or self.alternatives != "mean"
        return evidence, np.asarray(-scores.max(axis=1), dtype=np.float64) if says else None


class Unmixer(Learner):
    """A usual method of unmixing, as the harness asks for one."""

    def unmix(self, tables: Tables, declared: Ints) -> Shares:
        """Return the undeclared share of each parcel."""
        raise NotImplementedError

    def learnt_from(self, package: ReferencePackage, train: Ints) -> Callable[[Batch, Ints], Shares]:
        """Return what tells undeclared shares after some parcels of a package."""
        fitted = self.fit(package, train)
        return lambda batch, declared: fitted.unmix(tables_of(batch, package.scheme), declared)
