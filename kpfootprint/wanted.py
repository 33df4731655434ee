"""Long work that nobody waits for any more ends: its loops ask, now and then, whether to go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

Item = TypeVar("Item")

_wanted: ContextVar[Callable[[], bool] | None] = ContextVar("wanted", default=None)


class NoLongerWanted(BaseException):
    """Nobody waits for what is being done; no error, so that no handler of errors holds it up."""


@contextmanager
def while_wanted(wanted: Callable[[], bool]) -> Iterator[None]:
    """Let what is begun inside, in threads that take its context over too, go on for as long as `wanted` says so."""
    before = _wanted.set(wanted)
    try:
        yield
    finally:
        _wanted.reset(before)


def go_on() -> None:
    """Raise `NoLongerWanted` where nobody waits; costs next to nothing.

    Examples
    --------
    >>> go_on()
    >>> with while_wanted(lambda: False):
    ...     go_on()
    Traceback (most recent call last):
    kpfootprint.wanted.NoLongerWanted
    """
    wanted = _wanted.get()
    if wanted is not None and not wanted():
        raise NoLongerWanted


def each(items: Iterable[Item], every: int = 1) -> Iterator[Item]:
    """Give the items for as long as somebody waits, looking before each, or before one of `every`."""
    for at, item in enumerate(items):
        if at % every == 0:
            go_on()
        yield item
