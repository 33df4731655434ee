"""Parcels to practise on of which only a share comes from elsewhere.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the share; until now it was the whole parcel."""
    op.add_column("practice", sa.Column("share", sa.Float, nullable=False, server_default="1"))


def downgrade() -> None:
    """Take it away."""
    op.drop_column("practice", "share")
