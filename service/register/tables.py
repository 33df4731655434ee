"""Tables of the register as they are now; ``migrations/`` holds how they came to be.

What was acknowledged stands in `entries`, which is only ever added to, and in `comparisons`, whose rows never change.
The other tables are worked on: they can be told again from the entries, or are of no weight later.
"""

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

APPEND_ONLY = ("entries", "comparisons")
"""Tables whose rows a trigger keeps from being changed or removed."""

REFUSES = "the register is append-only"
"""What such a trigger says."""


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


def needed(kind: Any, *names: str, **more: Any) -> list[sa.Column[Any]]:
    """Return columns that are never empty."""
    return [sa.Column(name, kind, nullable=False, **more) for name in names]


def optional(kind: Any, *names: str) -> list[sa.Column[Any]]:
    """Return columns that may be empty."""
    return [sa.Column(name, kind) for name in names]


def numbered(name: str = "position", *, by_itself: bool = True) -> sa.Column[Any]:
    """Return the column that numbers the rows of a table."""
    return sa.Column(name, sa.Integer, primary_key=True, autoincrement=by_itself)


def ordered(table: str, *columns: str) -> sa.Index:
    """Return an index by columns."""
    return sa.Index(f"ix_{table}_{'_'.join(columns)}", *columns)


keys = sa.Table(
    "keys",
    metadata,
    sa.Column("id", sa.String(16), primary_key=True),
    *needed(sa.Text, "name"),
    *needed(sa.String(16), "role"),
    *needed(sa.String(64), "secret_sha256"),
    *needed(Moment, "created_at"),
    *optional(Moment, "revoked_at", "expires_at", "last_used_at"),
)

sign_in_links = sa.Table(
    "sign_in_links",
    metadata,
    sa.Column("secret_sha256", sa.String(64), primary_key=True),
    *needed(Moment, "created_at", "expires_at"),
    *optional(Moment, "used_at"),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("secret_sha256", sa.String(64), primary_key=True),
    sa.Column("key_id", sa.ForeignKey("keys.id")),  # none where the one-time link or a provider opened it
    *needed(sa.String(16), "role"),
    *needed(sa.String(64), "csrf"),
    *needed(Moment, "created_at"),
    *needed(Moment, "expires_at", index=True),
    *optional(sa.String(16), "id"),
    *optional(sa.String(32), "actor"),
)

people = sa.Table(
    "people",
    metadata,
    sa.Column("id", sa.String(16), primary_key=True),
    *optional(sa.Text, "issuer", "subject"),  # who vouched for somebody, and by which name; none of both once forgotten
    *needed(sa.Text, "name"),
    *needed(Moment, "created_at"),
    *optional(sa.String(64), "feed"),  # secret behind the address of their calendar
    sa.UniqueConstraint("issuer", "subject"),
)
"""Who is behind the pseudonyms ``person:ID`` of the entries: no part of the chain, and can be emptied."""

practice = sa.Table(
    "practice",
    metadata,
    numbered(),
    *needed(sa.String(20), "id", unique=True),
    *needed(sa.String(32), "actor"),
    *needed(Moment, "drawn_at"),
    *needed(sa.LargeBinary, "parcel", "report"),  # its canonical JSON and what the program says of it, zlib
    *needed(sa.Text, "origin"),  # a zone, or `unlisted`
    *needed(sa.Float, "share", server_default="1"),  # of its stones that came from there
    *needed(sa.Boolean, "held"),  # whether what is declared is true
    *needed(sa.String(16), "computed"),
    *optional(sa.String(16), "conclusion"),  # the person's; none before it is given
    *optional(sa.Text, "reasons"),
    *optional(Moment, "answered_at"),
    ordered("practice", "actor", "position"),
)

entries = sa.Table(
    "entries",
    metadata,
    numbered(by_itself=False),  # without gaps, from 1
    *needed(sa.String(20), "id", unique=True),
    *needed(sa.String(24), "kind"),
    *needed(Moment, "at", index=True),
    *needed(sa.String(32), "actor"),
    *needed(sa.String(64), "subject"),  # id of what the entry is about
    *needed(sa.Text, "content"),  # canonical JSON
    *needed(sa.String(64), "previous", "hash"),
    ordered("entries", "subject", "position"),
    ordered("entries", "kind", "position"),
)

