"""Running workers switch to another release under load: no request is lost, and after the answer the new one counts."""

from __future__ import annotations

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from kpfootprint.release import shipped_release
from service.register.keys import create_key
from service.settings import Settings
from tests.service.server import Server

pytestmark = pytest.mark.slow

OLDER = "2026.2"
CLIENTS = 4
BACK = "/v1/models/rollback", shipped_release().name
SWITCHES = ((f"/v1/models/{OLDER}/activate", OLDER), BACK) * 2


@dataclass(frozen=True, slots=True)
class Asked:
    began: float
    ended: float
    status: int
    release: str | None


def test_workers_switch_without_a_lost_request(tmp_path: Path) -> None:
    monitor, researcher = (create_key(Settings(home=tmp_path), role) for role in ("monitor", "researcher"))
    over = threading.Event()
    switched: list[Asked] = []

    def compare(server: Server) -> list[Asked]:
        asked: list[Asked] = []
        with server.client(monitor) as client:
            for number in itertools.count():
                if over.is_set():
                    return asked
                began = time.monotonic()
                answer = client.post("/v1/comparisons", json=parcel(number))
                made = answer.json()["model"]["release"] if answer.status_code == 201 else None
                asked.append(Asked(began, time.monotonic(), answer.status_code, made))
        return asked

    with Server(tmp_path, "--workers", "2", "--no-worker") as server, ThreadPoolExecutor(CLIENTS) as pool:
        work = [pool.submit(compare, server) for _ in range(CLIENTS)]
        try:
            with server.client(researcher) as client:
                for path, release in SWITCHES:
                    time.sleep(2)
                    began = time.monotonic()
                    answer = client.post(path, json={"reason": "a test"})
                    switched.append(Asked(began, time.monotonic(), answer.status_code, release))
            time.sleep(2)
        finally:
            over.set()
        asked = [one for future in work for one in future.result(120)]
    assert {one.status for one in (*asked, *switched)} == {201}
    assert within(switched[-1].ended, float("inf"), asked) == {shipped_release().name}
    for now, then in pairwise(switched):
        assert within(now.ended, then.began, asked) <= {now.release}
    assert {one.release for one in asked} == {OLDER, shipped_release().name}
    assert "Traceback" not in server.logged


def within(began: float, ended: float, asked: list[Asked]) -> set[str | None]:
    """Return the releases of the requests that lie wholly between two moments."""
    return {one.release for one in asked if began <= one.began and one.ended <= ended}


def parcel(number: int) -> dict[str, Any]:
    weights = [round(0.1 + ((7 * k + number) % 97) / 50, 2) for k in range(200)]
    stones = {"weight_ct": weights, "colour": ["brown", "cape"] * 100, "morphology": ["cube", "octahedron"] * 100}
    return {"parcel_id": f"P-{number}", "declarations": [{"zone_id": "berberati"}], "stones": stones}
