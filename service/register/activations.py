"""Which release is in force: the last activation, else the one that came with the package."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from kpfootprint.errors import ReleaseError
from kpfootprint.release import shipped_release
from service.register import entries
from service.register.database import reading, registering


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """A release that was put in force; `previous` is the one before it.

    `force` is why it was put in force though nobody had judged it; `back` says that it was gone back to.
    """

    release: str
    previous: str
    at: datetime
    actor: str
    reason: str = ""
    back: bool = False
    force: str = ""


def active_name(engine: sa.Engine) -> str | None:
    """Return the name of the release that was activated last, or None where none ever was."""
    with reading(engine) as connection:
        last = entries.last_of_kind(connection, "activation")
    return None if last is None else str(last.values["release"])


def activate(
    engine: sa.Engine, release: str, actor: str, reason: str = "", *, force: str | None = None, back: bool = False
) -> Activation:
    """Put a release in force from now on.

    Parameters
    ----------
    force : str, optional
        Why a release that was not judged is put in force all the same.
    back : bool
        It was in force before, and is gone back to.
    """
    with registering(engine) as connection:
        last = entries.last_of_kind(connection, "activation")
        previous = shipped_release().name if last is None else last.values["release"]
        values = {"release": release, "previous": previous, "reason": reason, "back": back}
        if force is not None:
            values["force"] = force
        entry = entries.append(connection, "activation", actor=actor, subject=release[:64], values=values)
    return _told(entry)


def activations(engine: sa.Engine) -> list[Activation]:
    """Return every activation, the oldest first."""
    with reading(engine) as connection:
        return [_told(entry) for entry in entries.of_kind(connection, "activation")]


def first_in_force(past: Sequence[Activation]) -> str:
    """Return what was in force before anything was activated."""
    return past[0].previous if past else shipped_release().name


def before_the_last(engine: sa.Engine) -> str | None:
    """Return the release that was in force before the one that is, or None where there is none to go back to.

    Going back twice goes back two steps: a release that was gone back from is not gone back to.
    """
    trail = [shipped_release().name]
    for item in activations(engine):
        if item.back and len(trail) > 1:
            trail.pop()
        elif trail[-1] != item.release:
            trail.append(item.release)
    return trail[-2] if len(trail) > 1 else None


def release_folders(home: Path) -> dict[str, Path]:
    """Return the folder of every release by name: those made here, those that came with the package, newest first.

    Of two with one name, which a later package may bring along, that made here stays what it was.
    """
    made = sorted((home / "releases").glob("*/manifest.json"), key=_asked_at)
    shipped = sorted(shipped_release().parent.glob("*/manifest.json"), key=lambda path: _version(path.parent.name))
    names = {path.parent.name: path.parent for path in (*reversed(made), *reversed(shipped))}
    return names | {path.parent.name: path.parent for path in made}


def _asked_at(manifest: Path) -> tuple[str, str]:
    """Return what a manifest says of when its training was asked for, and its name; copying changes neither."""
    try:
        said = json.loads(manifest.read_bytes())["asked_at"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):  # made before manifests said so, or by hand
        said = ""
    return said if isinstance(said, str) else "", manifest.parent.name


def _version(name: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", name)]


def folder_in_force(engine: sa.Engine, home: Path) -> Path:
    """Return the folder of the release in force; raise `ReleaseError` where it is gone."""
    name = active_name(engine)
    if name is None:
        return shipped_release()
    for releases in (home / "releases", shipped_release().parent):
        if Path(name).name == name and (releases / name / "manifest.json").exists():
            return releases / name
    raise ReleaseError(
        "release {name} is the active one, and its folder is gone; activate another one", name=repr(name)
    )


def _told(entry: entries.Entry) -> Activation:
    previous = entry.values["previous"] or shipped_release().name
    return Activation(at=entry.at, actor=entry.actor, **{**entry.values, "previous": previous})
