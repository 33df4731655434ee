"""The chain of entries, submissions, jobs, certificates, people and practice; comparisons never change.

It stands for every step since the first register: none of those between was ever in anybody's hands.
"""

from __future__ import annotations

import json
import zlib
from datetime import datetime
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from alembic import op

from kpfootprint.report.report import canonical
from service.register.comparisons import certificate_key, words_in
from service.register.database import GUARDS
from service.register.entries import GENESIS, Entry
from service.register.secrets import new_id
from service.register.tables import APPEND_ONLY, needed, numbered, optional, ordered

revision = "0008"
down_revision = "0001"

MOMENT = sa.String(27)
MORE: dict[str, dict[str, Any]] = {
    "comparisons": {
        **dict.fromkeys(("exporter", "certificate_no", "certificate_key", "flags"), sa.Text()),
        **dict.fromkeys(("carats", "value_usd"), sa.Float()),
        "exported_on": sa.String(10),
        "n_stones": sa.Integer(),
        "submission_id": sa.String(20),
    },
    "keys": dict.fromkeys(("expires_at", "last_used_at"), MOMENT),
    "sessions": {"id": sa.String(16), "actor": sa.String(32)},
}
"""Columns that tables of the first register are given."""

INDEXES = (
    *(("created_at", "position"), ("parcel_id", "created_at", "position"), ("exporter", "created_at", "position")),
    *(("exporter", "log10_lr", "position"), ("conclusion", "created_at", "position")),
    *(("conclusion", "log10_lr", "position"), ("log10_lr", "position"), ("certificate_key",), ("report_id",)),
)
"""Of comparisons."""

TABLES = (
    *("declared_zones", "words", "stone_marks", "submission_parcels", "submissions", "files", "jobs", "job_holds"),
    *("certificates", "entries", "people", "practice"),
)


def upgrade() -> None:
    """Add the tables, tell what was kept before as entries of the chain, and lock what must not change."""
    _add_tables()
    for table, columns in MORE.items():
        for name, kind in columns.items():
            op.add_column(table, sa.Column(name, kind))
    op.drop_index("ix_comparisons_parcel_id", "comparisons")
    for index in INDEXES:
        op.create_index(f"ix_comparisons_{'_'.join(index)}", "comparisons", [*index])
    connection = op.get_bind()
    _tell_again(connection)
    op.drop_table("activations")
    for made in GUARDS[connection.dialect.name].values():
        op.execute(made)


def downgrade() -> None:
    """Take the chain away; what came since stays in the backup that was made before."""
    connection = op.get_bind()
    for table in APPEND_ONLY:
        if connection.dialect.name == "sqlite":
            for act in ("update", "delete"):
                op.execute(f"DROP TRIGGER {table}_no_{act}")
        else:
            op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
    kept = "SELECT at, actor, content FROM entries WHERE kind = 'activation' ORDER BY position"
    rows = [
        {"release": json.loads(row.content)["release"], "activated_at": row.at, "actor": row.actor}
        for row in connection.execute(sa.text(kept))
    ]
    told = *needed(sa.Text, "release"), *needed(MOMENT, "activated_at"), *needed(sa.String(32), "actor")
    activations = op.create_table("activations", numbered(), *told)
    if rows:
        op.bulk_insert(activations, rows)
    for index in INDEXES:
        op.drop_index(f"ix_comparisons_{'_'.join(index)}", "comparisons")
    op.create_index("ix_comparisons_parcel_id", "comparisons", ["parcel_id"])
    for table in TABLES:
        op.drop_table(table)
    for table, columns in MORE.items():
        for name in columns:
            op.drop_column(table, name)


