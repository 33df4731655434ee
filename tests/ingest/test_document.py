from __future__ import annotations

import copy
import json
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpfootprint.ingest import Limits, Upload, ingest_json, parcel_to_json, read
from kpfootprint.parcel import Conditions, Declaration
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme
from tests.every import every
from tests.ingest.making import parcel, problems_of, told
from tests.laws import tried


def test_a_parcel_is_read_whole(scheme: Scheme, zone_table: ZoneTable) -> None:
    read = ingest_json(parcel(certificate_no="CF 1", value_usd=20), scheme, zone_table)
    assert (read.parcel_id, read.n_stones, read.carats, read.exported_on) == ("P1", 3, 0.96, date(2023, 5, 10))
    assert read.declarations == (Declaration(zone_id="berberati", carats=0.96),)
    assert read.conditions == Conditions(cleaning_state="acid_rinsed", bottom_screen_mm=1.83, specials_removed=False)
    assert (read.certificate_no, read.value_usd, read.declared_carats) == ("CF 1", 20.0, None)
    assert read.stones is not None
    assert read.stones.weight_ct.tolist() == [0.21, 0.35, 0.4]
    colours = [scheme.attribute("colour").class_names[code] for code in read.stones.codes["colour"][:2]]
    assert colours == ["brown", "cape"]
    assert read.stones.codes["colour"][2] == -1
    assert not read.stones.weight_ct.flags.writeable


def test_rows_and_columns_are_the_same_parcel(scheme: Scheme, zone_table: ZoneTable) -> None:
    columns = parcel()
    names = list(columns["stones"])
    rows = parcel(stones=[dict(zip(names, row, strict=True)) for row in zip(*columns["stones"].values(), strict=True)])
    french = parcel(
        stones={
            "Poids (ct)": [0.21, 0.35, 0.4],
            "Couleur": ["Brun", "CAPE", ""],
            "forme": ["Maccle", " ", "Cube"],
        },
        declarations=[{"zone": "Berbérati", "carats": 0.5}, {"zone": "BERBERATI", "carats": 0.46}],
    )
    written = [parcel_to_json(ingest_json(item, scheme, zone_table), scheme) for item in (columns, rows, french)]
    assert written[0] == written[1] == written[2]


@given(names=st.sets(st.sampled_from(["Carats", "weight_g", "exporter", "stones_seen", "counts", "no_such_member"])))
def test_a_member_that_is_null_says_nothing(names: set[str], scheme: Scheme, zone_table: ZoneTable) -> None:
    with_nulls = ingest_json(parcel() | dict.fromkeys(names), scheme, zone_table)
    assert parcel_to_json(with_nulls, scheme) == parcel_to_json(ingest_json(parcel(), scheme, zone_table), scheme)


def test_a_document_is_left_as_it_was(scheme: Scheme, zone_table: ZoneTable) -> None:
    document = parcel()
    before = copy.deepcopy(document)
    ingest_json(document, scheme, zone_table)
    assert document == before


@every(
    "value, code, shown",
    [
        ("0.2", "not_a_number", "0.2"),
        (True, "wrong_type", "true"),
        (None, "missing_value", None),
        ([0.2], "wrong_type", "[0.2]"),
        (float("nan"), "not_finite", "nan"),
        (float("-inf"), "not_finite", "-inf"),
        (10**400, "not_finite", "1" + "0" * 78 + "…"),
        (-0.2, "negative", "-0.2"),
        (0, "zero", "0"),
        (5000.01, "too_large", "5000.01"),
    ],
)
def test_weights_that_are_none(value: Any, code: str, shown: str | None, scheme: Scheme, zone_table: ZoneTable) -> None:
    document = parcel(stones={"weight_ct": [0.2, 1, value, 5000]}, declarations=[])
    found = problems_of(lambda: ingest_json(document, scheme, zone_table))
    assert told(found) == [(code, "stones", 3, "weight_ct", shown)]


def test_true_is_not_one_and_one_is(scheme: Scheme, zone_table: ZoneTable) -> None:
    document = parcel(stones={"weight_ct": [1, True, 1.0]}, declarations=[])
    found = problems_of(lambda: ingest_json(document, scheme, zone_table))
    assert told(found) == [("wrong_type", "stones", 2, "weight_ct", "true")]


