"""A result takes its place whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from kpfootprint.cli.output import writing


def test_a_file_is_replaced(tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    out.write_bytes(b"an old and longer report")
    with writing(out) as stream:
        stream.write(b"new")
    assert out.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [out]


def test_the_old_file_stays_where_writing_fails(tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    out.write_bytes(b"old")

    def interrupted() -> None:
        with writing(out) as stream:
            stream.write(b"half of")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert out.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [out]


def test_nobody_sees_half_a_file(tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    with writing(out) as stream:
        stream.write(b"first")
        stream.flush()
        assert not out.exists()
    assert out.exists()


def test_permissions_are_kept_or_those_of_any_new_file(tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    before = os.umask(0o027)
    try:
        with writing(out) as stream:
            stream.write(b"1")
    finally:
        os.umask(before)
    assert stat.S_IMODE(out.stat().st_mode) == 0o640
    out.chmod(0o600)
    with writing(out) as stream:
        stream.write(b"2")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_a_pipe_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with writing(pipe) as stream:
            stream.write(b"through")
        assert os.read(reader, 100) == b"through"
    finally:
        os.close(reader)
    assert pipe.is_fifo()
