"""The one clock: what time it is, and how a moment is written."""

from __future__ import annotations

from datetime import UTC, date, datetime


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
