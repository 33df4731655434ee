from __future__ import annotations

import tomllib
from importlib import resources
from itertools import combinations

import pytest

from kpfootprint.ingest.words import (
    TABLES,
    Words,
    attribute_words,
    condition_values,
    find_size,
    fold,
    nearest,
    size_words,
    table_names,
)


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


@pytest.mark.parametrize(
    ("attribute", "word", "name"),
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
def test_trade_words(attribute: str, word: str, name: str, words: Words) -> None:
    item = words.scheme.attribute(attribute)
    assert item.classes[attribute_words(item)[fold(word)]].name == name


@pytest.mark.parametrize(
    ("table", "header", "column"),
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
def test_headers(table: str, header: str, column: str, words: Words) -> None:
    assert words.columns(table)[fold(header)] == column


def test_no_word_is_declared_for_two_columns_values_or_tables() -> None:
    declared = tomllib.loads(resources.files("kpfootprint.ingest").joinpath("words.toml").read_text(encoding="utf-8"))
    groups = [declared["tables"], *declared["columns"].values(), *declared["values"].values()]
    for group in groups:
        meant = {name: {fold(word) for word in (name, *synonyms)} for name, synonyms in group.items()}
        for one, two in combinations(meant, 2):
            assert not meant[one] & meant[two], (one, two, meant[one] & meant[two])


def test_names_of_this_documentation_stand_for_themselves(words: Words) -> None:
    assert {table_names()[fold(table)] for table in TABLES} == set(TABLES)
    for table in TABLES:
        for column in set(words.columns(table).values()):
            assert words.columns(table)[fold(column)] == column


def test_columns_of_stones_do_not_hide_each_other(words: Words) -> None:
    for item in words.scheme.categorical:
        for word in (item.column, *item.labels.values(), *item.synonyms):
            assert words.columns("stones")[fold(word)] == item.column
            assert words.columns("counts")[fold(word)] == item.column
    for word in words.scheme.size.synonyms:
        assert words.columns("stones")[fold(word)] == "weight_ct"


@pytest.mark.parametrize(
    ("text", "name"),
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
def test_sieve_classes_as_sheets_write_them(text: str, name: str, words: Words) -> None:
    own = words.scheme.size.sieve_set
    position = find_size(text, size_words(own))
    assert position is not None
    assert own.classes[position] == name


@pytest.mark.parametrize("text", ["+3-7", "4", "+4", "", "large"])
def test_sieve_classes_that_are_none(text: str, words: Words) -> None:
    assert find_size(text, size_words(words.scheme.size.sieve_set)) is None


def test_conditions() -> None:
    assert condition_values("cleaning_state")[fold("Rincé à l’acide")] == "acid_rinsed"
    assert condition_values("selection")[fold("Tout-venant")] == "run_of_mine"
    assert condition_values("sorter")[fold("inconnu")] is None


def test_zones_by_id_and_name(words: Words) -> None:
    zones = words.zones()
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