def _add_tables() -> None:
    op.create_table(
        "entries",
        numbered(by_itself=False),
        *needed(sa.String(20), "id", unique=True),
        *needed(sa.String(24), "kind"),
        *needed(MOMENT, "at", index=True),
        *needed(sa.String(32), "actor"),
        *needed(sa.String(64), "subject"),
        *needed(sa.Text(), "content"),
        *needed(sa.String(64), "previous", "hash"),
        ordered("entries", "subject", "position"),
        ordered("entries", "kind", "position"),
    )
    found: tuple[tuple[str, sa.Column[Any], list[sa.Column[Any]]], ...] = (
        ("declared_zones", sa.Column("zone_id", sa.String(64)), optional(sa.Float(), "carats", "log10_lr")),
        ("words", sa.Column("word", sa.String(64)), []),
        ("stone_marks", sa.Column("mark", sa.BigInteger(), autoincrement=False), []),
    )
    for table, column, more in found:
        op.create_table(
            table,
            column,
            sa.Column("position", sa.Integer(), sa.ForeignKey("comparisons.position")),
            *more,
            *(optional(MOMENT, "created_at") if table != "stone_marks" else ()),
            sa.PrimaryKeyConstraint(column.name, "position"),
        )
    for of, *columns in (
        ("declared_zones", "zone_id", "created_at", "position"),
        ("declared_zones", "zone_id", "log10_lr", "position"),
        ("words", "position", "word"),
        ("words", "word", "created_at", "position"),
    ):
        op.create_index(f"ix_{of}_{'_'.join(columns)}", of, columns)
    op.create_table(
        "submissions",
        numbered(),
        *needed(sa.String(20), "id", unique=True),
        *needed(MOMENT, "received_at", "due_at", index=True),
        *needed(sa.String(32), "actor"),
        *needed(sa.String(16), "state"),
        *optional(sa.Text(), "exporter"),
        *needed(sa.Text(), "declared", server_default=""),
        *needed(sa.Text(), "note", "file_name", "flags"),
        *needed(sa.Integer(), "n_parcels", "n_bad"),
        *needed(sa.String(20), "job_id"),
        *optional(sa.String(255), "idempotency_key"),
        *optional(sa.String(64), "request_sha256"),
        sa.UniqueConstraint("actor", "idempotency_key"),
    )
    op.create_table(
        "submission_parcels",
        sa.Column("submission_id", sa.String(20), sa.ForeignKey("submissions.id"), primary_key=True),
        numbered("ordinal", by_itself=False),
        *needed(sa.Text(), "parcel_id", "declared", "problems"),
        *optional(sa.Text(), "exporter"),
        *optional(sa.LargeBinary(), "parcel"),
        *optional(sa.String(20), "comparison_id"),
        ordered("submission_parcels", "exporter", "submission_id"),
    )
    op.create_table(
        "files",
        sa.Column("subject", sa.String(20), primary_key=True),
        sa.Column("name", sa.String(255), primary_key=True),
        *needed(sa.String(64), "sha256"),
        *needed(sa.LargeBinary(), "content"),
    )
    op.create_table(
        "jobs",
        numbered("number"),
        *needed(sa.String(20), "id", unique=True),
        *needed(sa.String(24), "kind"),
        *needed(sa.String(16), "state", index=True),
        *needed(sa.String(64), "subject"),
        *needed(sa.String(32), "actor"),
        *needed(sa.Text(), "parameters"),
        *needed(sa.Integer(), "done", "total", "attempts"),
        *needed(MOMENT, "created_at"),
        *optional(MOMENT, "started_at", "ended_at"),
        *optional(sa.Text(), "problem", "result"),
        *needed(sa.Boolean(), "cancel_asked"),
    )
    op.create_table("job_holds", numbered("number", by_itself=False))
    op.create_table(
        "certificates",
        numbered(),
        *needed(sa.Text(), "certificate_key", "certificate_no", "reported_by", "note"),
        *optional(sa.String(10), "reported_on"),
        *needed(MOMENT, "added_at"),
        sa.UniqueConstraint("certificate_key", "reported_by"),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.String(16), primary_key=True),
        *optional(sa.Text(), "issuer", "subject"),
        *needed(sa.Text(), "name"),
        *needed(MOMENT, "created_at"),
        *optional(sa.String(64), "feed"),
        sa.UniqueConstraint("issuer", "subject"),
    )
    op.create_table(
        "practice",
        numbered(),
        *needed(sa.String(20), "id", unique=True),
        *needed(sa.String(32), "actor"),
        *needed(MOMENT, "drawn_at"),
        *needed(sa.LargeBinary(), "parcel", "report"),
        *needed(sa.Text(), "origin"),
        *needed(sa.Float(), "share", server_default="1"),
        *needed(sa.Boolean(), "held"),
        *needed(sa.String(16), "computed"),
        *optional(sa.String(16), "conclusion"),
        *optional(sa.Text(), "reasons"),
        *optional(MOMENT, "answered_at"),
        ordered("practice", "actor", "position"),
    )


