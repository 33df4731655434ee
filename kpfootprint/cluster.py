"""A Dask cluster whose workers may be lost: what its tasks share is the result of a task, and so made again elsewhere.

What a client scatters is gone with the workers that hold it, and scattering waits for ever for one that goes meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kpfootprint.errors import KPFootprintError

SECONDS_TO_ANSWER = 10


class SchedulerError(KPFootprintError):
    """A Dask scheduler cannot be used."""

    code = "no_scheduler"


@contextmanager
def connected(scheduler: str) -> Iterator[Any]:
    """Give a client of the scheduler at an address such as ``tcp://host:8786``.

    Raises
    ------
    SchedulerError
        Where that is no address, the scheduler does not answer within ten seconds, or Dask is not installed.
    """
    if not re.fullmatch(r"(\w+://)?[^\s:/]+:\d{1,5}", scheduler):  # Dask waits a minute for those
        raise SchedulerError("{scheduler} is no address of a scheduler such as tcp://host:8786", scheduler=scheduler)
    try:
        from dask import config
        from distributed import Client
    except ImportError:
        raise SchedulerError("A scheduler needs the extra dask: pip install 'kpfootprint[dask]'") from None
    with config.set({"distributed.admin.large-graph-warning-threshold": "1GB"}):
        try:
            client = Client(scheduler, timeout=SECONDS_TO_ANSWER, set_as_default=False)  # type: ignore[no-untyped-call]
        except (OSError, ValueError) as error:
            raise SchedulerError(
                "The scheduler {scheduler} does not answer: {error}", scheduler=scheduler, error=error
            ) from None
        with client:
            yield client


def shared(client: Any, data: object) -> Any:
    """Return a future of the data, which many tasks may be given."""
    return client.submit(_as_given, data, pure=False)


def _as_given(data: object) -> object:
    return data
