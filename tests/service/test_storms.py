"""The real server under what the world does to it: full disks, locks, damage, impatient and hostile clients."""

from __future__ import annotations

import io
import os
import random
import socket
import sqlite3
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
import sqlalchemy as sa

from service.register import tables
from service.register.database import BUSY_MS, reading
from service.register.keys import create_key
from service.register.opening import open_register
from service.register.verify import verify
from service.settings import Settings
from service.wire import HEAD_WITHIN
from tests.cli.running import kpfootprint
from tests.service.disks import fill, small_disk
from tests.service.office import shipment
from tests.service.reading import problem_in
from tests.service.server import ENDS_WITHIN, PATIENCE, Server, comes, free_port, listens

pytestmark = pytest.mark.slow


def served(settings: Settings) -> Server:
    if settings.database_url is None:
        return Server(settings.home)
    return Server(settings.home, KPF_DATABASE_URL=settings.database_url)


def test_on_a_full_disk_reading_goes_on_and_writing_says_why(tmp_path: Path, parcel: dict[str, Any]) -> None:
    with small_disk(tmp_path / "disk", 8) as disk:
        home = disk / "home"
        key = create_key(Settings(home=home), "admin")
        with Server(home) as server, server.client(key) as client:
            workers = psutil.Process(server.process.pid).children(recursive=True)
            kept = client.post("/v1/comparisons", json=parcel).headers["location"]
            sent = client.post("/v1/submissions", files={"file": ("s.zip", shipment(40, bad=False))})
            filler = fill(disk)
            assert client.post("/v1/comparisons", json=parcel).status_code in {201, 503}
            for _ in range(3):  # whatever room the log of the database still had is used up
                answer = client.post("/v1/comparisons", json=parcel)
            problem_in(answer, 503, "register_unavailable")
            problem_in(client.post("/v1/keys", json={"role": "viewer"}), 503, "register_unavailable")
            for path in ("/v1/zones", "/v1/models", "/v1/comparisons", kept, f"{kept}.html", f"{kept}.pdf", "/metrics"):
                assert client.get(path).status_code == 200, path
            assert client.get("/comparisons", headers={"Accept": "text/html"}).status_code == 200
            assert client.get("/livez").status_code == 200
            with server.client() as stranger:
                page = stranger.post("/sign-in", data={"key": key}, headers={"Accept": "text/html"})
            assert page.status_code == 503
            assert all(worker.is_running() for worker in workers)
            second = Server(home, port=free_port())
            if second.refuses() == 1:
                assert "room" in second.logged or "disk" in second.logged
                assert len(second.logged.splitlines()) <= 3
            filler.unlink()
            assert client.post("/v1/comparisons", json=parcel).status_code == 201
            compared(client, sent.headers["location"])
        assert "Traceback" not in server.logged
        assert "there is no room left on its disk" in server.logged
        (home / "register.db").unlink()
        fill(disk)
        told = kpfootprint("keys", "create", "--role", "viewer", home=home)
        assert told.status == 1
        assert len(told.err.splitlines()) == 1
        started = Server(home)
        assert started.refuses() == 1
        assert "Traceback" not in started.logged
        assert len(started.logged.splitlines()) == 1


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    home = tmp_path_factory.mktemp("home")
    return home, create_key(Settings(home=home), "admin")


