"""A real server and its worker whose machine's clock is set back by a day, and then far ahead."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from service.register.opening import open_register
from service.register.verify import verify
from service.settings import Settings
from tests.service.conftest import BOTH
from tests.service.office import shipment
from tests.service.server import Server
from tests.service.there import There

CLOCK = """
from datetime import timedelta
from pathlib import Path
from service import clock
true_time = clock.now
clock.now = lambda: true_time() + timedelta(days=float(Path({file!r}).read_text()))
"""
"""What Python runs before anything else in every process of the service."""


@pytest.mark.slow
@pytest.mark.parametrize("database", BOTH)
def test_a_clock_that_jumps_neither_shortens_nor_lengthens_a_week(
    request: pytest.FixtureRequest, tmp_path: Path, parcel: dict[str, Any], database: str
) -> None:
    file = tmp_path / "days"
    (tmp_path / "sitecustomize.py").write_text(CLOCK.format(file=str(file)), encoding="utf-8")
    url = request.getfixturevalue("postgres").new_database() if database == "postgres" else None
    settings = Settings(home=tmp_path, database_url=url)
    surroundings = {"PYTHONPATH": f"{tmp_path}:{Path.cwd()}"} | ({} if url is None else {"KPF_DATABASE_URL": url})

    def set_ahead(days: float) -> None:
        told = tmp_path / "days.new"
        told.write_text(str(days), encoding="utf-8")
        told.rename(file)  # nobody reads half of it

    def seen(there: There, query: str = "") -> dict[str, bool]:
        items = there.get(f"/v1/submissions?{query}")["items"]
        return {item["id"]: item["overdue"] for item in items}

    def arrived(there: There, name: str) -> dict[str, Any]:
        sent = there.submit(shipment(1, bad=False, prefix=name, exporter=name))
        assert there.over(sent.json()["job"])["state"] == "done"
        found: dict[str, Any] = there.get(sent.headers["location"])
        week = datetime.fromisoformat(found["due_at"]) - datetime.fromisoformat(found["received_at"])
        assert week == timedelta(days=7)
        return found

    set_ahead(0)
    with Server(tmp_path, **surroundings) as server:
        there = There(server, settings, parcel)
        with there.client:
            first = arrived(there, "A")
            set_ahead(-1)
            second = arrived(there, "B")
            assert second["received_at"] >= first["received_at"], "a day that comes twice gives nobody a day"
            assert there.get(f"/v1/submissions/{first['id']}") == first
    with Server(tmp_path, **surroundings) as server:
        there = There(server, settings, parcel)
        with there.client:
            assert seen(there) == {first["id"]: False, second["id"]: False}
            set_ahead(8)
            assert seen(there, "overdue=true") == {first["id"]: True, second["id"]: True}
            third = arrived(there, "C")
            assert [*seen(there)] == [first["id"], second["id"], third["id"]], "what is overdue stands first"
            assert "kpf_submissions_overdue 2" in there.ask("viewer", "GET", "/metrics").text
            there.ask("monitor", "POST", f"/v1/submissions/{first['id']}/decision", json={"decision": "approved"})
            set_ahead(0)
            assert seen(there, "overdue=true") == {second["id"]: True}, "what was late stays late"
            history = there.get(f"/v1/submissions/{first['id']}")["history"]
            assert [event["at"] for event in history] == sorted(event["at"] for event in history)
    engine = open_register(settings)
    assert verify(engine).wrong is None
    engine.dispose()
