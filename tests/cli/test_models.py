"""``kpfootprint models``: the active release is the last activation, and without any the one that was shipped."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

from kpfootprint.release import shipped_release
from tests.cli.running import kpfootprint


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a home folder with a release of its own, ``2099.1``: the shipped one under another name."""
    copytree(shipped_release(), tmp_path / "releases" / "2099.1")
    return tmp_path


def active(home: Path) -> list[str]:
    done = kpfootprint("models", home=home)
    assert done.status == 0, done.err
    lines = [line.split() for line in done.text.splitlines()]
    assert len(lines) >= 2
    return [line[1] for line in lines if line[0] == "*"]


def test_the_shipped_release_is_active_at_first(home: Path) -> None:
    assert active(home) == [shipped_release().name]


@pytest.mark.slow
def test_an_activation_lasts_and_can_be_taken_back(home: Path) -> None:
    done = kpfootprint("models", "activate", "2099.1", home=home)
    assert (done.status, done.text) == (0, "2099.1 is active.\n")
    assert active(home) == ["2099.1"]
    assert kpfootprint("models", "rollback", home=home).status == 0
    assert active(home) == [shipped_release().name]


def test_there_may_be_nothing_to_go_back_to(home: Path) -> None:
    done = kpfootprint("models", "rollback", home=home)
    assert done.status == 2
    assert "no other release was active before" in done.err


def test_the_card_is_shown(home: Path) -> None:
    done = kpfootprint("models", "show", "2099.1", home=home)
    assert (done.status, done.text) == (0, (shipped_release() / "CARD.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("command", ["show", "activate"])
def test_an_unknown_release_is_bad_input(command: str, home: Path) -> None:
    done = kpfootprint("models", command, "1999.1", home=home)
    assert done.status == 2
    assert "2099.1" in done.err


def test_an_altered_release_is_not_activated(home: Path) -> None:
    with (home / "releases" / "2099.1" / "CARD.md").open("a", encoding="utf-8") as card:
        card.write("Much better than it was.\n")
    done = kpfootprint("models", "activate", "2099.1", home=home)
    assert done.status == 1
    assert "CARD.md was altered" in done.err
    assert active(home) == [shipped_release().name]


@pytest.mark.slow
def test_a_release_that_is_gone_is_told(home: Path) -> None:
    kpfootprint("models", "activate", "2099.1", home=home)
    (home / "releases").rename(home / "elsewhere")
    done = kpfootprint("zones", home=home)
    assert done.status == 1
    assert "2099.1" in done.err
    assert kpfootprint("zones", "--model", home / "elsewhere" / "2099.1", home=home).status == 0


@pytest.mark.slow
def test_the_history_says_what_was_in_force_and_why(home: Path) -> None:
    kpfootprint("models", "activate", "2099.1", "--reason", "Judged by the panel", home=home)
    kpfootprint("models", "rollback", "--reason", "Wrong labels", home=home)
    done = kpfootprint("models", "history", home=home)
    begun, first, second = done.text.splitlines()
    assert begun.split() == ["from", "the", "beginning", shipped_release().name]
    assert first.split("  ")[1:] == ["2099.1", "command line", "Judged by the panel"]
    assert second.split("  ")[1:] == [f"{shipped_release().name} (gone back to)", "command line", "Wrong labels"]


@pytest.mark.slow
def test_a_release_that_was_not_judged_needs_a_reason(home: Path) -> None:
    path = home / "releases" / "2099.1" / "manifest.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"released": true', '"released": false'), encoding="utf-8")
    refused = kpfootprint("models", "activate", "2099.1", home=home)
    assert refused.status == 1
    assert "was not judged" in refused.err
    assert kpfootprint("models", "activate", "2099.1", "--force", "A trial", home=home).status == 0
