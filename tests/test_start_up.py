"""What starting must not import: each of these costs more than the work of a short command."""

from __future__ import annotations

import os
import subprocess
import sys
from tempfile import TemporaryDirectory

import pytest

SLOW = {"pandas", "sklearn", "bentoml", "sqlalchemy", "frictionless", "matplotlib", "typst", "openpyxl"}
NOT_FOR_SERVING = {"pandas", "sklearn", "frictionless", "matplotlib", "joblib"}


def imported(code: str) -> set[str]:
    """Return the modules that a fresh interpreter has imported once it has run the code."""
    after = f"{code}\nimport sys; print(*sys.modules)"
    with TemporaryDirectory() as home:
        done = subprocess.run(
            [sys.executable, "-c", after],
            env=os.environ | {"KPF_HOME": home},
            capture_output=True,
            text=True,
            check=True,
        )
    return set(done.stdout.splitlines()[-1].split())


def run(*arguments: str) -> str:
    """Return code that runs the command line and goes on when it ends."""
    ending = "except SystemExit as left: assert not left.code"
    return f"from kpfootprint.cli.main import main\ntry: main({list(arguments)!r})\n{ending}"


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ("compare", "--help"), ("zones",)])
def test_a_short_command_imports_nothing_slow(arguments: tuple[str, ...]) -> None:
    assert imported(run(*arguments)) & SLOW == set()


@pytest.mark.parametrize(
    "code", ["import kpfootprint; kpfootprint.__version__", run("--version"), run("batch", "--help")]
)
def test_looking_around_imports_not_even_numpy(code: str) -> None:
    assert "numpy" not in imported(code)


def test_a_comparison_needs_neither_pandas_nor_an_optimiser() -> None:
    everything = "import kpfootprint\nfor name in dir(kpfootprint): getattr(kpfootprint, name)"
    assert imported(everything) & {*NOT_FOR_SERVING, "scipy.optimize"} == set()


@pytest.mark.slow
def test_serving_needs_neither_pandas_nor_scikit_learn() -> None:
    assert imported("import service.app") & NOT_FOR_SERVING == set()
