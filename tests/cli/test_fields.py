"""Options of the command line in the JSON parcel's shape."""

from __future__ import annotations

from dataclasses import fields
from datetime import date

import click
import pytest

from kpfootprint.cli.examine import compare
from kpfootprint.cli.reading import as_parcel, share_given, zones_given
from kpfootprint.parcel import Conditions

CONTEXT, OPTION = click.Context(compare), compare.params[0]


@pytest.mark.parametrize(
    ("given", "zone_id", "carats"),
    [
        ("berberati", "berberati", None),
        ("berberati=152.8", "berberati", 152.8),
        ("berberati=152,8", "berberati", 152.8),
        (" amada-gaza = 40 ", "amada-gaza", 40.0),
        ("a=b=1", "a=b", 1.0),
    ],
)
def test_declarations(given: str, zone_id: str, carats: float | None) -> None:
    assert zones_given(CONTEXT, OPTION, (given,))[0] == {"zone_id": zone_id, "carats": carats}


@pytest.mark.parametrize(("given", "told"), [("0", "0"), ("-1", "-1"), ("12,50", "12.5"), ("0.0", "0.0")])
def test_a_number_is_told_as_it_was_written(given: str, told: str) -> None:
    assert str(zones_given(CONTEXT, OPTION, (f"nola={given}",))[0]["carats"]) == told


@pytest.mark.parametrize("given", ["berberati=", "berberati=much", "berberati=1.2.3"])
def test_carats_that_are_no_number_are_refused(given: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a number of carats"):
        zones_given(CONTEXT, OPTION, (given,))


@pytest.mark.parametrize(
    ("option", "given", "taken"),
    [
        ("bottom_screen_mm", "1,8", 1.8),
        ("bottom_screen_mm", "1.8", 1.8),
        ("bottom_screen_mm", "wide", "wide"),
        ("specials_removed", "oui", "oui"),
    ],
)
def test_a_condition_is_read_as_behind_every_other_door(option: str, given: str, taken: object) -> None:
    (parameter,) = (item for item in compare.params if item.name == option)
    context = click.Context(compare)
    assert parameter.process_value(context, given) == taken


@pytest.mark.parametrize("given", ["0.2", "0,2", "20%", " 20 % "])
def test_a_share_may_be_written_as_elsewhere(given: str) -> None:
    assert share_given(CONTEXT, OPTION, given) == pytest.approx(0.2)


@pytest.mark.parametrize("given", ["0", "1.5", "nan", "101%", "", "a fifth"])
def test_a_share_that_is_none_is_refused(given: str) -> None:
    with pytest.raises(click.BadParameter, match="is no share above 0 and up to 1"):
        share_given(CONTEXT, OPTION, given)


def nothing_given() -> dict[str, object]:
    return dict.fromkeys(("parcel_id", "exported_on", *(item.name for item in fields(Conditions)))) | {
        "declarations": ()
    }


def test_what_is_left_out_is_absent() -> None:
    assert as_parcel(nothing_given()) == {}


def test_every_option_arrives() -> None:
    given = nothing_given() | {
        "parcel_id": "P1",
        "declarations": ({"zone_id": "carnot", "carats": None},),
        "exported_on": date(2025, 3, 31),
        "bottom_screen_mm": 1.8,
        "specials_removed": False,
    }
    assert as_parcel(given) == {
        "parcel_id": "P1",
        "declarations": [{"zone_id": "carnot", "carats": None}],
        "exported_on": "2025-03-31",
        "conditions": {"bottom_screen_mm": 1.8, "specials_removed": False},
    }


def test_there_is_an_option_for_every_condition() -> None:
    names = {parameter.name for parameter in compare.params}
    assert {item.name for item in fields(Conditions)} <= names
