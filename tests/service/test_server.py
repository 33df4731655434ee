"""The real server: first start, one-time link, comparison, restart; and how it ends."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from service.register.keys import create_key
from service.settings import Settings
from tests.cli.running import kpfootprint
from tests.service.reading import let_in
from tests.service.server import PATIENCE, Server, comes, free_port, listens


@pytest.mark.parametrize("restarted", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_from_an_empty_home_to_a_report_that_outlives_a_restart(
    tmp_path: Path, parcel: dict[str, Any], restarted: bool
) -> None:
    home = tmp_path / "not there yet"
    with Server(home, "--no-worker") as server:
        assert f"Serving on {server.url}" in server.printed
        assert server.link is not None
        with server.client(follow_redirects=True) as browser:
            page = browser.get(server.link)
            assert page.status_code == 200
            assert page.url.path == "/"
            report = browser.post("/examples/true")
            assert report.status_code == 200
            assert report.url.path.startswith("/comparisons/")
        with server.client() as stranger:
            assert stranger.get(server.link).status_code == 401
        key = create_key(Settings(home=home), "monitor")
        with server.client(key) as program:
            made = program.post("/v1/comparisons", json=parcel)
            assert made.status_code == 201
            location = made.headers["location"]
        secrets = [key, server.link.partition("token=")[2]]
    assert [secret for secret in secrets if secret in server.logged] == [], "a secret stands in the log"
    assert not (home / "run").exists()
    if not restarted:
        return
    with Server(home, "--no-worker") as server, server.client(key) as program:
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
        assert comes(lambda: not any(worker.is_running() for worker in workers))
        assert comes(lambda: not listens(server.port))


@pytest.mark.slow
def test_a_worker_of_jobs_that_is_killed_is_said_and_comes_back(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        launcher = psutil.Process(server.process.pid)

        def of_jobs() -> list[psutil.Process]:
            found = []
            for child in launcher.children():
                with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):  # one that has just ended
                    found += [child] if child.cmdline()[-2:] == ["kpfootprint", "worker"] else []
            return found

        assert comes(of_jobs)
        (first,) = of_jobs()
        first.kill()
        assert comes(lambda: any(other.pid != first.pid for other in of_jobs()))
        assert "WARNING the worker of jobs ended (status -9); another one begins in 2 s" in server.logged


@pytest.mark.slow
def test_two_workers_count_together_and_a_killed_one_comes_back(tmp_path: Path) -> None:
    key = create_key(Settings(home=tmp_path), "viewer")
    with Server(tmp_path, "--workers", "2", "--no-worker") as server, server.client(key) as program:
        launcher = psutil.Process(server.process.pid)
        assert comes(lambda: len(launcher.children()) == 2)
        for _ in range(20):
            with server.client() as stranger:
                assert stranger.get("/livez").status_code == 200

        def counted() -> list[str]:
            return [line for line in program.get("/metrics").text.splitlines() if 'route="/livez"' in line]

        def are_twenty() -> bool:  # an answer is counted when it has been sent
            return any(line.startswith("kpf_requests_total") and line.endswith(" 20.0") for line in counted())

        assert comes(are_twenty, 20), counted()
        victim = launcher.children()[0]
        victim.kill()
        victim.wait(PATIENCE)
        assert comes(lambda: len([c for c in launcher.children() if c.status() != psutil.STATUS_ZOMBIE]) == 2)
        assert program.get("/v1/zones").status_code == 200


@pytest.mark.slow
def test_who_asks_too_often_waits_and_ending_is_orderly(tmp_path: Path) -> None:
    key = create_key(Settings(home=tmp_path), "viewer")
    with Server(tmp_path, "--no-worker", KPF_RATE_PER_MINUTE="3") as server:
        with server.client(key) as program, server.client() as stranger:
            assert int(let_in(program, "/v1/zones", 3).headers["retry-after"]) >= 1
            assert stranger.get("/livez").status_code == 200
        assert server.stop(signal.SIGINT) == 0
    assert not listens(server.port)
    assert "Traceback" not in server.logged


def test_a_port_that_is_taken_is_said_at_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = kpfootprint("serve", "--port", port, home=tmp_path)
    assert refused.status == 1
    assert f"port {port}" in refused.err
    assert "Traceback" not in refused.err


def test_a_release_that_cannot_be_loaded_is_said_at_once(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    refused = kpfootprint("serve", "--model", model, "--port", free_port(), home=tmp_path / "home")
    assert refused.status == 1
    assert "Traceback" not in refused.err


TAKEN = """
import socket
from contextlib import contextmanager
taken = socket.create_server(("127.0.0.1", 0))
def patched():
    import bentoml._internal.utils as utils
    utils.reserve_free_port = contextmanager(lambda *_, **__: iter([taken.getsockname()[1]]))
import sys
class Later:
    def find_spec(self, name, path=None, target=None):
        if name == "bentoml._internal.utils.circus":
            patched()
sys.meta_path.insert(0, Later())
"""
"""Gives BentoML's launcher, for a port of its own, one that somebody else has taken since."""


@pytest.mark.slow
def test_a_port_of_bentomls_own_that_was_taken_meanwhile_is_said_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(TAKEN, encoding="utf-8")
    server = Server(tmp_path / "home", "--no-worker", port=free_port(), PYTHONPATH=f"{tmp_path}:{Path.cwd()}")
    assert server.refuses() == 1
    assert "was taken meanwhile (Address already in use); start it again" in server.logged
    assert len(server.logged.splitlines()) == 1
