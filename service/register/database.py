"""Opens the register: settings of the connection, migration before first use, short transactions."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from service.settings import Settings

HEAD = "0001"
"""Newest migration; a test compares it with the folder."""

BUSY_MS = 15_000


def connect(url: str) -> sa.Engine:
    """Return an engine; on SQLite an acknowledged write outlives a power cut, and writers wait for each other."""
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by `_begin_sqlite`, not by the driver
    for pragma in (f"busy_timeout={BUSY_MS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Give a connection that sees one state of the register."""
    with engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Give a connection whose changes are kept together, or not at all."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


def open_register(settings: Settings) -> sa.Engine:
    """Return the register, made or migrated where needed; one process looks and migrates at a time."""
    home = settings.home
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = connect(settings.register_url)
    handle = os.open(home / "register.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)  # the first connection of all turns WAL on, and bears no company
        os.close(os.open(home / "register.db", os.O_CREAT | os.O_RDWR, 0o600))
        if version(engine) != HEAD:
            migrate(engine)
    finally:
        os.close(handle)
    return engine


def version(engine: sa.Engine) -> str | None:
    """Return the migration that the register stands at, or None where it has no tables."""
    with reading(engine) as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
        return found


def migrate(engine: sa.Engine) -> None:
    """Bring the register to `HEAD`, in one transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, HEAD)
