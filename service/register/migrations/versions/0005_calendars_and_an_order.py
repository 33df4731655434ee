"""A secret of each person, from which the address of their calendar is made; an exporter's parcels by their LR.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BY_LR = "ix_comparisons_exporter_log10_lr_position"


def upgrade() -> None:
    """Add the column, which is filled as people sign in, and the index."""
    op.add_column("people", sa.Column("feed", sa.String(64)))
    op.create_index(BY_LR, "comparisons", ["exporter", "log10_lr", "position"])


def downgrade() -> None:
    """Take both away."""
    op.drop_index(BY_LR, "comparisons")
    op.drop_column("people", "feed")
