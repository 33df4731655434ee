"""The zones that the parcels of a submission declare, beside it, so that a list need not look at every parcel.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Gather them from the parcels."""
    op.add_column("submissions", sa.Column("declared", sa.Text, nullable=False, server_default=""))
    connection = op.get_bind()
    zones: dict[str, set[str]] = {}
    for row in connection.execute(sa.text("SELECT DISTINCT submission_id, declared FROM submission_parcels")):
        zones.setdefault(row.submission_id, set()).update(row.declared.split())
    told = [{"id": one, "declared": "".join(f" {zone} " for zone in sorted(own))} for one, own in zones.items() if own]
    if told:
        connection.execute(sa.text("UPDATE submissions SET declared = :declared WHERE id = :id"), told)


def downgrade() -> None:
    """Take them away."""
    op.drop_column("submissions", "declared")
