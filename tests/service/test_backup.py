"""A register of many entries is backed up while it is written to, restored on either database, and walked."""

from __future__ import annotations

import io
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from kpfootprint.ingest import ingest_json
from kpfootprint.parcel import Parcel
from kpfootprint.release import Release
from service.register.activations import activate
from service.register.backup import BackupError, back_up, restore
from service.register.comparisons import keep, page_of
from service.register.database import registering
from service.register.keys import all_keys, create_key
from service.register.opening import migrate, open_register, opened
from service.register.verify import verify
from service.settings import Settings
from service.work.place import Workplace
from service.work.receive import compare
from tests.cli.running import Done, kpfootprint
from tests.service.registers import examined, kept, tampered
from tests.service.server import comes


@pytest.mark.slow
def test_a_backup_holds_everything(settings: Settings, tmp_path: Path) -> None:
    engine = open_register(settings)
    for number in range(20):
        kept(engine, examined(number))
    activate(engine, "a", "t", "because")
    create_key(settings, "viewer", "somebody")
    (settings.home / "releases" / "a").mkdir(parents=True)
    (settings.home / "releases" / "a" / "CARD.md").write_text("a card", encoding="utf-8")
    stream = io.BytesIO()
    assert back_up(settings, stream) == 21
    other = Settings(home=tmp_path / "other")
    verdict = restore(other, stream)
    assert (verdict.entries, verdict.wrong, verdict.hash) == (21, None, verify(engine).hash)
    assert (other.home / "releases" / "a" / "CARD.md").read_text(encoding="utf-8") == "a card"
    restored = open_register(other)
    assert [key.name for key in all_keys(restored)] == ["somebody"]
    assert page_of(restored, before=None, limit=50) == page_of(engine, before=None, limit=50)
    kept(restored, examined(99))
    assert verify(restored).entries == 22
    with pytest.raises(BackupError, match="holds something"):
        restore(other, stream)
    restored.dispose()
    engine.dispose()


@pytest.mark.slow
@pytest.mark.postgres
def test_a_register_moves_from_one_database_to_the_other(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    here = Settings(home=tmp_path / "here")
    engine = open_register(here)
    kept(engine)
    stream = io.BytesIO()
    back_up(here, stream)
    there = Settings(home=tmp_path / "there", database_url=request.getfixturevalue("postgres").new_database())
    assert restore(there, stream).wrong is None
    moved = open_register(there)
    kept(moved, examined(2))
    assert verify(moved).entries == 2
    moved.dispose()
    engine.dispose()


@pytest.mark.slow
def test_ten_thousand_entries_go_down_and_up_and_are_backed_up_while_others_write(
    settings: Settings, tmp_path: Path
) -> None:
    engine = open_register(settings)
    for start in range(0, 10_000, 500):
        with registering(engine) as connection:
            for number in range(start, start + 500):
                keep(connection, examined(number), actor="key:test")
    before = page_of(engine, before=None, limit=500)
    migrate(engine, "0001")
    migrate(engine)
    verdict = verify(engine)
    assert (verdict.entries, verdict.wrong) == (10_000, None)
    assert page_of(engine, before=None, limit=500)[0][0].id == before[0][0].id
    stop = threading.Event()
    written: list[str] = []

    def write() -> None:
        while not stop.is_set():
            written.append(kept(engine, examined(20_000 + len(written))))

    class BackUp(io.FileIO):
        """A file that goes on only once others have written to the register, too."""

        begun: int | None = None

        def write(self, data: Any) -> int:
            if self.begun is None:
                self.begun = len(written)
                assert comes(lambda: len(written) > 10 + (self.begun or 0)), "nobody can write meanwhile"
            return super().write(data)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with BackUp(tmp_path / "backup.zip", "w") as out:
            count = back_up(settings, out)
    finally:
        stop.set()
        writer.join()
    assert 10_000 <= count < 10_000 + len(written)
    with (tmp_path / "backup.zip").open("rb") as stream:
        restored = restore(Settings(home=tmp_path / "other"), stream)
    assert (restored.entries, restored.wrong) == (count, None)
    assert verify(engine).entries == 10_000 + len(written)
    engine.dispose()


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="no backup"):
        restore(Settings(home=tmp_path), io.BytesIO(b"PK nothing"))


def at(settings: Settings) -> dict[str, str]:
    """Return what the command line is told of a register."""
    return {} if settings.database_url is None else {"KPF_DATABASE_URL": settings.database_url}


@pytest.mark.slow
def test_the_command_line_verifies_exports_imports_and_restores(
    request: pytest.FixtureRequest, settings: Settings, tmp_path: Path, parcel: dict[str, Any]
) -> None:
    def another(name: str) -> Settings:
        url = settings.database_url and request.getfixturevalue("postgres").new_database()
        return Settings(home=tmp_path / name, database_url=url)

    def run(*arguments: object, of: Settings = settings, status: int = 0) -> Done:
        done = kpfootprint(*arguments, home=of.home, **at(of))
        assert done.status == status, done.err
        return done

    work = Workplace(settings)
    work.release()

    def read(document: dict[str, Any], release: Release) -> Parcel:
        return ingest_json(document, release.scheme, release.zone_table)

    for number in range(3):
        compare(work, partial(read, parcel | {"parcel_id": f"P-{number}"}), actor="key:a")
    work.close()
    engine = open_register(settings)
    head = verify(engine).hash
    assert head in run("register", "verify", "--head", head).text
    assert len(run("register", "export", "--format", "csv").text.splitlines()) == 4
    run("backup", tmp_path / "b.zip")
    assert (tmp_path / "b.zip").stat().st_mode & 0o777 == 0o600, "it holds what the register holds"
    restored, taken_in = another("c"), another("d")
    run("restore", tmp_path / "b.zip", of=restored)
    assert head in run("register", "verify", "--head", head, of=restored).text
    assert "holds something" in run("restore", tmp_path / "b.zip", of=restored, status=2).err
    (tmp_path / "lines.jsonl").write_bytes(run("register", "export", "--format", "jsonl").out)
    for count, here in ((3, 0), (0, 3)):
        told = run("register", "import", tmp_path / "lines.jsonl", of=taken_in).err
        assert told.startswith(f"{count} entries taken in; {here} were here already")
    with opened(taken_in) as other:
        assert verify(other).entries == 3
        assert [item.id for item in page_of(other, before=None, limit=9)[0]] == [
            item.id for item in page_of(engine, before=None, limit=9)[0]
        ]
    tampered(engine, "DELETE FROM entries WHERE position = 2")
    engine.dispose()
    assert "Position 2" in run("register", "verify", status=1).err
