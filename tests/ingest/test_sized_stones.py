"""Lists whose stones say their sieves are stones; rows that could be classes are asked about, and answers read."""

from __future__ import annotations

import pytest

from kpfootprint.ingest import Reading, Upload, read
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme

STONES = [
    *((0.54, "white", "octa", "+11"), (0.33, "cape", "macle", "+11"), (0.20, "brown", "octa", "-11+9")),
    *((0.19, "white", "flat", "-11+9"), (0.13, "yellow", "round", "-9+7"), (0.44, "brown", "cleavage", "+11")),
]
Words = tuple[Scheme, ZoneTable]


@pytest.fixture
def world(scheme: Scheme, zone_table: ZoneTable) -> Words:
    return scheme, zone_table


def reading(text: str, world: Words, *, one: bool = True, **choices: str) -> Reading:
    return read(Upload("sheet.csv", text.encode()), *world, one=one, choices=choices)


def listed(head: str, ids: str, stones: list[tuple[float, str, str, str]] = STONES) -> str:
    rows = [f"{ids.format(at)},{w},{c},{m},{size}" for at, (w, c, m, size) in enumerate(stones, start=1)]
    return "\n".join([f"{head},Weight (ct),Colour,Shape,Sieve", *rows, ""])


@pytest.mark.parametrize(("head", "ids"), [("No", "{}"), ("Stone ID", "CAR7-{:03d}"), ("Pierre n°", "{}")])
@pytest.mark.parametrize("total", ["", "Total,1.83,,,\n"])
def test_stones_may_say_their_sieves(head: str, ids: str, total: str, world: Words) -> None:
    found = reading(listed(head, ids) + total, world)
    assert found.problems == ()
    assert (found.parcels[0].n_stones, found.parcels[0].carats) == (6, 1.83)


def test_a_stone_far_from_its_sieve_is_told_with_its_row(world: Words) -> None:
    text = listed("No", "{}", [*STONES, (0.05, "grey", "cube", "+11")])
    (problem,) = reading(text, world).problems
    assert (problem.code, problem.row, problem.value) == ("stone_of_size", 8, "+11")
    assert reading(text, world, rows="stones").parcels[0].n_stones == 7


@pytest.mark.parametrize("factor", [0.1, 0.3])
def test_rows_that_no_stones_of_their_class_weigh_are_asked_about(factor: float, world: Words) -> None:
    text = listed("No", "{}", [(round(w * factor, 2), *rest) for w, *rest in STONES])  # type: ignore[misc]
    found = reading(text, world)
    assert not found.parcels
    assert found.problems[0].code == "stones_or_classes"
    assert reading(text, world, rows="stones").parcels[0].n_stones == 6


def test_weights_without_numbers_may_be_stones(world: Words) -> None:
    text = "Sieve,Cts\n+11,0.48\n-11+9,0.25\n-9+7,0.15\n"
    assert reading(text, world).problems[0].code == "means_or_carats"
    assert reading(text, world, rows="stones").parcels[0].n_stones == 3


def test_classes_that_were_weighed_are_no_stones(world: Words) -> None:
    rows = [(1, "+11", 52.10), (2, "-11+9", 72.40), (3, "-9+7", 33.20)]
    found = reading("No,Sieve,Carats\n" + "".join(f"{n},{size},{w}\n" for n, size, w in rows), world)
    assert not found.parcels or found.parcels[0].n_stones == 0


@pytest.mark.parametrize("grains", [0.24, 0.4, 0, 2.16])
def test_grains_below_half_a_grain_are_sizes(grains: float, world: Words) -> None:
    for text in (
        f"No,Weight (ct),Grainer\n1,0.54,2.16\n2,0.06,{grains}\n",
        f"Sieve,Weight\n0-1 gr,12\n{grains} gr,5\n",
    ):
        reading(text, world)  # and no traceback


@pytest.mark.parametrize(
    "text",
    [
        *("White pcs,Total cts\n", "+11 pcs,Exporter cts\n", "class,Total cts,+11 pcs\n", "pcs +11,Carats\n"),
        *("-5 stones,Poids (ct)\n", "Sum of Pcs,Row Labels\n+11,Total\n4 gr,Total\n", "No,Weight (ct)\n"),
        "Sieve,Measure,Value\n+11,cts,52.10\n-11+9,pcs,300\n-9+7,pcs,410\n-9+7,cts,60.20\n",
    ],
)
def test_headers_without_rows_and_missing_measures_are_told(text: str, world: Words) -> None:
    found = reading(text, world)
    assert not found.parcels
    assert found.problems


@pytest.mark.parametrize(
    "text",
    [
        "Valuer,Sieve,Origin,Stones,Carats\nExporter,+11,Nola,60,25.1\nExporter,-11+9,Boda,90,21.2\n"
        "Ministry,+11,Nola,61,25.3\nMinistry,-11+9,Boda,89,21.0\n",
        "Sieve,Origin,Exporter pcs,Exporter cts,Ministry pcs,Ministry cts\n"
        "+11,Nola,60,25.10,61,25.30\n-11+9,Boda,90,21.20,89,21.00\n",
    ],
)
def test_each_valuation_declares_its_zones(text: str, world: Words) -> None:
    apart = reading(text, world, one=False)
    assert apart.problems == ()
    declared = [[(one.zone_id, one.carats) for one in parcel.declarations] for parcel in apart.parcels]
    assert declared == [[("nola", 25.1), ("boda", 21.2)], [("nola", 25.3), ("boda", 21.0)]]
    chosen = reading(text, world, valuation="ministry").parcels[0]
    assert [one.carats for one in chosen.declarations] == [25.3, 21.0]