comparisons = sa.Table(
    "comparisons",
    metadata,
    numbered(),
    *needed(sa.String(20), "id", unique=True),
    *needed(Moment, "created_at"),
    *needed(sa.String(32), "actor"),
    *needed(sa.Text, "parcel_id"),
    *needed(sa.Text, "report_id", index=True),
    *needed(sa.Text, "release", "declared"),  # zone ids, a blank between
    *optional(sa.String(16), "conclusion"),
    *optional(sa.Float, "log10_lr", "carats", "value_usd"),
    *needed(sa.LargeBinary, "parcel", "report"),  # its canonical JSON and the report as it was answered, zlib
    *optional(sa.String(255), "idempotency_key"),
    *optional(sa.String(64), "request_sha256"),
    *optional(sa.Text, "exporter", "certificate_no", "certificate_key"),  # the number as it is compared with others
    *optional(sa.String(10), "exported_on"),
    *optional(sa.Integer, "n_stones"),
    *optional(sa.Text, "flags"),  # canonical JSON
    *optional(sa.String(20), "submission_id"),
    sa.UniqueConstraint("actor", "idempotency_key"),
    ordered("comparisons", "created_at", "position"),
    ordered("comparisons", "parcel_id", "created_at", "position"),
    ordered("comparisons", "exporter", "created_at", "position"),
    ordered("comparisons", "exporter", "log10_lr", "position"),
    ordered("comparisons", "conclusion", "created_at", "position"),
    ordered("comparisons", "conclusion", "log10_lr", "position"),
    ordered("comparisons", "log10_lr", "position"),
    ordered("comparisons", "certificate_key"),
)


def of_comparison() -> sa.Column[Any]:
    """Return the column that says which comparison a row is found by."""
    return sa.Column("position", sa.ForeignKey("comparisons.position"), primary_key=True)


declared_zones = sa.Table(
    "declared_zones",
    metadata,
    sa.Column("zone_id", sa.String(64), primary_key=True),
    of_comparison(),
    *optional(sa.Float, "carats", "log10_lr"),
    *optional(Moment, "created_at"),
    ordered("declared_zones", "zone_id", "created_at", "position"),
    ordered("declared_zones", "zone_id", "log10_lr", "position"),
)

words = sa.Table(
    "words",
    metadata,
    sa.Column("word", sa.String(64), primary_key=True),
    of_comparison(),
    *optional(Moment, "created_at"),
    ordered("words", "position", "word"),
    ordered("words", "word", "created_at", "position"),
)

stone_marks = sa.Table(
    "stone_marks",
    metadata,
    sa.Column("mark", sa.BigInteger, primary_key=True, autoincrement=False),
    of_comparison(),
)

submissions = sa.Table(
    "submissions",
    metadata,
    numbered(),
    *needed(sa.String(20), "id", unique=True),
    *needed(Moment, "received_at", "due_at", index=True),
    *needed(sa.String(32), "actor"),
    *needed(sa.String(16), "state"),
    *optional(sa.Text, "exporter"),
    *needed(sa.Text, "declared", server_default=""),  # zones of all its parcels, a blank around each
    *needed(sa.Text, "note", "file_name", "flags"),  # flags are canonical JSON
    *needed(sa.Integer, "n_parcels", "n_bad"),
    *needed(sa.String(20), "job_id"),
    *optional(sa.String(255), "idempotency_key"),
    *optional(sa.String(64), "request_sha256"),
    sa.UniqueConstraint("actor", "idempotency_key"),
)

submission_parcels = sa.Table(
    "submission_parcels",
    metadata,
    sa.Column("submission_id", sa.ForeignKey("submissions.id"), primary_key=True),
    numbered("ordinal", by_itself=False),
    *needed(sa.Text, "parcel_id", "declared", "problems"),  # problems are canonical JSON
    *optional(sa.Text, "exporter"),
    *optional(sa.LargeBinary, "parcel"),  # the canonical JSON parcel, zlib; none where there are problems
    *optional(sa.String(20), "comparison_id"),
    ordered("submission_parcels", "exporter", "submission_id"),
)

files = sa.Table(
    "files",
    metadata,
    sa.Column("subject", sa.String(20), primary_key=True),  # a submission or a job
    sa.Column("name", sa.String(255), primary_key=True),
    *needed(sa.String(64), "sha256"),
    *needed(sa.LargeBinary, "content"),
)

jobs = sa.Table(
    "jobs",
    metadata,
    numbered("number"),
    *needed(sa.String(20), "id", unique=True),
    *needed(sa.String(24), "kind"),
    *needed(sa.String(16), "state", index=True),
    *needed(sa.String(64), "subject"),
    *needed(sa.String(32), "actor"),
    *needed(sa.Text, "parameters"),  # canonical JSON
    *needed(sa.Integer, "done", "total", "attempts"),
    *needed(Moment, "created_at"),
    *optional(Moment, "started_at", "ended_at"),
    *optional(sa.Text, "problem", "result"),
    *needed(sa.Boolean, "cancel_asked"),
)

job_holds = sa.Table("job_holds", metadata, numbered("number", by_itself=False))
"""A row for each job that is not over; whoever works on the job holds its row locked (PostgreSQL)."""

certificates = sa.Table(
    "certificates",
    metadata,
    numbered(),
    *needed(sa.Text, "certificate_key", "certificate_no", "reported_by", "note"),
    *optional(sa.String(10), "reported_on"),
    *needed(Moment, "added_at"),
    sa.UniqueConstraint("certificate_key", "reported_by"),
)
