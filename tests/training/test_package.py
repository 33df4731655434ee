"""Reference packages: read, refused, begun, sealed and merged."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kpfootprint.cli.surroundings import reason_in
from kpfootprint.errors import ReferenceDataError
from kpfootprint.reference import shipped_reference
from kpfootprint.retold import retold
from training.package import init_package, load_package, merge_packages, validate_package

ZONES = "zone_id,name,country,region\nnorth,North,CF,west\nsouth,South,CF,east\n"
STATUS = "zone_id,status,valid_from,valid_to,source\nnorth,compliant,2020-01-01,,test\n"
PARCELS = (
    "parcel_id,zone_id,collected_on,cleaning_state,selection,sorter,bottom_screen_mm,specials_removed,n_stones,carats\n"
    "A,north,2020-02-03,unwashed,run_of_mine,S1,1.8,no,2,0.5\nB,south,,,,,,,1,0.4\n"
)
STONES = "parcel_id,weight_ct,colour,morphology\nA,0.2,brown,macle\nA,0.3,,cube\nB,0.4,cape,\n"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small sound package, begun by the program and filled by hand."""
    path = tmp_path_factory.mktemp("filled") / "package"
    init_package(path)
    for name, text in (("zones", ZONES), ("zone_status", STATUS), ("parcels", PARCELS), ("stones", STONES)):
        (path / f"{name}.csv").write_text(text, encoding="utf-8")
    init_package(path)
    return path


@pytest.fixture
def folder(filled: Path, tmp_path: Path) -> Path:
    """Return a copy of the small sound package, to be changed."""
    return shutil.copytree(filled, tmp_path / "package")


def change(folder: Path, name: str, edit: Callable[[str], str], *, seal: bool = True) -> None:
    """Change a table of a package, and seal it again."""
    path = folder / f"{name}.csv"
    text = path.read_text(encoding="utf-8")
    assert edit(text) != text
    path.write_text(edit(text), encoding="utf-8")
    if seal:
        init_package(folder)


