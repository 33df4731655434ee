"""Where tasks run: processes of this machine, or the workers of a Dask cluster; the results are the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import joblib

from kpfootprint.errors import KPFootprintError


class SchedulerError(KPFootprintError):
    """A Dask scheduler cannot be used."""

    code = "no_scheduler"


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
    try:
        from distributed import Client
    except ImportError:
        raise SchedulerError("--scheduler needs Dask: pip install 'kpfootprint[dask]'") from None
    try:
        client = Client(scheduler, timeout=10)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise SchedulerError(f"the scheduler {scheduler} does not answer: {error}") from None
    try:
        if not client.scheduler_info()["workers"]:
            raise SchedulerError(f"the scheduler {scheduler} has no workers; start some with: dask worker {scheduler}")
        with joblib.parallel_config(backend="dask", n_jobs=-1):
            yield
    finally:
        client.close()  # type: ignore[no-untyped-call]