def _tell_again(connection: sa.Connection) -> None:
    """Fill the new columns of old comparisons, and write the chain of everything that was acknowledged."""
    kept = [
        (row.at, kind, row.position)
        for kind, at in (("comparison", "created_at"), ("activation", "activated_at"))
        for row in connection.execute(sa.text(f"SELECT {at} AS at, position FROM {kind}s"))
    ]
    previous = GENESIS
    kept.sort(key=lambda one: (one[0], one[1] == "activation", one[2]))
    for number, (at, kind, position) in enumerate(kept, start=1):
        row = connection.execute(sa.text(f"SELECT * FROM {kind}s WHERE position = :p"), {"p": position}).one()
        subject, values = (_comparison if kind == "comparison" else _activation)(connection, row)
        moment = datetime.fromisoformat(at)
        entry = Entry(
            position=number,
            id=new_id(20),
            kind=kind,
            at=moment,
            actor=row.actor,
            subject=subject,
            values=values,
            previous=previous,
        )
        previous = entry.expected_hash()
        told = entry.members() | {"hash": previous}
        _insert(connection, "entries", told | {"content": canonical(told.pop("values"))})


def _comparison(connection: sa.Connection, row: Any) -> tuple[str, dict[str, Any]]:
    parcel_text, report_text = (zlib.decompress(bytes(kept)).decode() for kept in (row.parcel, row.report))
    parcel, report = json.loads(parcel_text), json.loads(report_text)
    certificate = parcel.get("certificate_no")
    more = {name: parcel.get(name) for name in ("exporter", "certificate_no", "exported_on", "value_usd")}
    more |= {name: report["parcel"].get(name) for name in ("n_stones", "carats")}
    more |= {"certificate_key": None if certificate is None else certificate_key(certificate), "flags": "[]"}
    settings = ", ".join(f"{name} = :{name}" for name in more)
    place = {"position": row.position}
    connection.execute(sa.text(f"UPDATE comparisons SET {settings} WHERE position = :position"), more | place)
    place |= {"created_at": row.created_at}
    for item in parcel.get("declarations") or []:
        of_zone = {"zone_id": item["zone_id"], "carats": item.get("carats"), "log10_lr": row.log10_lr}
        _insert(connection, "declared_zones", place | of_zone)
    for word in words_in(row.parcel_id, parcel.get("exporter"), certificate, row.declared):
        _insert(connection, "words", place | {"word": word})
    values = {name: getattr(row, name) for name in ("parcel_id", "report_id", "release", "conclusion", "log10_lr")}
    hashes = (("report_sha256", report_text), ("parcel_sha256", parcel_text))
    values |= {name: sha256(text.encode()).hexdigest() for name, text in hashes}
    return row.id, values | {"declared": row.declared.split(), "flags": []}


def _activation(connection: sa.Connection, row: Any) -> tuple[str, dict[str, Any]]:
    earlier = sa.text("SELECT release FROM activations WHERE position < :p ORDER BY position DESC LIMIT 1")
    before = connection.scalar(earlier, {"p": row.position})
    return row.release[:64], {"release": row.release, "previous": before, "reason": ""}


def _insert(connection: sa.Connection, table: str, row: dict[str, Any]) -> None:
    names = ", ".join(row), ", ".join(f":{name}" for name in row)
    connection.execute(sa.text(f"INSERT INTO {table} ({names[0]}) VALUES ({names[1]})"), row)
