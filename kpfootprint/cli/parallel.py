"""Examines many parcels a chunk at a time: here, over processes of this machine, or over a Dask cluster."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from kpfootprint.cli.surroundings import told

if TYPE_CHECKING:
    from kpfootprint.errors import NotExamined, Problem
    from kpfootprint.parcel import Parcel
    from kpfootprint.release import Release
    from kpfootprint.report import Report

CHUNK = 32
"""Parcels examined together. It does not depend on the number of workers, so neither do the bytes."""


def problem_line(parcel_id: str, problems: Sequence[Problem]) -> str:
    """Return the line of a parcel that has no report."""
    told = {"parcel": {"parcel_id": parcel_id}, "problems": [problem.as_dict() for problem in problems]}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def lines_of(
    parcels: Sequence[Parcel], release: Release, created_at: datetime, *, workers: int, scheduler: str | None
) -> Iterator[tuple[str, bool]]:
    """Yield the line of each parcel and whether it is a report, in order; only a few chunks are under way at a time."""
    from kpfootprint.errors import NotExamined

    for one in _examined(parcels, release, created_at, workers, scheduler):
        if isinstance(one, NotExamined):
            yield problem_line(one.parcel_id, one.problems), False
        else:
            yield one.to_json(), True


def _examined(
    parcels: Sequence[Parcel], release: Release, created_at: datetime, workers: int, scheduler: str | None
) -> Iterator[Report | NotExamined]:
    from kpfootprint.flow import examine_each
    from kpfootprint.parcel import Batch

    when: dict[str, Any] = {"status_on": created_at.date(), "created_at": created_at}
    batches = (Batch(tuple(parcels[start : start + CHUNK])) for start in range(0, len(parcels), CHUNK))
    if scheduler is None and workers == 1:
        for batch in batches:
            yield from examine_each(batch, release, **when)
        return
    with ExitStack() as stack:
        submit, there, at_once = (
            _processes(stack, workers, release) if scheduler is None else _dask(stack, scheduler, release)
        )
        under_way: deque[Any] = deque()
        for batch in batches:
            under_way.append(submit(examine_each, batch, there, **when))
            if len(under_way) >= at_once:
                yield from _found(under_way.popleft())
        while under_way:
            yield from _found(under_way.popleft())


def _found(future: Any) -> tuple[Report | NotExamined, ...]:
    from concurrent.futures import BrokenExecutor

    try:
        found: tuple[Report | NotExamined, ...] = future.result()
    except BrokenExecutor:
        raise click.ClickException(
            told("a worker process died, for want of memory perhaps; nothing was written")
        ) from None
    return found


def _processes(stack: ExitStack, workers: int, release: Release) -> tuple[Callable[..., Any], Any, int]:
    """Return how work is given to processes here, the release as they are given it, and how much of it at once."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    pool = stack.enter_context(ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")))
    stack.callback(pool.shutdown, cancel_futures=True)
    return pool.submit, release, 2 * workers


def _dask(stack: ExitStack, scheduler: str, release: Release) -> tuple[Callable[..., Any], Any, int]:
    """Return the same of a cluster."""
    from kpfootprint.cluster import connected, shared

    client = stack.enter_context(connected(scheduler))
    there = shared(client, release)
    return partial(client.submit, pure=False), there, 2 * max(1, sum(client.nthreads().values()))
