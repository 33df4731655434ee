"""The shipped reference package and the table of zones."""

from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpfootprint.reference import (
    NOT_COVERED,
    ReferencePackage,
    StatusPeriod,
    Zone,
    ZoneTable,
    shipped_reference,
)
from kpfootprint.scheme import CT_PER_MM3, Scheme
from tests import reference_world


@pytest.fixture
def package() -> ReferencePackage:
    return reference_world.package()


def test_the_package_is_read_whole(package: ReferencePackage) -> None:
    assert (package.name, package.version, package.synthetic) == ("synthetic-reference", "2026.2", True)
    assert len(package.batch) == len(package.zone_of) == len(package.collected_on) == 278
    assert sum(parcel.n_stones for parcel in package.batch) == 174_625
    assert len(set(package.zone_of)) == 14
    assert len(package.zone_table.zones) == 17
    assert package.scheme.attribute_names == ("size", "colour", "morphology")
    assert all(parcel.stones is not None and not parcel.declarations for parcel in package.batch)


def test_a_parcel_of_the_package(package: ReferencePackage) -> None:
    """Read R0001 by hand: the row in parcels.csv, and the first stones of stones.csv.gz."""
    parcel = package.batch.parcels[0]
    assert (parcel.parcel_id, package.zone_of[0], package.collected_on[0]) == ("R0001", "berberati", date(2016, 5, 26))
    assert (parcel.n_stones, parcel.declared_carats) == (918, 225.19)
    assert parcel.carats == pytest.approx(225.19)
    assert parcel.conditions.sorter == "S3"
    assert parcel.conditions.specials_removed is False
    assert parcel.stones is not None
    assert parcel.stones.weight_ct[:4].tolist() == [0.21, 0.12, 0.26, 0.27]
    colours = package.scheme.attribute("colour").class_names
    assert [colours[code] for code in parcel.stones.codes["colour"][:3]] == ["milky", "colourless", "cape"]


def test_the_scheme_survives_json(package: ReferencePackage) -> None:
    document = json.loads(json.dumps(package.scheme.to_json()))
    assert Scheme.from_json(document) == package.scheme
    descriptor = json.loads((shipped_reference() / "datapackage.json").read_text(encoding="utf-8"))
    assert descriptor["attributes"][0]["edges_ct"] == document["attributes"][0]["edges_ct"]


def test_edges_lie_between_the_hundredths_to_which_stones_are_weighed(package: ReferencePackage) -> None:
    for sieve_set in package.scheme.sieve_sets:
        thousandths = np.array(sieve_set.lower_ct[1:]) * 1000
        assert np.allclose(thousandths % 10, 5)


def test_edges_are_those_of_the_sieves(package: ReferencePackage) -> None:
    """The apertures of the README give the edges of the set, but for 6 % (the rule of thumb is good to 10 %)."""
    apertures = [1.473, 1.829, 2.159, 2.464, 2.845, 3.454, 4.089, 4.521, 5.410, 5.740, 6.502, 7.925, 10.312]
    weights = CT_PER_MM3 * np.array(apertures) ** 3
    edges = np.array(package.scheme.size.sieve_set.lower_ct[1:])
    assert np.abs(edges - weights).max() < 0.045
    assert np.abs(edges / weights - 1).max() < 0.06
    text = (shipped_reference() / "README.md").read_text(encoding="utf-8")
    for aperture, weight in zip(apertures, weights, strict=True):
        assert f"| {aperture:.3f} | {weight:.3f} |" in text


def test_labels_are_there_in_both_languages(package: ReferencePackage) -> None:
    assert set(package.scheme.size.labels) >= {"en", "fr"}
    for attribute in package.scheme.categorical:
        assert set(attribute.labels) >= {"en", "fr"}
        assert all(set(item.labels) >= {"en", "fr"} for item in attribute.classes)


@pytest.mark.parametrize(
    ("zone", "day", "status"),
    [
        ("berberati", date(2013, 5, 22), NOT_COVERED),
        ("berberati", date(2013, 5, 23), "suspended"),
        ("berberati", date(2016, 5, 25), "suspended"),
        ("berberati", date(2016, 5, 26), "compliant"),
        ("bria", date(2024, 11, 14), "suspended"),
        ("bria", date(2024, 11, 15), "compliant"),
        ("lunda-norte", date(2024, 1, 1), NOT_COVERED),
        ("atlantis", date(2024, 1, 1), NOT_COVERED),
    ],
)
def test_status_on_a_day(zone: str, day: date, status: str, package: ReferencePackage) -> None:
    assert package.zone_table.status_on(zone, day) == status
    assert (zone in package.zone_table.compliant_on(day)) == (status == "compliant")


def test_zones(package: ReferencePackage) -> None:
    table = package.zone_table
    assert table.zone("mbaiki") == Zone(zone_id="mbaiki", name="Mbaïki (Bagandou)", country="CF", region="west")
    assert table.zone("atlantis") is None
    assert table.compliant_on(date(2016, 6, 1)) == ("berberati",)
    assert ZoneTable.from_json(json.loads(json.dumps(table.to_json()))) == table


@given(
    starts=st.lists(st.dates(date(1990, 1, 1), date(2090, 1, 1)), min_size=1, max_size=5, unique=True),
    day=st.dates(date(1980, 1, 1), date(2100, 1, 1)),
)
def test_a_day_has_the_status_of_the_last_period_that_began(starts: list[date], day: date) -> None:
    starts.sort()
    ends = [*starts[1:], None]
    table = ZoneTable(
        zones=(Zone(zone_id="z", name="Z", country="CF", region="west"),),
        periods=tuple(
            StatusPeriod(zone_id="z", status=str(at), valid_from=start, valid_to=end, source="test")
            for at, (start, end) in enumerate(zip(starts, ends, strict=True))
        ),
    )
    begun = [at for at, start in enumerate(starts) if start <= day]
    assert table.status_on("z", day) == (str(begun[-1]) if begun else NOT_COVERED)
    assert table.status_on("z", starts[-1] + timedelta(days=9)) == str(len(starts) - 1)
