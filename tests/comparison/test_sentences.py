"""What a reader is told first, held against the numbers it comes from."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kpfootprint.comparison.results import Examination, Statement
from kpfootprint.comparison.sentences import evidence_shares, headline_sentences
from kpfootprint.flow import examinations_of
from kpfootprint.ingest import ingest_submission
from kpfootprint.parcel import Batch, Conditions, Declaration, DeclaredCountry, Parcel, Stones
from kpfootprint.release import load_release, shipped_release
from tests.reference_world import examined, first_of, package, reference_parcel, with_stones
from tests.worlds import shipped

DAY = date(2024, 3, 11)
EVERY_ZONE_COMPLIANT = date(2025, 6, 1)
EXAMPLES = Path(__file__).parents[2] / "examples"


def by_code(statements: tuple[Statement, ...]) -> dict[str, dict[str, Any]]:
    return {item.code: dict(item.values) for item in statements}


def sentences(found: Examination) -> tuple[Statement, ...]:
    assert found.explanation is not None
    return found.explanation.sentences


def simulated(n: int, seed: int) -> tuple[Parcel, ...]:
    """Draw parcels of any colours, shapes and sizes, under any one or two declarations."""
    rng = np.random.default_rng(seed)
    scheme = shipped().scheme
    out = []
    for k in range(n):
        n_stones = int(np.exp(rng.uniform(np.log(40), np.log(1500))))
        codes = {
            attribute.name: rng.choice(
                len(attribute.class_names), n_stones, p=rng.dirichlet(np.full(len(attribute.class_names), 1.5))
            ).astype(np.int16)
            for attribute in scheme.categorical
        }
        weights = np.exp(rng.normal(-1.5 + rng.normal(0, 0.2), rng.uniform(0.6, 1.0), n_stones)) + 0.03
        zones = rng.choice(shipped().zone_ids, int(rng.integers(1, 3)), replace=False)
        out.append(
            Parcel(
                parcel_id=f"P{k}",
                n_stones=n_stones,
                carats=float(weights.sum()),
                conditions=Conditions(cleaning_state="acid_rinsed"),
                declarations=tuple(Declaration(zone_id=str(z), carats=float(rng.uniform(1, 50))) for z in zones),
                exported_on=DAY,
                stones=Stones(weight_ct=weights, codes=codes),
            )
        )
    return tuple(out)


def mixed(n: int, seed: int) -> tuple[Parcel, ...]:
    """Pour stones of a zone that was not compliant among those of a reference parcel, and declare its own zone."""
    rng = np.random.default_rng(seed)
    main = reference_parcel(first_of("berberati"), "berberati")
    assert main.stones is not None
    out = []
    for k in range(n):
        other = reference_parcel(first_of(("bria", "nzako")[k % 2])).stones
        assert other is not None
        n_other = int(rng.uniform(0.2, 0.4) * len(main.stones.weight_ct))
        rows = rng.choice(len(other.weight_ct), n_other)
        weights = np.concatenate([main.stones.weight_ct, other.weight_ct[rows]])
        codes = {name: np.concatenate([own, other.codes[name][rows]]) for name, own in main.stones.codes.items()}
        stones = Stones(weight_ct=weights, codes=codes)
        carats = float(weights.sum())
        declared = (Declaration(zone_id="berberati", carats=carats),)
        out.append(
            replace(
                main,
                parcel_id=f"M{k}",
                stones=stones,
                n_stones=len(weights),
                carats=carats,
                declarations=declared,
                exported_on=DAY,
            )
        )
    return tuple(out)


def first_names_the_weightiest(found: Examination) -> bool:
    assert found.explanation is not None
    first = found.explanation.sentences[0]
    weights = {(c.attribute, c.class_name): abs(c.contribution or 0.0) for c in found.explanation.classes}
    named = (str(first.values["attribute"]), str(first.values["class"]))
    return first.code.startswith("class_") and weights[named] == max(weights.values())


@pytest.mark.slow
def test_the_first_sentence_names_the_class_with_the_largest_contribution() -> None:
    assert all(first_names_the_weightiest(found) for found in examined(*simulated(40, 1)))


@pytest.mark.slow
def test_the_first_sentence_names_the_class_with_the_largest_contribution_in_a_thousand_parcels() -> None:
    assert all(first_names_the_weightiest(found) for found in examined(*simulated(1000, 2)))


def test_shares_of_the_evidence_add_up_on_either_side() -> None:
    for found in examined(*simulated(10, 3)):
        assert found.explanation is not None
        contributions = [c.contribution or 0.0 for c in found.explanation.classes]
        parts = evidence_shares(contributions)
        for side in (1, -1):
            total = sum(part for part, value in zip(parts, contributions, strict=True) if side * value > 0)
            assert total == pytest.approx(1.0) or total == 0.0


@pytest.mark.slow
def test_where_to_look_first_speaks_against_the_declaration_and_is_there_to_be_looked_at() -> None:
    for found in examined(*simulated(30, 4)):
        assert found.explanation is not None
        classes = {(c.attribute, c.class_name): c for c in found.explanation.classes}
        for item in found.explanation.sentences:
            if item.code in ("look_first", "next_bought"):
                named = classes[str(item.values["attribute"]), str(item.values["class"])]
                assert (named.contribution or 0.0) < 0
                assert named.observed > (named.expected or 0.0)


def test_a_zone_without_reference_is_declared_and_not_comparable() -> None:
    parcel = replace(reference_parcel(first_of("berberati")), exported_on=DAY)
    blend = (Declaration(zone_id="berberati", carats=90.0), Declaration(zone_id="boganda", carats=30.0))
    for declarations in ((Declaration(zone_id="boganda"),), blend):
        (found,) = examined(replace(parcel, declarations=declarations))
        assert found.conclusion == "not_comparable"
        assert found.verification is None
        assert by_code(found.cautions)["zone_without_reference"] == {"zone": "boganda"}


def test_two_stones_carry_no_ratio_and_no_error_rates() -> None:
    (found,) = examined(with_stones(reference_parcel(first_of("berberati"), "berberati"), slice(0, 2)))
    assert found.conclusion == "not_comparable"
    assert (found.verification, found.mixture, found.error_rates) == (None, None, None)
    assert (found.attribution, found.novelty) == (None, None)
    assert found.explanation is not None
    assert found.explanation.attributes == ()
    assert all(c.expected is None and c.contribution is None for c in found.explanation.classes)
    assert by_code(sentences(found))["next_stones"]["needed"] == shipped().rules.minimum_stones
    assert "small_parcel" in by_code(found.cautions)


def test_where_every_zone_of_the_country_was_compliant_h2_is_abroad_and_that_is_said() -> None:
    parcel = reference_parcel(first_of("berberati"), "berberati")
    late, early = examined(*(replace(parcel, exported_on=day) for day in (EVERY_ZONE_COMPLIANT, DAY)))
    said = by_code(late.cautions)["alternatives_abroad_only"]
    country = {zone.zone_id: zone.country for zone in shipped().zone_table.zones}
    assert {country[zone] for zone in said["zones"]} == {"CD", "AO", "CM"}
    assert "alternatives_abroad_only" not in by_code(early.cautions)


def test_a_zone_that_the_table_does_not_know_is_asked_about_and_no_country_is_said_to_be_compliant() -> None:
    parcel = replace(reference_parcel(first_of("kadey"), "kadey"), exported_on=DAY)
    before_any = replace(reference_parcel(first_of("berberati"), "berberati"), exported_on=date(2010, 5, 5))
    for found in examined(parcel, before_any):
        assert "zone_not_covered" in by_code(found.cautions)
        assert "alternatives_abroad_only" not in by_code(found.cautions)
        if found.conclusion == "consistent":
            assert "next_status_unknown" in by_code(sentences(found))


def test_an_export_date_beyond_the_day_of_comparison_is_said() -> None:
    parcel = replace(reference_parcel(first_of("berberati"), "berberati"), exported_on=DAY)
    (before,) = examinations_of(Batch((parcel,)), shipped(), status_on=date(2024, 3, 10))
    (after,) = examinations_of(Batch((parcel,)), shipped(), status_on=DAY)
    assert by_code(before.cautions)["export_date_in_future"] == {"day": "2024-03-11", "compared_on": "2024-03-10"}
    assert "export_date_in_future" not in by_code(after.cautions)


def in_another_unit(parcel: Parcel, times: float) -> Parcel:
    """Return a parcel whose weights are `times` what they are, without a screen."""
    assert parcel.stones is not None
    return replace(
        parcel,
        stones=replace(parcel.stones, weight_ct=parcel.stones.weight_ct * times),
        carats=(parcel.carats or 0.0) * times,
        conditions=replace(parcel.conditions, bottom_screen_mm=None),
    )


@pytest.mark.parametrize(("times", "code"), [(100.0, "weights_too_large"), (0.01, "weights_too_small")])
def test_sizes_of_another_unit_are_not_compared(times: float, code: str) -> None:
    parcel = reference_parcel(first_of("berberati"), "berberati")
    right, wrong = examined(parcel, in_another_unit(parcel, times))
    assert code in by_code(wrong.cautions)
    assert wrong.conclusion == "not_comparable"
    assert (wrong.verification, wrong.mixture, wrong.error_rates) == (None, None, None)
    assert (wrong.attribution, wrong.novelty) == (None, None)
    assert [item.code for item in sentences(wrong)] == ["next_weights"]
    assert "conditions_blank" not in by_code(wrong.cautions), "nothing was compared that they could weaken"
    assert not {"weights_too_large", "weights_too_small", "size_range_missing"} & set(by_code(right.cautions))


def test_a_doubtful_unit_leads() -> None:
    """Grams taken for carats: stones smaller than any zone's, but not beyond what another source could have."""
    parcel = in_another_unit(reference_parcel(first_of("berberati"), "berberati"), 0.2)
    sorted_out = replace(parcel, conditions=replace(parcel.conditions, selection="buyer_sorted"))
    doubted, plain = examined(parcel, sorted_out)
    assert {"headline_weights", "next_weights"} <= set(by_code(sentences(doubted)))
    assert doubted.verification is not None
    assert "headline_weights" not in by_code(sentences(plain))


