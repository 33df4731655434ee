"""Many small sheets, as people lay them out: stones and carats come out right, or a problem says what to change."""

from __future__ import annotations

import io
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from kpfootprint.ingest import Upload, read, text_of_answer
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme
from tests.every import every

CASES: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_name("sheets.toml").read_text(encoding="utf-8"))
SHEETS = {name: case for name, case in CASES.items() if "parcels" not in case}


@every("name", [*SHEETS][::12])
def test_one_sheet_of_twelve_gives_its_stones_and_carats(name: str, scheme: Scheme, zone_table: ZoneTable) -> None:
    gives_what_is_wanted(name, scheme, zone_table)


@pytest.mark.slow
@every("name", SHEETS)
def test_a_sheet_gives_its_stones_and_carats_or_says_why_not(name: str, scheme: Scheme, zone_table: ZoneTable) -> None:
    gives_what_is_wanted(name, scheme, zone_table)


def gives_what_is_wanted(name: str, scheme: Scheme, zone_table: ZoneTable) -> None:
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


@every("name", sorted(CASES.keys() - SHEETS.keys()))
def test_a_submission_gives_each_parcel_or_says_why_not(name: str, scheme: Scheme, zone_table: ZoneTable) -> None:
    wanted = CASES[name]
    upload = Upload(f"{name}.csv", wanted.get("sheet", "").encode())
    if "files" in wanted:
        with zipfile.ZipFile(made := io.BytesIO(), "w") as archive:
            for file, text in wanted["files"].items():
                archive.writestr(file, text.strip())
        upload = Upload(f"{name}.zip", made.getvalue())
    found = read(upload, scheme, zone_table, choices=wanted.get("choices"))
    assert {problem.code for problem in found.problems} == {*wanted.get("refused", ())}
    parcels = {parcel.parcel_id: parcel for parcel in found.parcels}
    assert {*parcels} == {*wanted["parcels"]}
    for parcel_id, fields in wanted["parcels"].items():
        parcel = parcels[parcel_id]
        shares = {item.zone_id: item.carats or item.percent or 0.0 for item in parcel.declarations}
        assert shares == pytest.approx(fields.get("declared", {}))
        for field, value in fields.items():
            here = parcel if hasattr(parcel, field) else parcel.conditions
            assert field == "declared" or str(getattr(here, field)) == str(value)