def test_an_unknown_class_is_told_with_the_nearest(scheme: Scheme, zone_table: ZoneTable) -> None:
    stones = {"weight_ct": [0.2, 0.3], "colour": ["brown", "brwn"], "morphology": ["octaédre", "macel"]}
    found = problems_of(lambda: ingest_json(parcel(stones=stones, declarations=[]), scheme, zone_table))
    assert told(found) == [
        ("unknown_class", "stones", 2, "colour", "brwn"),
        ("unknown_class", "stones", 2, "morphology", "macel"),
    ]
    assert "brown" in found[0].reason
    assert "macle" in found[1].reason


def test_everything_is_told_at_once(scheme: Scheme, zone_table: ZoneTable) -> None:
    document = {
        "exported_on": "10/05/2023",
        "n_stones": 7,
        "declarations": [{"zone_id": "berberat", "carats": -1}, {"zone_id": "carnot", "carats": "5"}],
        "conditions": {"bottom_screen_mm": "1.8", "specials_removed": "perhaps"},
        "stones": {"weight_ct": [0.2, 0], "colour": ["brwn", None]},
    }
    found = problems_of(lambda: ingest_json(document, scheme, zone_table))
    assert {(code, table, row, column) for code, table, row, column, _ in told(found)} == {
        ("missing_value", "parcel", None, "parcel_id"),
        ("not_a_date", "parcel", None, "exported_on"),
        ("not_a_number", "parcel", None, "bottom_screen_mm"),
        ("not_yes_or_no", "parcel", None, "specials_removed"),
        ("unknown_zone", "declarations", 1, "zone_id"),
        ("negative", "declarations", 1, "carats"),
        ("not_a_number", "declarations", 2, "carats"),
        ("zero", "stones", 2, "weight_ct"),
        ("unknown_class", "stones", 1, "colour"),
    }
    assert "berberati" in next(item.reason for item in found if item.code == "unknown_zone")


@every(
    "document, code",
    [
        ([], "wrong_type"),
        ("parcel", "wrong_type"),
        (None, "wrong_type"),
        ({"parcel_id": "a"}, "no_stones"),
        ({"parcel_id": "a", "stones": []}, "no_stones"),
        ({"parcel_id": "a", "stones": {}}, "no_stones"),
        ({"parcel_id": "a", "stones": {"weight_ct": []}}, "no_stones"),
        ({"parcel_id": "a", "stones": "0.2"}, "wrong_type"),
        ({"parcel_id": "a", "stones": {"weight_ct": 0.2}}, "wrong_type"),
        ({"parcel_id": "a", "stones": [0.2]}, "wrong_type"),
        ({"parcel_id": "a", "stones": {"colour": ["brown"]}}, "missing_column"),
        ({"parcel_id": "a", "stones": {"weight_ct": [0.2], "colour": []}}, "unequal_columns"),
        ({"parcel_id": "a", "stones": {"weight_ct": [0.2], "colr": ["brown"]}}, "unknown_column"),
        ({"parcel_id": "a", "stones": {"weight_ct": [0.2], "poids": [0.2]}}, "column_twice"),
        ({"parcel_id": 7, "stones": {"weight_ct": [0.2]}}, "wrong_type"),
        ({"parcel_id": "a\x00b", "stones": {"weight_ct": [0.2]}}, "wrong_type"),
        ({"parcel_id": "a", "exporter": "\ud800", "stones": {"weight_ct": [0.2]}}, "wrong_type"),
        ({"parcel_id": "a", "stones": {"weight_ct": [0.2], "colour": ["\ud800"]}}, "unknown_class"),
        ({"parcel_id": " ", "stones": {"weight_ct": [0.2]}}, "missing_value"),
        ({"parcel_id": "a", "conditions": [], "stones": {"weight_ct": [0.2]}}, "wrong_type"),
        ({"parcel_id": "a", "exporter": {"name": "x"}, "stones": {"weight_ct": [0.2]}}, "wrong_type"),
        (
            {"parcel_id": "a", "stones": {"weight_ct": [0.2]}, "counts": [{"colour": "cape", "n_stones": 1}]},
            "stones_and_counts",
        ),
        ({"parcel_id": "a", "stones": {"weight_ct": [0.2]}, "declarations": [{"carats": 1}]}, "missing_column"),
        ({"parcel_id": "a", "stones": {"weight_ct": [0.2]}, "declarations": [{"zone_id": None}]}, "missing_value"),
        (
            {
                "parcel_id": "a",
                "stones": {"weight_ct": [0.2]},
                "declarations": [{"zone_id": "nola"}, {"zone_id": "boda"}],
            },
            "declared_without_carats",
        ),
        ({"parcel_id": "a", "stones": {"weight_ct": [0.2]}, "conditions": {"sieve_set": "mine"}}, "unknown_sieve_set"),
        ({"parcel_id": "a", "n_stones": 2, "stones": {"weight_ct": [0.2]}}, "stones_total"),
        ({"parcel_id": "a", "n_stones": 1.5, "stones": {"weight_ct": [0.2]}}, "not_whole"),
        ({"parcel_id": "a", "carats": 0.5, "stones": {"weight_ct": [0.2]}}, "carats_total"),
    ],
)
def test_what_is_no_parcel(document: object, code: str, scheme: Scheme, zone_table: ZoneTable) -> None:
    found = problems_of(lambda: ingest_json(document, scheme, zone_table))
    assert [item.code for item in found] == [code]
    json.dumps([item.as_dict() for item in found], ensure_ascii=False).encode()


