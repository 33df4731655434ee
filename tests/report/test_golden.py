"""Reports of hand-made examinations against the golden files."""

from __future__ import annotations

from pathlib import Path

import pytest

from kpfootprint.report import render_html, render_text
from tests.report import golden
from tests.report.factory import KINDS, Kind, make_report
from tests.report.golden import check_golden, normalised_html, readable_json


@pytest.mark.parametrize("kind", KINDS)
def test_json(kind: Kind, update_golden: bool) -> None:
    check_golden(f"report/{kind}.json", readable_json(make_report(kind).to_json()), update_golden)


@pytest.mark.parametrize(("kind", "lang"), [("query", "en"), ("query", "fr"), ("undeclared", "en")])
def test_html(kind: Kind, lang: str, update_golden: bool) -> None:
    check_golden(f"report/{kind}.{lang}.html", normalised_html(render_html(make_report(kind), lang)), update_golden)


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
