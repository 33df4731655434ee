"""The JSON Schema of reports, a folder for each version; a version that was ever written stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def report_schema(version: str = "1.1") -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of reports of a version.

    Raises
    ------
    FileNotFoundError
        Where there is no such version.
    """
    schema: dict[str, Any] = json.loads((Path(__file__).parent / version / "report.json").read_text("utf-8"))
    return schema
