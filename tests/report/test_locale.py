"""Numbers, shares, days and lists in the form of each language."""

from __future__ import annotations

import pytest

from kpfootprint.report.locale import language_of, names, words
from kpfootprint.report.report import canonical
from kpfootprint.retold import LANGUAGES
from tests.every import every
from tests.report.factory import make_model

NBSP = "\u00a0"


@pytest.mark.parametrize(
    ("tag", "lang"), [("fr", "fr"), ("fr-CF", "fr"), ("FR_fr", "fr"), ("en-GB", "en"), ("pt", "en"), ("", "en")]
)
def test_a_tag_falls_back_to_its_language_and_then_to_english(tag: str, lang: str) -> None:
    assert language_of(tag) == lang
    assert words(tag) is words(lang) or words(tag) == words(lang)


@pytest.mark.parametrize(
    ("value", "places", "english", "french"),
    [
        (0.0, 2, "0.00", "0,00"),
        (-0.001, 2, "0.00", "0,00"),
        (-1.7036, 2, "\u22121.70", "\u22121,70"),
        (1234567.891, 1, "1,234,567.9", f"1{NBSP}234{NBSP}567,9"),
        (999, 0, "999", "999"),
    ],
)
def test_numbers(value: float, places: int, english: str, french: str) -> None:
    assert words("en").number(value, places) == english
    assert words("fr").number(value, places) == french


@every(
    "value, english, french",
    [
        (0.0, "0%", f"0{NBSP}%"),
        (0.0001, "<0.1%", f"<0,1{NBSP}%"),
        (0.0005, "0.1%", f"0,1{NBSP}%"),
        (0.0812, "8.1%", f"8,1{NBSP}%"),
        (0.0996, "10%", f"10{NBSP}%"),
        (0.284, "28%", f"28{NBSP}%"),
        (0.9961, "99.6%", f"99,6{NBSP}%"),
        (0.9999, ">99.9%", f">99,9{NBSP}%"),
        (1.0, "100%", f"100{NBSP}%"),
    ],
)
def test_shares(value: float, english: str, french: str) -> None:
    assert words("en").share(value) == english
    assert words("fr").share(value) == french


@pytest.mark.parametrize(
    ("value", "shown"), [(0.46, "0.46"), (0.0312, "0.031"), (0.0041, "0.0041"), (0.00099, "<0.001"), (1.0, "1.00")]
)
def test_probabilities(value: float, shown: str) -> None:
    assert words("en").probability(value) == shown
    assert words("fr").probability(value) == shown.replace(".", ",")


def test_a_probability_and_its_share_in_a_hundred_are_one_number() -> None:
    for thousandths in range(100, 995):
        value, english = thousandths / 1000, words("en")
        assert english.chance(value) == f"{float(english.probability(value)) * 100:.0f}%"


def test_days() -> None:
    assert words("en").day("2026-04-01") == "1 April 2026"
    assert words("fr").day("2026-04-01") == "1er avril 2026"
    assert words("fr").day("2026-12-11") == "11 d\u00e9cembre 2026"
    assert words("fr").day("2026-08-21") == "21 ao\u00fbt 2026"
    assert words("en").day("2026-05-03T09:30:00Z") == "3 May 2026"
    assert words("en").day(None) == "\u2013"


def test_lists() -> None:
    assert words("en").listing([]) == ""
    assert words("en").listing(["Boda"]) == "Boda"
    assert words("en").listing(["Boda", "Nola"]) == "Boda and Nola"
    assert words("fr").listing(["Boda", "Nola", "Gadzi"]) == "Boda, Nola et Gadzi"
    assert words("en").listing(["Tshikapa, Kasa\u00ef", "Nola", "Boda"]) == "Tshikapa, Kasa\u00ef; Nola and Boda"
    assert words("en").listing(["Tshikapa, Kasa\u00ef", "Nola"]) == "Tshikapa, Kasa\u00ef; and Nola"
    two = words("fr").listing(["Boda", "Tshikapa, Kasa\u00ef", "Nola"])
    assert str(two) == f"Boda{NBSP}; Tshikapa, Kasa\u00ef{NBSP}; et Nola"
    assert f"{two:de}" == f"de Boda{NBSP}; de Tshikapa, Kasa\u00ef et de Nola"
    assert words("fr").row(["Tshikapa, Kasa\u00ef", "Nola"]) == f"Tshikapa, Kasa\u00ef{NBSP}; Nola"


def test_names_fall_back_to_english_and_then_to_the_code() -> None:
    model = make_model()["model"]
    del model["attributes"][1]["classes"][3]["labels"]["fr"]
    model["attributes"][1]["classes"][4]["labels"] = {}
    french = names(canonical(model), "fr")
    assert french.class_("colour", "brown") == "brown"
    assert french.class_("colour", "green") == "green"
    assert french.class_("colour", "yellow") == "jaune"
    assert french.class_("size", "+3") == "+3"
    assert french.zone("berberati") == "Berb\u00e9rati"
    assert french.zone("nowhere") == "nowhere"


@pytest.mark.parametrize(
    ("name", "french"), [("0.105-0.205", "0,105-0,205"), ("4.005+", "4,005+"), ("0-2", "0-2"), ("+1.5 mm", "+1.5 mm")]
)
def test_size_classes_that_are_called_by_their_limits_are_so_in_every_language(name: str, french: str) -> None:
    model = make_model()["model"]
    for at in (0, 1):
        model["attributes"][at]["classes"][0] |= {"name": name, "labels": {"en": name, "fr": name}}
    size, colour, *_ = (item["name"] for item in model["attributes"])
    for lang, shown in (("en", name), ("fr", french)):
        known = names(canonical(model), lang)
        assert (known.class_(size, name), known.class_(colour, name)) == (shown, name)


def test_every_language_has_its_catalogue() -> None:
    for lang in LANGUAGES:
        assert words(lang).text("Cautions") == {"en": "Cautions", "fr": "R\u00e9serves"}[lang]


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize(
    ("observed", "low", "high"), [(0.0611, 0.025, 0.0607), (0.2518, 0.2532, 0.32), (0.0004, 0.0, 0.0002)]
)
def test_a_share_outside_its_range_is_not_shown_as_the_limit_that_it_passes(
    lang: str, observed: float, low: float, high: float
) -> None:
    seen, least, most = words(lang).shares_beside(observed, low, high)
    assert seen not in (least, most)
    within = words(lang).shares_beside(low, low, high)
    assert within[0] == within[1] == words(lang).share(low)
