from __future__ import annotations

import tomllib
from dataclasses import replace
from importlib import resources
from itertools import combinations
from pathlib import Path

import pytest

from kpfootprint.ingest import Upload, read, words_of
from kpfootprint.ingest.names.size_labels import find_size, size_words
from kpfootprint.ingest.words import TABLES, Vocabulary, attribute_words, condition_values, fold, nearest, table_names
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import AttributeClass, ClassSet, Scheme
from tests.every import every


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Poids (ct)", "poidsct"),
        ("N° parcelle", "noparcelle"),
        ("Octaèdre", "octaedre"),
        ("green-coated", "greencoated"),
        ("ŒUVRE", "oeuvre"),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded


@every(
    "attribute, word, name",
    [
        ("colour", "Incolore", "colourless"),
        ("colour", "colorless", "colourless"),
        ("colour", "BRUN", "brown"),
        ("colour", "jaune", "yellow"),
        ("colour", "Gris", "grey"),
        ("colour", "gray", "grey"),
        ("colour", "noir", "black"),
        ("colour", "laiteux", "milky"),
        ("colour", "Cape", "cape"),
        ("colour", "enrobe vert", "green-coated"),
        ("colour", "Brunes", "brown"),
        ("morphology", "octaèdres", "octahedron"),
        ("colour", "Enrobé-Vert", "green-coated"),
        ("morphology", "dodecaedre", "dodecahedron"),
        ("morphology", "Rond", "dodecahedron"),
        ("morphology", "octaèdre", "octahedron"),
        ("morphology", "maccle", "macle"),
        ("morphology", "naat", "macle"),
        ("morphology", "bort", "boart"),
        ("morphology", "éclat", "fragment"),
        ("morphology", "agrégat", "aggregate"),
        ("morphology", "plat", "flat"),
    ],
)
def test_trade_words(attribute: str, word: str, name: str, words: Vocabulary) -> None:
    item = words.scheme.attribute(attribute)
    assert item.classes[attribute_words(item)[fold(word)]].name == name


@every(
    "table, header, column",
    [
        ("parcels", "N° parcelle", "parcel_id"),
        ("parcels", "Date d’export", "exported_on"),
        ("parcels", "Crible inférieur (mm)", "bottom_screen_mm"),
        ("declarations", "Zone déclarée", "zone_id"),
        ("declarations", "poids", "carats"),
        ("stones", "POIDS", "weight_ct"),
        ("stones", "carats", "weight_ct"),
        ("stones", "Forme", "morphology"),
        ("counts", "Taille", "size_class"),
        ("counts", "Nombre de pierres", "n_stones"),
        ("counts", "carats", "carats"),
        ("size_classes", "Borne inférieure", "lower_ct"),
    ],
)
def test_headers(table: str, header: str, column: str, words: Vocabulary) -> None:
    assert words.columns(table)[fold(header)] == column


def test_no_word_is_declared_for_two_columns_values_or_tables() -> None:
    declared = tomllib.loads(resources.files("kpfootprint.ingest").joinpath("words.toml").read_text(encoding="utf-8"))
    groups = [declared["tables"], *declared["columns"].values(), *declared["values"].values()]
    for group in groups:
        meant = {name: {fold(word) for word in (name, *synonyms)} for name, synonyms in group.items()}
        for one, two in combinations(meant, 2):
            assert not meant[one] & meant[two], (one, two, meant[one] & meant[two])


def test_names_of_this_documentation_stand_for_themselves(words: Vocabulary) -> None:
    assert {table_names()[fold(table)] for table in TABLES} == set(TABLES)
    for table in TABLES:
        for column in set(words.columns(table).values()):
            assert words.columns(table)[fold(column)] == column


def test_columns_of_stones_do_not_hide_each_other(words: Vocabulary) -> None:
    for item in words.scheme.categorical:
        for word in (item.column, *item.labels.values(), *item.synonyms):
            assert words.columns("stones")[fold(word)] == item.column
            assert words.columns("counts")[fold(word)] == item.column
    for word in words.scheme.size.synonyms:
        assert words.columns("stones")[fold(word)] == "weight_ct"


@every(
    "text, name",
    [
        ("+3", "+3"),
        ("DTC +3", "+3"),
        ("3", "+3"),
        ("-3", "-3"),
        ("−3", "-3"),
        ("+3-5", "+3"),
        ("+3 -5", "+3"),
        ("+21 -23", "+21"),
    ],
)
def test_sieve_classes_as_sheets_write_them(text: str, name: str, words: Vocabulary) -> None:
    own = words.scheme.size.sieve_set
    position = find_size(text, size_words(own))
    assert position is not None
    assert own.classes[position] == name


