"""Jobs that are cancelled while they run, that go to a cluster, that bring another release over the register."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from kpfootprint.flow import examine
from kpfootprint.ingest import ingest_json
from kpfootprint.parcel import Batch
from kpfootprint.release import load_release, shipped_release
from service.jobs import comparing
from service.jobs.worker import work_once
from service.register import jobs
from service.register.opening import open_register
from service.register.verify import verify
from service.settings import Settings
from service.work.place import Workplace
from service.work.receive import submit
from tests.cluster import cluster
from tests.service.office import Office, shipment
from tests.service.reading import problem_in
from tests.service.server import comes

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FEW = 2
"""Parcels of a stretch here, so that a job has several."""


@pytest.fixture
def small_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "STRETCH", FEW)


@pytest.mark.slow
@pytest.mark.usefixtures("small_stretches")
def test_a_job_that_runs_is_cancelled_at_the_next_stretch(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = office.send(shipment(7, bad=False, prefix="RUN"))
    place, job = sent.headers["location"], sent.json()["job"]
    kept = comparing._keep
    asked: list[Any] = []

    def cancelled_meanwhile(*arguments: Any) -> None:
        kept(*arguments)
        if not asked:
            asked.append(office.ask("admin", "DELETE", job))

    monkeypatch.setattr(comparing, "_keep", cancelled_meanwhile)
    office.run_jobs()
    assert asked[0].status_code == 200
    assert asked[0].json()["state"] == "running"
    ended = office.get(job)
    assert (ended["state"], ended["progress"]) == ("cancelled", {"done": FEW, "total": 7})
    assert ended["ended_at"] is not None
    shown = office.get(place)
    assert sum(parcel["comparison"] is not None for parcel in shown["parcels"]) == FEW, "what was compared is kept"
    assert [event["event"] for event in shown["history"]] == ["submission", "cancelled"]
    assert shown["history"][1]["actor"] == f"key:{office.keys['admin'].split('_')[1]}", "who cancelled it"
    office.run_jobs()
    assert office.get(job) == ended, "nobody goes on with it"
    goes_on = office.ask("monitor", "POST", f"{place}/compare")
    assert (goes_on.status_code, goes_on.headers["location"]) == (202, place)
    problem_in(office.ask("monitor", "POST", f"{place}/compare"), 409, "conflict")
    office.run_jobs()
    assert office.get(job) == ended, "another job does the rest"
    assert office.get(goes_on.json()["job"])["progress"] == {"done": 7 - FEW, "total": 7 - FEW}
    whole = office.get(place)
    assert (whole["state"], whole["job"]) == ("compared", goes_on.json()["job"])
    assert [event["event"] for event in whole["history"]] == ["submission", "cancelled", "resumed", "compared"]
    before, after = ([item["comparison"] for item in found["parcels"]][:FEW] for found in (shown, whole))
    assert before == after
    assert verify(office.work.engine).wrong is None


@pytest.fixture
def other_office(tmp_path: Path) -> Iterator[Any]:
    """Return a way to have a shipment compared in a register of its own, perhaps by a cluster."""
    opened = []

    def compared(name: str, content: bytes, scheduler: str | None) -> list[Any]:
        settings = Settings(home=tmp_path / name, scheduler=scheduler)
        open_register(settings).dispose()
        work = Workplace(settings)
        work.release()
        opened.append(work)
        received = submit(work, name="s.zip", content=content, note="", actor="key:test")
        while work_once(work, threading.Event()):
            pass
        from service.register.database import reading
        from service.register.submissions import rows_of
        from tests.service.registers import report_of

        with reading(work.engine) as connection:
            parcels = rows_of(connection, received.id, "problems", "comparison_id")
        return [
            json.loads(parcel["problems"])
            if parcel["comparison_id"] is None
            else report_of(work.engine, parcel["comparison_id"])
            for parcel in parcels
        ]

    yield compared
    for work in opened:
        work.close()


@pytest.mark.slow
@pytest.mark.usefixtures("small_stretches")
def test_a_cluster_compares_a_shipment_as_this_machine_does(
    other_office: Any, dask_scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "this_second", lambda: NOW)
    content = shipment(5, prefix="D")
    here = other_office("here", content, None)
    there = other_office("there", content, dask_scheduler)
    assert there == here
    assert [isinstance(one, str) for one in here] == [True] * 4 + [False]
    assert here[-1][0]["code"] == "negative"


@pytest.mark.slow
@pytest.mark.usefixtures("small_stretches")
@pytest.mark.parametrize("delay", [0.0, 0.3, 0.6, 1.0])
def test_a_worker_of_a_cluster_that_is_killed_costs_time_alone(
    other_office: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, delay: float
) -> None:
    """Also while it is given the release, before any parcel."""
    monkeypatch.setattr(comparing, "this_second", lambda: NOW)
    content = shipment(9, bad=False, prefix="K")
    here = other_office("here", content, None)
    with cluster(tmp_path) as made:
        killer = threading.Timer(delay, made.workers[0].kill)
        killer.start()
        assert other_office("there", content, made.address) == here
        killer.join()


@pytest.mark.slow
def test_a_job_is_cancelled_while_its_cluster_has_no_workers(tmp_path: Path) -> None:
    with cluster(tmp_path) as made:
        settings = Settings(home=tmp_path, scheduler=made.address)
        open_register(settings).dispose()
        with closing(Workplace(settings)) as work:
            work.release()
            received = submit(work, name="s.zip", content=shipment(3, bad=False), note="", actor="key:test")
            for worker in made.workers:
                worker.kill()

            def cancel_once_it_runs() -> None:
                assert comes(lambda: jobs.job_of(work.engine, received.job_id).state == "running")  # type: ignore[union-attr]
                time.sleep(3)
                jobs.cancel(work.engine, received.job_id, "key:test")

            with ThreadPoolExecutor(1) as pool:
                cancelled = pool.submit(cancel_once_it_runs)
                assert work_once(work, threading.Event())
                cancelled.result()
            job = jobs.job_of(work.engine, received.job_id)
    assert job is not None
    assert job.state == "cancelled"


@pytest.mark.slow
def test_another_release_tells_which_conclusions_change_and_why(office: Office, examples: Path) -> None:
    """What a re-examination lists is what examining with both releases gives, and the reports of then stay."""
    models = shipped_release().parent
    other = "2026.2"
    now, then = load_release(shipped_release()), load_release(models / other)
    known = json.loads((examples / "true_berberati.json").read_text(encoding="utf-8"))
    stones = known["stones"]
    expected = {}
    reports = {}
    for n in (40, 90, 250, 600):
        for zone in ("berberati", "bria", "carnot", "boda"):
            few = {name: column[:n] for name, column in stones.items()}
            document = {**known, "parcel_id": f"Z-{zone}-{n}", "declarations": [{"zone_id": zone}], "stones": few}
            made = office.ask("monitor", "POST", "/v1/comparisons", json=document)
            place = made.headers["location"]
            reports[place] = made.json()
            parcel = ingest_json(document, then.scheme, then.zone_table)
            day = date.fromisoformat(made.json()["parcel"]["status_on"])
            (after,) = examine(Batch((parcel,)), then, status_on=day, created_at=NOW)
            if after.content["conclusion"] != made.json()["conclusion"]:
                expected[place] = after.content
    assert expected, f"{other} and {now.name} agree on everything here; take other parcels"
    asked = office.ask("researcher", "POST", "/v1/reexaminations", json={"release": other})
    office.run_jobs()
    found = office.get(asked.headers["location"])
    assert (found["release"], found["state"]) == (other, "done")
    changes = {item["comparison"]: item for item in found["changes"]}
    assert {place for place in changes if place in reports} == set(expected)
    for place, content in expected.items():
        change = changes[place]
        assert change["before"] == reports[place]["conclusion"]
        assert change["after"] == content["conclusion"]
        assert change["log10_lr_before"] == reports[place]["verification"]["log10_lr"]
        assert change["log10_lr_after"] == content["verification"]["log10_lr"]
        for report in (reports[place], content):
            for sentence in report["explanation"]["sentences"]:
                if sentence["code"].startswith(("asks_", "short_")):
                    assert sentence["text"] in change["why"]
        assert office.get(place) == reports[place], "the report of then stays"
