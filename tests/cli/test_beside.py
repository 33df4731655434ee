"""Reports side by side: what one sorter changes, on one page."""

from __future__ import annotations

from pathlib import Path

from tests.cli.running import kpfootprint

STONES = Path(__file__).parents[2] / "examples" / "true_berberati.csv"


def test_reports_stand_side_by_side_and_one_alone_is_refused(tmp_path: Path) -> None:
    for sorter in ("S3", "S7"):
        arguments = ("--declare", "berberati", "--sorter", sorter, "--format", "json", "--out", tmp_path / sorter)
        assert kpfootprint("compare", STONES, *arguments, home=tmp_path).status == 0
    page = tmp_path / "beside.html"
    done = kpfootprint("beside", tmp_path / "S3", tmp_path / "S7", "--lang", "fr", "--out", page, home=tmp_path)
    assert done.status == 0, done.err
    text = page.read_text(encoding="utf-8")
    assert '<html lang="fr"' in text
    assert "S3" in text
    assert "S7" in text
    alone = kpfootprint("beside", tmp_path / "S3", home=tmp_path)
    assert alone.status == 2
    assert "two reports or more" in alone.err
