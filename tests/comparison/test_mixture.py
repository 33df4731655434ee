from __future__ import annotations

import numpy as np
import pytest

from kpfootprint.comparison.findings import carat_share, readings_within
from kpfootprint.comparison.results import Interval
from tests.reference_world import TODAY, examined, package, reference_parcel
from tests.worlds import shipped


def test_stones_become_carats_by_mean_stones() -> None:
    # of 100 stones, 20 of half a carat (10 ct) among 80 of a quarter (20 ct): a third of the carats
    assert carat_share(0.2, 0.5, 0.25) == pytest.approx(1 / 3)
    assert carat_share(0.3, 0.4, 0.4) == pytest.approx(0.3)
    assert carat_share(0.0, 0.5, 0.2) == 0.0
    assert carat_share(1.0, 0.5, 0.2) == pytest.approx(1.0)


@pytest.mark.parametrize(("low", "high", "n"), [(0.0, 0.61, 0), (0.0, 0.9, 2), (0.2, 0.9, 0), (0.05, 0.8, 2)])
def test_two_readings_are_told_where_the_interval_holds_most_of_both(low: float, high: float, n: int) -> None:
    found = readings_within(((0.0, 0.3, 0.8), (0.6, 0.9, 0.2)), Interval(estimate=0.25, low=low, high=high, level=0.9))
    assert [(item.low, item.high) for item in found] == [(low, 0.3), (0.6, high)][:n]


@pytest.mark.slow
def test_pure_reference_parcels_of_compliant_zones_show_no_undeclared_goods() -> None:
    compliant = set(shipped().zone_table.compliant_on(TODAY)) & set(shipped().zone_ids)
    suspects = {item["parcel_id"] for item in shipped().manifest["suspects"]}
    parcels = [
        reference_parcel(row, zone)
        for row, zone in enumerate(package().zone_of)
        if zone in compliant and package().batch.parcels[row].parcel_id not in suspects
    ]
    found_some: dict[str, list[bool]] = {zone: [] for zone in compliant}
    for parcel, found in zip(parcels, examined(*parcels), strict=True):
        assert found.mixture is not None
        share = found.mixture.undeclared_stone_fraction
        assert 0.0 <= share.low <= share.estimate <= share.high <= 1.0
        assert share.low == 0.0 or found.mixture.p_value <= 0.05
        found_some[parcel.declarations[0].zone_id].append(share.low > 0.0)
    # the test's level is 5 %: a tenth in all, and a quarter of the 16 or 30 parcels of any one zone, would be too many
    assert np.mean([one for zone in found_some.values() for one in zone]) <= 0.1
    assert max(float(np.mean(zone)) for zone in found_some.values()) <= 0.25
