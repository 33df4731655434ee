"""Browsers that are signed in, and the one-time link that signs the first one in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from service.clock import now
from service.register.database import reading, writing
from service.register.keys import hash_of, new_secret
from service.register.paging import new_id, of_row
from service.register.tables import keys, sessions, sign_in_links

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


def close(engine: sa.Engine, secret: str) -> None:
    """End a session."""
    with writing(engine) as connection:
        connection.execute(sessions.delete().where(sessions.c.secret_sha256 == hash_of(secret)))


def open_sessions(engine: sa.Engine) -> list[OpenSession]:
    """Return every session that has not ended, the newest first."""
    query = sa.select(sessions).where(sessions.c.expires_at > now()).order_by(sessions.c.created_at.desc())
    with reading(engine) as connection:
        rows = connection.execute(query).all()
    return [of_row(OpenSession, row, id=row.id or "", actor=actor_in(row)) for row in rows]


def end(engine: sa.Engine, session_id: str) -> bool:
    """End a session by its id; return False where there is none."""
    with writing(engine) as connection:
        return connection.execute(sessions.delete().where(sessions.c.id == session_id)).rowcount == 1