@pytest.mark.slow
@pytest.mark.parametrize("times", [0.2, 0.25, 4.0, 5.0])
def test_grams_and_grains_are_doubted_although_other_zones_have_such_stones(times: float) -> None:
    parcels = [in_another_unit(reference_parcel(first_of(zone), zone), times) for zone in shipped().zone_ids]
    found = examined(*(replace(item, conditions=replace(item.conditions, selection=None)) for item in parcels))
    doubted = ["headline_weights" in by_code(sentences(item)) for item in found]
    assert sum(doubted) >= 0.7 * len(doubted)


@pytest.mark.parametrize("times", [0.2, 0.25, 4.0, 5.0])
def test_grams_and_grains_are_doubted_where_nothing_was_declared(times: float) -> None:
    parcels = [in_another_unit(reference_parcel(first_of(zone)), times) for zone in shipped().zone_ids]
    found = examined(*(replace(item, conditions=replace(item.conditions, selection=None)) for item in parcels))
    doubted = [bool({"weights_too_large", "weights_too_small"} & set(by_code(item.cautions))) for item in found]
    assert sum(doubted) >= 0.5 * len(doubted)
    asked = ["next_weights" if doubt else "next_declaration" for doubt in doubted]
    assert [next(name for name in by_code(sentences(item)) if name.startswith("next_")) for item in found] == asked


