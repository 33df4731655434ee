"""The real server: first start, one-time link, comparison, restart; and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from service.register.keys import create_key
from service.settings import Settings
from tests.service.reading import problem_in, token_in
from tests.service.server import Server, free_port, listens


def within(seconds: float, happens: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not happens():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def test_from_an_empty_home_to_a_report_that_outlives_a_restart(tmp_path: Path, parcel: dict[str, Any]) -> None:
    home = tmp_path / "not there yet"
    with Server(home, "--no-worker") as server:
        assert f"Serving on {server.url}" in server.printed
        assert server.link is not None
        with httpx2.Client(base_url=server.url, follow_redirects=True) as browser:
            page = browser.get(server.link)
            assert page.status_code == 200
            assert page.url.path == "/"
            report = browser.post("/examples/true", data={"csrf": token_in(page.text)})
            assert report.status_code == 200
            assert report.url.path.startswith("/comparisons/")
        with httpx2.Client(base_url=server.url) as stranger:
            assert stranger.get(server.link).status_code == 401
        key = create_key(Settings(home=home), "monitor")
        with httpx2.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}) as program:
            made = program.post("/v1/comparisons", json=parcel)
            assert made.status_code == 201
            location = made.headers["location"]
        secrets = [key, server.link.partition("token=")[2]]
    assert [secret for secret in secrets if secret in server.logged] == [], "a secret stands in the log"
    assert not (home / "run").exists()
    with (
        Server(home, "--no-worker") as server,
        httpx2.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}) as program,
    ):
        assert server.link is None
        again = program.get(location)
        assert again.status_code == 200
        assert again.content == made.content
        assert len(program.get("/v1/comparisons").json()["items"]) == 2


@pytest.mark.slow
def test_workers_do_not_outlive_a_killed_launcher(tmp_path: Path) -> None:
    server = Server(tmp_path)
    with server:
        workers = psutil.Process(server.process.pid).children(recursive=True)
        assert workers
        os.kill(server.process.pid, signal.SIGKILL)
        assert within(20, lambda: not any(worker.is_running() for worker in workers))
        assert within(5, lambda: not listens(server.port))


@pytest.mark.slow
def test_two_workers_count_together_and_a_killed_one_comes_back(tmp_path: Path) -> None:
    key = create_key(Settings(home=tmp_path), "viewer")
    with (
        Server(tmp_path, "--workers", "2", "--no-worker") as server,
        httpx2.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}) as program,
    ):
        launcher = psutil.Process(server.process.pid)
        assert within(30, lambda: len(launcher.children()) == 2)
        for _ in range(20):
            assert httpx2.get(f"{server.url}/livez").status_code == 200
        counted = [line for line in program.get("/metrics").text.splitlines() if 'route="/livez"' in line]
        assert any(line.startswith("kpf_requests_total") and line.endswith(" 20.0") for line in counted), counted
        victim = launcher.children()[0]
        victim.kill()
        victim.wait(10)
        assert within(30, lambda: len([c for c in launcher.children() if c.status() != psutil.STATUS_ZOMBIE]) == 2)
        assert program.get("/v1/zones", timeout=30).status_code == 200


@pytest.mark.slow
def test_who_asks_too_often_waits_and_ending_is_orderly(tmp_path: Path) -> None:
    key = create_key(Settings(home=tmp_path), "viewer")
    with Server(tmp_path, "--no-worker", KPF_RATE_PER_MINUTE="3") as server:
        headers = {"Authorization": f"Bearer {key}"}
        answers = [httpx2.get(f"{server.url}/v1/zones", headers=headers) for _ in range(4)]
        assert [answer.status_code for answer in answers[:3]] == [200, 200, 200]
        problem_in(answers[3], 429, "too_many_requests")
        assert int(answers[3].headers["retry-after"]) >= 1
        assert httpx2.get(f"{server.url}/livez").status_code == 200
        assert server.stop(signal.SIGINT) == 0
    assert not listens(server.port)
    assert "Traceback" not in server.logged


def test_a_port_that_is_taken_is_said_at_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = Server(tmp_path, port=port)
        assert server.refuses() == 1
    assert f"port {port}" in server.logged
    assert "Traceback" not in server.logged


def test_a_release_that_cannot_be_loaded_is_said_at_once(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    server = Server(tmp_path / "home", "--model", str(model), port=free_port())
    assert server.refuses() == 1
    assert "Traceback" not in server.logged
