"""Trainings over HTTP: asked for, run by a worker as a process of their own, and ended as a release nobody judged."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from service.errors import Refused
from service.jobs.training import ENDED, train
from service.jobs.worker import work_once
from service.register.database import RegisterUnavailable
from service.register.jobs import job_of, taken
from service.register.opening import open_register
from service.register.submissions import file_of
from service.settings import Settings
from service.work.releases import queue_training
from tests.service.office import Office
from tests.service.server import PATIENCE
from tests.training.packages import Kind, write_zip
from training.package import init_package

CONFIG = """
[fit]
n_folds = 3
n_resamples = 4
n_simulated = 3000
n_ranked = 4000
n_judged = 1000
n_tried = 10
[networks]
hidden = [16]
gate_hidden = [8]
stages = [[1e-3, 2]]
"""


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setenv("BENTOML_DO_NOT_TRACK", "true")
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "bentoml"))
    settings = Settings(home=tmp_path / "home", rate_per_minute=0)
    open_register(settings).dispose()
    made = Office(settings)
    with made.client:
        yield made
    made.work.close()


def ask(office: Office, package: bytes, role: str = "researcher", **more: Any) -> Any:
    return office.ask(role, "POST", "/v1/trainings", files={"file": ("mine.zip", package)}, **more)


def job_after(office: Office, answer: Any) -> Any:
    assert answer.status_code == 202, answer.text
    assert work_once(office.work, threading.Event())
    return office.get(answer.json()["job"])


@pytest.mark.slow
def test_what_is_no_package_is_told_at_once(office: Office) -> None:
    answer = ask(office, b"no zip", data={"config": "[fit"})
    assert answer.status_code == 422
    assert [(p["column"], p["reason"][:8]) for p in answer.json()["problems"]] == [
        ("file", "a refere"),
        ("config", "not TOML"),
    ]
    assert ask(office, b"no zip", role="monitor").status_code == 403


def test_settings_that_do_not_fit_are_told_at_once(office: Office, tmp_path: Path) -> None:
    package = write_zip(tmp_path / "made", Kind(parcels=(2, 2), n_stones=20)).read_bytes()
    config = "[fit]\nn_folds = 'eight'\nn_simulatd = 3000"
    answer = ask(office, package, data={"config": config})
    assert answer.status_code == 422
    assert [(p["table"], p["column"], p["value"], p["code"]) for p in answer.json()["problems"]] == [
        ("config.toml", "fit.n_folds", "'eight'", "wrong_value"),
        ("config.toml", "fit.n_simulatd", "3000", "unknown_setting"),
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "kept"),
    [("../mine.zip", "mine.zip"), ("c:\\mine.XLSX", "mine.XLSX"), ("..", "package.zip"), ("a\0b", "ab.zip")],
)
def test_a_package_is_told_by_the_name_of_its_file(name: str, kept: str, office: Office, tmp_path: Path) -> None:
    content = write_zip(tmp_path / "made", Kind(parcels=(2, 2), n_stones=20)).read_bytes()
    job = queue_training(office.work, name=name, package=content, config="", actor="test")
    assert file_of(office.work.engine, job) == (kept, content)


def test_an_archive_that_was_cut_off_is_told_at_once(office: Office, tmp_path: Path) -> None:
    package = write_zip(tmp_path / "made", Kind(parcels=(2, 2), n_stones=20)).read_bytes()
    (problem,) = ask(office, package[: len(package) // 2]).json()["problems"]
    assert (problem["table"], problem["column"], problem["code"]) == ("form", "file", "damaged_file")


def test_a_job_that_finds_no_place_is_told_in_a_line(
    office: Office, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (office.settings.home / "trainings").write_text("no folder can be made here")
    package = write_zip(tmp_path / "made", Kind(parcels=(2, 2), n_stones=20)).read_bytes()
    with caplog.at_level("ERROR", "kpfootprint"):
        assert job_after(office, ask(office, package))["state"] == "failed"
    (line,) = (record for record in caplog.records if "job training failed" in record.message)
    assert "trainings" in line.message
    assert line.exc_info is None


@pytest.mark.slow
def test_what_is_wrong_with_a_package_is_told_by_table_and_row_in_english_and_french(
    office: Office, tmp_path: Path
) -> None:
    kind = Kind(parcels=(3, 3), n_stones=20)
    write_zip(tmp_path / "made", kind)
    folder = tmp_path / "made" / "inside" / "package"
    header, first, *others = (folder / "parcels.csv").read_text().splitlines()
    cells = first.split(",")
    cells[header.split(",").index("collected_on")] = "yesterday"
    (folder / "parcels.csv").write_text("\n".join([header, ",".join(cells), *others]) + "\n")
    init_package(folder)
    package = Path(shutil.make_archive(str(tmp_path / "wrong"), "zip", folder.parent)).read_bytes()
    job = job_after(office, ask(office, package))
    assert job["state"] == "failed"
    assert [(item["table"], item["row"], item["column"], item["value"]) for item in job["problems"]] == [
        ("parcels", 2, "collected_on", "yesterday")
    ]
    assert "parcels, row 2, column collected_on" in job["problem"]
    english, french = (office.ask("viewer", "GET", f"/trainings/{job['id']}?lang={lang}").text for lang in ("en", "fr"))
    for page in (english, french):
        assert "<code>yesterday</code>" in page
        assert ">collected_on</td>" in page
    assert job["problems"][0]["reason"] in english
    assert job["problems"][0]["reason"] not in french
    assert "AAAA-MM-JJ" in french


@pytest.mark.slow
def test_a_training_that_is_ended_from_outside_says_so_in_english_and_french(office: Office, tmp_path: Path) -> None:
    package = write_zip(tmp_path / "made", Kind(parcels=(3, 3), n_stones=20)).read_bytes()

    def kill() -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            for child in psutil.Process().children():
                with suppress(psutil.NoSuchProcess):  # one that has just ended
                    if "training" in child.cmdline():
                        child.kill()
                        return
            time.sleep(0.01)

    killer = threading.Thread(target=kill)
    answer = ask(office, package, data={"config": CONFIG})
    killer.start()
    job = job_after(office, answer)
    killer.join()
    assert (job["state"], job["problem"]) == ("failed", ENDED)
    english, french = (office.ask("viewer", "GET", f"/trainings/{job['id']}?lang={lang}").text for lang in ("en", "fr"))
    assert ENDED in english
    assert ENDED not in french
    assert "L’apprentissage a été arrêté de l’extérieur" in french
    assert "en anglais" not in french


@pytest.mark.slow
def test_a_training_is_ended_where_the_register_goes_away(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would go on for hours beside a worker that waits for it; the job is found again when the register is back."""
    ask(office, write_zip(tmp_path / "made", Kind(parcels=(3, 3), n_stones=20)).read_bytes())
    endless = tmp_path / "endless"
    endless.write_text("#!/bin/sh\nexec sleep 15\n")
    endless.chmod(0o700)

    def halt() -> bool:
        raise RegisterUnavailable("it is away")

    monkeypatch.setattr("sys.executable", str(endless))
    with taken(office.work.engine, office.settings.home) as job:
        assert job is not None
        began = time.monotonic()
        with pytest.raises(RegisterUnavailable):
            train(office.work, job, halt)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("goes_on", [True, False], ids=["cancelled", "killed"])
