"""Connections to the register, on SQLite or PostgreSQL, and what is read or written together over one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from service.register.unavailable import cannot, watch

BUSY_MS = 5_000
"""Milliseconds that a writer waits for another one before the register is said to be locked."""

CONNECT_WITHIN = 5
SESSION = f"-c max_parallel_workers_per_gather=0 -c jit=off -c lock_timeout={BUSY_MS}"
"""Of PostgreSQL: helpers and compiled plans take longer to begin than any of our questions to answer."""

APPEND_LOCK = 7_305_001
"""Advisory lock on PostgreSQL; on SQLite one writer at a time is the rule anyway."""


def connect(url: str, *, pooled: bool = True) -> sa.Engine:
    """Return an engine; on SQLite an acknowledged write outlives a power cut, and writers wait for each other.

    Whatever is wrong with the database itself comes out as `RegisterUnavailable`. Without a pool every connection
    opens the database anew, and so sees what became of it since.
    """
    pool: dict[str, Any] = {} if pooled else {"poolclass": sa.NullPool}
    if url.startswith("sqlite"):
        file = sa.make_url(url).database or ""
        engine = sa.create_engine(url, creator=partial(_opened_sqlite, file), **pool)
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "checkout", partial(_refuse_another_file, file))
        sa.event.listen(engine, "begin", _begin_sqlite)
    else:
        waits = {} if not pooled else {"pool_pre_ping": True, "pool_timeout": BUSY_MS / 1000}
        given = {"connect_timeout": CONNECT_WITHIN, "options": SESSION}
        engine = sa.create_engine(url, connect_args=given, **pool, **waits)
    watch(engine)
    return engine


def _opened_sqlite(file: str) -> sqlite3.Connection:
    """Open a file that is there: `begin` alone makes one."""
    return sqlite3.connect(f"file:{quote(file)}?mode=rw", uri=True, check_same_thread=False)


def _refuse_another_file(file: str, _connection: Any, record: Any, _proxy: Any) -> None:
    """Refuse a connection to what no longer is the register: what is written to a removed file is gone with it."""
    try:
        found = Path(file).stat().st_ino
    except OSError:
        found = None
    if record.info.setdefault("file", found) != found:
        raise sa.exc.DisconnectionError(f"{file} is another file than it was")


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by `_begin_sqlite`, not by the driver
    kept_in = ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "temp_store=MEMORY", "foreign_keys=ON")
    for pragma in (f"busy_timeout={BUSY_MS}", *kept_in):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def reading(engine: sa.Engine) -> sa.Connection:
    """Return a connection, for a ``with`` block, that sees one state of the register."""
    try:
        return engine.connect()
    except sa.exc.TimeoutError:  # those that have one wait for somebody who holds a table or the disk
        raise cannot(engine, "all connections to it are taken; try again in a while") from None


@contextmanager
def snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Give a connection that sees the same state however long it reads, while others write."""
    with reading(engine) as connection:
        if not is_sqlite(engine):
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Give a connection whose changes are kept together, or not at all."""
    with reading(engine).execution_options(writes=True) as connection, connection.begin():
        yield connection


@contextmanager
def registering(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Give a connection that alone may append entries until its changes are kept."""
    with writing(engine) as connection:
        if not is_sqlite(engine):
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(APPEND_LOCK)))
        yield connection


def is_sqlite(engine: sa.Engine) -> bool:
    """Say which of the two databases this is."""
    return engine.dialect.name == "sqlite"
