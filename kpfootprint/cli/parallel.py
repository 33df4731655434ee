"""Examines many parcels a chunk at a time: here, over processes of this machine, or over a Dask cluster."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from kpfootprint.cli.surroundings import told

if TYPE_CHECKING:
    from kpfootprint.errors import Problem
    from kpfootprint.parcel import Parcel
    from kpfootprint.release import Release

CHUNK = 32
"""Parcels examined together. It does not depend on the number of workers, so neither do the bytes."""

Start = Callable[[tuple["Parcel", ...]], Any]
"""Starts a chunk somewhere and returns its future."""


def problem_line(parcel_id: str, problems: Sequence[Problem]) -> str:
    """Return the line of a parcel that has no report."""
    told = {"parcel": {"parcel_id": parcel_id}, "problems": [problem.as_dict() for problem in problems]}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def report_lines(parcels: tuple[Parcel, ...], release: Release, created_at: datetime) -> list[tuple[str, bool]]:
    """Return the report of each parcel as one line of JSON, and whether there is one."""
    from kpfootprint.errors import NotExamined
    from kpfootprint.flow import examine_each
    from kpfootprint.parcel import Batch

    found = examine_each(Batch(parcels), release, status_on=created_at.date(), created_at=created_at)
    return [
        (problem_line(one.parcel_id, one.problems), False) if isinstance(one, NotExamined) else (one.to_json(), True)
        for one in found
    ]


def lines_of(
    parcels: Sequence[Parcel], release: Release, created_at: datetime, *, workers: int, scheduler: str | None
) -> Iterator[tuple[str, bool]]:
    """Yield the line of each parcel and whether it is a report, in order; only a few chunks are under way at a time."""
    chunks = (tuple(parcels[start : start + CHUNK]) for start in range(0, len(parcels), CHUNK))
    if scheduler is None and workers == 1:
        for chunk in chunks:
            yield from report_lines(chunk, release, created_at)
        return
    with ExitStack() as stack:
        if scheduler is None:
            start, at_once = _processes(stack, workers, release, created_at)
        else:
            start, at_once = _dask(stack, scheduler, release, created_at)
        under_way: deque[Any] = deque()
        for chunk in chunks:
            under_way.append(start(chunk))
            if len(under_way) >= at_once:
                yield from _lines(under_way.popleft())
        while under_way:
            yield from _lines(under_way.popleft())


def _lines(future: Any) -> list[tuple[str, bool]]:
    from concurrent.futures import BrokenExecutor

    try:
        lines: list[tuple[str, bool]] = future.result()
    except BrokenExecutor:
        raise click.ClickException(
            told("a worker process died, for want of memory perhaps; nothing was written")
        ) from None
    return lines


def _processes(stack: ExitStack, workers: int, release: Release, created_at: datetime) -> tuple[Start, int]:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    pool = stack.enter_context(ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")))
    stack.callback(pool.shutdown, cancel_futures=True)
    return lambda chunk: pool.submit(report_lines, chunk, release, created_at), 2 * workers


def _dask(stack: ExitStack, scheduler: str, release: Release, created_at: datetime) -> tuple[Start, int]:
    from kpfootprint.cluster import connected, shared

    client = stack.enter_context(connected(scheduler))
    there = shared(client, release)
    at_once = 2 * max(1, sum(client.nthreads().values()))
    return lambda chunk: client.submit(report_lines, chunk, there, created_at, pure=False), at_once
