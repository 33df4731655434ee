"""Due dates as a calendar feed (RFC 5545), and the key in its address.

The key is an HMAC of a secret that never leaves the register, of a key or of a person who signs in without one: it can
be told again from that secret, does nothing but show due dates, and ends with the key, or when the person is forgotten.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa

from service.clock import now
from service.register.database import reading
from service.register.keys import is_good
from service.register.secrets import same
from service.register.submissions import Submission
from service.register.tables import keys, people

PREFIX = "kpfcal"
LINE = 75


def feed_key_of(engine: sa.Engine, actor: str) -> str | None:
    """Return the key of the feed that belongs to an actor, or None where that is nobody in particular."""
    kind, _, own = actor.partition(":")
    return _feed_key(engine, own) if kind in {"key", "person"} else None


def is_feed_key(engine: sa.Engine, presented: str) -> bool:
    """Say whether a key in the address is one of ours, and whoever it belongs to still known."""
    prefix, _, rest = presented.partition("_")
    expected = _feed_key(engine, rest.partition("_")[0]) if prefix == PREFIX else None
    return expected is not None and same(presented, expected)


def _feed_key(engine: sa.Engine, own: str) -> str | None:
    with reading(engine) as connection:
        key = connection.execute(sa.select(keys).where(keys.c.id == own[:16])).one_or_none()
        of_person = sa.select(people.c.feed).where(people.c.id == own[:16])
        secret: str | None = connection.scalar(of_person) if key is None else key.secret_sha256
    if secret is None or (key is not None and not is_good(key, now())):
        return None
    return f"{PREFIX}_{own}_{hmac.digest(secret.encode(), b'calendar feed', hashlib.sha256).hex()}"


def calendar_of(submissions: Sequence[Submission], moment: datetime, base: str) -> str:
    """Return the due dates of submissions as a calendar."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//kpfootprint//submissions//EN", "CALSCALE:GREGORIAN"]
    lines.append("X-WR-CALNAME:kpfootprint: submissions due")
    for item in submissions:
        told = f"{'Overdue: ' if item.due_at < moment else 'Due: '}{item.exporter or item.file_name}"
        parcels = "1 parcel" if item.n_parcels == 1 else f"{item.n_parcels} parcels"
        lines += [
            "BEGIN:VEVENT",
            f"UID:{item.id}@kpfootprint",
            f"DTSTAMP:{_stamp(item.received_at)}",
            f"DTSTART:{_stamp(item.due_at)}",
            f"DTEND:{_stamp(item.due_at)}",
            f"SUMMARY:{_escaped(f'{told}, {parcels}')}",
            f"URL:{base}/submissions/{item.id}",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%SZ")


def _escaped(text: str) -> str:
    shown = "".join(c if c.isprintable() else " " for c in text)
    return shown.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")


def _folded(line: str) -> Iterator[str]:
    """Yield a line in parts of at most 75 bytes, the later ones after a blank."""
    part = ""
    for character in line:
        if len((part + character).encode()) > LINE:
            yield part
            part = " "
        part += character
    yield part
