"""Tables that lie on their side or say what stands elsewhere: measures in rows, blank corners, sums of sheets."""

from __future__ import annotations

from typing import Any

import pytest

from kpfootprint.ingest import Reading, Upload, read
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme
from tests.ingest.making import book_of

Rows = list[list[Any]]
Words = tuple[Scheme, ZoneTable]
TURNED = "Sieve,+11,-11+9,-9+7,Total\nPcs,160,128,102,390\nCts,66.61,30.04,15.10,111.75\n"
ACROSS = {
    "counts": ",+11,-11+9,-9+7\nWhite,24,75,33\nCape,40,81,73\n",
    "pairs": ",+11 pcs,+11 cts,-11+9 pcs,-11+9 cts\nWhite,24,10.15,75,17.18\nCape,40,16.31,81,18.65\n",
}
BOOK: dict[str, Rows] = {
    "CAR-1": [["Sieve", "Stones", "Carats"], ["+11", 120, 52.1], ["-11+9", 300, 72.4]],
    "CAR-2": [["Sieve", "Stones", "Carats"], ["+11", 80, 35.1], ["-11+9", 210, 50.3]],
}


@pytest.fixture
def world(scheme: Scheme, zone_table: ZoneTable) -> Words:
    return scheme, zone_table


def reading(text: str, world: Words) -> Reading:
    return read(Upload("sheet.csv", text.encode()), *world)


@pytest.mark.parametrize("gap", ["", ",,,,\n"])
@pytest.mark.parametrize("foot", ["Sorted by A. B.", "Bangui, le 12 mars 2021", "Sorted by:,A. B.\nChecked,yes"])
def test_lines_of_words_may_stand_below_a_turned_table(foot: str, gap: str, world: Words) -> None:
    found = reading(TURNED + gap + foot + "\n", world)
    assert found.problems == ()
    (parcel,) = found.parcels
    assert (parcel.n_stones, parcel.carats) == (390, 111.75)
    assert parcel.read_as is not None
    told = [item["text"] for item in parcel.read_as["left_out"]]
    assert all(any(line.split(",")[0] in text for text in told) for line in foot.splitlines())


def test_what_stands_below_a_turned_table_is_heard(world: Words) -> None:
    (parcel,) = reading(TURNED + "Zone:,Nola\n", world).parcels
    assert [item.zone_id for item in parcel.declarations] == ["nola"]


@pytest.mark.parametrize("foot", ["Boart,3,2,1,6", "4 stones not included", "Carats checked,no,no,yes,"])
def test_what_may_be_of_stones_below_a_turned_table_is_told(foot: str, world: Words) -> None:
    assert not reading(TURNED + foot + "\n", world).parcels


@pytest.mark.parametrize("row", ["Boart,3,2,1,6", "Gem,20,20,20,60"])
@pytest.mark.parametrize("above", [True, False])
def test_a_class_among_the_measures_of_a_turned_table_is_refused(row: str, above: bool, world: Words) -> None:
    header, *rows = TURNED.splitlines()
    found = reading("\n".join([header, row, *rows] if above else [header, *rows, row]), world)
    assert [item.code for item in found.problems] == ["transposed"]


@pytest.mark.parametrize("label", ["Zone,Nola", "Date,2021-03-04", "Exporter,Maison X"])
@pytest.mark.parametrize("gap", ["", ",,,,\n"])
@pytest.mark.parametrize("table", ACROSS.values(), ids=ACROSS)
def test_a_blank_corner_below_labels_and_what_they_say(table: str, gap: str, label: str, world: Words) -> None:
    found = reading(f"Parcel,CAR-7,,,\n{label},,,\n{gap}{table}", world)
    assert found.problems == ()
    (parcel,) = found.parcels
    assert parcel.parcel_id == "CAR-7"
    assert parcel.n_stones in (326, 220)


@pytest.mark.parametrize("stones", [420, 421])
def test_a_sheet_may_sum_up_those_of_the_parcels(stones: int, world: Words) -> None:
    listed: Rows = [["Sheet", "Stones", "Carats"], ["CAR-1", stones, 124.5], ["CAR-2", 290, 85.4]]
    found = read(Upload("w.xlsx", book_of({**BOOK, "Summary": listed})), *world)
    assert [item.parcel_id for item in found.parcels] == ["CAR-1", "CAR-2"][stones - 420 :]
    assert bool(found.problems) == (stones != 420)


def test_a_register_names_the_certificate_of_each_parcel(world: Words) -> None:
    text = "Parcel,Certificate,Zone,Stones,Carats\nCAR-1,CF00121,Nola,830,184.70\nCAR-2,CF00122,Boda,480,113.50\n"
    found = reading(text, world)
    assert found.problems == ()
    assert [(item.parcel_id, item.n_stones, item.certificate_no) for item in found.parcels] == [
        ("CAR-1", 830, "CF00121"),
        ("CAR-2", 480, "CF00122"),
    ]


STONES = {
    "counts": "Sieve,+9,+11\nPcs,{0},60\nCts,31.20,24.60\n",
    "colours": ",White,Brown\nPcs,{0},60\nCts,31.20,24.60\n",
}
BLOCKS = {"rows": "Sieve,Pcs,Cts\n+9,{0},31.20\n+11,60,24.60\n", **STONES}


@pytest.mark.parametrize("margin", ["", ","])
@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_blocks_below_the_names_of_parcels(block: str, margin: str, world: Words) -> None:
    text = f"Parcel 1,,\n{block.format(120)},,\nParcel 2,,\n{block.format(119)}"
    found = reading("".join(f"{margin}{line}\n" for line in text.splitlines()), world)
    assert found.problems == ()
    assert {item.parcel_id: item.n_stones for item in found.parcels} == {"1": 180, "2": 179}


@pytest.mark.parametrize("names", [("Parcel 1", "Parcel 2"), ("Good", "Bad")])
def test_turned_blocks_with_names_in_their_corners(names: tuple[str, str], world: Words) -> None:
    text = "".join(f"{name},White,Brown\nPcs,{n},60\nCts,31.20,24.60\n" for n, name in enumerate(names, start=119))
    found = reading(text, world)
    if names[0] == "Good":
        assert {item.code for item in found.problems} == {"heading_row"}
    else:
        assert {item.parcel_id: item.n_stones for item in found.parcels} == {"1": 179, "2": 180}


@pytest.mark.parametrize("header", ["Stones,Carats", "White,Brown"])
def test_names_of_parcels_in_a_column_of_their_own(header: str, world: Words) -> None:
    found = reading(f",Sieve,{header}\nParcel 1,,,\n,+9,12,3\n,+11,6,2\nParcel 2,,,\n,+9,8,2\n,+11,5,2\n", world)
    assert [item.parcel_id for item in found.parcels] == ["1", "2"]


@pytest.mark.parametrize(
    ("names", "codes"),
    [
        (("CAR-2019-07", "CAR-2019-08"), []),
        (("CAR-2019-07", "CMR-2019-08"), ["table_below"]),
        (("BR-1", "BR-2"), ["table_below"]),
    ],
)
def test_blocks_below_codes_of_one_kind_are_parcels(names: tuple[str, str], codes: list[str], world: Words) -> None:
    blocks = [f"{name},,\nSieve,Pcs,Cts\n+9,{n},31.20\n+11,60,24.60\n" for n, name in enumerate(names, start=119)]
    found = reading("".join(blocks), world)
    assert [item.code for item in found.problems] == codes
    assert [item.parcel_id for item in found.parcels] == ([] if codes else [*names])
