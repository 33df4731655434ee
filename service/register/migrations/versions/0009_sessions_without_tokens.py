"""Sessions without a token for forms: a browser says by itself which page sent a request.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Take the tokens away; sessions go on."""
    op.drop_column("sessions", "csrf")


def downgrade() -> None:
    """End the sessions, which have no token, and keep tokens again."""
    op.execute("DELETE FROM sessions")
    op.add_column("sessions", sa.Column("csrf", sa.String(64), nullable=False, server_default=""))
