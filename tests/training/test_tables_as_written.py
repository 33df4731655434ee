"""Tables of a package as spreadsheets and editors write them are read alike; a problem has the line of the file."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import openpyxl
import pytest

from kpfootprint.ingest.words import fold
from tests.training.packages import FEW, few, write_folder, write_workbook
from training.package import load_package, validate_package
from training.package.seal import seal

TABLES = ("zones", "zone_status", "parcels", "stones")


def rewritten(folder: Path, change: Callable[[str, str], str], encoding: str = "utf-8") -> Path:
    """Write every table anew, its text changed, and seal the package."""
    for name in TABLES:
        path = folder / f"{name}.csv"
        path.write_bytes(change(name, path.read_text("utf-8")).encode(encoding))
    seal(folder)
    return folder


def french(name: str, text: str) -> str:
    """As a spreadsheet in French saves it: semicolons, and commas in numbers with a decimal point."""
    del name
    lines = [line.split(",") for line in text.splitlines()]
    cells = [[c.replace(".", ",") if c.replace(".", "", 1).isdigit() else c for c in line] for line in lines]
    return "\n".join(";".join(line) for line in cells) + "\n"


def every_line(change: Callable[[int, str], str]) -> Callable[[str, str], str]:
    return lambda _, text: "\n".join(change(at, line) for at, line in enumerate(text.splitlines())) + "\n"


@pytest.mark.parametrize(
    "change",
    [
        french,
        every_line(lambda _, line: line + ",,"),
        every_line(lambda at, line: line + ",," * (at > 0)),
        every_line(lambda at, line: line + "\n\n" * (at % 2)),
        every_line(lambda at, line: line + ("\n" + "," * line.count(",")) * (at % 2)),
        every_line(lambda at, line: line if at else line.upper()),
        every_line(lambda at, line: line if at else "\n" + line.replace(",", " , ")),
        every_line(lambda _, line: line.replace(",", "|")),
        lambda _, text: "sep=,\n" + text,
        lambda name, text: text.replace(",no", ",non").replace(",yes", ",oui") if name == "parcels" else text,
    ],
    ids=["french", "columns", "cells", "blank", "commas", "capitals", "spaces", "bars", "sep", "oui"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_programs_write_is_read_alike(change: Callable[[str, str], str], encoding: str, tmp_path: Path) -> None:
    plain = few()
    read = load_package(rewritten(write_folder(tmp_path / "package", FEW), change, encoding))
    assert (read.zone_of, read.collected_on) == (plain.zone_of, plain.collected_on)
    assert read.zone_table == plain.zone_table
    assert [parcel.conditions for parcel in read.batch] == [parcel.conditions for parcel in plain.batch]


def test_a_table_in_cp1252_is_read_and_one_in_two_encodings_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    zones = folder / "zones.csv"
    header, first, second, *more = (line.split(",") for line in zones.read_text("utf-8").splitlines())
    first[1], second[1] = "Berbérati", "Obô"
    named = "\n".join(map(",".join, (header, first, second, *more)))
    zones.write_bytes(named.encode("cp1252"))
    seal(folder)
    assert "Berbérati" in {zone.name for zone in load_package(folder).zone_table.zones}
    zones.write_bytes(named.encode("cp1252").replace(b"\xe9", "é".encode()))
    seal(folder)
    (problem,) = validate_package(folder)
    assert (problem.table, problem.code) == ("zones", "bad_encoding")


def test_an_encoding_that_is_not_read_is_told(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    path = folder / "datapackage.json"
    document = json.loads(path.read_text("utf-8"))
    document["resources"][0]["encoding"] = "cp850"
    path.write_text(json.dumps(document), encoding="utf-8")
    (problem,) = validate_package(folder)
    assert (problem.column, problem.value, problem.code) == ("resources", "cp850", "bad_resource")


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("parcels", lambda row: row[:4], (None, "P0001", "ragged_row")),
        ("parcels", lambda row: [*row, "x"], (None, "P0001", "ragged_row")),
        ("parcels", lambda row: [row[0], "atlantis", *row[2:]], ("zone_id", "atlantis", "unknown_zone")),
        ("zones", lambda row: [*row[:2], "cf", row[3]], ("country", "cf", "bad_country")),
        ("zone_status", lambda row: [*row[:2], "soon", *row[3:]], ("valid_from", "soon", "not_a_date")),
    ],
)
def test_a_row_below_blank_lines_is_told_by_its_line(
    name: str, change: Callable[[list[str]], list[str]], told: tuple[object, ...], tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    path = folder / f"{name}.csv"
    lines = path.read_text("utf-8").splitlines()
    lines[2:3] = ["", "", "", "", ",".join(change(lines[2].split(",")))]  # the third line becomes the seventh
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    seal(folder)
    (problem,) = validate_package(folder)
    assert (problem.table, problem.row) == (name, 7)
    assert (problem.column, problem.value, problem.code) == told


def test_a_row_that_repeats_a_key_names_it(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    path = folder / "zone_status.csv"
    lines = path.read_text("utf-8").splitlines()
    path.write_text("\n".join([*lines, "", lines[1]]) + "\n", encoding="utf-8")
    document = json.loads((folder / "datapackage.json").read_text("utf-8"))
    (item,) = (item for item in document["resources"] if item["name"] == "zone_status")
    item["schema"]["primaryKey"] = ["zone_id", "valid_from"]
    (folder / "datapackage.json").write_text(json.dumps(document), encoding="utf-8")
    seal(folder)
    (problem,) = validate_package(folder)
    assert (problem.row, problem.column, problem.code) == (len(lines) + 2, "zone_id, valid_from", "primary_key")
    assert problem.value == ", ".join(lines[1].split(",")[at] for at in (0, 2))
    assert problem.reason == "the same as in the row at position 2"


def other_ids(name: str) -> Iterator[tuple[str, str]]:
    yield name.casefold(), "ids_alike"
    yield "".join(chr(ord(c) + 0xFEE0) for c in name), "ids_alike"
    yield f" {name} ", "duplicate_parcel"


@pytest.mark.parametrize("at", range(3))
def test_an_id_that_a_hand_wrote_in_two_ways_is_told_once_by_its_row(at: int, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    first, second = (line.split(",")[0] for line in (folder / "parcels.csv").read_text("utf-8").splitlines()[1:3])
    other, code = list(other_ids(first))[at]
    rewritten(folder, every_line(lambda _, line: line.replace(f"{second},", f"{other},")))
    found = validate_package(folder)
    assert [(item.table, item.column, item.code) for item in found] == [("parcels", "parcel_id", code)]
    assert found[0].row in (2, 3)
    assert fold(found[0].value or "") == fold(first)


def test_stones_of_no_parcel_are_told_first_with_their_number(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    path = folder / "stones.csv"
    lines = path.read_text("utf-8").splitlines()
    lines[1:6] = ["nobody" + line[line.index(",") :] for line in lines[1:6]]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    seal(folder)
    problem, *consequences = validate_package(folder)
    assert (problem.table, problem.row, problem.value, problem.code) == ("stones", 2, "nobody", "unknown_parcel")
    assert "in 4 more rows" in problem.reason
    assert {item.code for item in consequences} <= {"stones_total", "carats_total"}


@pytest.mark.slow
def test_rows_of_a_sheet_are_told_by_their_number_there(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "book", FEW)
    book = openpyxl.load_workbook(path)
    sheet = book["parcels"]
    sheet.insert_rows(1, 2)
    sheet.insert_rows(6, 3)
    book["zones"]["B2"] = "two\nlines"
    assert sheet["B9"].value
    book.save(path)
    assert "two lines" in {zone.name for zone in load_package(path).zone_table.zones}
    sheet["B9"] = "atlantis"
    book.save(path)
    (problem,) = validate_package(path)
    assert (problem.table, problem.row, problem.value) == ("parcels", 9, "atlantis")


def test_a_workbook_with_two_sheets_of_one_name_is_refused(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "book", FEW)
    book = openpyxl.load_workbook(path)
    book.create_sheet("Zones ").append(["zone_id", "name", "country", "region"])
    book.save(path)
    (problem,) = validate_package(path)
    assert problem.code == "table_twice"


def test_an_archive_of_several_packages_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    with zipfile.ZipFile(tmp_path / "both.zip", "w") as archive:
        for inside in ("one", "two"):
            for path in folder.iterdir():
                archive.write(path, f"{inside}/{path.name}")
    (problem,) = validate_package(tmp_path / "both.zip")
    assert problem.code == "table_twice"
    assert "one, two" in problem.reason


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda d: d.update(sieve_sets="dtc"), ("datapackage.json", "attributes", "bad_scheme")),
        (lambda d: d["attributes"][1].update(name="carats"), ("datapackage.json", "attributes", "bad_scheme")),
        (
            lambda d: d["attributes"][0].update(classes=[{"name": "small"}, {"name": "large"}]),
            ("datapackage.json", "attributes", "bad_scheme"),
        ),
        (
            lambda d: d["resources"][3]["schema"]["fields"].append({"name": "surface", "type": "string"}),
            ("stones", None, "bad_resource"),
        ),
    ],
)
def test_a_descriptor_that_the_tables_contradict_is_told(
    edit: Callable[[dict[str, object]], object], told: tuple[str, str | None, str], tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    path = folder / "datapackage.json"
    document = json.loads(path.read_text("utf-8"))
    assert document["resources"][3]["name"] == "stones"
    edit(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    assert [(item.table, item.column, item.code) for item in validate_package(folder)] == [told]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "data", [b"zone_id,name", gzip.compress(b"zone_id,name" * 99, mtime=0)[:30]], ids=["no", "cut"]
)
def test_a_gzip_file_that_is_none_is_told_once(table: str, data: bytes, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    path = folder / "datapackage.json"
    document = json.loads(path.read_text("utf-8"))
    (item,) = (item for item in document["resources"] if item["name"] == table)
    item["path"] = f"{table}.csv.gz"
    (folder / item["path"]).write_bytes(data)
    path.write_text(json.dumps(document), encoding="utf-8")
    seal(folder)
    (problem,) = validate_package(folder)
    assert table in problem.table
    assert problem.code in ("damaged_file", "wrong_file_kind")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lower", "code"), [("a lot", "not_a_number"), ("nan", "not_finite"), ("1,234", "ambiguous_number")]
)
def test_a_lower_limit_that_is_no_number_is_told_by_its_row(lower: str, code: str, tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "book", FEW)
    book = openpyxl.load_workbook(path)
    sheet = book.create_sheet("attributes")
    sheet.append(["attribute", "lower_ct"])
    sheet.append(["size", 0])
    sheet.append(["size", lower])
    book.save(path)
    (problem,) = validate_package(path)
    assert (problem.table, problem.row, problem.column) == ("attributes", 3, "lower_ct")
    assert (problem.value, problem.code) == (lower, code)