def test_spaces_in_names_do_not_matter(scheme: Scheme, zone_table: ZoneTable) -> None:
    read = ingest_json(parcel(parcel_id=" A \n 1 ", exporter="Bureau\u00a0A"), scheme, zone_table)
    assert (read.parcel_id, read.exporter) == ("A 1", "Bureau A")


def test_a_single_zone_needs_no_carats(scheme: Scheme, zone_table: ZoneTable) -> None:
    read = ingest_json(parcel(declarations=[{"zone_id": "nola"}]), scheme, zone_table)
    assert read.declarations == (Declaration(zone_id="nola", carats=None),)


def test_declared_carats_need_not_be_those_of_the_parcel(scheme: Scheme, zone_table: ZoneTable) -> None:
    read = ingest_json(parcel(declarations=[{"zone_id": "nola", "carats": 77}]), scheme, zone_table)
    assert read.declarations[0].carats == 77.0


def test_a_condition_nobody_has_heard_of_is_kept(scheme: Scheme, zone_table: ZoneTable) -> None:
    conditions = {"cleaning_state": "Steamed", "selection": "inconnu", "sorter": "S99"}
    read = ingest_json(parcel(conditions=conditions), scheme, zone_table)
    assert read.conditions == Conditions(cleaning_state="Steamed", sorter="S99")


def test_problems_beyond_the_limit_are_counted(scheme: Scheme, zone_table: ZoneTable) -> None:
    document = parcel(stones={"weight_ct": [-1.0] * 2500}, declarations=[])
    found = problems_of(lambda: ingest_json(document, scheme, zone_table))
    assert len(found) == 1001
    assert found[-1].code == "more_problems"
    assert "1500" in found[-1].reason
    found = problems_of(lambda: ingest_json(document, scheme, zone_table, Limits(max_rows=2000)))
    assert [item.code for item in found] == ["too_many_rows"]


STONES = st.lists(
    st.tuples(
        st.floats(0.01, 4999).map(lambda weight: round(weight, 3)),
        st.sampled_from(["brown", "green-coated", None]),
        st.sampled_from(["macle", "boart", None]),
    ),
    min_size=1,
    max_size=30,
)


