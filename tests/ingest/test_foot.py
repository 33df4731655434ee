"""The foot of a sheet, in whatever words: it neither spoils the table above nor is lost."""

from __future__ import annotations

from typing import Any

import pytest

from kpfootprint.ingest import Reading, Upload, read
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme
from tests.every import every
from tests.ingest.making import book_of

Rows = list[list[Any]]
TABLES: dict[str, Rows] = {
    "ladder": [["Sieve", "Pcs", "Cts"], ["+11", 20, 8.0], ["+9", 30, 6.6]],
    "ladder with its total": [["Sieve", "Pcs", "Cts"], ["+11", 20, 8.0], ["+9", 30, 6.6], ["Total", 50, 14.6]],
    "cross-tab": [["Sieve", "White pcs", "Brown pcs"], ["+11", 8, 12], ["+9", 10, 20]],
    "stones": [["No", "Weight (ct)", "Colour"], [1, 0.35, "brown"], [2, 0.42, "white"], [3, 0.3, "cape"]],
}
FEET: dict[str, Rows] = {
    "who sorted": [["Sorted by:", "J. K."], ["Date:", "2021-03-04"]],
    "in French": [["Trié par :", "J. K."], ["Lieu :", "Bangui"], ["Signature :", ""]],
    "three who sign": [["Sorter", "Valuer", "Manager"], ["A. B.", "C. D.", "E. F."]],
    "one beside another": [["Le Trieur", "", "Le Chef de Bureau"]],
    "right below the numbers": [["", "Sorted by:"], ["", "J. K."]],
    "a remark": [["Observations", "RAS"]],
    "a remark below its label": [["Remarks:"], ["Goods mostly clean."]],
    "an address": [["Bangui", "Tel. +236 70 00 00 00"]],
    "a scale": [["Scale", "Mettler no. 4"]],
    "who has copies": [["Original: BECDOR", "Copy 1: exporter", "Copy 2: archives"]],
}


def reading(rows: Rows, scheme: Scheme, zone_table: ZoneTable) -> Reading:
    return read(Upload("w.xlsx", book_of({"Tri": rows})), scheme, zone_table)


@pytest.mark.slow
@every("foot", FEET)
@every("table", TABLES)
def test_a_foot_below_a_blank_line_is_left_out_and_told(
    table: str, foot: str, scheme: Scheme, zone_table: ZoneTable
) -> None:
    (bare,) = reading(TABLES[table], scheme, zone_table).parcels
    found = reading([*TABLES[table], [], *FEET[foot]], scheme, zone_table)
    assert found.problems == ()
    (parcel,) = found.parcels
    assert (parcel.n_stones, parcel.carats) == (bare.n_stones, bare.carats)
    assert parcel.read_as is not None
    told = " ".join(note["text"] for note in parcel.read_as["left_out"])
    assert all(str(cell) in told for row in FEET[foot] for cell in row if cell)


@pytest.mark.parametrize(
    "line", [["Total value USD", "", 21500.0], ["Average price USD/ct", "", 182.5], ["Seal no.", "004512"]]
)
def test_figures_of_other_things_below_a_table_are_no_stones(
    line: list[Any], scheme: Scheme, zone_table: ZoneTable
) -> None:
    for table in ("ladder", "ladder with its total"):
        (parcel,) = reading([*TABLES[table], [], line], scheme, zone_table).parcels
        assert (parcel.n_stones, parcel.carats) == (50, 14.6)


@every("table", ["ladder", "stones"])
@every("line", [["+7", "illegible", ""], ["4", "O.42", ""], ["", "O.42", ""], ["+7", "12?", "1.7"]])
def test_a_row_that_may_be_of_goods_is_no_foot(
    line: list[Any], table: str, scheme: Scheme, zone_table: ZoneTable
) -> None:
    assert reading([*TABLES[table], [], line], scheme, zone_table).problems


def test_a_foot_that_speaks_of_other_stones_is_asked_about(scheme: Scheme, zone_table: ZoneTable) -> None:
    rows = [
        *TABLES["ladder with its total"],
        [],
        ["Remarks:", "2 stones removed after sorting"],
        ["Sorted by:", "J. K."],
    ]
    assert [item.code for item in reading(rows, scheme, zone_table).problems] == ["stones_besides"]
