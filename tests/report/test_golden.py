"""Reports of hand-made examinations against the golden files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kpfootprint.report import render_text
from tests.report import golden
from tests.report.factory import KINDS, Kind, make_report
from tests.report.golden import check_golden, readable_json
from tests.source import ROOT


@pytest.mark.parametrize("kind", KINDS)
def test_json(kind: Kind, update_golden: bool) -> None:
    check_golden(f"report/{kind}.json", readable_json(make_report(kind).to_json()), update_golden)


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("kind", KINDS)
def test_text(kind: Kind, lang: str, update_golden: bool) -> None:
    check_golden(f"report/{kind}.{lang}.txt", render_text(make_report(kind), lang), update_golden)


def test_a_missing_golden_file_fails_and_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden, "GOLDEN", tmp_path)
    with pytest.raises(pytest.fail.Exception, match="no golden file"):
        check_golden("none.txt", "text", update=False)
    assert list(tmp_path.iterdir()) == []


def test_a_golden_file_is_compared_and_written_on_demand_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden, "GOLDEN", tmp_path)
    check_golden("some.txt", "one", update=True)
    check_golden("some.txt", "one", update=False)
    with pytest.raises(AssertionError, match="differs"):
        check_golden("some.txt", "two", update=False)
    assert (tmp_path / "some.txt").read_text() == "one"


@pytest.mark.slow
def test_updating_ends_red(tmp_path: Path) -> None:
    """Golden files that were just written were approved by nobody: the run that wrote them never passes."""
    (tmp_path / "test_nothing.py").write_text("def test_nothing() -> None:\n    assert True\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    bare = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider", str(tmp_path)]
    done = {
        options: subprocess.run(
            [*command, *options], cwd=tmp_path, env=bare, capture_output=True, text=True, check=False
        )
        for options in ((), ("--update-golden",))
    }
    assert done[()].returncode == 0, done[()].stdout
    assert done[("--update-golden",)].returncode == 1
    assert "look at" in done[("--update-golden",)].stdout


def test_readable_json_is_the_same_document() -> None:
    text = make_report("query").to_json()
    readable = readable_json(text)
    assert json.loads(readable) == json.loads(text)
    assert max(map(len, readable.splitlines())) < 400
