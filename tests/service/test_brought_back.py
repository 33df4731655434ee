"""What is restored or taken in may be anything: it is refused with a word, and nothing of it is kept."""

from __future__ import annotations

import hashlib
import io
import json
import os
import sqlite3
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kpfootprint.errors import IngestError
from kpfootprint.ingest import ingest_json
from kpfootprint.report.report import canonical, seal
from kpfootprint.retold import retold
from service.jobs.worker import work_once
from service.register import jobs
from service.register.backup import BackupError, back_up, exported, restore
from service.register.comparisons import page_of
from service.register.database import reading
from service.register.entries import Entry
from service.register.opening import HEAD, open_register
from service.register.people import Principal
from service.register.verify import verify
from service.settings import Settings
from service.work.kept import cases, give_opinion, summary, tell_outcome
from service.work.place import Workplace
from service.work.receive import compare
from service.work.take_in import queue_import, take_in
from tests.cli.running import kpfootprint

Json = dict[str, Any]
EXPERT = Principal(actor="key:a", name="a", role="monitor")


def at(home: Path) -> Workplace:
    work = Workplace(Settings(home=home))
    work.release()
    return work


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory, examples: Path) -> tuple[Path, bytes]:
    """Return the home of a register with a comparison, an opinion and an outcome, and its export."""
    work = at(tmp_path_factory.mktemp("lived-in"))
    document = json.loads((examples / "true_berberati.json").read_text(encoding="utf-8"))
    kept = compare(work, lambda release: ingest_json(document, release.scheme, release.zone_table), actor="key:a")
    give_opinion(work, kept.id, conclusion="query", reasons="coated", who=EXPERT)
    tell_outcome(work, kept.id, origin=[{"zone_id": "bria", "share": 1.0}], source="a court", actor="key:a")
    lines = "".join(exported(work.engine, "jsonl")).encode()
    work.close()
    return work.settings.home, lines


def sealed(line: Json) -> bytes:
    """Return a line that was changed, with hashes that fit: whoever makes an export can make them, too."""
    for name in ("report", "parcel"):
        if name in line:
            text = line[name] if name == "report" else canonical(line[name])
            line["values"][f"{name}_sha256"] = hashlib.sha256(str(text).encode()).hexdigest()
    members = {name: line[name] for name in ("position", "kind", "id", "actor", "subject", "values", "previous")}
    with suppress(TypeError, ValueError, AttributeError):
        line["hash"] = Entry(**members, at=datetime.fromisoformat(line["at"]), hash="").expected_hash()
    return json.dumps(line).encode()


def of_report(line: Json, **changed: Any) -> None:
    content = json.loads(line["report"]) | changed
    content["report_id"] = seal(content).report_id
    line["report"] = json.dumps(content)


ODD: dict[str, Callable[[list[Json]], bytes]] = {
    "nothing": lambda _: b"",
    "no JSON": lambda _: b"PK\x03\x04" + bytes(1000),
    "deep": lambda _: b'{"a":' * 100_000,
    "a list": lambda _: b"[1]\n",
    "another hash": lambda lines: json.dumps(lines[0] | {"hash": "0" * 64}).encode(),
    "a changed report": lambda lines: json.dumps(lines[0] | {"report": "{}"}).encode(),
    "position -1": lambda lines: sealed(lines[0] | {"position": -1}),
    "position of text": lambda lines: sealed(lines[0] | {"position": "1"}),
    "position 1e30": lambda lines: sealed(lines[0] | {"position": 10**30}),
    "an id with a slash": lambda lines: sealed(lines[0] | {"id": "../../x"}),
    "a long id": lambda lines: sealed(lines[0] | {"id": "a" * 5000}),
    "a subject with NUL": lambda lines: sealed(lines[0] | {"subject": "a\x00b"}),
    "no time zone": lambda lines: sealed(lines[0] | {"at": "2024-01-01T00:00:00"}),
    "the year 9999": lambda lines: sealed(lines[0] | {"at": "9999-01-01T00:00:00Z"}),
    "values of a list": lambda lines: sealed(lines[1] | {"values": [1]}),
    "an opinion without reasons": lambda lines: sealed(lines[1] | {"values": {"conclusion": "query"}}),
    "an outcome of text": lambda lines: sealed(lines[2] | {"values": {"origin": "bria", "source": "x"}}),
    "an outcome of NaN": lambda lines: sealed(lines[2]).replace(b"1.0", b"NaN"),
    "a parcel of nothing": lambda lines: sealed(lines[0] | {"parcel": {}}),
    "a parcel of odd stones": lambda lines: sealed(lines[0] | {"parcel": lines[0]["parcel"] | {"stones": [[]]}}),
}
REPORTS: dict[str, Json] = {
    "an LR of text": {"verification": {"log10_lr": "x"}},
    "a conclusion of ours": {"conclusion": "innocent"},
    "no parcel": {"parcel": None},
    "no sections": {"attribution": [], "mixture": "x"},
    "another time": {"created_at": 5},
}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """Return a register into which nothing comes."""
    work = at(tmp_path_factory.mktemp("empty"))
    yield work
    work.close()


