"""Kept reports as they are read, what experts and outcomes say of them, and how conclusions stood up.

A role named in ``KPF_BLIND_ROLES`` sees a parcel, gives a conclusion with reasons, and only then the computed one. The
opinion stands in the chain before the report was shown, so that it can be believed later.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from kpfootprint.comparison.weigh import MAIN
from kpfootprint.errors import Problem
from kpfootprint.ingest import ingest_json
from kpfootprint.parcel import Parcel
from kpfootprint.planning.sorters import Counts, class_counts, sieve_set_of
from kpfootprint.release import Release
from kpfootprint.report import Report, read_report
from kpfootprint.report.whole import Stationery
from kpfootprint.retold import Said
from kpfootprint.stats.intervals import clopper_pearson
from kpfootprint.stats.metrics import cllr, costs
from service import Wording
from service.errors import Refused, existing, refusal_for
from service.register import comparisons, entries
from service.register.comparisons import Listed
from service.register.database import each_of, reading, registering
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


SHARES_ADD_UP = 1e-6
UNLISTED = "unlisted"
"""Origin of a parcel from a source that the release does not list."""
NO_ZONE: Wording = "no zone of this release has this id"


def give_opinion(work: Workplace, comparison_id: str, *, conclusion: str, reasons: str, who: Principal) -> Entry:
    """Keep an expert's own conclusion beside the computed one, and whether the expert could not see that one before."""
    blind = bool(sealed_from(work, who, [comparison_id]))
    values = {"conclusion": conclusion, "reasons": reasons, "blind": blind}
    return _noted(work, comparison_id, "opinion", values, who.actor)


def tell_outcome(
    work: Workplace, comparison_id: str, *, origin: Sequence[Mapping[str, Any]], source: str, actor: str
) -> Entry:
    """Keep what became known later of where a parcel came from."""
    zones = {*work.release().zone_table.names, UNLISTED}
    origin = [{**item, "zone_id": work.origin(item["zone_id"])} for item in origin]
    given = [item["zone_id"] for item in origin]
    problems = [
        Problem(table="origin", row=row, column="zone_id", value=zone[:80], code=code, reason=reason)
        for row, zone in enumerate(given, start=1)
        for wrong, code, reason in (
            (zone not in zones, "unknown_zone", NO_ZONE),
            (zone in given[: row - 1], "invalid", Said("it may be given once")),
        )
        if wrong
    ]
    total = sum(item["share"] for item in origin)
    if abs(total - 1) > SHARES_ADD_UP:
        reason = Said("the shares add up to {total}, and must to 1", total=f"{total:g}")
        problems.append(Problem(table="origin", column="share", code="invalid", reason=reason))
    if problems:
        raise refusal_for(problems)
    values = {"origin": origin, "source": source}
    return _noted(work, comparison_id, "outcome", values, actor)


def _noted(work: Workplace, comparison_id: str, kind: Any, values: Mapping[str, Any], actor: str) -> Entry:
    with registering(work.engine) as connection:
        known(connection, comparison_id)
        return entries.append(connection, kind, actor=actor, subject=comparison_id, values=values)


LEVEL = 0.95
DRAWS = 2000
SEED = 21


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A comparison whose origin became known; `held` says whether all of it came from what was declared.

    Of a zone of which a speck was declared no more than that comes from what was declared.
    """

    comparison: Listed
    outcome: Entry
    opinion: Entry | None
    held: bool | None


def cases(work: Workplace) -> list[Case]:
    """Return every comparison with a known outcome, the last that was told of each."""
    with reading(work.engine) as connection:
        outcomes = {entry.subject: entry for entry in entries.of_kind(connection, "outcome")}
        opinions = {entry.subject: entry for entry in entries.of_kind(connection, "opinion")}
        listed = comparisons.several(connection, list(outcomes))
        shares = comparisons.declared_shares(connection, list(outcomes))
    return [
        Case(
            comparison=listed[subject],
            outcome=entry,
            opinion=opinions.get(subject),
            held=_held(entry.values["origin"], shares[subject]) if subject in shares else None,
        )
        for subject, entry in outcomes.items()
        if subject in listed
    ]


def _held(origin: Sequence[Mapping[str, Any]], declared: Mapping[str, float]) -> bool:
    given = ((item["share"], declared.get(item["zone_id"], 0.0)) for item in origin)
    return all(share >= MAIN or (came <= MAIN and share > 0) for came, share in given)


def summary(found: Sequence[Case]) -> dict[str, Any]:
    """Return agreement, Cllr and error rates, each with the bounds that so few cases leave."""
    judged = [case for case in found if case.held is not None]
    true = [case for case in judged if case.held]
    false = [case for case in judged if not case.held]
    said = [case for case in found if case.opinion is not None]
    decided = [case for case in judged if case.comparison.conclusion in {"consistent", "query"}]
    opined = [case for case in judged if _opinion(case) in {"consistent", "query"}]
    blind = [case for case in opined if case.opinion is not None and case.opinion.values.get("blind")]
    return {
        "n": len(found),
        "agreement": {
            "opinions": rate(sum(_opinion(case) == case.comparison.conclusion for case in said), len(said)),
            "computed_right": rate(sum(_right(c.comparison.conclusion, c) for c in decided), len(decided)),
            "opinion_right": rate(sum(_right(_opinion(c), c) for c in opined), len(opined)),
            "blind_right": rate(sum(_right(_opinion(c), c) for c in blind), len(blind)),
        },
        "cllr": cllr_of(_lrs(true), _lrs(false)),
        "error_rates": {
            "true_queried": rate(sum(case.comparison.conclusion == "query" for case in true), len(true)),
            "false_consistent": rate(sum(case.comparison.conclusion == "consistent" for case in false), len(false)),
        },
    }


def _opinion(case: Case) -> str | None:
    return None if case.opinion is None else str(case.opinion.values["conclusion"])


def _right(conclusion: str | None, case: Case) -> bool:
    return (conclusion == "consistent") == case.held


def _lrs(found: Sequence[Case]) -> NDArray[np.float64]:
    return np.asarray([case.comparison.log10_lr for case in found if case.comparison.log10_lr is not None])


def rate(count: int, of: int) -> dict[str, Any]:
    """Return a share with its Clopper-Pearson interval; without cases nothing can be said."""
    told: dict[str, Any] = {"estimate": None, "low": None, "high": None}
    if of:
        limits = clopper_pearson(count, of, level=LEVEL)
        told = {"estimate": round(count / of, 4), "low": round(limits.low, 4), "high": round(limits.high, 4)}
    return {"n": count, "of": of, **told, "level": LEVEL}


def cllr_of(true: NDArray[np.float64], false: NDArray[np.float64]) -> dict[str, Any]:
    """Return the cost of log10 LRs in bits (Bruemmer and du Preez, 2006) with a bootstrap interval over cases."""
    told: dict[str, Any] = {"level": LEVEL, "n_true": len(true), "n_false": len(false)}
    told |= dict.fromkeys(("estimate", "low", "high"))
    if not len(true) or not len(false):
        return told
    told["estimate"] = round(cllr(true, false), 4)
    if min(len(true), len(false)) >= 2:
        rng = np.random.default_rng(SEED)
        drawn = sum(rng.choice(costs(odds), (DRAWS, len(odds))).mean(axis=1) for odds in (-true, false)) / 2
        low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        told |= {"low": round(float(low), 4), "high": round(float(high), 4)}
    return told
