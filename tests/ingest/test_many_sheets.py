"""Many small sheets, as people lay them out: stones and carats come out right, or a problem says what to change."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from kpfootprint.ingest import Upload, read, text_of_answer
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme

SHEETS: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_name("sheets.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SHEETS)
def test_a_sheet_gives_its_stones_and_carats_or_says_why_not(name: str, scheme: Scheme, zone_table: ZoneTable) -> None:
    wanted = SHEETS[name]
    upload = Upload(f"{name}.csv", wanted["sheet"].encode(wanted.get("encoding", "utf-8")))
    found = read(upload, scheme, zone_table, one=True, choices=wanted.get("choices"))
    if "refused" in wanted:
        assert found.parcels == ()
        assert wanted["refused"] in {problem.code for problem in found.problems}
        for problem in found.problems:
            asked = [text_of_answer(*choice) for choice in problem.values.get("choices", ())]
            assert not [text for text in asked if "=" in text], "an answer has no words"
        return
    assert found.problems == ()
    (parcel,) = found.parcels
    assert parcel.n_stones == wanted["n_stones"]
    assert parcel.carats == pytest.approx(wanted["carats"]) if "carats" in wanted else parcel.carats is None
    assert parcel.read_as is not None
    assert [item["code"] for item in parcel.read_as["left_out"]] == wanted.get("left_out", [])
    if "notes" in wanted:
        assert [item["code"] for item in parcel.read_as["notes"]] == wanted["notes"]
    for name, value in wanted.get("conditions", {}).items():
        assert getattr(parcel.conditions, name) == value
    for name, value in wanted.get("said", {}).items():
        assert str(getattr(parcel, name)) == value
    declared, carats = wanted.get("declared", ()), {item.zone_id: item.carats for item in parcel.declarations}
    assert carats == pytest.approx(declared) if isinstance(declared, dict) else {*carats} == {*declared}
    for attribute, classes in wanted.get("classes", {}).items():
        assert parcel.read_as["classes"].get(attribute, {}) == classes
