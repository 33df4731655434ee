"""What routes and pages both do: compare a parcel and keep its report. The service's one clock is here."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import sqlalchemy as sa

from kpfootprint.errors import KPFootprintError
from kpfootprint.flow import examine
from kpfootprint.ingest import parcel_to_json
from kpfootprint.parcel import Batch, Parcel
from kpfootprint.release import Release, load_release
from service.errors import Refused
from service.metrics import Meters
from service.register import comparisons
from service.register.activations import folder_in_force
from service.register.comparisons import KeyReused, Once
from service.register.database import open_register, reading
from service.settings import Settings

log = logging.getLogger("kpfootprint.service")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A comparison as it is answered; `report` is its JSON text."""

    id: str
    report: str


def current_time() -> datetime:
    """Return the present moment in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def today() -> date:
    """Return the day whose zone status counts where nothing else is said."""
    return current_time().date()


class Workplace:
    """One worker's register, release and meters; `open` must run before anything else."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.meters = Meters()
        self._engine: sa.Engine | None = None
        self._loaded: tuple[Path, Release] | None = None

    @property
    def engine(self) -> sa.Engine:
        """The register."""
        if self._engine is None:
            raise Refused("not_ready", "The register is not open yet.")
        return self._engine

    def open(self) -> None:
        """Open the register and load the release in force."""
        self._engine = open_register(self.settings.home)
        self.release()

    def close(self) -> None:
        """Close the register."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

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

    def compare(self, read: Callable[[Release], Parcel], *, actor: str, once: Once | None = None) -> Kept:
        """Compare the parcel that `read` gives and keep its report before anybody sees it.

        A request that was acknowledged before under the same Idempotency-Key gets its first answer again.
        """
        try:
            first = None if once is None else comparisons.replayed(self.engine, once)
            if first is None:
                first = self._compared(read, actor, once)
        except KeyReused:
            raise Refused("idempotency_key_reused", "This Idempotency-Key came before, with another body.") from None
        return Kept(id=first[0], report=first[1])

    def _compared(self, read: Callable[[Release], Parcel], actor: str, once: Once | None) -> tuple[str, str]:
        release = self.release()
        parcel = read(release)
        created_at = current_time()
        started = time.perf_counter()
        (report,) = examine(Batch((parcel,)), release, status_on=created_at.date(), created_at=created_at)
        self.meters.compared(report.content["conclusion"], time.perf_counter() - started)
        canonical = json.dumps(parcel_to_json(parcel, release.scheme), ensure_ascii=False, separators=(",", ":"))
        return comparisons.keep(
            self.engine,
            actor=actor,
            created_at=created_at,
            content=report.content,
            report=report.to_json(),
            parcel=canonical,
            once=once,
        )