def test_while_another_process_holds_the_register_nobody_else_waits(
    lived_in: tuple[Path, str], parcel: dict[str, Any]
) -> None:
    home, key = lived_in
    with Server(home) as server, server.client(key) as client:
        assert client.post("/v1/comparisons", json=parcel).status_code == 201
        holder = sqlite3.connect(home / "register.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with server.client() as stranger, ThreadPoolExecutor(8) as pool:
            waiting = [
                pool.submit(client.post, "/v1/comparisons", json=parcel),
                pool.submit(client.post, "/v1/keys", json={"role": "viewer"}),
                pool.submit(stranger.post, "/sign-in", data={"key": key}),
            ]
            time.sleep(0.5)
            slowest = 0.0
            while not all(answer.done() for answer in waiting):
                started = time.monotonic()
                assert stranger.get("/livez").status_code == 200
                assert client.get("/v1/comparisons").status_code == 200
                slowest = max(slowest, time.monotonic() - started)
                time.sleep(0.2)
            assert slowest < 0.6 * BUSY_MS / 1000, "as long as one writer waits for the register"
            for answer in waiting:
                problem_in(answer.result(), 503, "register_unavailable")
        told = kpfootprint("keys", "create", "--role", "viewer", home=home)
        assert told.status == 1
        assert "locked" in told.err
        assert len(told.err.splitlines()) == 1
        holder.rollback()
        holder.close()
        assert client.post("/v1/comparisons", json=parcel).status_code == 201
    assert "Traceback" not in server.logged
    assert "another process holds it locked" in server.logged


def test_a_damaged_register_is_said_everywhere_and_nothing_breaks(tmp_path: Path, parcel: dict[str, Any]) -> None:
    key = create_key(Settings(home=tmp_path), "admin")
    with Server(tmp_path) as server, server.client(key) as client:
        kept = client.post("/v1/comparisons", json=parcel).headers["location"]
        for name in ("register.db", "register.db-wal"):
            file = tmp_path / name
            file.write_bytes(b"\0garbage" * (file.stat().st_size // 8))
        assert comes(lambda: client.get("/readyz").status_code == 503)
        for method, path in (
            *(("GET", path) for path in ("/v1/comparisons", "/v1/zones", "/v1/keys", kept, f"{kept}.html", "/metrics")),
            ("POST", "/v1/comparisons"),
            ("POST", "/v1/keys"),
        ):
            answer = client.request(method, path, json=parcel if method == "POST" else None)
            assert answer.status_code in {200, 201, 401, 422, 503}, (path, answer.status_code, answer.text)
        with server.client() as stranger:
            assert stranger.post("/sign-in", data={"key": key}).status_code in {401, 503}
        assert client.get("/livez").status_code == 200
    assert "Traceback" not in server.logged
    for command in (("keys", "list"), ("models",), ("keys", "create", "--role", "viewer"), ("models", "rollback")):
        told = kpfootprint(*command, home=tmp_path)
        assert told.status == 1, told.err
        assert "restore" in told.err
        assert len(told.err.splitlines()) == 1
    started = Server(tmp_path)
    assert started.refuses() == 1
    assert len(started.logged.splitlines()) == 1


def asked(port: int, data: bytes) -> bytes:
    """Send bytes as they are and return the beginning of what comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(data)
        with suppress(ConnectionResetError):
            return connection.recv(4096)
        return b""


def test_clients_that_never_finish_and_never_end(tmp_path: Path, parcel: dict[str, Any]) -> None:
    key = create_key(Settings(home=tmp_path), "admin")
    with Server(tmp_path) as server, server.client(key) as client:
        children = psutil.Process(server.process.pid).children(recursive=True)
        (worker,) = [child for child in children if "_bentoml_impl.worker.service" in child.cmdline()]
        half = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(300)]
        for number, connection in enumerate(half):
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: " if number % 2 else b"")
        begun = time.monotonic()
        assert client.get("/livez").status_code == 200

        endless = asked(server.port, b"GET / HTTP/1.1\r\nX: " + b"a" * 200_000)
        assert endless.startswith(b"HTTP/1.1 431 ")

        before = worker.memory_info().rss
        head = b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        big = asked(server.port, head + b"Content-Length: 250000000\r\n\r\n")
        assert big.startswith(b"HTTP/1.1 413 ")
        chunk = b"10000\r\n" + b"k" * 0x10000 + b"\r\n"
        with ThreadPoolExecutor(12) as pool:
            bodies = [head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 200 for _ in range(12)]
            answers = list(pool.map(lambda body: asked_while_sending(server.port, body), bodies))
        assert all(answer.startswith((b"HTTP/1.1 413 ", b"")) for answer in answers)
        assert worker.memory_info().rss - before < 100e6

        with socket.create_connection(("127.0.0.1", server.port)) as gone:
            lines = [
                b"POST / HTTP/1.1",
                b"Host: x",
                f"Authorization: Bearer {key}".encode(),
                b"Content-Type: multipart/form-data; boundary=b",
                b"Content-Length: 100000",
            ]
            gone.sendall(b"\r\n".join([*lines, b"", b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\nhalf"]))
            time.sleep(0.3)
        for connection in half:
            connection.settimeout(max(0.1, HEAD_WITHIN + 30 - (time.monotonic() - begun)))
            with suppress(ConnectionResetError):
                assert connection.recv(1) == b""
            connection.close()
        assert client.post("/v1/comparisons", json=parcel).status_code == 201
    assert " 499 " in server.logged
    assert " 500 " not in server.logged
    assert "Traceback" not in server.logged


def asked_while_sending(port: int, data: bytes) -> bytes:
    """Send as much as the other side takes, and return the beginning of what it says."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        with suppress(OSError):
            connection.sendall(data)
        try:
            return connection.recv(4096)
        except OSError:
            return b""


def test_work_ends_with_the_request_that_asked_for_it(tmp_path: Path, parcel: dict[str, Any]) -> None:
    key = create_key(Settings(home=tmp_path), "monitor")
    content = wide_submission(600_000)
    with Server(tmp_path, "--no-worker") as server, server.client(key) as client:
        children = psutil.Process(server.process.pid).children(recursive=True)
        (worker,) = [child for child in children if "_bentoml_impl.worker.service" in child.cmdline()]
        with suppress(httpx2.TimeoutException):
            client.post("/v1/submissions", files={"file": ("s.zip", content)}, timeout=httpx2.Timeout(60, read=3))
            pytest.skip("this machine is too fast for what was sent")
        assert comes(lambda: rests(worker), 20), "the work goes on though nobody waits for it"
        assert client.get("/v1/submissions").json()["items"] == []
        assert client.post("/v1/comparisons", json=parcel).status_code == 201
    assert " 499 " in server.logged
    assert " 500 " not in server.logged


def rests(worker: psutil.Process) -> bool:
    """Say whether a worker has begun no other process, and takes no processor."""
    before = sum(worker.cpu_times()[:2])
    time.sleep(1)
    return not worker.children() and sum(worker.cpu_times()[:2]) - before < 0.3


def test_what_a_killed_service_left_in_memory_is_removed_by_the_next(tmp_path: Path) -> None:
    def folder_of(server: Server) -> Path:
        (worker, *_) = (
            child
            for child in psutil.Process(server.process.pid).children(recursive=True)
            if "_bentoml_impl.worker.service" in child.cmdline()
        )
        return Path(worker.environ()["BENTOML_HOME"])

    with Server(tmp_path / "a", "--no-worker") as living:
        with Server(tmp_path / "b", "--no-worker") as killed:
            left = folder_of(killed)
            everybody = psutil.Process(killed.process.pid).children(recursive=True)
            for process in (psutil.Process(killed.process.pid), *everybody):
                process.suspend()  # so that none sees another go
            for process in (*everybody, psutil.Process(killed.process.pid)):
                process.kill()
            killed.process.wait(PATIENCE)
        assert left.exists(), "nobody was left to remove it"
        with Server(tmp_path / "c", "--no-worker"):
            assert not left.exists()
            assert folder_of(living).exists(), "its owner lives"


def wide_submission(n_stones: int) -> bytes:
    """Return a submission of as many parcels as stones: a minute of reading and more in a few megabytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        stones = "".join(f"P{k},0.5,brown\n" for k in range(n_stones))
        archive.writestr("stones.csv", "parcel_id,weight_ct,colour\n" + stones)
        zones = "".join(f"P{k},berberati,0.5\n" for k in range(n_stones))
        archive.writestr("declarations.csv", "parcel_id,zone_id,carats\n" + zones)
    return buffer.getvalue()


def test_odd_headers_and_bodies_are_refused_and_forwarded_addresses_are_not_believed(tmp_path: Path) -> None:
    key = create_key(Settings(home=tmp_path), "admin")
    with Server(tmp_path, "--workers", "2", KPF_RATE_PER_MINUTE="1") as server:
        statuses = []
        for number, origin in enumerate(["http://[x", "null", "://", "http://a b"] * 3):
            with server.client() as stranger:  # a connection of its own, for either worker
                answer = stranger.post("/v1/comparisons", json={}, headers={"Origin": origin})
                assert answer.status_code in {401, 403, 429}, origin
                answer = stranger.get("/v1/zones", headers={"X-Forwarded-For": f"10.0.0.{number}"})
                statuses.append(answer.status_code)
        assert 429 in statuses, "another address in a header is another visitor"
    with Server(tmp_path, "--workers", "3", KPF_RATE_PER_MINUTE="2") as server, server.client(key) as client:
        statuses = [client.get("/v1/zones").status_code for _ in range(12)]
        assert 200 in statuses, "a limit below the number of workers lets nobody in"
        assert 429 in statuses
    with Server(tmp_path) as server, server.client(key) as client:
        for body in (b'{"role": "viewer", "name": "\\ud800"}', b'{"role": "viewer", "role": "admin"}'):
            answer = client.post("/v1/keys", content=body, headers={"Content-Type": "application/json"})
            problem_in(answer, 422, "invalid_input")


def test_two_that_start_on_one_port_leave_one_that_answers(tmp_path: Path) -> None:
    port = free_port()
    key = create_key(Settings(home=tmp_path), "viewer")
    pair = [Server(tmp_path, port=port) for _ in range(2)]
    try:
        assert comes(lambda: any(server.process.poll() is not None for server in pair))
        ended = [server for server in pair if server.process.poll() is not None]
        assert len(ended) == 1
        assert ended[0].stop() == 1
        assert f"port {port}" in ended[0].logged
        assert "Traceback" not in ended[0].logged
        (stays,) = [server for server in pair if server not in ended]
        with stays, stays.client(key) as client:
            for _ in range(20):
                assert client.get("/v1/zones").status_code == 200
            assert client.get("/metrics").status_code == 200
            assert 'route="/v1/zones"' in client.get("/metrics").text
    finally:
        for server in pair:
            if server.process.poll() is None:
                server.stop()


def test_nothing_is_picked_up_where_the_service_is_started(tmp_path: Path, parcel: dict[str, Any]) -> None:
    trap = tmp_path / "trap"
    trap.mkdir()
    for name in ("numpy", "h2", "service", "typing_extensions", "sitecustomize", "wsproto", "kpfootprint", "yaml"):
        (trap / f"{name}.py").write_text(f"open({str(tmp_path / 'executed')!r}, 'a').write('{name} ')\n")
    home = tmp_path / "home"
    key = create_key(Settings(home=home), "admin")
    command = Path(sys.executable).with_name("kpfootprint")
    if not command.exists():
        pytest.skip("the command is not installed here")
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("KPF_", "BENTOML_"))}
    environment.pop("PROMETHEUS_MULTIPROC_DIR", None)
    environment.pop("PYTHONPATH", None)
    environment |= {"KPF_HOME": str(home)}
    process = subprocess.Popen(
        [command, "serve", "--port", str(port)], cwd=trap, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        url = f"http://127.0.0.1:{port}"
        with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE) as client:
            answers_again(client)
            assert client.post("/v1/comparisons", json=parcel).status_code == 201
    finally:
        process.terminate()
        process.wait(ENDS_WITHIN)
    assert not (tmp_path / "executed").exists()


ROUNDS = int(os.environ.get("KPF_KILL_ROUNDS", "6"))
"""Rounds of killing; by hand any number."""

VICTIMS = ("launcher", "launcher and another", "all", "job worker", "worker")
"""Who is killed in a round, in turn: without its launcher nothing may stay, under a living one all comes back."""


def victims(kind: str, launcher: psutil.Process, rng: random.Random) -> list[psutil.Process]:
    family = launcher.children(recursive=True)
    if kind == "all":
        return [launcher, *family]
    if kind.startswith("launcher"):
        return [launcher, *(rng.sample(family, 1) if "another" in kind else [])]
    mark = "worker" if kind == "job worker" else "_bentoml_impl.worker.service"
    return [process for process in family if mark in process.cmdline()]


def ends_with_its_launcher(server: Server, processes: list[psutil.Process]) -> None:
    with suppress(psutil.NoSuchProcess):
        psutil.Process(server.process.pid).kill()
    _, left = psutil.wait_procs(processes, timeout=PATIENCE)
    assert not left, f"{[process.cmdline() for process in left]} outlive their launcher"
    assert not listens(server.port), "an orphan keeps the port"


@pytest.mark.timeout(300 * ROUNDS)
def test_what_was_acknowledged_outlives_the_kill_of_every_process(settings: Settings, parcel: dict[str, Any]) -> None:
    key = create_key(settings, "monitor")
    rng = random.Random(ROUNDS)
    parcel = parcel | {"stones": {name: column[:80] for name, column in parcel["stones"].items()}}
    comparisons: dict[str, tuple[str, bytes]] = {}
    submissions: dict[str, str] = {}
    for round_ in range(ROUNDS):
        kind = VICTIMS[round_ % len(VICTIMS)]
        server = served(settings)
        with server, server.client(key) as client:
            launcher = psutil.Process(server.process.pid)
            processes = [launcher, *launcher.children(recursive=True)]

            def ask(number: int, client: httpx2.Client = client, round_: int = round_) -> None:
                name = f"{round_}-{number}"
                with suppress(httpx2.TransportError):
                    if number % 8 == 0:
                        content = shipment(3, bad=False, prefix=f"{name}-")
                        answer = client.post("/v1/submissions", files={"file": ("s.zip", content)})
                        if answer.status_code == 202:
                            submissions[answer.headers["location"]] = name
                    else:
                        answer = client.post("/v1/comparisons", json=parcel, headers={"Idempotency-Key": name})
                        if answer.status_code == 201:
                            comparisons[name] = (answer.headers["location"], answer.content)

            with ThreadPoolExecutor(4) as pool:
                asked_for = [pool.submit(ask, number) for number in range(40)]
                time.sleep(rng.uniform(0.3, 2.5))
                for process in victims(kind, launcher, rng):
                    with suppress(psutil.NoSuchProcess):
                        process.kill()
                for future in asked_for:
                    future.result()
            if "worker" in kind:  # the launcher lives: what was killed comes back, and nobody waits for a hand
                answers_again(client)
                if kind == "job worker":
                    place = client.post("/v1/submissions", files={"file": ("s.zip", shipment(1, bad=False))}).headers
                    compared(client, place["location"])
                processes = [launcher, *launcher.children(recursive=True)]
            ends_with_its_launcher(server, processes)
        print(f"round {round_ + 1}, {kind} killed: {len(comparisons)} times 201", flush=True)
    assert len(comparisons) > 3 * ROUNDS
    with served(settings) as server, server.client(key) as client:
        for location, content in comparisons.values():
            assert client.get(location).content == content
        for name, (location, content) in list(comparisons.items())[-50:]:
            again = client.post("/v1/comparisons", json=parcel, headers={"Idempotency-Key": name})
            assert (again.headers["location"], again.content) == (location, content)
        for location, name in submissions.items():
            shown = compared(client, location)
            assert [item["parcel_id"] for item in shown["parcels"]] == [f"{name}-{k}" for k in range(3)]
            assert len({item["comparison"] for item in shown["parcels"]} - {None}) == 3
    engine = open_register(settings)
    verdict = verify(engine)
    assert verdict.wrong is None
    table = tables.comparisons.c
    with reading(engine) as connection:
        of_submissions = sa.select(table.submission_id, table.parcel_id).where(table.submission_id.is_not(None))
        kept = [tuple(row) for row in connection.execute(of_submissions)]
    assert len(kept) == len(set(kept)), "a parcel was kept twice"
    engine.dispose()
    print(f"{ROUNDS} rounds: {len(comparisons)} times 201, {len(submissions)} times 202, {verdict.entries} entries")


def answers_again(client: httpx2.Client) -> None:
    def answers() -> bool:
        with suppress(httpx2.TransportError):
            return client.get("/readyz").status_code == 200
        return False

    assert comes(answers), "the service does not come back"


def compared(client: httpx2.Client, location: str) -> Any:
    assert comes(lambda: client.get(location).json()["state"] == "compared"), f"{location} is never compared"
    return client.get(location).json()
