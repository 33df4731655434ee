"""What is counted, and how a scraper reads it; labels are templates of routes, never addresses."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

from service.logs import log

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
ROOM = 1 << 20
"""Bytes of a file of counters: more than all labels there are take."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def reserve(folder: Path, process: int) -> None:
    """Take the room for the counters of a process before they are mapped into its memory.

    A file that grows as it is written to ends the process with SIGBUS where its disk is full.
    """
    for kind in ("counter", "histogram"):
        handle = os.open(folder / f"{kind}_{process}.db", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(handle, 0, ROOM)
            else:
                os.write(handle, bytes(ROOM))
        finally:
            os.close(handle)


def _shares() -> bool:
    """Say whether the counters of all workers can be added up; where there is no room each keeps its own in memory."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        return False
    try:
        reserve(Path(folder), os.getpid())
    except OSError as error:
        log.warning("the figures of this worker stand alone: %s", error)
        values.ValueClass = values.MutexValue
        return False
    return True


class Meters:
    """Counters of one process; several workers share a folder and are added up when read."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.shared = _shares()
        self.requests = Counter(
            "kpf_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "kpf_request_seconds", "Seconds from a request to its answer.", ["route"], registry=self.registry
        )
        self.comparisons = Counter(
            "kpf_comparisons", "Comparisons made, by conclusion.", ["conclusion"], registry=self.registry
        )
        self.examination = Histogram(
            "kpf_examination_seconds", "Seconds that an examination took.", registry=self.registry
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer."""
        self.requests.labels(method if method in METHODS else "other", route, str(status)).inc()
        self.seconds.labels(route).observe(seconds)

    def compared(self, conclusion: str | None, seconds: float) -> None:
        """Count a comparison."""
        self.comparisons.labels(conclusion or "none").inc()
        self.examination.observe(seconds)

    def exposition_with(self, jobs: Mapping[str, int], undecided: int, overdue: int) -> bytes:
        """Return every figure, with those that the register holds: jobs by state, and the clocks of submissions."""
        lines = ["# HELP kpf_jobs Jobs in the register, by state.", "# TYPE kpf_jobs gauge"]
        lines += [f'kpf_jobs{{state="{state}"}} {count}' for state, count in sorted(jobs.items())]
        for name, about, value in (
            ("kpf_submissions_undecided", "Submissions that wait for a decision.", undecided),
            ("kpf_submissions_overdue", "Of these, past their due date.", overdue),
        ):
            lines += [f"# HELP {name} {about}", f"# TYPE {name} gauge", f"{name} {value}"]
        counted = self.registry
        if self.shared:
            counted = CollectorRegistry()
            MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
        return generate_latest(counted) + ("\n".join(lines) + "\n").encode()
