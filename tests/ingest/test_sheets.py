from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kpfootprint.ingest import ingest_file, ingest_json, parcel_to_json
from kpfootprint.ingest.raw.rounding import rounding_tolerance, unit_of
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme
from tests.every import every
from tests.ingest.making import problems_of, told

COUNTS = [
    {"size_class": "+3", "colour": "brown", "n_stones": 3, "carats": 0.11},
    {"size_class": "+5", "colour": "brown", "n_stones": 1, "carats": 0.06},
    {"size_class": "+5", "colour": "cape", "n_stones": 2, "carats": 0.12},
    {"morphology": "macle", "n_stones": 4},
    {"morphology": "cube", "n_stones": 2},
]
SIZES = [
    {"sieve_set": "house", "size_class": "large", "lower_ct": 0.105},
    {"sieve_set": "house", "size_class": "small", "lower_ct": 0, "upper_ct": 0.105},
]


def sheet(counts: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"parcel_id": "S", "counts": counts, **more}


def test_a_sheet_becomes_breakdowns(scheme: Scheme, zone_table: ZoneTable) -> None:
    read = ingest_json(sheet(COUNTS, n_stones=6, carats=0.3), scheme, zone_table)
    assert (read.n_stones, read.carats, read.stones) == (6, 0.29, None)
    first, second = read.breakdowns
    assert first.attributes == ("size", "colour")
    assert second.attributes == ("morphology",)
    assert read.sieve_set == scheme.size.sieve_set
    names = [scheme.size.sieve_set.classes[code] for code in first.codes[:, 0]]
    colours = [scheme.attribute("colour").class_names[code] for code in first.codes[:, 1]]
    cells = dict(zip(zip(names, colours, strict=True), first.n_stones.tolist(), strict=True))
    assert cells == {("+3", "brown"): 3, ("+5", "brown"): 1, ("+5", "cape"): 2}
    assert first.carats is not None
    assert first.carats.sum() == pytest.approx(0.29)
    assert second.carats is None
    written = parcel_to_json(read, scheme)
    assert parcel_to_json(ingest_json(written, scheme, zone_table), scheme) == written


def test_cells_given_twice_add_up(scheme: Scheme, zone_table: ZoneTable) -> None:
    counts = [{"morphology": name, "n_stones": 2} for name in ("rond", "dodecahedron", "macle")]
    read = ingest_json(sheet(counts), scheme, zone_table)
    assert read.breakdowns[0].n_stones.tolist() == [4, 2]
    assert read.carats is None
    assert read.sieve_set is None


def test_another_sieve_set(scheme: Scheme, zone_table: ZoneTable) -> None:
    counts = [{"size_class": "Large", "n_stones": 2}, {"size_class": "small", "n_stones": 5}]
    document = sheet(counts, size_classes=SIZES, conditions={"sieve_set": "House"})
    read = ingest_json(document, scheme, zone_table)
    assert read.sieve_set is not None
    assert (read.sieve_set.name, read.sieve_set.classes) == ("house", ("small", "large"))
    assert read.sieve_set.upper_ct == (0.105, float("inf"))
    assert read.conditions.sieve_set == "house"
    assert read.breakdowns[0].n_stones.tolist() == [5, 2]
    written = parcel_to_json(read, scheme)
    assert parcel_to_json(ingest_json(written, scheme, zone_table), scheme) == written


