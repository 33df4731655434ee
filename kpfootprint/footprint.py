"""From parcels to arrays: stones counted by size cell, size class and class of each attribute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kpfootprint.parcel import FACTORS, Batch, Breakdown, Parcel, Stones
from kpfootprint.partial import partial_arrays
from kpfootprint.scheme import CT_PER_MM3, Scheme, SieveSet
from kpfootprint.stats.arrays import Floats, Ints, ParcelArrays
from kpfootprint.stats.model import FootprintModel
from kpfootprint.stats.structure import Structure, cell_probabilities

SPECIALS_CT = 10.8
"""Stones above this weight are exported apart where specials are removed."""


@dataclass(frozen=True, slots=True)
class Footprints:
    """Parcels of one sieve set as arrays: `rows` are their positions in the batch."""

    rows: Ints
    arrays: ParcelArrays


def levels_of(batch: Sequence[Parcel], level_names: Sequence[Sequence[str]]) -> Ints:
    """Return the position (n, n_factors) of each condition among known levels, -1 where blank or unknown."""
    out = np.full((len(batch), len(FACTORS)), -1, dtype=np.intp)
    for f, (factor, names) in enumerate(zip(FACTORS, level_names, strict=True)):
        position = {name: k for k, name in enumerate(names)}
        out[:, f] = [position.get(getattr(parcel.conditions, factor) or "", -1) for parcel in batch]
    return out


def footprints_of(
    batch: Batch, scheme: Scheme, structure: Structure, level_names: Sequence[Sequence[str]]
) -> tuple[Footprints, ...]:
    """Count the stones of every parcel; parcels that share a sieve set (or have stone lists) come together.

    Parameters
    ----------
    level_names : sequence of sequence of str
        Known levels of each of `FACTORS`.
    """
    groups: dict[SieveSet | str, list[int]] = {}
    alone = []
    for row, parcel in enumerate(batch):
        if _leaves_open(parcel, scheme):
            edge, top = _edge_and_top([parcel])
            arrays = partial_arrays(parcel, scheme, structure, edge, top, levels_of([parcel], level_names))
            alone.append(Footprints(rows=np.array([row], dtype=np.intp), arrays=arrays))
            continue
        key: SieveSet | str = "stones" if parcel.stones is not None else parcel.sieve_set or "unsized"
        groups.setdefault(key, []).append(row)
    together = tuple(
        Footprints(
            rows=np.array(rows, dtype=np.intp),
            arrays=_arrays([batch.parcels[row] for row in rows], key, scheme, structure, level_names),
        )
        for key, rows in groups.items()
    )
    return (*together, *alone)


def _leaves_open(parcel: Parcel, scheme: Scheme) -> bool:
    """Say whether a parcel leaves something open, see `kpfootprint.partial`."""
    n_classes = {item.name: len(item.classes) for item in scheme.categorical}
    if parcel.stones is not None:
        return any(bool((codes >= n_classes[name]).any()) for name, codes in parcel.stones.codes.items())
    if parcel.sieve_set is None and (parcel.n_stones == 0 or parcel.carats is not None):
        return True
    if parcel.sieve_set is not None and not parcel.sieve_set.gapless:
        return True
    for item in parcel.breakdowns:
        if item.sample or bool((item.n_stones < 0).any()) or bool((item.codes < 0).any()):
            return True
        for position, name in enumerate(item.attributes):
            if name in n_classes and bool((item.codes[:, position] >= n_classes[name]).any()):
                return True
    return False


def _edge_and_top(parcels: Sequence[Parcel]) -> tuple[Floats, Floats]:
    """Return the log sizes (n,) of the declared lower edge, NaN where unknown, and of the upper limit."""
    screens = [parcel.conditions.bottom_screen_mm for parcel in parcels]
    edge = np.log(np.array([np.nan if mm is None else CT_PER_MM3 * mm**3 for mm in screens]))
    top = np.array([np.log(SPECIALS_CT) if parcel.conditions.specials_removed else np.inf for parcel in parcels])
    return edge, top


def mean_stones(arrays: ParcelArrays, model: FootprintModel) -> Floats:
    """Return the mean stone (n, Z), in carats, of each zone as it would be seen through each parcel's screen."""
    grid = model.structure.grid
    kept = model.structure.kept(arrays.edge, arrays.top)
    theta = model.predictor.sources[:, :2]
    n, z = len(arrays), len(theta)
    cells = cell_probabilities(grid, np.tile(theta, (n, 1)), np.repeat(kept, z, axis=0))
    return (cells @ np.exp(grid.centres)).reshape(n, z)


