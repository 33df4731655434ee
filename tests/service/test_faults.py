"""What was promised holds when things break: workers are killed, the database goes away, two servers share one."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from service.register.database import open_register, reading
from service.register.keys import create_key
from service.register.submissions import submission_of
from service.register.tables import comparisons, submission_parcels
from service.register.verify import verify
from service.settings import Settings, environment_of
from tests.service.databases import Postgres
from tests.service.office import shipment
from tests.service.reading import problem_in
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
    work.open()
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
