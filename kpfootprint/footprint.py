"""From parcels to arrays: stones counted by size cell, size class and class of each attribute.

Whole parcels are counted together. One that leaves something open is counted alone: stones known by sets of classes,
rows without a size, weights without numbers, a sample that was graded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kpfootprint.parcel import FACTORS, Batch, Breakdown, Parcel, Stones
from kpfootprint.scheme import CT_PER_MM3, Attribute, Scheme, SieveSet
from kpfootprint.stats.arrays import Bools, Floats, Ints, ParcelArrays, Partial
from kpfootprint.stats.coarsening import distinguished
from kpfootprint.stats.model import FootprintModel
from kpfootprint.stats.structure import Structure, cell_probabilities, class_weights

SPECIALS_CT = 10.8
"""Stones above this weight are exported apart where specials are removed."""
N_ROUNDS = 12
"""Rounds in which numbers follow from weights and sizes from numbers."""
CLASS_DRIFT = 0.015
"""Standard deviation of the log mean weight of a bounded size class among parcels, beyond that of its stones."""
OPEN_DRIFT = 0.08
"""The same of a class without an upper limit."""


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
            arrays = _open_arrays(parcel, scheme, structure, level_names)
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
    """Say whether a parcel leaves something open: sets, rows without a size, weights without numbers, samples."""
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
            code = breakdown.codes_of(size)
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


@dataclass(frozen=True, slots=True)
class _Codes:
    """What the codes of an attribute mean on one sheet.

    A set of one class is that class, and a set of all is not recorded. Sets that share classes are read as one: a stone
    that is called by one of them is, by that sorter's custom, not called by another, and the custom is not known.
    `lookup` (n_codes + 1,) leads to classes, -1, or the number of classes plus the position in `members` (S, C). Its
    last entry is that of `NOT_RECORDED`.
    """

    lookup: Ints
    members: Bools

    @classmethod
    def of(cls, attribute: Attribute, used: Sequence[int]) -> _Codes:
        every = attribute.members_of_codes()
        n = len(attribute.classes)
        lookup = np.full(len(every) + 1, -1, dtype=np.intp)
        lookup[:n] = np.arange(n)
        kept: list[Bools] = []
        for group in attribute.sharing([code for code in used if 1 < every[code].sum() < n]):
            members: Bools = np.asarray(every[group].any(axis=0))
            if not members.all():
                lookup[group] = n + len(kept)
                kept.append(members)
        for code in used:
            if every[code].sum() == 1:
                lookup[code] = int(every[code].argmax())
        return cls(lookup, np.array(kept, dtype=bool).reshape(len(kept), n))


def _count_open(
    arrays: ParcelArrays, attributes: Sequence[int], read: Sequence[Ints], by_size: Floats, structure: Structure
) -> None:
    """Count stones by size (n_rows, n_size) under the codes of `attributes`, in place of earlier counts of them."""
    assert arrays.partial is not None
    of = dict(zip(attributes, read, strict=True))
    for a, code in of.items():
        n_classes = structure.n_classes[a]
        if not bool((code >= 0).any()):
            continue
        arrays.recorded[0, 1 + a] = True
        table, sets = arrays.tables[a][0], arrays.partial.sets[a][0]
        table[:], sets[:] = 0.0, 0.0
        exact, coarse = (code >= 0) & (code < n_classes), code >= n_classes
        np.add.at(table.T, code[exact], by_size[exact])
        np.add.at(sets.T, code[coarse] - n_classes, by_size[coarse])
    for pair, (a, b) in zip(arrays.pairs, structure.pairs, strict=True):
        if a in of and b in of:
            n_a, n_b = structure.n_classes[a], structure.n_classes[b]
            both = (of[a] >= 0) & (of[a] < n_a) & (of[b] >= 0) & (of[b] < n_b)
            pair[:] = 0.0
            # the stones whose classes are known are no sample of all where others are known by sets
            if not bool((of[a] >= n_a).any()) and not bool((of[b] >= n_b).any()):
                np.add.at(pair[0], (of[a][both], of[b][both]), by_size[both].sum(axis=1))


@dataclass(frozen=True, slots=True)
class _Sizes:
    """Sizes of one sheet: stones by class with what is open of them, the fit, and stones by cell."""

    coarse: Floats
    membership: Floats
    spread: Floats
    slope: Floats
    sized: Floats
    cells: Floats
    recorded: bool
    mean_ct: float = np.nan
    n_sd: float = 0.0

    @classmethod
    def of_cells(
        cls, cells: Floats, sized: Floats, *, recorded: bool, mean_ct: float = np.nan, n_sd: float = 0.0
    ) -> _Sizes:
        """Return sizes without classes."""
        none = np.zeros(0)
        return cls(none, np.zeros((0, cells.size)), none, np.zeros((0, 2)), sized, cells, recorded, mean_ct, n_sd)


def _open_arrays(
    parcel: Parcel, scheme: Scheme, structure: Structure, level_names: Sequence[Sequence[str]]
) -> ParcelArrays:
    """Return one parcel that leaves something open as arrays."""
    edge, top = _edge_and_top([parcel])
    codes = [_Codes.of(item, parcel.set_codes(item)) for item in scheme.categorical]
    if parcel.stones is not None:
        cell = structure.grid.cell_of(parcel.stones.weight_ct)
        cells = np.bincount(cell, minlength=structure.grid.n_cells).astype(float)
        sizes = _Sizes.of_cells(cells, cells, recorded=True)
    else:
        sizes = _sizes_of_sheet(parcel, scheme, structure, edge, top)
    partial = _without_classes(sizes, codes, structure)
    sized_classes = bool(sizes.coarse.any()) and sizes.recorded and not np.isfinite(sizes.mean_ct)
    arrays = ParcelArrays(
        cells=sizes.cells[None],
        tables=partial.exact,
        pairs=tuple(np.zeros((1, structure.n_classes[a], structure.n_classes[b])) for a, b in structure.pairs),
        edge=edge,
        top=top,
        levels=levels_of([parcel], level_names),
        recorded=np.array([[sizes.recorded, *(False for _ in codes)]]),
        coarse=sizes.coarse[None] if sized_classes else None,
        membership=sizes.membership if sized_classes else None,
        partial=partial,
    )
    if parcel.stones is not None:
        of_stone = np.eye(structure.n_size_classes)[structure.class_of_cell[cell]]
        known = [a for a, item in enumerate(scheme.categorical) if item.name in parcel.stones.codes]
        read = [codes[a].lookup[parcel.stones.codes[scheme.categorical[a].name]] for a in known]
        _count_open(arrays, known, read, of_stone, structure)
    else:
        _count_open_sheet(parcel, scheme, structure, sizes, codes, arrays)
    for a, sets in enumerate(partial.sets):
        if sets.any():
            partial.dims[0, 1 + a] = distinguished(partial.exact[a], sets, partial.members[a])[0]
    return arrays


def _without_classes(sizes: _Sizes, codes: Sequence[_Codes], structure: Structure) -> Partial:
    """Return what a parcel of these sizes leaves open, before its classes are counted."""
    dims = np.array([[block.stop - block.start for block in structure.blocks]], dtype=float)
    if np.isfinite(sizes.mean_ct):
        dims[0, 0] = 1.0
    return Partial(
        exact=tuple(np.zeros((1, structure.n_size_classes, c)) for c in structure.n_classes),
        sets=tuple(np.zeros((1, structure.n_size_classes, len(item.members))) for item in codes),
        members=tuple(item.members for item in codes),
        sized=sizes.sized[None],
        spread=sizes.spread[None],
        slope=sizes.slope[None],
        mean_ct=np.array([sizes.mean_ct]),
        n_sd=np.array([sizes.n_sd]),
        dims=dims,
    )


def _sizes_of_sheet(parcel: Parcel, scheme: Scheme, structure: Structure, edge: Floats, top: Floats) -> _Sizes:
    grid = structure.grid
    kept = structure.kept(edge, top)
    sheet = _sized_breakdown(parcel, scheme.size.name)
    if sheet is None or parcel.sieve_set is None:
        return _sizes_unseen(parcel, structure, kept)
    size = sheet.codes_of(scheme.size.name)
    sets, n_sizes = parcel.sieve_set, len(parcel.sieve_set.classes)
    membership = grid.membership(np.array(sets.lower_ct), np.array(sets.upper_ct))
    counted, weighed = np.zeros(n_sizes), np.zeros(n_sizes)
    known = size >= 0
    held = sheet.n_stones >= 0
    np.add.at(counted, size[known & held], sheet.n_stones[known & held])
    open_stones = float(sheet.n_stones[~known & held].sum())
    open_carats = 0.0
    if sheet.carats is not None:
        np.add.at(weighed, size[known & ~held], sheet.carats[known & ~held])
        open_carats = float(sheet.carats[~known & ~held].sum())
    uncounted, fit = np.zeros(n_sizes), None
    for _ in range(N_ROUNDS if weighed.any() or open_carats else 1):
        fit = structure.sizes_of((counted + uncounted)[None], kept, membership=membership)
        weights = class_weights(grid, fit.theta, kept, membership)
        overall = class_weights(grid, fit.theta, kept, np.ones((1, grid.n_cells)))
        uncounted = weighed / weights.mean[0]
        whole = uncounted.sum() + open_carats / overall.mean[0, 0]
        if parcel.n_stones and whole > 0:
            # the number of all stones is known from elsewhere
            rest = max(parcel.n_stones - counted.sum() - open_stones, 1.0)
            uncounted, whole = uncounted * rest / whole, rest
    assert fit is not None
    drift = np.where(np.isinf(sets.upper_ct), OPEN_DRIFT, CLASS_DRIFT)
    spread = uncounted * weights.cv2[0] + np.square(uncounted * drift)
    slope = weights.slope[0]
    if parcel.n_stones and uncounted.any():
        slope = slope - (uncounted @ slope) / uncounted.sum()
    coarse = counted + uncounted
    within = fit.cells[0] * membership + 1e-12 * membership
    sized = coarse @ (within / np.maximum(within.sum(axis=1, keepdims=True), 1e-300))
    unsized = open_stones + (whole - uncounted.sum() if open_carats else 0.0)
    n_sd = 0.0 if parcel.n_stones else float(np.sqrt(spread.sum()))
    return _Sizes(
        coarse=coarse,
        membership=membership,
        spread=spread,
        slope=uncounted[:, None] * slope,
        sized=sized,
        cells=sized + unsized * fit.cells[0],
        recorded=bool(coarse.any()),
        n_sd=n_sd,
    )


def _sized_breakdown(parcel: Parcel, size: str) -> Breakdown | None:
    """Return the breakdown that sizes are taken from: one that counts all its stones, if there is one."""
    sized = [item for item in parcel.breakdowns if size in item.attributes and not item.sample]
    return next((item for item in sized if item.counted is not None), sized[0] if sized else None)


def _sizes_unseen(parcel: Parcel, structure: Structure, kept: Floats) -> _Sizes:
    """Return sizes of which a mean is known at best."""
    grid = structure.grid
    typical = structure.sizes_of(np.zeros((1, 1)), kept, membership=np.ones((1, grid.n_cells)))
    mean = float(class_weights(grid, typical.theta, kept, np.ones((1, grid.n_cells))).mean[0, 0])
    n_sd = 0.0
    if parcel.n_stones:
        n_stones = float(parcel.n_stones)
    else:
        counted = max((int(np.maximum(item.n_stones, 0).sum()) for item in parcel.breakdowns), default=0)
        n_stones = max(float(parcel.carats or 0.0) / mean, counted, 1.0)
        n_sd = 0.5 * n_stones
    # number and weight alone are too little to compare: nothing is made of them
    classes = any(bool((item.codes >= 0).any()) for item in parcel.breakdowns)
    known = classes and bool(parcel.n_stones) and bool(parcel.carats)
    mean_ct = float(parcel.carats or np.nan) / n_stones if known else np.nan
    cells = n_stones * typical.cells[0]
    return _Sizes.of_cells(cells, np.zeros(grid.n_cells), recorded=known, mean_ct=mean_ct, n_sd=n_sd)


def _count_open_sheet(
    parcel: Parcel, scheme: Scheme, structure: Structure, sizes: _Sizes, codes: Sequence[_Codes], arrays: ParcelArrays
) -> None:
    """Fill the tables from the breakdowns; a finer breakdown by size is preferred to one without size."""
    size, indicator = scheme.size.name, structure.membership_of_classes()
    weight = np.exp(structure.grid.centres)
    cells = sizes.cells + 1e-9
    # how stones, and how carats, of a size class lie in the size classes of the structure; the last row is any size
    member = np.concatenate([sizes.membership, np.ones((1, cells.size))])
    stones = member * cells
    carats = stones * weight
    mean = carats.sum(axis=1) / np.maximum(stones.sum(axis=1), 1e-300)
    cv2 = (stones * weight**2).sum(axis=1) / np.maximum(stones.sum(axis=1), 1e-300) / np.maximum(mean**2, 1e-300) - 1.0
    by_stone, by_carat = (
        (mass @ indicator) / np.maximum(mass.sum(axis=1, keepdims=True), 1e-300) for mass in (stones, carats)
    )
    for item in sorted(parcel.breakdowns, key=lambda item: size in item.attributes):
        n_rows = len(item.n_stones)
        at = item.codes_of(size) if size in item.attributes else np.full(n_rows, -1)
        counted = item.n_stones >= 0
        weighed = np.zeros(n_rows) if item.carats is None else np.nan_to_num(item.carats)
        # stones that were weighed and not counted tell of classes as fewer stones do
        told = weighed / np.maximum(mean[at], 1e-300) / (1.0 + np.maximum(cv2[at], 0.0))
        by_size = np.where(counted[:, None], item.n_stones[:, None] * by_stone[at], told[:, None] * by_carat[at])
        known = [a for a, attribute in enumerate(scheme.categorical) if attribute.name in item.attributes]
        read = [codes[a].lookup[item.codes_of(scheme.categorical[a].name)] for a in known]
        _count_open(arrays, known, read, by_size, structure)
