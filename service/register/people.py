"""Who is known: the holder of a key or of a session, and the names behind the pseudonyms that the register keeps.

An entry names its actor as ``key:ID`` or ``person:ID``. Which name that is stands in `keys` and `people`, outside the
chain: a name that is forgotten is gone, and the chain still verifies.

The key in the address of a calendar of due dates is an HMAC of a secret that never leaves the register, of a key or of
a person who signs in without one: it does nothing else, and ends with the key, or when the person is forgotten.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from service.clock import now
from service.register.database import is_sqlite, new_id, reading, writing
from service.register.keys import actor_in, hash_of, is_good, new_secret, recognised, same
from service.register.tables import keys, people, sessions
from service.settings import ROLES

NAME_LENGTH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who is asking.

    Parameters
    ----------
    actor : str
        Pseudonym that the register keeps: ``key:ID``, ``person:ID``, or ``browser`` after the one-time link.
    session : bool
        Whether a browser asks, by its session; a program asks by its key.
    """

    actor: str
    name: str
    role: str
    session: bool = False

    def may(self, role: str) -> bool:
        """Say whether this role includes `role`."""
        return ROLES.index(self.role) >= ROLES.index(role)

    def may_send(self, role: str) -> bool:
        """Say whether a form that asks for `role` can be sent: by a browser."""
        return self.session and self.may(role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """Somebody for whom others vouch: a provider of OpenID Connect, or the proxy in front of the service."""

    issuer: str
    subject: str
    name: str
    groups: Sequence[str]

    def role(self, roles: Mapping[str, str]) -> str | None:
        """Return the highest role that one of the groups has, or None; ``*`` is a group that everybody is in."""
        found = {roles[group] for group in (*self.groups, "*") if group in roles}
        return max(found, key=ROLES.index, default=None)


def principal_by_key(engine: sa.Engine, presented: str) -> Principal | None:
    """Return who holds a key, or None where it is not good."""
    key = recognised(engine, presented)
    return None if key is None else Principal(actor=f"key:{key.id}", name=key.name or key.id, role=key.role)


def principal_by_session(engine: sa.Engine, secret: str) -> Principal | None:
    """Return who holds the session that a cookie belongs to, or None where it has ended, itself or with its key."""
    query = (
        sa.select(sessions, sa.func.coalesce(keys.c.name, people.c.name).label("name"))
        .outerjoin(keys, sessions.c.key_id == keys.c.id)
        .outerjoin(people, sessions.c.actor == sa.literal("person:").concat(people.c.id))
        .where(sessions.c.secret_sha256 == hash_of(secret), sessions.c.expires_at > now())
        .where(keys.c.revoked_at.is_(None), sa.or_(keys.c.expires_at.is_(None), keys.c.expires_at > now()))
    )
    with reading(engine) as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        return None
    actor = actor_in(row)
    return Principal(actor=actor, name=row.name or row.key_id or actor, role=row.role, session=True)


def actor_of(engine: sa.Engine, vouched: Vouched) -> str | None:
    """Return the pseudonym of somebody who was here before, or None."""
    with reading(engine) as connection:
        found = connection.scalar(_id_of(vouched))
    return None if found is None else f"person:{found}"


def known(engine: sa.Engine, vouched: Vouched) -> str:
    """Return the pseudonym of somebody, given at the first time, and keep the name that goes with it now."""
    with writing(engine) as connection:
        found: str | None = connection.scalar(_id_of(vouched))
        name = vouched.name[:NAME_LENGTH]
        if found is None:
            found = new_id(16)
            row = {"id": found, "issuer": vouched.issuer, "subject": vouched.subject, "created_at": now()}
            connection.execute(people.insert().values(row | {"name": name, "feed": new_secret()}))
        else:
            feed = sa.func.coalesce(people.c.feed, new_secret())
            connection.execute(people.update().where(people.c.id == found).values(name=name, feed=feed))
    return f"person:{found}"


def _id_of(vouched: Vouched) -> sa.Select[Any]:
    return sa.select(people.c.id).where((people.c.issuer == vouched.issuer) & (people.c.subject == vouched.subject))


def names_of_actors(engine: sa.Engine) -> dict[str, str]:
    """Return the name of every actor that has one."""
    with reading(engine) as connection:
        named = {f"key:{row.id}": row.name for row in connection.execute(sa.select(keys.c.id, keys.c.name))}
        named |= {f"person:{row.id}": row.name for row in connection.execute(sa.select(people.c.id, people.c.name))}
    return {actor: name for actor, name in sorted(named.items()) if name}


def forget(engine: sa.Engine, actor: str) -> bool:
    """Forget the name behind a pseudonym, and end a person's sessions and calendar; return whether there was one."""
    kind, _, row_id = actor.partition(":")
    values: dict[str, str | None]
    table, values = keys, {"name": ""}
    if kind == "person":
        table, values = people, {"name": "", "issuer": None, "subject": None, "feed": None}
    elif kind != "key":
        return False
    with writing(engine) as connection:
        named = table.update().where((table.c.id == row_id) & (table.c.name != ""))
        gone = connection.execute(named.values(values)).rowcount == 1
        if gone and kind == "person":
            connection.execute(sessions.delete().where(sessions.c.actor == actor))
    if gone and is_sqlite(engine):  # what was overwritten stands in the log of the database until that is written back
        with closing(engine.raw_connection()) as raw:
            raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return gone


CALENDAR = "kpfcal"


def feed_key_of(engine: sa.Engine, actor: str) -> str | None:
    """Return the key of the feed that belongs to an actor, or None where that is nobody in particular."""
    kind, _, own = actor.partition(":")
    return _feed_key(engine, own) if kind in {"key", "person"} else None


def is_feed_key(engine: sa.Engine, presented: str) -> bool:
    """Say whether a key in the address is one of ours, and whoever it belongs to still known."""
    prefix, _, rest = presented.partition("_")
    expected = _feed_key(engine, rest.partition("_")[0]) if prefix == CALENDAR else None
    return expected is not None and same(presented, expected)


def _feed_key(engine: sa.Engine, own: str) -> str | None:
    with reading(engine) as connection:
        key = connection.execute(sa.select(keys).where(keys.c.id == own[:16])).one_or_none()
        of_person = sa.select(people.c.feed).where(people.c.id == own[:16])
        secret: str | None = connection.scalar(of_person) if key is None else key.secret_sha256
    if secret is None or (key is not None and not is_good(key, now())):
        return None
    return f"{CALENDAR}_{own}_{hmac.digest(secret.encode(), b'calendar feed', hashlib.sha256).hex()}"
