"""Connections to the register, on SQLite or PostgreSQL, its rows in pages of lists, and what is wrong with it in words.

Words are for whoever runs it, whichever database that is.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import sqlalchemy as sa

from kpfootprint.errors import KPFootprintError
from kpfootprint.retold import Said


class RegisterUnavailable(KPFootprintError):
    """The register cannot be read or written now; nothing was kept."""

    code = "register_unavailable"


FROM_BACKUP = Said("move it away, then fill a new one from a backup: kpfootprint restore FILE")
NO_STEP = Said("no step")
LOCKED = Said("another process holds it locked; try again when that has ended")
CANNOT = "{what} cannot be used: {error}"

SAID = {
    "SQLITE_BUSY": LOCKED,
    "SQLITE_LOCKED": LOCKED,
    "SQLITE_PROTOCOL": LOCKED,
    "SQLITE_FULL": Said("there is no room left on its disk; free some, and nothing else has to be done"),
    "SQLITE_IOERR": Said("its disk cannot be read or written (it may be full)"),
    "SQLITE_CORRUPT": Said("it is damaged; {help}", help=FROM_BACKUP),
    "SQLITE_NOTADB": Said("it is no register, or damaged; {help}", help=FROM_BACKUP),
    "SQLITE_FORMAT": Said("it is no register, or damaged; {help}", help=FROM_BACKUP),
    "SQLITE_READONLY": Said("it may be read and not written here; look at the permissions of the file and its folder"),
    "SQLITE_PERM": Said("it may not be opened here; look at the permissions of the file and its folder"),
    "SQLITE_CANTOPEN": Said("it cannot be opened; look at its folder, its permissions and the room on its disk"),
}
"""By the primary result code of SQLite."""

MISSING = ("no such table", "no such column", "malformed database schema", "has no column")
STATES = {
    "42P01": "its tables are not as they should be ({told})",
    "42703": "its tables are not as they should be ({told})",
    "55P03": LOCKED,
    "53100": SAID["SQLITE_FULL"],
}
"""By the state that PostgreSQL tells: no such table, no such column, a lock that was not given, a disk that is full."""


def cannot(engine: sa.Engine, reason: str, **values: object) -> RegisterUnavailable:
    """Return that a register cannot be used, and why."""
    return RegisterUnavailable(CANNOT, what=place_of(engine.url), error=Said(reason, **values))


def watch(engine: sa.Engine) -> None:
    """Let everything that goes wrong with the database itself come out as `RegisterUnavailable`, whoever asks it."""
    sa.event.listen(engine, "handle_error", _translated)


def _translated(context: sa.engine.ExceptionContext) -> None:
    error = context.sqlalchemy_exception
    if isinstance(error, sa.exc.IntegrityError | sa.exc.DataError) or not isinstance(error, sa.exc.DBAPIError):
        return
    where = Said("the register") if context.engine is None else place_of(context.engine.url)
    reason = reason_of(error)
    if reason is not None:
        raise RegisterUnavailable(CANNOT, what=where, error=reason) from context.original_exception


def place_of(url: sa.URL) -> str:
    """Name a register without the password that its address may hold."""
    return Said("the register {name}", name=url.database if url.drivername.startswith("sqlite") else repr(url))


def reason_of(error: sa.exc.DBAPIError) -> str | None:
    """Return what is wrong with the database, or None where it is our own question that is."""
    original: Any = error.orig
    name = getattr(original, "sqlite_errorname", None)
    if name is not None:
        kind = "_".join(name.split("_")[:2])
        if kind in SAID:
            return SAID[kind]
        missing = any(words in str(original) for words in MISSING)
        return Said("its tables are not as they should be ({told})", told=original) if missing else None
    told = str(original).splitlines()[0][:200] if str(original) else "no reason"
    if known := STATES.get(str(getattr(original, "sqlstate", None))):
        return Said(known, told=told)
    if isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError | sa.exc.InternalError):
        return Said("the database does not answer ({told})", told=told)
    return None


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


Shape = TypeVar("Shape")
STRETCH = 500
"""Values that one question names."""


def new_id(characters: int) -> str:
    """Return a random id of an even number of hexadecimal characters."""
    return secrets.token_hex(characters // 2)


def of_row(shape: type[Shape], row: Any, **differs: Any) -> Shape:
    """Return a dataclass whose fields bear the names of a row's columns, those that differ aside."""
    names = shape.__dataclass_fields__  # type: ignore[attr-defined]
    kept = dict(zip(row._fields, row, strict=True)) | differs
    return shape(**{name: kept[name] for name in names})


def within(moment: sa.ColumnElement[Any], start: datetime | None, end: datetime | None) -> list[sa.ColumnElement[bool]]:
    """Return what a moment must be to lie in a span of time that may be open on either side."""
    return [
        *([moment >= start] if start is not None else []),
        *([moment < end] if end is not None else []),
    ]


def each_of(
    connection: sa.Connection, query: sa.Select[Any], column: sa.Column[Any], values: Iterable[str]
) -> Iterator[Any]:
    """Yield the rows of a query whose column has one of some values, however many these are."""
    wanted = sorted(set(values))
    for start in range(0, len(wanted), STRETCH):
        yield from connection.execute(query.where(column.in_(wanted[start : start + STRETCH])))


@dataclass(frozen=True, slots=True)
class Sort:
    """A column to sort by; rows without a value come last either way."""

    column: sa.Column[Any]
    descending: bool = False


def sorts(*columns: sa.Column[Any]) -> dict[str, Sort]:
    """Return how a list may be sorted: by each column, and, after a minus, the other way round."""
    return {sign + one.name: Sort(one, descending=bool(sign)) for one in columns for sign in ("", "-")}


def page(
    connection: sa.Connection,
    query: sa.Select[Any],
    sort: Sort,
    position: sa.Column[int],
    *,
    before: int | None,
    limit: int,
) -> tuple[list[Any], int | None]:
    """Return up to `limit` rows after the row at position `before`, and the position that the next page needs.

    Rows with a value and rows without are asked for one after the other, so that an index gives each in order.
    """
    column = sort.column
    tied: sa.Column[int] = column.table.c[position.name]  # of the same table, for an index of both
    stretches = [query.where(column.is_not(None)), query.where(column.is_(None))] if column.nullable else [query]
    if before is not None:
        row = sa.select(position.table.c[column.name]).where(position == before)  # where positions are looked up by
        found = connection.execute(row).one_or_none()
        if found is None:
            return [], None
        if found[0] is None:
            stretches = [stretches[1].where(tied < before if sort.descending else tied > before)]
        else:
            here, there = sa.tuple_(column, tied), sa.tuple_(sa.literal(found[0], column.type), before)
            stretches[0] = stretches[0].where(here < there if sort.descending else here > there)
    order = (column.desc(), tied.desc()) if sort.descending else (column.asc(), tied.asc())
    rows: list[Any] = []
    for stretch in stretches:
        if len(rows) <= limit:
            rows += connection.execute(stretch.order_by(*order).limit(limit + 1 - len(rows)))
    return rows[:limit], rows[limit - 1].position if len(rows) > limit else None
