"""Sheets that sum up another one, or that nobody has filled in, whatever the sheets are called."""

from __future__ import annotations

from typing import Any

import pytest

from kpfootprint.ingest import Reading, Upload, read
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme
from tests.every import every
from tests.ingest.making import book_of

Rows = list[list[Any]]
STONES: Rows = [["No", "Weight (ct)", "Colour"], [1, 0.35, "brown"], [2, 0.42, "white"], [3, 0.3, "cape"]]
SIZES: Rows = [["Size", "Pcs", "Cts"], ["+11", 20, 8.0], ["+9", 30, 6.6]]
SUMMARIES: dict[str, tuple[Rows, Rows]] = {
    "of classes": (STONES, [["Colour", "n", "ct"], ["brown", 1, 0.35], ["white", 1, 0.42], ["cape", 1, 0.3]]),
    "of sizes": (STONES, [["Sieve", "Pcs", "Cts"], ["+11", 2, 0.77], ["+9", 1, 0.3], ["Total", 3, 1.07]]),
    "pivot": (STONES, [["Row Labels", "Sum of Weight (ct)"], ["brown", 0.35], ["cape", 0.3], ["white", 0.42]]),
    "one total": (SIZES, [[None, "Pcs", "Cts"], ["Total", 50, 14.6]]),
    "invoice": (SIZES, [["Description", "Pcs", "Cts", "USD"], ["Rough diamonds", 50, 14.6, 2000]]),
    "cover": (SIZES, [["Carats", 14.6], ["Parcels", 1], ["Value", 2000]]),
}


def reading(sheets: dict[str, Rows], scheme: Scheme, zone_table: ZoneTable) -> Reading:
    return read(Upload("w.xlsx", book_of(sheets)), scheme, zone_table)


@pytest.mark.slow
@every("goods, other", [("Data", "Recap"), ("Stones", "Recap"), ("counts", "S2"), ("S1", "Tri")])
@every("kind", SUMMARIES)
def test_a_sheet_that_agrees_is_left_out(
    kind: str, goods: str, other: str, scheme: Scheme, zone_table: ZoneTable
) -> None:
    rows, summary = SUMMARIES[kind]
    n_stones, carats = (3, 1.07) if rows is STONES else (50, 14.6)
    for sheets in ({goods: rows, other: summary}, {other: summary, goods: rows}):
        (parcel,) = reading(sheets, scheme, zone_table).parcels
        assert (parcel.n_stones, parcel.carats) == (n_stones, carats)
        assert parcel.read_as is not None
        assert parcel.read_as["left_out"] or other in parcel.read_as["passed_over"]


@pytest.mark.parametrize("kind", SUMMARIES)
def test_a_sheet_that_disagrees_is_asked_about(kind: str, scheme: Scheme, zone_table: ZoneTable) -> None:
    rows, summary = SUMMARIES[kind]
    wrong = [[cell + 1.0 if isinstance(cell, float) else cell for cell in row] for row in summary]
    assert reading({"Stones": rows, "Recap": wrong}, scheme, zone_table).problems


@pytest.mark.parametrize(("total", "codes"), [(1.07, set()), (1.17, {"total_disagrees"})])
def test_the_total_of_a_pivot_is_checked(total: float, codes: set[str], scheme: Scheme, zone_table: ZoneTable) -> None:
    pivot = [*SUMMARIES["pivot"][1], ["Grand Total", total]]
    found = {problem.code for problem in reading({"Data": STONES, "Pivot": pivot}, scheme, zone_table).problems}
    assert codes <= found
    assert bool(codes) == bool(found)


def test_sums_of_more_classes_are_no_stones_apart(scheme: Scheme, zone_table: ZoneTable) -> None:
    again = [*STONES, [4, 0.28, "brown"]]
    tri: Rows = [["Size", "Colour", "Pcs", "Cts"], ["+11", "brown", 1, 0.35], ["+9", "brown", 1, 0.28]]
    tri += [["+11", "white", 1, 0.42], ["+9", "cape", 1, 0.3]]
    (parcel,) = reading({"Tri": tri, "List": again}, scheme, zone_table).parcels
    assert (parcel.n_stones, parcel.stones is not None) == (4, True)


EMPTY: dict[str, Rows] = {
    "header": STONES[:1],
    "numbers": [STONES[0], [1, None, None], [2, None, None]],
    "sizes": [["Tamis", "Pierres", "Carats"], ["+11", None, None], ["+9", None, None], ["Total", 0, 0]],
    "number alone": [["No"], [1], [2]],
}


@pytest.mark.parametrize("kind", EMPTY)
def test_a_form_that_nobody_filled_in_is_no_table(kind: str, scheme: Scheme, zone_table: ZoneTable) -> None:
    for sheets in ({"S": STONES, "Model": EMPTY[kind]}, {"CAR-1": SIZES, "CAR-2": SIZES[:2], "CAR-3": EMPTY[kind]}):
        found = reading(sheets, scheme, zone_table)
        assert (found.problems, len(found.parcels)) == ((), len(sheets) - 1)
        assert [*sheets][-1] in (found.parcels[0].read_as or {})["passed_over"]
    assert [item.code for item in reading({"S": EMPTY[kind]}, scheme, zone_table).problems]


@pytest.mark.parametrize(("n_stones", "carats", "read_too"), [(30, 12.0, True), (31, 12.0, False)])
def test_a_sheet_of_the_sums_of_all_parcels_is_none_of_them(
    n_stones: int, carats: float, read_too: bool, scheme: Scheme, zone_table: ZoneTable
) -> None:
    other: Rows = [["Size", "Pcs", "Cts"], ["+11", 10, 4.0], ["+9", 12, 2.6]]
    total: Rows = [["Size", "Pcs", "Cts"], ["+11", n_stones, carats], ["+9", 42, 9.2]]
    found = reading({"CAR-1": SIZES, "CAR-2": other, "Total": total}, scheme, zone_table)
    assert [parcel.parcel_id for parcel in found.parcels] == (["CAR-1", "CAR-2"] if read_too else [])
    assert bool(found.problems) != read_too
