"""Learn what all parcels share: slopes, associations, the softness of the screen; then the parcel model."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
from scipy.stats import chi2

from kpfootprint.stats.arrays import Floats, Ints, ParcelArrays
from kpfootprint.stats.categories import contrast_basis, fit_classes, fit_margins
from kpfootprint.stats.parcel_model import ParcelModel, fit_parcel_model
from kpfootprint.stats.structure import SizeGrid, Structure, fine_edges, log_keep
from kpfootprint.stats.summaries import loosen, summarise

SOFTNESS_GRID = np.arange(0.05, 0.51, 0.015)
N_ROUNDS = 4


def blank_structure(class_edges: Floats, n_classes: tuple[int, ...]) -> Structure:
    """Return the structure before anything is learnt: no slopes, no association, wide priors."""
    grid = SizeGrid.from_edges(fine_edges(class_edges))
    class_of_cell = np.searchsorted(class_edges, grid.edges[:-1] * (1 + 1e-9), side="right") - 1
    middle = np.array([grid.centres[class_of_cell == k].mean() for k in range(class_edges.size - 1)])
    return Structure(
        grid=grid,
        class_of_cell=class_of_cell,
        class_x=middle,
        slopes=tuple(np.zeros(c) for c in n_classes),
        bases=tuple(contrast_basis(c) for c in n_classes),
        associations=tuple(np.zeros((n_classes[a], n_classes[b])) for a, b in combinations(range(len(n_classes)), 2)),
        softness=0.2,
        edge_mean=float(middle[0]),
        edge_sd=0.2,
        size_prior_mean=np.zeros(2),
        size_prior_precision=np.diag([1 / 0.7**2, 1 / 0.4**2]),
        class_prior_means=tuple(np.zeros(c - 1) for c in n_classes),
        class_prior_precisions=tuple(np.eye(c - 1) / 4.0 for c in n_classes),
    )


def learn_structure(structure: Structure, arrays: ParcelArrays) -> Structure:
    """Learn centre of sizes, softness of the edge, slopes and associations from all parcels together."""
    weights = arrays.cells.sum(axis=0)
    centre = float(weights @ structure.grid.centres / weights.sum())
    spread = float(np.sqrt(weights @ (structure.grid.centres - centre) ** 2 / weights.sum()))
    known = ~np.isnan(arrays.edge)
    edge_mean = float(arrays.edge[known].mean()) if known.any() else structure.grid.centres[0]
    structure = replace(
        structure,
        class_x=structure.class_x - centre,
        edge_mean=edge_mean,
        edge_sd=max(float(arrays.edge[known].std()), 0.05) if known.any() else 0.5,
        size_prior_mean=np.array([centre, np.log(max(spread, 0.05))]),
    )
    return replace(
        structure,
        softness=_learn_softness(structure, arrays),
        slopes=tuple(_learn_slopes(structure, table, a) for a, table in enumerate(arrays.tables)),
        associations=tuple(_learn_association(pair) for pair in arrays.pairs),
    )


def _learn_softness(structure: Structure, arrays: ParcelArrays) -> float:
    known = np.flatnonzero(~np.isnan(arrays.edge))
    if known.size == 0:
        return structure.softness
    likelihood = []
    for softness in SOFTNESS_GRID:
        kept = log_keep(structure.grid, arrays.edge[known], np.full(known.size, softness), arrays.top[known])
        fit = structure.sizes_of(arrays.cells[known], kept)
        likelihood.append(float((arrays.cells[known] * np.log(np.maximum(fit.cells, 1e-300))).sum()))
    best = int(np.argmax(likelihood))
    near = slice(max(best - 1, 0), best + 2)
    curve = np.polyfit(SOFTNESS_GRID[near], likelihood[near], 2) if 0 < best < len(likelihood) - 1 else None
    return float(SOFTNESS_GRID[best] if curve is None else -curve[1] / (2.0 * curve[0]))


def _learn_slopes(structure: Structure, table: Floats, attribute: int) -> Floats:
    """Profile Newton steps: each parcel's logits are fitted anew between steps of the shared slopes."""
    logits = structure.logits_of(attribute)
    basis, x, prior = logits.basis, logits.x, logits.prior_precision
    slopes = np.zeros(basis.shape[0])
    for _ in range(N_ROUNDS):
        fit = fit_classes(table, replace(logits, slopes=slopes))
        weighted = fit.probabilities * table.sum(axis=2)[:, :, None]
        gradient = np.einsum("pbc,b->c", table - weighted, x)
        square = -np.einsum("pbc,pbd,b->cd", weighted, fit.probabilities, x**2)
        square += np.diag(np.einsum("pbc,b->c", weighted, x**2))
        cross = -np.einsum("pbc,pbd,b->pcd", weighted, fit.probabilities, x)
        index = np.arange(slopes.size)
        cross[:, index, index] += np.einsum("pbc,b->pc", weighted, x)
        cross = basis.T @ cross
        square -= np.einsum("pkc,pkd->cd", cross, np.linalg.solve(fit.information + prior, cross))
        slopes = slopes + basis @ np.linalg.solve(
            basis.T @ square @ basis + 1e-3 * np.eye(basis.shape[1]), basis.T @ gradient
        )
    return slopes


