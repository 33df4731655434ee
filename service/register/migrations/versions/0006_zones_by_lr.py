"""Zones in the order of the LR, so that a zone's likeliest and unlikeliest parcels are found without a walk.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

COLUMNS = ("zone_id", "log10_lr", "position")
INDEX = f"ix_declared_zones_{'_'.join(COLUMNS)}"


def upgrade() -> None:
    """Add the column, filled from the comparisons, and the index."""
    op.add_column("declared_zones", sa.Column("log10_lr", sa.Float))
    of = "SELECT log10_lr FROM comparisons WHERE comparisons.position = declared_zones.position"
    op.execute(f"UPDATE declared_zones SET log10_lr = ({of})")
    op.create_index(INDEX, "declared_zones", [*COLUMNS])


def downgrade() -> None:
    """Take them away."""
    op.drop_index(INDEX, "declared_zones")
    op.drop_column("declared_zones", "log10_lr")
