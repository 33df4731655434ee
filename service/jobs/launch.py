"""Runs a worker as a process of its own, and keeps one beside the service."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import signal
import subprocess
import sys
import threading
import time

from service.jobs.worker import work_until
from service.logs import log_to_standard_error
from service.processes import end_with
from service.settings import Settings, environment_of
from service.work.place import Workplace

log = logging.getLogger("kpfootprint.service")

AGAIN_AFTER = 1.0
AGAIN_AT_MOST = 60.0
"""Seconds until a worker that ended is begun again: twice as long each time it ended at once, as on a full disk."""

ENDS_WITHIN = 20.0


def run_worker(settings: Settings) -> None:
    """Take jobs until SIGTERM or SIGINT; what is under way is left where it is and found again."""
    log_to_standard_error(settings.log_format)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if settings.launcher_pid is not None:
        end_with(settings.launcher_pid, stop.set)
    work = Workplace(settings)
    work.open()
    gc.collect()
    gc.freeze()  # what stays for good is not looked through again and again while parcels come and go
    try:
        work_until(work, stop)
    finally:
        work.close()


class Companion:
    """A worker process beside the service: begun again where it ends, ended with the service."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._stop = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._watcher.start()

    def stop(self) -> None:
        """End the worker, after the stretch it is at."""
        self._stop.set()
        self._watcher.join(ENDS_WITHIN + 5)

    def _watch(self) -> None:
        pause = AGAIN_AFTER
        while not self._stop.is_set():
            begun = time.monotonic()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "kpfootprint", "worker"],
                env=os.environ | environment_of(self.settings),
                stdin=subprocess.DEVNULL,
                process_group=0,  # Ctrl+C is for the launcher, which tells the worker
            )
            while self._process.poll() is None and not self._stop.wait(0.2):
                pass
            if self._process.poll() is None:
                self._process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(ENDS_WITHIN)
                self._process.kill()
                self._process.wait()
            if self._stop.is_set():
                return
            pause = AGAIN_AFTER if time.monotonic() - begun > AGAIN_AT_MOST else min(2 * pause, AGAIN_AT_MOST)
            log_to_standard_error(self.settings.log_format)
            status = self._process.returncode
            log.warning("the worker of jobs ended (status %d); another one begins in %g s", status, pause)
            self._stop.wait(pause)
