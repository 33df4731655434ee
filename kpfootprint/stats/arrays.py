"""Arrays that everything here is computed with: dataclasses of them, some rows of these, and parcels as such arrays."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]
"""What a release holds is `Annotated` with its shape and the name of its rule, see `kpfootprint.release.arrays`."""

T = TypeVar("T")


def rows_of(found: T, rows: Ints | Bools | slice, *, but: Collection[str] = ()) -> T:
    """Return a dataclass with these rows (repeats allowed) of every array in it; fields named in `but` stay whole."""
    item: Any = found
    names = [field.name for field in fields(item) if field.name not in but]
    out: T = replace(item, **{name: _rows(getattr(item, name), rows) for name in names})
    return out


def _rows(value: Any, rows: Ints | Bools | slice) -> Any:
    if isinstance(value, np.ndarray):
        return value[rows]
    if isinstance(value, tuple):
        return tuple(_rows(item, rows) for item in value)
    if value is None or not is_dataclass(value):
        return value
    return value.take(rows) if hasattr(value, "take") else rows_of(value, rows)


def joined(parts: Sequence[T]) -> T:
    """Put dataclasses, or tuples, of arrays one after another."""
    every: Any = parts
    kind: Any = type(every[0])
    if isinstance(every[0], tuple):
        columns: T = kind(np.concatenate(column) for column in zip(*every, strict=True))
        return columns
    named = {field.name: [getattr(part, field.name) for part in every] for field in fields(kind)}
    out: T = kind(
        **{name: joined(items) if is_dataclass(items[0]) else np.concatenate(items) for name, items in named.items()}
    )
    return out


def n_alike(groups: Ints) -> Ints:
    """Return how many rows share the group of each (n,): groups weigh the same where rows weigh one over this."""
    _, inverse, counts = np.unique(groups, return_inverse=True, return_counts=True)
    return counts[inverse]


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """What n parcels leave open of themselves; A attributes, K size classes of their sheets.

    Parameters
    ----------
    exact : tuple of ndarray of shape (n, n_size_classes, C)
        Stones by size class and class of each attribute, without those that are known by a set alone.
    sets : tuple of ndarray of shape (n, n_size_classes, S)
        Stones by size class and set of classes, for each attribute.
    members : tuple of ndarray of shape (S, C), bool
        Classes of each set.
    sized : ndarray of shape (n, n_cells)
        Stones by fine cell, those of unknown size left out.
    spread : ndarray of shape (n, K)
        Variance of the stones of each size class beyond that of counting, where they were weighed and not counted.
    slope : ndarray of shape (n, K, 2)
        How the stones of a class, known from their weight, follow from (mu, ln sigma).
    mean_ct : ndarray of shape (n,)
        Mean weight where sizes are known through it alone; NaN elsewhere.
    n_sd : ndarray of shape (n,)
        Standard deviation of the number of stones; 0 where they were counted.
    dims : ndarray of shape (n, 1 + A)
        Numbers that size and each attribute can tell.
    """

    exact: tuple[Floats, ...]
    sets: tuple[Floats, ...]
    members: tuple[Bools, ...]
    sized: Floats
    spread: Floats
    slope: Floats
    mean_ct: Floats
    n_sd: Floats
    dims: Floats

    def take(self, rows: Ints) -> Partial:
        """Return these rows."""
        return rows_of(self, rows, but=("members",))

    def has_sets(self, attribute: int) -> Bools:
        """Return which parcels (n,) know stones of an attribute by sets alone."""
        out: Bools = self.sets[attribute].sum(axis=(1, 2)) > 0
        return out


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelArrays:
    """Parcels as arrays; one parcel is a batch of one.

    Parameters
    ----------
    cells : ndarray of shape (n_parcels, n_cells)
        Stones by fine cell of size; where stones were counted in coarser classes, spread over their cells.
    tables : tuple of ndarray of shape (n_parcels, n_size_classes, C)
        Stones by size class and class of each attribute.
    pairs : tuple of ndarray of shape (n_parcels, C_a, C_b)
        Stones by class of two attributes; zero where not recorded together.
    edge : ndarray of shape (n_parcels,)
        Log size of the declared lower edge, NaN where unknown.
    top : ndarray of shape (n_parcels,)
        Log size above which nothing was kept, infinite where there is no such limit.
    levels : ndarray of shape (n_parcels, n_factors)
        Level of each condition, -1 where unknown.
    recorded : ndarray of shape (n_parcels, 1 + A), bool
        Whether size and each attribute count.
    coarse : ndarray of shape (n_parcels, n_coarse), optional
        Stones by class of a coarser sieve set.
    membership : ndarray of shape (n_coarse, n_cells), optional
        Share of each cell in each coarse class.
    partial : Partial, optional
        What the parcels leave open; None for stone lists and sheets that count every stone by known classes.
    """

    cells: Floats
    tables: tuple[Floats, ...]
    pairs: tuple[Floats, ...]
    edge: Floats
    top: Floats
    levels: Ints
    recorded: Bools
    coarse: Floats | None = None
    membership: Floats | None = None
    partial: Partial | None = None

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def n_stones(self) -> Floats:
        """Stones of each parcel."""
        out: Floats = self.cells.sum(axis=1)
        return out

    def take(self, rows: Ints) -> ParcelArrays:
        """Return these rows (repeats allowed)."""
        return rows_of(self, rows, but=("membership",))
