"""From parcels to arrays: stones counted by size cell, size class and class of each attribute.

Whole parcels are counted together. One that leaves something open is counted alone: stones known by sets of classes,
rows without a size, weights without numbers, a sample that was graded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kpfootprint.parcel import FACTORS, MOST_BELOW_SCREEN, Batch, Breakdown, Parcel, Stones
from kpfootprint.scheme import CT_PER_MM3, Attribute, Scheme, SieveSet
from kpfootprint.stats.arrays import Bools, Floats, Ints, ParcelArrays, Partial
from kpfootprint.stats.categories import distinguished
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
    groups: dict[SieveSet | str | int, list[int]] = {}
    for row, parcel in enumerate(batch):
        key = "stones" if parcel.stones is not None else parcel.sieve_set or "unsized"
        groups.setdefault(row if _leaves_open(parcel, scheme) else key, []).append(row)
    return tuple(
        Footprints(
            rows=np.array(rows, dtype=np.intp),
            arrays=_arrays([batch.parcels[row] for row in rows], isinstance(key, int), scheme, structure, level_names),
        )
        for key, rows in groups.items()
    )


def _leaves_open(parcel: Parcel, scheme: Scheme) -> bool:
    """Say whether a parcel leaves something open: sets, rows without a size, weights without numbers, samples."""
    if any(parcel.set_codes(item) for item in scheme.categorical):
        return True
    if parcel.stones is not None:
        return False
    if parcel.sieve_set is None and (parcel.n_stones == 0 or parcel.carats is not None):
        return True
    if parcel.sieve_set is not None and not parcel.sieve_set.gapless:
        return True
    return any(item.sample or bool((item.n_stones < 0).any() or (item.codes < 0).any()) for item in parcel.breakdowns)


def _edge_and_top(parcels: Sequence[Parcel], size: str) -> tuple[Floats, Floats]:
    """Return the log sizes (n,) of the declared lower edge, NaN where not known or contradicted, and of the upper."""
    screens = [
        None if parcel.below_screen(size)[1] > MOST_BELOW_SCREEN else parcel.conditions.bottom_screen_mm
        for parcel in parcels
    ]
    edge = np.log(np.array([np.nan if mm is None else CT_PER_MM3 * mm**3 for mm in screens]))
    top = np.array([np.log(SPECIALS_CT) if parcel.conditions.specials_removed else np.inf for parcel in parcels])
    return edge, top


def mean_stones(model: FootprintModel, edge: Floats, top: Floats) -> Floats:
    """Return the mean stone (n, Z), in carats, of each zone as it would be seen through each parcel's screen."""
    grid, kept, theta = model.structure.grid, model.structure.kept(edge, top), model.predictor.sources[:, :2]
    n, z = len(edge), len(theta)
    cells = cell_probabilities(grid, np.tile(theta, (n, 1)), np.repeat(kept, z, axis=0))
    return (cells @ np.exp(grid.centres)).reshape(n, z)


def _arrays(
    parcels: list[Parcel],
    is_open: bool,
    scheme: Scheme,
    structure: Structure,
    level_names: Sequence[Sequence[str]],
) -> ParcelArrays:
    """Return parcels of one sieve set, or the one that leaves something open, as arrays."""
    n, n_classes = len(parcels), structure.n_classes
    edge, top = _edge_and_top(parcels, scheme.size.name)
    if parcels[0].stones is not None:
        sizes = _Sizes(np.zeros((n, structure.grid.n_cells)), recorded=True)
    else:
        sizes = _sizes_of_sheets(parcels, scheme, structure, structure.kept(edge, top))
    codes = [_Codes.of(item, parcels[0].set_codes(item)) for item in scheme.categorical] if is_open else None
    partial = None if codes is None else _without_classes(sizes, codes, structure)
    blank = tuple(np.zeros((n, structure.n_size_classes, c)) for c in n_classes)
    arrays = ParcelArrays(
        cells=sizes.cells,
        tables=blank if partial is None else partial.exact,
        pairs=tuple(np.zeros((n, n_classes[a], n_classes[b])) for a, b in structure.pairs),
        edge=edge,
        top=top,
        levels=levels_of(parcels, level_names),
        recorded=np.zeros((n, 1 + len(n_classes)), dtype=bool),
        coarse=sizes.coarse,
        membership=None if sizes.coarse is None else sizes.membership,
        partial=partial,
    )
    arrays.recorded[:, 0] = sizes.recorded
    counting = _Counting(arrays, codes, scheme, structure)
    for row, parcel in enumerate(parcels):
        if parcel.stones is not None:
            counting.stones(row, parcel.stones)
        else:
            counting.sheet(row, parcel.breakdowns, sizes.membership)
    if partial is not None:
        for a, sets in enumerate(partial.sets):
            if sets.any():
                partial.dims[0, 1 + a] = distinguished(partial.exact[a], sets, partial.members[a])[0]
    return arrays


