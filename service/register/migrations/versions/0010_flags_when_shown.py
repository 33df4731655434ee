"""Submissions without a column of flags: these are found when a submission is shown, and nobody read them here.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Take the empty lists away."""
    op.drop_column("submissions", "flags")


def downgrade() -> None:
    """Keep empty lists again."""
    op.add_column("submissions", sa.Column("flags", sa.Text, nullable=False, server_default="[]"))
