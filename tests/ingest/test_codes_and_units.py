"""Codes of countries and zones that are units elsewhere (``GN`` for Guinea and for grains) are read as such."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import replace

import pytest

from kpfootprint.ingest import Upload, read
from kpfootprint.reference import Zone, ZoneTable
from kpfootprint.scheme import Scheme

STONES = "weight_ct,colour,morphology\n0.30,brown,macle\n0.41,cape,cube\n"


@pytest.fixture
def guinea(zone_table: ZoneTable) -> ZoneTable:
    """Return the zones with one whose country is ``GN``, and one that is called ``PT``."""
    named = (("kerouane", "Kérouané"), ("PT", "Pita"))
    more = (Zone(zone_id=zone_id, name=name, country="GN", region="west") for zone_id, name in named)
    return replace(zone_table, zones=(*zone_table.zones, *more))


SHEETS: Mapping[str, tuple[str, str]] = {
    "countries": (STONES, "country,carats\nGN,0.71\n"),
    "countries as zones": (STONES, "zone_id,carats\nGN,0.71\n"),
    "one zone": (STONES, "zone_id,carats\nPT,0.71\n"),
    "a title": (f"Country: GN\n{STONES}", ""),
    "a title with carats": (f"Provenance: PT 0.71 ct\n{STONES}", ""),
    "a column": (STONES.replace("\n0", "\nGN,0").replace("weight_ct", "country,weight_ct"), ""),
}


@pytest.mark.parametrize("name", SHEETS)
def test_a_code_of_the_package_is_no_unit(name: str, scheme: Scheme, guinea: ZoneTable) -> None:
    stones, declarations = SHEETS[name]
    files = {"stones.csv": stones.encode()} | ({"declarations.csv": declarations.encode()} if declarations else {})
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    found = read(Upload("s.zip", packed.getvalue()), scheme, guinea)
    assert found.problems == ()
    (parcel,) = found.parcels
    named = [*(item.zone_id for item in parcel.declarations), *(item.country for item in parcel.countries)]
    assert named == ["PT" if "PT" in stones + declarations else "GN"]


@pytest.mark.parametrize("title", ["Weights in gn", "Poids : gr", "Poids en gn"])
def test_a_unit_in_small_letters_stays_one(title: str, scheme: Scheme, guinea: ZoneTable) -> None:
    text = f"{title}\n{STONES.replace('weight_ct', 'Weight')}"
    found = read(Upload("s.csv", text.encode()), scheme, guinea)
    assert [problem.code for problem in found.problems] == ["unit_in_title"]
