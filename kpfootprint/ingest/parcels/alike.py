"""Parcels that may be one under two ids: ids that differ as hands write them, the same stones twice."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
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
    first: dict[tuple[object, ...], str] = {}
    goods = next((tables[kind].name for kind in GOODS if kind in tables), "")
    for name, parcel in each([*built.items()]):
        rows = _rows(parcel)
        if parcel.n_stones < _FEW or parcel.carats is None:
            continue
        whole = (parcel.n_stones, round(parcel.carats, 2))
        other = first.setdefault((*rows,), name) if len({*rows}) >= _UNLIKE else name
        other = first.get((*whole, parcel.stones is None), name) if other == name else other
        first.setdefault((*whole, parcel.stones is not None), name)
        if other == name:
            continue
        if not listed and parcel.origins == built[other].origins:
            _tell_both(name, other, "parcels_alike", goods, findings, choices=[APART])
            continue
        for one, two in ((name, other), (other, name)):
            read_as = dict(built[one].read_as or {})
            read_as["notes"] = [*read_as["notes"], Note(code="parcels_alike", values={"other": two}).told]
            built[one] = replace(built[one], read_as=read_as)


def _tell_both(name: str, other: str, code: str, table: str, findings: Findings, **told: object) -> None:
    for one, two in ((name, other), (other, name)):
        broken = Broken(code, {"other": two, **told})
        findings.add(one, problem(broken, table=table, column="parcel_id", value=one))


def _rows(parcel: Parcel) -> list[tuple[object, ...]]:
    """Return what each stone, or each row of a sorting sheet with carats, is, in an order of their own."""
    if parcel.stones is not None:
        codes = (parcel.stones.codes[name].tolist() for name in sorted(parcel.stones.codes))
        return sorted(zip(parcel.stones.weight_ct.tolist(), *codes, strict=True))
    rows: list[tuple[object, ...]] = []
    sizes = () if parcel.sieve_set is None else parcel.sieve_set.lower_ct
    for item in parcel.breakdowns:
        if item.carats is None or bool(np.isnan(item.carats).any()):
            return []
        cells = zip(map(tuple, item.codes.tolist()), item.n_stones.tolist(), item.carats.tolist(), strict=True)
        rows += [(item.attributes, sizes, *row) for row in sorted(cells)]
    return rows


def _bare(name: str) -> str:
    """Return an id without signs, capitals and zeros in front: that of ``CF-07`` is that of ``cf 7`` and ``CF-O7``."""
    text = re.sub(r"(?<=[\W\d_])O(?=\d)|(?<=\d)O(?=\d)", "0", unicodedata.normalize("NFKC", name))
    parts = [re.sub(r"^0+(?=\d)", "", part) for part in _PART.findall(plain(text).replace("°", "o"))]
    while len(parts) > 1 and parts[0] in _FOR_A_PARCEL:
        parts = parts[1:]
    return re.sub(r"(?<=\d) (?=\d)", "-", " ".join(parts)).replace(" ", "")
