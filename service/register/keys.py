"""Keys: made, listed, revoked, recognised, without the service running too; and the browsers that are signed in.

Of a secret that is handed out the register keeps a hash, never the secret. It holds 256 random bits, so a plain SHA-256
of it cannot be turned back; nothing is gained by a slow hash.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from kpfootprint.retold import Said
from kpfootprint.visible import is_visible
from service.clock import moment_in, now
from service.register.database import RegisterUnavailable, new_id, of_row, reading, writing
from service.register.opening import opened
from service.register.tables import keys, sessions, sign_in_links
from service.settings import ROLES, Settings

PREFIX = "kpf"
NAME_LENGTH = 100
NOTED_EVERY = timedelta(minutes=1)
"""How exactly the last use of a key is kept; a write for every request would cost more than it tells."""

_TRIED: dict[str, datetime] = {}
"""When this process last tried to note the use of a key."""


class BadKey(ValueError):
    """A key cannot be made as asked; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What may be shown of a key."""

    id: str
    name: str
    role: str
    created_at: datetime
    revoked_at: datetime | None
    expires_at: datetime | None
    last_used_at: datetime | None


def new_secret() -> str:
    """Return 256 random bits as 43 characters that are safe in addresses."""
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def same(given: str, kept: str) -> bool:
    """Compare in a time that tells nothing of where the two differ."""
    return hmac.compare_digest(given.encode(), kept.encode())


def make_key(engine: sa.Engine, role: str, name: str, expires_at: datetime | None = None) -> tuple[Key, str]:
    """Make a key and return it with its secret, which nobody can read again; it opens nothing from `expires_at` on."""
    if role not in ROLES:
        raise BadKey(Said("role must be one of {roles}, got {found}", roles=", ".join(ROLES), found=repr(role)))
    name = " ".join(name.split())
    if len(name) > NAME_LENGTH or not is_visible(name):
        raise BadKey(Said("name must be at most {most} printable characters", most=NAME_LENGTH))
    made = now()
    if expires_at is not None and expires_at <= made:
        raise BadKey("a key that expires must do so in the future")
    row: dict[str, Any] = {"id": new_id(8), "name": name, "role": role, "created_at": made, "expires_at": expires_at}
    key = Key(**row, revoked_at=None, last_used_at=None)
    secret = new_secret()
    with writing(engine) as connection:
        connection.execute(keys.insert().values(row | {"secret_sha256": hash_of(secret)}))
    return key, f"{PREFIX}_{key.id}_{secret}"


def expiry_in(text: str | None) -> datetime | None:
    """Return the moment or the day on which a key is to end."""
    try:
        return None if text is None else moment_in(text)
    except ValueError:
        raise BadKey("expires_at must be a moment such as 2027-01-31T12:00:00Z, or a day") from None


def all_keys(engine: sa.Engine) -> list[Key]:
    """Return every key, the oldest first, revoked ones too."""
    with reading(engine) as connection:
        rows = connection.execute(sa.select(keys).order_by(keys.c.created_at, keys.c.id))
        return [of_row(Key, row) for row in rows]


def revoke(engine: sa.Engine, key_id: str) -> bool:
    """Revoke a key, and with it the sessions it opened; return False where there is no such key."""
    with writing(engine) as connection:
        found = connection.scalar(sa.select(keys.c.id).where(keys.c.id == key_id))
        unrevoked = (keys.c.id == key_id) & keys.c.revoked_at.is_(None)
        connection.execute(keys.update().where(unrevoked).values(revoked_at=now()))
    return found is not None


def recognised(engine: sa.Engine, presented: str) -> Key | None:
    """Return the key that was presented, or None where it is none of ours or was revoked."""
    prefix, _, rest = presented.partition("_")
    key_id, _, secret = rest.partition("_")
    if prefix != PREFIX or not (1 <= len(key_id) <= 16) or not (1 <= len(secret) <= 100) or not presented.isascii():
        return None
    with reading(engine) as connection:
        row = connection.execute(sa.select(keys).where(keys.c.id == key_id)).one_or_none()
    moment = now()
    if row is None or not same(hash_of(secret), row.secret_sha256) or not is_good(row, moment):
        return None
    if all(moment - at > NOTED_EVERY for at in (row.last_used_at, _TRIED.get(key_id)) if at is not None):
        _TRIED[key_id] = moment
        with suppress(RegisterUnavailable), writing(engine) as connection:  # a full disk keeps nobody from reading
            connection.execute(keys.update().where(keys.c.id == key_id).values(last_used_at=moment))
    return of_row(Key, row)


def is_good(row: Any, moment: datetime) -> bool:
    """Say whether a key was neither revoked nor has expired."""
    return row.revoked_at is None and (row.expires_at is None or row.expires_at > moment)


def create_key(settings: Settings, role: str, name: str = "", expires_at: datetime | None = None) -> str:
    """Make a key in the register and return it; this is the only time it can be read."""
    with opened(settings) as engine:
        return make_key(engine, role, name, expires_at)[1]


SESSION_LASTS = timedelta(hours=12)
LINK_LASTS = timedelta(hours=1)
LINK_ROLE = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """What may be shown of a session."""

    id: str
    actor: str
    role: str
    created_at: datetime
    expires_at: datetime


def new_link(engine: sa.Engine) -> str | None:
    """Return the secret of a new one-time link where one is due, and None otherwise.

    One is due at the first start, and again as long as nobody has ever signed in and there is no key.
    An older link that was not used is void from then on.
    """
    secret = new_secret()
    made = now()
    with writing(engine) as connection:
        offered = connection.scalar(sa.select(sa.func.count()).select_from(sign_in_links))
        used = connection.scalar(sa.select(sa.func.count(sign_in_links.c.used_at)))
        if offered and (used or connection.scalar(sa.select(sa.func.count()).select_from(keys))):
            return None
        connection.execute(sign_in_links.delete())
        row = {"secret_sha256": hash_of(secret), "created_at": made, "expires_at": made + LINK_LASTS}
        connection.execute(sign_in_links.insert().values(row))
    return secret


def open_by_link(engine: sa.Engine, secret: str, *, instead_of: str | None = None) -> str | None:
    """Use up a one-time link and return the secret of the session it opens, or None where the link is not good.

    The browser's earlier session, `instead_of`, ends with that.
    """
    with writing(engine) as connection:
        good = (
            (sign_in_links.c.secret_sha256 == hash_of(secret))
            & sign_in_links.c.used_at.is_(None)
            & (sign_in_links.c.expires_at > now())
        )
        used = connection.execute(sign_in_links.update().where(good).values(used_at=now()))
        return _opened(connection, LINK_ROLE, None, "browser", instead_of) if used.rowcount == 1 else None


def open_for(
    engine: sa.Engine, actor: str, role: str, *, key_id: str | None = None, instead_of: str | None = None
) -> str:
    """Return the secret of a session; revoking the key that opened it ends it, and opening it ends `instead_of`."""
    with writing(engine) as connection:
        return _opened(connection, role, key_id, actor, instead_of)


def _opened(connection: sa.Connection, role: str, key_id: str | None, actor: str, instead_of: str | None) -> str:
    secret = new_secret()
    ended = sessions.c.expires_at <= now()
    if instead_of is not None:
        ended |= sessions.c.secret_sha256 == hash_of(instead_of)
    connection.execute(sessions.delete().where(ended))
    row = {
        "secret_sha256": hash_of(secret),
        "id": new_id(16),
        "actor": actor,
        "key_id": key_id,
        "role": role,
        "created_at": now(),
        "expires_at": now() + SESSION_LASTS,
    }
    connection.execute(sessions.insert().values(row))
    return secret


def actor_in(row: Any) -> str:
    """Return the pseudonym of whoever opened a session; earlier versions kept none."""
    return str(row.actor or ("browser" if row.key_id is None else f"key:{row.key_id}"))


def close_session(engine: sa.Engine, secret: str) -> None:
    """End a session."""
    with writing(engine) as connection:
        connection.execute(sessions.delete().where(sessions.c.secret_sha256 == hash_of(secret)))


def open_sessions(engine: sa.Engine) -> list[OpenSession]:
    """Return every session that has not ended, the newest first."""
    query = sa.select(sessions).where(sessions.c.expires_at > now()).order_by(sessions.c.created_at.desc())
    with reading(engine) as connection:
        rows = connection.execute(query).all()
    return [of_row(OpenSession, row, id=row.id or "", actor=actor_in(row)) for row in rows]


def end_session(engine: sa.Engine, session_id: str) -> bool:
    """End a session by its id; return False where there is none."""
    with writing(engine) as connection:
        return connection.execute(sessions.delete().where(sessions.c.id == session_id)).rowcount == 1
