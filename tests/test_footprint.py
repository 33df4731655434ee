from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kpfootprint.footprint import SPECIALS_CT, footprints_of, mean_stones
from kpfootprint.parcel import NOT_RECORDED, Batch, Breakdown, Parcel, Stones
from kpfootprint.scheme import CT_PER_MM3, SieveSet
from kpfootprint.stats.arrays import Floats, ParcelArrays
from tests.reference_world import examined, package, reference_parcel, with_stones
from tests.worlds import shipped


def arrays_of(*parcels: Parcel) -> ParcelArrays:
    """Return the arrays of parcels that share a sieve set."""
    (found,) = footprints_of(Batch(parcels), shipped().scheme, shipped().model.structure, shipped().level_names)
    return found.arrays


def sheet_of(parcel: Parcel, sieve_set: SieveSet, *breakdowns: tuple[str, ...]) -> Parcel:
    """Sort a stone list into a counts sheet."""
    assert parcel.stones is not None
    size = np.searchsorted(np.array(sieve_set.lower_ct), parcel.stones.weight_ct, side="right") - 1
    columns = {"size": size.astype(np.int16), **parcel.stones.codes}
    made = []
    for attributes in breakdowns:
        rows, counts = np.unique(np.stack([columns[name] for name in attributes], axis=1), axis=0, return_counts=True)
        made.append(Breakdown(attributes=attributes, codes=rows.astype(np.int16), n_stones=counts.astype(np.int64)))
    sized = any("size" in attributes for attributes in breakdowns)
    return replace(parcel, stones=None, breakdowns=tuple(made), sieve_set=sieve_set if sized else None)


def coarser(factor: int) -> SieveSet:
    """Join neighbouring classes of the package's own sieve set."""
    own = shipped().scheme.size.sieve_set
    lower = own.lower_ct[::factor]
    names = tuple(f"c{k}" for k in range(len(lower)))
    return SieveSet(name="joined", classes=names, lower_ct=lower, upper_ct=(*lower[1:], float("inf")))


BOTH = (("size", "colour"), ("size", "morphology"), ("colour", "morphology"))


def test_every_stone_is_counted_once_wherever_it_is_recorded() -> None:
    parcels = package().batch.parcels[:20]
    arrays = arrays_of(*parcels)
    np.testing.assert_array_equal(arrays.n_stones, [parcel.n_stones for parcel in parcels])
    for table in arrays.tables:
        np.testing.assert_array_equal(table.sum(axis=(1, 2)), arrays.n_stones)
    np.testing.assert_array_equal(arrays.pairs[0].sum(axis=(1, 2)), arrays.n_stones)


def test_a_split_parcel_adds_up_to_the_whole() -> None:
    parcel = reference_parcel(0)
    halves = [with_stones(parcel, slice(0, 300)), with_stones(parcel, slice(300, None))]
    whole, parts = arrays_of(parcel), arrays_of(*halves)
    np.testing.assert_array_equal(parts.cells.sum(axis=0), whole.cells[0])
    for table, part in zip(whole.tables, parts.tables, strict=True):
        np.testing.assert_array_equal(part.sum(axis=0), table[0])


def test_parcels_come_back_at_their_own_rows() -> None:
    parcel = reference_parcel(0)
    own = shipped().scheme.size.sieve_set
    batch = Batch((sheet_of(parcel, own, *BOTH), parcel, sheet_of(parcel, coarser(2), *BOTH), parcel))
    found = footprints_of(batch, shipped().scheme, shipped().model.structure, shipped().level_names)
    assert sorted(row for item in found for row in item.rows.tolist()) == [0, 1, 2, 3]
    assert len(found) == 3


def test_stones_below_a_screen_are_counted_whatever_a_package_calls_their_size() -> None:
    parcel = reference_parcel(0)
    parcel = replace(parcel, conditions=replace(parcel.conditions, bottom_screen_mm=4.0))
    sheet = sheet_of(parcel, shipped().scheme.size.sieve_set, ("size", "colour"))
    own = tuple(replace(item, attributes=("taille", "colour")) for item in sheet.breakdowns)
    below, share = replace(sheet, breakdowns=own).below_screen("taille")
    assert (below, share) == sheet.below_screen("size")
    assert 0 < below <= parcel.below_screen("size")[0]


@pytest.mark.parametrize("row", [0, 60, 130, 200])
def test_a_sheet_in_the_packages_own_sieve_set_says_what_the_stones_say(row: int) -> None:
    parcel = reference_parcel(row, package().zone_of[row])
    sheet = sheet_of(parcel, shipped().scheme.size.sieve_set, *BOTH)
    listed, counted = arrays_of(parcel), arrays_of(sheet)
    indicator = shipped().model.structure.membership_of_classes()
    np.testing.assert_allclose(counted.cells @ indicator, listed.cells @ indicator, atol=1e-6)
    for one, two in zip(listed.tables, counted.tables, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)
    np.testing.assert_array_equal(listed.pairs[0], counted.pairs[0])
    first, second = (found.verification for found in examined(parcel, sheet))
    assert first is not None
    assert second is not None
    assert second.log10_lr == pytest.approx(first.log10_lr, abs=0.25)


