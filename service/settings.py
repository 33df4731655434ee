"""Where and how the service runs: every ``KPF_*`` variable is read here, once, and nowhere else in the service."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MEGABYTE = 1_000_000
HOME_DEFAULT = "~/.local/share/kpfootprint"


class SettingError(ValueError):
    """A setting cannot be used; the text names it, the value found and what would do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that may differ from one installation to the next.

    Parameters
    ----------
    home : Path
        Folder of ``register.db`` and ``releases/`` (``KPF_HOME``).
    model : Path or None
        Release that goes before the active one (``KPF_MODEL``).
    max_body, max_upload : int
        Bytes of a JSON body and of an upload (``KPF_MAX_BODY_MB``, ``KPF_MAX_UPLOAD_MB``).
    rate_per_minute : int
        Requests a minute for each key, over all workers; 0 is no limit (``KPF_RATE_PER_MINUTE``).
    workers : int
        Worker processes (``KPF_WORKERS``, set by the launcher).
    launcher : int or None
        Process whose end ends the workers (``KPF_LAUNCHER_PID``, set by the launcher).
    """

    home: Path
    model: Path | None = None
    max_body: int = 32 * MEGABYTE
    max_upload: int = 256 * MEGABYTE
    rate_per_minute: int = 6000
    workers: int = 1
    launcher: int | None = None


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from `environment` (the process's own where it is None); raise `SettingError`."""
    given = os.environ if environment is None else environment
    model = given.get("KPF_MODEL")
    launcher = _number(given, "KPF_LAUNCHER_PID", 0, whole=True)
    return Settings(
        home=Path(given.get("KPF_HOME") or HOME_DEFAULT).expanduser(),
        model=Path(model).expanduser() if model else None,
        max_body=int(_number(given, "KPF_MAX_BODY_MB", 32) * MEGABYTE),
        max_upload=int(_number(given, "KPF_MAX_UPLOAD_MB", 256) * MEGABYTE),
        rate_per_minute=int(_number(given, "KPF_RATE_PER_MINUTE", 6000, whole=True)),
        workers=int(_number(given, "KPF_WORKERS", 1, whole=True)) or 1,
        launcher=int(launcher) or None,
    )


def _number(given: Mapping[str, str], name: str, default: float, *, whole: bool = False) -> float:
    text = given.get(name, "").strip()
    if not text:
        return default
    try:
        value = int(text) if whole else float(text)
    except ValueError:
        value = -1
    if not 0 <= value < 1e9:
        raise SettingError(f"{name} must be a {'whole ' if whole else ''}number from 0 upwards, got {text!r}")
    return value
