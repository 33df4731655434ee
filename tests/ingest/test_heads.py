"""Where the header stands: on one line, two or three, below any title, its groups repeated, merged or named once."""

from __future__ import annotations

from typing import Any

import pytest

from kpfootprint.ingest import Upload, read
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme
from tests.every import every
from tests.ingest.making import book_of

Rows = list[list[Any]]
TITLES: dict[str, Rows] = {
    "none": [],
    "a title": [["SORTING SHEET"]],
    "label and value": [["Parcel", "CAR-7"], ["Zone", "Nola"]],
    "with colons": [["Bordereau n° :", "B-59"], ["Provenance :", "Nola"]],
    "four cells": [["Parcel:", "CAR-7", "", "Date:", "2021-02-03"]],
    "a blank line": [["Exporter", "Maison X"], ["Provenance", "Nola"], []],
}
COLOURS = ("White", "Cape", "Yellow")
COUNTS: Rows = [["+11", 25, 28, 59], ["-11+9", 35, 75, 41]]
PAIRS: Rows = [["+11", 25, 10.4, 28, 11.6, 59, 25.0], ["-11+9", 35, 8.4, 75, 17.5, 41, 9.8]]
TURNED: Rows = [["White", 25, 10.4, 35, 8.4], ["Cape", 28, 11.6, 75, 17.5], ["Yellow", 59, 25.0, 41, 9.8]]
REPEATED = [word for colour in COLOURS for word in (colour, colour)]
ONCE = [word for colour in COLOURS for word in (colour, "")]
HEADS: dict[str, Rows] = {
    "repeated": [["Size", *REPEATED], ["", *("pcs", "cts") * 3], *PAIRS],
    "named once": [["Size", *ONCE], ["", *("pcs", "cts") * 3], *PAIRS],
    "over the whole": [["Sieve", "Colour"], ["", *COLOURS], *COUNTS],
    "over the whole, in the plural": [["Sieve", "Colours"], ["", *COLOURS], *COUNTS],
    "the corner merged": [["Sieve", "Couleur"], ["Sieve", *COLOURS], *COUNTS],
    "three lines": [["Sieve", "Colour"], ["", *ONCE], ["", *("Pcs", "Cts") * 3], *PAIRS],
    "turned": [["Colour", "+11 pcs", "+11 cts", "-11+9 pcs", "-11+9 cts"], *TURNED],
    "turned, counted by n": [["Colour", "+11 n", "+11 ct", "-11+9 n", "-11+9 ct"], *TURNED],
    "turned, two lines": [["Colour", "+11", "+11", "-11+9", "-11+9"], ["", *("pcs", "cts") * 2], *TURNED],
}


@pytest.mark.slow
@every("above", TITLES)
@every("head", HEADS)
def test_classes_are_read_below_any_title(head: str, above: str, scheme: Scheme, zone_table: ZoneTable) -> None:
    rows = [*TITLES[above], *HEADS[head]]
    found = read(Upload("w.xlsx", book_of({"Tri": rows})), scheme, zone_table)
    assert found.problems == ()
    (parcel,) = found.parcels
    assert parcel.read_as is not None
    assert parcel.n_stones == 263
    assert parcel.read_as["classes"]["colour"] == {"colourless": 60, "cape": 103, "yellow": 100}
    assert [*parcel.read_as["classes"]["size"].values()] == [151, 112]


@pytest.mark.parametrize("sizes", [("5 gr", "4 gr"), ("3 gr", "+11")])
def test_grainers_across_are_sizes_and_no_unit(sizes: tuple[str, str], scheme: Scheme, zone_table: ZoneTable) -> None:
    head: list[Any] = ["Colour", *(f"{size} {measure}" for size in sizes for measure in ("pcs", "cts"))]
    rows = [head, ["White", 12, 12.0, 10, 10.0], ["Cape", 8, 8.0, 5, 5.0]]
    found = read(Upload("w.xlsx", book_of({"Tri": rows})), scheme, zone_table)
    assert {item.code for item in found.problems} <= {"size_mean_outside", "sizes_overlap"}
    assert found.problems or found.parcels[0].n_stones == 35


@pytest.mark.parametrize("head", ["Weight range", "Size (ct)"])
@pytest.mark.parametrize("one", ["0.10-0.19 ct", "de 0.10 à 0.19 ct", "0.10ct - 0.19ct"])
def test_ranges_below_a_header_of_weights_are_sizes(one: str, head: str, scheme: Scheme, zone_table: ZoneTable) -> None:
    text = f"{head},Stones,Carats\n{one},81,11.40\n{one.replace('1', '2', 1).replace('0.19', '0.29')},52,12.60\n"
    found = read(Upload("s.csv", text.encode()), scheme, zone_table)
    assert (found.problems, [(item.n_stones, item.carats) for item in found.parcels]) == ((), [(133, 24.0)])


