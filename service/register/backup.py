"""The register to take away, while others write: a backup, one zip for both databases, or its entries as lines."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa

from kpfootprint.bounded import open_zip
from kpfootprint.errors import KPFootprintError
from kpfootprint.report.report import canonical
from kpfootprint.strict_json import read_json
from kpfootprint.visible import csv_line
from service.clock import now, written
from service.register.comparisons import unpacked
from service.register.database import RegisterUnavailable, connect, is_sqlite, snapshot, writing
from service.register.entries import Entry, head, walk
from service.register.opening import HEAD, begin, is_later, migrate, migrations, opened, version
from service.register.tables import comparisons
from service.register.verify import Walked, verify
from service.settings import Settings

FORMAT = "kpfootprint-backup-1"
ABOUT = "backup.json"
STRETCH = 500
LONGEST_ABOUT = 100_000
LONGEST_LINE = 500_000_000
"""Bytes of a row: the largest upload as text, with room to spare."""

_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, LookupError, TypeError, ValueError, AttributeError)

ENDED = ("sessions", "sign_in_links")
"""What is not kept: a restored register signs nobody in by itself."""


class BackupError(KPFootprintError):
    """A backup cannot be made or restored; the text says what to change."""

    code = "backup"


def back_up(settings: Settings, stream: IO[bytes]) -> int:
    """Write a backup of the register and of the releases made here, and return how many entries it holds."""
    with (
        opened(settings) as engine,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive,
        snapshot(engine) as connection,
    ):
        end = head(connection)
        about = {
            "format": FORMAT,
            "migration": HEAD,
            "made_at": written(now()),
            "head": {"position": end.position, "hash": end.hash},
        }
        archive.writestr(ABOUT, json.dumps(about))
        for table in _tables(connection):
            with archive.open(f"tables/{table.name}.jsonl", "w", force_zip64=True) as out:
                found = connection.execution_options(yield_per=STRETCH).execute(sa.select(table)).mappings()
                for row in found:
                    out.write(json.dumps(dict(row), default=_as_text, ensure_ascii=False).encode() + b"\n")
        releases = settings.home / "releases"
        for path in sorted(releases.rglob("*")):
            if path.is_file():
                archive.write(path, f"releases/{path.relative_to(releases).as_posix()}")
    return end.position


def restore(settings: Settings, stream: IO[bytes]) -> Walked:
    """Fill an empty register from a backup, whichever database that was; return what a walk of its chain finds.

    Raises
    ------
    BackupError
        Where the file is no backup, or the register holds something already.
    """
    try:
        archive = open_zip(stream)
        with archive.open(ABOUT) as stated:
            about = read_json(stated.read(LONGEST_ABOUT))
        made_as, step = about["format"], about["migration"]
        is_later_one = is_later(step) or (made_as != FORMAT and re.fullmatch(f"{FORMAT[:-1]}[0-9]+", made_as))
        is_ours = made_as == FORMAT and step in migrations() and about["head"]["hash"]
    except (*_DAMAGE, OSError):
        raise BackupError("this file is no backup of a register") from None
    with archive:
        if is_later_one:
            raise BackupError("this backup was made by a newer version of the software; install that version")
        if not is_ours:
            raise BackupError("this backup is damaged: what it says of itself no version writes; nothing of it counts")
        _check_names(settings, archive)
        try:
            _fill(settings, archive, about)
        except RegisterUnavailable:
            raise
        except (*_DAMAGE, sa.exc.SQLAlchemyError, NotADirectoryError, FileExistsError) as error:
            told = (str(error).splitlines() or [""])[0][:200]
            raise BackupError(
                "this backup is damaged ({kind}: {told}); nothing of it counts", kind=type(error).__name__, told=told
            ) from None
    with opened(settings) as engine:
        return verify(engine, about["head"]["hash"])


def _fill(settings: Settings, archive: zipfile.ZipFile, about: dict[str, Any]) -> None:
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = connect(settings.register_url)
    try:
        if is_sqlite(engine):
            begin(Path(engine.url.database or ""))
        found = version(engine)
        if found is None:
            migrate(engine, about["migration"])
        elif found != about["migration"] or not _is_empty(engine):
            raise BackupError("the register holds something already: restore into an empty one, then change over")
        with writing(engine) as connection:
            if is_sqlite(engine):
                connection.execute(sa.text("PRAGMA defer_foreign_keys = ON"))
            for table in _tables(connection):
                _fill_table(connection, table, archive)
    finally:
        engine.dispose()
    for name in _releases(archive):
        target = settings.home / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(name) as source, target.open("wb") as out:
            shutil.copyfileobj(source, out)


def _releases(archive: zipfile.ZipFile) -> list[str]:
    return [name for name in archive.namelist() if name.startswith("releases/") and not name.endswith("/")]


def _check_names(settings: Settings, archive: zipfile.ZipFile) -> None:
    """Refuse a backup that would write elsewhere, before anything of it is kept."""
    for name in _releases(archive):
        if not (settings.home / name).resolve().is_relative_to((settings.home / "releases").resolve()):
            raise BackupError("{name} in the backup leads out of the folder of releases", name=repr(name))


def _fill_table(connection: sa.Connection, table: sa.Table, archive: zipfile.ZipFile) -> None:
    try:
        stream = archive.open(f"tables/{table.name}.jsonl")
    except KeyError:
        return
    names = {column.name for column in table.columns}
    binary = {column.name for column in table.columns if isinstance(column.type, sa.LargeBinary)}
    with stream:
        rows: list[dict[str, Any]] = []
        while line := stream.readline(LONGEST_LINE + 1):
            if len(line) > LONGEST_LINE:
                raise BackupError(
                    "a line of {name} in the backup is longer than any that was ever written", name=table.name
                )
            row = read_json(line)
            if set(row) != names:
                raise BackupError("a line of {name} in the backup has other columns than the register", name=table.name)
            rows.append(
                {name: base64.b64decode(v) if name in binary and v is not None else v for name, v in row.items()}
            )
            if len(rows) == STRETCH:
                connection.execute(table.insert(), rows)
                rows = []
        if rows:
            connection.execute(table.insert(), rows)
    key = table.autoincrement_column
    if key is not None and connection.dialect.name == "postgresql":
        sequence = connection.scalar(sa.func.pg_get_serial_sequence(table.name, key.name))
        if sequence is not None:
            last = connection.scalar(sa.select(sa.func.max(key)))
            connection.execute(sa.select(sa.func.setval(sequence, last or 1, last is not None)))


def _is_empty(engine: sa.Engine) -> bool:
    with snapshot(engine) as connection:
        tables = _tables(connection)
        return not any(connection.scalar(sa.select(sa.func.count()).select_from(table)) for table in tables)


def _tables(connection: sa.Connection) -> list[sa.Table]:
    """Return the tables as they are in this register, those that others point at first."""
    found = sa.MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name not in {"alembic_version", *ENDED}]


def _as_text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def backed_up(settings: Settings, path: Path) -> int:
    """Write a backup to a file that its owner alone can read, whole or not at all."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        with open(draft, "wb", opener=partial(os.open, mode=0o600)) as stream:
            count = back_up(settings, stream)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return count


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
