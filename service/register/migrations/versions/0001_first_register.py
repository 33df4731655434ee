"""First register: keys, sessions, comparisons, activations."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "keys",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("revoked_at", sa.String(27)),
    )
    op.create_table(
        "sign_in_links",
        sa.Column("secret_sha256", sa.String(64), primary_key=True),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("expires_at", sa.String(27), nullable=False),
        sa.Column("used_at", sa.String(27)),
    )
    op.create_table(
        "sessions",
        sa.Column("secret_sha256", sa.String(64), primary_key=True),
        sa.Column("key_id", sa.String(16), sa.ForeignKey("keys.id")),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("csrf", sa.String(64), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("expires_at", sa.String(27), nullable=False, index=True),
    )
    op.create_table(
        "comparisons",
        sa.Column("position", sa.Integer(), autoincrement=True, primary_key=True),
        sa.Column("id", sa.String(20), nullable=False, unique=True),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("actor", sa.String(32), nullable=False),
        sa.Column("parcel_id", sa.Text(), nullable=False, index=True),
        sa.Column("report_id", sa.Text(), nullable=False),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("conclusion", sa.String(16)),
        sa.Column("log10_lr", sa.Float()),
        sa.Column("declared", sa.Text(), nullable=False),
        sa.Column("parcel", sa.LargeBinary(), nullable=False),
        sa.Column("report", sa.LargeBinary(), nullable=False),
        sa.Column("idempotency_key", sa.String(255)),
        sa.Column("request_sha256", sa.String(64)),
        sa.UniqueConstraint("actor", "idempotency_key"),
    )
    op.create_table(
        "activations",
        sa.Column("position", sa.Integer(), autoincrement=True, primary_key=True),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("activated_at", sa.String(27), nullable=False),
        sa.Column("actor", sa.String(32), nullable=False),
    )
