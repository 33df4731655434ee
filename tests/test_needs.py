"""A skip for want of a program must not hide where it was promised that nothing is skipped."""

from __future__ import annotations

import pytest

from tests.needs import require


def test_absent_program_is_a_skip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("KPF_REQUIRE", raising=False)
    with pytest.raises(pytest.skip.Exception, match="browser: Chromium"):
        require("browser")


def test_absent_program_that_is_required_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("KPF_REQUIRE", "postgres, browser")
    with pytest.raises(pytest.fail.Exception, match="KPF_REQUIRE asks for browser"):
        require("browser")
