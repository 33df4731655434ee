"""The description of the routes against the real server, by a program that was not written here, also in a row."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from service.register.keys import create_key
from service.settings import Settings
from tests.service.server import Server

NOT_ASKED = "positive_data_acceptance,missing_required_header"
"""A parcel may fit its schema and still contradict itself (422); a session does what a key does."""


@pytest.mark.slow
def test_every_route_answers_as_it_is_described_and_the_same_in_a_row(tmp_path: Path) -> None:
    program = shutil.which("schemathesis", path=str(Path(sys.executable).parent)) or shutil.which("schemathesis")
    if program is None:
        pytest.skip("schemathesis is not installed: pip install schemathesis==4.32.5")
    key = create_key(Settings(home=tmp_path), "admin")
    with Server(tmp_path, KPF_RATE_PER_MINUTE="0", KPF_MAX_UPLOAD_MB="5") as server:
        options = ["--phases", "coverage,fuzzing,stateful", "--max-examples", "30", "--seed", "20"]
        checks = ["--exclude-checks", NOT_ASKED, "--continue-on-failure", "--request-timeout", "60", "--no-color"]
        done = subprocess.run(
            [program, "run", f"{server.url}/openapi.json", "-H", f"Authorization: Bearer {key}", *options, *checks],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-5000:]
    assert "Stateful" in done.stdout
    assert "Traceback" not in server.logged
