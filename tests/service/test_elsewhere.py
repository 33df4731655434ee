"""What is large is read in a process of its own, and answered as if it were small."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from kpfootprint.wanted import NoLongerWanted, while_wanted
from service.door.endpoint import LARGE, LARGE_PACKED
from service.errors import Refused
from service.processes import done_elsewhere
from service.register.keys import create_key
from service.settings import Settings
from service.work.place import Workplace
from tests.service.office import Office, shipment
from tests.service.server import Server

AS_JSON = {"Content-Type": "application/json"}


def padded(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode() + b" " * LARGE


@pytest.mark.slow
def test_a_large_parcel_is_answered_as_a_small_one(office: Office, parcel: dict[str, Any]) -> None:
    small = office.ask("monitor", "POST", "/v1/comparisons", json=parcel)
    once = {"Idempotency-Key": "a large one"} | AS_JSON
    first, again = (
        office.ask("monitor", "POST", "/v1/comparisons", content=padded(parcel), headers=once) for _ in range(2)
    )
    assert (small.status_code, first.status_code, again.status_code) == (201, 201, 201)
    assert first.json()["report_id"] == small.json()["report_id"]
    assert (again.content, again.headers["location"]) == (first.content, first.headers["location"])
    kept = office.ask("viewer", "GET", f"{first.headers['location']}/parcel")
    assert kept.json() == office.ask("viewer", "GET", f"{small.headers['location']}/parcel").json()


@pytest.mark.slow
def test_what_is_wrong_with_a_large_parcel_is_told_as_of_a_small_one(office: Office, parcel: dict[str, Any]) -> None:
    odd: list[dict[str, Any]] = [{"stones": []}, {"declarations": [{"zone_id": "atlantis"}]}, {"parcel_id": []}]
    for wrong in (parcel | one for one in odd):
        small = office.ask("monitor", "POST", "/v1/comparisons", json=wrong)
        large = office.ask("monitor", "POST", "/v1/comparisons", content=padded(wrong), headers=AS_JSON)
        assert small.status_code == large.status_code == 422
        assert small.json()["problems"] == large.json()["problems"]
    broken = office.ask("monitor", "POST", "/v1/comparisons", content=b"{" + b" " * LARGE, headers=AS_JSON)
    assert (broken.status_code, broken.json()["code"]) == (400, "not_json")


@pytest.mark.slow
def test_a_large_submission_is_received_as_a_small_one(office: Office) -> None:
    small = shipment(2)
    large = io.BytesIO(small)
    with zipfile.ZipFile(large, "a") as archive:
        archive.writestr("remarks.txt", os.urandom(LARGE_PACKED))
    kept = [office.send(content) for content in (small, large.getvalue())]
    assert [answer.status_code for answer in kept] == [202, 202]
    office.run_jobs()
    first, second = (office.get(answer.headers["location"]) for answer in kept)
    assert [item["conclusion"] for item in first["parcels"]] == [item["conclusion"] for item in second["parcels"]]
    assert [item["problems"] for item in first["parcels"]] == [item["problems"] for item in second["parcels"]]


def _at(work: Workplace, number: int) -> tuple[str, int, int]:
    return work.release().name, number, os.getpid()


def _ends() -> None:
    os._exit(3)


def _takes_all_memory() -> int:
    return len(bytearray(8 << 30))


def _goes_on() -> None:
    while True:
        time.sleep(0.05)


@pytest.mark.slow
def test_what_is_large_is_done_at_a_place_like_the_one_that_was_asked(office: Office) -> None:
    here = office.work.do(_at, 41, large=False)
    there = office.work.do(_at, 41, large=True)
    assert there[:2] == here[:2] == (office.work.release().name, 41)
    assert there[2] != here[2] == os.getpid()


@pytest.mark.slow
@pytest.mark.parametrize("task", [_ends, _takes_all_memory])
def test_what_ends_or_takes_too_much_ends_alone(task: Callable[[], Any]) -> None:
    with pytest.raises(Refused, match="too_large"):
        done_elsewhere(task)


@pytest.mark.slow
def test_work_that_nobody_waits_for_ends_and_leaves_no_process() -> None:
    before = set(psutil.Process().children())
    wanted = threading.Event()
    threading.Timer(3, wanted.set).start()
    with pytest.raises(NoLongerWanted), while_wanted(lambda: not wanted.is_set()):
        done_elsewhere(_goes_on)
    assert set(psutil.Process().children()) <= before


ASK_OFTEN = """
import sys, time, urllib.request
worst, until = 0, time.monotonic() + float(sys.argv[2])
while time.monotonic() < until:
    began = time.monotonic()
    urllib.request.urlopen(sys.argv[1] + "/livez").read()
    worst = max(worst, time.monotonic() - began)
    time.sleep(0.01)
print(worst)
"""


@pytest.mark.slow
def test_while_large_bodies_are_read_everybody_else_is_answered(tmp_path: Path) -> None:
    key = create_key(Settings(home=tmp_path), "monitor")
    n = 600_000
    stones = {"weight_ct": [0.3 + k % 700 / 100 for k in range(n)], "colour": ["brown"] * n, "morphology": ["cube"] * n}
    body = json.dumps({"parcel_id": "P", "declarations": [{"zone_id": "berberati"}], "stones": stones}).encode()
    body += b" " * (30_000_000 - len(body))

    def longest(url: str, seconds: int) -> float:
        asked = [sys.executable, "-c", ASK_OFTEN, url, str(seconds)]
        return float(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)

    with Server(tmp_path, "--no-worker") as server, server.client(key) as client:

        def send(_: int) -> tuple[int, float]:
            began = time.monotonic()
            answer = client.post("/v1/comparisons", content=body, headers={"Content-Type": "application/json"})
            return answer.status_code, time.monotonic() - began

        with ThreadPoolExecutor(5) as pool:
            waited = pool.submit(longest, server.url, 15)
            answers = list(pool.map(send, range(4)))
        statuses = {status for status, _ in answers}
        assert statuses <= {201, 504}, "one after another, within the time of an answer"
        assert 201 in statuses
        alone = min(seconds for _, seconds in answers)
        assert waited.result() < alone / 3, "nobody waits until a body is read"
    assert " 500 " not in server.logged
