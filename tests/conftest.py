"""Options and fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

collect_ignore_glob = ["golden/*.py"]  # scripts that write golden values with other software


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the only way to write a golden file."""
    parser.addoption("--update-golden", action="store_true", help="write golden files instead of comparing with them")


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
    """Keep every test away from the settings and the home folder of whoever runs them."""
    for name in [name for name in os.environ if name.startswith("KPF_") and name != "KPF_REQUIRE"]:
        del os.environ[name]
    os.environ["KPF_HOME"] = str(tmp_path_factory.mktemp("kpf-home"))
