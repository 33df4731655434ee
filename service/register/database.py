"""Opens the register, on SQLite or PostgreSQL: connections, migration, transactions, and what is wrong with it."""

from __future__ import annotations

import fcntl
import logging
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from kpfootprint.errors import KPFootprintError
from kpfootprint.retold import Said
from service.register.tables import APPEND_ONLY, REFUSES
from service.settings import Settings

HEAD = "0009"
"""Newest migration; a test compares it with the folder."""

BUSY_MS = 5_000
"""Milliseconds that a writer waits for another one before the register is said to be locked."""

LOCKED_FOR = 30.0
"""Seconds that a start waits for another start; after one of them it says that it waits."""

CONNECT_WITHIN = 5
SESSION = f"-c max_parallel_workers_per_gather=0 -c jit=off -c lock_timeout={BUSY_MS}"
"""Of PostgreSQL: helpers and compiled plans take longer to begin than any of our questions to answer."""

APPEND_LOCK, MIGRATE_LOCK = 7_305_001, 7_305_002
"""Advisory locks on PostgreSQL; on SQLite one writer at a time is the rule anyway."""

GUARDS = {
    "sqlite": {
        f"{table}_no_{act.lower()}": f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{REFUSES}'); END"
        for table in APPEND_ONLY
        for act in ("UPDATE", "DELETE")
    },
    "postgresql": {
        f"{table}_append_only": "CREATE OR REPLACE FUNCTION kpf_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSES}'; END $$; CREATE OR REPLACE TRIGGER {table}_append_only "
        f"BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION kpf_append_only()"
        for table in APPEND_ONLY
    },
}
"""The triggers that keep entries from being changed, and how each is made."""

GUARDED_BY = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT t.tgname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_class c "
    "ON c.oid = t.tgrelid WHERE t.tgname = c.relname || '_append_only' AND pg_table_is_visible(c.oid) "
    "AND t.tgenabled IN ('O', 'A') AND t.tgtype = 58 AND t.tgqual IS NULL "
    f"AND trim(p.prosrc) = 'BEGIN RAISE EXCEPTION ''{REFUSES}''; END'",
}
"""Names of those that are there and on; 58 is before update, delete and truncate of a table."""

