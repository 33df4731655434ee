"""Packages of any kind are read; what is wrong with the package itself is told once, and first."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

from kpfootprint.cli.surroundings import reason_in
from kpfootprint.errors import Problem, ReferenceDataError
from kpfootprint.report.locale import words
from kpfootprint.report.problems import remark_text
from tests.training.packages import FEW, KINDS, PLAIN, SURFACE, Kind, write_folder, write_workbook, write_zip
from tests.worlds import shipped
from training.evaluate.methods import measured_on, zones_of
from training.evaluate.trials import draw_export_days
from training.package import load_package, validate_package
from training.package.remarks import remarks
from training.package.seal import seal, write_table
from training.prepare import usable_zones


@pytest.mark.slow
@pytest.mark.parametrize("name", list(KINDS))
def test_packages_of_any_kind_are_read(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    folder = write_folder(tmp_path / "package", kind)
    assert validate_package(folder) == ()
    package = load_package(folder)
    assert len(package.batch) == sum(kind.parcels)
    assert package.scheme.attribute_names == ("size", *kind.attributes)


@pytest.mark.slow
def test_folder_archive_and_workbook_hold_the_same(tmp_path: Path) -> None:
    kind = KINDS["fourth"]
    folder, archive, book = (
        write(tmp_path / write.__name__, kind) for write in (write_folder, write_zip, write_workbook)
    )
    one, two, three = (load_package(path) for path in (folder, archive, book))
    assert one.sha256 == two.sha256
    for other in (two, three):
        assert (other.name, other.version, other.scheme) == (one.name, one.version, one.scheme)
        assert (other.zone_of, other.collected_on, other.zone_table) == (one.zone_of, one.collected_on, one.zone_table)
        for mine, its in zip(one.batch, other.batch, strict=True):
            assert mine.conditions == its.conditions
            assert mine.stones is not None
            assert its.stones is not None
            np.testing.assert_array_equal(mine.stones.weight_ct, its.stones.weight_ct)
            np.testing.assert_array_equal(mine.stones.codes["surface"], its.stones.codes["surface"])
    assert load_package(book).sha256 == three.sha256


@pytest.mark.slow
def test_a_workbook_may_list_its_classes_on_a_sheet(tmp_path: Path) -> None:
    path = write_workbook(tmp_path, KINDS["fourth"])
    book = openpyxl.load_workbook(path)
    book["package"].delete_rows(5)
    sheet = book.create_sheet("attributes")
    sheet.append(["attribute", "column", "class", "lower_ct", "en", "fr", "synonyms"])
    for edge in KINDS["fourth"].edges:
        sheet.append(["size", "weight_ct", None, edge])
    for name, classes in KINDS["fourth"].attributes.items():
        for item in classes:
            sheet.append([name, name, item, None, item, f"{item} (fr)", f"{item}-like; {item}-ish"])
    book.save(path)
    package = load_package(path)
    assert package.scheme.attribute("surface").class_names == SURFACE
    assert package.scheme.attribute("surface").classes[0].synonyms == ("plain-like", "plain-ish")
    assert package.scheme.size.sieve_set.lower_ct == tuple(KINDS["fourth"].edges)
    assert package.scheme.size.labels == shipped().scheme.size.labels


@pytest.mark.parametrize("name", ["surface", "size"])
def test_a_row_without_a_class_words_the_attribute_itself(tmp_path: Path, name: str) -> None:
    path = write_workbook(tmp_path, replace(KINDS["fourth"], parcels=(1, 1), n_stones=5))
    book = openpyxl.load_workbook(path)
    book["package"].delete_rows(5)
    sheet = book.create_sheet("attributes")
    sheet.append(["attribute", "class", "en", "fr", "synonyms"])
    for attribute, classes in KINDS["fourth"].attributes.items():
        for item in classes:
            sheet.append([attribute, item])
    sheet.append([name, None, "feel", "toucher", "touch; tact"])
    book.save(path)
    scheme = load_package(path).scheme
    of = {"size": (scheme.size.labels, scheme.size.synonyms)} | {
        item.name: (item.labels, item.synonyms) for item in scheme.categorical
    }
    assert of[name] == ({"en": "feel", "fr": "toucher"}, ("touch", "tact"))
    assert scheme.size.sieve_set == shipped().scheme.size.sieve_set


CELLS = (
    ("C3", "plain", ("attributes", None, None, "bad_scheme", "declared twice")),
    ("A2", None, ("attributes", 2, "attribute", "missing_value", "missing")),
    ("B1", "colonne", ("attributes", None, "colonne", "unknown_column", "known are attribute, column")),
)


@pytest.mark.parametrize(("cell", "value", "told"), CELLS, ids=lambda item: item if isinstance(item, str) else "")
def test_a_sheet_of_attributes_is_told_by_its_name_and_may_leave_sizes_out(
    tmp_path: Path, cell: str, value: str | None, told: tuple[object, ...]
) -> None:
    path = write_workbook(tmp_path, replace(KINDS["fourth"], parcels=(1, 1), n_stones=5))
    book = openpyxl.load_workbook(path)
    book["package"].delete_rows(5)
    sheet = book.create_sheet("attributes")
    sheet.append(["attribute", "column", "class"])
    for name, classes in [*KINDS["fourth"].attributes.items()][::-1]:
        for item in classes:
            sheet.append([name, name, item])
    book.save(path)
    assert load_package(path).scheme.size == shipped().scheme.size
    sheet[cell] = value
    book.save(path)
    (problem,) = validate_package(path)
    assert (problem.table, problem.row, problem.column, problem.code) == told[:4]
    assert str(told[4]) in problem.reason


def test_a_header_longer_than_any_name_is_a_problem(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", replace(KINDS["fourth"], parcels=(1, 1), n_stones=5))
    (path,) = folder.glob("stones.csv*")
    header, _, rows = path.read_text(encoding="utf-8").partition("\n")
    path.write_text(f"{header},{'x' * 200_000}\n{rows}", encoding="utf-8")
    seal(folder)
    assert validate_package(folder)


def change(folder: Path, edit: Callable[[dict[str, Any]], object]) -> tuple[Problem, ...]:
    path = folder / "datapackage.json"
    document = json.loads(path.read_text("utf-8"))
    edit(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    return validate_package(folder)


def attribute(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(item for item in document["attributes"] if item["name"] == name)
    return found


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda d: attribute(d, "morphology").update(column="colour"), "have one column"),
        (lambda d: attribute(d, "morphology").update(synonyms=["Colour"]), "stands for the columns"),
        (lambda d: attribute(d, "colour")["classes"][0].update(synonyms=["brown"]), "stands for white and for brown"),
        (lambda d: attribute(d, "colour")["classes"].append({"name": "white"}), "declared twice"),
        (lambda d: attribute(d, "morphology").update(name="Colour"), "have one name"),
        (lambda d: attribute(d, "colour").update(classes=[{"name": "white"}]), "2 to 100 classes"),
        (lambda d: attribute(d, "size").update(edges_ct=[0, 1, 1]), "must increase"),
        (lambda d: attribute(d, "size").update(edges_ct=[0, "x"]), "list of numbers"),
        (lambda d: attribute(d, "size").update(edges_ct=[0, 0.001, 0.002, 50]), "above half a step"),
        (lambda d: attribute(d, "colour").update(labels=["colour"]), "labels must be texts"),
        (lambda d: d["attributes"].extend([{}] * 20), "12 attributes at most"),
        (lambda d: attribute(d, "colour").update(column="value_usd"), "meaning of its own"),
        (lambda d: attribute(d, "colour").update(name="sorter"), "meaning of its own"),
        (lambda d: d["resources"].append({"path": "notes.csv"}), "needs a name"),
        (lambda d: d["resources"][0].pop("schema"), "must list the fields"),
    ],
)
def test_mistakes_of_the_package_are_told_once(
    edit: Callable[[dict[str, Any]], object], said: str, tmp_path: Path
) -> None:
    problems = change(write_folder(tmp_path / "package", FEW), edit)
    assert any(said in problem.reason for problem in problems), problems
    assert len(problems) <= 2, problems
    assert {problem.table for problem in problems} == {"datapackage.json"}


def test_a_class_that_is_not_declared_is_told_once_a_word(tmp_path: Path) -> None:
    problems = change(write_folder(tmp_path / "package", FEW), lambda d: attribute(d, "colour")["classes"].pop())
    assert [(p.table, p.column, p.value) for p in problems] == [("stones", "colour", "yellow")]
    assert "more rows" in problems[0].reason


@pytest.mark.parametrize("zone", ["z00", "z02"])
def test_a_copy_of_a_parcel_under_another_name_is_a_problem(zone: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", PLAIN)
    parcels, stones = ((folder / f"{name}.csv").read_text("utf-8").splitlines() for name in ("parcels", "stones"))
    copied = parcels[1].split(",")
    own = [line for line in stones if line.startswith(copied[0] + ",")]
    own.reverse()
    parcels.append(",".join(["P9999", zone, *copied[2:]]))
    stones += [line.replace(copied[0], "P9999") for line in own]
    for name, lines in (("parcels", parcels), ("stones", stones)):
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    seal(folder)
    problems = validate_package(folder)
    assert [(p.code, p.value) for p in problems] == [("copied_parcel", "P9999")]
    assert "P0000" in problems[0].reason


def _rewritten(folder: Path, name: str, edit: Callable[[list[dict[str, str]]], object]) -> tuple[Problem, ...]:
    """Return the problems of a package after an edit of the rows of one table."""
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    edit(rows)
    write_table(folder / f"{name}.csv", list(rows[0]), (list(row.values()) for row in rows))
    seal(folder)
    return validate_package(folder)


def test_a_parcel_copied_but_for_some_stones_is_a_problem(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", PLAIN)
    problems = _rewritten(
        folder, "parcels", lambda rows: rows.append(rows[0] | {"parcel_id": "again", "n_stones": "", "carats": ""})
    )
    problems = _rewritten(
        folder,
        "stones",
        lambda rows: rows.extend([row | {"parcel_id": "again"} for row in rows if row["parcel_id"] == "P0000"][5:]),
    )
    assert [(p.code, p.value) for p in problems] == [("copied_parcel", "again")]
    assert "P0000" in problems[0].reason


def test_parcels_of_stones_of_one_size_are_no_copies(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", replace(PLAIN, n_stones=60, parcels=(30, 30)))
    _rewritten(folder, "parcels", lambda rows: [row.update(carats="") for row in rows])
    problems = _rewritten(
        folder, "stones", lambda rows: [row.update(weight_ct=f"0.3{k % 2}") for k, row in enumerate(rows)]
    )
    assert [p.code for p in problems] == ["sizes_undivided"]
    # stones that were never weighed are in no other unit: that is said, and the rest of them is learnt from
    assert not _rewritten(folder, "stones", lambda rows: [row.update(weight_ct="0.3") for row in rows])
    (told,) = [item for item in remarks(load_package(folder), 3) if item["code"] == "one_weight"]
    assert remark_text(told, words("en")) == "all stones weigh 0.3 ct: their sizes tell nothing"


def test_a_fault_of_every_row_is_told_three_times_and_counted(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    problems = _rewritten(
        folder, "parcels", lambda rows: [row.update(carats=f"{i + 1001}") for i, row in enumerate(rows)]
    )
    assert [p.code for p in problems] == ["carats_total"] * 3
    assert problems[-1].reason.endswith("and so in 21 more rows, whatever the value")


def test_a_word_for_several_classes_is_no_class_of_a_reference_stone(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", replace(FEW, sets=True))
    assert validate_package(folder) == ()
    (told,) = _rewritten(folder, "stones", lambda rows: [r.update(colour="colour set") for r in rows[7:20]])
    assert (told.table, told.row, told.column, told.value) == ("stones", 9, "colour", "colour set")
    assert told.reason.startswith("it stands for several classes (white, brown)")
    assert told.reason.endswith("; and so in 12 more rows")


def test_stones_that_chance_makes_alike_are_no_copies(tmp_path: Path) -> None:
    kind = Kind(parcels=(40, 40), attributes={"lustre": ("dull", "glassy")}, n_stones=10, weighed=False)
    assert validate_package(write_folder(tmp_path / "package", kind)) == ()


@pytest.mark.parametrize(
    ("table", "cut", "said"),
    [
        ("zones", lambda text: text.replace("country", "land"), "no column for country; the first row holds zone_id"),
        ("zones", lambda text: "My zones,,,\n" + text, "no column for zone_id, name, country, region; the first row"),
        (
            "parcels",
            lambda text: text.replace("sorter", "who"),
            "not among the fields of parcels in datapackage.json: who",
        ),
        ("stones", lambda text: text.replace("weight_ct", "wt"), "no column for weight_ct (size); the first row holds"),
        ("stones", lambda text: text.split("\n")[0] + "\n", "the table has no rows"),
        ("stones", lambda _: "", "the file is empty"),
        ("stones", lambda text: text.replace(".", ","), "cells in the row: 5, headers above it: 4"),
        ("stones", lambda text: text.replace("white", "pink"), "no class of colour is called so; nearest: "),
    ],
)
def test_a_mistake_of_a_table_is_told_once_in_both_languages(
    table: str, cut: Callable[[str], str], said: str, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    path = folder / f"{table}.csv"
    path.write_text(cut(path.read_text("utf-8")), encoding="utf-8")
    seal(folder)
    problems = validate_package(folder)
    assert len(problems) <= 3
    assert problems[0].table == table
    assert problems[0].reason.startswith(said)
    french = reason_in(problems[0], "fr")
    assert french != problems[0].reason
    assert ("more rows" in problems[0].reason) == ("autres lignes" in french)


@pytest.mark.parametrize(
    ("zone_id", "said"), [("z={:d}", "a declaration reads"), ("country:{:d}", "a declaration reads")]
)
def test_an_id_that_a_declaration_reads_otherwise_is_a_problem(zone_id: str, said: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", replace(FEW, zone_id=zone_id))
    assert [(p.table, p.row, p.column, p.reason[: len(said)]) for p in validate_package(folder)] == [
        ("zones", row, "zone_id", said) for row in (2, 3, 4, 5)
    ]


def test_no_zone_is_called_as_the_source_that_nobody_has_sampled(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    for name in ("zones", "zone_status", "parcels"):
        path = folder / f"{name}.csv"
        path.write_text(path.read_text("utf-8").replace("z00,", "Unlisted,"), encoding="utf-8")
    seal(folder)
    (found,) = validate_package(folder)
    assert (found.code, found.row, found.value) == ("bad_zone_id", 2, "Unlisted")
    assert reason_in(found, "fr") != found.reason


def test_columns_may_come_in_any_order(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    path = folder / "zones.csv"
    lines = [line.split(",") for line in path.read_text("utf-8").splitlines()]
    path.write_text("\n".join(",".join(reversed(line)) for line in lines) + "\n", encoding="utf-8")
    seal(folder)
    assert validate_package(folder) == ()


def test_sizes_in_doubt_and_columns_unread_are_said(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", replace(PLAIN, edges=(0.3, 0.6, 1.2)))

    def without_carats(rows: list[dict[str, str]]) -> None:
        for row in rows:
            row["carats"] = ""
        rows[0]["cleaning_state"] = "acid_rinsd"

    assert _rewritten(folder, "parcels", without_carats) == ()

    def in_grams(rows: list[dict[str, str]]) -> None:
        for row in rows:
            row["inclusions"] = "none"
            if row["parcel_id"] == "P0003":
                row["weight_ct"] = f"{float(row['weight_ct']) / 5:.3f}"

    assert _rewritten(folder, "stones", in_grams) == ()
    found = {item["code"]: item for item in remarks(load_package(folder), 3)}
    assert found["other_unit"]["values"] == {"zone": "z00", "names": ["P0003"]}
    assert found["unread"]["values"] == {"names": ["inclusions"]}
    assert found["own_condition"]["values"]["names"] == ["acid_rinsd"]
    assert "acid_rinsd n’est pas parmi" in remark_text(found["own_condition"], words("fr"))
    assert remark_text(found["below_sizes"], words("fr")).endswith("comptent dans la plus petite classe")
    assert "0,3 ct" in remark_text(found["below_sizes"], words("fr"))


def test_a_country_that_is_no_code_is_a_problem(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    problems = _rewritten(folder, "zones", lambda rows: rows[1].update(country="CAF"))
    assert [(p.code, p.row, p.value) for p in problems] == [("bad_country", 3, "CAF")]


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (list, []),
        (
            lambda rows: [r.update(collected_on="2018-01-01") for r in rows],
            ["all parcels were collected on 1 January 2018"],
        ),
        (lambda rows: [r.update(collected_on="") for r in rows], ["no parcel says when"]),
        (lambda rows: rows[0].update(collected_on="2031-01-01"), ["parcels collected after 1 January 2030: 1"]),
        (lambda rows: [r.update(sorter=r["zone_id"]) for r in rows], ["every sorter has parcels of one zone only"]),
        (lambda rows: [r.update(zone_id="z01") for r in rows[:5]], ["z00 has fewer than 3 parcels"]),
    ],
)
def test_what_a_valid_package_leaves_in_doubt_is_said(
    edit: Callable[[list[dict[str, str]]], object], said: list[str], tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    assert _rewritten(folder, "parcels", edit) == ()
    found = remarks(load_package(folder), 3, today=date(2030, 1, 1))
    for remark, start in zip(found, said, strict=True):
        assert remark_text(remark, words("en")).startswith(start)
        assert remark_text(remark, words("fr")) != remark_text(remark, words("en"))


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (
            lambda rows: [r.update(colour="white") for r in rows if r["colour"] == "brown"],
            "no stone has the colour brown",
        ),
        (lambda rows: [r.update(colour="brown") for r in rows if r["parcel_id"] < "P0006"], "all stones of z00 have"),
        (
            lambda rows: [r.update(colour="") for r in rows if r["parcel_id"] < "P0006"],
            "colour was recorded of no stone",
        ),
    ],
)
def test_classes_that_say_nothing_are_said(
    edit: Callable[[list[dict[str, str]]], object], said: str, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    assert _rewritten(folder, "stones", edit) == ()
    (found,) = remarks(load_package(folder), 3)
    assert remark_text(found, words("en")).startswith(said)
    assert remark_text(found, words("fr")) != remark_text(found, words("en"))


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (replace(FEW, status=False), "no zone has a status: "),
        (replace(FEW, status=False, countries=("CF", "CD")), "no zone has a status: "),
    ],
)
def test_a_package_without_any_status_is_said_to_have_none(kind: Kind, said: str, tmp_path: Path) -> None:
    (found,) = remarks(load_package(write_folder(tmp_path / "package", kind)), 3)
    assert remark_text(found, words("en")).startswith(said)
    assert remark_text(found, words("fr")) != remark_text(found, words("en"))


def test_a_zone_without_status_among_others_of_its_country_is_said(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", replace(FEW, countries=("CF", "CF", "CF", "CD")))
    assert _rewritten(folder, "zone_status", lambda rows: rows.__delitem__(slice(1, 4))) == ()
    (found,) = remarks(load_package(folder), 3)
    assert found["values"]["names"] == ["z01", "z02"]
    assert remark_text(found, words("en")).startswith("zone_status has no row of z01 and z02: ")
    assert remark_text(found, words("fr")) != remark_text(found, words("en"))


def test_a_changed_table_says_what_to_run(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    with (folder / "zones.csv").open("a", encoding="utf-8") as table:
        table.write("z99,Z99,CF,west\n")
    problems = validate_package(folder)
    assert [p.table for p in problems] == ["zones"]
    assert "training init" in problems[0].reason


def test_packages_of_one_name_are_told_apart_by_their_content(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    change(folder, lambda d: [item.pop("hash") and item.pop("bytes") for item in d["resources"]])
    before = load_package(folder)
    text = (folder / "zones.csv").read_text("utf-8")
    (folder / "zones.csv").write_text(text.replace("Z03", "Zed"), encoding="utf-8")
    after = load_package(folder)
    assert (before.name, before.version) == (after.name, after.version)
    assert before.sha256 != after.sha256


def _link(folder: Path) -> None:
    (folder / "zones.csv").rename(folder.parent / "elsewhere.csv")
    (folder / "zones.csv").symlink_to(folder.parent / "elsewhere.csv")


@pytest.mark.parametrize(
    "path", ["http://127.0.0.1:9/zones.csv", "/etc/passwd", "..\\zones.csv", "a/../../zones.csv", "C:zones.csv", ""]
)
def test_paths_that_lead_outside_are_refused(path: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    assert [p.code for p in change(folder, lambda d: d["resources"][0].update(path=path))] == ["path_outside"]


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda d: d["resources"][0].update(schema="http://127.0.0.1:9/schema.json"), "bad_resource"),
        (lambda d: d.update(resources=[*d["resources"], d["resources"][0]]), "table_twice"),
        (lambda d: d.update(resources=[*d["resources"], "zones"]), "bad_resource"),
        (lambda d: d.update(name="two\nlines"), "bad_name"),
        (lambda d: d.update(version=""), "bad_name"),
        (lambda d: d.update(name="x" * 5000), "bad_name"),
        (lambda d: attribute(d, "size").update(edges_ct=[0, float("nan")]), "bad_json"),
        (lambda d: attribute(d, "size").update(edges_ct=[-1, 1]), "bad_scheme"),
        (lambda d: attribute(d, "size").update(edges_ct=list(range(100_000))), "bad_scheme"),
    ],
)
def test_hostile_descriptors_are_refused(edit: Callable[[dict[str, Any]], object], code: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    assert {p.code for p in change(folder, edit)} == {code}


def test_links_are_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    _link(folder)
    assert [p.code for p in validate_package(folder)] == ["archive_link"]


def test_deep_and_large_descriptors_are_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    (folder / "datapackage.json").write_text("[" * 100_000, encoding="utf-8")
    assert [p.code for p in validate_package(folder)] == ["bad_json"]
    (folder / "datapackage.json").write_bytes(b" " * 9_000_000)
    assert [p.code for p in validate_package(folder)] == ["too_large"]


def test_hostile_archives_are_refused(tmp_path: Path) -> None:
    outside = tmp_path / "outside.zip"
    with zipfile.ZipFile(outside, "w") as archive:
        archive.writestr("../datapackage.json", "{}")
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("datapackage.json", "{}")
        archive.writestr("stones.csv", b"0" * 30_000_000)
    (tmp_path / "no.zip").write_text("no archive", encoding="utf-8")
    (tmp_path / "no.xlsx").write_text("no workbook", encoding="utf-8")
    for path, code in (
        (outside, "path_outside"),
        (bomb, "unpack_ratio"),
        (tmp_path / "no.zip", "wrong_file_kind"),
        (tmp_path / "no.xlsx", "wrong_file_kind"),
        (tmp_path / "missing.zip", "file_missing"),
    ):
        assert [p.code for p in validate_package(path)] == [code], path


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", FEW)
    text = (folder / "stones.csv").read_text("utf-8").splitlines()
    for row, weight in ((1, "nan"), (2, "-1"), (3, "inf"), (4, "1e300")):
        cells = text[row].split(",")
        text[row] = ",".join([cells[0], weight, *cells[2:]])
    (folder / "stones.csv").write_text("\n".join(text) + "\n", encoding="utf-8")
    seal(folder)
    with pytest.raises(ReferenceDataError) as caught:
        load_package(folder)
    assert [(p.row, p.code) for p in caught.value.problems][:4] == [
        (2, "not_finite"),
        (3, "negative"),
        (4, "not_finite"),
        (5, "too_large"),
    ]


def test_all_methods_are_measured_on_the_zones_and_days_that_a_release_has(tmp_path: Path) -> None:
    package = load_package(write_folder(tmp_path / "package", replace(PLAIN, parcels=(4, 4, 1, 2), status=False)))
    kept = measured_on(package, usable_zones(package, 3))
    assert set(kept.zone_of) == {"z00", "z01"}
    assert len(kept.batch) == len(kept.collected_on) == 8
    days = draw_export_days(kept.zone_table, zones_of(kept), rng=np.random.default_rng(1))
    assert days
    assert all(0 < day.compliant.sum() < 2 for day in days)
