"""What covers, columns and tables declare of parcels, however it is written: read, or told; never dropped."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from kpfootprint.ingest import Reading, Upload, read
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme
from tests.every import every
from tests.ingest.test_sheets_of_parcels import reading

Rows = Sequence[Sequence[Any]]
Declared = dict[str, dict[str, float | None]]

STONES: Rows = [["Weight ct", "Colour"], [0.42, "brown"], [0.31, "cape"]]
LONG: Rows = [["Parcel", "Weight ct"], ["2024/01", 0.42], ["2024/01", 0.31], ["2024/02", 0.5]]
PACKED: Rows = [["Parcel", "Origin"], ["2024/01", "Nola 0.4 ct; Boda 0.33 ct"], ["2024/02", "Carnot"]]
COUNTED: Rows = [
    ["Colour", "Shape", "Stones", "Carats"],
    ["brown", "macle", 12, 2.5],
    ["cape", "cube", 13, 2.9],
    ["grey", "cube", 9, 2.1],
]
OTHERS: Rows = [["Colour", "Shape", "Stones", "Carats"], ["cape", "macle", 22, 4.5], ["grey", "cube", 20, 5.0]]
LISTED: Rows = [["Parcel", "Zone", "Carats"], ["A", "Nola", 0.4], ["A", "Boda", 0.33]]
ONE: Rows = [["Parcel", "Weight ct"], ["A", 0.42], ["A", 0.31]]
TWO = {"nola": 0.4, "boda": 0.33}


def zipped(sheets: Mapping[str, Rows], scheme: Scheme, zone_table: ZoneTable, **options: Any) -> Reading:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, rows in sheets.items():
            text, width = io.StringIO(), max(map(len, rows))
            csv.writer(text, delimiter=";").writerows([*row, *[""] * (width - len(row))] for row in rows)
            archive.writestr(f"{name}.csv", text.getvalue())
    return read(Upload("w.zip", packed.getvalue()), scheme, zone_table, **options)


@every(
    "sheets, wanted",
    [
        *(
            ({"Cover": cover, "Stones": STONES}, {"A-1": zones})
            for cover, zones in (
                ([["Packing list"], ["Parcel", "A-1"], ["Zone", "Nola", "100 %"]], {"nola": 100.0}),
                ([["Selection", "", "run of mine"], ["Zone", "", "Nola"], ["Parcel", "", "A-1"]], {"nola": None}),
                (
                    [["Zone", "Nola", "0.40 ct"], ["Zone", "Boda", "0.33 ct"], ["Parcel", "A-1"], ["Stones", "2"]],
                    TWO,
                ),
                (
                    [
                        ["Lot", "A-1", "Bottom screen", "1.5"],
                        ["Zone 1", "Nola", "0.4 ct"],
                        ["Zone 2", "Boda", "0.33 ct"],
                    ],
                    TWO,
                ),
                ([["Parcel: A-1"], ["Sorter: JM"], ["Zone", "Nola", "0.73 cts"], ["Carats: 0.73"]], {"nola": 0.73}),
                ([["Parcel: A-1"], ["Zone: Nola 0.40 ct"], ["Origine: Boda 0.33 ct"], ["Sorter: JM"]], TWO),
                ([["Declared zones", "40 % Nola et Boda 60 %"], ["Parcel no.", "A-1"]], {"nola": 40.0, "boda": 60.0}),
                ([["Exporter: B"], ["Zones", "40 % Nola, 60 % Boda"], ["Colis", "A-1"]], {"nola": 40.0, "boda": 60.0}),
                ([["Parcel", "A-1"], ["Zones", "Nola 0.08 g; Boda 0.066 g"]], TWO),
                ([["Parcel", "A-1"], ["Zones", "Nola, RCA 0.4 ct; Boda, RCA 0.33 ct"]], TWO),
                ([["Bordereau"], ["Parcel: A-1"], ["Zone: Nola 0.4 ct"], ["Origine", "zone de Boda 0.33 ct"]], TWO),
            )
        ),
        ({"Packing list": PACKED, "Stones": LONG}, {"2024/01": TWO, "2024/02": {"carnot": None}}),
        (
            {"Packing list": PACKED, "2024-01": STONES, "2024-02": COUNTED},
            {"2024/01": TWO, "2024/02": {"carnot": None}},
        ),
        (
            {"S1": [["Parcel: A"], ["Zone: Nola"], *STONES], "S2": [["Parcel: B"], ["Zone: Boda"], *COUNTED]},
            {"A": {"nola": None}, "B": {"boda": None}},
        ),
        (
            {
                "S1": [["Parcel: A"], ["Zone: Nola"], [], *STONES],
                "S2": [["Parcel: B"], ["Zone", "Carats"], ["Boda", "1.00"], ["Nola", "0.40"], [], *COUNTED],
            },
            {"A": {"nola": None}, "B": {"boda": 1.0, "nola": 0.4}},
        ),
        (
            {"declarations": [["Parcel ID", "Zone of origin", "Cts"], ["A", "Nola", 0.73]], "stones": ONE},
            {"A": {"nola": 0.73}},
        ),
        (
            {"parcels": [["Colis", "Tamis du fond (mm)"], ["A", "1.98 mm"]], "stones": ONE, "declarations": LISTED},
            {"A": TWO},
        ),
        (
            {"parcels": [["Parcel", "Nola %", "Boda %"], ["A", 40, 60]], "stones": ONE},
            {"A": {"nola": 40.0, "boda": 60.0}},
        ),
        (
            {"declarations": [["Zone", "%"], ["Nola", "40 %"], ["Boda", "60 %"], ["Total", 100]], "stones": STONES},
            {"w": {"nola": 40.0, "boda": 60.0}},
        ),
        (
            {"declarations": [["Zone", "%"], ["Nola", 50], ["Boda", 20], ["Carnot", 30]], "stones": STONES},
            {"w": {"nola": 50.0, "boda": 20.0, "carnot": 30.0}},
        ),
        (
            {
                "declarations": LISTED,
                "parcels": [["Parcel", "Declared"], ["A", "Nola 0.4 ct; Boda 0.33 ct"]],
                "stones": ONE,
            },
            {"A": TWO},
        ),
        (
            {
                "declarations": LISTED,
                "Cover": [["Parcel", "A"], ["Zone", "Carats"], ["Nola", 0.4], ["Boda", 0.33]],
                "stones": STONES,
            },
            {"A": TWO},
        ),
    ],
)
def test_what_is_declared_is_read(
    sheets: Mapping[str, Rows], wanted: Declared, scheme: Scheme, zone_table: ZoneTable
) -> None:
    for way in (reading, zipped):
        found = way(sheets, scheme, zone_table)
        assert found.problems == ()
        amounts = {
            one.parcel_id: {
                item.zone_id: item.percent if item.carats is None else item.carats for item in one.declarations
            }
            for one in found.parcels
        }
        assert amounts == wanted


OTHERWISE = "said_otherwise"
ALL: Rows = [["Parcel", "Zone", "%"], ["A", "Nola", 100], ["B", "toutes", 100]]
TABLED: Rows = [["Zone", "Carats"], ["Bria", 0.4], ["Boda", 0.33]]


def said_beside(zones: str) -> Rows:
    return [["Parcel", "Declared"], ["A", zones]]


@pytest.mark.slow
@every(
    "sheets, code, value",
    [
        *(
            ({"S": [["Parcel", "A"], line, ["Zone of origin", "Nola 2 ct"], [], *STONES]}, "unknown_zone", value)
            for line, value in (
                (["Zone", "Kouango 7.44 ct"], "Kouango 7.44 ct"),
                (["Zone of origin", "Zemio", "2.98 ct"], "Zemio 2.98 ct"),
                (["Declared zone 1", "Bozoum 0.20 g"], "Bozoum 0.20 g"),
                (["Provenance", "all zones"], "all zones"),
                (["Origine déclarée", "toutes"], "toutes"),
            )
        ),
        ({"S": [["Parcel", "A"], ["Origin", "Nola: 4 ct, Obo: 3 ct"], [], *STONES]}, "origin_unclear", None),
        ({"S": [["Parcel", "A"], ["Origin", "Nola: 45 % / Obo: 55 %"], [], *STONES]}, "origin_unclear", None),
        ({"S": [["Parcel", "A"], ["Nola", "4 ct"], ["Kouango", "3 ct"], [], *STONES]}, "unknown_zone", "Kouango"),
        ({"Cover": [["Parcel", "A"], ["Nola", "4 ct"], ["Kouango", "3 ct"]], "S": STONES}, "unknown_zone", "Kouango"),
        ({"S": [["Parcel", "A"], ["Origin", "Nola, Cameroun 4 ct"], [], *STONES]}, "said_otherwise", None),
        ({"declarations": TABLED, "Cover": [["Sorter", "J"], *TABLED[:1], ["Nola", 3]], "S": STONES}, OTHERWISE, None),
        ({"declarations": [*LISTED, ["A", "toutes", 0.2]], "stones": ONE}, "unknown_zone", "toutes"),
        ({"S": [["Declared origin", "Nola", "-11 ct"], ["Parcel", "A"], [], *STONES]}, "origin_unclear", None),
        (
            {"declarations": ALL, "stones": [*ONE, ["B", 0.2]]},
            "unknown_zone",
            "toutes",
        ),
        ({"declarations": LISTED, "parcels": said_beside("Bria 0.4 ct; Boda 0.33 ct"), "stones": ONE}, OTHERWISE, None),
        ({"declarations": LISTED, "parcels": said_beside("Nola 0.1 ct; Boda 0.63 ct"), "stones": ONE}, OTHERWISE, None),
        ({"declarations": LISTED, "S": [["Parcel", "A"], *TABLED, [], *STONES]}, OTHERWISE, None),
    ],
)  # fmt: skip
def test_what_is_declared_otherwise_or_unknown_is_told(
    sheets: Mapping[str, Rows], code: str, value: str | None, scheme: Scheme, zone_table: ZoneTable
) -> None:
    for way in (reading, zipped):
        found = way(sheets, scheme, zone_table).problems
        assert {item.code for item in found} == {code}
        assert value is None or value in {item.value for item in found}


def test_a_declaration_without_carats_is_told_with_its_row(scheme: Scheme, zone_table: ZoneTable) -> None:
    packed = [["Parcel", "Zones"], ["2024/01", "Nola"], ["2024/02", "Nola / Boda"]]
    (found,) = reading({"parcels": packed, "stones": LONG}, scheme, zone_table).problems
    assert (found.code, found.table, found.row) == ("declared_without_carats", "parcels", 3)


FIRST: Rows = [["Parcel", "A"], ["Zones", "Nola 0.4 ct; Boda 0.33 ct"], ["Exporter", "Sodiam"], [], *STONES]
SECOND: Rows = [["Zone of origin", "Carnot"], ["Exported by", "Badica"], ["Parcel no.", "B"], [], *COUNTED]
THIRD: Rows = [["Parcel: C"], ["Zone", "Carats"], ["Bria", 3.0], ["Nzako", 4.5], [], *OTHERS, ["Total", None, 42, 9.5]]


@every("blocks", [(FIRST, SECOND, THIRD), (SECOND, FIRST), (THIRD, FIRST, SECOND)])
def test_parcels_below_each_other_have_covers_of_their_own(
    blocks: Sequence[Rows], scheme: Scheme, zone_table: ZoneTable
) -> None:
    rows = [row for block in blocks for row in [*block, []]]
    found = reading({"Sheet1": rows}, scheme, zone_table)
    assert found.problems == ()
    said = {one.parcel_id: ({zone.zone_id for zone in one.declarations}, one.exporter) for one in found.parcels}
    wanted = {"A": ({"nola", "boda"}, "Sodiam"), "B": ({"carnot"}, "Badica"), "C": ({"bria", "nzako"}, None)}
    assert said == {name: of for name, of in wanted.items() if name in said}
    assert len(said) == len(blocks)


def test_what_is_wrong_in_one_of_parcels_below_each_other_is_told_of_it(scheme: Scheme, zone_table: ZoneTable) -> None:
    wrong = [["Parcel no.", "B"], ["Zone of origin", "Kouango"], [], *COUNTED]
    found = reading({"Sheet1": [*FIRST, [], *wrong]}, scheme, zone_table)
    assert [(item.code, item.row, item.value) for item in found.problems] == [("unknown_zone", 10, "Kouango")]
