"""What differs where a person looks on: what is waited for is said, and no bytes come that a terminal cannot show."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest


def at_a_terminal(*arguments: object, home: Path) -> tuple[int, str]:
    """Run the command with a terminal as its standard output and error; return its exit status and what was shown."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "kpfootprint", *map(str, arguments)]
    given = os.environ | {"KPF_HOME": str(home), "TERM": "xterm"}
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=given) as process:
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 4096):
                shown += piece
        except OSError:  # what Linux says when the other side of a terminal is closed
            pass
        os.close(ours)
        return process.wait(), shown.decode()


@pytest.mark.slow
@pytest.mark.parametrize("form", ["pdf", "dossier"])
def test_bytes_are_not_sent_to_a_terminal(form: str, examples: Path, tmp_path: Path) -> None:
    status, shown = at_a_terminal("compare", examples / "true_berberati.csv", "--format", form, home=tmp_path)
    assert status == 2
    assert "cannot be shown in a terminal: add --out FILE" in shown


@pytest.mark.slow
def test_long_work_shows_a_bar_on_a_terminal(examples: Path, tmp_path: Path) -> None:
    out = tmp_path / "results.jsonl"
    status, shown = at_a_terminal("batch", examples / "submission", "--out", out, home=tmp_path)
    assert status == 0
    assert "Examining" in shown
    assert "100%" in shown
    assert len(out.read_text(encoding="utf-8").splitlines()) == 3


@pytest.mark.slow
def test_whoever_waits_for_the_start_of_the_service_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "register.db").write_bytes(b"no register")
    status, shown = at_a_terminal("serve", "--port", 1, home=tmp_path)
    assert status == 1
    first, second = shown.splitlines()
    assert first == "Starting; it takes a few seconds."
    assert second.startswith("Error: ")
