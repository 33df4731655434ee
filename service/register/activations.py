"""Which release is in force: the last activation, else the one that came with the package."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from kpfootprint.errors import ReleaseError
from kpfootprint.release import shipped_release
from service.clock import now
from service.register.database import open_register, reading, writing
from service.register.tables import activations
from service.settings import Settings


def active_name(engine: sa.Engine) -> str | None:
    """Return the name of the release that was activated last, or None where none ever was."""
    query = sa.select(activations.c.release).order_by(activations.c.position.desc()).limit(1)
    with reading(engine) as connection:
        found: str | None = connection.scalar(query)
        return found


def activate(engine: sa.Engine, release: str, actor: str) -> None:
    """Put a release in force from now on."""
    with writing(engine) as connection:
        row = {"release": release, "activated_at": now(), "actor": actor}
        connection.execute(activations.insert().values(row))


def history(engine: sa.Engine) -> list[str]:
    """Return the names of the releases that were activated, the oldest first."""
    with reading(engine) as connection:
        return list(connection.scalars(sa.select(activations.c.release).order_by(activations.c.position)))


def release_folders(home: Path) -> dict[str, Path]:
    """Return the folder of every release by name: those that came with the package, and those made here."""
    shipped = shipped_release().parent.glob("*/manifest.json")
    made = (home / "releases").glob("*/manifest.json")
    return {path.parent.name: path.parent for path in (*sorted(made), *sorted(shipped))}


def folder_in_force(engine: sa.Engine, home: Path) -> Path:
    """Return the folder of the release in force; raise `ReleaseError` where it is gone."""
    name = active_name(engine)
    if name is None:
        return shipped_release()
    folder = release_folders(home).get(name)
    if folder is None:
        raise ReleaseError(f"release {name!r} is the active one, and its folder is gone; activate another one")
    return folder


def active_release_folder(settings: Settings) -> Path:
    """Return the folder of the release in force in the register."""
    engine = open_register(settings)
    try:
        return folder_in_force(engine, settings.home)
    finally:
        engine.dispose()