log = logging.getLogger("kpfootprint.service")


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


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Give a connection that sees one state of the register."""
    with _connected(engine) as connection:
        yield connection


@contextmanager
def snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Give a connection that sees the same state however long it reads, while others write."""
    with _connected(engine) as connection:
        if not is_sqlite(engine):
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Give a connection whose changes are kept together, or not at all."""
    with _connected(engine).execution_options(writes=True) as connection, connection.begin():
        yield connection


def _connected(engine: sa.Engine) -> sa.Connection:
    try:
        return engine.connect()
    except sa.exc.TimeoutError:  # those that have one wait for somebody who holds a table or the disk
        raise RegisterUnavailable(
            CANNOT, what=place_of(engine.url), error=Said("all connections to it are taken; try again in a while")
        ) from None


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


def open_register(settings: Settings, *, to_be_verified: bool = False) -> sa.Engine:
    """Return the register, made or migrated where needed; one process looks and migrates at a time.

    The workers of a launcher, which has opened it before, make and migrate none: one that is gone is not begun anew.

    Parameters
    ----------
    to_be_verified : bool
        Open it though its guards were taken away: whoever walks the chain calls `refuse_unguarded` afterwards.

    Raises
    ------
    RegisterUnavailable
        Where it cannot be opened; the text says why and what would help.
    """
    try:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise RegisterUnavailable(
            "{home} cannot hold a register: {reason}", home=settings.home, reason=Said(error.strerror or str(error))
        ) from None
    engine = connect(settings.register_url)
    try:
        with nullcontext() if settings.is_launched else _alone(engine, settings):
            _refuse_foreign(engine)
            if (found := version(engine)) != HEAD:
                if settings.is_launched:
                    raise RegisterUnavailable(
                        CANNOT,
                        what=place_of(engine.url),
                        error=Said(
                            "it is not the one that the service was started with ({step}); start it again",
                            step=found or NO_STEP,
                        ),
                    )
                migrate(engine)
            if not to_be_verified:
                refuse_unguarded(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


@contextmanager
def opened(settings: Settings, *, to_be_verified: bool = False) -> Iterator[sa.Engine]:
    """Give the register as `open_register` does, and close it afterwards."""
    engine = open_register(settings, to_be_verified=to_be_verified)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _alone(engine: sa.Engine, settings: Settings) -> Iterator[None]:
    """Keep other processes from migrating meanwhile."""
    if not is_sqlite(engine):
        with engine.connect() as connection:
            connection.execute(sa.text(f"SET LOCAL lock_timeout = '{LOCKED_FOR}s'"))
            connection.execute(sa.select(sa.func.pg_advisory_lock(MIGRATE_LOCK)))
            try:
                yield
            finally:
                connection.execute(sa.select(sa.func.pg_advisory_unlock(MIGRATE_LOCK)))
        return
    lock = settings.home / "register.lock"
    try:
        handle = os.open(lock, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise RegisterUnavailable(
            "{home} cannot hold a register: {reason}", home=settings.home, reason=Said(error.strerror or str(error))
        ) from None
    try:
        _wait_for(handle, lock)  # the first connection of all turns WAL on, and bears no company
        if engine.url.database:
            begin(Path(engine.url.database))
        yield
    finally:
        os.close(handle)


def _wait_for(handle: int, lock: Path) -> None:
    started = time.monotonic()
    said = False
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            waited = time.monotonic() - started
        if waited > LOCKED_FOR:
            raise RegisterUnavailable(
                "another process has held {lock} for {seconds} s; end it and start again",
                lock=lock,
                seconds=f"{LOCKED_FOR:g}",
            )
        if waited > 1 and not said:
            log.warning("Waiting for another process, which holds %s", lock)
            said = True
        time.sleep(0.05)


def begin(file: Path) -> None:
    """Make the file of a new register; one that is there and empty was a register once, and is not begun anew."""
    try:
        if file.exists():
            if file.stat().st_size == 0:  # SQLite, too, throws the log beside it away
                raise RegisterUnavailable(
                    "{file} is empty: what it held is gone; remove it, and begin a new register or fill "
                    "one from a backup: kpfootprint restore FILE",
                    file=file,
                )
            return
        draft = file.with_name(f".{file.name}.new")
        draft.unlink(missing_ok=True)
        os.close(os.open(draft, os.O_CREAT | os.O_RDWR, 0o600))
        with closing(sqlite3.connect(draft)) as made:
            made.execute("PRAGMA journal_mode=WAL")
            made.execute("PRAGMA user_version=1")  # a page is written: the file is not empty from its first moment
        draft.replace(file)
    except sqlite3.Error as error:
        raise RegisterUnavailable(
            "{file} cannot be begun: {error}; look at the room on its disk", file=file, error=error
        ) from None
    except OSError as error:
        raise RegisterUnavailable(
            "{file} cannot be opened: {reason}", file=file, reason=Said(error.strerror or str(error))
        ) from None


def _refuse_foreign(engine: sa.Engine) -> None:
    """Refuse a register whose file brings something along that acts or poses as a table: none of ours does."""
    if not is_sqlite(engine):
        return
    with reading(engine) as connection:
        found = connection.exec_driver_sql("SELECT type, name, coalesce(sql, '') FROM sqlite_master").all()
    for kind, name, made in found:
        virtual = kind == "table" and made.upper().startswith("CREATE VIRTUAL")
        if kind == "view" or virtual or (kind == "trigger" and made not in GUARDS["sqlite"].values()):
            raise RegisterUnavailable(
                CANNOT,
                what=place_of(engine.url),
                error=Said(
                    "it holds the {kind} {name}, which this software never made; {help}",
                    kind=kind,
                    name=repr(name[:80]),
                    help=FROM_BACKUP,
                ),
            )


def refuse_unguarded(engine: sa.Engine) -> None:
    """Refuse a register where somebody took away what keeps its entries from being changed."""
    with reading(engine) as connection:
        there = set(connection.exec_driver_sql(GUARDED_BY[engine.dialect.name]).scalars())
    for name, made in GUARDS[engine.dialect.name].items():
        if name not in there:
            raise RegisterUnavailable(
                CANNOT,
                what=place_of(engine.url),
                error=Said(
                    "the trigger {name}, which keeps what was acknowledged from being changed, was taken away; make "
                    "it again, and see whether anything was changed meanwhile (kpfootprint register verify): {made}",
                    name=name,
                    made=made,
                ),
            )


def version(engine: sa.Engine) -> str | None:
    """Return the migration that the register stands at, or None where it has no tables.

    Raises
    ------
    RegisterUnavailable
        Where it says that it stands at none that is known here, at several, or nothing of the kind.
    """
    with reading(engine) as connection:
        there = sa.inspect(connection)
        if not there.has_table("alembic_version"):
            if not there.has_table("keys"):
                return None
            steps = []
        else:
            steps = list(connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalars())
    if len(steps) == 1 and steps[0] in migrations():
        return str(steps[0])
    told = ", ".join(repr(str(step)[:32]) for step in steps) or NO_STEP
    if len(steps) == 1 and is_later(steps[0]):
        wrong = Said(
            "a later version of kpfootprint wrote it (step {told}; this one knows {head}); install that version",
            told=told,
            head=HEAD,
        )
    else:
        wrong = Said(
            "it is damaged: the step that its tables stand at is not known here ({told}); {help}",
            told=told,
            help=FROM_BACKUP,
        )
    raise RegisterUnavailable(CANNOT, what=place_of(engine.url), error=wrong)


def is_later(step: object) -> bool:
    """Say whether a later version of this software may have brought a register to a step."""
    return isinstance(step, str) and re.fullmatch("[0-9]{4}", step) is not None and step > HEAD


def migrations() -> frozenset[str]:
    """Return every migration that this version knows."""
    return frozenset(file.name[:4] for file in (Path(__file__).parent / "migrations" / "versions").glob("[0-9]*.py"))


def migrate(engine: sa.Engine, to: str = HEAD) -> None:
    """Bring the register to a migration, `HEAD` where nothing else is said, in one transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    now = version(engine)
    try:
        with writing(engine) as connection:
            config.attributes["connection"] = connection
            (command.downgrade if now is not None and now > to else command.upgrade)(config, to)
    except sa.exc.DBAPIError as error:
        told = (str(error.orig).splitlines() or [""])[0][:200]
        raise RegisterUnavailable(
            CANNOT,
            what=place_of(engine.url),
            error=Said(
                "it is damaged: it says that its tables stand at {step}, and they do not ({told}); {help}",
                step=now or NO_STEP,
                told=told,
                help=FROM_BACKUP,
            ),
        ) from None


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
