"""Where work is done: the register, the release in force, the meters, and the one queue of what is heavy."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from anyio import CapacityLimiter, to_thread

from kpfootprint.errors import KPFootprintError
from kpfootprint.ingest.words import vocabulary_of
from kpfootprint.release import MANIFEST, Release, load_release
from kpfootprint.trial import try_release
from service.errors import Refused
from service.logs import log
from service.meters import Meters
from service.processes import done_elsewhere
from service.register import tables
from service.register.activations import folder_in_force
from service.register.database import connect, reading
from service.register.opening import HEAD, open_register, version
from service.settings import Settings

Result = TypeVar("Result")
Mark = tuple[Path, int | None, int, int]
Loaded = tuple[Mark, Release]
"""A release, and the mark of its manifest."""

AT_ONCE = 1
"""Heavy operations of one worker at a time, and large ones: more would only share the same processor."""

MOST_SAID = 500
"""Answers about the release itself that are kept at hand."""


class Workplace:
    """One process's register, release and meters."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.meters = Meters()
        self._engine: sa.Engine | None = None
        self._loaded: Loaded | None = None
        self._limiters: dict[bool, CapacityLimiter] = {}
        self._said: dict[tuple[object, ...], Any] = {}

    @property
    def engine(self) -> sa.Engine:
        """The register: opened by whoever asks first, as it may have been away when this process began."""
        if self._engine is None:
            self._engine = open_register(self.settings)
        return self._engine

    def close(self) -> None:
        """Close the register."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    async def heavy(self, operation: Callable[[], Result], *, large: bool = False) -> Result:
        """Run a heavy operation beside the event loop, when those before it are done; every door comes here.

        Large ones wait for each other alone: their thread waits for a process of its own.
        """
        limiter = self._limiters.setdefault(large, CapacityLimiter(AT_ONCE))
        return await to_thread.run_sync(operation, limiter=limiter)

    def do(self, operation: Callable[..., Result], *args: Any, large: bool) -> Result:
        """Return ``operation(workplace, *args)``; of a large request it is done in a process of its own."""
        if not large:
            return operation(self, *args)
        return cast(Result, done_elsewhere(_done_at, self.settings, self._loaded, operation, *args))

    def release_folder(self) -> Path:
        """Return the folder of the release in force, which another process may have changed since."""
        return self.settings.model or folder_in_force(self.engine, self.settings.home)

    def release(self) -> Release:
        """Return the release in force, loaded and tried once for as long as it is that and its manifest is the same."""
        return self._in_force()[1]

    def _in_force(self) -> Loaded:
        loaded, mark = self._loaded, mark_of(self.release_folder() / MANIFEST)
        if loaded is None or loaded[0] != mark:
            loaded = self._loaded = mark, _tried(mark)
        return loaded

    def origin(self, given: str | None) -> str | None:
        """Return the zone or the country that somebody means by its name; what names none stays as it is."""
        if given is None:
            return None
        release = self.release()
        words = vocabulary_of(release.scheme, release.zone_table)
        return words.zone(given) or words.country(given) or given

    def said_once(self, make: Callable[..., Result], about: str, *asked: Any) -> Result:
        """Return ``make(about, release, *asked)`` of the release in force, made once for as long as it is in force."""
        mark, release = self._in_force()
        question = (mark, make, about, *asked)
        found = self._said.get(question)
        if found is None:
            found = make(about, release, *asked)
            if len(self._said) >= MOST_SAID:
                self._said.clear()
            self._said[question] = found
        return cast(Result, found)

    def ready(self) -> bool:
        """Say whether a parcel could be compared and its report kept now."""
        try:
            self.release()
            self._look()
        except (KPFootprintError, Refused) as error:
            log.error("not ready: %s", error)
            return False
        return True

    def _look(self) -> None:
        """Read a little of the register as it is on its disk now, not as an open connection remembers it."""
        fresh = connect(self.engine.url.render_as_string(hide_password=False), pooled=False)
        if version(fresh) != HEAD:
            raise Refused("not_ready", "The register is not the one of this version.")
        with reading(fresh) as connection:
            connection.execute(sa.select(tables.keys.c.id).limit(1))


def _done_at(settings: Settings, loaded: Loaded | None, operation: Callable[..., Result], *args: Any) -> Result:
    """Do an operation at another place with the same release, which was tried before."""
    work = Workplace(settings)
    work._loaded = loaded
    return operation(work, *args)


def mark_of(file: Path) -> Mark:
    """Return a file, and what changes whenever another takes its place, under the same name too."""
    try:
        found = file.stat()
    except OSError:
        return (file, None, 0, 0)
    return (file, found.st_ino, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=1)
def _tried(manifest: Mark) -> Release:
    release = load_release(manifest[0].parent)
    try_release(release)
    return release
