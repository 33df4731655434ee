"""The key in the address of the calendar of due dates.

It is an HMAC of a secret that never leaves the register, of a key or of a person who signs in without one: it can
be told again from that secret, does nothing but show due dates, and ends with the key, or when the person is forgotten.
"""

from __future__ import annotations

import hashlib
import hmac

import sqlalchemy as sa

from service.clock import now
from service.register.database import reading
from service.register.keys import is_good
from service.register.secrets import same
from service.register.tables import keys, people

PREFIX = "kpfcal"


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
