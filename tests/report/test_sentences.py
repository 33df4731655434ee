"""Every statement a comparison can make has words, in both languages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import kpfootprint.comparison
from kpfootprint.comparison.sentences import ABOUT_HALF
from kpfootprint.report.locale import names, words
from kpfootprint.report.messages import PARTS, PLURALS, TEMPLATES
from kpfootprint.report.report import canonical
from kpfootprint.report.sentences import rounded, say
from tests.every import every
from tests.report.factory import make_model

BETWEEN = {"observed": 0.2804, "expected": 0.12, "low": 0.09, "high": 0.18}
BROWN = {"attribute": "colour", "class": "brown", "zones": ("berberati", "carnot"), **BETWEEN}
EVERY: tuple[tuple[str, dict[str, Any]], ...] = (
    ("h1_zone", {"zone": "berberati"}),
    ("h1_blend", {"zones": ("berberati", "carnot"), "stone_shares": (0.7, 0.3)}),
    ("h2_elsewhere", {"zones": ("bria",), "unlisted_weight": 0.2}),
    ("h2_elsewhere", {"zones": ("bria", "kasai"), "declared_zones": ("bria",), "unlisted_weight": 0.2}),
    ("h2_unlisted_only", {"unlisted_weight": 1.0}),
    *(
        ("verbal", {"band": band, "favours": favours, "scale": "ENFSI 2015"})
        for band in ("none", "weak", "moderate", "moderately_strong", "strong", "very_strong", "extremely_strong")
        for favours in ("H1", "H2", "neither")
    ),
    ("measured_held_out", {"n_parcels": 198, "reference": "car-rough 1.0.0", "release": "2026.1"}),
    ("measured_simulated", {"n_parcels": 4000, "release": "2026.1"}),
    ("no_declaration", {}),
    ("unreleased", {"release": "trial"}),
    ("synthetic_reference", {"reference": "car-rough 1.0.0"}),
    ("no_export_date", {"status_on": "2026-05-03"}),
    ("zone_not_compliant", {"zone": "bria", "status": "suspended", "day": "2026-05-03"}),
    ("zone_not_compliant", {"zones": ("bria", "gadzi"), "status": "suspended", "day": "2026-05-03"}),
    ("zone_not_covered", {"zone": "bria", "day": "2026-05-03"}),
    ("zone_not_covered", {"zones": ("bria", "gadzi"), "day": "2026-05-03"}),
    ("zone_without_reference", {"zone": "bakouma"}),
    ("zone_without_reference", {"zones": ("bria", "bakouma")}),
    ("screen_contradicted", {"bottom_screen_mm": 3.0}),
    ("zone_left_out", {"zone": "bakouma"}),
    ("zone_left_out", {"zones": ("bria", "bakouma")}),
    ("few_references", {"zones": ("bria", "gadzi"), "n_parcels": 12}),
    ("small_parcel", {"n_stones": 1, "minimum": 50}),
    ("small_parcel", {"n_stones": 12, "minimum": 50}),
    ("few_references", {"zone": "gadzi", "n_parcels": 1}),
    ("bound_hit", {"bound": "upper", "log10_lr": 2.2171}),
    ("bound_hit", {"bound": "lower", "log10_lr": -2.0841}),
    ("below_screen", {"n_stones": 3, "share": 0.004, "bottom_screen_mm": 1.6}),
    ("size_range_missing", {"share": 0.87}),
    ("sorter_unknown", {"sorter": "S9"}),
    ("condition_unknown", {"field": "cleaning_state", "value": "polished"}),
    ("conditions_blank", {"fields": ("cleaning_state", "sorter")}),
    ("beyond_calibrated_size", {"n_stones": 20000, "largest": 6000}),
    ("declared_carats_differ", {"declared": 152.8, "parcel": 153.0}),
    ("attribute_not_recorded", {"attribute": "morphology"}),
    ("partly_recorded", {"attribute": "colour", "share": 0.62}),
    ("partly_recorded", {"attributes": ("colour", "morphology"), "share": 0.62}),
    ("coarse_classes", {"attribute": "morphology", "sets": ("makeable", "near gem"), "share": 0.41}),
    ("sets_overlap", {"attribute": "morphology", "sets": ("makeable", "near gem")}),
    ("graded_in_part", {"n_graded": 468, "n_stones": 9336}),
    ("stones_not_counted", {"n_stones": 612, "fewest": 590, "most": 634}),
    ("sizes_by_weight", {}),
    ("sizes_by_mean", {"mean_ct": 0.364}),
    ("number_and_weight_alone", {"mean_ct": 0.436}),
    ("number_and_weight_alone", {"mean_ct": None}),
    ("next_grading", {"n_stones": 836}),
    ("next_grading", {"n_stones": None}),
    ("graded_in_part", {"n_graded": 1, "n_stones": 9336}),
    ("graded_in_part", {"n_graded": None, "n_stones": 9336}),
    ("within_ranges", {"n_classes": 1, "n_all": 31}),
    ("country_in_part", {"country": "CF", "zones": ("gadzi",)}),
    *(("split", {"log10_lr": 0.41, "favours": favours}) for favours in ("H1", "H2", "neither")),
    *(
        (code, {"origins": ("CF", "CM"), "zones": ("gadzi", "berberati"), "stone_shares": (0.4, 0.6)})
        for code in ("h1_origins", "h1_split")
    ),
    ("carats_not_recorded", {}),
    ("novel_parcel", {"p_value": 0.0045, "log10_lr": 1.0}),
    ("unusual_parcel", {"p_value": 0.12, "log10_lr": 1.0}),
    ("coarse_sieve_set", {"sieve_set": "house", "n_classes": 4}),
    ("no_alternative", {}),
    ("share_undetermined", {}),
    ("not_computed", {"field": "mixture", "reason": "small_parcel"}),
    *(
        (code, {**BROWN, "observed": observed, "favours": favours, "contribution": -0.6, "evidence_share": part})
        for code, observed, part in (
            ("class_more", 0.2804, 0.52),
            ("class_more", 0.4, 0.96),
            ("class_more", 0.13, 0.88),
            ("class_fewer", 0.05, 0.75),
            ("class_fewer", 0.0, 0.3),
            ("class_like", 0.121, 0.04),
        )
        for favours in ("H1", "H2", "neither")
    ),
    ("class_more", {**BROWN, "favours": "H2"}),
    *(
        ("attribute_favours", {"attribute": "size", "log10_lr_share": 0.31, "favours": favours})
        for favours in ("H1", "H2", "neither")
    ),
    ("look_first", {"attribute": "colour", "class": "brown"}),
    ("look_first", {"attribute": "size", "class": "+11"}),
    ("within_ranges", {"n_classes": 25}),
    ("within_ranges", {"n_classes": 25, "n_all": 31}),
    ("mean_stone_unusual", {"mean_ct": 0.25, "lowest_ct": 0.27, "highest_ct": 0.36, "zones": ("berberati",)}),
    ("carats_above_reference", {"zone": "berberati", "carats": 812.8, "highest_ct": 410.2, "n_parcels": 26}),
    ("headline_like", {"zones": ("berberati",)}),
    ("headline_like", {"zones": ("berberati",), "other_zones": ("bria", "unlisted")}),
    ("headline_unsettled", {"zones": ("berberati",)}),
    ("headline_short", {"zones": ("berberati",)}),
    ("headline_signs", {"zones": ("berberati", "carnot"), "share": 0.24}),
    *(
        (code, {"zones": ("berberati",), "share": 0.24, "low": 0.12, "high": 0.46, **readings})
        for code in ("headline_mixed", "headline_partly", "headline_signs")
        for readings in ({}, {"n_readings": 2})
    ),
    ("headline_weights", {}),
    ("headline_partly", {"zones": ("berberati",), "share": 0.64, "low": 0.52, "high": 0.86}),
    ("headline_partly", {"zones": ("berberati",), "share": 0.97, "low": 0.6, "high": 1.0}),
    ("headline_unlike", {"zones": ("berberati",)}),
    ("headline_less", {"zones": ("berberati",)}),
    ("headline_novel", {"zones": ("berberati",)}),
    *((f"lr_of_{kind}", {"log10_lr": 1.44, "zones": ("berberati",)}) for kind in ("mixed", "novel", "blend")),
    ("grade_again", {"attribute": "colour", "evidence_share": 0.52, "favours": "H1"}),
    ("grade_again", {"attribute": "colour", "evidence_share": 0.52, "favours": "H2"}),
    ("more_stones", {"n_stones": 48, "needed": 300}),
    ("declare_screen", {}),
    ("more_references", {"zone": "gadzi", "n_parcels": 12}),
    ("parcel_unnamed", {"parcel_id": "upload"}),
    ("export_date_in_future", {"day": "2027-01-02", "compared_on": "2026-11-26"}),
    ("weights_too_large", {"mean_ct": 27.94, "known_ct": 0.61}),
    ("weights_too_small", {"mean_ct": 0.0028, "known_ct": 0.09}),
    ("alternatives_abroad_only", {"day": "2025-06-01", "zones": ("kasai", "cuango")}),
    ("varies_more", {"p_value": 0.004}),
    ("resembles_small", {"level": 0.9, "usual_stones": 450}),
    ("rests_on_variance", {"factor": 3.0, "log10_lr": 0.41}),
    ("country_not_counted", {"country": "CD", "day": "2026-05-03"}),
    ("conditions_matter", {"fields": ("cleaning_state", "sorter")}),
    ("next_declaration", {}),
    ("next_status", {"zones": ("bria",), "day": "2024-03-11"}),
    ("next_status_unknown", {"zones": ("bria",), "day": "2024-03-11"}),
    ("next_reference", {"zones": ("bakouma",)}),
    ("next_stones", {"n_stones": 1, "needed": 40}),
    ("next_stones", {"n_stones": 2, "needed": 40}),
    ("next_bought", {"attribute": "colour", "class": "brown"}),
    ("next_missing", {"attribute": "colour", "class": "brown"}),
    ("next_sources", {}),
    ("next_conditions", {"fields": ("sorter", "bottom_screen_mm")}),
    ("next_date", {}),
    ("next_weights", {"mean_ct": 24.681}),
    ("next_carats", {"declared": 10.0, "parcel": 148.1}),
    ("next_nothing", {}),
    ("mixture_found", {"share": 0.31, "low": 0.18, "high": 0.44, "p_value": 0.0041}),
    ("mixture_found", {"share": 0.31, "low": 0.18, "high": 0.44, "p_value": 0.0041, "n_readings": 2}),
    ("mixture_found", {"share": 0.11, "low": 0.0, "high": 0.44, "p_value": 0.041}),
    ("mixture_not_found", {"detection_limit": 0.22, "p_value": 0.46}),
    ("mixture_not_found", {"detection_limit": 1.0, "p_value": 0.46}),
    ("asks_lr", {"log10_lr": -1.4321, "log10_limit": -1.0}),
    ("asks_share", {"low": 0.1432, "p_value": 0.0012, "low_limit": 0.1, "p_limit": 0.005}),
    ("asks_novelty", {"p_value": 0.0012, "p_limit": 0.005}),
    ("short_lr", {"log10_lr": 0.1321, "log10_limit": 0.65, "favours": "H1"}),
    ("short_lr", {"log10_lr": -0.1321, "log10_limit": 0.65}),
    ("short_share", {"p_value": 0.0312, "p_limit": 0.05}),
    ("short_goods", {"p_value": 0.0212, "p_limit": 0.05}),
    ("short_best", {"p_value": 0.1212, "p_limit": 0.2}),
    ("asks_alone", {}),
    ("short_alone", {}),
    ("short_record", {"attributes": ("colour", "morphology")}),
    ("short_sizes", {}),
    ("short_novelty", {"p_value": 0.0212, "p_limit": 0.03}),
    ("resembles", {"zone": "berberati", "posterior": 0.6128}),
    ("resembles_none", {}),
    ("sorter_matters", {"sorter": "S2", "log10_lr_without": -1.12}),
)


def said(code: str, values: dict[str, Any], lang: str) -> str:
    statement = {"code": code, "values": rounded(values), "text": "no words"}
    return say(statement, words(lang), names(canonical(make_model()["model"]), lang))


@every("code, values", EVERY)
def test_each_is_a_sentence_in_both_languages(code: str, values: dict[str, Any]) -> None:
    english, french = said(code, values, "en"), said(code, values, "fr")
    assert english != french
    for sentence in (english, french):
        assert "{" not in sentence
        assert sentence != "no words"
        assert "_" not in sentence
    if code[:3] not in ("h1_", "h2_") and not code.startswith("measured"):
        assert english.endswith((".", "?"))
        assert french.endswith((".", "?"))
    for zone in ("Berb\u00e9rati", "Bria", "Gadzi"):
        assert (zone in english) == (zone in french)
    assert re.findall(r"\d+", english.replace(",", "")) == re.findall(r"\d+", _as_english(french))


def _as_english(french: str) -> str:
    """Undo what French does to numbers, so that digits can be compared."""
    return re.sub(r"(?<=\d)\u00a0(?=\d)", "", french).replace(",", ".")


def test_every_code_that_a_comparison_uses_has_words_and_is_tried_here() -> None:
    folder = Path(kpfootprint.comparison.__file__).parent
    used = {
        code
        for path in folder.glob("*.py")
        for code in re.findall(r'(?:code=|\.add\(\s*)"([a-z0-9_]+)"', path.read_text(encoding="utf-8"))
    }
    assert used
    known = {name.split(".")[0] for name in (*TEMPLATES, *PLURALS)}
    assert used <= known
    assert known == {code for code, _ in EVERY}


def test_the_sentence_of_the_issue() -> None:
    values = {**BROWN, "zones": ("berberati",), "contribution": -1.68, "evidence_share": 0.49, "favours": "H2"}
    assert said("class_more", values, "en") == (
        "Twice as many stones classed as brown (colour) as expected (28%, where parcels of Berb\u00e9rati with as "
        "many stones show 9.0% to 18%): half of the evidence against the declaration."
    )
    assert said("class_more", values, "fr").replace("\u00a0", " ") == (
        "Deux fois plus de pierres classées « brun » (couleur) que prévu (28 %, alors que les lots de Berbérati de cet "
        "effectif en comptent de 9,0 % à 18 %) : la moitié de ce qui pèse contre la déclaration."
    )


@given(
    st.sampled_from((("short_share", 0.05), ("short_best", 0.2), ("short_novelty", 0.03))),
    st.floats(0.9, 1.0, exclude_max=True),
    st.sampled_from(("en", "fr")),
)
def test_what_misses_its_limit_is_never_shown_as_the_limit(kind: tuple[str, float], near: float, lang: str) -> None:
    code, limit = kind
    text = said(code, {"p_value": limit * near, "p_limit": limit}, lang)
    assert text.count(words(lang).chance(limit)) == 1 or "just under" in text or "un peu moins" in text
    odds = said("short_lr", {"log10_lr": 0.30103 * near, "log10_limit": 0.30103, "favours": "H1"}, lang)
    assert len(re.findall(r"\b2 (?:times|fois)", odds)) == 1 or "just under" in odds or "un peu moins" in odds


def test_french_elides_and_repeats_its_prepositions() -> None:
    content = make_model()["model"]
    content["zones"].append({**content["zones"][0], "zone_id": "amada-gaza", "name": "Amada-Gaza"})
    french = names(canonical(content), "fr")
    statement = {"code": "h2_elsewhere", "values": {"zones": ["amada-gaza", "nola", "bria"], "unlisted_weight": 0.2}}
    assert "d\u2019Amada-Gaza, de Nola et de Bria, ou" in say(statement, words("fr"), french)
    statement = {"code": "few_references", "values": {"zone": "amada-gaza", "n_parcels": 3}}
    assert "3 lots d\u2019Amada-Gaza" in say(statement, words("fr"), french)


def test_french_contracts_its_articles() -> None:
    known = {"zones": ("berberati", "nola"), "other_zones": ()}
    assert "ressemble au m\u00e9lange d\u00e9clar\u00e9 de Berb\u00e9rati et de Nola" in said(
        "headline_like", known, "fr"
    )
    assert "provient du m\u00e9lange" in said("headline_unsettled", known, "fr")
    country = said("headline_unsettled", {**known, "origins": ("CF",)}, "fr")
    assert "provient de l\u2019origine d\u00e9clar\u00e9e (R\u00e9publique centrafricaine)" in country


def test_what_speaks_for_a_declaration_is_said_to_lie_outside_its_range_where_it_does() -> None:
    values = {**BROWN, "zones": ("berberati",), "contribution": 0.2, "evidence_share": 0.49, "favours": "H1"}
    assert ", but goods from elsewhere would fit it less well still" in said("class_more", values, "en")
    assert "The share of" in said("class_more", {**values, "observed": values["high"]}, "en")


def test_a_p_value_too_small_to_be_told_is_too_small_a_share_to_be_told() -> None:
    values = {"low": 0.2, "p_value": 0.0007, "low_limit": 0.05, "p_limit": 0.005}
    assert "in fewer than 0.1% of true declarations" in said("asks_share", values, "en")


def test_one_stone_is_one_stone() -> None:
    assert said("small_parcel", {"n_stones": 1, "minimum": 50}, "en").startswith("Small parcel: 1 stone,")
    assert said("small_parcel", {"n_stones": 2, "minimum": 50}, "en").startswith("Small parcel: 2 stones,")
    assert "1 pierre," in said("small_parcel", {"n_stones": 1, "minimum": 50}, "fr")


def test_values_are_rounded_by_their_names() -> None:
    values = {"share": 0.123456, "p_value": 0.000123456, "log10_lr": 1.23456, "declared": 152.80049, "n_stones": 3}
    assert rounded(values) == {
        "share": 0.1235,
        "p_value": 0.0001235,
        "log10_lr": 1.235,
        "declared": 152.8,
        "n_stones": 3,
    }
    assert rounded({"zones": ("a", "b"), "stone_shares": (0.66666, 0.33333)}) == {
        "zones": ["a", "b"],
        "stone_shares": [0.6667, 0.3333],
    }


def test_braces_and_markup_in_values_are_only_text() -> None:
    assert "{zone} <b>" in said("sorter_unknown", {"sorter": "{zone} <b>"}, "en")


def test_a_parcel_of_which_half_is_unlike_is_not_called_mostly_like() -> None:
    half = next(limit for limit, word in PARTS if word == "half")
    assert half > ABOUT_HALF, "what is said to be mostly like its zone has a share below this"
    assert [code for code in TEMPLATES if "mostly like" in TEMPLATES[code]] == ["headline_mixed"]


def test_what_somebody_wrote_is_shown_as_it_was_written_though_it_be_a_word_of_ours() -> None:
    for name in ("none", "strong", "true", "selection"):
        cases: dict[str, dict[str, Any]] = {
            "sorter_unknown": {"sorter": name},
            "sorter_matters": {"sorter": name, "log10_lr_without": 0.4},
            "parcel_unnamed": {"parcel_id": name},
            "coarse_sieve_set": {"sieve_set": name, "n_classes": 3},
        }
        for code, values in cases.items():
            for lang in ("en", "fr"):
                assert name in said(code, values, lang), (code, lang)


def test_one_is_one() -> None:
    assert said("graded_in_part", {"n_graded": 1, "n_stones": 300}, "en").startswith("Of 300 stones 1 was graded")
    assert said("within_ranges", {"n_classes": 1, "n_all": 31}, "en") == "Within what is expected: 1 class of 31."
    assert said("within_ranges", {"n_classes": 1, "n_all": 31}, "fr").endswith("1 classe sur 31.")


def test_a_speck_is_no_zero_in_a_sentence_either() -> None:
    assert "<0.01 ct" in said("declared_carats_differ", {"declared": 0.004, "parcel": 5.0}, "en")
