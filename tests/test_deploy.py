"""The files of deploy/ are sound: systemd takes the unit, the container does not run as root and has what it copies."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.source import ROOT

DEPLOY = ROOT / "deploy"


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not on this machine")
    unit = tmp_path / "kpfootprint.service"
    text = (DEPLOY / "kpfootprint.service").read_text(encoding="utf-8")
    unit.write_text(text.replace("/opt/kpfootprint/bin/kpfootprint", "/bin/true"), encoding="utf-8")
    done = subprocess.run([program, "verify", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_container_runs_as_nobody_and_copies_what_is_there() -> None:
    steps = [line.split() for line in (DEPLOY / "Containerfile").read_text(encoding="utf-8").splitlines() if line]
    words = [step for step in steps if re.fullmatch("[A-Z]+", step[0])]
    for step in words:
        if step[0] == "FROM":
            assert re.search(r":[\w.-]+$", step[1]), "an image without a tag is another one tomorrow"
        if step[0] == "COPY" and not step[1].startswith("--"):
            assert all((ROOT / source).exists() for source in step[1:-1])
    last = [step[0] for step in words][max(at for at, step in enumerate(words) if step[0] == "FROM") :]
    assert last.index("USER") < last.index("ENTRYPOINT")
    assert "HEALTHCHECK" in last
