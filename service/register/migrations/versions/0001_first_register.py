"""First register: keys, sessions, comparisons, activations."""

import sqlalchemy as sa
from alembic import op

from service.register.tables import needed, numbered, optional

revision = "0001"
down_revision = None

MOMENT = sa.String(27)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "keys",
        sa.Column("id", sa.String(16), primary_key=True),
        *needed(sa.Text(), "name"),
        *needed(sa.String(16), "role"),
        *needed(sa.String(64), "secret_sha256"),
        *needed(MOMENT, "created_at"),
        *optional(MOMENT, "revoked_at"),
    )
    op.create_table(
        "sign_in_links",
        sa.Column("secret_sha256", sa.String(64), primary_key=True),
        *needed(MOMENT, "created_at", "expires_at"),
        *optional(MOMENT, "used_at"),
    )
    op.create_table(
        "sessions",
        sa.Column("secret_sha256", sa.String(64), primary_key=True),
        sa.Column("key_id", sa.String(16), sa.ForeignKey("keys.id")),
        *needed(sa.String(16), "role"),
        *needed(sa.String(64), "csrf"),
        *needed(MOMENT, "created_at"),
        *needed(MOMENT, "expires_at", index=True),
    )
    op.create_table(
        "comparisons",
        numbered(),
        *needed(sa.String(20), "id", unique=True),
        *needed(MOMENT, "created_at"),
        *needed(sa.String(32), "actor"),
        *needed(sa.Text(), "parcel_id", "report_id", "release", "declared"),
        *optional(sa.String(16), "conclusion"),
        *optional(sa.Float(), "log10_lr"),
        *needed(sa.LargeBinary(), "parcel", "report"),
        *optional(sa.String(255), "idempotency_key"),
        *optional(sa.String(64), "request_sha256"),
        sa.UniqueConstraint("actor", "idempotency_key"),
    )
    op.create_index("ix_comparisons_parcel_id", "comparisons", ["parcel_id"])
    op.create_table(
        "activations",
        numbered(),
        *needed(sa.Text, "release"),
        *needed(MOMENT, "activated_at"),
        *needed(sa.String(32), "actor"),
    )
