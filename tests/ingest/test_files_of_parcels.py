"""Workbooks and folders of an archive: parcels named by them, parts of one parcel, or a question."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest

from kpfootprint.ingest import Reading, Upload, read
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme
from tests.every import every
from tests.ingest.making import book_of

ONE = "Size,Pcs,Cts\n+7,40,6.00\n+9,30,6.60\n"
TWO = "Size,Pcs,Cts\n+7,10,1.50\n+9,8,1.80\n"
STONES = "No,Weight (ct),Colour\n1,0.35,brown\n2,0.42,white\n"
OF_TWO = "parcel,weight_ct,colour\nA,0.35,brown\nB,0.42,white\n"
DECLARED = "zone,carats\nNola,12.60\n"
DECLARED_TOO = "zone,carats\nBoda,3.30\n"
A, B = (70, 12.6), (18, 3.3)


def sheet(text: str) -> list[list[Any]]:
    rows = [line.split(",") for line in text.splitlines()]
    return [[float(cell) if cell[:1].isdigit() else cell for cell in row] for row in rows]


def book(**sheets: str) -> bytes:
    return book_of({name: sheet(text) for name, text in sheets.items()})


def reading(files: Mapping[str, str | bytes], scheme: Scheme, zone_table: ZoneTable, **options: Any) -> Reading:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return read(Upload("batch.zip", made.getvalue()), scheme, zone_table, **options)


@every(
    "files, parcels",
    [
        ({"CAR-7.xlsx": book(S=ONE), "CAR-8.xlsx": book(S=TWO)}, {"CAR-7": A, "CAR-8": B}),
        ({"CAR-7.xlsx": book(Tri=ONE), "CAR-8.xlsx": book(Feuil1=TWO)}, {"CAR-7": A, "CAR-8": B}),
        ({"in/CAR-7.xlsx": book(S=ONE), "in/CAR-8.xlsx": book(S=TWO)}, {"CAR-7": A, "CAR-8": B}),
        ({"CAR-7/counts.csv": ONE, "CAR-8/counts.csv": TWO}, {"CAR-7": A, "CAR-8": B}),
        ({"b/CAR-7/tri.csv": ONE, "b/CAR-8/tri.csv": TWO}, {"CAR-7": A, "CAR-8": B}),
        ({"CAR-7/stones.csv": STONES, "CAR-8/counts.csv": TWO, "CAR-8/stones.csv.gz": b""}, None),
        ({"03/CAR-7.csv": ONE, "04/CAR-8.csv": TWO}, {"CAR-7": A, "CAR-8": B}),
        ({"data/stones.csv": OF_TWO, "data/words.csv": "attribute,word,class\n"}, {"A": (1, 0.35), "B": (1, 0.42)}),
        ({"stones.xlsx": book(Sheet1=STONES), "declarations.xlsx": book(Sheet1="zone,carats\nNola,0.77\n")}, None),
    ],
)
def test_the_file_or_the_folder_names_the_parcel(
    files: Mapping[str, str | bytes],
    parcels: Mapping[str, tuple[int, float]] | None,
    scheme: Scheme,
    zone_table: ZoneTable,
) -> None:
    found = reading(files, scheme, zone_table)
    names = {parcel.parcel_id: (parcel.n_stones, parcel.carats) for parcel in found.parcels}
    if parcels is None:
        assert not {*names} & {"CAR-7", "CAR-8", "stones", "declarations"}
    else:
        assert (found.problems, names) == ((), parcels)


def test_each_folder_declares_for_itself_and_titles_too(scheme: Scheme, zone_table: ZoneTable) -> None:
    files: dict[str, str | bytes] = {
        "CAR-7/counts.csv": ONE,
        "CAR-7/declarations.csv": DECLARED,
        "CAR-8/counts.csv": TWO,
        "CAR-8/declarations.csv": DECLARED_TOO,
    }
    books: dict[str, str | bytes] = {
        "CAR-7.xlsx": book(Info="Exporter,SODIAM\nZone,Nola\n", Tri=ONE),
        "CAR-8.xlsx": book(Info="Exporter,BADICA\nZone,Boda\n", Tri=TWO),
    }
    for given in (files, books):
        found = reading(given, scheme, zone_table)
        assert found.problems == ()
        assert {p.parcel_id: [one.zone_id for one in p.declarations] for p in found.parcels} == {
            "CAR-7": ["nola"],
            "CAR-8": ["boda"],
        }


def test_a_workbook_that_names_its_parcel_goes_before_the_name_of_its_file(
    scheme: Scheme, zone_table: ZoneTable
) -> None:
    files = {"a.xlsx": book(S="Parcel: CAR-1\n" + ONE), "b.xlsx": book(S="Parcel: CAR-2\n" + TWO)}
    found = reading(files, scheme, zone_table)
    assert (found.problems, [parcel.parcel_id for parcel in found.parcels]) == ((), ["CAR-1", "CAR-2"])
    files["b.xlsx"] = book(S="Parcel: CAR-1\n" + TWO)
    assert "table_twice" in [problem.code for problem in reading(files, scheme, zone_table).problems]


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"smalls.xlsx": book(S=ONE), "specials.xlsx": book(S=TWO)}, "sheets_or_parcels"),
        ({"CAR-7.xlsx": book(S=ONE), "CAR-8.xlsx": book(S=ONE)}, "same_rows"),
        ({"CAR-7/counts.csv": ONE, "CAR-8/counts.csv": ONE}, "same_rows"),
    ],
)
def test_what_may_be_no_parcels_is_asked(
    files: Mapping[str, str | bytes], code: str, scheme: Scheme, zone_table: ZoneTable
) -> None:
    assert code in [problem.code for problem in reading(files, scheme, zone_table).problems]
    found = reading(files, scheme, zone_table, choices={"sheets": "parcels"})
    assert (found.problems, len(found.parcels)) == ((), 2)


def test_a_workbook_that_sums_up_another_is_no_parcel(scheme: Scheme, zone_table: ZoneTable) -> None:
    stones = "No,Weight (ct),Colour\n1,0.35,brown\n2,0.42,white\n3,0.30,brown\n"
    pivot = "Colour,Pcs,Cts\nbrown,2,0.65\nwhite,1,0.42\nTotal,3,1.07\n"
    found = reading({"data.xlsx": book(S=stones), "pivot.xlsx": book(P=pivot)}, scheme, zone_table)
    assert (found.problems, [parcel.n_stones for parcel in found.parcels]) == ((), [3])


def test_workbooks_may_be_parts_of_one_parcel(scheme: Scheme, zone_table: ZoneTable) -> None:
    files = {"smalls.xlsx": book(S=ONE), "specials.xlsx": book(S=TWO)}
    (parcel,) = reading(files, scheme, zone_table, choices={"sheets": "one"}).parcels
    assert (parcel.n_stones, parcel.carats) == (88, 15.9)


def test_a_problem_names_the_file_of_its_sheet(scheme: Scheme, zone_table: ZoneTable) -> None:
    files = {"CAR-7.xlsx": book(S=ONE), "CAR-8.xlsx": book(S=TWO.replace("+9,8", "Total,99"))}
    found = reading(files, scheme, zone_table)
    assert [(problem.code, problem.table) for problem in found.problems][:1] == [("total_disagrees", "CAR-8/S")]


def test_totals_of_parcels_are_checked(scheme: Scheme, zone_table: ZoneTable) -> None:
    listed = "Parcel,Pcs,Cts,Value\nA,1,0.35,100\nB,1,0.42,$ 200\nTotal,2,0.77,300\n"
    found = reading({"stones.csv": OF_TWO, "parcels.csv": listed}, scheme, zone_table)
    assert (found.problems, [parcel.value_usd for parcel in found.parcels]) == ((), [100.0, 200.0])
    french = "Colis,Nbre de pierres,Poids net (ct),Valeur ($)\nA,1,0.35,100\nB,1,0.42,200\n"
    found = reading({"stones.csv": OF_TWO, "colis.csv": french}, scheme, zone_table)
    assert (found.problems, [parcel.value_usd for parcel in found.parcels]) == ((), [100.0, 200.0])
    wrong = reading({"stones.csv": OF_TWO, "parcels.csv": listed.replace("0.77", "0.87")}, scheme, zone_table)
    assert "total_disagrees" in [problem.code for problem in wrong.problems]


def test_rows_of_a_form_stand_in_its_groups_and_bear_keys(scheme: Scheme, zone_table: ZoneTable) -> None:
    stones = "PARENT_KEY,KEY,poids,couleur\nuuid:1,uuid:1/pierres[1],0.35,brun\nuuid:1,uuid:1/pierres[2],0.42,blanc\n"
    form = "SubmissionDate,colis-zone,colis-exporter,KEY\n2019-03-12T10:00:00Z,Nola,A,uuid:1\n"
    (parcel,) = reading({"form.csv": form, "form-pierres.csv": stones}, scheme, zone_table).parcels
    said = parcel.n_stones, parcel.exporter, [item.zone_id for item in parcel.declarations]
    assert said == (2, "A", ["nola"])
    form = "KEY,zone,parcel\nuuid:1,Nola,P1\nuuid:2,Boda,P2\n"
    found = reading({"form.csv": form, "form-pierres.csv": stones + "uuid:2,x,0.31,cape\n"}, scheme, zone_table)
    ids = [(parcel.parcel_id, [item.zone_id for item in parcel.declarations]) for parcel in found.parcels]
    assert ids == [("P1", ["nola"]), ("P2", ["boda"])]


@pytest.mark.parametrize(
    ("declared", "wanted"),
    [
        ("N° colis;Boda;Nola\nA;;0,35\nB;0,30;0,12\n", {"A": {"nola": 0.35}, "B": {"boda": 0.3, "nola": 0.12}}),
        (
            "N° colis;Boda ct;Nola ct;Total ct\nA;0;0,35;0,35\nB;0,42;0;0,42\n",
            {"A": {"nola": 0.35}, "B": {"boda": 0.42}},
        ),
        ("Colis;Nola\nA;0,35\nB;0,42\nTotal;0,77\n", {"A": {"nola": 0.35}, "B": {"nola": 0.42}}),
    ],
)
def test_declarations_may_have_a_column_for_each_zone(
    declared: str, wanted: Mapping[str, Mapping[str, float]], scheme: Scheme, zone_table: ZoneTable
) -> None:
    found = reading({"stones.csv": OF_TWO, "bordereaux.csv": declared}, scheme, zone_table)
    assert not found.problems
    made = {parcel.parcel_id: {item.zone_id: item.carats for item in parcel.declarations} for parcel in found.parcels}
    assert made == wanted


@pytest.mark.slow
@every("other", ["CAR-1 final", "CAR-1_v2", "CAR-1 (2)", "CAR-1 - Copie", "CAR-1-corrected", "CAR-1 v1.2", "CAR-1v2"])
@every("kind", ["csv", "xlsx"])
def test_two_versions_of_a_parcel_are_a_question(kind: str, other: str, scheme: Scheme, zone_table: ZoneTable) -> None:
    first, second = "Sieve,Stones,Carats\n+11,12,5.21\n", "Sieve,Stones,Carats\n+11,13,5.61\n"
    made = {"CAR-1": first, other: second, "CAR-7": TWO}
    files = {f"{name}.{kind}": text if kind == "csv" else book(Sheet1=text) for name, text in made.items()}
    found = reading(files, scheme, zone_table)
    assert [item.code for item in found.problems] == ["versions"]
    ((key, answer),) = found.problems[0].values["choices"]
    assert len(reading(files, scheme, zone_table, choices={key: answer}).parcels) == 3


@pytest.mark.parametrize(
    "names", [("CAR-1", "CAR-2"), ("CAR-1", "CAR-1b"), ("Colis 1", "Colis 2"), ("2024-007", "2024-008")]
)
def test_names_that_count_are_no_versions(names: tuple[str, str], scheme: Scheme, zone_table: ZoneTable) -> None:
    texts = ("Sieve,Stones,Carats\n+11,12,5.21\n", "Sieve,Stones,Carats\n+11,13,5.61\n")
    found = reading({f"{name}.csv": text for name, text in zip(names, texts, strict=True)}, scheme, zone_table)
    assert found.problems == ()
    assert {parcel.parcel_id for parcel in found.parcels} == {*names}


def test_a_pivot_of_the_same_rows_is_held_against_them(scheme: Scheme, zone_table: ZoneTable) -> None:
    rows = "+11,12,5.21\n-11+9,30,7.24\n"
    pivot = f"Row Labels,Sum of Stones,Sum of Carats\n{rows}Grand Total,42,12.45\n"
    for first, second in (("Sorting", "Pivot"), ("Pivot", "Sorting")):
        texts = {"Sorting": f"Sieve,Stones,Carats\n{rows}", "Pivot": pivot}
        found = reading({"a.xlsx": book(**{name: texts[name] for name in (first, second)})}, scheme, zone_table)
        assert found.problems == ()
        assert [parcel.n_stones for parcel in found.parcels] == [42]