@tried(80)
@given(
    stones=STONES,
    zones=st.dictionaries(st.sampled_from(["berberati", "mbaiki", "kadey"]), st.floats(0.01, 1e4), max_size=3),
    exported_on=st.none() | st.dates(),
    conditions=st.fixed_dictionaries(
        {},
        optional={
            "cleaning_state": st.sampled_from(["unwashed", "acid_rinsed", "steamed"]),
            "selection": st.just("run_of_mine"),
            "sorter": st.text(st.characters(categories=["L", "N"]), min_size=1),
            "bottom_screen_mm": st.floats(0.5, 5),
            "specials_removed": st.booleans(),
            "sieve_set": st.sampled_from(["dtc", "grainers"]),
        },
    ),
)
def test_what_is_written_is_read_back(
    stones: list[tuple[float, str | None, str | None]],
    zones: dict[str, float],
    exported_on: date | None,
    conditions: dict[str, Any],
    scheme: Scheme,
    zone_table: ZoneTable,
) -> None:
    weight, colour, morphology = (list(column) for column in zip(*stones, strict=True))
    document = {
        "parcel_id": "P",
        "exported_on": None if exported_on is None else exported_on.isoformat(),
        "declarations": [{"zone_id": zone, "carats": carats} for zone, carats in zones.items()],
        "conditions": conditions,
        "stones": {"weight_ct": weight, "colour": colour, "morphology": morphology},
    }
    read = ingest_json(document, scheme, zone_table)
    written = json.loads(json.dumps(parcel_to_json(read, scheme)))
    again = ingest_json(written, scheme, zone_table)
    assert parcel_to_json(again, scheme) == written
    assert (again.conditions, again.declarations, again.exported_on) == (
        read.conditions,
        read.declarations,
        read.exported_on,
    )
    assert again.stones is not None
    assert np.array_equal(again.stones.weight_ct, np.array(weight))
    assert (again.n_stones, again.carats) == (read.n_stones, read.carats)


def many(n: int) -> list[dict[str, Any]]:
    return [{"weight_ct": 0.2 + at / 100, "colour": "cape" if at % 2 else "brown"} for at in range(n)]


@pytest.mark.parametrize(
    ("changes", "code", "answer"),
    [
        ({"stones": many(12) * 2}, "counted_twice", ("tables", "one")),
        ({"stones": {"weight_ct": [0.2 + at / 100 for at in range(9)] * 3}}, "counted_twice", ("tables", "one")),
        ({"stones": [{"weight": weight} for weight in (42, 31, 27, 18)]}, "points_or_carats", ("weights", "carats")),
        (
            {"stones": None, "counts": [{"size_class": "+11", "n_stones": 20, "carats": 2.0}]},
            "mean_unlikely",
            ("weights", "carats"),
        ),
        (
            {"stones": None, "counts": [{"colour": "brown", "n_stones": 20, "carats": 4000.0}]},
            "mean_unlikely",
            ("weights", "carats"),
        ),
    ],
)
def test_a_document_is_asked_about_what_a_sheet_is_asked_about(
    changes: dict[str, Any], code: str, answer: tuple[str, str], scheme: Scheme, zone_table: ZoneTable
) -> None:
    document = {name: value for name, value in parcel(**changes).items() if value is not None}
    (found,) = problems_of(lambda: ingest_json(document, scheme, zone_table))
    assert found.code == code
    assert answer in [tuple(choice) for choice in found.values["choices"]]
    ingest_json(document, scheme, zone_table, choices=dict([answer]))
    ingest_json(document, scheme, zone_table, sealed=True)


def test_lists_may_have_french_names(scheme: Scheme, zone_table: ZoneTable) -> None:
    stones = {"poids": [0.3, 0.4], "couleur": ["brun", "cape"]}
    document = {"colis": "P1", "déclarations": [{"pays": "Rép. centrafricaine", "poids": 0.7}], "pierres": stones}
    read = ingest_json(document, scheme, zone_table)
    assert (read.parcel_id, read.n_stones, read.carats) == ("P1", 2, 0.7)
    assert [item.country for item in read.countries] == ["CF"]


@pytest.mark.parametrize(
    "country", ["Democratic Republic of the Congo", "République démocratique du Congo", "DR Congo"]
)
def test_a_country_may_have_its_whole_name(country: str, scheme: Scheme, zone_table: ZoneTable) -> None:
    read = ingest_json(parcel(declarations=[{"country": country, "carats": 1.0}]), scheme, zone_table)
    assert [item.country for item in read.countries] == ["CD"]


def test_a_bare_list_of_stones_is_a_parcel(scheme: Scheme, zone_table: ZoneTable) -> None:
    upload = Upload("P1.json", json.dumps(many(4)).encode())
    (read_so,) = read(upload, scheme, zone_table, one=True).parcels
    assert (read_so.parcel_id, read_so.n_stones) == ("P1", 4)
    for document in ([0.2, 0.3], [{"parcel_id": "P1", "stones": many(4)}]):
        (found,) = problems_of(lambda document=document: ingest_json(document, scheme, zone_table))  # type: ignore[misc]
        assert found.code == "wrong_type"