def describe(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    """Change the descriptor of a package."""
    path = folder / "datapackage.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    edit(document)
    path.write_text(json.dumps(document), encoding="utf-8")


def test_a_package_begun_and_filled_is_sound(folder: Path) -> None:
    assert validate_package(folder) == ()
    package = load_package(folder)
    assert (package.name, package.synthetic, package.zone_of) == ("my-reference", False, ("north", "south"))
    assert [parcel.n_stones for parcel in package.batch] == [2, 1]
    assert package.collected_on[1] is None
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "`weight_ct`" in text
    assert "training validate" in text


def test_an_empty_package_is_told_to_be_empty(tmp_path: Path) -> None:
    init_package(tmp_path / "new")
    assert {(p.table, p.code) for p in validate_package(tmp_path / "new")} == {
        ("zones", "empty_table"),
        ("parcels", "empty_table"),
    }


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious", encoding="utf-8")
    with pytest.raises(ReferenceDataError, match="empty folder"):
        init_package(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_sealing_changes_hashes_alone(folder: Path) -> None:
    before = (folder / "datapackage.json").read_bytes()
    init_package(folder)
    assert (folder / "datapackage.json").read_bytes() == before
    first = load_package(folder).sha256
    change(folder, "stones", lambda text: text + "B,0.01,cape,\n")
    change(folder, "parcels", lambda text: text.replace("1,0.4", "2,0.41"))
    assert load_package(folder).sha256 != first


@pytest.mark.parametrize(
    ("table", "old", "new", "told"),
    [
        ("stones", "A,0.2,brown", "A,0.2,brwn", ("stones", 2, "colour", "brwn", "unknown_class")),
        ("stones", "A,0.2", "A,-0.2", ("stones", 2, "weight_ct", "-0.2", "negative")),
        ("stones", "A,0.2", "A,nan", ("stones", 2, "weight_ct", "nan", "not_finite")),
        ("stones", "B,0.4", "C,0.4", ("stones", 4, "parcel_id", "C", "unknown_parcel")),
        ("parcels", ",2,0.5", ",3,0.5", ("parcels", 2, "n_stones", "3", "stones_total")),
        ("parcels", ",2,0.5", ",2,0.7", ("parcels", 2, "carats", "0.7", "carats_total")),
        ("parcels", "A,north", "A,nowhere", ("parcels", 2, "zone_id", "nowhere", "foreign_key")),
        ("parcels", "B,south", "A,south", ("parcels", 3, "parcel_id", "A", "unique_error")),
        ("parcels", "unwashed", "washed", ("parcels", 2, "cleaning_state", "washed", "constraint_error")),
        ("parcels", "2020-02-03", "2020-02-30", ("parcels", 2, "collected_on", "2020-02-30", "not_a_date")),
        ("zones", "South,CF", "South,Mars", ("zones", 3, "country", "Mars", "bad_country")),
        ("zone_status", "compliant", "perhaps", ("zone_status", 2, "status", "perhaps", "constraint_error")),
    ],
)
def test_everything_wrong_is_told_with_its_place(
    table: str, old: str, new: str, told: tuple[str, int | None, str | None, str | None, str], folder: Path
) -> None:
    change(folder, table, lambda text: text.replace(old, new))
    found = [(p.table, p.row, p.column, p.value, p.code) for p in validate_package(folder)]
    assert told in found


@pytest.mark.parametrize(
    ("table", "old", "new", "english", "french"),
    [
        ("parcels", "B,south", "A,south", "the same as in the row at position 2", "la même qu’à la ligne 2"),
        ("zones", "\nsouth,", "\n,", "a value is missing", "a value is missing"),
        ("zone_status", "compliant", "ok", "not one of 'compliant', 'suspended'", "n’est pas l’une des valeurs 'compl"),
    ],
)
def test_what_frictionless_tells_is_told_once_a_row_and_in_french(
    table: str, old: str, new: str, english: str, french: str, folder: Path
) -> None:
    change(folder, table, lambda text: text.replace(old, new))
    (problem,) = [item for item in validate_package(folder) if item.table == table]
    assert english in problem.reason
    assert french in retold(problem.reason, "fr")


def constrain(table: int, field: int, **members: object) -> Callable[[dict[str, Any]], object]:
    return lambda document: document["resources"][table]["schema"]["fields"][field].update(members)


@pytest.mark.parametrize(
    ("edit", "table", "old", "new", "told"),
    [
        (constrain(0, 1, type="datetime"), "zones", "South", "Sud", [("name", "type_error")]),
        (constrain(2, 9, constraints={"maximum": 0.45}), "zones", "South", "Sud", [("carats", "constraint_error")]),
        (constrain(0, 1, constraints={"minLength": 4}), "zones", "South", "Sud", [("name", "constraint_error")]),
        (
            lambda d: d["resources"][2]["schema"].update(primaryKey="sorter"),
            *("parcels", "B,south", "C,south", [("sorter", "missing_value")]),
        ),
        (
            lambda d: d["resources"][2]["schema"]["foreignKeys"][0]["reference"].update(resource="", fields="sorter"),
            *("parcels", "south,,,,,", "south,,,,S1,", [("zone_id", "foreign_key")]),
        ),
    ],
)
def test_what_a_schema_asks_for_is_held_against_every_cell_and_told_in_french(
    edit: Callable[[dict[str, Any]], object], table: str, old: str, new: str, told: list[tuple[str, str]], folder: Path
) -> None:
    describe(folder, edit)
    change(folder, table, lambda text: text.replace(old, new))
    problems = validate_package(folder)
    assert [(item.column, item.code) for item in problems[-1:]] == told
    assert all(reason_in(item, "fr") != item.reason for item in problems)


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8-sig"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_small_tables_are_read_as_those_of_submissions_are(encoding: str, separator: str, folder: Path) -> None:
    for name, text in (("zones", ZONES.replace("North", "Nördlich")), ("zone_status", STATUS), ("parcels", PARCELS)):
        spaced = text.replace(",CF", " ,CF").replace("\n", "\n\n")
        (folder / f"{name}.csv").write_bytes(spaced.replace(",", separator).encode(encoding))
    init_package(folder)
    assert load_package(folder).zone_table.zones[0].name == "Nördlich"


def test_rows_are_told_by_their_lines_whatever_lines_are_blank(folder: Path) -> None:
    change(folder, "parcels", lambda text: text.replace("B,south", "\n\nB,nowhere"))
    assert [(p.row, p.code) for p in validate_package(folder)] == [(5, "foreign_key")]
    change(folder, "zones", lambda text: text.replace("South,CF", "\n\nSouth"))
    assert [(p.table, p.row, p.code) for p in validate_package(folder)] == [
        ("zones", 3, "ragged_row"),
        ("zones", 5, "ragged_row"),
    ]


def test_problems_are_told_together(folder: Path) -> None:
    change(folder, "stones", lambda text: text.replace("0.2", "0").replace("cape", "kape"))
    assert {p.code for p in validate_package(folder)} >= {"zero", "unknown_class"}


@pytest.mark.parametrize("table", ["zones", "parcels", "stones"])
def test_a_table_with_another_hash_is_refused(table: str, folder: Path) -> None:
    change(folder, table, lambda text: text.replace("\n", "\r\n"), seal=False)
    problems = validate_package(folder)
    assert any(p.table == table and "hash" in p.code for p in problems), problems


def test_periods_of_a_zone_may_not_overlap(folder: Path) -> None:
    change(folder, "zone_status", lambda text: text + "north,suspended,2021-01-01,2022-01-01,test\n")
    assert [p.code for p in validate_package(folder)] == ["overlapping_periods"]


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda d: d.pop("synthetic"), "missing_value"),
        (lambda d: d.update(resources=d["resources"][:2]), "missing_table"),
        (lambda d: d["resources"][3].update(path="../stones.csv"), "path_outside"),
        (lambda d: d["resources"][3].update(path=["stones.csv", "../stones.csv"]), "path_outside"),
        (lambda d: d["resources"][3].update(path=[]), "path_outside"),
        (lambda d: d["resources"][3].update(path=["stones.csv", 3]), "path_outside"),
        (lambda d: d["attributes"].pop(0), "bad_scheme"),
        (lambda d: d["attributes"][1].pop("classes"), "bad_scheme"),
        (lambda d: d["attributes"][0]["edges_ct"].reverse(), "bad_scheme"),
        (lambda d: d["attributes"][1]["classes"][0]["synonyms"].append("BRUN"), "bad_scheme"),
        (lambda d: d["attributes"].append({**d["attributes"][1], "name": "glow", "column": "glow"}), "missing_column"),
    ],
)
def test_descriptors_that_are_refused(edit: Callable[[dict[str, Any]], object], code: str, folder: Path) -> None:
    describe(folder, edit)
    assert code in [p.code for p in validate_package(folder)]