@dataclass(frozen=True, slots=True)
class _Counting:
    """Arrays whose rows are filled with the stones of parcels; `codes` of each attribute where some mean sets."""

    arrays: ParcelArrays
    codes: Sequence[_Codes] | None
    scheme: Scheme
    structure: Structure

    def stones(self, row: int, stones: Stones) -> None:
        """Fill a row from a parcel's stones."""
        cell = self.structure.grid.cell_of(stones.weight_ct)
        self.arrays.cells[row] = np.bincount(cell, minlength=self.structure.grid.n_cells)
        if self.arrays.partial is not None:
            self.arrays.partial.sized[row] = self.arrays.cells[row]
        self._count(row, stones.codes, self.structure.class_of_cell[cell], None)

    def sheet(self, row: int, breakdowns: Sequence[Breakdown], membership: Floats) -> None:
        """Fill a row's tables from breakdowns; a finer breakdown by size is preferred to one without size."""
        size, indicator, stones = self.scheme.size.name, self.structure.membership_of_classes(), self.arrays.cells[row]
        # how stones of a size class lie in the size classes of the structure; the last row is any size
        mass = np.concatenate([membership, np.ones((1, stones.size))]) * (stones + 1e-9)
        if self.arrays.partial is None:
            mass[-1] = stones
        by_stone = _shares(mass @ indicator, mass)
        for item in sorted(breakdowns, key=lambda item: size in item.attributes):
            columns = {name: item.codes_of(name) for name in item.attributes}
            at = columns.get(size, np.full(len(item.n_stones), -1))
            n_stones, in_sizes, weighed = item.n_stones.astype(float), by_stone[at], item.n_stones < 0
            if item.carats is not None and weighed.any():
                told, by_carat = _told_by_weight(item.carats, at, mass, self.structure)
                n_stones = np.where(weighed, told, n_stones)
                in_sizes = np.where(weighed[:, None], by_carat, in_sizes)
            self._count(row, columns, n_stones[:, None] * in_sizes, n_stones)

    def _count(
        self, row: int, columns: Mapping[str, NDArray[np.int16]], in_sizes: NDArray[Any], n_stones: Floats | None
    ) -> None:
        """Count the stones (m,) of lines, one each without them, under their codes, in place of what was counted.

        `in_sizes` is the one size class (m,) of each line, or how its stones lie in all of them (m, n_size_classes).
        """
        n_classes, partial = self.structure.n_classes, self.arrays.partial
        read = self._read(columns)
        for a, code in read.items():
            if not (code >= 0).any():
                continue
            self.arrays.recorded[row, 1 + a] = True
            _put(self.arrays.tables[a][row], code, in_sizes, (code >= 0) & (code < n_classes[a]))
            if partial is not None:
                _put(partial.sets[a][row], code - n_classes[a], in_sizes, code >= n_classes[a])
        for pair, (a, b) in zip(self.arrays.pairs, self.structure.pairs, strict=True):
            if a in read and b in read:
                # the stones whose classes are known are no sample of all where others are known by sets
                whole = bool((read[a] < n_classes[a]).all() and (read[b] < n_classes[b]).all())
                both = (read[a] >= 0) & (read[b] >= 0) & whole
                stones = None if n_stones is None else n_stones[both]
                pair[row] = _tally(pair[row].shape, read[a][both], read[b][both], stones)

    def _read(self, columns: Mapping[str, NDArray[np.int16]]) -> dict[int, NDArray[np.integer]]:
        """Return codes by the number of their attribute, as they are read where some mean sets of classes."""
        known = {a: columns[item.name] for a, item in enumerate(self.scheme.categorical) if item.name in columns}
        return {a: code if self.codes is None else self.codes[a].lookup[code] for a, code in known.items()}


