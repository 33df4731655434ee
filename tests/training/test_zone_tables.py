"""Zones, periods and days of a package: what nobody could say the meaning of is told with its row."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from kpfootprint.errors import Problem
from tests.training.packages import PLAIN, Table, write_folder
from training.package import load_package, validate_package
from training.package.seal import seal, write_table


def changed(folder: Path, table: str, edit: Callable[[Table], Table]) -> Path:
    """Return a package whose own schemas ask for nothing, with one table changed."""
    write_folder(folder, PLAIN)
    path = folder / f"{table}.csv"
    with path.open(newline="", encoding="utf-8") as stream:
        rows = edit(list(csv.DictReader(stream)))
    write_table(path, list(rows[0]), (list(row.values()) for row in rows))
    seal(folder)
    return folder


def first(**values: str) -> Callable[[Table], Table]:
    return lambda rows: [rows[0] | values, *rows[1:]]


def second(**values: str) -> Callable[[Table], Table]:
    return lambda rows: [rows[0], rows[1] | values, *rows[2:]]


@pytest.mark.parametrize(
    ("table", "edit", "told"),
    [
        ("zones", lambda rows: [*rows, rows[0] | {"name": "Other"}], (6, "zone_id", "zone_twice")),
        ("zones", second(name="Z00"), (3, "name", "zone_twice")),
        ("zones", second(name="z-00"), (3, "name", "zone_twice")),
        ("zones", first(name=""), (2, "name", "missing_value")),
        ("zones", first(country=""), (2, "country", "missing_value")),
        ("zones", lambda rows: [*rows, dict.fromkeys(rows[0], "") | {"zone_id": "Total"}], (6, "zone_id", "total_row")),
        ("parcels", first(zone_id=""), (2, "zone_id", "missing_value")),
        (
            "parcels",
            lambda rows: [*rows, dict.fromkeys(rows[0], "") | {"sorter": "Grand total", "n_stones": "9"}],
            (26, "sorter", "total_row"),
        ),
        (
            "parcels",
            lambda rows: [row | {"parcel_id": row["zone_id"], "zone_id": row["parcel_id"]} for row in rows],
            (2, "parcel_id", "other_column"),
        ),
        ("zone_status", first(valid_from=""), (2, "valid_from", "missing_value")),
        ("zone_status", first(valid_to="2016-01-01"), (2, "valid_to", "empty_period")),
        ("zone_status", second(status="allowed"), (3, "status", "unknown_status")),
        ("zone_status", second(status=""), (3, "status", "unknown_status")),
        ("zone_status", first(valid_from="20160101"), (2, "valid_from", "not_a_date")),
        ("parcels", first(collected_on="2017-W05-1"), (2, "collected_on", "not_a_date")),
        ("parcels", first(collected_on="03/02/2017"), (2, "collected_on", "not_a_date")),
    ],
)
def test_rows_that_mean_nothing_are_told(
    table: str, edit: Callable[[Table], Table], told: tuple[int, str, str], tmp_path: Path
) -> None:
    found: tuple[Problem, ...] = validate_package(changed(tmp_path / "package", table, edit))
    assert [(p.table, p.row, p.column, p.code) for p in found] == [(table, *told)]


@pytest.mark.parametrize("word", ["Compliant", " conforme ", "CONFORME"])
def test_a_status_may_be_written_as_people_write_it(word: str, tmp_path: Path) -> None:
    package = load_package(changed(tmp_path / "package", "zone_status", first(status=word)))
    assert package.zone_table.status_on("z00", date(2020, 1, 1)) == "compliant"


@pytest.mark.parametrize(("header", "words"), [("état", ("conforme", "Suspendu")), ("compliant", ("yes", "no"))])
def test_a_status_beside_the_zones_is_not_passed_over(header: str, words: tuple[str, str], tmp_path: Path) -> None:
    def beside(rows: Table) -> Table:
        return [row | {header: words[at % 2]} for at, row in enumerate(rows)]

    folder = changed(tmp_path / "package", "zones", beside)
    document = json.loads((folder / "datapackage.json").read_text("utf-8"))
    zones = next(item for item in document["resources"] if item["name"] == "zones")
    zones["schema"]["fields"].append({"name": header, "type": "string"})
    (folder / "datapackage.json").write_text(json.dumps(document), encoding="utf-8")
    found = validate_package(folder)
    assert [(p.table, p.row, p.column, p.code) for p in found] == [("zones", None, header, "status_in_zones")]


def test_blanks_about_an_id_do_not_count(tmp_path: Path) -> None:
    package = load_package(changed(tmp_path / "package", "parcels", first(zone_id="z00 ", parcel_id=" P0000")))
    assert (package.batch.parcels[0].parcel_id, package.zone_of[0]) == ("P0000", "z00")


def test_an_attribute_that_nobody_recorded_is_told(tmp_path: Path) -> None:
    folder = changed(tmp_path / "package", "stones", lambda rows: [row | {"colour": ""} for row in rows])
    assert [(p.table, p.column, p.code) for p in validate_package(folder)] == [("stones", "colour", "never_recorded")]


@pytest.mark.parametrize("weights", [("0.10", "0.11"), ("120.5", "120.6"), ("0.00002", "0.00003")])
def test_sizes_that_tell_nothing_are_told(weights: tuple[str, str], tmp_path: Path) -> None:
    def weighed(rows: Table) -> Table:
        return [row | {"weight_ct": weights[at % 2]} for at, row in enumerate(rows)]

    folder = changed(tmp_path / "package", "stones", weighed)
    without_totals = [{"parcel_id": p, "zone_id": z} for p, z in zip(*_parcels(folder), strict=True)]
    write_table(folder / "parcels.csv", ["parcel_id", "zone_id"], (list(row.values()) for row in without_totals))
    document = json.loads((folder / "datapackage.json").read_text("utf-8"))
    parcels = next(item for item in document["resources"] if item["name"] == "parcels")
    parcels["schema"] = {"fields": [{"name": name, "type": "string"} for name in ("parcel_id", "zone_id")]}
    (folder / "datapackage.json").write_text(json.dumps(document), encoding="utf-8")
    seal(folder)
    assert "sizes_undivided" in {p.code for p in validate_package(folder)}


def _parcels(folder: Path) -> tuple[list[str], list[str]]:
    with (folder / "parcels.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    return [row["parcel_id"] for row in rows], [row["zone_id"] for row in rows]


def test_counts_in_place_of_stones_are_told_as_such(tmp_path: Path) -> None:
    def counted(rows: Table) -> Table:
        kept = ("parcel_id", "colour", "morphology")
        return [{name: row[name] for name in kept} | {"size_class": "0.1-0.2", "n_stones": "3"} for row in rows]

    folder = changed(tmp_path / "package", "stones", counted)
    assert [(p.table, p.code) for p in validate_package(folder)] == [("stones", "counts_for_stones")]
