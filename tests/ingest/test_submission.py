from __future__ import annotations

import io
import tracemalloc
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpfootprint.errors import IngestError
from kpfootprint.ingest import Limits, Reading, Upload, ingest_file, ingest_json, ingest_submission, parcel_to_json
from kpfootprint.ingest.files.archive import Budget, files_in
from kpfootprint.parcel import Declaration
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme
from tests.ingest.making import problems_of, told
from tests.laws import tried

PARCELS = "parcel_id,exported_on,bottom_screen_mm\nB,2024-01-05,1.8\nA,,\nC,2024-01-07,\n"
DECLARATIONS = "parcel_id,zone_id,carats\nA,carnot,0.5\nB,berberati,1\nA,carnot,0.25\n"
STONES = "parcel_id,weight_ct,colour\nA,0.5,brown\nB,1.0,cape\nA,0.25,\nC,0.3,brown\n"
TABLES = {"parcels": PARCELS, "declarations": DECLARATIONS, "stones": STONES}


def folder_of(path: Path, **tables: str) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    for name, text in tables.items():
        (path / f"{name}.csv").write_text(text, encoding="utf-8")
    return path


def zip_of(path: Path, **files: str | bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def workbook_of(path: Path, tables: dict[str, list[list[Any]]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in tables.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def cells(text: str) -> list[list[Any]]:
    """Return CSV text as cells of a workbook: numbers as numbers, days as days, blanks as nothing."""

    def cell(value: str) -> Any:
        if not value:
            return None
        try:
            return float(value)
        except ValueError:
            return datetime.fromisoformat(value) if value[:4].isdigit() else value

    return [[cell(value) for value in line.split(",")] for line in text.splitlines()]


def written(submission: Reading, scheme: Scheme) -> list[dict[str, Any]]:
    return [parcel_to_json(parcel, scheme) for parcel in submission.batch]


def test_a_folder(tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    read = ingest_submission(folder_of(tmp_path / "s", **TABLES), scheme, zone_table)
    assert read.order == ("B", "A", "C")
    assert not read.failures
    b, a, c = read.batch
    assert a.declarations == (Declaration(zone_id="carnot", carats=0.75),)
    assert (b.exported_on, b.conditions.bottom_screen_mm, b.carats) == (date(2024, 1, 5), 1.8, 1.0)
    assert c.declarations == ()
    assert a.stones is not None
    assert a.stones.weight_ct.tolist() == [0.5, 0.25]


def test_folder_archive_and_workbook_are_one_submission(tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    folder = ingest_submission(folder_of(tmp_path / "s", **TABLES), scheme, zone_table)
    (tmp_path / "s" / "notes.txt").write_text("nothing", encoding="utf-8")
    (tmp_path / "s" / ".hidden.csv").write_text("nothing", encoding="utf-8")
    archive = zip_of(
        tmp_path / "s.zip",
        **{f"deep/down/{name}.csv": text for name, text in TABLES.items()},
        **{"__MACOSX/._parcels.csv": b"\x00", "deep/picture.png": b"\x89PNG"},
    )
    book = workbook_of(tmp_path / "s.xlsx", {name: cells(text) for name, text in TABLES.items()})
    french = workbook_of(
        tmp_path / "f.xlsx",
        {
            "Parcelles": [["N° parcelle", "Date d'export", "Crible inférieur (mm)"], *cells(PARCELS)[1:]],
            "Déclarations": [["Parcelle", "Zone déclarée", "Poids"], *cells(DECLARATIONS)[1:]],
            "Pierres": [
                ["Parcelle", "Poids (ct)", "Couleur"],
                ["A", "0,5", "Brun"],
                ["B", 1, "CAPE"],
                [],
                ["A", "0,25", None],
                ["C", "0,3", "marron"],
            ],
        },
    )
    for path in (tmp_path / "s", archive, book, french):
        assert written(ingest_submission(path, scheme, zone_table), scheme) == written(folder, scheme), path.name


def test_a_bad_parcel_does_not_lose_the_good_ones(tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    folder = folder_of(
        tmp_path / "s",
        parcels=PARCELS + "B,2024-02-02,\nD,,\nE,yesterday,-1\n",
        declarations=DECLARATIONS + "F,nola,1\nE,nowhere,2\n",
        stones=STONES + "B,zero,brwn\nE,1.0,brown\nG,1.0,brown\n",
    )
    read = ingest_submission(folder, scheme, zone_table)
    assert read.order == ("B", "A", "C", "D", "E", "G", "F")
    assert [parcel.parcel_id for parcel in read.batch] == ["A", "C"]
    failures = {failure.parcel_id: told(failure.problems) for failure in read.failures}
    assert failures == {
        "B": [
            ("duplicate_parcel", "parcels", 5, "parcel_id", "B"),
            ("not_a_number", "stones", 6, "weight_ct", "zero"),
            ("unknown_class", "stones", 6, "colour", "brwn"),
        ],
        "D": [("no_stones", "parcels", 6, None, "D")],
        "E": [
            ("not_a_date", "parcels", 7, "exported_on", "yesterday"),
            ("negative", "parcels", 7, "bottom_screen_mm", "-1"),
            ("unknown_zone", "declarations", 6, "zone_id", "nowhere"),
        ],
        "G": [("unknown_parcel", "stones", 8, "parcel_id", "G")],
        "F": [("unknown_parcel", "declarations", None, "parcel_id", "F")],
    }


def test_rows_that_belong_to_no_parcel_spoil_the_whole(tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    folder = folder_of(tmp_path / "s", **(TABLES | {"stones": STONES + ",1.0,brown\n"}))
    found = problems_of(lambda: ingest_submission(folder, scheme, zone_table))
    assert told(found) == [("missing_value", "stones", 6, "parcel_id", None)]


def test_problems_of_all_tables_are_told_at_once(tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    folder = folder_of(
        tmp_path / "s",
        parcels="parcel_id,exported_on\nA,2024-13-01\n",
        declarations="parcel_id,zone_id\nA,nola\n",
        stones="parcel_id,weigth_ct,colour\nA,0.5,brwn\n",
    )
    (folder / "counts.csv").write_bytes(b"PK\x03\x04")
    found = {
        (item.code, item.table, item.column)
        for item in problems_of(lambda: ingest_submission(folder, scheme, zone_table))
    }
    assert found == {
        ("wrong_file_kind", "counts", None),
        ("missing_column", "declarations", "carats"),
        ("unknown_column", "stones", "weigth_ct"),
        ("missing_column", "stones", "weight_ct"),
        ("unknown_class", "stones", "colour"),
        ("not_a_date", "parcels", "exported_on"),
    }


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../stones.csv", "path_outside"),
        ("/stones.csv", "path_outside"),
        ("a/../../stones.csv", "path_outside"),
        ("C:\\stones.csv", "path_outside"),
        ("a\\..\\stones.csv", "path_outside"),
        ("inner.zip", "unknown_file_kind"),
    ],
)
def test_paths_of_an_archive(name: str, code: str, tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    path = zip_of(tmp_path / "s.zip", **{name: STONES, "declarations.csv": DECLARATIONS})
    found = problems_of(lambda: ingest_submission(path, scheme, zone_table))
    assert code in [item.code for item in found]


def test_a_file_of_an_archive_has_a_name(tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    path = zip_of(tmp_path / "s.zip", **{"stones.csv": STONES, "declarations.csv": DECLARATIONS, "a.txt": "-"})
    path.write_bytes(path.read_bytes().replace(b"a.txt", b"\0.txt"))
    found = problems_of(lambda: ingest_submission(path, scheme, zone_table))
    assert [item.code for item in found] == ["damaged_file"]


def test_links_are_not_followed(tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    folder = folder_of(tmp_path / "s", parcels=PARCELS)
    (tmp_path / "elsewhere.csv").write_text(STONES, encoding="utf-8")
    (folder / "stones.csv").symlink_to(tmp_path / "elsewhere.csv")
    assert problems_of(lambda: ingest_submission(folder, scheme, zone_table))[0].code == "archive_link"
    link = zipfile.ZipInfo("stones.csv")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        archive.writestr(link, "../elsewhere.csv")
    assert problems_of(lambda: ingest_submission(tmp_path / "s.zip", scheme, zone_table))[0].code == "archive_link"


def test_an_archive_that_unpacks_beyond_a_limit_is_refused(
    tmp_path: Path, scheme: Scheme, zone_table: ZoneTable
) -> None:
    bomb = b"parcel_id,weight_ct\n" + b"A,0.5\n" * 3_000_000
    path = zip_of(tmp_path / "s.zip", **{"stones.csv": bomb})
    assert [p.code for p in problems_of(lambda: ingest_submission(path, scheme, zone_table))] == ["unpack_ratio"]
    small = Limits(max_unpacked_bytes=2_000_000)
    found = problems_of(lambda: ingest_submission(path, scheme, zone_table, small))
    assert [p.code for p in found] == ["unpacks_too_large"]
    many = zip_of(tmp_path / "m.zip", **{f"{at}.txt": "" for at in range(30)})
    found = problems_of(lambda: ingest_submission(many, scheme, zone_table, Limits(max_files=20)))
    assert [p.code for p in found] == ["too_many_files"]


def test_a_damaged_archive_is_refused(tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    path = zip_of(tmp_path / "s.zip", **{"stones.csv": STONES})
    data = bytearray(path.read_bytes())
    data[45] ^= 0xFF
    path.write_bytes(bytes(data))
    assert [p.code for p in problems_of(lambda: ingest_submission(path, scheme, zone_table))] == ["damaged_file"]


def test_a_table_given_twice_is_refused(tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    folder = folder_of(tmp_path / "s", **TABLES, pierres=STONES)
    found = problems_of(lambda: ingest_submission(folder, scheme, zone_table))
    assert [(p.code, p.table) for p in found] == [("table_twice", "stones")]


def test_a_table_nobody_knows_is_passed_over_and_a_misspelt_one_told(
    tmp_path: Path, scheme: Scheme, zone_table: ZoneTable
) -> None:
    folder = folder_of(tmp_path / "s", **TABLES, prices="day,usd\n2024-01-01,5\n")
    assert not ingest_submission(folder, scheme, zone_table).failures
    folder_of(folder, parcell="lot_number,day\nA,2024-01-01\n")
    found = problems_of(lambda: ingest_submission(folder, scheme, zone_table))
    assert [(p.code, p.table) for p in found] == [("unknown_table", "parcell")]


def test_tables_are_known_by_their_columns_too(tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    named = ingest_submission(folder_of(tmp_path / "s", **TABLES), scheme, zone_table)
    other = folder_of(tmp_path / "t", parcels=PARCELS, feuil1=DECLARATIONS, feuil2=STONES)
    assert written(ingest_submission(other, scheme, zone_table), scheme) == written(named, scheme)


def test_tables_without_parcel_id(tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    stones, declarations = "weight_ct\n0.5\n", "zone_id,carats\nnola,0.5\n"
    one = folder_of(tmp_path / "s", parcels="parcel_id\nA\n", stones=stones, declarations=declarations)
    (parcel,) = ingest_submission(one, scheme, zone_table).batch
    assert (parcel.parcel_id, parcel.declarations[0].zone_id) == ("A", "nola")
    folder_of(one, parcels="parcel_id\nA\nB\n")
    found = problems_of(lambda: ingest_submission(one, scheme, zone_table))
    assert {(p.code, p.table, p.column) for p in found} == {
        ("missing_column", "stones", "parcel_id"),
        ("missing_column", "declarations", "parcel_id"),
    }


def test_a_row_a_parcel_with_sizes_in_columns_declares_its_carats_once(
    tmp_path: Path, scheme: Scheme, zone_table: ZoneTable
) -> None:
    text = "Colis;Zone;Pierres;Carats;+11;+9;+7\nP1;Nola;20;5,00;6;8;6\nP2;Boda;10;2,00;3;4;3\n"
    found = ingest_submission(folder_of(tmp_path, tri=text), scheme, zone_table)
    assert found.problems == ()
    declared = {p.parcel_id: [(one.zone_id, one.carats) for one in p.declarations] for p in found.parcels}
    assert declared == {"P1": [("nola", 5.0)], "P2": [("boda", 2.0)]}


def test_customs_codes(tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    for cell, code in ((7102.1, "7102.10"), (710231, "710231"), ("7102.10", "7102.10")):
        book = workbook_of(
            tmp_path / "s.xlsx", {"parcels": [["parcel_id", "hs_code"], ["A", cell]], "stones": [["poids"], [1]]}
        )
        assert ingest_file(book, scheme, zone_table).hs_code == code


def test_formula_cells_without_values_are_refused(tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    book = workbook_of(tmp_path / "s.xlsx", {"stones": [["weight_ct", "colour"], [0.5, "brown"], ["=A2*2", "brown"]]})
    found = problems_of(lambda: ingest_file(book, scheme, zone_table))
    assert told(found) == [("formula_cell", "stones", 3, "weight_ct", "=A2*2")]


def test_cells_that_a_spreadsheet_turned_into_days_are_refused(
    tmp_path: Path, scheme: Scheme, zone_table: ZoneTable
) -> None:
    book = workbook_of(tmp_path / "s.xlsx", {"stones": [["weight_ct"], [0.5], [datetime(2024, 2, 1)], [True], ["0.7"]]})
    found = problems_of(lambda: ingest_file(book, scheme, zone_table))
    assert [(p.code, p.row) for p in found] == [("not_a_number", 3), ("not_a_number", 4)]


def test_a_workbook_that_unpacks_to_far_more_is_refused(tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    book = workbook_of(tmp_path / "s.xlsx", {"stones": [["weight_ct"], [0.5]]})
    made = io.BytesIO()
    with zipfile.ZipFile(book) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
        new.writestr("xl/media/huge.bin", bytes(20_000_000))
    book.write_bytes(made.getvalue())
    assert [p.code for p in problems_of(lambda: ingest_file(book, scheme, zone_table))] == ["unpack_ratio"]


def test_a_zip_that_is_no_workbook_and_a_workbook_that_is_damaged(
    tmp_path: Path, scheme: Scheme, zone_table: ZoneTable
) -> None:
    path = zip_of(tmp_path / "s.xlsx", **{"stones.csv": STONES})
    assert problems_of(lambda: ingest_submission(path, scheme, zone_table))[0].code == "wrong_file_kind"
    path = zip_of(tmp_path / "t.xlsx", **{"xl/workbook.xml": "<workbook", "[Content_Types].xml": "<Types/>"})
    assert problems_of(lambda: ingest_submission(path, scheme, zone_table))[0].code == "damaged_file"


def test_decimal_commas_that_could_be_thousands_are_refused(
    tmp_path: Path, scheme: Scheme, zone_table: ZoneTable
) -> None:
    path = tmp_path / "stones.csv"
    path.write_text("poids;couleur\n1,234;brun\n2,500;brun\n", encoding="utf-8")
    assert {p.code for p in problems_of(lambda: ingest_file(path, scheme, zone_table))} == {"ambiguous_number"}
    path.write_text("poids;couleur\n1,234;brun\n0,21;brun\n", encoding="utf-8")
    assert ingest_file(path, scheme, zone_table).carats == pytest.approx(1.444)


def test_what_the_caller_says_goes_before_the_file(tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    one = {"parcels": "parcel_id,exported_on,sorter\nA,2024-01-05,S1\n", "stones": "parcel_id,weight_ct\nA,0.5\n"}
    one["declarations"] = "parcel_id,zone_id,carats\nA,Boda,0.5\n"
    folder = folder_of(tmp_path / "s", **one)
    given = {"exported_on": "2025-06-07", "conditions": {"sorter": "S2"}, "declarations": [{"zone_id": "nola"}]}
    read = ingest_file(folder, scheme, zone_table, parcel=given)
    assert (read.parcel_id, read.exported_on, read.conditions.sorter) == ("A", date(2025, 6, 7), "S2")
    assert read.read_as is not None
    assert [(note["code"], note["values"]["field"], note["values"]["said"]) for note in read.read_as["notes"]] == [
        ("given_before", "exported_on", "2024-01-05"),
        ("given_before", "sorter", "S1"),
        ("given_before", "zone_id", "boda"),
    ]
    assert read.declarations == (Declaration(zone_id="nola", carats=None),)
    assert ingest_file(folder, scheme, zone_table, parcel={"parcel_id": "mine"}).parcel_id == "mine"
    again = {"exported_on": "2024-01-05", "declarations": [{"zone_id": "boda"}]}
    plain = ingest_file(folder, scheme, zone_table, parcel=again)
    assert plain.read_as is not None
    assert plain.read_as["notes"] == []
    assert ingest_file(folder, scheme, zone_table).exported_on == date(2024, 1, 5)


def test_one_of_several_parcels_must_be_named(tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    folder = folder_of(tmp_path / "s", **TABLES)
    assert problems_of(lambda: ingest_file(folder, scheme, zone_table))[0].code == "several_parcels"
    read = ingest_file(folder, scheme, zone_table, parcel={"parcel_id": "A"})
    assert (read.n_stones, read.declarations[0].carats) == (2, 0.75)


def test_a_lone_table_bears_the_name_of_its_file(tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    path = tmp_path / "lot 7.csv"
    path.write_text("poids;couleur\n0,21;brun\n", encoding="utf-8")
    assert ingest_file(path, scheme, zone_table).parcel_id == "lot 7"
    assert ingest_submission(path, scheme, zone_table).order == ("lot 7",)


def test_bad_options_are_problems_too(tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    path = tmp_path / "stones.csv"
    path.write_text("weight_ct\n0.21\n-1\n", encoding="utf-8")
    given = {"declarations": [{"zone_id": "atlantis", "carats": 3.0}], "exported_on": "soon"}
    found = problems_of(lambda: ingest_file(path, scheme, zone_table, parcel=given))
    assert {p.code for p in found} == {"unknown_zone", "not_a_date", "negative"}


def test_values_of_stones_add_up(tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    path = tmp_path / "stones.csv"
    path.write_text("weight_ct,value_usd\n0.21,20.5\n0.3,30\n", encoding="utf-8")
    assert ingest_file(path, scheme, zone_table).value_usd == 50.5


@tried(40)
@given(order=st.permutations(range(8)), cut=st.integers(1, 7))
def test_order_of_rows_and_tables_apart_or_together(
    order: list[int],
    cut: int,
    scheme: Scheme,
    zone_table: ZoneTable,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Rows of several parcels may come in any order; a parcel alone is the same as among others, and as JSON."""
    folder = tmp_path_factory.mktemp("order")
    rows = [(f"P{at % 3}", round(0.1 + 0.07 * at, 2), ("brown", "cape", None)[at % 3 - 1]) for at in range(8)]
    head = "parcel_id,weight_ct,colour\n"

    def text(chosen: list[tuple[str, float, str | None]]) -> str:
        return "".join(f"{name},{weight},{colour or ''}\n" for name, weight, colour in chosen)

    shuffled = [rows[at] for at in order]
    (folder / "one.csv").write_text(head + text(shuffled[:cut]) + text(shuffled[cut:]), encoding="utf-8")
    read = ingest_submission(folder / "one.csv", scheme, zone_table)
    assert read.order == tuple(dict.fromkeys(name for name, _, _ in shuffled))
    for parcel in read.batch:
        own = [row for row in shuffled if row[0] == parcel.parcel_id]
        stones = {"weight_ct": [row[1] for row in own], "colour": [row[2] for row in own]}
        alone = ingest_json({"parcel_id": parcel.parcel_id, "stones": stones}, scheme, zone_table)
        assert parcel_to_json(parcel, scheme) == parcel_to_json(alone, scheme)
        assert parcel.stones is not None
        assert np.array_equal(np.sort(parcel.stones.weight_ct), sorted(row[1] for row in own))


def test_a_million_problems_are_told_quickly_and_counted(tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    path = tmp_path / "stones.csv"
    path.write_text("parcel_id,weight_ct,colour\n" + "A,-1,brwn\nB,0.5,cape\nC,0.5,brwn\n" * 20_000, encoding="utf-8")
    read = ingest_submission(path, scheme, zone_table)
    assert [parcel.parcel_id for parcel in read.batch] == ["B"]
    a, c = (failure.problems for failure in read.failures)
    assert len(a) == 1001
    assert [p.code for p in c] == ["more_problems"]
    assert sum(int(p.reason.split()[0]) for p in (a[-1], c[-1])) == 20_002 - 1000


def test_values_that_are_alike_are_one_problem_with_their_number(
    tmp_path: Path, scheme: Scheme, zone_table: ZoneTable
) -> None:
    path = tmp_path / "stones.csv"
    path.write_text("weight_ct,colour\n" + "0.5,brwn\n0.4,cape\n0.3,xx\n" * 500, encoding="utf-8")
    first, second = problems_of(lambda: ingest_file(path, scheme, zone_table))
    assert told((first, second)) == [
        ("unknown_class", "stones", 2, "colour", "brwn"),
        ("unknown_class", "stones", 4, "colour", "xx"),
    ]
    assert "in 500 rows" in first.reason


@pytest.mark.slow
@pytest.mark.parametrize("zip64", [False, True])
def test_the_contents_of_an_archive_are_bounded_before_they_are_built(
    scheme: Scheme, zone_table: ZoneTable, zip64: bool
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for at in range(70_000 if zip64 else 30_000):
            archive.writestr(f"{at}.csv", b"")
    data = bytearray(packed.getvalue())
    if zip64:  # the old record says that the contents are small, and the other one goes before it
        end = data.rfind(b"PK\x05\x06")
        data[end + 12 : end + 16] = (100).to_bytes(4, "little")
    tracemalloc.start()
    found = problems_of(lambda: ingest_submission(Upload("s.zip", bytes(data)), scheme, zone_table))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [problem.code for problem in found] == ["too_many_files"]
    assert most < len(data) + 5e6


@pytest.mark.parametrize(
    ("row", "code"),
    [("B,huge,3,1.4", "unknown_size"), ("B,-11+9,30,90.0", "size_mean_outside")],
)
def test_the_sizes_of_one_parcel_spoil_no_other(row: str, code: str, scheme: Scheme, zone_table: ZoneTable) -> None:
    rows = ["A,+11,10,4.8", "A,-11+9,20,5.0", row, "C,+11,3,1.4"]
    text = "\n".join(["parcel_id,size_class,n_stones,carats", *rows]) + "\n"
    found = ingest_submission(Upload("counts.csv", text.encode()), scheme, zone_table)
    assert [(item.parcel_id, item.n_stones) for item in found.batch] == [("A", 30), ("C", 3)]
    assert [(item.code, item.row) for item in found.problems] == [(code, 4)]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_cannot_be_unpacked_in_pieces_is_not_unpacked(scheme: Scheme, zone_table: ZoneTable, method: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("stones.csv", "weight_ct,colour\n" + "0.5,brown\n" * 50)
    for name in ("submission.zip", "book.xlsx"):
        upload = Upload(name, buffer.getvalue())
        (found,) = problems_of(lambda: ingest_submission(upload, scheme, zone_table))  # noqa: B023
        assert "otherwise than by Deflate" in found.reason


def test_an_archive_whose_contents_point_outside_of_it_is_told() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("stones.csv", STONES)
    data = bytearray(buffer.getvalue())
    end = data.rfind(b"PK\x05\x06")
    for far in (1, 14336, 956301312, 2**32 - 1):
        data[end + 16 : end + 20] = far.to_bytes(4, "little")
        with pytest.raises(IngestError):
            list(files_in(bytes(data), "s.zip", Budget(Limits()), []))


@pytest.mark.parametrize("name", ["stones.csv", "parcel.json"])
def test_what_has_no_end_is_read_to_the_limit(name: str, tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    endless = tmp_path / name
    endless.symlink_to("/dev/zero")
    small = Limits(max_unpacked_bytes=2_000_000, max_json_bytes=2_000_000)
    (found,) = problems_of(lambda: ingest_file(endless, scheme, zone_table, limits=small))
    assert found.code == "unpacks_too_large"


@pytest.mark.slow
def test_beyond_the_limit_problems_are_counted_once_for_the_whole(
    tmp_path: Path, scheme: Scheme, zone_table: ZoneTable
) -> None:
    rows = "".join(f"P{at},0.3,puce{at},macle\n" for at in range(1200))
    path = tmp_path / "stones.csv"
    path.write_text(f"parcel_id,weight_ct,colour,morphology\n{rows}", encoding="utf-8")
    found = ingest_submission(path, scheme, zone_table)
    assert len(found.failures) == 1200
    assert all(failure.problems for failure in found.failures)
    *listed, rest = found.problems
    assert {problem.code for problem in listed} == {"unknown_class"}
    assert (rest.table, rest.code, rest.values["count"] + len(listed)) == ("submission", "more_problems", 1200)
