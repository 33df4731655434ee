"""What was promised holds when things break: workers are killed, the database goes away, two servers share one."""

from __future__ import annotations

import io
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
import sqlalchemy as sa

from service.register.database import BUSY_MS, reading
from service.register.keys import create_key
from service.register.opening import open_register, opened
from service.register.submissions import submission_of
from service.register.tables import comparisons, submission_parcels
from service.register.verify import verify
from service.settings import Settings, environment_of
from tests.needs import require
from tests.service.databases import Postgres
from tests.service.disks import fill, small_disk
from tests.service.office import shipment
from tests.service.reading import all_kept, problem_in
from tests.service.server import PATIENCE, Server, comes

pytestmark = pytest.mark.slow


def started_worker(settings: Settings) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "kpfootprint", "worker"],
        env=os.environ | environment_of(settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_a_worker_that_is_killed_again_and_again_loses_nothing_and_doubles_nothing(settings: Settings) -> None:
    from service.work.place import Workplace
    from service.work.receive import submit

    work = Workplace(settings)
    open_register(settings).dispose()
    work.release()
    n = 150
    received = submit(work, name="s.zip", content=shipment(n, bad=False, prefix="K"), note="", actor="key:test")
    rng = random.Random(1)
    kills = 0
    until = time.monotonic() + 600
    while time.monotonic() < until:
        worker = started_worker(settings)
        time.sleep(rng.uniform(2.5, 6.0) if kills < 12 else 60)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        kills += 1
        with reading(work.engine) as connection:
            left = connection.scalar(sa.select(sa.func.count()).where(submission_parcels.c.comparison_id.is_(None)))
        if not left:
            break
    with reading(work.engine) as connection:
        rows = connection.execute(sa.select(comparisons.c.parcel_id)).scalars().all()
    assert sorted(rows) == sorted(f"K{k}" for k in range(n))
    worker = started_worker(settings)

    def is_compared() -> bool:
        with reading(work.engine) as connection:
            found = submission_of(connection, received.id)
        return found is not None and found.state == "compared"

    assert comes(is_compared)
    worker.terminate()
    assert worker.wait(PATIENCE) in {0, -signal.SIGTERM}  # it may still have been starting
    assert verify(work.engine).wrong is None
    work.close()


GONE = 20.0
"""Seconds without a database."""


@pytest.mark.postgres
def test_a_database_that_goes_away_is_said_and_found_again(
    postgres: Postgres, tmp_path: Path, parcel: dict[str, Any]
) -> None:
    settings = Settings(home=tmp_path, database_url=postgres.new_database())
    key = create_key(settings, "monitor")
    with Server(tmp_path, KPF_DATABASE_URL=str(settings.database_url)) as server, server.client(key) as client:
        sent = client.post("/v1/submissions", files={"file": ("s.zip", shipment(2, bad=False))})
        assert sent.status_code == 202
        postgres.stop()
        try:
            until = time.monotonic() + GONE
            while time.monotonic() < until:
                for method, path in (("GET", "/v1/register/head"), ("GET", "/v1/keys"), ("POST", "/v1/comparisons")):
                    answer = client.request(method, path, json=parcel if method == "POST" else None)
                    problem_in(answer, 503, "register_unavailable")
                assert client.get("/livez").status_code == 200
                assert client.get("/readyz").status_code == 503
                time.sleep(1)
        finally:
            postgres.start()
        assert comes(lambda: client.get(sent.headers["location"]).json().get("state") == "compared")
        assert client.post("/v1/comparisons", json=parcel).status_code == 201
    assert "the database does not answer" in server.logged
    assert "Traceback" not in server.logged


def test_a_database_file_that_is_held_for_twenty_seconds_is_said_and_found_again(
    tmp_path: Path, parcel: dict[str, Any]
) -> None:
    """Another program holds it, for readers too: as a copying or repairing program does."""
    key = create_key(Settings(home=tmp_path), "monitor")
    with Server(tmp_path) as server, server.client(key) as client:
        sent = client.post("/v1/submissions", files={"file": ("s.zip", shipment(2, bad=False))})
        with closing(sqlite3.connect(tmp_path / "register.db", PATIENCE, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            until = time.monotonic() + GONE
            while time.monotonic() < until:
                problem_in(client.post("/v1/comparisons", json=parcel), 503, "register_unavailable")
                assert client.get("/v1/comparisons").status_code == 200
                assert client.get("/livez").status_code == 200
            holder.rollback()
        assert client.post("/v1/comparisons", json=parcel).status_code == 201
        assert comes(lambda: client.get(sent.headers["location"]).json()["state"] == "compared")


@pytest.mark.postgres
def test_two_servers_share_one_register(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.new_database()
    settings = Settings(home=tmp_path / "a", database_url=url)
    key = create_key(settings, "monitor")
    with (
        Server(tmp_path / "a", KPF_DATABASE_URL=url) as one,
        Server(tmp_path / "b", KPF_DATABASE_URL=url) as other,
        one.client(key) as first,
        other.client(key) as second,
    ):
        places = [
            client.post("/v1/submissions", files={"file": ("s.zip", shipment(3, bad=False, prefix=f"{k}-"))}).headers[
                "location"
            ]
            for k, client in enumerate([first, second] * 3)
        ]
        for place in places:
            assert comes(lambda place=place: second.get(place).json()["state"] == "compared")  # type: ignore[misc]
            assert first.get(place).json()["state"] == "compared"
        head = first.get("/v1/register/head").json()
        assert second.get("/v1/register/head").json() == head
    engine = open_register(settings)
    assert verify(engine, head["hash"]).wrong is None
    engine.dispose()


def test_a_full_disk_of_temporary_files_refuses_large_uploads_alone(tmp_path: Path, parcel: dict[str, Any]) -> None:
    home = tmp_path / "home"
    key = create_key(Settings(home=home), "admin")
    content = io.BytesIO(shipment(2, bad=False))
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("remarks.txt", os.urandom(7_000_000))
    file = {"file": ("s.zip", content.getvalue())}
    with (
        small_disk(tmp_path / "disk", 8) as disk,
        Server(home, TMPDIR=str(disk)) as server,
        server.client(key) as client,
        opened(Settings(home=home)) as engine,
    ):
        kept = client.post("/v1/comparisons", json=parcel).headers["location"]
        filler = fill(disk)
        before = all_kept(engine, home)
        for path in ("/v1/submissions", "/v1/trainings"):
            problem_in(client.post(path, files=file), 503, "no_room")
        assert client.post("/", files=file, headers={"Accept": "text/html"}).status_code == 503
        assert all_kept(engine, home) == before
        for suffix in ("", ".html", ".pdf"):
            assert client.get(kept + suffix).status_code == 200
        assert client.post("/v1/comparisons", json=parcel).status_code == 201
        filler.unlink()
        assert client.post("/v1/submissions", files=file).status_code == 202
    assert "Traceback" not in server.logged


@pytest.mark.postgres
def test_on_a_full_disk_of_the_database_reading_goes_on_and_writing_says_why(
    tmp_path: Path, parcel: dict[str, Any]
) -> None:
    """First its tables find no room, then its log, at which PostgreSQL ends; room again, and it is started."""
    programs = require("postgres")
    with small_disk(Path(tempfile.mkdtemp(prefix="kpf-pg-", dir="/tmp")) / "disk", 90) as disk:
        disk.parent.chmod(0o755)
        postgres = Postgres(programs, disk)
        url = postgres.new_database()
        settings = Settings(home=tmp_path, database_url=url)
        key = create_key(settings, "admin")
        drawn = random.Random(1).choices(range(len(parcel["stones"]["weight_ct"])), k=24_000)  # in no order twice
        large = {name: [column[at] for at in drawn] for name, column in parcel["stones"].items()}
        with Server(tmp_path, KPF_DATABASE_URL=url) as server, server.client(key) as client:
            kept = client.post("/v1/comparisons", json=parcel).headers["location"]
            sent = client.post("/v1/submissions", files={"file": ("s.zip", shipment(20, bad=False))})
            filler = fill(disk)
            before = [client.post("/v1/comparisons", json=parcel | {"stones": large}) for _ in range(8)]
            acknowledged = [answer.headers["location"] for answer in before if answer.status_code == 201]
            problem_in(before[-1], 503, "register_unavailable")
            for path in ("/livez", "/metrics", "/v1/comparisons", kept, f"{kept}.html", sent.headers["location"]):
                assert client.get(path).status_code == 200, path
            engine = sa.create_engine(url)
            with suppress(sa.exc.DBAPIError), engine.connect() as connection:
                for _ in range(500):
                    connection.execute(sa.text("SELECT pg_logical_emit_message(false, 'x', repeat('x', 500000))"))
            engine.dispose()
            for method, path in (("POST", "/v1/comparisons"), ("POST", "/v1/keys"), ("GET", "/v1/comparisons")):
                body = parcel if path == "/v1/comparisons" else {"role": "viewer"}
                answer = client.request(method, path, json=body if method == "POST" else None)
                if method == "POST" or answer.status_code != 200:
                    problem_in(answer, 503, "register_unavailable")
            assert client.get("/livez").status_code == 200
            filler.unlink()
            with suppress(AssertionError):  # it may have got over it by itself
                postgres.start()
            assert comes(lambda: client.post("/v1/comparisons", json=parcel).status_code == 201)
            for location in (kept, *acknowledged):
                assert client.get(location).status_code == 200
            assert comes(lambda: client.get(sent.headers["location"]).json().get("state") == "compared")
        assert "there is no room left on its disk; free some, and nothing else has to be done" in server.logged
        assert "Traceback" not in server.logged
        with opened(settings) as engine:
            assert verify(engine).wrong is None
        postgres.stop()
    disk.rmdir()
    disk.parent.rmdir()


HOLDS = {"appending": "SELECT pg_advisory_xact_lock(7305001)", "keys": "LOCK TABLE keys IN ACCESS EXCLUSIVE MODE"}


@pytest.mark.postgres
def test_while_another_session_holds_what_it_holds_in_postgresql_nobody_else_waits(
    postgres: Postgres, tmp_path: Path, parcel: dict[str, Any]
) -> None:
    """More ask at once than there are connections and threads."""
    settings = Settings(home=tmp_path, database_url=postgres.new_database())
    key = create_key(settings, "admin")
    engine = sa.create_engine(str(settings.database_url))
    with Server(tmp_path, "--no-worker", KPF_DATABASE_URL=str(settings.database_url)) as server:
        for what, statement in HOLDS.items():
            with engine.connect() as holder, ThreadPoolExecutor(60) as pool:
                holder.execute(sa.text(statement))
                with server.client(key) as client, server.client() as stranger:
                    path, body = (
                        ("/v1/comparisons", parcel) if what == "appending" else ("/v1/keys", {"role": "viewer"})
                    )
                    waiting = [pool.submit(client.post, path, json=body) for _ in range(60 if what == "keys" else 5)]
                    time.sleep(1)
                    began = time.monotonic()
                    assert stranger.get("/livez").status_code == 200
                    assert time.monotonic() - began < 0.8 * BUSY_MS / 1000
                    for answer in waiting:
                        problem_in(answer.result(), 503, "register_unavailable")
            with server.client(key) as client:
                assert client.post("/v1/comparisons", json=parcel).status_code == 201
    engine.dispose()
    assert "Traceback" not in server.logged
    assert "all connections to it are taken" in server.logged


def answering(server: Server) -> list[psutil.Process]:
    children = psutil.Process(server.process.pid).children()
    return [child for child in children if "_bentoml_impl.worker.service" in child.cmdline()]


def lives(client: httpx2.Client) -> bool:
    with suppress(httpx2.TransportError):
        return client.get("/livez").status_code == 200
    return False


@pytest.mark.postgres
def test_workers_that_end_are_said_and_replaced_though_the_database_is_away(
    postgres: Postgres, tmp_path: Path, parcel: dict[str, Any]
) -> None:
    settings = Settings(home=tmp_path, database_url=postgres.new_database())
    key = create_key(settings, "monitor")
    url = str(settings.database_url)
    with Server(tmp_path, "--workers", "2", KPF_DATABASE_URL=url, BENTOML_CONTAINERIZED="true") as server:
        first = answering(server)
        assert len(first) == 2
        for how, away in ((signal.SIGSEGV, False), (signal.SIGKILL, True)):
            if away:
                postgres.stop()
            ended = answering(server)
            for worker in ended:
                worker.send_signal(how)
            _, left = psutil.wait_procs(ended, timeout=PATIENCE)
            assert not left
            with server.client(key) as client:
                assert comes(lambda client=client: lives(client))  # type: ignore[misc]
                if away:
                    problem_in(client.post("/v1/comparisons", json=parcel), 503, "register_unavailable")
                    assert client.get("/readyz").status_code == 503
                    postgres.start()
                assert comes(lambda client=client: client.get("/readyz").status_code == 200)  # type: ignore[misc]
                assert client.post("/v1/comparisons", json=parcel).status_code == 201
            assert comes(lambda: len(answering(server)) == 2)
            for worker in ended:
                said = f"worker {worker.pid}, which answered requests, ended (status {-how}); another one takes"
                assert server.logged.count(said) == 1
    assert "Traceback" not in server.logged
    assert server.logged.count("which answered requests, ended") == 4, "nothing is said of those that were told to end"


@pytest.mark.parametrize("how", ["removed", "another", "empty"])
def test_a_register_that_goes_away_under_the_service_is_not_begun_anew(
    tmp_path: Path, parcel: dict[str, Any], how: str
) -> None:
    """What is written to a file that was removed is gone with it: nothing more is acknowledged there."""
    key = create_key(Settings(home=tmp_path), "admin")
    away = tmp_path / "away"
    away.mkdir()
    with Server(tmp_path, "--no-worker") as server, server.client(key) as client:
        assert client.post("/v1/comparisons", json=parcel).status_code == 201
        for file in tmp_path.glob("register.db*"):
            file.rename(away / file.name)
        if how == "empty":
            (tmp_path / "register.db").touch()
        if how == "another":
            create_key(Settings(home=tmp_path), "admin")
        for begun_again in (False, True):
            if begun_again:
                (worker,) = answering(server)
                worker.kill()
                worker.wait(PATIENCE)
                assert comes(lambda: lives(client))
            answer = client.post("/v1/comparisons", json=parcel)
            if how == "another":
                problem_in(answer, 401, "unauthenticated")
            else:
                problem_in(answer, 503, "register_unavailable")
                assert client.get("/readyz").status_code == 503
        if how == "removed":
            assert not (tmp_path / "register.db").exists()
        for file in away.iterdir():
            file.rename(tmp_path / file.name)
        assert client.get("/readyz").status_code == 200
        assert client.post("/v1/comparisons", json=parcel).status_code == 201
        assert len(client.get("/v1/comparisons").json()["items"]) == 2
    assert "Traceback" not in server.logged
