"""Who was compliant when: the package's own table, or an assumed one where it never tells zones apart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from kpfootprint.reference import StatusPeriod, ZoneTable

FIRST_DAY = date(2000, 1, 1)
STRETCH = timedelta(days=1000)
STRETCHES = 4
ASSUMED = "assumed"


def tells_apart(table: ZoneTable, zones: Sequence[str]) -> bool:
    """Say whether on some day one of the zones was compliant and another one was not."""
    for day in {period.valid_from for period in table.periods}:
        compliant = set(table.compliant_on(day)) & set(zones)
        if 0 < len(compliant) < len(zones):
            return True
    return False


def assumed_days(table: ZoneTable, zones: Sequence[str]) -> list[str]:
    """Return the days from which assumed periods begin; none where the package's own table tells zones apart."""
    if tells_apart(table, zones):
        return []
    return sorted({period.valid_from.isoformat() for period in usable_status(table, zones).periods})


def usable_status(table: ZoneTable, zones: Sequence[str]) -> ZoneTable:
    """Return the table itself, or one with assumed periods for training and measuring alone.

    Declarations are learnt from and measured where some zones may be declared and others may not. A package without
    a status, or in which all zones always had the same, gives no such day: then half of the zones are taken to be
    compliant, another half on each of four stretches of time. What a release says of zones stays the package's own.
    """
    if tells_apart(table, zones):
        return table
    half = max(len(zones) // 2, 1)
    periods = []
    for k in range(min(STRETCHES, len(zones))):
        first = k * len(zones) // min(STRETCHES, len(zones))
        chosen = {zones[(first + step) % len(zones)] for step in range(half)}
        start = FIRST_DAY + k * STRETCH
        periods += [
            StatusPeriod(zone_id=zone, status="compliant", valid_from=start, valid_to=start + STRETCH, source=ASSUMED)
            for zone in zones
            if zone in chosen
        ]
    return ZoneTable(zones=table.zones, periods=tuple(periods))
