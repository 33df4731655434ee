"""What is wrong with the register when it cannot be used, in a sentence that says what would help."""

from __future__ import annotations

import logging
from typing import Any

import sqlalchemy as sa

from kpfootprint.errors import KPFootprintError

log = logging.getLogger("kpfootprint.service")


class RegisterUnavailable(KPFootprintError):
    """The register cannot be read or written now; nothing was kept."""

    code = "register_unavailable"


FROM_BACKUP = "move it away, then fill a new one from a backup: kpfootprint restore FILE"

SAID = {
    "SQLITE_BUSY": "another process holds it locked; try again when that has ended",
    "SQLITE_LOCKED": "another process holds it locked; try again when that has ended",
    "SQLITE_PROTOCOL": "another process holds it locked; try again when that has ended",
    "SQLITE_FULL": "there is no room left on its disk; free some, and nothing else has to be done",
    "SQLITE_IOERR": "its disk cannot be read or written (it may be full)",
    "SQLITE_CORRUPT": f"it is damaged; {FROM_BACKUP}",
    "SQLITE_NOTADB": f"it is no register, or damaged; {FROM_BACKUP}",
    "SQLITE_FORMAT": f"it is no register, or damaged; {FROM_BACKUP}",
    "SQLITE_READONLY": "it may be read and not written here; look at the permissions of the file and its folder",
    "SQLITE_PERM": "it may not be opened here; look at the permissions of the file and its folder",
    "SQLITE_CANTOPEN": "it cannot be opened; look at its folder, its permissions and the room on its disk",
}
"""By the primary result code of SQLite."""

MISSING = ("no such table", "no such column", "malformed database schema", "has no column")
STATES = {
    "42P01": "its tables are not as they should be ({told})",
    "42703": "its tables are not as they should be ({told})",
    "55P03": "another process holds it locked; try again when that has ended",
    "53100": "there is no room left on its disk; free some, and nothing else has to be done",
}
"""By the state that PostgreSQL tells: no such table, no such column, a lock that was not given, a disk that is full."""


def watch(engine: sa.Engine) -> None:
    """Let everything that goes wrong with the database itself come out as `RegisterUnavailable`, whoever asks it."""
    sa.event.listen(engine, "handle_error", _translated)


def _translated(context: sa.engine.ExceptionContext) -> None:
    error = context.sqlalchemy_exception
    if isinstance(error, sa.exc.IntegrityError | sa.exc.DataError) or not isinstance(error, sa.exc.DBAPIError):
        return
    where = "the register" if context.engine is None else place_of(context.engine.url)
    reason = reason_of(error)
    if reason is not None:
        raise RegisterUnavailable(f"{where} cannot be used: {reason}") from context.original_exception


def place_of(url: sa.URL) -> str:
    """Name a register without the password that its address may hold."""
    return f"the register {url.database}" if url.drivername.startswith("sqlite") else f"the register {url!r}"


def reason_of(error: sa.exc.DBAPIError) -> str | None:
    """Return what is wrong with the database, or None where it is our own question that is."""
    original: Any = error.orig
    name = getattr(original, "sqlite_errorname", None)
    if name is not None:
        kind = "_".join(name.split("_")[:2])
        if kind in SAID:
            return SAID[kind]
        missing = any(words in str(original) for words in MISSING)
        return f"its tables are not as they should be ({original})" if missing else None
    told = str(original).splitlines()[0][:200] if str(original) else "no reason"
    if known := STATES.get(str(getattr(original, "sqlstate", None))):
        return known.format(told=told)
    if isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError | sa.exc.InternalError):
        return f"the database does not answer ({told})"
    return None