def test_carats_of_another_unit_leave_sieved_sizes_as_they_are() -> None:
    (parcel,) = ingest_submission(EXAMPLES / "counts", shipped().scheme, shipped().zone_table).batch.parcels
    assert parcel.stones is None
    (right, wrong) = examined(parcel, replace(parcel, carats=(parcel.carats or 0.0) * 100))
    assert right.verification == wrong.verification
    assert {"headline_weights", "next_weights"} <= set(by_code(sentences(wrong)))


@pytest.mark.slow
def test_no_reference_parcel_is_said_to_be_in_another_unit() -> None:
    zones = package().zone_of
    declared = [reference_parcel(row, zone) for row, zone in enumerate(zones) if row % 3 == 0]
    for found in examined(*declared, *(reference_parcel(row) for row in range(len(zones)))):
        assert not {"weights_too_large", "weights_too_small"} & set(by_code(found.cautions))


def test_a_parcel_named_as_files_are_is_said() -> None:
    parcel = reference_parcel(first_of("berberati"), "berberati")
    upload, named = examined(replace(parcel, parcel_id="upload"), replace(parcel, parcel_id="CF-2024-017"))
    assert by_code(upload.cautions)["parcel_unnamed"] == {"parcel_id": "upload"}
    assert "parcel_unnamed" not in by_code(named.cautions)


