"""The description of the routes against the real server, by a program that was not written here, also in a row."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from service.register.keys import create_key
from service.settings import Settings
from tests.service.office import shipment
from tests.service.server import Server

NOT_ASKED = ("positive_data_acceptance", "missing_required_header")
"""A parcel may fit its schema and still contradict itself (422); a session does what a key does."""


def what_is_there(client: httpx2.Client, parcel: dict[str, Any]) -> dict[str, str]:
    """Put one of everything into the register, and return a value of the parameter of paths that begin so."""
    comparison = client.post("/v1/comparisons", json=parcel).headers["location"].rpartition("/")[2]
    sent = client.post("/v1/submissions", files={"file": ("s.zip", shipment(2, bad=False))}).json()
    key = client.post("/v1/keys", json={"role": "viewer"}).json()
    return {
        "/v1/comparisons/{id}": comparison,
        "/v1/submissions/{id}": sent["id"],
        "/v1/jobs/{id}": sent["job"].rpartition("/")[2],
        "/v1/keys/{id}": key["id"],
        "/v1/zones/{id}": "berberati",
        "/v1/models/{release}": client.get("/v1/models").json()["items"][0]["release"],
    }


@pytest.mark.slow
def test_every_route_answers_as_it_is_described_and_the_same_in_a_row(tmp_path: Path, parcel: dict[str, Any]) -> None:
    program = Path(sys.executable).with_name("schemathesis")
    key = create_key(Settings(home=tmp_path), "admin")
    bearer = f"Bearer {key}"
    with Server(tmp_path, KPF_RATE_PER_MINUTE="0", KPF_MAX_UPLOAD_MB="5") as server:
        with server.client(key) as client:
            there = what_is_there(client, parcel)
        given = [
            f"[[operations]]\ninclude-path-regex = {json.dumps('^' + path.replace('{', '.').replace('}', '.'))}\n"
            f"parameters = {{ {json.dumps('path.' + path.rpartition('{')[2].rstrip('}'))} = {json.dumps(value)} }}\n"
            for path, value in there.items()
        ]
        config = tmp_path / "schemathesis.toml"
        config.write_text("\n".join(given), encoding="utf-8")
        options = ["--phases", "coverage,fuzzing,stateful", "--max-examples", "20", "--seed", "20"]
        checks = ["--exclude-checks", ",".join(NOT_ASKED), "--continue-on-failure", "--request-timeout", "60"]
        place = [f"{server.url}/openapi.json", "-H", f"Authorization: {bearer}", "--no-color"]
        done = subprocess.run(
            [program, "--config-file", config, "run", *place, *options, *checks],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    assert "Stateful" in done.stdout
    assert "Traceback" not in server.logged