def test_a_coarser_sieve_set_keeps_its_own_counts() -> None:
    parcel, joined = reference_parcel(0), coarser(2)
    sheet = arrays_of(sheet_of(parcel, joined, *BOTH))
    assert sheet.coarse is not None
    assert parcel.stones is not None
    weights = parcel.stones.weight_ct
    expected = [
        np.count_nonzero((weights >= low) & (weights < high))
        for low, high in zip(joined.lower_ct, joined.upper_ct, strict=True)
    ]
    np.testing.assert_array_equal(sheet.coarse[0], expected)
    # the joined edges are edges of cells too, so cells add up to the same classes
    cuts = (
        np.searchsorted(np.array(joined.lower_ct), shipped().model.structure.grid.edges[:-1] * (1 + 1e-9), "right") - 1
    )
    found = np.bincount(cuts, weights=sheet.cells[0], minlength=len(expected))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_sheet_without_colour_or_without_size_says_so() -> None:
    parcel, own = reference_parcel(0, "berberati"), shipped().scheme.size.sieve_set
    uncoloured = arrays_of(sheet_of(parcel, own, ("size", "morphology")))
    assert uncoloured.recorded[0].tolist() == [True, False, True]
    unsized = replace(sheet_of(parcel, own, ("colour", "morphology")), carats=None)
    arrays = arrays_of(unsized)
    assert arrays.recorded[0].tolist() == [False, True, True]
    assert arrays.n_stones[0] == pytest.approx(parcel.n_stones)
    (found,) = examined(unsized)
    assert found.verification is not None
    assert found.explanation is not None
    assert dict(found.explanation.attributes)["size"] == pytest.approx(0.0, abs=1e-9)


def test_blank_classes_are_not_recorded_rather_than_a_class() -> None:
    parcel = reference_parcel(0)
    assert parcel.stones is not None
    colour = parcel.stones.codes["colour"].copy()
    colour[:100] = NOT_RECORDED
    codes = {"colour": colour, "morphology": np.full(parcel.n_stones, NOT_RECORDED, dtype=np.int16)}
    blank = replace(parcel, stones=Stones(weight_ct=parcel.stones.weight_ct, codes=codes))
    arrays = arrays_of(blank)
    assert arrays.recorded[0].tolist() == [True, True, False]
    assert arrays.tables[0].sum() == parcel.n_stones - 100
    assert arrays.tables[1].sum() == arrays.pairs[0].sum() == 0


def test_screens_and_specials_become_edges_in_carats() -> None:
    parcel = reference_parcel(0)
    screened = replace(parcel, conditions=replace(parcel.conditions, bottom_screen_mm=2.0, specials_removed=True))
    blank = replace(parcel, conditions=replace(parcel.conditions, bottom_screen_mm=None, specials_removed=None))
    arrays = arrays_of(screened, blank)
    assert np.exp(arrays.edge[0]) == pytest.approx(CT_PER_MM3 * 8.0)
    assert np.exp(arrays.top[0]) == pytest.approx(SPECIALS_CT)
    assert np.isnan(arrays.edge[1])
    assert np.isinf(arrays.top[1])


def test_unknown_levels_are_blank() -> None:
    parcel = reference_parcel(0)
    arrays = arrays_of(
        parcel, replace(parcel, conditions=replace(parcel.conditions, sorter="nobody", cleaning_state=None))
    )
    assert (arrays.levels[0] >= 0).all()
    assert arrays.levels[1].tolist() == [-1, arrays.levels[0, 1], -1]


def usual_stones(*parcels: Parcel) -> Floats:
    arrays = arrays_of(*parcels)
    return mean_stones(shipped().model, arrays.edge, arrays.top)


def test_the_mean_stone_grows_with_the_screen_and_is_near_what_parcels_weigh() -> None:
    whole, screens = reference_parcel(0), [1.5, 2.0, 3.0]
    assert whole.stones is not None
    parcel = with_stones(whole, np.flatnonzero(whole.stones.weight_ct > 0.22))  # a screen that they contradict is none
    parcels = [replace(parcel, conditions=replace(parcel.conditions, bottom_screen_mm=mm)) for mm in screens]
    means = usual_stones(*parcels)
    assert (np.diff(means, axis=0) > 0).all()
    for z, zone in enumerate(shipped().zone_ids):
        own = [p for p, name in zip(package().batch.parcels, package().zone_of, strict=True) if name == zone]
        found = np.median([(p.carats or 0.0) / p.n_stones for p in own])
        expected = np.median(usual_stones(*own)[:, z])
        assert expected == pytest.approx(found, rel=0.35), zone
