"""Zones and the dated status of each, checked row by row whatever the package's own schemas ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise

from kpfootprint.errors import Problem, ReferenceDataError
from kpfootprint.ingest.problems import Broken, problem
from kpfootprint.ingest.words import fold
from kpfootprint.reference import StatusPeriod, Zone, ZoneTable
from training.package.descriptor import told

Row = Mapping[str, str]
STATUSES = {
    "compliant": ("compliant", "conforme"),
    "suspended": ("suspended", "suspendu", "suspendue", "not compliant", "non conforme"),
}
"""What a zone can be on a day, and how it may be written."""
_DAY, _COUNTRY = re.compile(r"\d{4}-\d{2}-\d{2}"), re.compile("[A-Z]{2}")


def day_of(text: str) -> date | None:
    """Return a day written as YYYY-MM-DD, None where the text is empty; ValueError where it is neither."""
    if text and not _DAY.fullmatch(text):
        raise ValueError(f"{text!r} is not written as YYYY-MM-DD")
    return date.fromisoformat(text) if text else None


def zone_table(zones: Sequence[Row], periods: Sequence[Row]) -> ZoneTable:
    """Return the zones with their periods.

    Raises
    ------
    ReferenceDataError
        With every row of which nobody could say which zone, which status or which days it means.
    """
    problems = [*_one_zone_each(zones), *_periods(periods)]
    if problems:
        raise ReferenceDataError(problems)
    meant = {fold(word): status for status, words in STATUSES.items() for word in words}
    table = ZoneTable(
        zones=tuple(Zone(**{name: row[name] for name in ("zone_id", "name", "country", "region")}) for row in zones),
        periods=tuple(
            StatusPeriod(
                zone_id=row["zone_id"],
                status=meant[fold(row["status"])],
                valid_from=date.fromisoformat(row["valid_from"]),
                valid_to=day_of(row["valid_to"]),
                source=row["source"],
            )
            for row in periods
        ),
    )
    problems = list(_overlaps(table))
    if problems:
        raise ReferenceDataError(problems)
    return table


def _one_zone_each(rows: Sequence[Row]) -> Iterator[Problem]:
    """Give the rows whose country is none, or whose id or name already stands for a zone: the first would be meant."""
    first: dict[str, int] = {}
    for line, row in enumerate(rows, start=2):
        if not _COUNTRY.fullmatch(row["country"]):
            reason = "not a code of ISO 3166-1 in two capitals, as CF"
            yield told("bad_country", reason, table="zones", row=line, column="country", value=row["country"])
        if "=" in row["zone_id"] or row["zone_id"].casefold().startswith("country:"):
            reason = "a declaration reads 'zone=carats' and 'country:CF': write the id without = and not after country:"
            yield told("bad_zone_id", reason, table="zones", row=line, column="zone_id", value=row["zone_id"])
        for column in ("zone_id", "name"):
            word = fold(row[column])
            if not word and row[column]:
                reason = "a letter or a digit is needed, by which it is told from others"
                yield told("bad_zone_id", reason, table="zones", row=line, column=column, value=row[column])
                continue
            if not word:
                yield problem(Broken("missing_value"), table="zones", row=line, column=column)
                continue
            if column == "name" and first.get(fold(row["zone_id"]), line) != line:
                continue  # told of its id
            at = first.setdefault(word, line)
            if at != line:
                reason = f"it already stands for the zone of row {at}; every zone needs an id and a name of its own"
                yield told("zone_twice", reason, table="zones", row=line, column=column, value=row[column])


def _periods(rows: Sequence[Row]) -> Iterator[Problem]:
    known = {fold(word) for words in STATUSES.values() for word in words}
    for line, row in enumerate(rows, start=2):
        if fold(row["status"]) not in known:
            reason = f"not a status; write one of {', '.join(STATUSES)}"
            yield told("unknown_status", reason, table="zone_status", row=line, column="status", value=row["status"])
        start, end = day_of(row["valid_from"]), day_of(row["valid_to"])
        if start is None:
            yield problem(Broken("missing_value"), table="zone_status", row=line, column="valid_from")
        elif end is not None and end <= start:
            reason = f"the period ends before it begins, on {start}; valid_to is the first day that is not in it"
            yield told("empty_period", reason, table="zone_status", row=line, column="valid_to", value=row["valid_to"])


def _overlaps(table: ZoneTable) -> Iterator[Problem]:
    rows = sorted(enumerate(table.periods, start=2), key=lambda row: (row[1].zone_id, row[1].valid_from))
    for (first, one), (second, two) in pairwise(rows):
        if one.zone_id == two.zone_id and one.covers(two.valid_from):
            reason = f"two periods of {one.zone_id} overlap, from {one.valid_from} (row {first}) and {two.valid_from}"
            yield told("overlapping_periods", reason, table="zone_status", row=second, column="valid_from")
