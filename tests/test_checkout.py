"""A clone has the same bytes on every system, whatever git is told there about line ends."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from kpfootprint.release import load_release
from tests.source import ROOT


@pytest.mark.skipif(not (ROOT / ".git").exists() or shutil.which("git") is None, reason="not a clone of git")
def test_a_clone_that_turns_line_ends_has_the_same_bytes(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    for command in (
        ["git", "clone", "--quiet", "--no-checkout", "-c", "core.autocrlf=true", str(ROOT), str(clone)],
        ["git", "-C", str(clone), "checkout", "--quiet", "HEAD", "--", ".gitattributes", "models", "data/reference"],
    ):
        subprocess.run(command, check=True, capture_output=True)
    releases = list((clone / "models").glob("*/manifest.json"))
    assert releases
    for manifest in releases:
        load_release(manifest.parent)
    for file in (clone / "data" / "reference").iterdir():
        assert file.read_bytes() == (ROOT / "data" / "reference" / file.name).read_bytes()
