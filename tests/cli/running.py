"""Runs the real command in a process of its own, as a user does."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


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
    done = subprocess.run(
        [sys.executable, "-m", "kpfootprint", *map(str, arguments)],
        env=given | {"KPF_HOME": str(home)} | environment,
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return Done(status=done.returncode, out=done.stdout, err=done.stderr.decode())
