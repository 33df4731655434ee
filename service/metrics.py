"""What is counted, and how a scraper reads it; labels are templates of routes, never addresses."""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SHARED = "PROMETHEUS_MULTIPROC_DIR" in os.environ  # the client library looks once, at its import, and so must we
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Meters:
    """Counters of one process; several workers share a folder and are added up when read."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
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

    def exposition(self) -> bytes:
        """Return every figure in the text format of Prometheus."""
        if not SHARED:
            return generate_latest(self.registry)
        shared = CollectorRegistry()
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
        return generate_latest(shared)
