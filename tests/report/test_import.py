"""Importing reports is cheap: what costs is imported where it is used."""

from __future__ import annotations

import subprocess
import sys

SLOW = {"babel", "typst", "jsonschema", "pandas", "sklearn", "scipy"}


def test_nothing_slow_is_imported() -> None:
    code = "import sys, kpfootprint.report; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "jinja2" in done.stdout.split()
    assert SLOW & set(done.stdout.split()) == set()
