"""Kept reports as they are read, who may not read them yet, and what such an expert sees of a parcel instead.

A role named in ``KPF_BLIND_ROLES`` sees a parcel, gives a conclusion with reasons, and only then the computed one. The
opinion stands in the chain before the report was shown, so that it can be believed later.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import sqlalchemy as sa

from kpfootprint.ingest import ingest_json
from kpfootprint.parcel import Parcel
from kpfootprint.planning.sorters import class_counts, sieve_set_of
from kpfootprint.release import Release
from kpfootprint.report import Report, read_report
from kpfootprint.report.whole import Stationery
from kpfootprint.retold import LANGUAGES
from service import Wording
from service.errors import Refused, existing
from service.register import comparisons, entries
from service.register.comparisons import Listed
from service.register.database import reading
from service.register.entries import Entry
from service.register.paging import each_of
from service.register.people import Principal
from service.register.tables import entries as entry_table
from service.work.place import Workplace

Found = TypeVar("Found")
Lookup = Callable[[sa.Connection, Sequence[str]], dict[str, Found]]

OWN_FIRST: Wording = "Give your own conclusion on this comparison first; then what was computed is shown."


def report_text(work: Workplace, comparison_id: str, who: Principal) -> str:
    """Return the JSON text of a report, byte for byte as it was answered; refuse a sealed one."""
    with reading(work.engine) as connection:
        report = _of_one(comparisons.reports_of, connection, comparison_id)
    if sealed_from(work, who, [comparison_id]):
        raise Refused("forbidden", OWN_FIRST)
    return report


def parcel_text(work: Workplace, comparison_id: str) -> str:
    """Return the parcel of a comparison as canonical JSON."""
    with reading(work.engine) as connection:
        return _of_one(comparisons.parcels_of, connection, comparison_id)


def known(connection: sa.Connection, comparison_id: str) -> Listed:
    """Return what a list shows of a comparison."""
    return _of_one(comparisons.several, connection, comparison_id)


def _of_one(ask: Lookup[Found], connection: sa.Connection, comparison_id: str) -> Found:
    return existing(ask(connection, [comparison_id]).get(comparison_id), "There is no comparison with this id.")


def printed(work: Workplace, comparison_id: str, who: Principal) -> tuple[Report, Stationery]:
    """Return a report, and what is printed around it: the office's own, and where the register keeps the report."""
    report = read_report(report_text(work, comparison_id, who))
    with reading(work.engine) as connection:
        kept = entries.last_of_kind(connection, "comparison", comparison_id)
    return report, replace(work.settings.stationery, entry=None if kept is None else (kept.position, kept.hash))


def said_of(work: Workplace, comparison_id: str) -> tuple[list[Entry], list[Entry]]:
    """Return what experts concluded of a comparison, and what became known later, each the oldest first."""
    with reading(work.engine) as connection:
        found = entries.about(connection, comparison_id)
    opinions, outcomes = ([entry for entry in found if entry.kind == kind] for kind in ("opinion", "outcome"))
    return opinions, outcomes


def is_blind(work: Workplace, who: Principal) -> bool:
    """Say whether somebody's role judges before it sees."""
    return who.role in work.settings.blind


def sealed_from(work: Workplace, who: Principal, ids: Iterable[str]) -> frozenset[str]:
    """Return those of some comparisons of which somebody has still to give an opinion before seeing the report."""
    if not is_blind(work, who):
        return frozenset()
    wanted, table = frozenset(ids), entry_table.c
    mine = sa.select(table.subject).where((table.kind == "opinion") & (table.actor == who.actor))
    with reading(work.engine) as connection:
        return wanted - {row.subject for row in each_of(connection, mine, table.subject, wanted)}


def as_seen(work: Workplace, who: Principal, found: Sequence[Listed]) -> list[Listed]:
    """Return comparisons as somebody may see them: without what is computed where that is sealed."""
    sealed = sealed_from(work, who, [item.id for item in found])
    return [without_result(item, sealed) for item in found]


def without_result(item: Listed, sealed: Collection[str]) -> Listed:
    """Return a comparison without conclusion and LR where it is among the sealed."""
    return replace(item, conclusion=None, log10_lr=None, sealed=True) if item.id in sealed else item


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
        size.name: (size.labels, {name: dict.fromkeys(LANGUAGES, name) for name in sieve_set.classes})
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