def _learn_association(pair: Floats) -> Floats:
    """Find the association whose expected tables, on each parcel's margins, add up to the observed total."""
    observed = pair.sum(axis=0) + 0.5
    rows, columns = pair.sum(axis=2) + 1e-9, pair.sum(axis=1) + 1e-9
    association = np.zeros(observed.shape)
    for _ in range(80):
        expected = fit_margins(association, rows, columns, 40).sum(axis=0) + 0.5
        association = association + 0.9 * (np.log(observed) - np.log(expected))
    association -= association.mean(axis=0)
    out: Floats = association - association.mean(axis=1)[:, None]
    return out


def check_structure(
    structure: Structure, arrays: ParcelArrays, groups: Ints, n_groups: int
) -> tuple[Floats, Floats, Floats]:
    """Ask by Pearson's chi-square whether one association serves every group.

    Each group's table of every pair is compared with what the shared association expects on each parcel's margins.

    Returns
    -------
    statistic, degrees, p_value : ndarray of shape (n_pairs, n_groups)
    """
    statistic, degrees = np.zeros((2, len(structure.associations), n_groups))
    for position, (association, pair) in enumerate(zip(structure.associations, arrays.pairs, strict=True)):
        expected = fit_margins(association, pair.sum(axis=2) + 1e-9, pair.sum(axis=1) + 1e-9, 60)
        for group in range(n_groups):
            o, e = pair[groups == group].sum(axis=0), expected[groups == group].sum(axis=0)
            enough = e >= 1.0
            statistic[position, group] = (((o - e) ** 2) / e)[enough].sum()
            degrees[position, group] = max(enough.sum() - sum(o.shape) + 1, 1)
    return statistic, degrees, np.asarray(chi2.sf(statistic, degrees))


def learn_parcel_model(
    structure: Structure,
    arrays: ParcelArrays,
    groups: Ints,
    n_groups: int,
    n_levels: tuple[int, ...],
    *,
    prior: Floats | None,
    n_iterations: int,
) -> tuple[Structure, ParcelModel]:
    """Fit the parcel model twice; the first fit gives the priors of the parcels' own logits for the second.

    Logits of the classes of one attribute are believed to vary alike; `prior` (D, D) is what an older release learnt.
    """
    model = None
    for iterations in (max(n_iterations // 2, 3), n_iterations):
        summaries = summarise(arrays, structure)
        if structure.pairs:
            loosen(summaries.errors[0], structure.blocks[1:], 0.0)
        model = fit_parcel_model(
            summaries.estimates[0],
            summaries.errors[0],
            (groups, *arrays.levels.T),
            (n_groups, *n_levels),
            attributes=structure.blocks[1:],
            prior=prior,
            n_iterations=iterations,
        )
        spread = model.between + model.within + sum(np.diag(v) for v in model.level_variances)
        blocks = structure.blocks[1:]
        structure = replace(
            structure,
            class_prior_means=tuple(np.asarray(model.mean[block], dtype=np.float64) for block in blocks),
            class_prior_precisions=tuple(np.linalg.inv(spread[block, block]).astype(np.float64) for block in blocks),
        )
    assert model is not None
    return structure, model