@pytest.mark.parametrize(
    ("at", "change"),
    [
        (0, {"edges_ct": [0.5, 0.1]}),
        (0, {"edges_ct": "0.1"}),
        (1, {"labels": []}),
        (1, {"ordered": "yes"}),
        (1, {"classes": {}}),
        (1, {"sets": {}}),
    ],
)
def test_what_is_wrong_with_an_attribute_names_it(at: int, change: dict[str, Any], folder: Path) -> None:
    describe(folder, lambda d: d["attributes"][at].update(change))
    name = json.loads((folder / "datapackage.json").read_text("utf-8"))["attributes"][at]["name"]
    assert [p.reason.startswith(f"{name}: ") for p in validate_package(folder)] == [True]


def test_no_descriptor_and_no_json(tmp_path: Path, folder: Path) -> None:
    assert [p.code for p in validate_package(tmp_path / "nowhere")] == ["file_missing"]
    (folder / "datapackage.json").write_text("{", encoding="utf-8")
    assert [p.code for p in validate_package(folder)] == ["bad_json"]


def test_sieve_sets_may_be_left_to_the_edges(folder: Path) -> None:
    """The contract asks for ``sieve_set`` and ``edges_ct`` alone; classes are then named by their limits."""
    describe(
        folder, lambda d: (d.pop("sieve_sets"), d["attributes"][0].update(sieve_set="mine", edges_ct=[0, 0.1, 0.5]))
    )
    own = load_package(folder).scheme.size.sieve_set
    assert (own.name, own.classes) == ("mine", ("0-0.1", "0.1-0.5", "0.5+"))
    assert own.upper_ct == (0.1, 0.5, float("inf"))


