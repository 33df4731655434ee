"""A question of planning as somebody writes it: zones by id or name, carats, a share, a day, an alternative."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from kpfootprint.errors import IngestError, Problem
from kpfootprint.ingest.words import fold, vocabulary_of
from kpfootprint.plain import day_in
from kpfootprint.release import Release
from kpfootprint.strict_json import is_number

NON_COMPLIANT, NOWHERE = "non_compliant", "nowhere"
_MEANT = {
    NON_COMPLIANT: ("non compliant", "not compliant", "any non compliant zone", "non conforme", "zones non conformes"),
    NOWHERE: ("nowhere", "unlisted", "unsampled", "unknown source", "nulle part", "source inconnue"),
}
"""What somebody may write for an alternative that is no zone, in either language."""


LEAST, MOST = 1e-6, 1e9
"""Carats, or percent, that somebody may declare of a zone; what is less is written as zero."""

RULES: Final[Mapping[str, str]] = {
    "no_such_member": "there is no such member",
    "share_of_stones": "a share of stones above 0 and up to 1 is needed",
    "declared_itself": "this zone is declared itself",
    "no_such_zone": "there is no such zone; there are: {zones}",
    "no_reference": "the reference has no parcel of this zone, or too few; it knows: {zones}",
    "nothing_declared": "one declared zone or more is needed",
    "mixed_amounts": "all zones by percent, or all by carats, are needed",
    "no_zone": "a zone, or its zone_id with carats, is needed",
    "several_without_carats": "each of several zones needs carats",
    "amount_above_nothing": "an amount above 0 is needed",
    "no_day": "a day as 2025-03-31 is needed",
    "cannot_be_pooled": "a parcel of a pool needs a declaration, and a reference of each zone that it declares",
    "cannot_be_compared": "too little is known of this parcel to compare it, and of no other of them more",
    "sorter_twice": "this sorter has two sheets; name each sheet's own sorter",
    "one_sorter": "two sheets or more of one parcel are needed, or one sheet with several valuations",
}
"""What a question of planning can get wrong: how each rule is told; texts in other languages hang on the names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanQuestion:
    """What is asked of a plan.

    Parameters
    ----------
    declared : mapping of str to float
        Declared zones with their carats (1 for a single zone without any).
    against : str
        A zone, `NON_COMPLIANT` or `NOWHERE`.
    share : float
        Share of stones to be found, above 0 and up to 1.
    day : date
        Day whose status of zones counts.
    """

    declared: Mapping[str, float]
    against: str
    share: float
    day: date


def read_question(question: Mapping[str, Any], release: Release, on: date) -> PlanQuestion:
    """Read ``{declared, against, share, on}``.

    Raises
    ------
    IngestError
        If it cannot be understood; every problem at once.
    """
    problems: list[Problem] = []
    unknown = sorted(set(question) - {"declared", "declarations", "against", "share", "on"})
    problems += [_problem("no_such_member", name, question[name], "unknown_member") for name in unknown]
    day = _day(question.get("on"), on, problems)
    declared = _declared(question, release, problems)
    against = _against(question.get("against"), release, problems)
    share = question.get("share", 0.2)
    if not is_number(share) or not 0 < share <= 1:
        problems.append(_problem("share_of_stones", "share", share, "out_of_range"))
    if against and against in declared:
        problems.append(_problem("declared_itself", "against", against, "declared_too"))
    if problems:
        raise IngestError(problems)
    return PlanQuestion(declared=declared, against=against, share=float(share), day=day)


def read_zone(text: str, release: Release) -> str:
    """Return the id of a zone with reference parcels, by id or name.

    Raises
    ------
    IngestError
        If there is no such zone, or no reference of it.
    """
    problems: list[Problem] = []
    zone_id = _zone(text, release, "zone_id", problems)
    if problems:
        raise IngestError(problems)
    return zone_id


def problem(rule: str, code: str, *, table: str, column: str, value: object, **values: str) -> Problem:
    """Place a broken rule; long values are cut."""
    return Problem(
        table=table,
        column=column,
        value=None if value is None else str(value)[:80],
        code=code,
        reason=RULES[rule].format(**values),
        values={"rule": rule, **values},
    )


def _problem(rule: str, column: str, value: object, code: str, **values: str) -> Problem:
    return problem(rule, code, table="question", column=column, value=value, **values)


def _zone_in(text: str, release: Release) -> str | None:
    return vocabulary_of(release.scheme, release.zone_table).zone(text)


def _zone(text: str, release: Release, column: str, problems: list[Problem], besides: tuple[str, ...] = ()) -> str:
    zone_id = _zone_in(text, release)
    if zone_id is None:
        zones = ", ".join([*(z.zone_id for z in release.zone_table.zones), *besides])
        problems.append(_problem("no_such_zone", column, text, "unknown_zone", zones=zones))
        return ""
    if zone_id not in release.zone_ids:
        zones = ", ".join(release.zone_ids)
        problems.append(_problem("no_reference", column, text, "zone_without_reference", zones=zones))
        return ""
    return zone_id


def _against(given: object, release: Release, problems: list[Problem]) -> str:
    text = str(given or NON_COMPLIANT)
    if _zone_in(text, release) is None:
        for kind, written in _MEANT.items():
            if fold(text) in map(fold, (kind, *written)):
                return kind
    return _zone(text, release, "against", problems, besides=(NON_COMPLIANT, NOWHERE))


def _declared(question: Mapping[str, Any], release: Release, problems: list[Problem]) -> dict[str, float]:
    given = question.get("declared", question.get("declarations"))
    if isinstance(given, Mapping):
        given = [{"zone_id": zone, "carats": carats} for zone, carats in given.items()]
    if isinstance(given, str):
        given = [given]
    if not isinstance(given, list | tuple) or not given:
        problems.append(_problem("nothing_declared", "declared", given, "missing_value"))
        return {}
    out: dict[str, float] = {}
    parts: list[Mapping[str, Any]] = [
        {"zone_id": item} if isinstance(item, str) else item if isinstance(item, Mapping) else {} for item in given
    ]
    by_percent = [part.get("percent") is not None for part in parts]
    if any(by_percent) and not all(by_percent):
        problems.append(_problem("mixed_amounts", "declared", given, "invalid"))
        return {}
    for item, part in zip(given, parts, strict=True):
        zone, carats = part.get("zone_id"), part.get("percent" if any(by_percent) else "carats")
        if not isinstance(zone, str):
            problems.append(_problem("no_zone", "declared", item, "wrong_type"))
            continue
        if carats is None and len(given) > 1:
            problems.append(_problem("several_without_carats", "declared", zone, "declared_without_carats"))
            continue
        if carats is not None and not (is_number(carats) and LEAST <= carats <= MOST):
            problems.append(_problem("amount_above_nothing", "declared", carats, "out_of_range"))
            continue
        zone_id = _zone(zone, release, "declared", problems)
        out[zone_id] = out.get(zone_id, 0.0) + float(carats or 1.0)
    return out


def _day(given: object, on: date, problems: list[Problem]) -> date:
    if given is None:
        return on
    try:
        return day_in(str(given))
    except ValueError:
        problems.append(_problem("no_day", "on", given, "not_a_date"))
        return on
