"""Parcels as plain tables of counts: all that the usual methods look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from kpfootprint.parcel import Parcel
from kpfootprint.scheme import Scheme
from kpfootprint.stats.arrays import Floats, Ints


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
    def n_stones(self) -> Floats:
        """Stones in each parcel, shape (n_parcels,)."""
        return np.asarray(self.size.sum(axis=1), dtype=np.float64)

    @property
    def margins(self) -> list[Floats]:
        """Counts of size and of each categorical attribute by itself, each (n_parcels, n_classes)."""
        return [self.size, *(counts.sum(axis=1) for counts in self.by_size.values())]

    @property
    def cells(self) -> list[Floats]:
        """Counts of size, and of each attribute within three bands of size, each (n_parcels, n_cells)."""
        return [self.size, *(_in_bands(counts).reshape(len(counts), -1) for counts in self.by_size.values())]

    def rows(self, which: Ints) -> Tables:
        """Return the tables of some parcels."""
        return Tables(self.size[which], {name: counts[which] for name, counts in self.by_size.items()})


def _in_bands(counts: Floats) -> Floats:
    """Add size classes up to three bands: the four lowest, the four next, the rest."""
    starts = [start for start in (0, 4, 8) if start < counts.shape[1]]
    return np.add.reduceat(counts, starts, axis=1)


def tables_of(parcels: Iterable[Parcel], scheme: Scheme) -> Tables:
    """Count the stones of each parcel.

    Raises
    ------
    ValueError
        Where a parcel is a sorting sheet: the usual methods are measured on stone lists.
    """
    edges = np.array(scheme.size.sieve_set.lower_ct[1:])
    n_sizes = edges.size + 1
    size: list[Floats] = []
    by_size: dict[str, list[Floats]] = {item.name: [] for item in scheme.categorical}
    for parcel in parcels:
        if parcel.stones is None:
            raise ValueError(f"parcels must be stone lists, got a sorting sheet for {parcel.parcel_id!r}")
        band = np.searchsorted(edges, parcel.stones.weight_ct, side="right")
        size.append(np.bincount(band, minlength=n_sizes).astype(np.float64))
        for item in scheme.categorical:
            n_classes = len(item.classes)
            codes = parcel.stones.codes.get(item.name, np.full(band.size, -1)).astype(np.intp)
            kept = codes >= 0
            flat = np.bincount(band[kept] * n_classes + codes[kept], minlength=n_sizes * n_classes)
            by_size[item.name].append(flat.reshape(n_sizes, n_classes).astype(np.float64))
    return Tables(np.array(size), {name: np.array(counts) for name, counts in by_size.items()})