def test_the_status_comes_first_among_the_questions() -> None:
    parcel = reference_parcel(first_of("bria"), "bria")
    barred, allowed = examined(*(replace(parcel, exported_on=day) for day in (DAY, EVERY_ZONE_COMPLIANT)))
    assert by_code(sentences(barred))["next_status"] == {"zones": ("bria",), "day": "2024-03-11"}
    assert "next_status" not in by_code(sentences(allowed))


def test_without_an_export_date_the_question_is_the_day() -> None:
    parcel = reference_parcel(first_of("berberati"), "berberati")
    days = (EVERY_ZONE_COMPLIANT, None, date(2999, 1, 1))
    dated, *undated = examined(*(replace(parcel, exported_on=day) for day in days))
    assert {item.conclusion for item in (dated, *undated)} == {"consistent"}
    assert "next_nothing" in by_code(sentences(dated))
    assert all("next_date" in by_code(sentences(item)) for item in undated)


def test_a_mostly_true_parcel_with_signs_of_others_is_not_said_to_be_of_unknown_origin() -> None:
    """Twenty blends with Bria and with Nzako at a fifth to two fifths, declared as their main zone alone."""
    found = examined(*mixed(20, 7))
    said = [(item, by_code(sentences(item))) for item in found]
    signs = [(item, codes["headline_signs"]) for item, codes in said if "headline_signs" in codes]
    assert signs
    for item, values in signs:
        assert item.mixture is not None
        assert item.conclusion == "inconclusive"
        assert item.mixture.p_value <= 0.05
        assert values["share"] == item.mixture.undeclared_stone_fraction.estimate > 0
        assert {"next_bought", "next_missing", "next_sources"} & {c.code for c in sentences(item)}


def test_every_report_has_one_question_and_one_headline_where_something_was_compared() -> None:
    parcel = reference_parcel(first_of("bria"))
    for found in examined(parcel, *simulated(30, 5)):
        codes = [item.code for item in sentences(found)]
        assert len([code for code in codes if code.startswith("next_")]) == 1
        compared = found.verification is not None
        assert len([code for code in codes if code.startswith("headline_")]) == int(compared)


def of_all_kinds(n: int, seed: int) -> list[Parcel]:
    """Draw parcels like nothing, mixed ones, sizes of other sources, and reference parcels under blends of zones."""
    rng = np.random.default_rng(seed)
    out = [*simulated(n, seed), *mixed(n, seed)]
    for k in range(n):
        zones = [str(zone) for zone in rng.choice(shipped().zone_ids, int(rng.integers(2, 8)), replace=False)]
        parcel = reference_parcel(int(rng.integers(len(package().batch.parcels))), *zones)
        parcel = replace(parcel, parcel_id=f"K{k}", exported_on=DAY)
        out += [parcel, in_another_unit(replace(parcel, parcel_id=f"L{k}"), float(rng.uniform(0.2, 4.0)))]
    return out


@cache
def many() -> tuple[Examination, ...]:
    """Examine sixty of each kind."""
    return examined(*of_all_kinds(60, 17))