@every(
    "counts, more, codes",
    [
        ([*COUNTS, {"n_stones": 5}], {}, ["no_class"]),
        (COUNTS[:-1], {}, ["breakdowns_disagree"]),
        (COUNTS, {"n_stones": 7}, ["stones_total"]),
        (COUNTS, {"carats": 0.4}, ["carats_total"]),
        ([{"colour": "brown", "n_stones": 0}], {}, ["no_stones"]),
        ([{"colour": "brown", "n_stones": 1.5}], {}, ["not_whole"]),
        ([{"colour": "brown", "n_stones": -1}], {}, ["negative"]),
        ([{"colour": "brown", "n_stones": None}], {}, ["missing_value"]),
        ([{"colour": "brown"}], {}, ["missing_column"]),
        ([{"size_class": "+4", "n_stones": 1}, {"size_class": "huge", "n_stones": 1}], {}, ["unknown_class"] * 2),
        ([{"size_class": "+3", "n_stones": 1}], {"size_classes": SIZES}, ["unknown_class"]),
        (
            [{"colour": "brown", "n_stones": 1, "carats": 1}, {"colour": "cape", "n_stones": 2}],
            {},
            ["missing_value"],
        ),
        (
            [{"colour": "brown", "n_stones": 1, "carats": 1}, {"morphology": "cube", "n_stones": 1, "carats": 2}],
            {},
            ["breakdowns_disagree"],
        ),
        (
            [{"size_class": "x", "n_stones": 1}],
            {"size_classes": [SIZES[0], {**SIZES[1], "upper_ct": 0.2}]},
            ["bad_sieve_set"],
        ),
        ([{"size_class": "x", "n_stones": 1}], {"size_classes": [{**SIZES[0], "sieve_set": "dtc"}]}, ["bad_sieve_set"]),
        (
            [{"size_class": "x", "n_stones": 1}],
            {"size_classes": [{"sieve_set": "h", "size_class": "x"}]},
            ["missing_column"],
        ),
    ],
)
def test_sheets_that_are_refused(
    counts: list[dict[str, Any]], more: dict[str, Any], codes: list[str], scheme: Scheme, zone_table: ZoneTable
) -> None:
    found = problems_of(lambda: ingest_json(sheet(counts, **more), scheme, zone_table))
    assert [item.code for item in found] == codes


def test_a_blank_colour_is_another_breakdown_not_another_class(scheme: Scheme, zone_table: ZoneTable) -> None:
    counts = [{"size_class": "+3", "colour": "brown", "n_stones": 2}, {"size_class": "+3", "n_stones": 2}]
    read = ingest_json(sheet(counts), scheme, zone_table)
    assert [item.attributes for item in read.breakdowns] == [("size", "colour"), ("size",)]


def test_a_sheet_file_in_french(tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    path = tmp_path / "comptage.csv"
    text = "Calibre;Couleur;Nombre de pierres;Poids\n3;Brun;3;0,11\n+5;Cape;2;0,12\n"
    path.write_bytes(text.encode("cp1252"))
    read = ingest_file(path, scheme, zone_table)
    assert (read.n_stones, read.carats) == (5, 0.23)
    path.write_bytes(text.replace("Cape", "Kape").encode("cp1252"))
    assert told(problems_of(lambda: ingest_file(path, scheme, zone_table))) == [
        ("unknown_class", "comptage", 3, "Couleur", "Kape")
    ]


def test_size_classes_alone_name_the_sieve_set(scheme: Scheme, zone_table: ZoneTable) -> None:
    counts = [{"size_class": "large", "n_stones": 2}]
    unnamed = [{name: value for name, value in item.items() if name != "sieve_set"} for item in SIZES]
    for sizes, name in ((SIZES, "house"), (unnamed, "declared")):
        read = ingest_json(sheet(counts, size_classes=sizes), scheme, zone_table)
        assert read.sieve_set is not None
        assert read.conditions.sieve_set == read.sieve_set.name == name


@pytest.mark.parametrize(
    ("values", "unit"),
    [([1.0, 2.0], 1.0), ([0.5, 2.0], 0.1), ([0.21, 0.3], 0.01), ([0.123, 5.0], 0.001), ([1 / 3], 1e-6)],
)
def test_units(values: list[float], unit: float) -> None:
    assert unit_of(np.array(values)) == pytest.approx(unit)


def test_totals_may_differ_by_rounding_and_no_more(scheme: Scheme, zone_table: ZoneTable) -> None:
    rng = np.random.default_rng(7)
    for n_stones in (1, 10, 300, 3000):
        exact = np.exp(rng.normal(-1.4, 0.8, n_stones)) + 0.02
        rounded = exact.round(2)
        for decimals in (0, 1, 2):
            total = round(float(exact.sum()), decimals)
            document = {"parcel_id": "a", "carats": total or 1, "stones": {"weight_ct": rounded.tolist()}}
            if total:
                ingest_json(document, scheme, zone_table)
        tolerance = rounding_tolerance(round(float(rounded.sum()), 2), rounded, coarsest=0.01)
        assert tolerance == pytest.approx(0.005 + 0.02 * np.sqrt(n_stones), abs=0.1)
        wrong = {
            "parcel_id": "a",
            "carats": round(rounded.sum() + 2 * tolerance + 0.011, 2),
            "stones": {"weight_ct": rounded.tolist()},
        }
        found = problems_of(partial(ingest_json, wrong, scheme, zone_table))
        assert [item.code for item in found] == ["carats_total"]