def test_the_name_of_a_table_before_each_header_says_nothing(scheme: Scheme, zone_table: ZoneTable) -> None:
    rows = "".join(f"{at},0.{20 + at},{colour}\n" for at, colour in enumerate(("white", "brown", "cape", "cape"), 1))
    text = f"dbo.stone.id,dbo.stone.weight_ct,dbo.stone.colour\n{rows}"
    (parcel,) = read(Upload("s.csv", text.encode()), scheme, zone_table).parcels
    assert (parcel.n_stones, parcel.carats) == (4, 0.9)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Sieve (sample only),Pcs,Cts\n+11,20,8.00\n+9,30,6.60\n", "part_in_title"),
        ("Sieve,Pcs (estimated),Cts\n+11,20,8.00\n+9,30,6.60\n", "part_in_title"),
        ("Sieve,Qty,Unit\n+11,20,dozen\n+9,30,dozen\n", "unknown_unit"),
        ("Sieve,Qty,Unit\n+11,40,%\n+9,60,%\n", "unknown_unit"),
        ("Bag,Carats\nB1,2.31\nB2,0.84\nB3,3.12\n", "lots_without_numbers"),
        ("Tamis,Pierres,Carats,Centièmes\n+11,30,12,45\n+9,40,8,10\n", "decimals_apart"),
    ],
)
def test_headers_that_change_what_numbers_mean_are_heard(
    text: str, code: str, scheme: Scheme, zone_table: ZoneTable
) -> None:
    assert code in {item.code for item in read(Upload("s.csv", text.encode()), scheme, zone_table).problems}


def test_a_cover_with_a_day_is_no_table(scheme: Scheme, zone_table: ZoneTable) -> None:
    cover: Rows = [["Exporter", "Maison X"], ["Certificate", "CF0012"], ["Date", "2021-05-04"], ["Zone", "Nola"]]
    sheets: dict[str, Rows] = {"Cover": cover, "Sorting": [["Sieve", "Pcs", "Cts"], ["+11", 20, 8.0], ["+9", 30, 6.6]]}
    found = read(Upload("w.xlsx", book_of(sheets)), scheme, zone_table)
    assert found.problems == ()
    (parcel,) = found.parcels
    assert (parcel.exporter, parcel.certificate_no) == ("Maison X", "CF0012")
    assert [item.zone_id for item in parcel.declarations] == ["nola"]


ABOVE: dict[str, Rows] = {
    "a name": [["Buying house", "Maison Alpha"]],
    "two names": [["Buying house", "Maison Alpha"], ["Buyer's licence", "L-118"], []],
    "a sentence": [["The parcel was sorted by hand on DTC sieves under daylight."], []],
    "stars": [["*****"], ["TRI"], ["*****"], []],
    "an address": [["ALPHA DIAMONDS SARL"], ["BP 1234, Avenue Boganda"], ["Tel. 70 11 22 33"], []],
    "a day and a time": [["Date", "12 March 2021", "Time", "10:15"], []],
}


@pytest.mark.slow
@every("above", ABOVE)
@every("shift", [0, 2])
@every("head", ["Weight (ct)", "Carats", "Poids (cts)"])
def test_a_bare_list_of_weights_stands_below_any_title(
    above: str, shift: int, head: str, scheme: Scheme, zone_table: ZoneTable
) -> None:
    weights = [0.42, 0.31, 0.38, 0.50, 0.27]
    rows = [[None] * shift + row for row in [*ABOVE[above], [head], *([weight] for weight in weights)]]
    found = read(Upload("sheet.xlsx", book_of({"Sheet1": rows})), scheme, zone_table, one=True)
    assert found.problems == ()
    assert found.parcels[0].n_stones == len(weights)
    assert found.parcels[0].carats == pytest.approx(sum(weights))


@pytest.mark.parametrize("shift", [0, 1, 2])
def test_labels_side_by_side_are_titles_wherever_the_table_begins(
    shift: int, scheme: Scheme, zone_table: ZoneTable
) -> None:
    titles: Rows = [["Exporter:", "Maison X", "Date:", "2021-05-04"], ["Origin:", "Nola", "Sorter:", "AB"], []]
    table: Rows = [["Sieve", "Stones", "Carats"], ["+11", 44, 17.48], ["-11+9", 201, 45.86]]
    rows = [[None] * shift + row for row in [*titles, *table]]
    found = read(Upload("sheet.xlsx", book_of({"Sheet1": rows})), scheme, zone_table, one=True)
    assert found.problems == ()
    (parcel,) = found.parcels
    assert (parcel.n_stones, [zone.zone_id for zone in parcel.declarations]) == (245, ["nola"])


@pytest.mark.parametrize(
    "label",
    ["KP certificate no.", "Certificat KP n°", "N° de certificat KP", "Kimberley Process Certificate No", "KPC No."],
)
def test_a_certificate_is_called_in_many_ways(label: str, scheme: Scheme, zone_table: ZoneTable) -> None:
    rows: Rows = [[label, "CF00124"], [], ["Sieve", "Stones", "Carats"], ["+11", 44, 17.48], ["-11+9", 201, 45.86]]
    found = read(Upload("sheet.xlsx", book_of({"Sheet1": rows})), scheme, zone_table, one=True)
    assert found.parcels[0].certificate_no == "CF00124"
