"""Processes that end with another: one for each task that would hold the interpreter of a worker, and its launcher's.

``python -m service.processes FD`` waits on a socket for one task, does it within bounds of memory and time, and ends.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from kpfootprint.wanted import go_on
from service.errors import Refused

MEMORY = 3 << 30
SECONDS = 120


def end_with(parent: int, end: Callable[[], object]) -> None:
    """End as told once the parent of this process has ended without saying so, at once where that takes too long."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        end()
        time.sleep(10)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def ended(process: subprocess.Popen[Any], within: float) -> None:
    """Ask a process that leads a group of its own to end, and end whatever of the group has not.

    Processes that it began hold its pipes open: whoever reads from these would wait for them.
    """
    _signal(process, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(within)
    _signal(process, signal.SIGKILL)
    process.wait()


def _signal(process: subprocess.Popen[Any], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def done_elsewhere(function: Callable[..., Any], *args: Any) -> Any:
    """Have ``function(*args)`` done, and return or raise what it does; end it where nobody waits."""
    process, there = _begun()
    try:
        there.send((function, args))
        while not there.poll(0.2):
            go_on()
        done, found = there.recv()
    except (EOFError, OSError):
        raise Refused("too_large", "It takes more memory or time than one request may have.") from None
    finally:
        there.close()
        process.kill()
        process.wait()
    if not done:
        raise found
    return found


def _begun() -> tuple[subprocess.Popen[bytes], Connection]:
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


def main(there: Connection) -> None:
    """Do the one task that is asked for."""
    end_with(os.getppid(), lambda: os._exit(1))
    try:
        function, args = there.recv()
    except EOFError:  # nobody asks any more
        return
    _bound()
    done, found = True, None
    try:
        found = function(*args)
    except MemoryError:
        done, found = False, Refused("too_large", "It takes more memory than one request may have.")
    except Exception as error:  # raised again by whoever asked
        error.add_note(traceback.format_exc())
        done, found = False, error
    there.send((done, found))


def _bound() -> None:
    try:
        own = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (own + MEMORY, own + MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    except OSError:  # where there are no such bounds
        pass


if __name__ == "__main__":
    main(Connection(int(sys.argv[1])))
