"""Every door gives the same parcel: file, upload, archive, workbook, document; and what is given besides goes first."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from kpfootprint.ingest import Upload, ingest_file, ingest_json, parcel_to_json, read
from kpfootprint.parcel import Parcel
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme
from tests.ingest.making import problems_of

PARCEL = {
    "parcel_id": "P1",
    "exported_on": "2024-01-05",
    "declarations": [{"zone_id": "nola", "carats": 1.0}],
    "conditions": {"sorter": "S1", "bottom_screen_mm": 1.8},
    "stones": {"weight_ct": [0.42, 0.31], "colour": ["brown", "cape"]},
}
GIVEN: list[dict[str, Any]] = [
    {},
    {"conditions": {"sorter": "S2"}},
    {"conditions": {"sorter": None, "cleaning_state": "unwashed"}, "exported_on": None},
    {"exported_on": "2025-06-07", "declarations": [{"zone_id": "boda"}]},
    {"parcel_id": "mine", "certificate_no": "CF 1", "declarations": []},
]


def doors(folder: Path) -> dict[str, Path | Upload]:
    tables: dict[str, list[list[Any]]] = {
        "parcels": [["parcel_id", "exported_on", "sorter", "bottom_screen_mm"], ["P1", "2024-01-05", "S1", 1.8]],
        "declarations": [["parcel_id", "zone_id", "carats"], ["P1", "nola", 1.0]],
        "stones": [["parcel_id", "weight_ct", "colour"], ["P1", 0.42, "brown"], ["P1", 0.31, "cape"]],
    }
    texts = {name: "\n".join(",".join(map(str, row)) for row in rows) for name, rows in tables.items()}
    (folder / "P1").mkdir()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in texts.items():
            (folder / "P1" / f"{name}.csv").write_text(text, encoding="utf-8")
            archive.writestr(f"{name}.csv", text)
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in tables.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(folder / "P1.xlsx")
    (folder / "P1.json").write_text(json.dumps(PARCEL), encoding="utf-8")
    (folder / "P1.zip").write_bytes(packed.getvalue())
    paths = [folder / "P1", folder / "P1.xlsx", folder / "P1.json", folder / "P1.zip"]
    uploads = {f"upload {path.name}": Upload(path.name, path.read_bytes()) for path in paths[1:]}
    return {path.name: path for path in paths} | uploads


@pytest.mark.parametrize("given", GIVEN, ids=str)
def test_every_door_gives_the_same_parcel(
    given: dict[str, Any], tmp_path: Path, scheme: Scheme, zone_table: ZoneTable
) -> None:
    wanted = ingest_json(PARCEL, scheme, zone_table, given=given)
    assert wanted.conditions.bottom_screen_mm == 1.8
    for name, source in doors(tmp_path).items():
        for parcel in (
            ingest_file(source, scheme, zone_table, parcel=given),
            *read(source, scheme, zone_table, given=given, one=True).parcels,
        ):
            assert told(parcel, scheme) == told(wanted, scheme), name


def told(parcel: Parcel, scheme: Scheme) -> dict[str, Any]:
    return parcel_to_json(parcel, scheme, sealed=True)


def test_a_sealed_document_says_how_its_sheet_was_read(scheme: Scheme, zone_table: ZoneTable) -> None:
    text = "No,Weight,Colour\n1,0.42,white\n2,0.31,brown\nTotal,0.73,\n"
    (parcel,) = read(Upload("s.csv", text.encode()), scheme, zone_table, one=True).parcels
    document = parcel_to_json(parcel, scheme, sealed=True)
    again = ingest_json(document, scheme, zone_table, sealed=True)
    assert again.read_as == parcel.read_as
    assert parcel_to_json(again, scheme, sealed=True) == document
    assert [item.code for item in problems_of(lambda: ingest_json(document, scheme, zone_table))] == ["unknown_member"]


@pytest.mark.parametrize(
    "document",
    [
        {"parcel": PARCEL},
        {"Parcel": PARCEL},
        {
            {"parcel_id": "parcelId", "stones": "Stones", "conditions": "Conditions"}.get(k, k): v
            for k, v in PARCEL.items()
        },
        {{"parcel_id": "Parcel no.", "declarations": "Declarations"}.get(k, k): v for k, v in PARCEL.items()},
    ],
)
def test_a_parcel_may_stand_in_an_object_and_name_its_members_otherwise(
    document: dict[str, Any], scheme: Scheme, zone_table: ZoneTable
) -> None:
    wanted = told(ingest_json(PARCEL, scheme, zone_table), scheme)
    assert told(ingest_json(document, scheme, zone_table), scheme) == wanted
    found = read(Upload("f.json", json.dumps(document).encode()), scheme, zone_table, one=True)
    assert [told(parcel, scheme) for parcel in found.parcels] == [wanted]


def test_a_number_in_quotes_is_told_as_one(scheme: Scheme, zone_table: ZoneTable) -> None:
    document = PARCEL | {"declarations": [{"zone_id": "nola", "carats": "0.6"}], "n_stones": "two"}
    found = {item.column: item for item in problems_of(lambda: ingest_json(document, scheme, zone_table))}
    assert {item.code for item in found.values()} == {"not_a_number"}
    assert "quotes" in found["carats"].reason
    assert "quotes" not in found["n_stones"].reason


@pytest.mark.parametrize(
    "members",
    [
        {"declaration": [{"zone_id": "nola"}]},
        {"declared": "nola"},
        {"condition": {"sorter": "S1"}},
        {"conditions": {"sorter": "S1", "weather": "dry"}},
        {"stones": [{"weight_ct": 0.2, "n_stones": 5}]},
        {"counts": None, "stones": {"weight_ct": [0.2], "pieces": [4]}},
    ],
)
def test_members_that_nobody_knows_are_problems(members: dict[str, Any], scheme: Scheme, zone_table: ZoneTable) -> None:
    found = problems_of(lambda: ingest_json(PARCEL | members, scheme, zone_table))
    assert {item.code for item in found} <= {"unknown_member", "unknown_column"}


def test_a_name_that_comes_twice_is_a_problem(scheme: Scheme, zone_table: ZoneTable) -> None:
    text = json.dumps(PARCEL).replace('"weight_ct": [0.42, 0.31]', '"weight_ct": [0.2, 0.3], "weight_ct": [2.0, 3.0]')
    found = read(Upload("p.json", text.encode()), scheme, zone_table).problems
    assert [item.code for item in found] == ["not_json"]
    assert "weight_ct" in found[0].reason


@pytest.mark.slow
def test_many_members_and_keys_cost_little(scheme: Scheme, zone_table: ZoneTable) -> None:
    rows = [{f"k{at}": 1, "weight_ct": 0.2} for at in range(60_000)]
    found = problems_of(lambda: ingest_json(PARCEL | {"stones": rows}, scheme, zone_table))
    assert "too_many_columns" in {item.code for item in found}
    strange = PARCEL | {f"member {at}": at for at in range(20_000)}
    assert len(problems_of(lambda: ingest_json(strange, scheme, zone_table))) < 50


@pytest.mark.parametrize("wrong", ["P-1", "Pl", "p1 bis"])
def test_declarations_of_another_parcel_are_not_dropped(
    wrong: str, tmp_path: Path, scheme: Scheme, zone_table: ZoneTable
) -> None:
    (tmp_path / "stones.csv").write_text("parcel_id,weight_ct\nP1,0.4\nP1,0.3\n", encoding="utf-8")
    (tmp_path / "declarations.csv").write_text(f"parcel_id,zone_id,carats\n{wrong},nola,1\n", encoding="utf-8")
    found = problems_of(lambda: ingest_file(tmp_path, scheme, zone_table))
    assert [(item.code, item.value) for item in found] == [("unknown_parcel", wrong)]


def test_ids_may_be_composed_or_decomposed(tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    (tmp_path / "stones.csv").write_text("parcel_id,weight_ct\nCafé,0.4\nCafé,0.3\n", encoding="utf-8")
    (tmp_path / "declarations.csv").write_text("parcel_id,zone_id,carats\nCafé,nola,1\n", encoding="utf-8")
    assert ingest_file(tmp_path, scheme, zone_table).declarations[0].zone_id == "nola"


@pytest.mark.parametrize(
    "name",
    [
        "declarations.txt", "declarations (1).csv", "Copie de declarations.csv", "bordereaux_final.txt",
        "declaratoins.csv.bak", "parcels.xlsb", "declarations.docx", "declarations.csv~", "declarations",
        "Copy of declarations (2).csv.old", "~$declarations.xlsx", ".declarations.csv", ".~lock.declarations.ods#",
    ],
)  # fmt: skip
def test_files_with_the_name_of_a_table_are_not_passed_over(
    name: str, tmp_path: Path, scheme: Scheme, zone_table: ZoneTable
) -> None:
    (tmp_path / "stones.csv").write_text("weight_ct\n0.4\n0.3\n", encoding="utf-8")
    (tmp_path / name).write_text("zone_id,carats\nnola,1\n", encoding="utf-8")
    (tmp_path / "README.md").write_text("zone_id,carats\nnola,1\n", encoding="utf-8")
    if name.endswith((".txt", ").csv", "s.csv")) and not name.startswith("."):
        assert ingest_file(tmp_path, scheme, zone_table).declarations[0].zone_id == "nola"
    else:
        code = "hidden_table" if name.startswith((".", "~")) else "unknown_file_kind"
        assert {p.code for p in problems_of(lambda: ingest_file(tmp_path, scheme, zone_table))} == {code}


def test_a_lock_file_beside_its_table_is_told_and_no_more(
    tmp_path: Path, scheme: Scheme, zone_table: ZoneTable
) -> None:
    (tmp_path / "stones.csv").write_text("weight_ct\n0.4\n0.3\n", encoding="utf-8")
    for name in ("~$stones.csv", "._stones.csv"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    read_as = ingest_file(tmp_path, scheme, zone_table).read_as
    assert read_as is not None
    assert read_as["passed_over"] == ["~$stones.csv"]


@pytest.mark.parametrize("name", ["lot.csv", "tri.csv", "origines.csv", "declaration.csv", "parcels.csv", "stones.csv"])
def test_of_one_file_its_columns_decide(name: str, scheme: Scheme, zone_table: ZoneTable) -> None:
    text = b"Poids;Couleur;Forme\n0,42;blanc;rond\n0,31;brun;macle\n"
    (parcel,) = read(Upload(name, text), scheme, zone_table, one=True).parcels
    assert (parcel.n_stones, parcel.carats) == (2, 0.73)


def test_the_ids_that_there_are_are_named(tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    (tmp_path / "stones.csv").write_text("parcel_id,weight_ct\nP1,0.4\nP2,0.3\n", encoding="utf-8")
    (problem,) = problems_of(lambda: ingest_file(tmp_path, scheme, zone_table, parcel={"parcel_id": "P3"}))
    assert problem.code == "several_parcels"
    assert "P1, P2" in problem.reason


SLIP = """N° bordereau;Origine;Nbre de pierres;Poids (carats);Valeur (F CFA)
B-1;Berbérati;1;0,50;1000
B-2;Carnot;1;0,40;900
;TOTAL;2;0,90;1900
"""


@pytest.mark.parametrize(
    ("text", "declared"),
    [
        (SLIP, {"berberati": 0.5, "carnot": 0.4}),
        (
            "Bordereaux 2019;;\nOrigine;Poids ct\nBerbérati;0,5\nCarnot;0,4\nTotal;0,9\n",
            {"berberati": 0.5, "carnot": 0.4},
        ),
        ("parcel_id,zone_id,carats\nP1,nola,0.5\nidem,boda,0.4\nTotal,,0.9\n", {"nola": 0.5, "boda": 0.4}),
        ("zone;%\nNola;60\nBoda;40\nTotal;100\n", {"nola": None, "boda": None}),
        ("parcel_id,country,carats\nP1,CF,0.9\nTotal,,0.9\n", {"CF": 0.9}),
    ],
)
def test_declarations_beside_stones_are_read_as_people_lay_them_out(
    text: str, declared: dict[str, float | None], tmp_path: Path, scheme: Scheme, zone_table: ZoneTable
) -> None:
    (tmp_path / "stones.csv").write_text("parcel_id,weight_ct\nP1,0.5\nP1,0.4\n", encoding="utf-8")
    if "parcel_id" not in text:
        (tmp_path / "stones.csv").write_text("weight_ct\n0.5\n0.4\n", encoding="utf-8")
    (tmp_path / "bordereaux.csv").write_text(text, encoding="utf-8")
    parcel = ingest_file(tmp_path, scheme, zone_table)
    zones = {item.zone_id: item.carats for item in parcel.declarations}
    assert zones | {item.country: item.carats for item in parcel.countries} == declared


def test_a_total_of_declarations_that_does_not_agree_is_told(
    tmp_path: Path, scheme: Scheme, zone_table: ZoneTable
) -> None:
    (tmp_path / "stones.csv").write_text("weight_ct\n0.5\n0.4\n", encoding="utf-8")
    (tmp_path / "bordereaux.csv").write_text(SLIP.replace("0,90", "0,80"), encoding="utf-8")
    found = problems_of(lambda: ingest_file(tmp_path, scheme, zone_table))
    assert [item.code for item in found] == ["total_disagrees"]


def test_what_is_wrong_with_a_declaration_of_no_parcel_is_told(
    tmp_path: Path, scheme: Scheme, zone_table: ZoneTable
) -> None:
    (tmp_path / "stones.csv").write_text("parcel_id,weight_ct\nP1,0.5\nP1,0.4\n", encoding="utf-8")
    (tmp_path / "declarations.csv").write_text("parcel_id,zone_id,carats\nP1,nola,0.9\nPl,,0.4\n", encoding="utf-8")
    found = read(tmp_path, scheme, zone_table)
    assert [(item.code, item.row) for item in found.problems] == [("missing_value", 3)]
