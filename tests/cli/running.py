"""Runs the real command in a process of its own, as a user does; only the start of the interpreter is shared."""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        *("kpfootprint.cli.main", "kpfootprint.flow", "kpfootprint.ingest", "service.register.verify"),
        *("service.work.releases", "babel.numbers", "babel.messages.pofile", "sqlalchemy.dialects.sqlite"),
    ]
)
"""A process that has imported what nearly every command needs, and forks for each: a second less a command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a command left behind: exit status, standard output, standard error."""

    status: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """Standard output as text."""
        return self.out.decode()


def kpfootprint(*arguments: object, home: Path, **environment: str) -> Done:
    """Run ``kpfootprint`` with the arguments; `home` is its KPF_HOME."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("KPF_")}
    surroundings = given | {"KPF_HOME": str(home)} | environment
    with tempfile.NamedTemporaryFile() as out, tempfile.NamedTemporaryFile() as err:
        process = _FORKS.Process(
            target=_command, args=([str(item) for item in arguments], surroundings, out.name, err.name)
        )
        process.start()
        process.join()
        assert process.exitcode is not None
        return Done(status=process.exitcode, out=out.read(), err=err.read().decode())


def _command(arguments: list[str], surroundings: dict[str, str], out: str, err: str) -> None:
    for name, stream in ((out, sys.stdout), (err, sys.stderr)):
        os.dup2(os.open(name, os.O_WRONLY), stream.fileno())
    os.environ.clear()
    os.environ.update(surroundings)
    from kpfootprint.cli.main import main

    main(arguments)
