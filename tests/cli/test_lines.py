"""Bad input is told in lines with exit status 2, never as a traceback, and a terminal is told nothing it would obey."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from kpfootprint.cli.main import main
from kpfootprint.visible import UNSEEN
from tests.every import every
from tests.laws import tried

JSON_OF_KINDS = [
    b"",
    b"null",
    b"3",
    b'"text"',
    b"[null]",
    b"[[]]",
    b"{}",
    b"{]",
    b"\xff\xfe\x00",
    b"caf\xe9",
    b'{"schema_version": "1.0"}',
    b'{"schema_version": "9.9", "report_id": "x"}',
    b'{"schema_version": "1.0", "report_id": "sha256:0"}',
    b'{"schema_version": [], "report_id": {"a": 1}}',
    b'{"parcel_id": NaN}',
    b'{"parcel_id": "a", "parcel_id": "b"}',
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"parcel_id": "\\ud800", "stones": []}',
    b'{"a": 1}\n{"b": 2}\n',
    b'{"a": 1}\nnot json\n',
    b"1" * 10_000,
]


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Run the command line in this process and return its exit status, output and errors."""
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    assert isinstance(left.value.code, int)
    return left.value.code, said.out, said.err


def told_in_lines(err: str) -> None:
    assert "Traceback" not in err
    assert 1 <= len(err.splitlines()) <= 8
    assert not UNSEEN.search(err)
    assert all(len(line) < 600 for line in err.splitlines())


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("KPF_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KPF_HOME", str(tmp_path / "home"))


@pytest.mark.slow
@every("data", JSON_OF_KINDS)
@every("command", ["beside", "compare"])
def test_json_of_all_kinds_is_told_in_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, data: bytes
) -> None:
    file = tmp_path / "given.json"
    file.write_bytes(data)
    status, out, err = run(capsys, command, file)
    assert (status, out) == (2, "")
    told_in_lines(err)


@every("data", [*JSON_OF_KINDS, b"PK\x05\x06" + bytes(18), b"PK\x03\x04"])
def test_what_is_no_dossier_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes) -> None:
    file = tmp_path / "given.zip"
    file.write_bytes(data)
    status, out, err = run(capsys, "verify", file)
    assert (status, out) == (2, "")
    told_in_lines(err)


@pytest.fixture(scope="module")
def members(sealed: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(sealed)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.slow
@every("member", ["input.json", "report.json"])
@every("data", JSON_OF_KINDS)
def test_a_dossier_of_bad_json_is_bad_input(
    members: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str], member: str, data: bytes
) -> None:
    file = tmp_path / "given.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for name, whole in members.items():
            archive.writestr(name, data if name == member else whole)
    status, out, err = run(capsys, "verify", file)
    assert (status, out) == (2, "")
    told_in_lines(err)


def test_a_report_may_be_indented_marked_or_in_a_list(
    members: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = json.loads(members["report.json"])
    indented = json.dumps(report, indent=2, ensure_ascii=False)
    line = json.dumps(report, ensure_ascii=False)
    problems = json.dumps({"parcel": {"parcel_id": "P"}, "problems": []})
    for name, data in {
        "indented": indented.encode(),
        "marked": indented.encode("utf-8-sig"),
        "utf16": indented.encode("utf-16"),
        "list": json.dumps([report, report]).encode(),
        "lines": f"{line}\n{problems}\r\n\n{line}\n".encode(),
    }.items():
        (tmp_path / name).write_bytes(data)
        page = tmp_path / f"{name}.html"
        assert run(capsys, "beside", tmp_path / name, tmp_path / "indented", "--out", page) == (0, "", ""), name
        assert page.read_bytes().startswith(b"<!")


def test_a_report_that_is_not_as_they_are_written_is_told(
    members: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from kpfootprint.report.report import seal

    for name in ("parcel", "verification", "cautions", "model", "conclusion", "explanation"):
        content = json.loads(members["report.json"])
        odds: tuple[Any, ...] = (..., "odd", [1], {"code": []})
        for odd in odds:
            content.pop(name, None)
            if odd is not ...:
                content[name] = odd
            (tmp_path / "odd").write_text(seal({k: v for k, v in content.items() if k != "report_id"}).to_json())
            status, _, err = run(capsys, "beside", tmp_path / "odd", tmp_path / "odd")
            assert status == 2, (name, odd)
            told_in_lines(err)


def test_a_release_that_is_not_here_is_bad_input_and_is_named(
    members: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from kpfootprint.report.report import seal

    content = json.loads(members["report.json"])
    del content["report_id"]
    content["model"] |= {"release": "2031.7", "manifest_sha256": "f" * 64}
    with zipfile.ZipFile(tmp_path / "given.zip", "w") as archive:
        for name, whole in members.items():
            archive.writestr(name, seal(content).to_json() if name == "report.json" else whole)
    status, out, err = run(capsys, "verify", tmp_path / "given.zip")
    assert (status, out) == (2, "")
    assert "2031.7" in err
    assert "--model" in err


HEADER = st.text(st.sampled_from("weight_ct,colour;\x1b]0;owned\x07\x9b31m\u202e\u200b\ufeff\r\n\"'"), max_size=24)


@given(header=HEADER, cell=HEADER, name=st.sampled_from(["stones", "a\x1b[31mb", "a\u202eb", "a\u200bb"]))
@tried(40, HealthCheck.function_scoped_fixture)
def test_a_terminal_is_told_nothing_it_would_obey(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], header: str, cell: str, name: str
) -> None:
    file = tmp_path / f"{name}.csv"
    file.write_text(f"{header},weight_ct\n{cell},0.25\n{cell},x\n", encoding="utf-8", newline="")
    for arguments in (("compare", file, "--declare", cell), ("validate", file), ("zones", "--on", cell), (cell,)):
        _, out, err = run(capsys, *arguments)
        assert not UNSEEN.search(err)
        assert not UNSEEN.search(out)
        assert "Traceback" not in err


@pytest.mark.slow
def test_a_reader_that_has_seen_enough_is_no_fault(tmp_path: Path, examples: Path) -> None:
    import subprocess
    import sys

    command = f"'{sys.executable}' -m kpfootprint zones | head -1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=False, env={"KPF_HOME": str(tmp_path)})
    assert done.stderr.count(b"\n") <= 1
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("address", ["nonsense", "tcp://", "http://x/y", "127.0.0.1:port"])
def test_what_is_no_address_of_a_scheduler_is_told_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], address: str
) -> None:
    file = tmp_path / "stones.csv"
    file.write_text("weight_ct\n0.5\n")
    status, _, err = run(capsys, "batch", file, "--out", tmp_path / "out", "--scheduler", address)
    assert status == 2
    told_in_lines(err)
    assert "tcp://host:8786" in err


@pytest.mark.parametrize("command", [("verify",), ("beside",), ("register", "import")])
def test_what_has_no_end_is_told_in_a_line(capsys: pytest.CaptureFixture[str], command: tuple[str, ...]) -> None:
    status, _, err = run(capsys, *command, "/dev/zero")
    assert status in {1, 2}
    told_in_lines(err)
