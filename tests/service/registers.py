"""Registers of the tests' own, on both databases, and what is put into them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from service.register.comparisons import Examined, Once, keep, reports_of
from service.register.database import reading, registering


def examined(number: int = 0, **differs: Any) -> Examined:
    """Return a parcel and a report that are whole enough to be kept."""
    content: dict[str, Any] = {
        "created_at": "2026-01-02T03:04:05+00:00",
        "report_id": f"sha256:{number}",
        "model": {"release": "r"},
        "conclusion": "consistent",
        "verification": {"log10_lr": number / 10},
        "parcel": {
            "parcel_id": f"P-{number}",
            "declared": [{"zone_id": "berberati", "carats": 2.5}],
            "n_stones": 3,
            "carats": 2.5,
        },
    } | differs.pop("content", {})
    document = {"parcel_id": f"P-{number}", "exporter": "Badica"} | differs.pop("document", {})
    report = json.dumps(content | {"text": "é\u2028"}, ensure_ascii=False)
    return Examined(content=content, report=report, document=document, **differs)


def kept(engine: sa.Engine, one: Examined | None = None, *, actor: str = "key:test", once: Once | None = None) -> str:
    """Keep a comparison and return its id."""
    with registering(engine) as connection:
        one = one or examined()
        keep(connection, one, actor=actor, once=once)
    return one.id


def report_of(engine: sa.Engine, comparison_id: str) -> str:
    """Return the report of a comparison as it was answered."""
    with reading(engine) as connection:
        return reports_of(connection, [comparison_id])[comparison_id]


def tampered(engine: sa.Engine, statement: str, values: Mapping[str, Any] | None = None) -> None:
    """Change the register as somebody with the file, or with the rights of its owner, could."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        for table in ("entries", "comparisons"):
            if engine.dialect.name == "sqlite":
                for act in ("update", "delete"):
                    connection.execute(sa.text(f"DROP TRIGGER IF EXISTS {table}_no_{act}"))
            else:
                connection.execute(sa.text(f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}"))
        if engine.dialect.name == "sqlite":
            connection.execute(sa.text("PRAGMA defer_foreign_keys = ON"))
        connection.execute(sa.text(statement), dict(values or {}))
