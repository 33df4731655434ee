"""Parcels that may be one under two ids: ids that differ as hands write them, the same stones twice."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from kpfootprint.ingest.parcels.gathered import Findings
from kpfootprint.ingest.problems import Broken, problem
from kpfootprint.ingest.raw.tables import GOODS, KnownTable, Note
from kpfootprint.ingest.words import plain
from kpfootprint.parcel import Parcel
from kpfootprint.wanted import each

APART = ("parcels", "apart")
"""The answer that parcels with the same stones are parcels all the same."""

_PART = re.compile(r"[^\W\d_]+|\d+(?:[.,]\d+)?")
_FOR_A_PARCEL = ("parcel", "colis", "parcelle", "no", "n", "nr", "num")
_FEW, _UNLIKE = 8, 3
"""Stones, and different rows of them, of which as many come again in another parcel by no chance."""


_SEEN_ALIKE = 0.7
"""Share of the stones of a list of which two sorters see the same classes, at least."""


def tell_ids_alike(ids: Iterable[str], tables: Mapping[str, KnownTable], findings: Findings) -> None:
    """Tell parcels whose ids differ by zeros in front, signs, capitals or a word for a parcel, as hands do."""
    first: dict[str, str] = {}
    for name in ids:
        other = first.setdefault(_bare(name) or name, name)
        if other != name:
            _tell_both(name, other, "ids_alike", next(iter(tables.values())).name, findings)


def tell_copies(
    built: dict[str, Parcel], tables: Mapping[str, KnownTable], findings: Findings, *, listed: bool
) -> None:
    """Ask about parcels with the same stones, in whatever order, of which nothing else tells that they are two.

    So may be a list and a sorting sheet of as many stones and carats. Where a table of parcels has both, or where they
    are declared otherwise, it is noted.
    """
    goods = next((tables[kind].name for kind in GOODS if kind in tables), "")
    as_much: defaultdict[tuple[int, float], list[str]] = defaultdict(list)
    for name, parcel in built.items():
        if parcel.n_stones >= _FEW and parcel.carats is not None:
            as_much[parcel.n_stones, round(parcel.carats, 2)].append(name)
    for names in as_much.values():
        for name, other in _copies([built[name] for name in names]) if len(names) > 1 else ():
            if not listed and built[name].origins == built[other].origins:
                _tell_both(name, other, "parcels_alike", goods, findings, choices=[APART])
                continue
            for one, two in ((name, other), (other, name)):
                read_as = dict(built[one].read_as or {})
                read_as["notes"] = [*read_as["notes"], Note(code="parcels_alike", values={"other": two}).told]
                built[one] = replace(built[one], read_as=read_as)


def _copies(parcels: Sequence[Parcel]) -> Iterator[tuple[str, str]]:
    """Give the ids of parcels of as many stones and carats, each with one before that has the same stones.

    So have two lists as two sorters see one parcel.
    """
    weights = [b"" if parcel.stones is None else np.sort(parcel.stones.weight_ct).tobytes() for parcel in parcels]
    times = Counter(weights)
    first: dict[tuple[object, ...], Parcel] = {}
    weighed: dict[bytes, Parcel] = {}
    of_kind: dict[bool, Parcel] = {}
    for parcel, own in zip(each(parcels), weights, strict=True):
        listed = parcel.stones is not None
        goods = _goods(parcel) if times[own] > 1 else ()
        other = first.setdefault(goods, parcel) if goods else parcel
        if listed and goods and other is parcel and not _seen_twice(other := weighed.setdefault(own, parcel), parcel):
            other = parcel
        if other is parcel:
            other = of_kind.get(not listed, parcel)
        of_kind.setdefault(listed, parcel)
        if other is not parcel:
            yield parcel.parcel_id, other.parcel_id


def _seen_twice(one: Parcel, other: Parcel) -> bool:
    """Say whether two lists have the same weights one by one, and most of their stones the same classes."""
    first, second = one.stone_list, other.stone_list
    if not np.array_equal(first.weight_ct, second.weight_ct) or {*first.codes} != {*second.codes}:
        return False
    same = np.all([codes == second.codes[name] for name, codes in first.codes.items()], axis=0)
    return bool(np.mean(same) >= _SEEN_ALIKE)


def _tell_both(name: str, other: str, code: str, table: str, findings: Findings, **told: object) -> None:
    for one, two in ((name, other), (other, name)):
        broken = Broken(code, {"other": two, **told})
        findings.add(one, problem(broken, table=table, column="parcel_id", value=one))


def _goods(parcel: Parcel) -> tuple[object, ...]:
    """Return what a parcel's stones, or the rows of its sorting sheet with carats, are, in an order of their own.

    Nothing of rows that are too much alike for that to tell anything.
    """
    if parcel.stones is not None:
        names = sorted(parcel.stones.codes)
        stones = np.stack([parcel.stones.weight_ct, *(parcel.stones.codes[name] for name in names)])
        stones = stones[:, np.lexsort(stones)]
        unlike = np.any(np.diff(stones) != 0, axis=0).sum() + 1
        return (*names, stones.tobytes()) if unlike >= _UNLIKE else ()
    rows: list[tuple[object, ...]] = []
    sizes = () if parcel.sieve_set is None else parcel.sieve_set.lower_ct
    for item in parcel.breakdowns:
        if item.carats is None or bool(np.isnan(item.carats).any()):
            return ()
        cells = zip(map(tuple, item.codes.tolist()), item.n_stones.tolist(), item.carats.tolist(), strict=True)
        rows += [(item.attributes, sizes, *row) for row in sorted(cells)]
    return (*rows,) if len({*rows}) >= _UNLIKE else ()


def _bare(name: str) -> str:
    """Return an id without signs, capitals and zeros in front: that of ``CF-07`` is that of ``cf 7`` and ``CF-O7``."""
    text = re.sub(r"(?<=[\W\d_])O(?=\d)|(?<=\d)O(?=\d)", "0", unicodedata.normalize("NFKC", name))
    parts = [re.sub(r"^0+(?=\d)", "", part) for part in _PART.findall(plain(text).replace("°", "o"))]
    while len(parts) > 1 and parts[0] in _FOR_A_PARCEL:
        parts = parts[1:]
    return re.sub(r"(?<=\d) (?=\d)", "-", " ".join(parts)).replace(" ", "")
