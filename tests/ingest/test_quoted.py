"""Nothing that a sheet says is lost in silence: what was not understood is quoted in the receipt, short."""

from __future__ import annotations

from typing import Any

import pytest

from kpfootprint.ingest import Reading, Upload, read
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme
from tests.every import every
from tests.ingest.making import book_of

Rows = list[list[Any]]
SIZES: Rows = [["Sieve", "Pcs", "Cts"], ["+11", 20, 8.0], ["+9", 30, 6.6]]
SAID = (
    "CVD",
    "en double",
    "with no 3",
    "voir ligne 4",
    "appartient au colis 6",
    "à retirer",
    "x",
    "oui",
    "deux pierres",
)
PLAIN = ("S-014", "12.5", "12 USD", "2024-03-11", "12 mars 2019", "Lot 3", "3.1 x 2.2 x 1.9", "0.30 ct", "VS1")
GOODS: dict[str, Rows] = {
    "weights": [[14.2], [11.9], [12.3]],
    "numbered": [[1, 14.2], [2, 11.9]],
    "a class": [["Boart", 120]],
    "a class below unknown headers": [["Lot", "Amount"], ["Boart", 120]],
    "units": [["Item", "Amount", "Unit"], ["A", 120, "pcs"], ["B", 33.5, "ct"]],
}
NO_GOODS: dict[str, Rows] = {
    "prices": [["Class", "USD/ct"], ["White", 200], ["Cape", 150]],
    "apertures": [["Sieve", "Aperture mm"], ["+11", 3.454], ["+9", 2.845]],
    "codes": [["Code", "Colour"], [1, "White"], [2, "Cape"]],
    "a summary": [["Parcel", "CF-9"], ["Stones", 50], ["Carats", 14.6]],
    "people": [["Name", "Function"], ["JM", "sorter"]],
}


def reading(sheets: dict[str, Rows], scheme: Scheme, zone_table: ZoneTable, **choices: str) -> Reading:
    return read(Upload("w.xlsx", book_of(sheets)), scheme, zone_table, choices=choices)


def quoted(found: Reading) -> str:
    assert found.problems == ()
    (parcel,) = found.parcels
    assert parcel.read_as is not None
    return " ".join(note["text"] for note in (*parcel.read_as["left_out"], *parcel.read_as["notes"]))


def listed(said: str, header: str = "Fantasy") -> str:
    rows = "".join(f"0.3{at},white,{said if at == 5 else ''}\n" for at in range(9))
    return f"weight_ct,colour,{header}\n{rows}"


@every("header", ["Fantasy", "Remarks", "Purity"])
@every("said", SAID)
def test_words_of_a_column_that_is_not_read_are_quoted_with_their_row(
    said: str, header: str, scheme: Scheme, zone_table: ZoneTable
) -> None:
    found = read(Upload("s.csv", listed(said, header).encode()), scheme, zone_table)
    assert found.problems or f"{header} (7: {said})" in quoted(found)


@every("said", PLAIN)
def test_ids_days_weights_and_prices_are_no_news(said: str, scheme: Scheme, zone_table: ZoneTable) -> None:
    found = read(Upload("s.csv", listed(said).encode()), scheme, zone_table)
    assert quoted(found) == ""
    assert (found.parcels[0].read_as or {})["passed_over"] == ["Fantasy"]


def test_what_is_quoted_is_short(scheme: Scheme, zone_table: ZoneTable) -> None:
    rows = "".join(f"0.3{at % 10},white,{'word ' * 40}{at:x}z,w{chr(97 + at % 20)}\n" for at in range(200))
    found = read(Upload("s.csv", f"weight_ct,colour,Remarks,Site\n{rows}".encode()), scheme, zone_table)
    assert "…" in quoted(found)
    assert len(quoted(found)) < 800


def test_words_of_every_line_of_a_sheet_of_notes_are_quoted(scheme: Scheme, zone_table: ZoneTable) -> None:
    notes = [["Goods were washed twice"], ["Ask Jeanne about the second bag"], ["Keep until June"]]
    text = quoted(reading({"Tri": SIZES, "Notes": notes}, scheme, zone_table))
    assert all(line in text for (line,) in notes)
    wide = [["who", "what", "when", "where", "why"], ["Jeanne", "moved one bag", "Monday", "Bangui", "unknown"]]
    assert "moved one bag" in quoted(reading({"Tri": SIZES, "Log": wide}, scheme, zone_table))


def test_all_cells_of_a_row_of_words_below_are_told(scheme: Scheme, zone_table: ZoneTable) -> None:
    rows = [*SIZES, ["Total", 50, 14.6], ["Memo", "Jeanne", "keeps the second bag"]]
    assert "Memo Jeanne keeps the second bag" in quoted(reading({"Tri": rows}, scheme, zone_table))


@pytest.mark.parametrize("kind", GOODS)
def test_a_sheet_that_could_hold_goods_is_asked_about(kind: str, scheme: Scheme, zone_table: ZoneTable) -> None:
    for sheets in ({"Tri": SIZES, "Sheet2": GOODS[kind]}, {"Info": GOODS[kind], "Tri": SIZES}):
        assert [item.code for item in reading(sheets, scheme, zone_table).problems] == ["sheet_of_goods"]
        (parcel,) = reading(sheets, scheme, zone_table, part="whole").parcels
        assert (parcel.n_stones, parcel.carats) == (50, 14.6)


@pytest.mark.parametrize("kind", NO_GOODS)
def test_a_sheet_that_holds_no_goods_is_not_asked_about(kind: str, scheme: Scheme, zone_table: ZoneTable) -> None:
    for sheets in ({"Tri": SIZES, "Sheet2": NO_GOODS[kind]}, {"Info": NO_GOODS[kind], "Tri": SIZES}):
        found = reading(sheets, scheme, zone_table)
        assert (found.problems, [(item.n_stones, item.carats) for item in found.parcels]) == ((), [(50, 14.6)])
