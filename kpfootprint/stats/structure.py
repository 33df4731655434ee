r"""What all parcels share, and the sizes of a parcel: a lognormal seen through a soft screen, on a grid of fine cells.

The density of :math:`x = \ln w` is :math:`\phi((x-\mu)/\sigma)\,k(x)` up to a constant, where :math:`k` is the chance
that a stone of that size was kept. Cell probabilities are sums over a few nodes a cell, so any screen can be used.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from typing import Annotated

import numpy as np
from scipy.special import log_ndtr, softmax

from kpfootprint.stats.arrays import Floats, Ints

N_ITERATIONS = 60
MAX_STEP = 0.6
WIDEST = 50.0
"""Log of the widest spread of log sizes, and less of the narrowest: farther out numbers end, and nothing changes."""
STEP = 0.01
"""Resolution of recorded sizes."""
RATIO = 1.18
"""Widest cell, as upper over lower edge, where `STEP` allows it."""
LAST, OPEN_END = 20.0, 4.0
"""Start of the open last cell, where the last class is open, and at how many times its start it is taken to end."""
NODES = 3
"""Nodes of a cell."""


def fine_edges(class_edges: Floats) -> Floats:
    """Subdivide size classes into cells whose edges lie between the recorded values ``STEP, 2 STEP, ...``.

    Parameters
    ----------
    class_edges : ndarray of shape (n_classes + 1,)
        Increasing; the first may be 0, the last infinite.

    Returns
    -------
    ndarray of shape (n_cells + 1,)
        Every class edge is among them.
    """
    edges: list[float] = []
    for low, high in pairwise(class_edges.tolist()):
        start, end = max(low, STEP / 2), min(high, LAST)
        edges.append(start)
        n_parts = max(int(np.ceil(np.log(end / start) / np.log(RATIO))), 1) if end > start else 1
        inner = start * (end / start) ** (np.arange(1, n_parts) / n_parts)
        snapped = np.unique(np.round(np.round(inner / STEP - 0.5) * STEP + STEP / 2, 9))
        edges += [edge for edge in snapped.tolist() if edge > start * 1.0001 and edge < end / 1.0001]
        if high > LAST > low:
            edges.append(LAST)
    return np.array([*edges, class_edges[-1]])


@dataclass(frozen=True, slots=True)
class SizeGrid:
    """Cells and the nodes inside them, on the log scale.

    Parameters
    ----------
    edges : ndarray of shape (n_cells + 1,)
        Cell edges (not logged), the last one infinite.
    nodes : ndarray of shape (n_cells, m)
        Log sizes at which the density is evaluated.
    log_widths : ndarray of shape (n_cells, 1)
        Log of the width that each node stands for.
    centres : ndarray of shape (n_cells,)
        Log size in the middle of each cell.
    """

    edges: Annotated[Floats, "G+1", "increase"]
    nodes: Annotated[Floats, "G m", "in cells"]
    log_widths: Annotated[Floats, "G 1", "widths"]
    centres: Annotated[Floats, "G", "in cells"]

    @classmethod
    def from_edges(cls, edges: Floats) -> SizeGrid:
        """Place midpoint nodes in every cell."""
        ends = np.log(np.where(np.isinf(edges), edges[-2] * OPEN_END, edges))
        width = np.diff(ends)
        offsets = (np.arange(NODES) + 0.5) / NODES
        nodes = ends[:-1, None] + width[:, None] * offsets
        log_widths = np.log(width / NODES)[:, None]
        for array in (edges, nodes, log_widths):
            array.setflags(write=False)
        return cls(edges, nodes, log_widths, nodes.mean(axis=1))

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return len(self.nodes)

    def cell_of(self, sizes: Floats) -> Ints:
        """Return the cell of each size (sizes below the first edge count in the first cell)."""
        return np.maximum(np.searchsorted(self.edges, sizes, side="right") - 1, 0)

    def membership(self, lower: Floats, upper: Floats) -> Floats:
        """Return how much of each cell lies in each class, on the log scale, as shape (n_classes, n_cells)."""
        ends = np.log(np.where(np.isinf(self.edges), self.edges[-2] * OPEN_END, self.edges))
        low = np.log(np.maximum(lower, 1e-9))[:, None]
        high = np.log(np.where(np.isinf(upper), np.exp(ends[-1]), upper))[:, None]
        overlap = np.minimum(high, ends[1:]) - np.maximum(low, ends[:-1])
        inside = np.clip(overlap / np.diff(ends), 0.0, 1.0)
        # sizes below the first edge count in the first cell, and the last cell has no end
        inside[(high[:, 0] <= ends[0]), 0] = 1.0
        inside[(low[:, 0] >= ends[-1]), -1] = 1.0
        return inside


def log_keep(grid: SizeGrid, edge: Floats, softness: Floats, top: Floats) -> Floats:
    """Return the log chance that a stone at each node was kept by a soft lower edge (and a hard upper one).

    Parameters
    ----------
    edge, softness : ndarray of shape (n_parcels,)
        Position and width of the lower edge on the log scale: ``Phi((x - edge) / softness)``.
    top : ndarray of shape (n_parcels,)
        Log size above which nothing was kept (infinite: no limit).

    Returns
    -------
    ndarray of shape (n_parcels, n_cells, m)
    """
    kept = log_ndtr((grid.nodes[None] - edge[:, None, None]) / softness[:, None, None])
    if np.isfinite(top).any():
        kept = np.where(grid.nodes[None] < top[:, None, None], kept, -60.0)
    return kept


@dataclass(frozen=True, slots=True)
class SizeFit:
    """Fitted sizes: `theta` (n, 2) = (mu, ln sigma), `information` (n, 2, 2), `cells` (n, n_cells) probabilities."""

    theta: Floats
    information: Floats
    cells: Floats


def cell_probabilities(grid: SizeGrid, theta: Floats, kept: Floats) -> Floats:
    """Return cell probabilities (n, n_cells) at ``theta = (mu, ln sigma)``; drawn spreads may lie beyond any number."""
    bounded = np.column_stack([theta[:, 0], np.clip(theta[:, 1], -WIDEST, WIDEST)])
    return _moments(grid, bounded, kept, None)[0]


def _moments(grid: SizeGrid, theta: Floats, kept: Floats, inside: Floats | None) -> tuple[Floats, Floats, Floats]:
    sigma = np.exp(theta[:, 1])[:, None, None]
    z = (grid.nodes[None] - theta[:, 0][:, None, None]) / sigma
    log_density = -0.5 * z * z + kept + grid.log_widths
    if inside is not None:
        log_density = np.where(inside[:, :, None] > 0, log_density, -np.inf)
    log_density -= log_density.max(axis=(1, 2), keepdims=True)
    density = np.exp(log_density)
    cell = _over_nodes(density)
    total = np.maximum(cell.sum(axis=1, keepdims=True), 1e-300)  # a window may hold no cell at all
    mean_mu = _over_nodes(density * z) / sigma[:, :, 0]
    mean_sigma = _over_nodes(density * (z * z))
    return cell / total, mean_mu / total, mean_sigma / total


def _over_nodes(values: Floats) -> Floats:
    """Return the sums (n, n_cells) over the few nodes of each cell; numpy is slow along so short an axis."""
    out: Floats = values[:, :, 0].copy()
    for node in range(1, values.shape[2]):
        out += values[:, :, node]
    return out


def class_scores(grid: SizeGrid, theta: Floats, kept: Floats, membership: Floats) -> Floats:
    """Return the mean score (n, K, 2) of a stone of each class, less that of any, at ``theta = (mu, ln sigma)``."""
    cell, mean_mu, mean_sigma = _moments(grid, theta, kept, None)
    score = np.stack([mean_mu, mean_sigma], axis=2)
    mass = np.maximum(cell @ membership.T, 1e-300)[:, :, None]
    out: Floats = membership @ score / mass - score.sum(axis=1)[:, None, :]
    return out


@dataclass(frozen=True, slots=True)
class ClassWeights:
    """Weights of the stones of each class.

    `mean` (n, K), `cv2` (n, K) the squared coefficient of variation, `slope` (n, K, 2) the derivative of the log mean
    by (mu, ln sigma).
    """

    mean: Floats
    cv2: Floats
    slope: Floats


def class_weights(grid: SizeGrid, theta: Floats, kept: Floats, membership: Floats) -> ClassWeights:
    """Return the weights of the stones of each class (K, n_cells) at ``theta = (mu, ln sigma)``."""
    cell, mean_mu, mean_sigma = _moments(grid, theta, kept, None)
    score = np.stack([mean_mu, mean_sigma], axis=2)
    weight = np.exp(grid.centres)
    tiny = 1e-12 * membership

    def of(values: Floats) -> Floats:
        return values @ membership.T

    stones = of(cell) + tiny.sum(axis=1)
    carats = of(cell * weight) + (tiny * weight).sum(axis=1)
    squares = of(cell * weight**2) + (tiny * weight**2).sum(axis=1)
    mean = carats / stones
    by_stone = membership @ score / stones[:, :, None]
    by_carat = np.einsum("kg,pgd,g->pkd", membership, score, weight) / carats[:, :, None]
    return ClassWeights(mean, np.maximum(squares / stones / mean**2 - 1.0, 0.0), by_carat - by_stone)


def fit_sizes(
    counts: Floats,
    grid: SizeGrid,
    kept: Floats,
    *,
    prior_mean: Floats,
    prior_precision: Floats,
    inside: Floats | None = None,
    membership: Floats | None = None,
) -> SizeFit:
    """Find the posterior mode of (mu, ln sigma) of each parcel by Fisher scoring.

    Parameters
    ----------
    counts : ndarray of shape (n_parcels, n_classes)
        Stones by cell, or by class where `membership` is given.
    kept : ndarray of shape (n_parcels, n_cells, m)
        From `log_keep`.
    prior_mean, prior_precision : ndarray of shape (2,) and (2, 2)
        A weak normal prior that keeps small parcels finite.
    inside : ndarray of shape (n_parcels, n_cells), optional
        1 for cells that count, 0 for cells left out; the likelihood is conditional on the ones that count.
    membership : ndarray of shape (n_classes, n_cells), optional
        From `SizeGrid.membership`, where stones were counted in classes coarser than cells. Where those
        overlap, the information is that of the stones in them.

    Returns
    -------
    SizeFit
        `information` is that of the likelihood alone, without the prior.
    """
    if inside is not None and membership is None:
        counts = counts * inside
    overlapping = False
    if membership is not None:
        covered = membership.sum(axis=0)
        overlapping = bool((covered > 1.0 + 1e-9).any())
        if (covered < 1.0 - 1e-9).any():
            # no stone was counted outside the classes: that too is seen, and tells of the sizes
            membership = np.vstack([membership, np.clip(1.0 - covered, 0.0, 1.0)])
            counts = np.pad(counts, ((0, 0), (0, 1)))
    size = counts.shape[0]
    found = SizeFit(np.tile(prior_mean, (size, 1)), np.empty((size, 2, 2)), np.empty((size, grid.n_cells)))
    rows, theta = np.arange(size), found.theta.copy()
    reached, damping, steady = np.full(size, -np.inf), np.zeros(size), np.ones(size, dtype=bool)
    curvature, slope = np.empty((size, 2, 2)), np.empty((size, 2))
    for iteration in range(N_ITERATIONS + 1):
        cell, mean_mu, mean_sigma = _moments(grid, theta, kept, inside)
        score = np.stack([mean_mu, mean_sigma], axis=2)
        expected = score.sum(axis=1)
        if membership is not None:
            score = membership @ score
            mass = cell @ membership.T
        else:
            mass = cell
        safe = np.maximum(mass, 1e-300)
        centred = score / safe[:, :, None] - expected[:, None, :]
        weighted = centred * mass[:, :, None]
        information = counts.sum(axis=1)[:, None, None] * (weighted.transpose(0, 2, 1) @ centred)
        if overlapping:
            information = (counts[:, :, None] * centred).transpose(0, 2, 1) @ centred
        pull = (theta - prior_mean) @ prior_precision
        value = (counts * np.log(safe)).sum(axis=1) - 0.5 * (pull * (theta - prior_mean)).sum(axis=1)
        better = value >= reached - 1e-9 * np.abs(reached)
        at = rows[better]
        found.theta[at], found.information[at], found.cells[at] = theta[better], information[better], cell[better]
        if iteration == N_ITERATIONS:
            break
        # a step that went too far is taken back, and shorter ones are tried from where it began
        reached[better] = value[better]
        curvature[better] = information[better] + prior_precision
        slope[better] = ((counts[:, None, :] @ centred)[:, 0] - pull)[better]
        longer = np.where(steady, np.where(damping > 0.05, 0.25 * damping, 0.0), damping)
        damping, steady = np.where(better, longer, np.maximum(4.0 * damping, 0.5)), better
        damped = curvature + damping[:, None, None] * (curvature * np.eye(2))
        step = np.linalg.solve(damped, slope[:, :, None])[:, :, 0]
        step *= np.minimum(1.0, MAX_STEP / np.maximum(np.abs(step).max(axis=1, keepdims=True), MAX_STEP))
        # a parcel stops where it alone would, and is not looked at any more
        moving = np.abs(step).max(axis=1) >= 1e-6
        if not moving.any():
            break
        theta = found.theta[rows] + step
        if not moving.all():
            rows, theta, counts, kept = rows[moving], theta[moving], counts[moving], kept[moving]
            reached, damping, steady = reached[moving], damping[moving], steady[moving]
            curvature, slope = curvature[moving], slope[moving]
            inside = None if inside is None else inside[moving]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassLogits:
    """The logits of one attribute's classes: linear in log size, and in what is a parcel's own.

    Parameters
    ----------
    x : ndarray of shape (n_bands,)
        Centred log size of each band.
    slopes : ndarray of shape (C,)
        Shared slopes.
    basis : ndarray of shape (C, C - 1)
        From `kpfootprint.stats.categories.contrast_basis`.
    prior_mean, prior_precision : ndarray of shape (C-1,) and (C-1, C-1)
        A weak normal prior of a parcel's own, that keeps empty classes finite.
    """

    x: Floats
    slopes: Floats
    basis: Floats
    prior_mean: Floats
    prior_precision: Floats

    def at(self, theta: Floats) -> Floats:
        """Return the logits (n, n_bands, C) by what is the parcels' own (n, C - 1)."""
        out: Floats = (theta @ self.basis.T)[:, None, :] + self.x[None, :, None] * self.slopes
        return out

    def chances(self, theta: Floats) -> Floats:
        """Return the chances (n, n_bands, C) of classes by what is the parcels' own (n, C - 1)."""
        return softmax(self.at(theta), axis=2)


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
    class_of_cell: Annotated[Ints, "G", "cell classes"]
    class_x: Annotated[Floats, "S", "increase"]
    slopes: Annotated[tuple[Floats, ...], "C"]
    bases: Annotated[tuple[Floats, ...], "C C-1"]
    associations: Annotated[tuple[Floats, ...], "A O", "moderate"]
    softness: Annotated[float, "", "positive"]
    edge_mean: Annotated[float, ""]
    edge_sd: Annotated[float, "", "positive"]
    size_prior_mean: Annotated[Floats, "2"]
    size_prior_precision: Annotated[Floats, "2 2", "covariance"]
    class_prior_means: Annotated[tuple[Floats, ...], "C-1"]
    class_prior_precisions: Annotated[tuple[Floats, ...], "C-1 C-1", "covariance"]

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

    def sizes_of(
        self, counts: Floats, kept: Floats, *, inside: Floats | None = None, membership: Floats | None = None
    ) -> SizeFit:
        """Fit the sizes of parcels, see `fit_sizes`, under the prior that all of them share."""
        prior = {"prior_mean": self.size_prior_mean, "prior_precision": self.size_prior_precision}
        return fit_sizes(counts, self.grid, kept, inside=inside, membership=membership, **prior)

    def logits_of(self, attribute: int) -> ClassLogits:
        """Return the logits of an attribute's classes at all size classes."""
        return ClassLogits(
            x=self.class_x,
            slopes=self.slopes[attribute],
            basis=self.bases[attribute],
            prior_mean=self.class_prior_means[attribute],
            prior_precision=self.class_prior_precisions[attribute],
        )

    def chances(self, attribute: int, numbers: Floats, x: Floats | None = None) -> Floats:
        """Return class chances (n, n_bands, C) by numbers (n, D) at log sizes `x`, or of all classes."""
        logits = self.logits_of(attribute)
        return (logits if x is None else replace(logits, x=x)).chances(numbers[:, self.blocks[1 + attribute]])

    def membership_of_classes(self) -> Floats:
        """Return the indicator (n_cells, n_size_classes) of the class of each cell."""
        out = np.zeros((self.grid.n_cells, self.n_size_classes))
        out[np.arange(self.grid.n_cells), self.class_of_cell] = 1.0
        return out
