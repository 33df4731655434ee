"""Long work: how far it has come, how long it still takes, and where its tasks run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

import joblib
from joblib import Parallel

from kpfootprint.cluster import SchedulerError, connected, shared

T = TypeVar("T")
Write = Callable[[str], None]

PARTS: Mapping[str, Mapping[str, float]] = {
    "fit": {
        "structure and parcel model": 0.03,
        "gate: which sizes can be trusted": 0.17,
        "evidence and calibration on parcels left out in turn": 0.05,
        "network of undeclared shares": 0.60,
        "ranks, coverage and error rates": 0.13,
        "resampled reference parcels": 0.02,
        "conclusions, and declarants who try": 0.15,
    },
    "evaluate": {
        "evidence of held-out parcels, zones left out, later parcels, hardship": 0.35,
        "held-out parcels examined from end to end": 0.10,
        "true blends and virtual mixtures": 0.15,
        "either kind of evidence alone": 0.08,
        "worlds that differ": 0.2,
        "simulated parcels from nowhere": 0.02,
        "declarants who try": 0.08,
    },
}
"""About what part of the time each stage takes, as measured on the package that comes along; only for the time left."""

UNKNOWN = 0.05
EVERY = 5.0
"""Seconds between two lines of one stage."""


@dataclass(slots=True)
class Progress:
    """Tells of stages, one line when each begins and one every `EVERY` seconds while it runs.

    Lines read ``[ 37 %] network of undeclared shares, 12 of 100: about 2 min left``.
    """

    write: Write
    parts: Mapping[str, float]
    _stage: str = ""
    _ended: float = 0.0
    _at: int = 0
    _total: int = 0
    _began: float = field(default_factory=time.perf_counter)
    _told: float = 0.0

    def __call__(self, stage: str) -> None:
        """Say that a stage begins, and so that the one before it has ended."""
        self._ended = min(self._ended + (self._part() if self._stage else 0.0), 0.99)
        self._stage, self._at, self._total = stage, 0, 0
        self._tell()

    def _part(self) -> float:
        return next((part for name, part in self.parts.items() if self._stage.startswith(name)), UNKNOWN)

    def _tell(self) -> None:
        self._told = now = time.perf_counter()
        elapsed = now - self._began
        done = min(self._ended + self._part() * self._at / max(self._total, 1), 0.99)
        left = f": about {_spoken(elapsed * (1.0 - done) / done)} left" if done > 0.02 and elapsed > 2.0 else ""
        count = f", {self._at} of {self._total}" if self._total else ""
        self.write(f"[{done:4.0%}] {self._stage}{count}{left}")

    def each(self, items: Iterable[T], total: int) -> Iterator[T]:
        """Give the items one by one, and count those that were dealt with."""
        self._at, self._total = 0, total
        for item in items:
            yield item
            self._at += 1
            if time.perf_counter() - self._told >= EVERY:
                self._tell()
        self._at, self._total = 0, 0


def _spoken(seconds: float) -> str:
    if seconds < 90:
        return f"{max(round(seconds, -1), 10):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


_CURRENT: ContextVar[Progress | None] = ContextVar("progress", default=None)


@contextmanager
def told(write: Write, command: str) -> Iterator[Progress]:
    """Give the progress of a command, which `side_by_side` counts towards meanwhile."""
    progress = Progress(write, PARTS[command])
    token = _CURRENT.set(progress)
    try:
        yield progress
    finally:
        _CURRENT.reset(token)


def side_by_side(tasks: Sequence[Any], *, n_jobs: int) -> list[Any]:
    """Run joblib's delayed calls in `n_jobs` processes (or on the cluster in force), counted and in order."""
    done = Parallel(n_jobs=n_jobs, return_as="generator")(tasks)
    progress = _CURRENT.get()
    return list(done) if progress is None else list(progress.each(done, len(tasks)))


@contextmanager
def workers(jobs: int, scheduler: str | None) -> Iterator[None]:
    """Run what `training.progress.side_by_side` is given in `jobs` processes, or on the cluster of a scheduler.

    Every task holds its own seed, so results do not depend on where or in what order tasks run; a task whose worker
    is lost runs again on another.

    Raises
    ------
    SchedulerError
        Where the scheduler does not answer within ten seconds, has no workers, or Dask is not installed.
    """
    if scheduler is None:
        with joblib.parallel_config(n_jobs=jobs):
            yield
        return
    with connected(scheduler) as client:
        if not client.nthreads():
            raise SchedulerError(
                "The scheduler {scheduler} has no workers; start some with: dask worker {scheduler}",
                scheduler=scheduler,
            )

        async def scatter(data: object, **_: object) -> object:
            return shared(client, data)

        client.scatter = scatter  # joblib's own would wait for ever for a worker that is lost meanwhile
        with joblib.parallel_config(backend="dask", client=client, n_jobs=-1):
            yield
