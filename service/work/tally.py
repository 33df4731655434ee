"""A parcel as an expert looks at it: its stones by size and class, its paper, and nothing that is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kpfootprint.ingest import ingest_json
from kpfootprint.parcel import NOT_RECORDED, Parcel
from kpfootprint.release import Release
from kpfootprint.scheme import SieveSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Stones of a parcel by one attribute: the classes that occur, each with its number and share of stones.

    Parameters
    ----------
    labels : mapping
        Name of the attribute by language.
    rows : sequence
        Names of a class by language, stones of it, their share.
    """

    labels: Mapping[str, str]
    rows: Sequence[tuple[Mapping[str, str], int, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelTally:
    """What an expert sees of a parcel."""

    parcel: Parcel
    counted: tuple[Counted, ...]


def tally_of(document: Mapping[str, Any], release: Release) -> ParcelTally:
    """Return what an expert sees of a kept parcel."""
    parcel = ingest_json(dict(document), release.scheme, release.zone_table, sealed=True)
    size = release.scheme.size
    tables = [_counted(size.labels, *_sizes(parcel, size.name, size.sieve_set))]
    for attribute in release.scheme.categorical:
        names = [item.labels for item in attribute.classes] + [item.labels for item in attribute.sets]
        tables.append(_counted(attribute.labels, names, _classes(parcel, attribute.name, len(names))))
    return ParcelTally(parcel=parcel, counted=tuple(table for table in tables if table.rows))


def _sizes(parcel: Parcel, name: str, own: SieveSet) -> tuple[list[Mapping[str, str]], Sequence[int]]:
    used = own if parcel.sieve_set is None else parcel.sieve_set
    names: list[Mapping[str, str]] = [{"en": item, "fr": item} for item in used.classes]
    if parcel.stones is None:
        return names, _classes(parcel, name, len(names))
    place = np.searchsorted(used.lower_ct, parcel.stones.weight_ct, side="right") - 1
    return names, np.bincount(np.maximum(place, 0), minlength=len(names)).tolist()


def _classes(parcel: Parcel, name: str, n: int) -> Sequence[int]:
    """Return the stones of each class of an attribute; of several breakdowns the first that has it tells."""
    if parcel.stones is not None:
        codes = parcel.stones.codes.get(name)
        counts = np.zeros(n) if codes is None else np.bincount(codes[codes != NOT_RECORDED], minlength=n)
        return [int(count) for count in counts]
    told = next((item for item in parcel.breakdowns if name in item.attributes), None)
    if told is None:
        return [0] * n
    codes = told.codes[:, told.attributes.index(name)]
    known = (codes != NOT_RECORDED) & (told.n_stones > 0)
    return [int(told.n_stones[known & (codes == code)].sum()) for code in range(n)]


def _counted(labels: Mapping[str, str], names: Sequence[Mapping[str, str]], counts: Sequence[int]) -> Counted:
    whole = sum(counts) or 1
    rows = [(name, count, count / whole) for name, count in zip(names, counts, strict=True) if count]
    return Counted(labels=labels, rows=rows)
