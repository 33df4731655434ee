"""A PostgreSQL server of the tests' own, on loopback, thrown away afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import sqlalchemy as sa

from tests.service.server import PATIENCE, STARTS, free_port


class Postgres:
    """Runs from `start` to `stop`; PostgreSQL refuses to run as root, so it runs as nobody else's user there.

    It keeps what it keeps in `folder`, or in one of its own.
    """

    def __init__(self, programs: Path, folder: Path | None = None) -> None:
        self.programs = programs
        self.folder = folder or Path(tempfile.mkdtemp(prefix="kpf-pg-", dir="/tmp"))
        self._made = 0
        self._as = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        if self._as:
            shutil.chown(self.folder, "postgres", "postgres")
        self._run(
            "initdb", "--auth=trust", "--username=kpf", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync",
            "--wal-segsize=1", f"--pgdata={self.folder}/data",
        )  # fmt: skip
        for left in reversed(range(STARTS)):
            self.port = free_port()
            try:
                self.start()
            except AssertionError:  # somebody may have taken the port meanwhile
                if not left:
                    raise
            else:
                break

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*self._as, str(self.programs / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()

    def start(self) -> None:
        """Start the server; returns when it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        self._run(
            "pg_ctl",
            f"--pgdata={self.folder}/data",
            "--wait",
            f"--timeout={PATIENCE:g}",
            f"--log={self.folder}/log",
            "--options",
            options,
            "start",
        )

    def stop(self, how: str = "immediate") -> None:
        """Stop the server; ``immediate`` is as if its machine had lost power."""
        self._run(
            "pg_ctl", f"--pgdata={self.folder}/data", "--wait", f"--timeout={PATIENCE:g}", f"--mode={how}", "stop"
        )

    def remove(self) -> None:
        """Stop the server and remove what it kept."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str) -> str:
        """Return the address of a database."""
        return f"postgresql+psycopg://kpf@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """Make an empty database and return its address."""
        self._made += 1
        name = f"kpf{self._made}"
        engine = sa.create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return self.url(name)