def _arrays(
    parcels: list[Parcel],
    key: SieveSet | str,
    scheme: Scheme,
    structure: Structure,
    level_names: Sequence[Sequence[str]],
) -> ParcelArrays:
    n, n_classes = len(parcels), structure.n_classes
    cells = np.zeros((n, structure.grid.n_cells))
    edge, top = _edge_and_top(parcels)
    coarse = membership = None
    if isinstance(key, SieveSet):
        membership = structure.grid.membership(np.array(key.lower_ct), np.array(key.upper_ct))
        coarse = np.array([_by_size(parcel, scheme, len(key.classes)) for parcel in parcels])
        cells = _spread(coarse, membership, structure, edge, top)
    elif key == "unsized":
        usual = np.tile(structure.size_prior_mean, (n, 1))
        cells = cell_probabilities(structure.grid, usual, structure.kept(edge, top))
        cells *= np.array([parcel.n_stones for parcel in parcels])[:, None]
    arrays = ParcelArrays(
        cells=cells,
        tables=tuple(np.zeros((n, structure.n_size_classes, c)) for c in n_classes),
        pairs=tuple(np.zeros((n, n_classes[a], n_classes[b])) for a, b in structure.pairs),
        edge=edge,
        top=top,
        levels=levels_of(parcels, level_names),
        recorded=np.zeros((n, 1 + len(n_classes)), dtype=bool),
        coarse=coarse,
        membership=membership,
    )
    arrays.recorded[:, 0] = key != "unsized"
    for row, parcel in enumerate(parcels):
        if parcel.stones is not None:
            _count_stones(arrays, row, parcel.stones, scheme, structure)
        else:
            _count_sheet(arrays, row, parcel.breakdowns, scheme, structure)
    return arrays


def _count_stones(arrays: ParcelArrays, row: int, stones: Stones, scheme: Scheme, structure: Structure) -> None:
    """Fill a parcel's row from its stones."""
    cell = structure.grid.cell_of(stones.weight_ct)
    arrays.cells[row] = np.bincount(cell, minlength=structure.grid.n_cells)
    size_class = structure.class_of_cell[cell]
    codes = [stones.codes.get(attribute.name) for attribute in scheme.categorical]
    for a, code in enumerate(codes):
        if code is None or not (code >= 0).any():
            continue
        arrays.recorded[row, 1 + a] = True
        _tally(arrays.tables[a][row], size_class, code)
    for position, (a, b) in enumerate(structure.pairs):
        first, second = codes[a], codes[b]
        if first is not None and second is not None:
            _tally(arrays.pairs[position][row], first, second)


def _tally(table: Floats, first: NDArray[np.integer], second: NDArray[np.integer]) -> None:
    known = (first >= 0) & (second >= 0)
    flat = first[known].astype(np.intp) * table.shape[1] + second[known]
    table += np.bincount(flat, minlength=table.size).reshape(table.shape)


def _by_size(parcel: Parcel, scheme: Scheme, n_classes: int) -> Floats:
    size = scheme.size.name
    for breakdown in parcel.breakdowns:
        if size in breakdown.attributes:
            code = breakdown.codes[:, breakdown.attributes.index(size)]
            return np.bincount(code, weights=breakdown.n_stones, minlength=n_classes).astype(float)
    raise AssertionError("a parcel with a sieve set has a breakdown by size")


def _spread(coarse: Floats, membership: Floats, structure: Structure, edge: Floats, top: Floats) -> Floats:
    """Spread the stones of coarse classes over their cells as the parcel's own fitted sizes do."""
    fit = structure.sizes_of(coarse, structure.kept(edge, top), membership=membership)
    within = fit.cells[:, None, :] * membership + 1e-12 * membership
    out: Floats = np.einsum("pk,pkg->pg", coarse, within / np.maximum(within.sum(axis=2, keepdims=True), 1e-300))
    return out


def _into_class(cells: Floats, membership: Floats | None, structure: Structure) -> Floats:
    """Return the chance (n_coarse, n_size_classes) that a stone of a coarse class lies in each size class."""
    indicator = structure.membership_of_classes()
    if membership is None:
        return np.asarray((cells @ indicator / cells.sum())[None], dtype=np.float64)
    mass = (membership * (cells + 1e-9)) @ indicator
    out: Floats = mass / np.maximum(mass.sum(axis=1, keepdims=True), 1e-300)
    return out


def _count_sheet(
    arrays: ParcelArrays, row: int, breakdowns: Sequence[Breakdown], scheme: Scheme, structure: Structure
) -> None:
    """Fill a parcel's tables from its breakdowns; a finer breakdown by size is preferred to one without size."""
    size, names = scheme.size.name, [attribute.name for attribute in scheme.categorical]
    into_class, overall = (_into_class(arrays.cells[row], of, structure) for of in (arrays.membership, None))
    for breakdown in sorted(breakdowns, key=lambda item: size in item.attributes):
        columns = {name: breakdown.codes[:, position] for position, name in enumerate(breakdown.attributes)}
        spread = into_class[columns[size]] if size in columns else overall
        stones = breakdown.n_stones.astype(float)
        for a, name in enumerate(names):
            if name in columns:
                arrays.recorded[row, 1 + a] = True
                arrays.tables[a][row] = 0.0
                weights = np.broadcast_to(spread, (stones.size, spread.shape[1])) * stones[:, None]
                np.add.at(arrays.tables[a][row].T, columns[name], weights)
        for position, (a, b) in enumerate(structure.pairs):
            if names[a] in columns and names[b] in columns:
                arrays.pairs[position][row] = 0.0
                np.add.at(arrays.pairs[position][row], (columns[names[a]], columns[names[b]]), stones)
