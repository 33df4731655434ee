"""Parcels below each other on one sheet, each under lines that say which it is and more."""

from __future__ import annotations

import pytest

from kpfootprint.ingest import Reading, Upload, read
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme
from tests.every import every

HEADER = "Tamis;Pierres;Carats\n"
ONE, TWO = "+11;20;8,00\n+9;30;6,60\n", "+11;10;4,00\n+9;12;2,60\n"


def reading(first: str, second: str, scheme: Scheme, zone_table: ZoneTable, *, end: str = "") -> Reading:
    text = first + HEADER + ONE + second + HEADER + TWO + end
    return read(Upload("w.csv", text.encode()), scheme, zone_table)


SAID = {
    "two cells": ("Colis : CAR-1;Zone : Nola;\n", ";;\nColis : CAR-2;Zone : Boda;\n"),
    "labels": ("Colis;CAR-1;\nZone;Nola;\n", ";;\nColis;CAR-2;\nZone;Boda;\n"),
    "two lines": ("Colis CAR-1;;\nZone Nola;;\n", "Colis CAR-2;;\nZone Boda;;\n"),
    "brackets": ("PARCEL CAR-1 (Nola);;\n", "PARCEL CAR-2 (Boda);;\n"),
    "a dash": ("Colis CAR-1 — Nola;;\n", "Colis CAR-2 — Boda;;\n"),
    "a comma": ("Colis CAR-1, zone Nola;;\n", "Colis CAR-2, zone Boda;;\n"),
    "below a letterhead": ("Ministère des Mines;;\nColis CAR-1;;\nNola;;\n", "Colis CAR-2;;\nBoda;;\n"),
    "a total of its own": ("Colis CAR-1;;\nNola;;\n", "Total;50;14,60\nColis CAR-2;;\nBoda;;\n"),
}


@every("end", ["", "Total;22;6,60\n", "Total;22;6,60\nTotal général;72;21,20\n"])
@every("how", SAID)
def test_lines_above_a_section_say_its_parcel_and_zone(
    how: str, end: str, scheme: Scheme, zone_table: ZoneTable
) -> None:
    found = reading(*SAID[how], scheme, zone_table, end=end)
    said = [
        (parcel.parcel_id, parcel.n_stones, parcel.carats, [item.zone_id for item in parcel.declarations])
        for parcel in found.parcels
    ]
    assert (found.problems, said) == ((), [("CAR-1", 50, 14.6, ["nola"]), ("CAR-2", 22, 6.6, ["boda"])])


@pytest.mark.parametrize(
    ("first", "second", "end"),
    [
        ("Colis CAR-1;;\nNola;;\n", "Colis CAR-1;;\nBoda;;\n", ""),
        ("Colis CAR-1;Exportateur X;\n", "Colis CAR-2;Exportateur Y;\n", ""),
        ("Colis CAR-1 (suite);;\n", "Colis CAR-2 (suite);;\n", ""),
        ("Colis CAR-1;;\n", "Colis CAR-2;;\n", "Total;23;6,60\n"),
    ],
)
def test_what_lines_leave_open_is_asked(
    first: str, second: str, end: str, scheme: Scheme, zone_table: ZoneTable
) -> None:
    assert reading(first, second, scheme, zone_table, end=end).problems