def speaks_with_one_voice(found: Examination) -> bool:
    """Say whether the words of the LR are those of the conclusion, or explained where they are not."""
    if found.verification is None or found.verification.verbal is None:
        return True
    favours = found.verification.verbal.values["favours"]
    explained = [code for code in by_code(sentences(found)) if code.startswith("lr_of_")]
    mixed = {"headline_mixed", "headline_partly"} & by_code(sentences(found)).keys()
    opposed = found.conclusion == "query" and (favours == "H1" or bool(mixed))
    return len(explained) == int(opposed) and not (found.conclusion == "consistent" and favours != "H1")


@pytest.mark.slow
def test_a_query_beside_an_lr_that_speaks_for_the_declaration_is_explained() -> None:
    assert all(speaks_with_one_voice(item) for item in many())


@pytest.mark.slow
def test_a_query_beside_an_lr_that_speaks_for_the_declaration_is_explained_in_a_thousand_parcels() -> None:
    found = examined(*of_all_kinds(250, 12))
    assert all(speaks_with_one_voice(item) for item in found)
    said = {code for item in found for code in by_code(sentences(item)) if code.startswith("lr_of_")}
    assert said >= {"lr_of_mixed", "lr_of_novel"}


def test_a_blend_of_which_no_zone_fits_is_explained_where_it_speaks_for_the_declaration() -> None:
    """None of thousands of drawn parcels was one: the words are held to what the rules allow."""
    (found,) = examined(replace(reference_parcel(first_of("berberati"), "berberati"), exported_on=DAY))
    said = headline_sentences((), replace(found, conclusion="query"), {"zones": ("berberati", "carnot")})
    assert [item.code for item in said] == ["headline_unsettled", "lr_of_blend"]


@pytest.mark.slow
def test_a_parcel_is_called_unlike_its_declaration_only_where_its_lr_asks_and_all_stones_may_be_others() -> None:
    """Half of the stones of somewhere else make a parcel partly like its declaration."""
    for item in many():
        named = {"headline_unlike", "headline_less"} & by_code(sentences(item)).keys()
        far = item.verification is not None and item.verification.typicality_p < 0.05
        assert named <= {"headline_unlike" if far else "headline_less"}
    said = [(item.mixture, by_code(sentences(item))) for item in many()]
    unlike = [(mixture, codes) for mixture, codes in said if "headline_unlike" in codes]
    assert unlike
    for mixture, codes in unlike:
        assert mixture is not None
        assert "asks_lr" in codes
        assert "asks_share" not in codes or mixture.undeclared_stone_fraction.high >= 0.9
    assert [codes for _, codes in said if {"headline_mixed", "headline_partly"} & codes.keys() and "asks_lr" in codes]


def test_a_declared_country_is_what_a_headline_names() -> None:
    parcel = reference_parcel(first_of("berberati"))
    country = DeclaredCountry(country="CF", carats=None, percent=None)
    (found,) = examined(replace(parcel, countries=(country,), exported_on=DAY))
    said = [item for item in sentences(found) if "zones" in item.values]
    assert len(said) > 2
    assert all(item.values["origins"] == ("CF",) for item in said)


@pytest.mark.slow
def test_two_readings_of_a_share_begin_and_end_with_its_interval() -> None:
    read = 0
    for found in many():
        if found.mixture is not None and found.mixture.readings:
            first, second = found.mixture.readings
            both = found.mixture.undeclared_stone_fraction
            read += 1
            assert (first.low, second.high) == (both.low, both.high)
            assert first.low <= first.high <= second.low <= second.high
    assert read > 5


@pytest.mark.slow
def test_a_set_claims_its_level_for_parcels_of_the_references_sizes_alone() -> None:
    """Up to format 6 its threshold is learnt over parcels of all sizes, and holds the right zone of small ones less."""
    older = load_release(shipped_release().with_name("2026.7"))
    usual = np.exp(older.model.calibration.centre)
    parcels = [reference_parcel(row, package().zone_of[row]) for row in range(0, 60, 4)]
    said = ["resembles_small" in by_code(sentences(item)) for item in examined(*parcels, release=older)]
    sizes = [package().batch.parcels[row].n_stones for row in range(0, 60, 4)]
    assert said == [n < usual for n in sizes]
    assert {True, False} == set(said)
    assert not any("resembles_small" in by_code(sentences(item)) for item in examined(*parcels))
