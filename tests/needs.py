"""What some tests need of the machine. Absent, they are skipped by name; where KPF_REQUIRE names it, they fail."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Literal

import pytest

Need = Literal["browser", "postgres"]


def _browser() -> Path | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((Path(found) for name in names if (found := shutil.which(name))), None)


def postgres_programs() -> Path | None:
    """Return the folder that holds initdb and postgres, the newest version first."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: -float(folder.parent.name))
    found = shutil.which("initdb")
    folders = [*([Path(found).resolve().parent] if found else []), *debian]
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def require(need: Need) -> Path:
    """Return the browser's program or the folder of PostgreSQL's programs, or skip the test (or fail it).

    Examples: ``require("browser")`` at the head of a fixture; mark the test ``@pytest.mark.browser`` as well.
    """
    found = _browser() if need == "browser" else postgres_programs()
    if found is not None:
        return found
    wanted = {"browser": "Chromium", "postgres": "PostgreSQL"}[need]
    if need in os.environ.get("KPF_REQUIRE", "").replace(" ", "").split(","):
        pytest.fail(f"KPF_REQUIRE asks for {need}, and {wanted} is not on this machine")
    pytest.skip(f"{need}: {wanted} is not on this machine")
