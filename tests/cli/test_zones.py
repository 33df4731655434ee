"""``kpfootprint zones``: the status of a zone is that of the day."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import kpfootprint


def status_of(zone_id: str, *arguments: str, home: Path) -> str:
    done = kpfootprint("zones", *arguments, home=home)
    assert done.status == 0, done.err
    (line,) = [line for line in done.text.splitlines() if line.split()[0] == zone_id]
    return line.split()[-1]


@pytest.mark.parametrize(
    ("zone_id", "day", "status"),
    [
        ("amada-gaza", "2013-05-22", "not_covered"),
        ("amada-gaza", "2013-05-23", "suspended"),
        ("amada-gaza", "2024-11-14", "suspended"),
        ("amada-gaza", "2024-11-15", "compliant"),
        ("kadey", "2024-11-15", "not_covered"),
    ],
)
def test_the_day_decides(zone_id: str, day: str, status: str, tmp_path: Path) -> None:
    """Suspended in May 2013, lifted in November 2024; the scheme has no zones in Cameroon."""
    assert status_of(zone_id, "--on", day, home=tmp_path) == status


def test_today_is_taken_without_a_day(tmp_path: Path) -> None:
    assert status_of("amada-gaza", home=tmp_path) == "compliant"


def test_a_day_that_is_none_is_bad_input(tmp_path: Path) -> None:
    assert kpfootprint("zones", "--on", "2025-02-30", home=tmp_path).status == 2


def test_a_release_is_named_by_option_or_environment(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for done in (
        kpfootprint("zones", "--model", tmp_path / "empty", home=tmp_path),
        kpfootprint("zones", home=tmp_path, KPF_MODEL=str(tmp_path / "empty")),
    ):
        assert done.status == 1
        assert "manifest.json" in done.err