@pytest.fixture(scope="module")
def compared(lived_in: tuple[Path, bytes], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """Return a register that holds what opinions and outcomes are about."""
    work = at(tmp_path_factory.mktemp("compared"))
    take_in(work, lived_in[1].splitlines()[0], actor="key:b")
    yield work
    work.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ODD)
def test_an_odd_line_is_told_and_nothing_of_it_is_kept(
    lived_in: tuple[Path, bytes], empty: Workplace, compared: Workplace, name: str
) -> None:
    work = compared if name.startswith("an o") else empty
    lines = [json.loads(line) for line in lived_in[1].splitlines()]
    before = verify(work.engine).entries
    with pytest.raises(IngestError) as told:
        take_in(work, ODD[name](lines), actor="key:b")
    assert len(str(told.value)) < 2000
    assert verify(work.engine).entries == before
    assert summary(cases(work))["n"] == 0


@pytest.mark.parametrize("name", REPORTS)
def test_an_odd_report_ends_the_job_and_nothing_else(lived_in: tuple[Path, bytes], empty: Workplace, name: str) -> None:
    work = empty
    line = json.loads(lived_in[1].splitlines()[0])
    of_report(line, **REPORTS[name])
    job_id = queue_import(work, sealed(line), actor="key:b")
    assert work_once(work, threading.Event())
    job = jobs.job_of(work.engine, job_id)
    assert job is not None
    assert job.state == "failed"
    assert "cannot be taken in" in str(job.problem)
    assert page_of(work.engine, before=None, limit=9) == ([], None)


def test_another_file_is_told_once_and_one_bad_line_is_told_by_its_row(
    lived_in: tuple[Path, bytes], empty: Workplace
) -> None:
    for content in (b"# a title\n\nsome text\n" * 50, b'{"a": 1}\n' * 50):
        with pytest.raises(IngestError) as told:
            take_in(empty, content, actor="key:b")
        (problem,) = told.value.problems
        assert problem.row == 1
        assert retold(problem.reason, "fr").startswith("ce n’est pas une ligne d’export")
        assert "NotJson" not in problem.reason
    first, second, *_ = lived_in[1].splitlines(keepends=True)
    with pytest.raises(IngestError) as told:
        take_in(empty, first + b"x\n" + second + b"y\n", actor="key:b")
    assert [problem.row for problem in told.value.problems] == [2, 4]


def test_an_export_is_taken_in_once_and_its_outcomes_are_read(lived_in: tuple[Path, bytes], tmp_path: Path) -> None:
    work = at(tmp_path)
    twice = lived_in[1] + lived_in[1]
    assert take_in(work, twice, actor="key:b") == (3, 3)
    assert take_in(work, lived_in[1], actor="key:b") == (0, 3)
    (case,) = cases(work)
    assert case.held is False
    assert case.outcome.values["imported"]["actor"] == "key:a"
    assert case.opinion is not None
    assert summary([case])["n"] == 1
    assert verify(work.engine).wrong is None
    work.close()


def backup_of(home: Path) -> dict[str, bytes]:
    stream = io.BytesIO()
    back_up(Settings(home=home), stream)
    with zipfile.ZipFile(stream) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def a_database(tmp_path: Path) -> bytes:
    """Return an SQLite file whose triggers do things."""
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute("CREATE TABLE keys (id TEXT)")
        connection.execute("CREATE TRIGGER t AFTER INSERT ON keys BEGIN DELETE FROM keys; END")
    return (tmp_path / "x.db").read_bytes()


