"""Who is known: the holder of a key, or of a session that a key or the one-time link opened."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from service.register.keys import ROLES, all_keys, recognised
from service.register.sessions import session_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who is asking.

    Parameters
    ----------
    actor : str
        Stable name that the register keeps: ``key:ID``, or ``browser`` after the one-time link.
    csrf : str or None
        Token that a browser's forms carry; None for programs.
    """

    actor: str
    name: str
    role: str
    csrf: str | None = None

    def may(self, role: str) -> bool:
        """Say whether this role includes `role`."""
        return ROLES.index(self.role) >= ROLES.index(role)


def names_of_actors(engine: sa.Engine) -> dict[str, str]:
    """Return what the holders of keys are called, by the name that the register keeps of them."""
    return {f"key:{key.id}": key.name or key.id for key in all_keys(engine)}


def principal_by_key(engine: sa.Engine, presented: str) -> Principal | None:
    """Return who holds a key, or None where it is not good."""
    key = recognised(engine, presented)
    return None if key is None else Principal(actor=f"key:{key.id}", name=key.name or key.id, role=key.role)


def principal_by_session(engine: sa.Engine, secret: str) -> Principal | None:
    """Return who holds a session, or None where it has ended."""
    session = session_of(engine, secret)
    if session is None:
        return None
    name = session.name or session.key_id or session.actor
    return Principal(actor=session.actor, name=name, role=session.role, csrf=session.csrf)
