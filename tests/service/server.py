"""The real server, as a user starts it: ``python -m kpfootprint serve`` on a free port."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx2

PATIENCE = 180.0
"""Seconds that what must come is waited for, on a machine however busy; once it has come nobody waits any longer."""


def comes(happens: Callable[[], object], seconds: float = PATIENCE) -> bool:
    """Wait until something is so, and say whether it ever was."""
    until = time.monotonic() + seconds
    while not happens():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def free_port() -> int:
    """Return a port that nobody listens on now, and that no connection is given meanwhile."""
    while True:
        port = random.SystemRandom().randrange(10_000, 32_000)
        with socket.socket() as taken, suppress(OSError):
            taken.bind(("127.0.0.1", port))
            return port


STARTS = 3
"""Times that a server is started where a port was taken meanwhile: its own, or one that BentoML picked for itself."""

ENDS_WITHIN = 90
"""Seconds of a stop: BentoML's workers have 30, and the worker of jobs 20 after them."""


class Server:
    """Runs while the ``with`` block does; `printed` is what it said on standard output."""

    def __init__(self, home: Path, *options: str, port: int | None = None, **environment: str) -> None:
        self.home, self.options, self.given_port = home, options, port
        given = {name: value for name, value in os.environ.items() if not name.startswith(("KPF_", "BENTOML_"))}
        given.pop("PROMETHEUS_MULTIPROC_DIR", None)
        self.environment = given | {"KPF_HOME": str(home)} | environment
        self._start()

    def _start(self) -> None:
        self.port = self.given_port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.printed = self.logged = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kpfootprint", "serve", "--port", str(self.port), *self.options],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._readers = [
            threading.Thread(target=self._read, args=(name,), daemon=True) for name in ("printed", "logged")
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, name: str) -> None:
        stream = self.process.stdout if name == "printed" else self.process.stderr
        assert stream is not None
        for line in stream:
            setattr(self, name, getattr(self, name) + line)

    def __enter__(self) -> Server:
        starts, until = 1, time.monotonic() + PATIENCE
        while "Stop with Ctrl+C." not in self.printed:
            if self.process.poll() is not None or time.monotonic() > until:
                self.stop()
                if starts == STARTS or self.given_port or "Address already in use" not in self.logged:
                    raise AssertionError(f"the server did not start:\n{self.logged}")
                starts += 1
                self._start()
            time.sleep(0.05)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End the launcher and return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            status = self.process.wait(ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        for reader in self._readers:
            reader.join(30)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        return status

    def refuses(self) -> int:
        """Return the exit status of a start that must fail."""
        comes(lambda: self.process.poll() is not None or "Serving on" in self.printed)
        return self.stop()

    def client(self, key: str | None = None, **more: Any) -> httpx2.Client:
        """Return a client that asks here, with a key where one is given."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=PATIENCE, **more)

    @property
    def link(self) -> str | None:
        """The one-time link, where one was printed."""
        found = re.search(r"http://\S+token=\S+", self.printed)
        return found.group() if found else None


def listens(port: int) -> bool:
    """Say whether anybody listens on a port."""
    with socket.socket() as trial:
        trial.settimeout(1)
        return trial.connect_ex(("127.0.0.1", port)) == 0
