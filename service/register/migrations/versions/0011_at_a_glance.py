"""Indexes that hold all that a glance at the register counts, so that it reads none of the parcels and reports.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

INDEXES = (
    (
        *("ix_comparisons_at_a_glance", "comparisons"),
        ("parcel_id", "n_stones", "carats", "position", "created_at", "conclusion", "exporter"),
    ),
    ("ix_declared_zones_position_zone_id_carats", "declared_zones", ("position", "zone_id", "carats")),
)
FLAGGED = sa.text("flags NOT IN ('', '[]')")


def upgrade() -> None:
    """Add them."""
    for name, table, columns in INDEXES:
        op.create_index(name, table, [*columns])
    op.create_index(
        "ix_comparisons_flagged", "comparisons", ["position"], sqlite_where=FLAGGED, postgresql_where=FLAGGED
    )


def downgrade() -> None:
    """Take them away."""
    op.drop_index("ix_comparisons_flagged", "comparisons")
    for name, table, _ in INDEXES:
        op.drop_index(name, table)
