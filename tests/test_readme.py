"""What README shows is what happens: its commands are run and their output is compared (``make docs`` writes it)."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.every import every
from tests.quoted import COMMAND, READING, blocks, printed_by_command, printed_by_request, run, shown_after
from tests.source import ROOT

DAY = re.compile(r"\d{1,2} [A-Z][a-z]+ \d{4}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of its own in which the page's paths hold."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    return tmp_path


def test_the_comparison_by_command_gives_what_is_shown(folder: Path) -> None:
    """The page shows its first lines; dates apart, since the report tells when it was made."""
    shown, rest = shown_after(COMMAND).rsplit("...\n", 1)
    assert rest == ""
    assert len(shown.splitlines()) > 20
    assert DAY.sub("DAY", printed_by_command(folder)).startswith(DAY.sub("DAY", shown))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
def test_the_comparison_by_request_gives_what_is_shown(folder: Path) -> None:
    assert printed_by_request(folder) == shown_after(READING)

    (command,) = [code for kind, code in blocks() if kind == "sh" and "kpfootprint compare" in code]
    by_command = json.loads(run(command.rstrip() + " --format json", folder / "home", folder))
    assert by_command["report_id"] == json.loads((folder / "report.json").read_text(encoding="utf-8"))["report_id"]


@every("target", re.findall(r"\bmake (\w+)", (ROOT / "README.md").read_text(encoding="utf-8")))
def test_every_target_that_is_named_exists(target: str) -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert target in targets
