"""Where work is done: the register, the release in force, the meters, and the one queue of what is heavy."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from anyio import CapacityLimiter, to_thread

from kpfootprint.errors import KPFootprintError
from kpfootprint.release import Release, load_release
from service.errors import Refused
from service.metrics import Meters
from service.register.activations import folder_in_force
from service.register.database import open_register, reading
from service.settings import Settings

log = logging.getLogger("kpfootprint.service")

Result = TypeVar("Result")

AT_ONCE = 1
"""Heavy operations of one worker at a time: more would only share the same processor."""


class Workplace:
    """One process's register, release and meters; `open` must run before anything else."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.meters = Meters()
        self._engine: sa.Engine | None = None
        self._loaded: tuple[Path, Release] | None = None
        self._limiter: CapacityLimiter | None = None

    @property
    def engine(self) -> sa.Engine:
        """The register."""
        if self._engine is None:
            raise Refused("not_ready", "The register is not open yet.")
        return self._engine

    def open(self) -> None:
        """Open the register and load the release in force."""
        self._engine = open_register(self.settings)
        self.release()

    def close(self) -> None:
        """Close the register."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    async def heavy(self, operation: Callable[[], Result]) -> Result:
        """Run a heavy operation beside the event loop, when those before it are done; every door comes here."""
        if self._limiter is None:
            self._limiter = CapacityLimiter(AT_ONCE)
        return await to_thread.run_sync(operation, limiter=self._limiter)

    def release_folder(self) -> Path:
        """Return the folder of the release in force, which another process may have changed since."""
        return self.settings.model or folder_in_force(self.engine, self.settings.home)

    def release(self) -> Release:
        """Return the release in force, loaded once for as long as it is."""
        folder = self.release_folder()
        if self._loaded is None or self._loaded[0] != folder:
            self._loaded = (folder, load_release(folder))
        return self._loaded[1]

    def ready(self) -> bool:
        """Say whether a parcel could be compared and its report kept now."""
        try:
            self.release()
            with reading(self.engine) as connection:
                connection.execute(sa.text("SELECT 1"))
        except (KPFootprintError, Refused, sa.exc.SQLAlchemyError):
            log.exception("not ready")
            return False
        return True
