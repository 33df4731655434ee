"""Parcels that leave something open: sets of classes, rows without a size, weights without numbers, graded samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kpfootprint.parcel import Breakdown, Parcel
from kpfootprint.scheme import Attribute, Scheme
from kpfootprint.stats.arrays import Bools, Floats, Ints, ParcelArrays, Partial
from kpfootprint.stats.coarsening import distinguished
from kpfootprint.stats.structure import Structure, class_weights

N_ROUNDS = 12
"""Rounds in which numbers follow from weights and sizes from numbers."""
CLASS_DRIFT = 0.015
"""Standard deviation of the log mean weight of a bounded size class among parcels, beyond that of its stones."""
OPEN_DRIFT = 0.08
"""The same of a class without an upper limit."""


def set_codes(parcel: Parcel, attribute: Attribute) -> list[int]:
    """Return the codes of the sets of classes that stones of a parcel are known by, in the scheme's order."""
    if parcel.stones is not None:
        codes = [parcel.stones.codes[attribute.name]] if attribute.name in parcel.stones.codes else []
    else:
        held = [item for item in parcel.breakdowns if attribute.name in item.attributes]
        codes = [item.codes[:, item.attributes.index(attribute.name)] for item in held]
    used = np.unique(np.concatenate([np.empty(0, dtype=np.intp), *codes]))
    return [int(code) for code in used if code >= len(attribute.classes)]


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


def _count(
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


def partial_arrays(
    parcel: Parcel, scheme: Scheme, structure: Structure, edge: Floats, top: Floats, levels: Ints
) -> ParcelArrays:
    """Return one parcel that leaves something open as arrays.

    Parameters
    ----------
    edge, top : ndarray of shape (1,)
        Log sizes of the declared lower edge (NaN: unknown) and upper limit (infinite: none).
    levels : ndarray of shape (1, n_factors)
        Levels of the conditions.
    """
    codes = [_Codes.of(item, set_codes(parcel, item)) for item in scheme.categorical]
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
        levels=levels,
        recorded=np.array([[sizes.recorded, *(False for _ in codes)]]),
        coarse=sizes.coarse[None] if sized_classes else None,
        membership=sizes.membership if sized_classes else None,
        partial=partial,
    )
    if parcel.stones is not None:
        of_stone = np.eye(structure.n_size_classes)[structure.class_of_cell[cell]]
        known = [a for a, item in enumerate(scheme.categorical) if item.name in parcel.stones.codes]
        read = [codes[a].lookup[parcel.stones.codes[scheme.categorical[a].name]] for a in known]
        _count(arrays, known, read, of_stone, structure)
    else:
        _count_sheet(parcel, scheme, structure, sizes, codes, arrays)
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
    size = sheet.codes[:, sheet.attributes.index(scheme.size.name)]
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


def _count_sheet(
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
        at = item.codes[:, item.attributes.index(size)] if size in item.attributes else np.full(n_rows, -1)
        counted = item.n_stones >= 0
        weighed = np.zeros(n_rows) if item.carats is None else np.nan_to_num(item.carats)
        # stones that were weighed and not counted tell of classes as fewer stones do
        told = weighed / np.maximum(mean[at], 1e-300) / (1.0 + np.maximum(cv2[at], 0.0))
        by_size = np.where(counted[:, None], item.n_stones[:, None] * by_stone[at], told[:, None] * by_carat[at])
        known = [a for a, attribute in enumerate(scheme.categorical) if attribute.name in item.attributes]
        read = [codes[a].lookup[item.codes[:, item.attributes.index(scheme.categorical[a].name)]] for a in known]
        _count(arrays, known, read, by_size, structure)
