"""The register as lines to take away: JSON Lines that another register takes in, or CSV for a spreadsheet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kpfootprint.report.report import canonical
from kpfootprint.visible import csv_line
from service.register.comparisons import unpacked
from service.register.database import snapshot
from service.register.entries import Entry, walk
from service.register.tables import comparisons

COLUMNS = (
    *("position", "id", "kind", "at", "actor", "subject", "parcel_id", "declared", "conclusion", "log10_lr"),
    *("release", "report_id", "flags", "values", "hash"),
)
CRLF = "\r\n"


def exported(engine: sa.Engine, form: str, start: datetime | None = None, end: datetime | None = None) -> Iterator[str]:
    """Yield the lines of every entry, or of those of a span of time."""
    if form == "csv":
        yield csv_line(COLUMNS) + CRLF
    with snapshot(engine) as connection:
        for entry in walk(connection, start=start, end=end):
            yield csv_line(_cells(entry)) + CRLF if form == "csv" else _json_line(connection, entry)


def _json_line(connection: sa.Connection, entry: Entry) -> str:
    line = entry.members()
    if entry.kind == "comparison":
        query = sa.select(comparisons.c.report, comparisons.c.parcel).where(comparisons.c.id == entry.subject)
        row = connection.execute(query).one()
        line |= {"report": unpacked(row.report), "parcel": json.loads(unpacked(row.parcel))}
    return canonical(line) + "\n"


def _cells(entry: Entry) -> list[Any]:
    values, cells = entry.values, entry.members()
    if entry.kind == "comparison":
        cells |= {name: values.get(name) for name in COLUMNS if name not in cells}
        cells["declared"] = " ".join(values.get("declared", ()))
        cells["flags"] = " ".join(item["code"] for item in values.get("flags", ()))
    cells["values"] = None if entry.kind == "comparison" else canonical(values)
    return [cells.get(name) for name in COLUMNS]
