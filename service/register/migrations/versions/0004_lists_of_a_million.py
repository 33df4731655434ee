"""Indexes by which a list of a million comparisons is read in its order, narrowed or not.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

BEFORE: tuple[tuple[str, ...], ...] = (("parcel_id",), ("exporter", "position"), ("conclusion", "position"))
AFTER: tuple[tuple[str, ...], ...] = (
    ("parcel_id", "created_at", "position"),
    ("exporter", "created_at", "position"),
    ("conclusion", "created_at", "position"),
    ("conclusion", "log10_lr", "position"),
    ("report_id",),
)


def _name(columns: tuple[str, ...]) -> str:
    return f"ix_comparisons_{'_'.join(columns)}"


def upgrade() -> None:
    """Put indexes that end in the order of the list in the place of those that do not."""
    for columns in BEFORE:
        op.drop_index(_name(columns), "comparisons")
    for columns in AFTER:
        op.create_index(_name(columns), "comparisons", [*columns])


def downgrade() -> None:
    """Put the indexes back."""
    for columns in AFTER:
        op.drop_index(_name(columns), "comparisons")
    for columns in BEFORE:
        op.create_index(_name(columns), "comparisons", [*columns])
