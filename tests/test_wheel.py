"""The wheel holds everything that serving needs, and works where nothing else of the project is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from service.pages.start import EXAMPLES
from tests.source import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = (
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(folder),
        str(ROOT),
    )
    subprocess.run([sys.executable, *build], check=True)
    (made,) = folder.glob("*.whl")
    return made


def kept_in_git(folder: str) -> list[str]:
    listed = subprocess.run(["git", "ls-files", folder], cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.split()


@pytest.mark.parametrize(
    ("folder", "inside"),
    [
        ("kpfootprint", "kpfootprint"),
        ("training", "training"),
        ("service", "service"),
        ("models", "kpfootprint/_models"),
        ("data/reference", "kpfootprint/_reference"),
    ],
)
def test_everything_in_the_repository_is_in_the_wheel(wheel: Path, folder: str, inside: str) -> None:
    held = set(ZipFile(wheel).namelist())
    expected = {name.replace(folder, inside, 1) for name in kept_in_git(folder)}
    assert expected
    assert expected - held == set()


def test_the_examples_of_the_pages_are_in_the_wheel(wheel: Path) -> None:
    held = set(ZipFile(wheel).namelist())
    assert {f"service/pages/_examples/{example.file}" for example in EXAMPLES} - held == set()


def test_an_unpacked_wheel_compares_without_the_source_tree(wheel: Path, tmp_path: Path) -> None:
    """The interpreter sees the unpacked wheel and the installed dependencies, and runs in an empty folder."""
    site = tmp_path / "site"
    ZipFile(wheel).extractall(site)
    (tmp_path / "empty").mkdir()
    command = ("-m", "kpfootprint", "compare", str(ROOT / "examples/true_berberati.csv"), "--declare", "berberati")
    done = subprocess.run(
        [sys.executable, *command, "--format", "json"],
        cwd=tmp_path / "empty",
        env={"PYTHONPATH": str(site), "KPF_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert '"conclusion":' in done.stdout
