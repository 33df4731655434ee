"""Keeps the workers that answer requests: says which of them ended, and has others take their places at once."""

from __future__ import annotations

import time
from typing import Any

from circus.process import DEAD_OR_ZOMBIE, UNEXISTING
from circus.watcher import Watcher
from tornado.ioloop import PeriodicCallback

from service.logs import log

LOOK_EVERY = 0.25
"""Seconds between two looks at who is there; circus, which BentoML starts its workers by, looks every ten."""

AGAIN_AFTER = 10.0
"""Seconds in which workers are replaced at once but once: those that would only end again wait for circus."""


class Keeper(Watcher):  # type: ignore[misc]
    """The watcher of circus, which says nothing where a worker ends, and may leave the service without any."""

    def initialize(self, *arguments: Any) -> None:
        """Begin to look."""
        super().initialize(*arguments)
        log.disabled = False  # as BentoML leaves every logger that it finds
        self.respawn = True  # in BentoML's own containers too: another worker is worth more than none
        self._replaced_at = -AGAIN_AFTER
        PeriodicCallback(self._replace, LOOK_EVERY * 1000).start()

    def notify_event(self, topic: str, msg: Any) -> None:
        """Say which worker ended though nobody asked it to."""
        super().notify_event(topic, msg)
        if topic == "reap" and not self._ends():
            said = "worker %d, which answered requests, ended (status %s); another one takes its place"
            log.warning(said, msg["process_pid"], msg["exit_code"])

    def _replace(self) -> None:
        if self._ends() or time.monotonic() - self._replaced_at < AGAIN_AFTER:
            return
        for process in list(self.processes.values()):
            if process.status in {DEAD_OR_ZOMBIE, UNEXISTING}:
                self._replaced_at = time.monotonic()
                self.reap_process(process.pid)
                self.spawn_process()

    def _ends(self) -> bool:
        return bool(self.is_stopping() or self.is_stopped())
