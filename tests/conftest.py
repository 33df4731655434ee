"""Options and fixtures that every test may use."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tests.laws  # noqa: F401 - which loads its profile before any test is read
from tests.cluster import cluster

collect_ignore_glob = ["golden/*.py"]  # scripts that write golden values with other software


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the only way to write a golden file."""
    parser.addoption("--update-golden", action="store_true", help="write golden files instead of comparing with them")


MANY = 5
"""Cases of a test that are all tried in ``make test``."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave two of three cases of a test that has many to validation, and begin with what takes longest.

    Fits and evaluations come first: at the end one worker would wait for the other.
    """
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if isinstance(item, pytest.Function):
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for of_one in cases.values():
        for number, item in enumerate(of_one if len(of_one) > MANY else ()):
            if number % 3:
                item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: "training" not in item.path.parts)


def pytest_collection_finish() -> None:
    """Look for garbage seldom, and never in what was collected: a tenth of the time of a run goes into that."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """End every run that wrote golden files red: nobody has looked at them yet."""
    if session.config.getoption("--update-golden"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say what to do after golden files were written."""
    if config.getoption("--update-golden"):
        terminalreporter.write_line("Golden files were written: look at the difference, then run without the option.")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written instead of compared with."""
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture(scope="session")
def examples() -> Path:
    """Return the folder of example parcels."""
    return Path(__file__).parents[1] / "examples"


@pytest.fixture(autouse=True, scope="session")
def _own_environment(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep every test away from the settings, the home folder and the language of whoever runs them."""
    for name in [name for name in os.environ if name.startswith("KPF_") and name != "KPF_REQUIRE"]:
        del os.environ[name]
    os.environ["KPF_HOME"] = str(tmp_path_factory.mktemp("kpf-home"))
    os.environ |= {"LC_ALL": "C.UTF-8", "LANGUAGE": ""}


@pytest.fixture(scope="session")
def dask_scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a Dask scheduler with two workers on this machine; give its address."""
    pytest.importorskip("distributed", reason="dask: the extra is not installed")
    with cluster(tmp_path_factory.mktemp("dask")) as running:
        yield running.address
