"""A parcel as an expert looks at it: its stones by size and class, its paper, and nothing that is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kpfootprint.ingest import ingest_json
from kpfootprint.parcel import Parcel
from kpfootprint.planning.sorters import class_counts, sieve_set_of
from kpfootprint.release import Release


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
    scheme = release.scheme
    parcel = ingest_json(dict(document), scheme, release.zone_table, sealed=True)
    sieve_set, size = sieve_set_of(parcel, scheme), scheme.size
    named: dict[str, tuple[Mapping[str, str], dict[str, Mapping[str, str]]]] = {
        size.name: (size.labels, {name: {"en": name, "fr": name} for name in sieve_set.classes})
    }
    for item in scheme.categorical:
        labels = {one.name: one.labels for one in item.classes} | {one.name: one.labels for one in item.sets}
        named[item.name] = (item.labels, labels)
    tables = []
    for attribute, counts in class_counts(parcel, scheme, sieve_set).items():
        (title, labels), whole = named[attribute], sum(counts.values())
        rows = [(labels[name], int(n), n / whole) for name, n in counts.items() if n]
        tables.append(Counted(labels=title, rows=rows))
    return ParcelTally(parcel=parcel, counted=tuple(tables))
