"""The register in trouble, told in a sentence everywhere; the fast half of ``test_storms.py``, in this process."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from kpfootprint.release import Release, shipped_release
from service.door.admission import Rate
from service.register import database, opening
from service.register.database import RegisterUnavailable, reading, writing
from service.register.keys import all_keys, create_key, recognised
from service.register.opening import open_register
from service.settings import Settings
from service.work.place import Workplace
from tests.cli.running import kpfootprint
from tests.service.databases import Postgres
from tests.service.reading import problem_in

Ask = Callable[..., Any]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(database, "BUSY_MS", 50)
    return Settings(home=tmp_path)


def test_a_register_that_is_locked_is_said(settings: Settings) -> None:
    create_key(settings, "viewer")
    holder = sqlite3.connect(settings.home / "register.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(RegisterUnavailable, match="another process holds it locked"):
        create_key(settings, "viewer")
    holder.rollback()
    holder.execute("PRAGMA locking_mode=EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(RegisterUnavailable, match="another process holds it locked"):
        create_key(settings, "viewer")
    holder.close()
    create_key(settings, "viewer")


@pytest.mark.parametrize("data", [b"x" * 5000, b"SQLite format 3\0" + b"\xff" * 5000, b"{}"])
def test_what_is_no_register_is_said(settings: Settings, data: bytes) -> None:
    (settings.home / "register.db").write_bytes(data)
    with pytest.raises(RegisterUnavailable, match="damaged"):
        open_register(settings)


def test_a_key_is_known_though_its_use_cannot_be_noted(settings: Settings) -> None:
    secret = create_key(settings, "viewer")
    engine = open_register(settings)
    with closing(sqlite3.connect(settings.home / "register.db", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        assert recognised(engine, secret)
        holder.rollback()
    assert recognised(engine, "kpf_" + secret[4:-1] + ("a" if secret[-1] != "a" else "b")) is None
    engine.dispose()


def test_an_empty_file_is_not_taken_for_a_new_register(settings: Settings) -> None:
    (settings.home / "register.db").touch()
    with pytest.raises(RegisterUnavailable, match="is empty: what it held is gone"):
        open_register(settings)


FOREIGN = {
    "trigger": "CREATE TRIGGER t AFTER INSERT ON entries BEGIN UPDATE keys SET role = 'admin'; END",
    "view": "CREATE VIEW sessions_2 AS SELECT * FROM keys",
    "table": "CREATE VIRTUAL TABLE found USING fts5(text)",
    "ours, doing more": "DROP TRIGGER entries_no_update; CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries "
    "BEGIN SELECT RAISE(ABORT, 'the register is append-only'); UPDATE keys SET role = 'admin'; END",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_register_that_brings_something_along_that_acts_is_refused(
    settings: Settings, engine: sa.Engine, name: str
) -> None:
    engine.dispose()
    with closing(sqlite3.connect(settings.home / "register.db")) as connection:
        connection.executescript(FOREIGN[name])
    with pytest.raises(RegisterUnavailable, match=r"which this software never made; .*restore FILE"):
        open_register(settings)


def test_a_table_that_is_gone_is_said(engine: sa.Engine) -> None:
    with writing(engine) as connection:
        connection.exec_driver_sql("DROP TABLE sessions")
        connection.exec_driver_sql("DROP TABLE keys")
    with pytest.raises(RegisterUnavailable, match="not as they should be"):
        all_keys(engine)


def test_our_own_mistakes_are_not_called_the_registers(engine: sa.Engine) -> None:
    with reading(engine) as connection, pytest.raises(Exception, match="syntax error") as told:
        connection.exec_driver_sql("SELEKT 1")
    assert not isinstance(told.value, RegisterUnavailable)


def test_a_start_does_not_wait_for_ever(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(opening, "LOCKED_FOR", 1.2)
    handle = os.open(settings.home / "register.lock", os.O_CREAT | os.O_RDWR)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(RegisterUnavailable, match=r"another process has held .*register\.lock"):
        open_register(settings)
    assert "Waiting for another process" in caplog.text
    os.close(handle)
    open_register(settings).dispose()


def test_a_home_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RegisterUnavailable, match="cannot hold a register"):
        open_register(Settings(home=tmp_path / "file" / "home"))


def test_no_answer_shows_a_password_of_the_database() -> None:
    engine = database.connect("postgresql+psycopg://kpf:topsecret@127.0.0.1:1/kpf?connect_timeout=1")
    try:
        with pytest.raises(RegisterUnavailable) as told, reading(engine) as connection:
            connection.exec_driver_sql("SELECT 1")
    except ModuleNotFoundError:
        pytest.skip("psycopg is not installed")
    assert "topsecret" not in str(told.value)


def test_a_limit_below_the_number_of_workers_lets_somebody_in() -> None:
    now = [0.0]
    rate = Rate(1 / 3, lambda: now[0])
    rate.take("a")
    with pytest.raises(Exception, match="too_many_requests"):
        rate.take("a")
    now[0] += 200
    rate.take("a")


def test_signing_in_again_ends_the_session_before(app: TestClient, keys: dict[str, str]) -> None:
    app.cookies.clear()
    assert app.post("/sign-in", data={"key": keys["monitor"]}).status_code == 303
    first = app.cookies["kpf_session"]
    assert app.post("/sign-in", data={"key": keys["viewer"]}).status_code == 303
    second = app.cookies["kpf_session"]
    app.cookies.clear()
    for secret, status in ((first, 401), (second, 200)):
        assert app.get("/v1/zones", headers={"Cookie": f"kpf_session={secret}"}).status_code == status
    app.cookies.clear()


def test_an_open_address_takes_a_key_and_no_more(app: TestClient) -> None:
    app.cookies.clear()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert app.post("/sign-in", content=b"key=" + b"k" * 8000, headers=form).status_code == 401
    problem_in(app.post("/sign-in", content=b"key=" + b"k" * 9000, headers=form), 413, "too_large")


def test_a_list_of_problems_is_never_as_long_as_what_was_wrong(ask: Ask) -> None:
    document = {"parcel_id": "P", "stones": {"weight_ct": [-1] * 20_000}} | {f"x{i}": "y" * 10 for i in range(10_000)}
    answer = ask("monitor", "POST", "/v1/comparisons", json=document)
    assert answer.status_code == 422
    assert len(answer.content) < 500_000
    long = {"parcel_id": "P", "stones": [{"weight_ct": 1, "colour": "z" * 100_000}]}
    answer = ask("monitor", "POST", "/v1/comparisons", json=long)
    assert answer.status_code == 422
    assert len(answer.content) < 10_000


def test_one_thing_said_twice_is_a_problem(ask: Ask) -> None:
    body = b'{"parcel_id": "P", "stones": {"weight_ct": [0.2]}, "stones": {"weight_ct": [2.0]}}'
    answer = ask("monitor", "POST", "/v1/comparisons", content=body, headers={"Content-Type": "application/json"})
    document = problem_in(answer, 422, "invalid_input")
    assert "'stones' comes twice" in document["problems"][0]["reason"]


def test_a_page_shows_what_cannot_be_seen(browser: TestClient) -> None:
    form = {
        "pasted": "weight_ct,col\u202eour\n0.2x\u200b,brown\n",
        "parcel_id": "P\u202e-7",
    }
    shown = browser.post("/", data=form, headers={"Accept": "text/html"})
    assert shown.status_code == 422
    assert not set(shown.text) & {"\u202e", "\u200b"}
    assert "\\u202e" in shown.text


def test_a_release_that_was_replaced_under_its_name_is_loaded_anew(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(shipped_release(), folder)
    work = Workplace(settings.model_copy(update={"model": folder}))
    work.release()
    first = work.release()
    assert work.release() is first
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    (folder / "manifest.json").write_text(json.dumps({**manifest, "seed": 1}), "utf-8")
    assert work.release().manifest_sha256 != first.manifest_sha256
    (folder / "manifest.json").write_text(json.dumps({**manifest, "unlisted_weight": 5}), "utf-8")
    assert not work.ready()
    work.close()


def test_what_one_release_answers_is_never_told_of_the_next(settings: Settings, tmp_path: Path) -> None:
    """Also where the next one is put in force while the answer is being computed, and somebody asks for it."""
    folder = tmp_path / "model"
    shutil.copytree(shipped_release(), folder)
    work = Workplace(settings.model_copy(update={"model": folder}))
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))

    def asked(about: str, release: Release) -> tuple[str, str]:
        if len(answers) == 0:
            (folder / "manifest.json").write_text(json.dumps({**manifest, "seed": 1}), "utf-8")
            work.release()
        return about, release.manifest_sha256

    answers: list[tuple[str, str]] = []
    for _ in range(3):
        answers.append(work.said_once(asked, "zone"))
    assert answers[0] != answers[1] == answers[2] == ("zone", work.release().manifest_sha256)
    work.close()


@pytest.mark.parametrize("name", opening.GUARDS["sqlite"])
def test_a_guard_of_the_register_that_was_taken_away_is_said(settings: Settings, engine: sa.Engine, name: str) -> None:
    engine.dispose()
    with closing(sqlite3.connect(settings.home / "register.db")) as connection:
        connection.execute(f"DROP TRIGGER {name}")
    for command in (("register", "verify"), ("keys", "list"), ("serve", "--port", "1")):
        told = kpfootprint(*command, home=settings.home)
        assert told.status == 1
        assert f"the trigger {name}, which keeps what was acknowledged from being changed, was taken away" in told.err
        assert len(told.err.splitlines()) == 1
    with closing(sqlite3.connect(settings.home / "register.db")) as connection:
        connection.execute(told.err.strip().partition("(kpfootprint register verify): ")[2])
    assert kpfootprint("register", "verify", home=settings.home).status == 0


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize(
    "act",
    [
        "DROP TRIGGER entries_append_only ON entries",
        "ALTER TABLE comparisons DISABLE TRIGGER ALL",
        "CREATE OR REPLACE TRIGGER entries_append_only BEFORE DELETE ON entries EXECUTE FUNCTION kpf_append_only()",
        "CREATE OR REPLACE FUNCTION kpf_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
    ],
)
def test_a_guard_that_does_less_is_said_on_postgresql(postgres: Postgres, tmp_path: Path, act: str) -> None:
    settings = Settings(home=tmp_path, database_url=postgres.new_database())
    engine = open_register(settings)
    with writing(engine) as connection:
        connection.exec_driver_sql(act)
    with pytest.raises(RegisterUnavailable, match="was taken away; make it again") as told:
        open_register(settings)
    with writing(engine) as connection:
        connection.exec_driver_sql(str(told.value).partition("(kpfootprint register verify): ")[2])
    engine.dispose()
    open_register(settings).dispose()
