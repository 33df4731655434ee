"""Pieces that the tables of migrations are made of."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

MOMENT = sa.String(27)


def needed(kind: Any, *names: str, **more: Any) -> list[sa.Column[Any]]:
    """Return columns that are never empty."""
    return [sa.Column(name, kind, nullable=False, **more) for name in names]


def optional(kind: Any, *names: str) -> list[sa.Column[Any]]:
    """Return columns that may be empty."""
    return [sa.Column(name, kind) for name in names]


def numbered(name: str = "position", *, by_itself: bool = True) -> sa.Column[Any]:
    """Return the column that numbers the rows of a table."""
    return sa.Column(name, sa.Integer(), primary_key=True, autoincrement=by_itself)


def make_activations() -> sa.Table:
    """Make the table of what was put in force, which was there before the chain told it."""
    actor, release = needed(sa.String(32), "actor"), needed(sa.Text(), "release")
    return op.create_table("activations", numbered(), *release, *needed(MOMENT, "activated_at"), *actor)
