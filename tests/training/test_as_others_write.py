"""Packages as other authorities write them: French headers, tables in several files, and two of them joined."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

from kpfootprint.cli.surroundings import reason_in
from kpfootprint.errors import ReferenceDataError
from tests.training.packages import FEW, few, write_folder, write_workbook
from training.package import load_package, merge_packages, validate_package
from training.package.seal import seal

FRENCH = {
    "zones": {"zone_id": "Code zone", "name": "Nom", "country": "Pays", "region": "Région"},
    "zone_status": {"status": "Statut", "valid_from": "Valable du", "valid_to": "jusqu'au"},
    "parcels": {
        "parcel_id": "Numéro de parcelle",
        "zone_id": "Zone",
        "collected_on": "Date de collecte",
        "sorter": "Trieur",
    },
}


def headed(folder: Path, table: str, names: dict[str, str]) -> None:
    """Give the columns of a table other names."""
    path = folder / f"{table}.csv"
    header, rows = path.read_text("utf-8").split("\n", 1)
    path.write_text(",".join(names.get(name, name) for name in header.split(",")) + "\n" + rows, encoding="utf-8")


def described(folder: Path, edit: Callable[[dict[str, Any]], object]) -> Path:
    path = folder / "datapackage.json"
    document = json.loads(path.read_text("utf-8"))
    edit(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    return folder


def french_fields(document: dict[str, Any]) -> None:
    """Call the fields and keys of the schemas as the headers are."""
    for item in document["resources"]:
        names = FRENCH.get(item["name"], {})
        for field in item["schema"]["fields"]:
            field["name"] = names.get(field["name"], field["name"])
        item["schema"]["missingValues"] = [""]
    by_name = {item["name"]: item["schema"] for item in document["resources"]}
    by_name["parcels"]["primaryKey"] = "Numéro de parcelle"
    reference = {"resource": "zones", "fields": ["Code zone"]}
    by_name["parcels"]["foreignKeys"] = [{"fields": ["Zone"], "reference": reference}]


@pytest.mark.parametrize("schemas", [False, True], ids=["plain schemas", "French schemas"])
def test_small_tables_may_have_french_headers(schemas: bool, tmp_path: Path) -> None:
    plain = few()
    folder = write_folder(tmp_path / "package", FEW)
    for table, names in FRENCH.items():
        headed(folder, table, names)
    if schemas:
        described(folder, french_fields)
    seal(folder)
    package = load_package(folder)
    assert (package.zone_table, package.zone_of, package.collected_on) == (
        plain.zone_table,
        plain.zone_of,
        plain.collected_on,
    )
    assert [parcel.conditions for parcel in package.batch] == [parcel.conditions for parcel in plain.batch]


def test_a_column_that_is_missing_is_told_beside_those_that_are_written(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    headed(folder, "zones", FRENCH["zones"] | {"country": "Terre"})
    seal(folder)
    (problem,) = validate_package(folder)
    assert (problem.table, problem.column) == ("zones", "country")
    assert "holds Code zone, Nom, Terre, Région" in problem.reason


def in_parts(folder: Path, header: bool, *, packed: bool = False) -> Path:
    """Lay the stones of a package in three files, with the header in each or in the first alone."""
    lines = (folder / "stones.csv").read_text("utf-8").splitlines()
    (folder / "stones.csv").unlink()
    cuts = [lines[1:100], lines[100:500], lines[500:]]
    suffix = ".csv.gz" if packed else ".csv"
    for at, part in enumerate(cuts):
        text = "\n".join([*([lines[0]] if header or not at else []), *part])
        data = (text + "\n" * (at % 2)).encode("utf-8-sig")
        (folder / f"stones-{at}{suffix}").write_bytes(gzip.compress(data) if packed else data)
    paths = [f"stones-{at}{suffix}" for at in range(3)]
    described(folder, lambda d: d["resources"][3].update(path=paths))
    seal(folder)
    return folder


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("packed", [True, False])
def test_stones_may_stand_in_several_files(header: bool, packed: bool, tmp_path: Path) -> None:
    whole = few()
    folder = in_parts(write_folder(tmp_path / "package", FEW), header, packed=packed)
    package = load_package(folder)
    for one, two in zip(whole.batch, package.batch, strict=True):
        assert one.stones is not None
        assert two.stones is not None
        np.testing.assert_array_equal(one.stones.weight_ct, two.stones.weight_ct)
    (folder / f"stones-1.csv{'.gz' * packed}").write_bytes(gzip.compress(b"x") if packed else b"x")
    assert [problem.code for problem in validate_package(folder)] == ["hash_count"]


@pytest.mark.parametrize(("part", "line", "header"), [(0, 7, True), (1, 3, True), (1, 1, False), (2, 40, False)])
def test_a_row_of_several_files_is_told_by_its_file_and_line(
    part: int, line: int, header: bool, tmp_path: Path
) -> None:
    folder = in_parts(write_folder(tmp_path / "package", FEW), header)
    path = folder / f"stones-{part}.csv"
    lines = path.read_text("utf-8-sig").splitlines()
    cells = lines[line - 1].split(",")
    lines[line - 1] = ",".join([cells[0], "heavy", *cells[2:]])
    path.write_text("\n".join(lines), encoding="utf-8")
    seal(folder)
    (problem,) = validate_package(folder)
    assert (problem.table, problem.row, problem.value) == (f"stones-{part}.csv", line, "heavy")


def renamed(folder: Path) -> Path:
    """Give the parcels of a package other ids, so that it can be joined with itself."""
    for table in ("parcels", "stones"):
        path = folder / f"{table}.csv"
        path.write_text(path.read_text("utf-8").replace("\nP", "\nQ").replace(",0.", ",1."), encoding="utf-8")
    described(folder, lambda d: [item.pop("hash", None) for item in d["resources"]])
    with (folder / "parcels.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        row |= {"carats": "", "n_stones": ""}
    with (folder / "parcels.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    seal(folder)
    return folder


def in_a_folder(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "stones.csv").rename(folder / "data" / "stones.csv")
    described(folder, lambda d: d["resources"][3].update(path="data/stones.csv"))


def french_days(folder: Path) -> None:
    def declared(document: dict[str, Any]) -> None:
        (field,) = (f for f in document["resources"][2]["schema"]["fields"] if f["name"] == "collected_on")
        field |= {"type": "date", "format": "%d/%m/%Y"}

    described(folder, declared)
    path = folder / "parcels.csv"
    lines = path.read_text("utf-8").splitlines()
    at = lines[0].split(",").index("collected_on")
    cells = [line.split(",") for line in lines[1:]]
    turned = [[*row[:at], "/".join(row[at].split("-")[::-1]), *row[at + 1 :]] for row in cells]
    path.write_text("\n".join([lines[0], *map(",".join, turned)]) + "\n", encoding="utf-8")


def without_sorters(folder: Path) -> None:
    described(
        folder,
        lambda d: d["resources"][2]["schema"].update(
            fields=[f for f in d["resources"][2]["schema"]["fields"] if f["name"] != "sorter"]
        ),
    )
    with (folder / "parcels.csv").open(newline="", encoding="utf-8") as stream:
        rows = [{name: cell for name, cell in row.items() if name != "sorter"} for row in csv.DictReader(stream)]
    with (folder / "parcels.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        in_a_folder,
        french_days,
        without_sorters,
        lambda folder: headed(folder, "stones", {"colour": "Colour ", "morphology": "MORPHOLOGY"}),
        lambda folder: headed(folder, "parcels", FRENCH["parcels"]),
        lambda folder: in_parts(folder, header=True),
    ],
    ids=["in a folder", "days", "without sorters", "other headers", "French headers", "in parts"],
)
@pytest.mark.parametrize("turned", [True, False])
def test_packages_that_are_written_differently_can_be_joined(
    change: Callable[[Path], object], turned: bool, tmp_path: Path
) -> None:
    one, two = write_folder(tmp_path / "one", FEW), renamed(write_folder(tmp_path / "two", FEW))
    change(one)
    seal(one)
    first, second = (two, one) if turned else (one, two)
    merged = merge_packages(first, second, tmp_path / "both")
    parts = [load_package(first), load_package(second)]
    assert merged.zone_of == parts[0].zone_of + parts[1].zone_of
    assert merged.collected_on == parts[0].collected_on + parts[1].collected_on
    assert validate_package(tmp_path / "both") == ()


def test_what_cannot_be_joined_is_told_once_and_leaves_nothing(tmp_path: Path) -> None:
    one, two = write_folder(tmp_path / "one", FEW), write_folder(tmp_path / "two", FEW)
    with pytest.raises(ReferenceDataError) as caught:
        merge_packages(one, two, tmp_path / "both")
    assert len(caught.value.problems) == 3
    assert [(item.table, item.row) for item in caught.value.problems] == [("parcels", row) for row in (2, 3, 4)]
    for table in ("parcels", "stones"):
        path = two / f"{table}.csv"
        path.write_text(path.read_text("utf-8").replace("\nP", "\np"), encoding="utf-8")
    seal(two)
    with pytest.raises(ReferenceDataError, match="write one parcel in one way"):
        merge_packages(one, two, tmp_path / "both")
    assert not (tmp_path / "both").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["package.zip", "reference.XLSX"])
def test_a_workbook_is_known_by_what_it_holds(name: str, tmp_path: Path) -> None:
    book = write_workbook(tmp_path / "book", FEW)
    sent = book.rename(tmp_path / name)
    assert validate_package(sent) == ()
    changed = openpyxl.load_workbook(io.BytesIO(sent.read_bytes()))
    changed["package"]["A2"] = "nom"
    changed.save(sent)
    assert {problem.table for problem in validate_package(sent)} == {"package"}


@pytest.mark.slow
@pytest.mark.parametrize(("word", "meant"), [("Oui", True), ("n", False), (0, False), ("perhaps", None)])
def test_whether_a_package_is_synthetic_is_said_in_the_words_of_submissions(
    word: str | int, meant: bool | None, tmp_path: Path
) -> None:
    path = write_workbook(tmp_path / "book", FEW)
    book = openpyxl.load_workbook(path)
    book["package"]["B4"] = word
    book.save(path)
    if meant is None:
        assert [(item.code, item.table, item.column) for item in validate_package(path)] == [
            ("not_yes_or_no", "package", "value")
        ]
    else:
        assert load_package(path).synthetic is meant


@pytest.mark.slow
def test_sheets_may_have_french_names(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "book", FEW)
    plain = load_package(path)
    book = openpyxl.load_workbook(path)
    for name, french in (("stones", "Pierres"), ("parcels", "Lots"), ("zone_status", "Statut des zones")):
        book[name].title = french
    book.save(path)
    package = load_package(path)
    assert (package.zone_table, package.zone_of) == (plain.zone_table, plain.zone_of)


def test_a_package_inside_an_archive_is_named(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "book", FEW)
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as archive:
        archive.write(path, "sent/book.xlsx")
    (problem,) = validate_package(tmp_path / "outer.zip")
    assert "but sent/book.xlsx; give that file itself" in problem.reason
    assert reason_in(problem, "fr") != problem.reason


@pytest.mark.parametrize("name", ["stones (2).csv", "stones_old.csv.gz", "Pierres.TXT"])
def test_stones_that_no_path_names_are_not_lost_in_silence(name: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    header, *rows = (folder / "stones.csv").read_text("utf-8").splitlines()
    data = "\n".join([header.replace(",", ";").upper(), *rows[:5]]).encode()
    (folder / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    (folder / "notes.txt").write_text("parcel_id and weight_ct are as in the field book")
    (folder / "photo.csv.gz").write_bytes(b"no gzip")
    (problem,) = validate_package(folder)
    assert (problem.table, problem.column, problem.code) == ("datapackage.json", "resources", "unlisted_table")
    assert name in problem.reason
    assert reason_in(problem, "fr") != problem.reason


@pytest.mark.slow
def test_a_second_sheet_of_stones_is_not_lost_in_silence(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "book", FEW)
    book = openpyxl.load_workbook(path)
    book.copy_worksheet(book["stones"]).title = "stones (2)"
    book.save(path)
    (problem,) = validate_package(path)
    assert (problem.table, problem.code) == ("stones (2)", "unlisted_table")


@pytest.mark.parametrize("header", ["Poids (ct)", "poids", "Weight ct", "CT"])
def test_weights_may_be_headed_as_in_submissions(header: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    headed(folder, "stones", {"weight_ct": header, "parcel_id": "Lot"})
    seal(folder)
    assert validate_package(folder) == ()


def test_the_first_row_of_parcels_is_their_header_whatever_rows_hold(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", replace(FEW, parcel_id="Lot n° {}", zone_id="Mambéré {}"))
    path = folder / "parcels.csv"
    header, *rows = path.read_text("utf-8").splitlines()
    cells = [row.split(",") for row in rows]
    at = header.split(",").index("sorter")
    said = [",".join([*row[:at], "A", *row[at + 1 :], "run_of_mine", "no"]) for row in cells]
    path.write_text("\n".join([f"{header},selection,specials_removed", *said]) + "\n", encoding="utf-8")
    document = json.loads((folder / "datapackage.json").read_text("utf-8"))
    parcels = next(item for item in document["resources"] if item["name"] == "parcels")
    parcels["schema"]["fields"] += [{"name": name, "type": "string"} for name in ("selection", "specials_removed")]
    (folder / "datapackage.json").write_text(json.dumps(document), encoding="utf-8")
    seal(folder)
    assert validate_package(folder) == ()


def test_schemas_without_fields_are_told_once(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    described(folder, lambda d: [item.pop("schema") for item in d["resources"]])
    (problem,) = validate_package(folder)
    assert problem.reason.startswith("the schema of 'zones', 'zone_status', 'parcels' must list")
