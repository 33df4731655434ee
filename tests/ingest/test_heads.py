"""Where the header stands: on one line, two or three, below any title, its groups repeated, merged or named once."""

from __future__ import annotations

from typing import Any

import pytest

from kpfootprint.ingest import Upload, read
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme
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


@pytest.mark.parametrize("above", TITLES)
@pytest.mark.parametrize("head", HEADS)
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
