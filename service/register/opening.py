"""Opens the register: makes or migrates it where needed, and refuses one that is not as it should be."""

from __future__ import annotations

import fcntl
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path

import sqlalchemy as sa

from kpfootprint.retold import Said
from service.logs import log
from service.register.database import (
    FROM_BACKUP,
    NO_STEP,
    RegisterUnavailable,
    cannot,
    connect,
    is_sqlite,
    reading,
    writing,
)
from service.register.tables import APPEND_ONLY, REFUSES
from service.settings import Settings

HEAD = "0011"
"""Newest migration; a test compares it with the folder."""

LOCKED_FOR = 30.0
"""Seconds that a start waits for another start; after one of them it says that it waits."""

MIGRATE_LOCK = 7_305_002
"""Advisory lock on PostgreSQL; on SQLite a file beside the register is locked."""

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
        raise _not_in(settings.home, error) from None
    engine = connect(settings.register_url)
    try:
        with nullcontext() if settings.is_launched else _alone(engine, settings):
            _refuse_foreign(engine)
            if (found := version(engine)) != HEAD:
                if settings.is_launched:
                    raise cannot(
                        engine,
                        "it is not the one that the service was started with ({step}); start it again",
                        step=found or NO_STEP,
                    )
                migrate(engine)
            if not to_be_verified:
                refuse_unguarded(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _not_in(home: Path, error: OSError) -> RegisterUnavailable:
    reason = Said(error.strerror or str(error))
    return RegisterUnavailable("{home} cannot hold a register: {reason}", home=home, reason=reason)


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
        raise _not_in(settings.home, error) from None
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
            raise cannot(
                engine,
                "it holds the {kind} {name}, which this software never made; {help}",
                kind=kind,
                name=repr(name[:80]),
                help=FROM_BACKUP,
            )


def refuse_unguarded(engine: sa.Engine) -> None:
    """Refuse a register where somebody took away what keeps its entries from being changed."""
    with reading(engine) as connection:
        there = set(connection.exec_driver_sql(GUARDED_BY[engine.dialect.name]).scalars())
    for name, made in GUARDS[engine.dialect.name].items():
        if name not in there:
            raise cannot(
                engine,
                "the trigger {name}, which keeps what was acknowledged from being changed, was taken away; make "
                "it again, and see whether anything was changed meanwhile (kpfootprint register verify): {made}",
                name=name,
                made=made,
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
        raise cannot(
            engine,
            "a later version of kpfootprint wrote it (step {told}; this one knows {head}); install that version",
            told=told,
            head=HEAD,
        )
    raise cannot(
        engine,
        "it is damaged: the step that its tables stand at is not known here ({told}); {help}",
        told=told,
        help=FROM_BACKUP,
    )


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
        raise cannot(
            engine,
            "it is damaged: it says that its tables stand at {step}, and they do not ({told}); {help}",
            step=now or NO_STEP,
            told=told,
            help=FROM_BACKUP,
        ) from None
