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


@dataclass(slots=True)
class Progress:
    """Tells of stages, one line when each begins and one every `every` seconds while it runs.

    Lines read ``[ 37 %] network of undeclared shares, 12 of 100: about 2 min left``.
    """

    write: Write
    parts: Mapping[str, float]
    every: float = 5.0
    clock: Callable[[], float] = time.perf_counter
    _stage: str = ""
    _ended: float = 0.0
    _levels: list[list[int]] = field(default_factory=list)
    _began: float = field(default=0.0)
    _told: float = field(default=0.0)

    def __post_init__(self) -> None:
        self._began = self.clock()

    def __call__(self, stage: str) -> None:
        """Say that a stage begins, and so that the one before it has ended."""
        self._ended = min(self._ended + (self._part(self._stage) if self._stage else 0.0), 0.99)
        self._stage, self._levels = stage, []
        self._tell()

    def _part(self, stage: str) -> float:
        return next((part for name, part in self.parts.items() if stage.startswith(name)), UNKNOWN)

    def _tell(self) -> None:
        now = self.clock()
        self._told = now
        done = self.done
        elapsed = now - self._began
        left = f": about {_spoken(elapsed * (1.0 - done) / done)} left" if done > 0.02 and elapsed > 2.0 else ""
        count = "".join(f", {at} of {total}" for at, total in self._levels)
        self.write(f"[{done:4.0%}] {self._stage}{count}{left}")

    @property
    def done(self) -> float:
        """The part of all the work that is done, 0 to 1."""
        inside, scale = 0.0, 1.0
        for at, total in self._levels:
            inside += scale * at / total
            scale /= total
        return min(self._ended + self._part(self._stage) * min(inside, 1.0), 0.99)

    def each(self, items: Iterable[T], total: int) -> Iterator[T]:
        """Give the items one by one, and count those that were dealt with."""
        level = [0, max(total, 1)]
        self._levels.append(level)
        for item in items:
            yield item
            level[0] += 1
            if self.clock() - self._told >= self.every:
                self._tell()
        if level in self._levels:
            self._levels.remove(level)


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
