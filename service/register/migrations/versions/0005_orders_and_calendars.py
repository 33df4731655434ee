"""Words and zones in the order of time, an exporter's parcels by their LR; a secret behind each person's calendar.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

INDEXES = (
    ("comparisons", ("exporter", "log10_lr", "position")),
    ("declared_zones", ("zone_id", "created_at", "position")),
    ("words", ("word", "created_at", "position")),
)


def upgrade() -> None:
    """Add the columns (that of people is filled as they sign in) and the indexes."""
    op.add_column("people", sa.Column("feed", sa.String(64)))
    for table in ("declared_zones", "words"):
        op.add_column(table, sa.Column("created_at", sa.String(27)))
        of = f"SELECT created_at FROM comparisons WHERE comparisons.position = {table}.position"
        op.execute(f"UPDATE {table} SET created_at = ({of})")
    for table, columns in INDEXES:
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, [*columns])


def downgrade() -> None:
    """Take them away."""
    for table, columns in INDEXES:
        op.drop_index(f"ix_{table}_{'_'.join(columns)}", table)
    for table, column in (("words", "created_at"), ("declared_zones", "created_at"), ("people", "feed")):
        op.drop_column(table, column)
