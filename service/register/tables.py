"""Tables of the register as they are now; ``migrations/`` holds how they came to be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(sa.types.TypeDecorator[datetime]):
    """A moment in UTC, kept as ISO 8601 text, so that every database orders and shows it alike."""

    impl = sa.String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> str | None:  # noqa: ARG002
        """Write the moment in UTC."""
        return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"

    def process_result_value(self, value: str | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        """Read it back with its time zone."""
        return None if value is None else datetime.fromisoformat(value)


keys = sa.Table(
    "keys",
    metadata,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("secret_sha256", sa.String(64), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("revoked_at", Moment),
)

sign_in_links = sa.Table(
    "sign_in_links",
    metadata,
    sa.Column("secret_sha256", sa.String(64), primary_key=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("used_at", Moment),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("secret_sha256", sa.String(64), primary_key=True),
    sa.Column("key_id", sa.ForeignKey("keys.id")),  # none where the one-time link opened it
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("csrf", sa.String(64), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False, index=True),
)

comparisons = sa.Table(
    "comparisons",
    metadata,
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(20), nullable=False, unique=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("actor", sa.String(32), nullable=False),
    sa.Column("parcel_id", sa.Text, nullable=False, index=True),
    sa.Column("report_id", sa.Text, nullable=False),
    sa.Column("release", sa.Text, nullable=False),
    sa.Column("conclusion", sa.String(16)),
    sa.Column("log10_lr", sa.Float),
    sa.Column("declared", sa.Text, nullable=False),  # zone ids, a blank between
    sa.Column("parcel", sa.LargeBinary, nullable=False),  # the canonical JSON parcel, zlib
    sa.Column("report", sa.LargeBinary, nullable=False),  # the report as it was answered, zlib
    sa.Column("idempotency_key", sa.String(255)),
    sa.Column("request_sha256", sa.String(64)),
    sa.UniqueConstraint("actor", "idempotency_key"),
)

activations = sa.Table(
    "activations",
    metadata,
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("release", sa.Text, nullable=False),
    sa.Column("activated_at", Moment, nullable=False),
    sa.Column("actor", sa.String(32), nullable=False),
)
