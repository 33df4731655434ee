"""What all parcels share: the grid of sizes, the basis of class logits, slopes, associations, the screen's softness."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from kpfootprint.stats.arrays import Bools, Floats, Ints, rows_of
from kpfootprint.stats.sizes import SizeGrid, log_keep


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """Shared constants of the parcel model, learnt once from all reference parcels.

    Parameters
    ----------
    grid : SizeGrid
        Fine cells of size.
    class_of_cell : ndarray of shape (n_cells,)
        Size class of each cell.
    class_x : ndarray of shape (n_size_classes,)
        Log size that stands for each class, centred.
    slopes : tuple of ndarray of shape (C,)
        Slope of each class logit with log size, for each attribute.
    associations : tuple of ndarray of shape (C_a, C_b)
        Log-linear association of each pair of attributes, in the order of ``combinations(range(A), 2)``.
    softness : float
        Width of the lower edge on the log scale.
    edge_mean, edge_sd : float
        Where the lower edge lies when nobody declared it.
    size_prior_mean, size_prior_precision : ndarray of shape (2,) and (2, 2)
        Weak prior of (mu, ln sigma).
    class_prior_means : tuple of ndarray of shape (C - 1,)
        Weak prior of each attribute's logits.
    class_prior_precisions : tuple of ndarray of shape (C - 1, C - 1)
        Its precision.
    """

    grid: SizeGrid
    class_of_cell: Ints
    class_x: Floats
    slopes: tuple[Floats, ...]
    bases: tuple[Floats, ...]
    associations: tuple[Floats, ...]
    softness: float
    edge_mean: float
    edge_sd: float
    size_prior_mean: Floats
    size_prior_precision: Floats
    class_prior_means: tuple[Floats, ...]
    class_prior_precisions: tuple[Floats, ...]

    @property
    def n_size_classes(self) -> int:
        """Number of size classes."""
        return len(self.class_x)

    @property
    def n_classes(self) -> tuple[int, ...]:
        """Number of classes of each attribute."""
        return tuple(basis.shape[0] for basis in self.bases)

    @property
    def n_parameters(self) -> int:
        """Numbers that describe a parcel: two for size, one less than classes for each attribute."""
        return 2 + sum(int(basis.shape[1]) for basis in self.bases)

    @property
    def blocks(self) -> tuple[slice, ...]:
        """Where size and each attribute stand among the parcel's numbers."""
        ends = np.cumsum([0, 2, *(basis.shape[1] for basis in self.bases)])
        return tuple(slice(int(a), int(b)) for a, b in pairwise(ends))

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Pairs of attributes, in the order of `associations`."""
        return tuple(combinations(range(len(self.bases)), 2))

    def kept(self, edge: Floats, top: Floats) -> Floats:
        """Return the log chance (n, n_cells, m) that a stone at each node of the grid was kept.

        Parameters
        ----------
        edge : ndarray of shape (n,)
            Log size of the declared lower edge; NaN where nobody declared it, which widens the edge.
        top : ndarray of shape (n,)
            Log size above which nothing was kept, infinite where there is no such limit.
        """
        unknown = np.isnan(edge)
        softness = np.where(unknown, np.hypot(self.softness, self.edge_sd), self.softness)
        return log_keep(self.grid, np.where(unknown, self.edge_mean, edge), softness, top)

    def membership_of_classes(self) -> Floats:
        """Return the indicator (n_cells, n_size_classes) of the class of each cell."""
        out = np.zeros((self.grid.n_cells, self.n_size_classes))
        out[np.arange(self.grid.n_cells), self.class_of_cell] = 1.0
        return out


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