ENTRIES, ABOUT = "tables/entries.jsonl", "backup.json"
FORGED: dict[str, Callable[[dict[str, bytes]], dict[str, bytes]]] = {
    "newer": lambda all_: all_ | {ABOUT: all_[ABOUT].replace(HEAD.encode(), b"9999")},
    "of a newer form": lambda all_: all_ | {ABOUT: all_[ABOUT].replace(b"backup-1", b"backup-12")},
    "of another form": lambda all_: all_ | {ABOUT: all_[ABOUT].replace(b"backup-1", b"backup-x")},
    "of no migration": lambda all_: all_ | {ABOUT: all_[ABOUT].replace(f'"{HEAD}"'.encode(), b'"-1; DROP"')},
    "a number for a migration": lambda all_: all_ | {ABOUT: all_[ABOUT].replace(f'"{HEAD}"'.encode(), b"5")},
    "about is a list": lambda all_: all_ | {ABOUT: b"[1]"},
    "rows are no JSON": lambda all_: all_ | {ENTRIES: b"{\n"},
    "rows are lists": lambda all_: all_ | {ENTRIES: b"[1, 2]\n"},
    "another column": lambda all_: all_ | {ENTRIES: all_[ENTRIES].replace(b'"actor"', b'"act or"')},
    "a column less": lambda all_: all_ | {ENTRIES: all_[ENTRIES].replace(b'"kind"', b'"id"')},
    "an object in a cell": lambda all_: all_ | {ENTRIES: all_[ENTRIES].replace(b'"key:a"', b'{"a": 1}')},
    "rows twice": lambda all_: all_ | {ENTRIES: all_[ENTRIES] * 2},
    "no base64": lambda all_: all_ | {"tables/comparisons.jsonl": b'{"report": "\xc3\xa9"}\n'},
    "leads out": lambda all_: all_ | {"releases/../../out": b"x"},
    "a file for a folder": lambda all_: all_ | {"releases/a": b"x", "releases/a/b": b"x"},
    "NUL in a name": lambda all_: all_ | {"releases/a\x00/../../../b": b"x"},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FORGED)
def test_a_forged_backup_is_refused(lived_in: tuple[Path, bytes], tmp_path: Path, name: str) -> None:
    data = packed(FORGED[name](backup_of(lived_in[0])))
    home = tmp_path / "home"
    if name == "NUL in a name":  # zip ends the name there
        restore(Settings(home=home), io.BytesIO(data))
        return
    with pytest.raises(BackupError) as told:
        restore(Settings(home=home), io.BytesIO(data))
    assert len(str(told.value)) < 400
    assert ("newer version" in str(told.value)) == name.replace("of a ", "").startswith("newer")
    assert {path.name for path in tmp_path.iterdir()} <= {"home"}
    engine = open_register(Settings(home=home))
    assert name == "a file for a folder" or verify(engine).entries == 0
    engine.dispose()


@pytest.mark.parametrize("what", ["database", "truncated", "folder", "link", "missing", "pipe", "zeros"])
def test_the_command_tells_in_a_line_what_is_no_backup(lived_in: tuple[Path, bytes], tmp_path: Path, what: str) -> None:
    file = tmp_path / "b.zip"
    whole = packed(backup_of(lived_in[0]))
    match what:
        case "database":
            file.write_bytes(a_database(tmp_path))
        case "truncated":
            file.write_bytes(whole[: len(whole) // 2])
        case "folder":
            file.mkdir()
        case "link":
            file.symlink_to("/dev/zero")
        case "pipe":
            os.mkfifo(file)
        case "zeros":
            file.write_bytes(bytes(100_000))
    told = kpfootprint("restore", file, home=tmp_path / "home")
    assert told.status == 2
    assert "Traceback" not in told.err
    assert len(told.err.splitlines()) <= 4
    if (tmp_path / "home" / "register.db").exists():
        engine = open_register(Settings(home=tmp_path / "home"))
        with reading(engine) as connection:
            assert connection.scalar(sa.text("SELECT count(*) FROM entries")) == 0
        engine.dispose()


@pytest.mark.slow
def test_changed_entries_are_restored_and_said(lived_in: tuple[Path, bytes], tmp_path: Path) -> None:
    members = backup_of(lived_in[0])
    members[ENTRIES] = members[ENTRIES].replace(b"coated", b"uncoated")
    verdict = restore(Settings(home=tmp_path / "home"), io.BytesIO(packed(members)))
    assert verdict.wrong == 2
