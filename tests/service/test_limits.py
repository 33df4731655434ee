"""Limits of body and rate, settings, and the language of an answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpfootprint.retold import LANGUAGES
from service.door.admission import Rate
from service.door.bodies import check_length
from service.door.endpoint import accepted_language
from service.errors import Refused
from service.settings import SettingError, read_settings


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def let_in(rate: Rate) -> bool:
    try:
        rate.take("somebody")
    except Refused:
        return False
    return True


@given(st.integers(1, 50), st.lists(st.floats(0, 5), max_size=200))
def test_no_more_is_let_in_than_fits_and_flows(per_minute: int, waits: list[float]) -> None:
    clock = Clock()
    rate = Rate(per_minute, clock)
    granted = 0
    for wait in waits:
        clock.now += wait
        granted += let_in(rate)
    assert granted <= per_minute + per_minute * clock.now / 60 + 1e-6


def test_after_waiting_as_told_there_is_room() -> None:
    clock = Clock()
    rate = Rate(2, clock)
    rate.take("a")
    rate.take("a")
    rate.take("b")
    with pytest.raises(Refused, match="too_many_requests") as told:
        rate.take("a")
    clock.now += int(told.value.headers["Retry-After"])
    rate.take("a")


def test_zero_is_no_limit() -> None:
    rate = Rate(0)
    for _ in range(10_000):
        rate.take("a")


@pytest.mark.parametrize("value", ["x", "-1", "1e3", "", "１"])
def test_a_length_is_a_number(value: str) -> None:
    with pytest.raises(Refused, match="bad_request"):
        check_length(value, 10)


def test_settings_are_read_from_what_is_given() -> None:
    settings = read_settings({"KPF_HOME": "/x", "KPF_MAX_BODY_MB": "0.5", "KPF_RATE_PER_MINUTE": "0"})
    assert (settings.home, settings.max_body, settings.rate_per_minute) == (Path("/x"), 500_000, 0)
    defaults = read_settings({})
    assert (defaults.max_body, defaults.max_upload, defaults.rate_per_minute) == (32_000_000, 256_000_000, 6000)
    assert defaults.home == Path("~/.local/share/kpfootprint").expanduser()


@pytest.mark.parametrize("value", ["many", "-1", "nan", "inf", "1.5"])
def test_a_setting_that_is_none_is_refused_by_name(value: str) -> None:
    with pytest.raises(SettingError, match="KPF_RATE_PER_MINUTE"):
        read_settings({"KPF_RATE_PER_MINUTE": value})


@given(st.text(max_size=100))
def test_any_header_gives_a_language_we_have(header: str) -> None:
    assert accepted_language(header) in LANGUAGES


@pytest.mark.parametrize(
    ("header", "lang"),
    [("", "en"), ("fr", "fr"), ("fr;q=0", "en"), ("de", "en"), ("en;q=0.2, FR-fr;q=0.3", "fr"), ("*", "en")],
)
def test_the_best_wish_that_can_be_met_counts(header: str, lang: str) -> None:
    assert accepted_language(header) == lang


def test_a_misspelt_setting_stops_the_start_with_the_others() -> None:
    with pytest.raises(SettingError) as told:
        read_settings({"KPF_DATABSE_URL": "postgresql+psycopg://h/d", "KPF_CLOCK_DAYS": "0", "KPF_OF_OTHERS": "x"})
    assert [fault.split(":")[0] for fault in told.value.faults] == [
        "KPF_DATABSE_URL is no setting; is KPF_DATABASE_URL meant?",
        "KPF_CLOCK_DAYS",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOME", "~nobody-of-this-name/kpf"),
        ("HOME", "/tmp/\udcff\udcfe"),
        ("MODEL", "circle"),
        ("DATABASE_URL", "postgresql+psycopg://x:topsecret@[::1/x"),
        ("DATABASE_URL", "postgresql+psycopg://x:topsecret@host:port/x"),
        ("DATABASE_URL", "mysql://x:topsecret@host/x"),
    ],
)
def test_a_place_that_cannot_be_is_a_fault_of_its_setting_and_no_password_is_shown(
    tmp_path: Path, name: str, value: str
) -> None:
    circle = tmp_path / "circle"
    circle.symlink_to(circle)
    with pytest.raises(SettingError, match=f"^KPF_{name}: ") as told:
        read_settings({f"KPF_{name}": str(circle) if value == "circle" else value})
    assert "topsecret" not in str(told.value)