def test_a_further_attribute_is_an_entry_and_a_column(folder: Path) -> None:
    classes: list[dict[str, Any]] = [
        {"name": name, "labels": {"en": name, "fr": name}, "synonyms": []} for name in ("none", "blue")
    ]
    entry = {"name": "fluorescence", "column": "fluorescence", "ordered": True, "classes": classes}

    def add(document: dict[str, Any]) -> None:
        document["attributes"].append(entry | {"labels": {"en": "fluorescence", "fr": "fluorescence"}, "synonyms": []})
        document["resources"][3]["schema"]["fields"].append({"name": "fluorescence", "type": "string"})

    describe(folder, add)
    lines = STONES.splitlines()
    (folder / "stones.csv").write_text("\n".join([f"{lines[0]},fluorescence", *(f"{line},blue" for line in lines[1:])]))
    init_package(folder)
    package = load_package(folder)
    assert package.scheme.attribute_names == ("size", "colour", "morphology", "fluorescence")
    stones = package.batch.parcels[0].stones
    assert stones is not None
    assert stones.codes["fluorescence"].tolist() == [1, 1]


def test_merging(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    change(other, "parcels", lambda text: text.replace("A,north", "C,north").replace("B,south", "D,east"), seal=False)
    change(other, "zones", lambda text: text.replace("south,South", "east,East"), seal=False)
    change(other, "stones", lambda text: text.replace("A,", "C,").replace("B,", "D,"))
    describe(other, lambda d: d.update(name="other", synthetic=True))
    merged = merge_packages(folder, other, tmp_path / "both")
    assert merged.zone_of == ("north", "south", "north", "east")
    assert [zone.zone_id for zone in merged.zone_table.zones] == ["north", "south", "east"]
    assert (merged.name, merged.version, merged.synthetic) == ("my-reference-and-other", "0.1+0.1", True)
    assert [p.n_stones for p in merged.batch] == [2, 1, 2, 1]
    assert merge_packages(other, folder, tmp_path / "turned").synthetic
    again = merge_packages(folder, other, tmp_path / "again")
    assert again.sha256 == merged.sha256


def test_what_cannot_be_merged(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    change(other, "zones", lambda text: text.replace("South,CF", "South,CM"))
    with pytest.raises(ReferenceDataError) as caught:
        merge_packages(folder, other, tmp_path / "both")
    assert [(p.table, p.value) for p in caught.value.problems] == [
        ("zones", "south"),
        ("parcels", "A"),
        ("parcels", "B"),
    ]
    assert not (tmp_path / "both").exists()
    describe(other, lambda d: (d["attributes"][1]["classes"].pop(0), d["attributes"][1].pop("sets")))
    with pytest.raises(ReferenceDataError, match="declare other"):
        merge_packages(folder, other, tmp_path / "both")


def test_gzipped_stones(folder: Path) -> None:
    (folder / "stones.csv.gz").write_bytes(gzip.compress(STONES.encode()))
    describe(folder, lambda d: d["resources"][3].update(path="stones.csv.gz", compression="gz"))
    init_package(folder)
    assert validate_package(folder) == ()


def test_the_shipped_package_is_sealed() -> None:
    assert validate_package(shipped_reference()) == ()
