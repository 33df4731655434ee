"""Section 7 of the contract over HTTP on the real server: rules that a declarant cannot play."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from kpfootprint.conclusions import CONCLUSIONS
from tests.service.reading import problem_in
from tests.service.there import There

pytestmark = pytest.mark.slow

DAY = "2024-03-11"
SPECK = 0.001


@pytest.fixture(scope="module")
def status(there: There) -> dict[str, str]:
    """Return the status of every zone that has references on the day of these parcels."""
    known = {item["zone_id"] for item in there.compare()[1]["attribution"]["zones"]}
    return {
        item["zone_id"]: item["status"]
        for item in there.get(f"/v1/zones?on={DAY}")["items"]
        if item["zone_id"] in known
    }


@pytest.fixture(scope="module")
def stones(examples: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the stones of example parcels: of a true declaration, of a false one, and of two zones mixed."""
    found = {}
    for name in ("true_berberati", "false_berberati", "mixed_berberati_bria"):
        with (examples / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            found[name] = [row | {"weight_ct": float(row["weight_ct"])} for row in csv.DictReader(file)]
    return found


def said(there: There, stones: list[dict[str, Any]], **carats: float) -> dict[str, Any]:
    declared = [{"zone_id": zone.replace("_", "-"), "carats": weight} for zone, weight in carats.items()]
    parcel = {"parcel_id": "D", "exported_on": DAY, "declarations": declared, "stones": stones}
    return there.compare(**parcel)[1]


def kindness(report: dict[str, Any]) -> int:
    return -CONCLUSIONS.index(report["conclusion"])


@pytest.mark.parametrize("name", ["true_berberati", "false_berberati", "mixed_berberati_bria"])
def test_a_speck_of_a_source_on_the_paper_removes_nothing_from_the_question(
    there: There, status: dict[str, str], stones: dict[str, list[dict[str, Any]]], name: str
) -> None:
    alone = said(there, stones[name], berberati=100)
    outside = {zone for zone, at in status.items() if at != "compliant"}
    assert set(alone["verification"]["h2"]["values"]["zones"]) == outside
    for zone in ("bria", "carnot", "mbuji_mayi"):
        both = said(there, stones[name], berberati=100, **{zone: SPECK})
        assert outside == set(both["verification"]["h2"]["values"]["zones"])
        assert kindness(both) <= kindness(alone)
        assert both["verification"]["log10_lr"] == pytest.approx(alone["verification"]["log10_lr"], abs=0.1)


def test_undeclared_is_what_is_beyond_the_paper_from_where_it_could_not_be_exported(
    there: There, status: dict[str, str], stones: dict[str, list[dict[str, Any]]]
) -> None:
    assert (status["berberati"], status["carnot"], status["bria"]) == ("compliant", "compliant", "suspended")
    mixed = stones["mixed_berberati_bria"]
    hidden = said(there, mixed, berberati=100)["mixture"]["undeclared_stone_fraction"]
    shown = said(there, mixed, berberati=50, bria=50)["mixture"]["undeclared_stone_fraction"]
    assert hidden["estimate"] > 0.2
    assert shown["estimate"] < hidden["estimate"] / 2
    other = said(there, stones["true_berberati"], carnot=100)
    assert other["mixture"]["undeclared_stone_fraction"]["low"] == 0, "a compliant zone is no undeclared goods"
    assert other["attribution"]["zones"][0]["zone_id"] == "berberati", "but attribution speaks of it"


def test_any_number_of_zones_in_any_proportions_gets_whole_statements_or_a_caution(
    there: There, status: dict[str, str], stones: dict[str, list[dict[str, Any]]]
) -> None:
    zones = [*status]
    few = stones["false_berberati"][:200]
    for declared in (zones[:1], zones[:2], zones[::3], zones):
        for weights in ([1.0] * len(declared), [3.0**-number for number in range(len(declared))]):
            carats = {zone.replace("-", "_"): weight for zone, weight in zip(declared, weights, strict=True)}
            report = said(there, few, **carats)
            evidence = report["verification"]
            assert evidence["low"] < evidence["high"] or evidence["bound_hit"] is not None
            for name in ("undeclared_stone_fraction", "undeclared_carat_fraction"):
                share = report["mixture"][name]
                assert 0 <= share["low"] <= share["estimate"] <= share["high"] <= 1
                assert share["high"] - share["low"] > 0.01
    nobody_knows = said(there, few, boganda=1)
    assert nobody_knows["conclusion"] == "not_comparable"
    assert nobody_knows["verification"] is nobody_knows["mixture"] is None
    assert "boganda" in str(nobody_knows["cautions"])


def test_a_blend_is_received_no_more_kindly_than_the_kindest_of_its_zones(
    there: There, stones: dict[str, list[dict[str, Any]]]
) -> None:
    for blend in (("berberati", "carnot"), ("berberati", "nola", "boda"), ("berberati", "gadzi", "carnot", "nola")):
        both = said(there, stones["false_berberati"], **dict.fromkeys(blend, 10))
        alone = [said(there, stones["false_berberati"], **{zone: 10}) for zone in blend]
        assert kindness(both) <= max(map(kindness, alone))


def test_how_often_declarants_who_try_get_through_is_told(there: There) -> None:
    (active,) = [item["release"] for item in there.get("/v1/models")["items"] if item["active"]]
    evaluation = there.get(f"/v1/models/{active}")["evaluation"]
    assert "declarations called consistent" in str(evaluation["results"])
    assert set(there.compare()[1]["error_rates"]["declarants_who_try"]) >= {"rate", "low", "high", "trials"}


def test_a_sheet_that_can_be_read_in_two_ways_is_read_in_neither(there: There) -> None:
    lots = b"Lot,Size,Pcs,Cts\nA,+9-11,40,10.40\nA,+11-12,20,8.10\nB,+9-11,30,7.80\nB,+11-12,10,4.10\n"
    for path in ("/v1/comparisons?parcel_id=S&declare=berberati", "/v1/submissions"):
        asked = problem_in(
            there.ask("monitor", "POST", path, files={"file": ("sheet.csv", lots)}), 422, "invalid_input"
        )
        (problem,) = asked["problems"]
        assert problem["code"] == "lots_or_parcels"
        assert "parcels of their own or lots of one parcel" in problem["reason"]
        assert problem["choices"] == [["lots", "parcels"], ["lots", "one"]]
    answered = there.ask(
        "monitor",
        "POST",
        "/v1/comparisons?parcel_id=S&declare=berberati&choose=lots%3Done",
        files={"file": ("sheet.csv", lots)},
    )
    assert answered.status_code == 201, answered.text
    assert answered.json()["parcel"]["read_as"]["passed_over"] == ["Lot"]
