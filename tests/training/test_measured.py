"""The table in ``docs/method.md`` is that of the shipped release."""

from __future__ import annotations

from kpfootprint.release import shipped_release
from tests.measured import ROWS, measured_table
from tests.source import ROOT
from training.record import read_evaluation


def test_the_method_page_quotes_the_shipped_evaluation() -> None:
    """``make docs`` writes the table."""
    folder = shipped_release()
    table, page = measured_table(read_evaluation(folder)), (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    assert table in page
    assert f"`models/{folder.name}/evaluation.json`" in page


def test_every_line_of_the_table_was_measured() -> None:
    evaluation = read_evaluation(shipped_release())
    assert [text for text, metric, conditions in ROWS if evaluation.result(metric, conditions) is None] == []
