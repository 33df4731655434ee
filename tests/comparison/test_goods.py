"""Value and volume: what is expected of the reference, flags outside of it, and no word in the conclusion."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from kpfootprint.comparison.results import Examination, ValueAndVolume
from kpfootprint.flow import examinations_of
from kpfootprint.ingest import ingest_json
from kpfootprint.ingest.document import parcel_to_json
from kpfootprint.parcel import Batch, Parcel
from kpfootprint.stats.intervals import LEAST_HISTORY, NEXT_LEVEL, next_value
from tests.reference_world import examined, first_of, reference_parcel, with_stones
from tests.worlds import shipped

DAY = date(2024, 3, 11)
ZONES = ("berberati", "carnot", "nola", "boda", "gadzi")


def goods(found: Examination) -> ValueAndVolume:
    assert found.goods is not None
    return found.goods


def valued(parcel: Parcel) -> Parcel:
    assert parcel.stones is not None
    values = np.round(parcel.stones.weight_ct**1.7 * 180, 2)
    return replace(parcel, stones=replace(parcel.stones, value_usd=values), value_usd=round(float(values.sum()), 2))


@pytest.mark.parametrize("n", [LEAST_HISTORY, 40])
def test_the_next_of_lognormal_values_lies_within_the_bounds_as_often_as_stated(n: int) -> None:
    rng = np.random.default_rng(7)
    below = above = 0
    trials = 4000
    for _ in range(trials):
        values = np.exp(rng.normal(2.0, 0.5, n + 1))
        bounds = next_value(values[:-1].tolist())
        assert bounds is not None
        below += int(values[-1] < bounds[0])
        above += int(values[-1] > bounds[1])
    limit = trials * (1 - NEXT_LEVEL) + 4 * np.sqrt(trials * (1 - NEXT_LEVEL))
    assert below <= limit
    assert above <= limit
    assert below + above > 0


def test_most_reference_parcels_have_a_mean_stone_within_what_is_usual() -> None:
    parcels = [reference_parcel(first_of(zone), zone) for zone in ZONES]
    found = [goods(item) for item in examined(*(replace(parcel, exported_on=DAY) for parcel in parcels))]
    for item, parcel in zip(found, parcels, strict=True):
        assert item.mean_ct == parcel.mean_ct
        assert item.mean_ct_usual is not None
        assert 0 < item.mean_ct_usual.low <= item.mean_ct_usual.expected <= item.mean_ct_usual.high
    flagged = [item for item in found if any(flag.code == "mean_stone_unusual" for flag in item.flags)]
    assert len(flagged) <= 2


def test_a_mean_stone_of_twice_the_size_is_flagged_and_decides_nothing_by_itself() -> None:
    parcel = replace(reference_parcel(first_of("berberati"), "berberati"), exported_on=DAY)
    bare = replace(parcel, conditions=replace(parcel.conditions, bottom_screen_mm=None))
    assert bare.stones is not None
    assert bare.carats is not None
    stones = replace(bare.stones, weight_ct=bare.stones.weight_ct * 2.5)
    twice = replace(bare, stones=stones, carats=bare.carats * 2.5)
    (found,) = examined(twice)
    (flag,) = [flag for flag in goods(found).flags if flag.code == "mean_stone_unusual"]
    assert flag.values["zones"] == ("berberati",)


def test_values_change_no_other_number() -> None:
    parcel = replace(reference_parcel(first_of("berberati"), "berberati"), exported_on=DAY)
    without, with_values = examined(parcel, valued(parcel))
    assert replace(without, goods=None) == replace(with_values, goods=None)
    assert goods(without).usd_per_ct is None
    assert goods(without).by_size == ()


def test_value_per_carat_by_size_adds_up_and_is_read_back_from_the_document() -> None:
    parcel = valued(replace(reference_parcel(first_of("berberati"), "berberati"), exported_on=DAY))
    again = ingest_json(parcel_to_json(parcel, shipped().scheme), shipped().scheme, shipped().zone_table)
    first, second = (goods(item) for item in examined(parcel, again))
    assert first == second
    assert first.usd_per_ct is not None
    assert sum(item.n_stones for item in first.by_size) == parcel.n_stones
    total = sum(item.carats * item.usd_per_ct for item in first.by_size)
    assert parcel.value_usd is not None
    assert total == pytest.approx(parcel.value_usd)
    assert [item.usd_per_ct for item in first.by_size] == sorted(item.usd_per_ct for item in first.by_size)


def test_a_valued_stone_below_the_first_class_counts_in_it() -> None:
    parcel = valued(replace(reference_parcel(first_of("berberati"), "berberati"), exported_on=DAY))
    assert parcel.stones is not None
    lightest = replace(parcel.stones, weight_ct=np.append(parcel.stones.weight_ct[1:], 0.005))
    scheme = shipped().scheme
    begun = replace(scheme.size.sieve_set, lower_ct=(0.02, *scheme.size.sieve_set.lower_ct[1:]))
    scheme = replace(scheme, size=replace(scheme.size, sieve_set=begun), sieve_sets=(begun, *scheme.sieve_sets[1:]))
    release = replace(shipped(), manifest=MappingProxyType({**shipped().manifest, "scheme": scheme.to_json()}))
    (found,) = examinations_of(Batch((replace(parcel, stones=lightest),)), release, status_on=DAY)
    assert sum(item.n_stones for item in goods(found).by_size) == parcel.n_stones
    assert goods(found).by_size[0].size_class == begun.classes[0]


def test_a_sorting_sheet_with_values_gives_what_its_stones_give() -> None:
    parcel = valued(replace(reference_parcel(first_of("berberati"), "berberati"), exported_on=DAY))
    (of_stones,) = (goods(item) for item in examined(parcel))
    rows = [
        {"size_class": row.size_class, "n_stones": row.n_stones, "carats": round(row.carats, 3)}
        | {"value_usd": round(row.carats * row.usd_per_ct, 2)}
        for row in of_stones.by_size
    ]
    document = {"parcel_id": "S", "exported_on": "2024-03-11", "declarations": [{"zone_id": "berberati"}]}

    def read(counts: list[dict[str, Any]]) -> Parcel:
        return ingest_json(document | {"counts": counts}, shipped().scheme, shipped().zone_table)

    sheet, bare = read(rows), read([{name: row[name] for name in row if name != "value_usd"} for row in rows])
    again = ingest_json(parcel_to_json(sheet, shipped().scheme), shipped().scheme, shipped().zone_table)
    (found,), (same,), (without,) = examined(sheet), examined(again), examined(bare)
    assert found == same
    assert sheet.value_usd == pytest.approx(parcel.value_usd, abs=0.1)
    assert [row.n_stones for row in goods(found).by_size] == [row.n_stones for row in of_stones.by_size]
    for row, other in zip(goods(found).by_size, of_stones.by_size, strict=True):
        assert row.size_class == other.size_class
        assert row.carats == pytest.approx(other.carats, abs=0.001)
        assert row.usd_per_ct == pytest.approx(other.usd_per_ct, rel=0.01)
    assert replace(found, goods=None) == replace(without, goods=None)
    assert read([rows[0] | {"value_usd": ""}, *rows[1:]]).value_usd is None


def test_carats_are_held_against_the_reference_parcels_of_the_zone_where_the_release_knows_them() -> None:
    parcel = replace(reference_parcel(first_of("berberati"), "berberati"), exported_on=DAY)
    assert parcel.carats is not None
    for factor, flagged in ((1.0, False), (0.05, True)):
        history = [parcel.carats * factor * (1 + 0.1 * (k % 5)) for k in range(20)]
        written = [0.0, *history]  # as a parcel below half a thousandth of a carat is
        manifest = MappingProxyType({**shipped().manifest, "carats": {"berberati": written}})
        release = replace(shipped(), manifest=manifest)
        (found,) = examinations_of(Batch((parcel,)), release, status_on=DAY)
        (row,) = goods(found).carats
        bounds = next_value(history)
        assert bounds is not None
        assert (row.zone_id, row.n_parcels, row.high) == ("berberati", 20, bounds[1])
        assert any(flag.code == "carats_above_reference" for flag in goods(found).flags) is flagged


def test_a_few_stones_and_an_undeclared_parcel_have_no_usual_mean() -> None:
    parcel = reference_parcel(first_of("berberati"), "berberati")
    few, undeclared = examined(with_stones(parcel, slice(0, 3)), replace(parcel, declarations=()))
    for item in (few, undeclared):
        assert goods(item).mean_ct is not None
        assert goods(item).mean_ct_usual is None
        assert goods(item).flags == ()
