"""Zones and exporters of the parcels of a submission, where a list finds them without a look at every parcel.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


PARCELS, OLD, NEW = (
    "submission_parcels",
    "ix_submission_parcels_exporter",
    "ix_submission_parcels_exporter_submission_id",
)


def upgrade() -> None:
    """Gather the zones from the parcels, and put submissions into the index of exporters."""
    op.drop_index(OLD, PARCELS)
    op.create_index(NEW, PARCELS, ["exporter", "submission_id"])
    op.add_column("submissions", sa.Column("declared", sa.Text, nullable=False, server_default=""))
    connection = op.get_bind()
    zones: dict[str, set[str]] = {}
    for row in connection.execute(sa.text("SELECT DISTINCT submission_id, declared FROM submission_parcels")):
        zones.setdefault(row.submission_id, set()).update(row.declared.split())
    told = [{"id": one, "declared": "".join(f" {zone} " for zone in sorted(own))} for one, own in zones.items() if own]
    if told:
        connection.execute(sa.text("UPDATE submissions SET declared = :declared WHERE id = :id"), told)


def downgrade() -> None:
    """Do without."""
    op.drop_index(NEW, PARCELS)
    op.create_index(OLD, PARCELS, ["exporter"])
    op.drop_column("submissions", "declared")
