"""Entries in a chain, submissions, jobs, certificates; comparisons can be searched and never change.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import json
import re
import unicodedata
import zlib
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

APPEND_ONLY = ("entries", "comparisons")
SEARCHED = (
    ("exporter", sa.Text()),
    ("certificate_no", sa.Text()),
    ("certificate_key", sa.Text()),
    ("exported_on", sa.String(10)),
    ("n_stones", sa.Integer()),
    ("carats", sa.Float()),
    ("value_usd", sa.Float()),
    ("flags", sa.Text()),
    ("submission_id", sa.String(20)),
)
INDEXES = (
    ("ix_comparisons_created_at_position", ["created_at", "position"]),
    ("ix_comparisons_exporter_position", ["exporter", "position"]),
    ("ix_comparisons_conclusion_position", ["conclusion", "position"]),
    ("ix_comparisons_log10_lr_position", ["log10_lr", "position"]),
    ("ix_comparisons_certificate_key", ["certificate_key"]),
)
REFUSES = "the register is append-only"


def upgrade() -> None:
    """Add the tables, tell what was kept before as entries of the chain, and lock what must not change."""
    _add_tables()
    for name, kind in SEARCHED:
        op.add_column("comparisons", sa.Column(name, kind))
    for name, columns in INDEXES:
        op.create_index(name, "comparisons", columns)
    for column in ("expires_at", "last_used_at"):
        op.add_column("keys", sa.Column(column, sa.String(27)))
    op.add_column("sessions", sa.Column("id", sa.String(16)))
    op.add_column("sessions", sa.Column("actor", sa.String(32)))
    connection = op.get_bind()
    _tell_again(connection)
    op.drop_table("activations")
    for table in APPEND_ONLY:
        lock(table)


def downgrade() -> None:
    """Take the chain away; what came since stays in the backup that was made before."""
    for table in APPEND_ONLY:
        unlock(table)
    op.create_table(
        "activations",
        sa.Column("position", sa.Integer(), autoincrement=True, primary_key=True),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("activated_at", sa.String(27), nullable=False),
        sa.Column("actor", sa.String(32), nullable=False),
    )
    connection = op.get_bind()
    kept = connection.execute(
        sa.text("SELECT at, actor, content FROM entries WHERE kind = 'activation' ORDER BY position")
    )
    for row in kept.all():
        values = {"release": json.loads(row.content)["release"], "at": row.at, "actor": row.actor}
        connection.execute(
            sa.text("INSERT INTO activations (release, activated_at, actor) VALUES (:release, :at, :actor)"), values
        )
    for name, _ in INDEXES:
        op.drop_index(name, "comparisons")
    for table in (
        *("declared_zones", "words", "stone_marks", "submission_parcels", "submissions"),
        *("files", "jobs", "job_holds", "certificates", "entries"),
    ):
        op.drop_table(table)
    for name, _ in SEARCHED:
        op.drop_column("comparisons", name)
    for table, column in (
        *(("sessions", "actor"), ("sessions", "id")),
        *(("keys", "last_used_at"), ("keys", "expires_at")),
    ):
        op.drop_column(table, column)


def lock(table: str) -> None:
    """Refuse every UPDATE and DELETE of a table."""
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{REFUSES}'); END"
            )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION kpf_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSES}'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION kpf_append_only()"
    )


def unlock(table: str) -> None:
    """Allow it again, for another migration."""
    if op.get_bind().dialect.name == "sqlite":
        for act in ("update", "delete"):
            op.execute(f"DROP TRIGGER {table}_no_{act}")
        return
    op.execute(f"DROP TRIGGER {table}_append_only ON {table}")


def _add_tables() -> None:
    op.create_table(
        "entries",
        sa.Column("position", sa.Integer(), autoincrement=False, primary_key=True),
        sa.Column("id", sa.String(20), nullable=False, unique=True),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("at", sa.String(27), nullable=False, index=True),
        sa.Column("actor", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_index("ix_entries_subject_position", "entries", ["subject", "position"])
    op.create_index("ix_entries_kind_position", "entries", ["kind", "position"])
    for table, column, *more in (
        ("declared_zones", sa.Column("zone_id", sa.String(64), primary_key=True), sa.Column("carats", sa.Float())),
        ("words", sa.Column("word", sa.String(64), primary_key=True)),
        ("stone_marks", sa.Column("mark", sa.BigInteger(), autoincrement=False, primary_key=True)),
    ):
        position = sa.Column("position", sa.Integer(), sa.ForeignKey("comparisons.position"), primary_key=True)
        op.create_table(table, column, position, *more)
    op.create_index("ix_words_position_word", "words", ["position", "word"])
    op.create_table(
        "submissions",
        sa.Column("position", sa.Integer(), autoincrement=True, primary_key=True),
        sa.Column("id", sa.String(20), nullable=False, unique=True),
        sa.Column("received_at", sa.String(27), nullable=False, index=True),
        sa.Column("due_at", sa.String(27), nullable=False, index=True),
        sa.Column("actor", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("exporter", sa.Text()),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("n_parcels", sa.Integer(), nullable=False),
        sa.Column("n_bad", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.String(20), nullable=False),
        sa.Column("flags", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.String(255)),
        sa.Column("request_sha256", sa.String(64)),
        sa.UniqueConstraint("actor", "idempotency_key"),
    )
    op.create_table(
        "submission_parcels",
        sa.Column("submission_id", sa.String(20), sa.ForeignKey("submissions.id"), primary_key=True),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, primary_key=True),
        sa.Column("parcel_id", sa.Text(), nullable=False),
        sa.Column("exporter", sa.Text(), index=True),
        sa.Column("declared", sa.Text(), nullable=False),
        sa.Column("parcel", sa.LargeBinary()),
        sa.Column("problems", sa.Text(), nullable=False),
        sa.Column("comparison_id", sa.String(20)),
    )
    op.create_table(
        "files",
        sa.Column("subject", sa.String(20), primary_key=True),
        sa.Column("name", sa.String(255), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "jobs",
        sa.Column("number", sa.Integer(), autoincrement=True, primary_key=True),
        sa.Column("id", sa.String(20), nullable=False, unique=True),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("actor", sa.String(32), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("started_at", sa.String(27)),
        sa.Column("ended_at", sa.String(27)),
        sa.Column("problem", sa.Text()),
        sa.Column("result", sa.Text()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("cancel_asked", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "job_holds",
        sa.Column("number", sa.Integer(), autoincrement=False, primary_key=True),
    )
    op.create_table(
        "certificates",
        sa.Column("position", sa.Integer(), autoincrement=True, primary_key=True),
        sa.Column("certificate_key", sa.Text(), nullable=False),
        sa.Column("certificate_no", sa.Text(), nullable=False),
        sa.Column("reported_by", sa.Text(), nullable=False),
        sa.Column("reported_on", sa.String(10)),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("added_at", sa.String(27), nullable=False),
        sa.UniqueConstraint("certificate_key", "reported_by"),
    )


def _tell_again(connection: sa.Connection) -> None:
    """Fill the new columns of old comparisons, and write the chain of everything that was acknowledged."""
    kept = [
        (row.created_at, 0, row.position, row.actor)
        for row in connection.execute(sa.text("SELECT created_at, position, actor FROM comparisons"))
    ]
    kept += [
        (row.activated_at, 1, row.position, row.actor)
        for row in connection.execute(sa.text("SELECT activated_at, position, actor FROM activations"))
    ]
    previous = "0" * 64
    for number, (at, table, position, actor) in enumerate(sorted(kept), start=1):
        content = (_comparison if table == 0 else _activation)(connection, position)
        subject = content.pop("subject")
        previous = _append(
            connection, number, ("comparison", "activation")[table], at, actor, subject, content, previous
        )


def _comparison(connection: sa.Connection, position: int) -> dict[str, Any]:
    row = connection.execute(sa.text("SELECT * FROM comparisons WHERE position = :p"), {"p": position}).one()
    parcel_text, report_text = (zlib.decompress(bytes(kept)).decode() for kept in (row.parcel, row.report))
    parcel, report = json.loads(parcel_text), json.loads(report_text)
    certificate = parcel.get("certificate_no")
    values: dict[str, Any] = {
        "exporter": parcel.get("exporter"),
        "certificate_no": certificate,
        "certificate_key": None if certificate is None else "".join(re.findall(r"[a-z0-9]", _plain(certificate))),
        "exported_on": parcel.get("exported_on"),
        "n_stones": report["parcel"].get("n_stones"),
        "carats": report["parcel"].get("carats"),
        "value_usd": parcel.get("value_usd"),
        "flags": "[]",
    }
    settings = ", ".join(f"{name} = :{name}" for name in values)
    connection.execute(
        sa.text(f"UPDATE comparisons SET {settings} WHERE position = :position"), values | {"position": position}
    )
    for item in parcel.get("declarations") or []:
        connection.execute(
            sa.text("INSERT INTO declared_zones (zone_id, position, carats) VALUES (:zone, :position, :carats)"),
            {"zone": item["zone_id"], "position": position, "carats": item.get("carats")},
        )
    for word in _words(row.parcel_id, parcel.get("exporter"), certificate, row.declared):
        connection.execute(
            sa.text("INSERT INTO words (word, position) VALUES (:word, :position)"),
            {"word": word, "position": position},
        )
    return {
        "subject": row.id,
        "parcel_id": row.parcel_id,
        "report_id": row.report_id,
        "release": row.release,
        "conclusion": row.conclusion,
        "log10_lr": row.log10_lr,
        "declared": row.declared.split(),
        "flags": [],
        "report_sha256": sha256(report_text.encode()).hexdigest(),
        "parcel_sha256": sha256(parcel_text.encode()).hexdigest(),
    }


def _activation(connection: sa.Connection, position: int) -> dict[str, Any]:
    row = connection.execute(sa.text("SELECT * FROM activations WHERE position = :p"), {"p": position}).one()
    before = connection.scalar(
        sa.text("SELECT release FROM activations WHERE position < :p ORDER BY position DESC LIMIT 1"), {"p": position}
    )
    return {"subject": row.release[:64], "release": row.release, "previous": before, "reason": ""}


def _append(
    connection: sa.Connection,
    position: int,
    kind: str,
    at: str,
    actor: str,
    subject: str,
    content: dict[str, Any],
    previous: str,
) -> str:
    row = {
        "position": position,
        "id": uuid4().hex[:20],
        "kind": kind,
        "at": datetime.fromisoformat(at).isoformat(timespec="microseconds")[:26] + "Z",
        "actor": actor,
        "subject": subject,
    }
    chained = _canonical(row | {"content": content, "previous": previous})
    row |= {"content": _canonical(content), "previous": previous, "hash": sha256(chained.encode()).hexdigest()}
    connection.execute(
        sa.text(
            "INSERT INTO entries (position, id, kind, at, actor, subject, content, previous, hash) "
            "VALUES (:position, :id, :kind, :at, :actor, :subject, :content, :previous, :hash)"
        ),
        row,
    )
    return str(row["hash"])


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _plain(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()


def _words(*texts: str | None) -> set[str]:
    return {word[:64] for text in texts if text for word in re.findall(r"[^\W_]+", _plain(text))}