def _told_by_weight(
    carats: Floats, at: NDArray[np.integer], stones: Floats, structure: Structure
) -> tuple[Floats, Floats]:
    """Return as how many stones (m,) rows count that were weighed, and how these lie in the size classes (m, B).

    They tell of classes as fewer stones do. `stones` (K, n_cells) are those of each size class `at` which rows stand.
    """
    weight = np.exp(structure.grid.centres)
    mass = stones * weight
    whole = np.maximum(stones.sum(axis=1), 1e-300)
    mean = mass.sum(axis=1) / whole
    cv2 = (stones * weight**2).sum(axis=1) / whole / np.maximum(mean**2, 1e-300) - 1.0
    told = np.nan_to_num(carats) / np.maximum(mean[at], 1e-300) / (1.0 + np.maximum(cv2[at], 0.0))
    return told, _shares(mass @ structure.membership_of_classes(), mass)[at]


def _shares(values: Floats, whole: Floats | None = None) -> Floats:
    """Return rows (..., K) as parts of their own sum, or of that of other rows; rows of nothing stay so."""
    out: Floats = values / np.maximum((values if whole is None else whole).sum(axis=-1, keepdims=True), 1e-300)
    return out


def _put(table: Floats, code: NDArray[np.integer], in_sizes: NDArray[Any], chosen: Bools) -> None:
    """Fill a table (n_size_classes, C) with the chosen rows, see `_count`."""
    if in_sizes.ndim == 1:
        table[:] = _tally(table.shape, in_sizes[chosen], code[chosen], None)
    else:
        table[:] = 0.0
        np.add.at(table.T, code[chosen], in_sizes[chosen])


def _tally(
    shape: tuple[int, ...], first: NDArray[np.integer], second: NDArray[np.integer], weights: Floats | None
) -> NDArray[Any]:
    flat = first.astype(np.intp) * shape[1] + second
    return np.bincount(flat, weights=weights, minlength=shape[0] * shape[1]).reshape(shape)


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


@dataclass(frozen=True, slots=True)
class _Sizes:
    """Sizes of n parcels: stones by cell, whether they count, and stones by class where they lie in some.

    `membership` (K, n_cells) are the classes that sheets name. What is open of one parcel: its stones of known size by
    cell, of each class the variance of its stones beyond counting and how they follow from (mu, ln sigma), the mean
    weight where nothing else is known, and the standard deviation of the number of stones.
    """

    cells: Floats
    recorded: bool
    membership: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    coarse: Floats | None = None
    sized: Floats | None = None
    spread: Floats = field(default_factory=lambda: np.zeros((1, 0)))
    slope: Floats = field(default_factory=lambda: np.zeros((1, 0, 2)))
    mean_ct: float = np.nan
    n_sd: float = 0.0


def _without_classes(sizes: _Sizes, codes: Sequence[_Codes], structure: Structure) -> Partial:
    """Return what a parcel of these sizes leaves open, before its classes are counted."""
    dims = np.array([[block.stop - block.start for block in structure.blocks]], dtype=float)
    if np.isfinite(sizes.mean_ct):
        dims[0, 0] = 1.0
    return Partial(
        exact=tuple(np.zeros((1, structure.n_size_classes, c)) for c in structure.n_classes),
        sets=tuple(np.zeros((1, structure.n_size_classes, len(item.members))) for item in codes),
        members=tuple(item.members for item in codes),
        sized=np.zeros_like(sizes.cells) if sizes.sized is None else sizes.sized,
        spread=sizes.spread,
        slope=sizes.slope,
        mean_ct=np.array([sizes.mean_ct]),
        n_sd=np.array([sizes.n_sd]),
        dims=dims,
    )


def _membership(sets: SieveSet | None, structure: Structure) -> Floats:
    if sets is None:
        return np.zeros((0, structure.grid.n_cells))
    return structure.grid.membership(np.array(sets.lower_ct), np.array(sets.upper_ct))