def test_processes_that_a_training_began_end_with_it(
    goes_on: bool, office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They hold its pipes open, and a worker that waits for them takes no other job."""
    ask(office, write_zip(tmp_path / "made", Kind(parcels=(3, 3), n_stones=20)).read_bytes())
    begins = tmp_path / "begins"
    own = "sleep 15" if goes_on else "kill -KILL $$"
    begins.write_text(f"#!/bin/sh\nsleep 15 & echo $! > {tmp_path}/child\n{own}\n")
    begins.chmod(0o700)
    monkeypatch.setattr("service.jobs.training.TRAINING", (str(begins),))
    with taken(office.work.engine, office.settings.home) as job:
        assert job is not None
        began = time.monotonic()
        if goes_on:
            assert train(office.work, job, (tmp_path / "child").exists) is None
        else:
            with pytest.raises(Refused):
                train(office.work, job, lambda: False)
    assert time.monotonic() - began < 10
    assert (office.settings.home / "trainings" / job.id).exists() is goes_on, (
        "it is found again, or nothing is left of it"
    )
    with suppress(psutil.NoSuchProcess):
        assert psutil.Process(int((tmp_path / "child").read_text())).status() == psutil.STATUS_ZOMBIE


@pytest.mark.slow
def test_what_a_package_leaves_in_doubt_is_told_by_the_job_and_on_its_page(office: Office, tmp_path: Path) -> None:
    package = write_zip(tmp_path / "made", Kind(parcels=(3, 3), n_stones=20, dates=1)).read_bytes()
    asked = ask(office, package)
    assert asked.json()["remarks"] == []
    with taken(office.work.engine, office.settings.home) as held:
        assert held is not None
        halted = train(office.work, held, lambda: "remarks" in job_of(office.work.engine, held.id).parameters)  # type: ignore[union-attr]
    assert halted is None
    remarks = {item["code"]: item for item in office.get(asked.json()["job"])["remarks"]}
    assert remarks["one_day"]["values"] == {"day": "2016-01-01"}
    assert remarks["one_day"]["text"].startswith("all parcels were collected on 1 January 2016: whether")
    path = asked.json()["job"].replace("/v1/jobs", "/trainings")
    english, french = (office.ask("viewer", "GET", f"{path}?lang={lang}").text for lang in ("en", "fr"))
    assert "What the package leaves in doubt" in english
    assert remarks["one_day"]["text"] in english
    assert "Ce que le jeu de référence laisse en doute" in french
    assert "tous les lots ont été recueillis le 1" in french


def shown_manifest(office: Office, name: str) -> Any:
    return json.loads((office.settings.home / "releases" / name / "manifest.json").read_text("utf-8"))


@pytest.mark.slow
def test_a_package_becomes_a_release_that_can_be_forced_into_force(office: Office, tmp_path: Path) -> None:
    package = write_zip(tmp_path / "made", Kind(parcels=(5, 5, 5, 5), n_stones=80, dates=1)).read_bytes()
    job = job_after(office, ask(office, package, data={"config": CONFIG}))
    assert (job["state"], job["problem"]) == ("done", None)
    shown = office.get(job["result"])
    assert shown["released"] is False
    assert shown["headline"]["auc"] > 0.5
    name = shown["release"]
    assert shown_manifest(office, name)["asked_at"] == job["created_at"]
    assert shown_manifest(office, name)["release"] == name
    refused = office.ask("researcher", "POST", f"/v1/models/{name}/activate", json={"reason": "Try it"})
    assert refused.status_code == 409
    forced = office.ask(
        "researcher", "POST", f"/v1/models/{name}/activate", json={"reason": "Try it", "force": "Nobody judged it yet"}
    )
    assert (forced.status_code, forced.json()["active"]) == (201, name)
    parcel = {
        "parcel_id": "A",
        "declarations": [{"zone_id": "z01"}],
        "stones": {"weight_ct": [0.2] * 50, "colour": ["brown"] * 50, "morphology": ["flat"] * 50},
    }
    answer = office.ask("monitor", "POST", "/v1/comparisons", json=parcel)
    assert answer.status_code == 201, answer.text
    assert answer.json()["model"]["release"] == name
    back = office.ask("researcher", "POST", "/v1/models/rollback", json={"reason": "Enough"})
    assert (back.status_code, back.json()["previous"]) == (201, name)
