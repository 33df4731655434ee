"""First register: keys, sessions, comparisons, activations."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "keys",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("revoked_at", sa.String(27)),
        sa.PrimaryKeyConstraint("id", name="pk_keys"),
    )
    op.create_table(
        "sign_in_links",
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("expires_at", sa.String(27), nullable=False),
        sa.Column("used_at", sa.String(27)),
        sa.PrimaryKeyConstraint("secret_sha256", name="pk_sign_in_links"),
    )
    op.create_table(
        "sessions",
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("key_id", sa.String(16)),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("csrf", sa.String(64), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("expires_at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("secret_sha256", name="pk_sessions"),
        sa.ForeignKeyConstraint(["key_id"], ["keys.id"], name="fk_sessions_key_id"),
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "comparisons",
        sa.Column("position", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(20), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("actor", sa.String(32), nullable=False),
        sa.Column("parcel_id", sa.Text(), nullable=False),
        sa.Column("report_id", sa.Text(), nullable=False),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("conclusion", sa.String(16)),
        sa.Column("log10_lr", sa.Float()),
        sa.Column("declared", sa.Text(), nullable=False),
        sa.Column("parcel", sa.LargeBinary(), nullable=False),
        sa.Column("report", sa.LargeBinary(), nullable=False),
        sa.Column("idempotency_key", sa.String(255)),
        sa.Column("request_sha256", sa.String(64)),
        sa.PrimaryKeyConstraint("position", name="pk_comparisons"),
        sa.UniqueConstraint("id", name="uq_comparisons_id"),
        sa.UniqueConstraint("actor", "idempotency_key", name="uq_comparisons_actor_idempotency_key"),
    )
    op.create_index("ix_comparisons_parcel_id", "comparisons", ["parcel_id"])
    op.create_table(
        "activations",
        sa.Column("position", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("activated_at", sa.String(27), nullable=False),
        sa.Column("actor", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_activations"),
    )
