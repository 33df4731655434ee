"""What is wrong with the register, in words for whoever runs it, on whichever database."""

from __future__ import annotations

from typing import Any

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
