"""Names of people apart from the chain, and the parcels that somebody practised on.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "people",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("issuer", sa.Text()),
        sa.Column("subject", sa.Text()),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.UniqueConstraint("issuer", "subject"),
    )
    op.create_table(
        "practice",
        sa.Column("position", sa.Integer(), autoincrement=True, primary_key=True),
        sa.Column("id", sa.String(20), nullable=False, unique=True),
        sa.Column("actor", sa.String(32), nullable=False),
        sa.Column("drawn_at", sa.String(27), nullable=False),
        sa.Column("parcel", sa.LargeBinary(), nullable=False),
        sa.Column("report", sa.LargeBinary(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("computed", sa.String(16), nullable=False),
        sa.Column("conclusion", sa.String(16)),
        sa.Column("reasons", sa.Text()),
        sa.Column("answered_at", sa.String(27)),
    )
    op.create_index("ix_practice_actor_position", "practice", ["actor", "position"])


def downgrade() -> None:
    """Take them away."""
    op.drop_table("practice")
    op.drop_table("people")