def _sizes_of_sheets(parcels: Sequence[Parcel], scheme: Scheme, structure: Structure, kept: Floats) -> _Sizes:
    """Return the sizes of sheets in the same sieve set, or of any size; one that leaves something open comes alone."""
    grid, size, sets = structure.grid, scheme.size.name, parcels[0].sieve_set
    sheets = [sheet for parcel in parcels if (sheet := parcel.sized(size)) is not None]
    if sets is None or not sheets:
        return _sizes_unseen(parcels, structure, kept)
    membership, n_known = _membership(sets, structure), parcels[0].n_stones
    counted, weighed = np.zeros((2, len(sheets), len(sets.classes)))
    for row, sheet in enumerate(sheets):
        code, held = sheet.codes_of(size), sheet.n_stones >= 0
        known, open_carats = code >= 0, 0.0
        np.add.at(counted[row], code[known & held], sheet.n_stones[known & held])
        open_stones = float(sheet.n_stones[~known & held].sum())
        if sheet.carats is not None:
            np.add.at(weighed[row], code[known & ~held], sheet.carats[known & ~held])
            open_carats = float(sheet.carats[~known & ~held].sum())
    uncounted = np.zeros(counted.shape)
    for _ in range(N_ROUNDS if weighed.any() or open_carats else 1):
        fit = structure.sizes_of(counted + uncounted, kept, membership=membership)
        # the last class is of any size
        weights = class_weights(grid, fit.theta, kept, np.vstack([membership, np.ones(grid.n_cells)]))
        uncounted = weighed / weights.mean[:, :-1]
        whole = uncounted.sum() + open_carats / weights.mean[0, -1]
        if n_known and whole > 0:
            # the number of all stones is known from elsewhere
            rest = max(n_known - counted.sum() - open_stones, 1.0)
            uncounted, whole = uncounted * rest / whole, rest
    drift = np.where(np.isinf(sets.upper_ct), OPEN_DRIFT, CLASS_DRIFT)
    spread = uncounted * weights.cv2[:, :-1] + np.square(uncounted * drift)
    slope = weights.slope[:, :-1]
    if n_known and uncounted.any():
        slope = slope - (uncounted[0] @ slope[0]) / uncounted.sum()
    coarse = counted + uncounted
    within = fit.cells[:, None, :] * membership + 1e-12 * membership
    sized = np.einsum("pk,pkg->pg", coarse, _shares(within))
    unsized = open_stones + (whole - uncounted.sum() if open_carats else 0.0)
    return _Sizes(
        sized + unsized * fit.cells,
        recorded=bool(coarse.any()),
        membership=membership,
        coarse=coarse if coarse.any() else None,
        sized=sized,
        spread=spread,
        slope=uncounted[:, :, None] * slope,
        n_sd=0.0 if n_known else float(np.sqrt(spread.sum())),
    )


def _sizes_unseen(parcels: Sequence[Parcel], structure: Structure, kept: Floats) -> _Sizes:
    """Return sizes of which a mean is known at best."""
    one = parcels[0]
    usual = cell_probabilities(structure.grid, np.tile(structure.size_prior_mean, (len(kept), 1)), kept)
    n_stones, n_sd = np.array([[float(parcel.n_stones)] for parcel in parcels]), 0.0
    if not one.n_stones:
        every, theta = np.ones((1, structure.grid.n_cells)), structure.size_prior_mean[None]
        mean = float(class_weights(structure.grid, theta, kept, every).mean[0, 0])
        counted = max((int(np.maximum(item.n_stones, 0).sum()) for item in one.breakdowns), default=0)
        n_stones[0] = max(float(one.carats or 0.0) / mean, counted, 1.0)
        n_sd = 0.5 * float(n_stones[0, 0])
    # number and weight alone are too little to compare: nothing is made of them
    classes = any(bool((item.codes >= 0).any()) for item in one.breakdowns)
    known = classes and bool(one.n_stones) and bool(one.carats)
    return _Sizes(
        n_stones * usual,
        recorded=known,
        membership=_membership(one.sieve_set, structure),
        mean_ct=float(one.carats or np.nan) / float(n_stones[0, 0]) if known else np.nan,
        n_sd=n_sd,
    )
