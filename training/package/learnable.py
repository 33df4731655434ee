"""What the stones of a package must tell and may not repeat."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import numpy as np

from kpfootprint.errors import Problem
from kpfootprint.ingest.parcels.codes import class_codes
from kpfootprint.ingest.raw.cells import is_blank, text_of
from kpfootprint.ingest.raw.tables import KnownTable
from kpfootprint.parcel import Batch, Parcel
from kpfootprint.retold import Said
from kpfootprint.scheme import Attribute, Scheme, SizeAttribute
from kpfootprint.stats.arrays import Ints
from training.package.descriptor import told
from training.package.once import and_more

ONE_CLASS, ENOUGH = 0.99, 100
"""Share of the stones in one size class from which on sizes tell nothing, where there are enough stones to say so."""


def known_by_sets(stones: KnownTable, scheme: Scheme) -> Iterator[Problem]:
    """Give each word for several classes that stones are known by, once, with its first row and its number of rows.

    A parcel that is examined may leave open which of the classes a stone is; what a zone looks like cannot be learnt
    from such stones, and leaving them out would make some classes look rarer than they are.
    """
    for attribute in scheme.categorical:
        if not attribute.sets or attribute.column not in stones.columns:
            continue
        column = stones.columns[attribute.column]
        by_cell, _ = class_codes(column.cells, attribute)
        for at in np.flatnonzero(by_cell >= len(attribute.classes)).tolist():
            rows = np.flatnonzero(column.codes == at)
            members = attribute.sets[int(by_cell[at]) - len(attribute.classes)].members
            first = told(
                "set_of_classes",
                "it stands for several classes ({members}); a reference stone needs one of them",
                members=", ".join(members),
                table="stones",
                row=stones.line(int(rows[0])),
                column=column.header,
                value=text_of(column.cells[at]),
            )
            yield first if rows.size < 2 else and_more(first, int(rows.size) - 1)


def misplaced(stones: KnownTable, scheme: Scheme) -> Iterator[Problem]:
    """Give the columns that hold classes of another attribute: their headers stand above the wrong cells.

    A column is told once, where most of its stones have such a class and no cell is unknown to the other attribute;
    none is where rows have too many cells or too few.
    """
    everything: tuple[Attribute | SizeAttribute, ...] = (scheme.size, *scheme.categorical)
    for item in () if stones.ragged else everything:
        if (column := stones.columns.get(item.column)) is None:
            continue
        blank = np.array([is_blank(cell) for cell in column.cells], dtype=bool)
        if isinstance(item, Attribute):
            broken = class_codes(column.cells, item)[1].items()
            strange = [code for code, found in broken if found.code == "unknown_class"]
        else:
            words = [not _DIGIT.search(text_of(cell)) for cell in column.cells]
            strange = np.flatnonzero(~blank & words).tolist()
        rows = column.rows_with(strange)
        if 2 * int(rows.sum()) <= int((~blank[column.codes]).sum()):
            continue
        cells = [column.cells[code] for code in strange]
        for other in scheme.categorical:
            if other is not item and (class_codes(cells, other)[0] >= 0).all():
                reason = "its cells are classes of {other} ({words}); write each name above its own column"
                yield told(
                    "other_attribute",
                    reason,
                    other=other.name,
                    words=", ".join(map(text_of, cells[:3])),
                    table="stones",
                    row=stones.line(int(rows.argmax())),
                    column=column.header,
                )
                break


_DIGIT = re.compile(r"\d")
_HUNDREDTHS = re.compile(r"\d*[.,]\d\d")


def without_point(stones: KnownTable, scheme: Scheme) -> Iterator[Problem]:
    """Give the weights without decimals where all others have two, zeros too: ``42`` among ``0.30`` lost its point."""
    column = stones.columns.get(scheme.size.column)
    texts = [cell.strip() if isinstance(cell, str) else "" for cell in (() if column is None else column.cells)]
    fine = [text for text in texts if _HUNDREDTHS.fullmatch(text)]
    bare = [code for code, text in enumerate(texts) if text.isascii() and text.isdigit()]
    if column is None or not bare or len(fine) + len(bare) < len(texts) or not any(text[-1] == "0" for text in fine):
        return
    reason = "it has no decimals and all other weights have two, so that its point could be missing; write it with two"
    for row in np.flatnonzero(column.rows_with(bare)).tolist():
        yield told(
            "decimals_missing",
            reason,
            table="stones",
            row=stones.line(row),
            column=column.header,
            value=texts[int(column.codes[row])],
        )


def undivided(batch: Batch, scheme: Scheme) -> list[Problem]:
    """Say where nearly all stones lie in one size class, so that sizes tell nothing: mostly another unit.

    Stones that all weigh the very same were not weighed, which a remark tells.
    """
    own = scheme.size.sieve_set
    weights = np.concatenate([parcel.stone_list.weight_ct for parcel in batch])
    position = np.searchsorted(own.lower_ct, weights, side="right").clip(1) - 1
    share = np.bincount(position, minlength=len(own.classes)) / weights.size
    if share.max() < ONE_CLASS or weights.size < ENOUGH or np.ptp(weights) == 0:
        return []
    reason = Said(
        "{share} of the stones lie in one class of edges_ct, {name} (half of them below {middle}): are both in "
        "carats, and do the edges divide the stones? Correct the weights, or give edges_ct that divide them",
        share=f"{share.max():.0%}",
        name=repr(own.classes[int(share.argmax())]),
        middle=f"{np.median(weights):g}",
    )
    return [told("sizes_undivided", reason, table="stones", column=scheme.size.column)]


def never_recorded(batch: Batch, scheme: Scheme) -> list[Problem]:
    """Say which attributes no stone of any parcel records."""
    lists = [parcel.stone_list.codes for parcel in batch]
    reason = "no stone records it; fill it in, or take {name} out of datapackage.json"
    return [
        told("never_recorded", reason, name=item.name, table="stones", column=item.column)
        for item in scheme.categorical
        if not any((codes[item.name] >= 0).any() for codes in lists if item.name in codes)
    ]


MANY = 40
"""From so many stones on, weights alike are enough for a copy, whatever the classes say."""
CHANCE = 1e-6
"""Parcels that hold the same stones are copies where chance would make them alike less often than this."""
RUN, VARIED = 8, 4
"""Stones that follow each other, and how many of them must differ, for a run that two parcels hold by no chance."""


def copies(batch: Batch, zone_of: Sequence[str], lines: Sequence[int]) -> list[Problem]:
    """Return a problem for every parcel that holds the stones of an earlier one, in whatever order.

    Parameters
    ----------
    zone_of : sequence of str, length n
        Zone of each parcel.
    lines : sequence of int, length n
        Row of each in the table of parcels.
    """
    first: dict[bytes, int] = {}
    problems = []

    def compared(parcel: Parcel) -> int | None:
        return 1 if parcel.n_stones >= MANY else None  # rows of its table: all of them where stones are few

    @cache
    def usual(rows: int | None) -> Mapping[bytes, float]:
        total: Counter[bytes] = Counter()
        for parcel in batch:
            total.update(_kinds(_table(parcel)[:rows]))
        return {kind: count / total.total() for kind, count in total.items()}

    for position, parcel in enumerate(batch):
        table = _table(parcel)[: compared(parcel)]
        content = hashlib.sha256(table[:, np.lexsort(table[::-1])].tobytes()).digest()
        at = first.setdefault(content, position)
        if at != position and position * _chance(table, usual(compared(parcel))) < CHANCE:
            other = batch.parcels[at].parcel_id
            reason = Said(
                "its {n} stones weigh the same as those of parcel {other} of {zone}: a copy{laid}; keep one of the two",
                n=parcel.n_stones,
                other=other,
                zone=zone_of[at],
                laid="" if zone_of[at] == zone_of[position] else Said(", laid to {zone}", zone=zone_of[position]),
            )
            problems.append(_copied(parcel, lines[position], reason))
    told = {problem.value for problem in problems}
    further = [*_in_part(batch, zone_of, lines), *_repeated(batch, lines)]
    return problems + [problem for problem in further if problem.value not in told]


def _repeated(batch: Batch, lines: Sequence[int]) -> Iterator[Problem]:
    """Give the parcels whose stones come twice, in the same order: what was pasted or exported twice."""
    for parcel, line in zip(batch, lines, strict=True):
        if parcel.n_stones < MANY:
            continue
        runs = _runs(parcel)
        again = len(runs) - len(set(runs))
        shuffled = _runs(parcel, shuffled=True) if again >= RUN and 2 * (again + RUN) >= len(runs) else runs
        if again > 2 * (len(shuffled) - len(set(shuffled))):
            reason = Said(
                "half or more of its {n} stones come twice, in the same order; keep them once", n=parcel.n_stones
            )
            yield _copied(parcel, line, reason)


def _in_part(batch: Batch, zone_of: Sequence[str], lines: Sequence[int]) -> list[Problem]:
    """Return a problem for every parcel half of whose runs of stones an earlier parcel holds too, in the same order."""
    seen: dict[int, int] = {}
    problems = []
    for position, parcel in enumerate(batch):
        if parcel.n_stones < MANY:
            continue
        runs = set(_runs(parcel))
        shared = Counter(seen[run] for run in runs if run in seen)
        for run in runs:
            seen.setdefault(run, position)
        at, count = shared.most_common(1)[0] if shared else (position, 0)
        if count > max(MANY, len(runs)) / 2 and count > 2 * sum(
            seen.get(run) == at for run in set(_runs(parcel, shuffled=True))
        ):
            reason = Said(
                "half or more of its stones follow each other as in parcel {other} of {zone}: a copy in part; keep one "
                "of the two",
                other=batch.parcels[at].parcel_id,
                zone=zone_of[at],
            )
            problems.append(_copied(parcel, lines[position], reason))
    return problems


def _copied(parcel: Parcel, line: int, reason: str) -> Problem:
    return told("copied_parcel", reason, table="parcels", row=line, column="parcel_id", value=parcel.parcel_id)


def _runs(parcel: Parcel, *, shuffled: bool = False) -> list[int]:
    """Return a number for each run of stones of a parcel that is varied enough to be its own, in their order.

    Runs that come again when the stones are shuffled come again by chance, as those of many stones of few kinds do.
    """
    table = _table(parcel)
    if shuffled:
        table = np.random.default_rng(parcel.n_stones).permutation(table, axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(table, RUN, axis=1)
    weights = np.sort(windows[0], axis=1)
    varied = 1 + (np.diff(weights, axis=1) > 0).sum(axis=1) >= VARIED
    return [hash(window.tobytes()) for window in windows[:, varied].swapaxes(0, 1)]


def _kinds(table: Ints) -> Mapping[bytes, int]:
    """Return how many stones there are of each kind."""
    kinds, counts = np.unique(table, axis=1, return_counts=True)
    return {kind.tobytes(): count for kind, count in zip(kinds.T, counts.tolist(), strict=True)}


def _chance(table: Ints, usual: Mapping[bytes, float]) -> float:
    """Return the chance that as many stones drawn from all parcels are just these; `usual` is each kind's share."""
    log = math.lgamma(table.shape[1] + 1)
    log += sum(count * math.log(usual[kind]) - math.lgamma(count + 1) for kind, count in _kinds(table).items())
    return math.exp(min(log, 0.0))


def _table(parcel: Parcel) -> Ints:
    """Return weight, in millionths of a carat, and classes (1 + A, n) of the stones."""
    weight, codes = np.round(parcel.stone_list.weight_ct * 1e6), parcel.stone_list.codes
    return np.stack([weight, *(codes[name] for name in sorted(codes))]).astype(np.int64)
