"""The register: made by migrations, durable, and the same as its tables say."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from service.register import database, opening
from service.register.activations import activate, activations, active_name
from service.register.database import RegisterUnavailable, connect, reading, writing
from service.register.entries import append
from service.register.keys import BadKey, all_keys, create_key, hash_of, make_key, recognised
from service.register.opening import HEAD, begin, migrate, open_register, version
from service.register.people import Principal, principal_by_session
from service.register.tables import Moment, keys, metadata, practice
from service.settings import Settings
from tests.service.server import PATIENCE


def test_the_newest_migration_is_the_one_we_open() -> None:
    folder = Path(opening.__file__).parent / "migrations" / "versions"
    assert max(path.name.split("_")[0] for path in folder.glob("[0-9]*.py")) == HEAD


def test_migrations_make_what_the_tables_say(tmp_path: Path) -> None:
    engine = open_register(Settings(home=tmp_path))
    with reading(engine) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    assert version(engine) == HEAD
    engine.dispose()


@pytest.mark.slow
@pytest.mark.parametrize("step", [f"{number:04}" for number in range(1, int(HEAD))])
def test_a_register_of_any_step_is_opened(tmp_path: Path, step: str) -> None:
    begin(tmp_path / "register.db")
    engine = connect(Settings(home=tmp_path).register_url)
    migrate(engine, step)
    engine.dispose()
    test_migrations_make_what_the_tables_say(tmp_path)


def test_sessions_outlive_the_step_that_takes_their_tokens(settings: Settings) -> None:
    if settings.database_url is None:
        begin(settings.home / "register.db")
    engine = connect(settings.register_url)
    migrate(engine, "0008")
    row = {"secret_sha256": hash_of("s"), "role": "monitor", "csrf": "t", "actor": "browser", "id": "i"}
    row |= {"created_at": "2026-01-02T03:04:05.000000Z", "expires_at": "2199-01-02T03:04:05.000000Z"}
    with writing(engine) as connection:
        told = ", ".join(f":{name}" for name in row)
        connection.execute(sa.text(f"INSERT INTO sessions ({', '.join(row)}) VALUES ({told})"), row)
    engine.dispose()
    engine = open_register(settings)
    found = principal_by_session(engine, "s")
    assert found == Principal(actor="browser", name="browser", role="monitor", session=True)
    migrate(engine, "0008")
    migrate(engine)
    assert principal_by_session(engine, "s") is None, "the version before knows no session without a token"
    engine.dispose()


STEPS = {
    "UPDATE alembic_version SET version_num = '9999'": f"a later version .* '9999'; this one knows {HEAD}",
    "UPDATE alembic_version SET version_num = 'abc'": "it is damaged: .*'abc'.*; move it away",
    "UPDATE alembic_version SET version_num = ''": r"it is damaged: .*\(''\).*; move it away",
    "DELETE FROM alembic_version": "it is damaged: .*no step.*; move it away",
    "INSERT INTO alembic_version VALUES ('0003')": f"it is damaged: .*'(0003|{HEAD})', '(0003|{HEAD})'.*; move it away",
    "DROP TABLE alembic_version": "it is damaged: .*no step.*; move it away",
    "UPDATE alembic_version SET version_num = '0003'": r"its tables stand at 0003, and they do not \(.*; move it away",
}
"""What somebody, or an accident, made of a register, and how that is told."""


@pytest.mark.parametrize("act", STEPS)
def test_a_register_whose_tables_stand_elsewhere_than_it_says_is_said_to_be_so(
    settings: Settings, engine: sa.Engine, act: str
) -> None:
    with writing(engine) as connection:
        connection.exec_driver_sql(act)
    engine.dispose()
    for _ in range(2):
        with pytest.raises(RegisterUnavailable, match=STEPS[act]):
            open_register(settings)


def test_a_table_that_is_gone_is_told_on_either_database(engine: sa.Engine) -> None:
    with writing(engine) as connection:
        connection.exec_driver_sql("DROP TABLE practice")
    with pytest.raises(RegisterUnavailable, match=r"tables are not as they should be \(.*practice"):
        scored(engine)


def scored(engine: sa.Engine) -> None:
    with reading(engine) as connection:
        connection.execute(sa.select(practice)).all()


@pytest.mark.slow
@pytest.mark.postgres
def test_a_start_does_not_wait_for_ever_on_postgresql(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path, database_url=request.getfixturevalue("postgres").new_database())
    open_register(settings).dispose()
    monkeypatch.setattr(opening, "LOCKED_FOR", 0.2)
    holder = connect(settings.register_url)
    with holder.connect() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_lock(opening.MIGRATE_LOCK)))
        with pytest.raises(RegisterUnavailable, match="another process holds it locked"):
            open_register(settings)
    holder.dispose()
    open_register(settings).dispose()


@pytest.mark.slow
def test_several_processes_may_open_a_new_register_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from service.settings import Settings; from service.register.keys import create_key;"
        "create_key(Settings(home=sys.argv[1]), 'viewer')"
    )
    started = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "new")]) for _ in range(4)]
    assert [process.wait(PATIENCE) for process in started] == [0, 0, 0, 0]
    assert len(all_keys(connect(Settings(home=tmp_path / "new").register_url))) == 4


def test_an_acknowledged_write_outlives_a_power_cut(tmp_path: Path) -> None:
    engine = open_register(Settings(home=tmp_path))
    with reading(engine) as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == database.BUSY_MS
    engine.dispose()


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    open_register(Settings(home=tmp_path / "new")).dispose()
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0
    assert (tmp_path / "new" / "register.db").stat().st_mode & 0o077 == 0


def test_a_change_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    engine = open_register(Settings(home=tmp_path))
    with pytest.raises(ZeroDivisionError), writing(engine) as connection:  # noqa: PT012
        append(connection, "activation", actor="t", subject="x", values={"release": "x", "previous": None})
        raise ZeroDivisionError
    assert activations(engine) == []
    engine.dispose()


def test_moments_keep_their_instant_and_their_order() -> None:
    kind = Moment()
    moments = [datetime(2026, 1, 2, 3, 4, 5, micro, tzinfo=UTC) for micro in (0, 1, 999_999)]
    texts = [kind.process_bind_param(moment, None) for moment in moments]
    assert texts == sorted(texts, key=str)
    assert [kind.process_result_value(text, None) for text in texts] == moments


def test_a_key_is_known_by_all_of_it(tmp_path: Path) -> None:
    key = create_key(Settings(home=tmp_path), "monitor", "  a   b ")
    begin(tmp_path / "register.db")
    engine = connect(Settings(home=tmp_path).register_url)
    assert recognised(engine, key) is not None
    for wrong in (key[:-1], key + "x", key.upper(), "", "kpf", "kpf__", "é" + key, key.replace("kpf_", "kpf_0", 1)):
        assert recognised(engine, wrong) is None
    assert [item.name for item in all_keys(engine)] == ["a b"]
    with pytest.raises(BadKey, match="role must be one of"):
        make_key(engine, "boss", "")
    with pytest.raises(BadKey, match="at most 100"):
        make_key(engine, "viewer", "x" * 101)
    with reading(engine) as connection:
        assert key.split("_", 2)[2] not in str(connection.execute(sa.select(keys)).all())
    engine.dispose()


def test_the_last_activation_counts(tmp_path: Path) -> None:
    engine = open_register(Settings(home=tmp_path))
    assert active_name(engine) is None
    for name in ("a", "b", "a"):
        activate(engine, name, "test")
    assert active_name(engine) == "a"
    assert [item.release for item in activations(engine)] == ["a", "b", "a"]
    engine.dispose()
