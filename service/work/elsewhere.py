"""What would hold the interpreter is done in a process of its own, while the worker that was asked goes on answering.

``python -m service.work.elsewhere FD`` waits on a socket for one task, does it within bounds of memory and time, ends.
The next such process is begun while one is at work, so that nobody waits for its start.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kpfootprint.wanted import go_on
from service.errors import Refused

if TYPE_CHECKING:
    from service.settings import Settings

MEMORY = 3 << 30
SECONDS = 120

Begun = tuple[subprocess.Popen[bytes], Connection]


class Elsewhere:
    """Gives tasks to processes of their own."""

    def __init__(self) -> None:
        self._next: Begun | None = None
        self._lock = threading.Lock()

    def do(self, settings: Settings, function: Callable[..., Any], *args: Any) -> Any:
        """Have ``function(workplace, *args)`` done, and return or raise what it does; end it where nobody waits."""
        with self._lock:
            process, there = self._next or _begun()
            self._next = _begun()
        try:
            there.send((settings, function, args))
            while not there.poll(0.2):
                go_on()
            done, found = there.recv()
        except (EOFError, OSError):
            raise Refused("too_large", "It takes more memory or time than one request may have.") from None
        finally:
            _end(process, there)
        if not done:
            raise found
        return found

    def close(self) -> None:
        """End the process that waits."""
        with self._lock:
            if self._next is not None:
                _end(*self._next)
                self._next = None


def _begun() -> Begun:
    ours, theirs = socket.socketpair()
    with theirs:
        environment = {name: text for name, text in os.environ.items() if name != "PROMETHEUS_MULTIPROC_DIR"}
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            env=environment,
            pass_fds=(theirs.fileno(),),
            process_group=0,  # Ctrl+C is for whoever asked
        )
    return process, Connection(ours.detach())


def _end(process: subprocess.Popen[bytes], there: Connection) -> None:
    there.close()
    process.kill()
    process.wait()


def main(there: Connection) -> None:
    """Do the one task that is asked for."""
    from service.work.place import Workplace
    from service.work.submit import submit  # noqa: F401  # with all that a task needs, before there is one

    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    try:
        settings, function, args = there.recv()
    except EOFError:
        return
    _bound()
    done, found = True, None
    try:
        work = Workplace(settings)
        work.open_register()
        found = function(work, *args)
    except MemoryError:
        done, found = False, Refused("too_large", "It takes more memory than one request may have.")
    except Exception as error:  # raised again by whoever asked
        error.add_note(traceback.format_exc())
        done, found = False, error
    there.send((done, found))


def _bound() -> None:
    try:
        import resource

        own = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (own + MEMORY, own + MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    except (ImportError, OSError):  # where there are no such bounds
        pass


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    main(Connection(int(sys.argv[1])))
