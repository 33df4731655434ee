"""Each mistake of a package is told once, with its place, and beside the others that were made."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.styles import Font

from kpfootprint.cli.surroundings import reason_in
from kpfootprint.errors import Problem
from tests.training.packages import FEW, write_folder, write_workbook
from training.package import load_package, validate_package
from training.package.descriptor import LIMITS
from training.package.seal import seal

Lines = list[str]
Place = tuple[str, int | None, str | None, str]


def written(folder: Path, table: str, edit: Callable[[Lines], Lines]) -> tuple[Problem, ...]:
    """Return what is wrong with a package after a change to the lines of a table, by which it is sealed again."""
    path = folder / f"{table}.csv"
    path.write_text("\n".join(edit(path.read_text("utf-8").splitlines())) + "\n", encoding="utf-8")
    seal(folder)
    return validate_package(folder)


def described(folder: Path, edit: Callable[[dict[str, Any]], object]) -> tuple[Problem, ...]:
    path = folder / "datapackage.json"
    document = json.loads(path.read_text("utf-8"))
    edit(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    return validate_package(folder)


def places(problems: tuple[Problem, ...]) -> list[Place]:
    assert all(reason_in(item, "fr") != item.reason for item in problems)
    return [(item.table, item.row, item.column, item.code) for item in problems]


def with_column(lines: Lines, column: str, value: str, *, row: int = 2) -> Lines:
    """Return the lines of a table with another cell in a row, which is that of the file."""
    cells = lines[row - 1].split(",")
    cells[lines[0].split(",").index(column)] = value
    return [*lines[: row - 1], ",".join(cells), *lines[row:]]


@pytest.mark.parametrize("table", ["zones", "zone_status", "parcels", "stones"])
@pytest.mark.parametrize("times", [1, 5])
def test_a_row_that_repeats_the_header_is_told_as_such(table: str, times: int, tmp_path: Path) -> None:
    found = written(
        write_folder(tmp_path / "package", FEW), table, lambda lines: [*lines[:3], *[lines[0]] * times, *lines[3:]]
    )
    assert places(found) == [(table, 4, None, "header_again")]
    assert ("in 4 more rows" in found[0].reason) == (times == 5)


@pytest.mark.parametrize(
    "foot", ["Total,12.5,,", "Total,12.5,650 stones,", "Signed: the Director,,,", "nobody,0.3,pink,"]
)
def test_a_row_of_no_parcel_is_told_alone(foot: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    n = len((folder / "stones.csv").read_text("utf-8").splitlines())
    found = written(folder, "stones", lambda lines: [*lines, foot])
    assert places(found) == [("stones", n + 1, "parcel_id", "unknown_parcel")]


def test_a_stone_laid_to_no_parcel_hides_no_total_that_it_does_not_explain(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    written(folder, "parcels", lambda lines: with_column(lines, "n_stones", "7000", row=3))
    found = written(folder, "stones", lambda lines: with_column(lines, "parcel_id", "nobody"))
    assert places(found) == [("stones", 2, "parcel_id", "unknown_parcel"), ("parcels", 3, "n_stones", "stones_total")]


@pytest.mark.parametrize("foot", ["Total,12.5,,", "Sous-total,12.5,,"])
def test_a_total_hides_no_number_of_stones_that_is_wrong(foot: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    (row,) = [line.split(",") for line in (folder / "parcels.csv").read_text("utf-8").splitlines()[3:4]]
    at = (folder / "parcels.csv").read_text("utf-8").splitlines()[0].split(",").index("n_stones")
    written(folder, "parcels", lambda lines: with_column(lines, "n_stones", str(int(row[at]) + 1), row=4))
    found = written(folder, "stones", lambda lines: [*lines, foot])
    assert [code for *_, code in places(found)] == ["unknown_parcel", "stones_total"]


@pytest.mark.parametrize(
    ("edit", "codes"),
    [
        (lambda d: (d.pop("version"), d["attributes"][0].update(edges_ct=[0, 2, 1])), ["missing_value", "bad_scheme"]),
        (lambda d: (d.update(synthetic="no"), d["attributes"][1].update(classes=[])), ["missing_value", "bad_scheme"]),
        (
            lambda d: (
                d["attributes"][0].update(edges_ct=[0, 2, 1]),
                d["attributes"][1]["classes"][0].update(synonyms=["brown"]),
            ),
            ["bad_scheme", "bad_scheme"],
        ),
        (
            lambda d: (d["attributes"][1].update(classes=[]), d["resources"][0].update(hash="0" * 64)),
            ["bad_scheme", "hash_count"],
        ),
    ],
)
def test_two_mistakes_of_a_descriptor_are_told_together(
    edit: Callable[[dict[str, Any]], object], codes: list[str], tmp_path: Path
) -> None:
    found = described(write_folder(tmp_path / "package", FEW), edit)
    assert [code for *_, code in places(found)] == codes


def test_mistakes_of_two_small_tables_are_told_together(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    written(folder, "zones", lambda lines: with_column(lines, "country", "Mars"))
    written(folder, "zone_status", lambda lines: [*lines, lines[1].replace("2015", "2016")])
    found = written(folder, "parcels", lambda lines: with_column(lines, "zone_id", "atlantis"))
    assert {(table, column) for table, _, column, _ in places(found)} == {
        ("zones", "country"),
        ("zone_status", "valid_from"),
        ("parcels", "zone_id"),
    }
    assert len(found) == 3


@pytest.mark.parametrize("text", ["12 mars 2019", "2019-03-12 00:00:00", "2019-03-12T10:30:00Z", "2019/03/12"])
def test_days_are_read_as_those_of_submissions(text: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    assert written(folder, "parcels", lambda lines: with_column(lines, "collected_on", text)) == ()
    assert load_package(folder).collected_on[0] == date(2019, 3, 12)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("03/04/2019", "this can be 2019-03-04 or 2019-04-03"),
        ("0019-04-25", "the year 19 is too early"),
        ("2019-02-30", "not a date"),
    ],
)
@pytest.mark.parametrize(("table", "column"), [("parcels", "collected_on"), ("zone_status", "valid_from")])
def test_a_day_that_is_none_is_told_with_what_it_may_be(
    table: str, column: str, text: str, said: str, tmp_path: Path
) -> None:
    found = written(write_folder(tmp_path / "package", FEW), table, lambda lines: with_column(lines, column, text))
    assert places(found) == [(table, 2, column, "not_a_date")]
    assert said in found[0].reason


def test_days_may_have_the_format_that_their_field_declares(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)

    def declared(document: dict[str, Any]) -> None:
        (item,) = (item for item in document["resources"] if item["name"] == "parcels")
        (field,) = (field for field in item["schema"]["fields"] if field["name"] == "collected_on")
        field |= {"type": "date", "format": "%d/%m/%Y"}

    described(folder, declared)
    assert written(folder, "parcels", lambda lines: with_column(lines, "collected_on", "03/04/2019")) == ()
    assert load_package(folder).collected_on[0] == date(2019, 4, 3)


@pytest.mark.parametrize(
    ("days", "first"),
    [
        (("03/04/2019", "25/04/2019", "2019-05-01"), date(2019, 4, 3)),
        (("03.04.2019", "04.25.2019", ""), date(2019, 3, 4)),
        (("03/04/2019", "25/04/2019", "04/25/2019"), None),
    ],
)
def test_a_day_is_read_as_others_of_its_column_that_can_be_one_alone(
    days: tuple[str, ...], first: date | None, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "package", FEW)

    def dated(lines: Lines) -> Lines:
        for row, day in enumerate(days, start=2):
            lines = with_column(lines, "collected_on", day, row=row)
        return lines

    found = written(folder, "parcels", dated)
    assert places(found) == ([] if first else [("parcels", 2, "collected_on", "not_a_date")])
    if first:
        assert load_package(folder).collected_on[0] == first


def test_a_struck_row_of_a_workbook_is_told_once(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "book", FEW)
    book = openpyxl.load_workbook(path)
    for row in (5, 6):
        for cell in book["stones"][row]:
            cell.font = Font(strike=True)
    book.save(path)
    assert places(validate_package(path)) == [
        ("stones", 5, "parcel_id", "struck_cell"),
        ("stones", 6, "parcel_id", "struck_cell"),
    ]


def test_the_name_of_a_sieve_is_no_weight(tmp_path: Path) -> None:
    found = written(
        write_folder(tmp_path / "package", FEW), "stones", lambda lines: with_column(lines, "weight_ct", "+11")
    )
    assert [(item.table, item.row, item.column, item.value) for item in found] == [("stones", 2, "weight_ct", "+11")]
    assert "name of a sieve" in found[0].reason


def pasted(lines: Lines) -> Lines:
    """Return the stones of a package with those of the first parcel once more at the end."""
    first = lines[1].split(",")[0]
    return [*lines, *(line for line in lines[1:] if line.startswith(f"{first},"))]


def test_stones_that_were_pasted_twice_into_a_parcel_are_told(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", replace(FEW, conditions=False))
    found = written(folder, "stones", pasted)
    if any(item.code == "stones_total" for item in found):
        written(folder, "parcels", lambda lines: [",".join(line.split(",")[:2]) for line in lines])
        described(folder, only_ids)
        found = validate_package(folder)
    assert [(item.table, item.row, item.column, item.code) for item in found] == [
        ("parcels", 2, "parcel_id", "copied_parcel")
    ]
    assert "come twice, in the same order" in found[0].reason
    assert reason_in(found[0], "fr") != found[0].reason


def only_ids(document: dict[str, Any]) -> None:
    (item,) = (item for item in document["resources"] if item["name"] == "parcels")
    item["schema"]["fields"] = item["schema"]["fields"][:2]


@pytest.mark.slow
def test_many_stones_of_few_kinds_repeat_by_chance(tmp_path: Path) -> None:
    kind = replace(FEW, parcels=(4, 4), attributes={"lustre": ("dull", "glassy")}, n_stones=8000)
    folder = write_folder(tmp_path / "package", kind)
    described(folder, lambda d: [item.pop("hash", None) for item in d["resources"]])

    def coarse(lines: Lines) -> Lines:
        rows = [line.split(",") for line in lines[1:]]
        return [lines[0], *(f"{row[0]},{min(4, round(float(row[1]) * 10)) / 10 or 0.1:g},{row[2]}" for row in rows)]

    found = written(folder, "stones", coarse)
    assert not [item for item in found if item.code == "copied_parcel"]


@pytest.mark.parametrize(
    ("country", "said"),
    [("Guinée", "write the code of the country, GN"), ("CAF", "CF"), ("cf", "CF"), ("UK", "GB"), ("C4", "not a code")],
)
def test_a_country_is_a_code_that_there_is(country: str, said: str, tmp_path: Path) -> None:
    found = written(
        write_folder(tmp_path / "package", FEW), "zones", lambda lines: with_column(lines, "country", country)
    )
    assert places(found) == [("zones", 2, "country", "bad_country")]
    assert said in found[0].reason


@pytest.mark.parametrize("country", ["ZZ", "XA", "WL"])
def test_a_country_may_be_invented(country: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    assert not written(folder, "zones", lambda lines: with_column(lines, "country", country))


@pytest.mark.parametrize("word", ["-", "Total", "sous-total"])
def test_a_class_is_not_called_what_sheets_read_otherwise(word: str, tmp_path: Path) -> None:
    def called(document: dict[str, Any]) -> None:
        document["attributes"][1]["classes"][0] = {"name": word}

    (problem,) = described(write_folder(tmp_path / "package", FEW), called)
    assert (problem.table, problem.value) == ("datapackage.json", word)
    assert reason_in(problem, "fr") != problem.reason


def test_columns_that_were_swapped_are_told_without_what_follows(tmp_path: Path) -> None:
    def swapped(lines: Lines) -> Lines:
        return [lines[0].replace("parcel_id,weight_ct", "weight_ct,parcel_id"), *lines[1:]]

    found = written(write_folder(tmp_path / "package", FEW), "stones", swapped)
    assert [item.code for item in found] == ["unknown_parcel"] * 3
    assert "more rows, whatever the value" in found[-1].reason


def test_classes_under_the_header_of_another_attribute_are_told_once_a_column(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)

    def swapped(lines: Lines) -> Lines:
        return [lines[0].replace("colour,morphology", "morphology,colour"), *lines[1:]]

    found = written(folder, "stones", swapped)
    assert places(found) == [
        ("stones", 2, "colour", "other_attribute"),
        ("stones", 2, "morphology", "other_attribute"),
    ]
    assert "classes of morphology (" in found[0].reason


@pytest.mark.parametrize("word", ["value", "Lot", "valeur", "sieve"])
def test_a_word_that_heads_another_column_of_sheets_is_no_attribute(word: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    written(folder, "stones", lambda lines: [lines[0].replace("morphology", word), *lines[1:]])
    found = described(folder, lambda d: d["attributes"][2].update(name=word, column=word))
    assert [(item.table, item.column, item.value, item.code) for item in found if "fields of" not in item.reason] == [
        ("datapackage.json", "attributes", word, "bad_scheme")
    ]
    found = described(
        write_folder(tmp_path / "other", FEW), lambda d: d["attributes"][1].setdefault("synonyms", []).append(word)
    )
    assert [(item.column, item.value, item.code) for item in found] == [("attributes", word, "bad_scheme")]
    assert f"the header {word!r} stands for the columns" in found[0].reason


def test_a_file_that_is_listed_twice_is_told_and_not_read_twice(tmp_path: Path) -> None:
    def twice(document: dict[str, Any]) -> None:
        (item,) = (item for item in document["resources"] if item["name"] == "stones")
        item.pop("hash", None)
        item["path"] = [item["path"]] * 2

    found = described(write_folder(tmp_path / "package", FEW), twice)
    assert [item.code for item in found] == ["table_twice"]
    assert places(found)


def test_classes_under_the_header_of_weights_are_told_once(tmp_path: Path) -> None:
    def swapped(lines: Lines) -> Lines:
        weight, colour = (lines[0].split(",").index(name) for name in ("weight_ct", "colour"))
        rows = [line.split(",") for line in lines]
        for row in rows[1:]:
            row[weight], row[colour] = row[colour], row[weight]
        return [",".join(row) for row in rows]

    found = written(write_folder(tmp_path / "package", FEW), "stones", swapped)
    assert places(found) == [("stones", 2, "weight_ct", "other_attribute")]


def test_a_few_classes_of_another_attribute_are_unknown_words(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    found = written(folder, "stones", lambda lines: with_column(lines, "colour", "flat"))
    assert places(found) == [("stones", 2, "colour", "unknown_class")]


@pytest.mark.parametrize(
    ("table", "line"), [("zones", "<<<<<<< HEAD"), ("parcels", "<<<<<<< HEAD"), ("stones", "P0000,0.3")]
)
def test_a_row_of_another_width_is_told_by_what_it_begins_with(table: str, line: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    found = written(folder, table, lambda lines: [*lines[:2], line, *lines[2:]])
    assert [(item.code, item.row, item.value) for item in found] == [("ragged_row", 3, line.partition(",")[0])]


@pytest.mark.parametrize(
    ("schema", "odd"),
    [
        ({"primaryKey": "number"}, "number"),
        ({"primaryKey": ["parcel_id", "no"]}, "no"),
        ({"foreignKeys": [{"fields": "zone", "reference": {"resource": "zones", "fields": "zone_id"}}]}, "zone"),
        ({"foreignKeys": [{"fields": ["zone_id"], "reference": {"resource": "zones", "fields": ["id"]}}]}, "id"),
        ({"fields": [{"name": "zone_id", "type": "string"}] * 2}, "zone_id"),
    ],
)
def test_a_key_of_fields_that_there_are_not_is_told_once(schema: dict[str, Any], odd: str, tmp_path: Path) -> None:
    def keyed(document: dict[str, Any]) -> None:
        (item,) = (item for item in document["resources"] if item["name"] == "parcels")
        item["schema"] |= schema

    found = described(write_folder(tmp_path / "package", FEW), keyed)
    assert places(found) == [("datapackage.json", None, "resources", "bad_resource")]
    assert found[0].reason.endswith(f": {odd}")


def test_what_is_beyond_the_limit_is_counted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = replace(LIMITS, max_problems=50)
    monkeypatch.setattr("training.package.read.LIMITS", few)
    folder = write_folder(tmp_path / "package", FEW)

    def scattered(lines: Lines) -> Lines:
        return [lines[0], *(f"stray {at},{line.partition(',')[2]}" for at, line in enumerate(lines[1:]))]

    found = written(folder, "stones", scattered)
    assert [(item.table, item.code) for item in found] == [("stones", "unknown_parcel")] * 3 + [
        ("stones", "more_problems")
    ]


def two_decimals(lines: Lines) -> Lines:
    rows = [line.split(",") for line in lines[1:]]
    return [lines[0], *(",".join([row[0], f"{float(row[1]):.2f}", *row[2:]]) for row in rows)]


def test_a_weight_that_lost_its_point_is_told(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    written(folder, "parcels", lambda lines: [",".join(line.split(",")[:2]) for line in lines])
    described(folder, only_ids)
    found = written(folder, "stones", lambda lines: with_column(two_decimals(lines), "weight_ct", "42", row=9))
    assert [(item.row, item.value) for item in found] == [(9, "42")]
    assert places(found) == [("stones", 9, "weight_ct", "decimals_missing")]
    assert written(folder, "stones", lambda lines: with_column(lines, "weight_ct", "42.00", row=9)) == ()
    short = [
        lambda lines: with_column(lines, "weight_ct", "42", row=9),
        lambda lines: with_column(lines, "weight_ct", "0.5"),
    ]
    written(folder, "stones", short[0])
    assert written(folder, "stones", short[1]) == ()
