"""The one clock: what time it is, and how a moment is written and read; one without a zone is in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from kpfootprint.plain import day_in

LAST = datetime.max.replace(tzinfo=UTC)
"""No moment is after it, so that a span up to it has no end."""


def now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


def this_second() -> datetime:
    """Return the present moment in UTC, to the second."""
    return now().replace(microsecond=0)


def today() -> date:
    """Return the day whose zone status counts where nothing else is said."""
    return now().date()


def written(moment: datetime) -> str:
    """Return a moment as answers show it: ISO 8601 in UTC, to the second.

    Examples
    --------
    >>> written(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    '2026-01-02T03:04:05Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def exactly(moment: datetime) -> str:
    """Return a moment as the register keeps it and its chain hashes it: to the microsecond."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def moment_in(text: str) -> datetime:
    """Return the moment that a text names, the day as YYYY-MM-DD; raise `ValueError` where it names none."""
    day_in(text[:10])
    return in_utc(datetime.fromisoformat(text))


def in_utc(given: date) -> datetime:
    """Return a moment with its zone; a day is the moment at which it begins."""
    moment = given if isinstance(given, datetime) else datetime.combine(given, time())
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def span_of(first: date | None, last: date | None) -> tuple[datetime | None, datetime | None]:
    """Return where a span begins and what it ends before; a day, and a second, is in it to its end."""
    start = None if first is None else in_utc(first)
    if last is None:
        return start, None
    after, end = timedelta(seconds=1) if isinstance(last, datetime) else timedelta(days=1), in_utc(last)
    return start, None if end > LAST - after else end + after
