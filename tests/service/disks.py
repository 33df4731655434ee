"""Disks of a few megabytes, filled to the last byte."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(at: Path, megabytes: int) -> Iterator[Path]:
    """Mount a disk of a few megabytes, where that may be done here."""
    at.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", at], capture_output=True)
    if done.returncode != 0:
        pytest.skip("a small disk cannot be mounted here")
    try:
        yield at
    finally:
        subprocess.run(["umount", "--lazy", at], check=True)


def fill(disk: Path) -> Path:
    """Fill a disk to its last byte, and return the file that does; remove it and there is room again."""
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as stream:
        try:
            while True:
                stream.write(bytes(65536))
        except OSError:
            pass
        try:
            while True:
                stream.write(b"0")
        except OSError:
            pass
    return filler