@pytest.mark.parametrize("text", ["+3-7", "4", "+4", "", "large"])
def test_sieve_classes_that_are_none(text: str, words: Vocabulary) -> None:
    assert find_size(text, size_words(words.scheme.size.sieve_set)) is None


def test_conditions() -> None:
    assert condition_values("cleaning_state")[fold("Rincé à l’acide")] == "acid_rinsed"
    assert condition_values("selection")[fold("Tout-venant")] == "run_of_mine"
    assert condition_values("sorter")[fold("inconnu")] is None


def test_zones_by_id_and_name(words: Vocabulary) -> None:
    zones = words.zones
    for text, zone in (
        ("Berbérati", "berberati"),
        ("SAM OUANDJA", "sam-ouandja"),
        ("tshikapa kasai", "kasai-tshikapa"),
    ):
        assert zones[fold(text)] == zone


def test_the_nearest_names_come_first_and_all_where_none_is_near() -> None:
    known = {"brown": "brown", "brun": "brown", "grey": "grey"}
    assert nearest("brwn", known) == "brown"
    assert nearest("zzz", known) == "brown, grey"


def folder_of(path: Path, words: str) -> Path:
    (path / "pierres.csv").write_text(
        "N°;Poids;Couleur;Forme\n1;0,42;BRN2;OCT\n2;0,31;BRN2;rond\n3;0,3;W+;?\n", "utf-8"
    )
    (path / "words.csv").write_text(words, "utf-8")
    return path


def test_words_beside_the_stones_are_given_their_classes(tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    words = "attribut;mot;classe\ncouleur;BRN2;brun\ncolour;W+;white\nforme;OCT;octaèdre\nforme;?;inconnu\nforme;X;rond"
    (parcel,) = read(folder_of(tmp_path, words), scheme, zone_table, one=True).parcels
    assert parcel.read_as is not None
    classes = {"colour": {"colourless": 1, "brown": 2}, "morphology": {"octahedron": 1, "dodecahedron": 1}}
    assert parcel.read_as["classes"] == classes
    told = [item["values"]["words"] for item in parcel.read_as["notes"]]
    assert told == ["BRN2 = brun, W+ = white", "OCT = octaèdre, ? = inconnu"]
    assert words_of(Upload("words.csv", words.encode()))["couleur:BRN2"] == "brun"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("attribute,word\ncolour,BRN2\n", "missing_column"),
        ("attribute,word,class\ngrade,BRN2,brown\n", "unknown_attribute"),
        ("attribute,word,class\ncolour,BRN2,brown\ncolour,BRN2,cape\n", "word_twice"),
        ("attribute,word,class\ncolour,BRN2,\n", "missing_value"),
        ("attribute,word,class\ncolour,BRN2,browm\n", "unknown_class"),
    ],
)
def test_words_that_say_nothing_clear_are_refused(
    words: str, code: str, tmp_path: Path, scheme: Scheme, zone_table: ZoneTable
) -> None:
    found = read(folder_of(tmp_path, words), scheme, zone_table, one=True)
    assert found.parcels == ()
    assert code in {problem.code for problem in found.problems}


@pytest.mark.parametrize(
    ("text", "named"), [("D-H", "fine"), ("d to h", "fine"), ("D-E", None), ("H-D", None), ("G-K", None)]
)
def test_letters_from_one_to_another_are_the_set_that_holds_them(
    text: str, named: str | None, scheme: Scheme, zone_table: ZoneTable
) -> None:
    letters = tuple(AttributeClass(name=letter, labels={"en": letter}) for letter in "DEFGH")
    fine = ClassSet(name="fine", labels={"en": "fine"}, members=tuple("DEFGH"))
    by_letter = tuple(
        replace(item, classes=letters, sets=(fine,), synonyms=()) if item.name == "colour" else item
        for item in scheme.categorical
    )
    sheet = Upload("s.csv", f"weight_ct,colour\n0.52,{text}\n0.31,E\n".encode())
    found = read(sheet, replace(scheme, categorical=by_letter), zone_table, one=True)
    if named is None:
        assert [(problem.code, problem.row) for problem in found.problems] == [("unknown_class", 2)]
    else:
        assert found.parcels[0].read_as is not None
        assert found.parcels[0].read_as["classes"]["colour"] == {"E": 1, named: 1}
