"""Kept reports as they are read, who may not read them yet, and what such an expert sees of a parcel instead.

A role named in ``KPF_BLIND_ROLES`` sees a parcel, gives a conclusion with reasons, and only then the computed one. The
opinion stands in the chain before the report was shown, so that it can be believed later.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import sqlalchemy as sa

from kpfootprint.ingest import ingest_json
from kpfootprint.parcel import Parcel
from kpfootprint.planning.sorters import Counts, class_counts, sieve_set_of
from kpfootprint.release import Release
from kpfootprint.report import Report, read_report
from kpfootprint.report.whole import Stationery
from service import Wording
from service.errors import Refused, existing
from service.register import comparisons, entries
from service.register.comparisons import Listed
from service.register.database import each_of, reading
from service.register.entries import Entry
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


def tally_of(document: Mapping[str, Any], release: Release) -> tuple[Parcel, dict[str, Counts]]:
    """Return what an expert sees of a kept parcel: the parcel, and its stones by class of each attribute."""
    parcel = ingest_json(dict(document), release.scheme, release.zone_table, sealed=True)
    return parcel, class_counts(parcel, release.scheme, sieve_set_of(parcel, release.scheme))
