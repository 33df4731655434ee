"""Servers with a key to ask them by, the processes they run in, and the databases that they keep a register in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import psutil

from service.register.keys import create_key
from service.settings import Settings
from tests.needs import postgres_programs
from tests.service.databases import Postgres
from tests.service.server import Server


@contextmanager
def asked(
    home: Path, role: str, *options: str, database_url: str | None = None
) -> Iterator[tuple[Server, httpx2.Client]]:
    """Give a server without limits, and a client that asks it by a key of that role; without a database, on SQLite."""
    key = create_key(Settings(home=home, database_url=database_url), role)
    url = database_url or f"sqlite:///{home}/register.db"
    with (
        Server(home, *options, KPF_RATE_PER_MINUTE="0", KPF_DATABASE_URL=url) as server,
        httpx2.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}, timeout=600) as client,
    ):
        yield server, client


def processes(server: Server) -> list[psutil.Process]:
    """Return the processes of a server, the launcher first."""
    launcher = psutil.Process(server.process.pid)
    return [launcher, *launcher.children(recursive=True)]


@contextmanager
def databases() -> Iterator[dict[str, str | None]]:
    """Give the kinds of databases with their addresses: SQLite without one, and PostgreSQL where it is installed."""
    programs = postgres_programs()
    server = None if programs is None else Postgres(programs)
    try:
        yield {"SQLite": None} | ({} if server is None else {"PostgreSQL": server.new_database()})
    finally:
        if server is not None:
            server.remove()
