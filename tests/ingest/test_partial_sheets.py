"""What a sheet may leave open: classes, sizes, numbers, the whole; each read, and written as it was read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kpfootprint.ingest import ingest_json, parcel_to_json
from kpfootprint.parcel import NOT_RECORDED, Parcel
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme
from tests.ingest.making import problems_of

PRICE_BOOK: list[dict[str, Any]] = [
    {"size_class": "4-8 GR", "lower_ct": 0.895, "upper_ct": 2.495, "morphology": "makeables", "n_stones": 22},
    {"size_class": "6 GR", "lower_ct": 1.395, "upper_ct": 1.795, "colour": "cape", "n_stones": 4},
    {"size_class": "+9", "morphology": "clivage", "n_stones": 31},
    {"morphology": "rejections", "n_stones": 96},
]


def read(scheme: Scheme, zone_table: ZoneTable, counts: list[dict[str, Any]], **more: Any) -> Parcel:
    """Read a sheet, and check that it is read again from what is written of it."""
    parcel = ingest_json({"parcel_id": "S", "counts": counts, **more}, scheme, zone_table)
    written = parcel_to_json(parcel, scheme)
    again = ingest_json(written, scheme, zone_table)
    assert parcel_to_json(again, scheme) == written
    assert (again.n_stones, again.carats, again.sieve_set) == (parcel.n_stones, parcel.carats, parcel.sieve_set)
    for one, two in zip(parcel.breakdowns, again.breakdowns, strict=True):
        assert (one.attributes, one.sample) == (two.attributes, two.sample)
        assert np.array_equal(one.codes, two.codes)
        assert np.array_equal(one.n_stones, two.n_stones)
    return parcel


def test_a_price_book(scheme: Scheme, zone_table: ZoneTable) -> None:
    rows = [{**row, "breakdown": "lots", "carats": 1.0 * row["n_stones"]} for row in PRICE_BOOK]
    parcel = read(scheme, zone_table, rows)
    (book,) = parcel.breakdowns
    assert parcel.n_stones == 153
    assert book.attributes == ("size", "colour", "morphology")
    sizes = parcel.sieve_set
    assert sizes is not None
    assert not sizes.gapless
    assert sizes.classes == ("+9", "4-8 GR", "6 GR")
    assert (sizes.lower_ct, sizes.upper_ct) == ((0.175, 0.895, 1.395), (0.315, 2.495, 1.795))
    shapes = scheme.attribute("morphology")
    by_code = dict(zip(book.codes[:, 2].tolist(), book.n_stones.tolist(), strict=True))
    names = {"none" if code < 0 else shapes.code_names[code]: n for code, n in by_code.items()}
    assert names == {"makeable": 22, "none": 4, "fragment": 31, "rejections": 96}
    assert (book.codes == NOT_RECORDED).sum() == 5


def test_sets_in_a_stone_list(scheme: Scheme, zone_table: ZoneTable) -> None:
    document = {
        "parcel_id": "S",
        "stones": {
            "weight_ct": [0.42, 0.31, 1.15, 0.08],
            "colour": ["Blanc", "Légèrement teinté", "I-J-K", "Brun"],
            "morphology": ["Rond", "Irrégulière", "Octaèdre", None],
        },
    }
    parcel = ingest_json(document, scheme, zone_table)
    assert parcel.stones is not None
    names = scheme.attribute("colour").code_names
    assert [names[code] for code in parcel.stones.codes["colour"]] == ["colourless", "light tinted", "I-J-K", "brown"]
    written = parcel_to_json(parcel, scheme)
    assert written["stones"]["morphology"] == ["dodecahedron", "irregular", "octahedron", None]
    assert parcel_to_json(ingest_json(written, scheme, zone_table), scheme) == written
    assert parcel.n_stones_graded("size") == 4


def test_carats_without_numbers(scheme: Scheme, zone_table: ZoneTable) -> None:
    sizes = [{"size_class": "+9", "carats": 21.5}, {"size_class": "+11", "carats": 40.0}]
    parcel = read(scheme, zone_table, sizes)
    assert (parcel.n_stones, parcel.carats) == (0, 61.5)
    assert parcel.breakdowns[0].n_stones.tolist() == [NOT_RECORDED] * 2
    assert parcel.n_stones_graded("size") == 0
    colours = [{"colour": "brown", "n_stones": 90}, {"colour": "cape", "n_stones": 100}]
    parcel = read(scheme, zone_table, [*sizes, *colours])
    assert (parcel.n_stones, parcel.n_stones_graded("size")) == (190, 190)
    parcel = read(scheme, zone_table, sizes, n_stones=188)
    assert parcel.n_stones == 188
    shapes = [{"morphology": "cube", "carats": 21.5}, {"morphology": "macle", "carats": 40.0}]
    assert read(scheme, zone_table, shapes).n_stones_graded("size") is None


def test_sieved_whole_and_graded_in_part(scheme: Scheme, zone_table: ZoneTable) -> None:
    whole = [{"size_class": "+9", "n_stones": 2441, "carats": 610.2}, {"size_class": "+11", "n_stones": 1834}]
    whole[1]["carats"] = 880.4
    sample = [
        {"size_class": size, "morphology": shape, "n_stones": n, "sample": True}
        for size, shape, n in (("+9", "octahedron", 20), ("+9", "macle", 9), ("+11", "octahedron", 14))
    ]
    parcel = read(scheme, zone_table, [*whole, *sample])
    assert (parcel.n_stones, parcel.carats, parcel.n_stones_graded("size")) == (4275, 1490.6, 43)
    assert [item.sample for item in parcel.breakdowns] == [False, True]
    parcel = read(scheme, zone_table, sample, n_stones=4275, carats=1490.6)
    assert parcel.breakdowns[0].attributes == ()


def test_number_and_weight_alone(scheme: Scheme, zone_table: ZoneTable) -> None:
    parcel = read(scheme, zone_table, [{"n_stones": 836, "carats": 364.17}])
    assert (parcel.n_stones, parcel.carats, parcel.breakdowns[0].attributes) == (836, 364.17, ())
    lots = [
        {"colour": "white", "morphology": "round", "n_stones": 120, "carats": 33.4},
        {"colour": "cape", "morphology": "macle", "n_stones": 80, "carats": 25.1},
    ]
    parcel = read(scheme, zone_table, lots)
    assert (parcel.n_stones, parcel.carats, parcel.sieve_set) == (200, 58.5, None)


@pytest.mark.parametrize(
    ("counts", "codes"),
    [
        (
            [
                {"size_class": "+9", "n_stones": 2},
                {"size_class": "+9", "colour": "cape", "n_stones": 3, "sample": True},
            ],
            ["sample_exceeds"],
        ),
        (
            [
                {"size_class": "+9", "n_stones": 2},
                {"size_class": "+11", "n_stones": 5},
                {"size_class": "+9", "colour": "cape", "n_stones": 3, "sample": True},
            ],
            ["sample_exceeds"],
        ),
        ([{"size_class": "+9", "colour": "cape", "n_stones": 3, "sample": True}], ["sample_alone"]),
        ([{"size_class": "+9", "n_stones": None, "carats": None}], ["missing_value"]),
        ([{"size_class": "x", "lower_ct": 2, "upper_ct": 1, "n_stones": 2}], ["bad_sieve_set"]),
        ([{"n_stones": 5}], ["no_class"]),
        ([{"n_stones": 5, "carats": 2.0}, {"colour": "cape", "n_stones": 5, "carats": 2.0}], ["no_class"]),
        ([{"size_class": "+9", "n_stones": 5, "sample": "perhaps"}], ["not_yes_or_no"]),
    ],
)
def test_what_is_refused(counts: list[dict[str, Any]], codes: list[str], scheme: Scheme, zone_table: ZoneTable) -> None:
    found = problems_of(lambda: ingest_json({"parcel_id": "S", "counts": counts}, scheme, zone_table))
    assert [item.code for item in found] == codes


def test_declared_by_percent_and_by_country(scheme: Scheme, zone_table: ZoneTable) -> None:
    counts = [{"colour": "brown", "n_stones": 9}]
    percent = [{"zone_id": "berberati", "percent": 60}, {"zone_id": "carnot", "percent": 40}]
    parcel = read(scheme, zone_table, counts, declarations=percent)
    assert [(item.zone_id, item.carats, item.percent) for item in parcel.declarations] == [
        ("berberati", None, 60.0),
        ("carnot", None, 40.0),
    ]
    countries = [{"country": "CF", "percent": 70}, {"country": "cd", "percent": 30}]
    parcel = read(scheme, zone_table, counts, declarations=countries)
    assert [(item.country, item.percent) for item in parcel.countries] == [("CF", 70.0), ("CD", 30.0)]
    for said in ("CF", "cf", "CAF", "Central African Republic", "République centrafricaine"):
        for field in ("zone_id", "country"):
            (declared,) = read(scheme, zone_table, counts, declarations=[{field: said}]).countries
            assert declared.country == "CF"
    parcel = read(scheme, zone_table, counts, declarations=[{"country": "CF"}, {"country": "CD"}])
    assert len(parcel.countries) == 2


@pytest.mark.parametrize(
    ("declarations", "code"),
    [
        ([{"zone_id": "berberati", "percent": 60}, {"zone_id": "carnot", "percent": 30}], "percent_total"),
        ([{"zone_id": "berberati", "percent": 60}, {"zone_id": "carnot", "carats": 30}], "carats_and_percent"),
        ([{"zone_id": "berberati", "percent": 160}], "too_large"),
        ([{"zone_id": "berberati", "country": "CF"}], "zone_or_country"),
        ([{"country": "XX"}], "unknown_country"),
        ([{"zone_id": "berberati"}, {"country": "CF"}], "declared_without_carats"),
    ],
)
def test_declarations_that_are_refused(
    declarations: list[dict[str, Any]], code: str, scheme: Scheme, zone_table: ZoneTable
) -> None:
    document = {"parcel_id": "S", "counts": [{"colour": "brown", "n_stones": 9}], "declarations": declarations}
    assert [item.code for item in problems_of(lambda: ingest_json(document, scheme, zone_table))] == [code]
