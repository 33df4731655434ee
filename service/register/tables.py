"""Tables of the register as they are now; ``migrations/`` holds how they came to be.

What was acknowledged stands in `entries`, which is only ever added to, and in `comparisons`, whose rows never change.
The other tables are worked on: they can be told again from the entries, or are of no weight later.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from service.clock import exactly

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
        return None if value is None else exactly(value)

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
    sa.Column("expires_at", Moment),
    sa.Column("last_used_at", Moment),
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
    sa.Column("key_id", sa.ForeignKey("keys.id")),  # none where the one-time link or a provider opened it
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False, index=True),
    sa.Column("id", sa.String(16)),
    sa.Column("actor", sa.String(32)),
)

people = sa.Table(
    "people",
    metadata,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("issuer", sa.Text),  # who vouched for somebody, and by which name; none of both once forgotten
    sa.Column("subject", sa.Text),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("feed", sa.String(64)),  # secret behind the address of their calendar
    sa.UniqueConstraint("issuer", "subject"),
)
"""Who is behind the pseudonyms ``person:ID`` of the entries: no part of the chain, and can be emptied."""

practice = sa.Table(
    "practice",
    metadata,
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(20), nullable=False, unique=True),
    sa.Column("actor", sa.String(32), nullable=False),
    sa.Column("drawn_at", Moment, nullable=False),
    sa.Column("parcel", sa.LargeBinary, nullable=False),  # the canonical JSON parcel, zlib
    sa.Column("report", sa.LargeBinary, nullable=False),  # what the program says of it, zlib
    sa.Column("origin", sa.Text, nullable=False),  # a zone, or `unlisted`
    sa.Column("share", sa.Float, nullable=False, server_default="1"),  # of its stones that came from there
    sa.Column("held", sa.Boolean, nullable=False),  # whether what is declared is true
    sa.Column("computed", sa.String(16), nullable=False),
    sa.Column("conclusion", sa.String(16)),  # the person's; none before it is given
    sa.Column("reasons", sa.Text),
    sa.Column("answered_at", Moment),
    sa.Index("ix_practice_actor_position", "actor", "position"),
)

entries = sa.Table(
    "entries",
    metadata,
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),  # without gaps, from 1
    sa.Column("id", sa.String(20), nullable=False, unique=True),
    sa.Column("kind", sa.String(24), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("actor", sa.String(32), nullable=False),
    sa.Column("subject", sa.String(64), nullable=False),  # id of what the entry is about
    sa.Column("content", sa.Text, nullable=False),  # canonical JSON
    sa.Column("previous", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Index("ix_entries_subject_position", "subject", "position"),
    sa.Index("ix_entries_kind_position", "kind", "position"),
    sa.Index("ix_entries_at", "at"),
)

FLAGGED = sa.text("flags NOT IN ('', '[]')")
"""Whether a comparison was kept with a flag."""

comparisons = sa.Table(
    "comparisons",
    metadata,
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(20), nullable=False, unique=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("actor", sa.String(32), nullable=False),
    sa.Column("parcel_id", sa.Text, nullable=False),
    sa.Column("report_id", sa.Text, nullable=False, index=True),
    sa.Column("release", sa.Text, nullable=False),
    sa.Column("conclusion", sa.String(16)),
    sa.Column("log10_lr", sa.Float),
    sa.Column("declared", sa.Text, nullable=False),  # zone ids, a blank between
    sa.Column("parcel", sa.LargeBinary, nullable=False),  # the canonical JSON parcel, zlib
    sa.Column("report", sa.LargeBinary, nullable=False),  # the report as it was answered, zlib
    sa.Column("idempotency_key", sa.String(255)),
    sa.Column("request_sha256", sa.String(64)),
    sa.Column("exporter", sa.Text),
    sa.Column("certificate_no", sa.Text),
    sa.Column("certificate_key", sa.Text),  # the number as it is compared with others
    sa.Column("exported_on", sa.String(10)),
    sa.Column("n_stones", sa.Integer),
    sa.Column("carats", sa.Float),
    sa.Column("value_usd", sa.Float),
    sa.Column("flags", sa.Text),  # canonical JSON
    sa.Column("submission_id", sa.String(20)),
    sa.UniqueConstraint("actor", "idempotency_key"),
    sa.Index("ix_comparisons_created_at_position", "created_at", "position"),
    sa.Index("ix_comparisons_parcel_id_created_at_position", "parcel_id", "created_at", "position"),
    sa.Index("ix_comparisons_exporter_created_at_position", "exporter", "created_at", "position"),
    sa.Index("ix_comparisons_exporter_log10_lr_position", "exporter", "log10_lr", "position"),
    sa.Index("ix_comparisons_conclusion_created_at_position", "conclusion", "created_at", "position"),
    sa.Index("ix_comparisons_conclusion_log10_lr_position", "conclusion", "log10_lr", "position"),
    sa.Index("ix_comparisons_log10_lr_position", "log10_lr", "position"),
    sa.Index("ix_comparisons_certificate_key", "certificate_key"),
    sa.Index(
        "ix_comparisons_at_a_glance",
        *("parcel_id", "n_stones", "carats", "position", "created_at", "conclusion", "exporter"),
    ),
    sa.Index("ix_comparisons_flagged", "position", sqlite_where=FLAGGED, postgresql_where=FLAGGED),
)

declared_zones = sa.Table(
    "declared_zones",
    metadata,
    sa.Column("zone_id", sa.String(64), primary_key=True),
    sa.Column("position", sa.ForeignKey("comparisons.position"), primary_key=True),
    sa.Column("carats", sa.Float),
    sa.Column("created_at", Moment),
    sa.Column("log10_lr", sa.Float),
    sa.Index("ix_declared_zones_zone_id_created_at_position", "zone_id", "created_at", "position"),
    sa.Index("ix_declared_zones_zone_id_log10_lr_position", "zone_id", "log10_lr", "position"),
    sa.Index("ix_declared_zones_position_zone_id_carats", "position", "zone_id", "carats"),
)

words = sa.Table(
    "words",
    metadata,
    sa.Column("word", sa.String(64), primary_key=True),
    sa.Column("position", sa.ForeignKey("comparisons.position"), primary_key=True),
    sa.Column("created_at", Moment),
    sa.Index("ix_words_position_word", "position", "word"),
    sa.Index("ix_words_word_created_at_position", "word", "created_at", "position"),
)

stone_marks = sa.Table(
    "stone_marks",
    metadata,
    sa.Column("mark", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("position", sa.ForeignKey("comparisons.position"), primary_key=True),
)

submissions = sa.Table(
    "submissions",
    metadata,
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(20), nullable=False, unique=True),
    sa.Column("received_at", Moment, nullable=False, index=True),
    sa.Column("due_at", Moment, nullable=False, index=True),
    sa.Column("actor", sa.String(32), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("exporter", sa.Text),
    sa.Column("declared", sa.Text, nullable=False, server_default=""),  # origins of its parcels, a blank around each
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("file_name", sa.Text, nullable=False),
    sa.Column("n_parcels", sa.Integer, nullable=False),
    sa.Column("n_bad", sa.Integer, nullable=False),
    sa.Column("job_id", sa.String(20), nullable=False),
    sa.Column("idempotency_key", sa.String(255)),
    sa.Column("request_sha256", sa.String(64)),
    sa.UniqueConstraint("actor", "idempotency_key"),
)

submission_parcels = sa.Table(
    "submission_parcels",
    metadata,
    sa.Column("submission_id", sa.ForeignKey("submissions.id"), primary_key=True),
    sa.Column("ordinal", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("parcel_id", sa.Text, nullable=False),
    sa.Column("exporter", sa.Text),
    sa.Column("declared", sa.Text, nullable=False),
    sa.Column("parcel", sa.LargeBinary),  # the canonical JSON parcel, zlib; none where there are problems
    sa.Column("problems", sa.Text, nullable=False),  # canonical JSON
    sa.Column("comparison_id", sa.String(20)),
    sa.Index("ix_submission_parcels_exporter_submission_id", "exporter", "submission_id"),
)

files = sa.Table(
    "files",
    metadata,
    sa.Column("subject", sa.String(20), primary_key=True),  # a submission or a job
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(20), nullable=False, unique=True),
    sa.Column("kind", sa.String(24), nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("subject", sa.String(64), nullable=False),
    sa.Column("actor", sa.String(32), nullable=False),
    sa.Column("parameters", sa.Text, nullable=False),  # canonical JSON
    sa.Column("done", sa.Integer, nullable=False),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("started_at", Moment),
    sa.Column("ended_at", Moment),
    sa.Column("problem", sa.Text),
    sa.Column("result", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("cancel_asked", sa.Boolean, nullable=False),
)

job_holds = sa.Table(
    "job_holds",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
)
"""A row for each job that is not over; whoever works on the job holds its row locked (PostgreSQL)."""

certificates = sa.Table(
    "certificates",
    metadata,
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("certificate_key", sa.Text, nullable=False),
    sa.Column("certificate_no", sa.Text, nullable=False),
    sa.Column("reported_by", sa.Text, nullable=False),
    sa.Column("reported_on", sa.String(10)),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("added_at", Moment, nullable=False),
    sa.UniqueConstraint("certificate_key", "reported_by"),
)
