from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

import kpfootprint
from kpfootprint.comparison.findings import error_rates_of, verbal_of
from kpfootprint.comparison.hypotheses import stone_shares
from kpfootprint.comparison.results import Examination, Verification
from kpfootprint.conclusions import CONCLUSIONS, Signs, conclude
from kpfootprint.parcel import Conditions, Declaration, Parcel
from tests.every import every
from tests.reference_world import examined, first_of, package, reference_parcel, with_stones
from tests.worlds import shipped


def verified(parcel: Parcel, status_on: date = date(2026, 6, 1)) -> Verification:
    """Return the verification of a parcel that has one."""
    (found,) = examined(parcel, status_on=status_on)
    assert found.verification is not None
    return found.verification


def cautions(parcel: Parcel, status_on: date = date(2026, 6, 1)) -> dict[str, object]:
    """Return the cautions by code (the last of each)."""
    (found,) = examined(parcel, status_on=status_on)
    return {item.code: item.values for item in found.cautions}


def changed(parcel: Parcel, **conditions: object) -> Parcel:
    """Return a parcel with other conditions."""
    return replace(parcel, conditions=replace(parcel.conditions, **conditions))  # type: ignore[arg-type]


TRUE = reference_parcel(first_of("berberati"), "berberati")


def everything() -> tuple[Examination, ...]:
    """Examine a reference parcel of every zone as Berbérati."""
    return examined(*(reference_parcel(first_of(zone), "berberati") for zone in shipped().zone_ids))


def test_what_is_declared_is_h1_and_what_was_not_compliant_is_h2() -> None:
    found = verified(TRUE, date(2017, 1, 1))
    assert (found.h1.code, dict(found.h1.values)) == ("h1_zone", {"zone": "berberati"})
    # on that day Berbérati, Boda, Carnot and Nola were compliant, and no other zone with references
    zones = found.h2.values["zones"]
    assert isinstance(zones, tuple)
    assert set(zones) == set(shipped().zone_ids) - {"berberati", "boda", "carnot", "nola"}
    assert found.h2.values["unlisted_weight"] == shipped().unlisted_weight


def test_carats_become_stones_by_the_mean_stone_of_each_zone() -> None:
    # 30 ct of half-carat stones are 60 stones; 10 ct of quarter-carat stones are 40
    np.testing.assert_allclose(stone_shares(np.array([30.0, 10.0]), np.array([0.5, 0.25])), [0.6, 0.4])


def test_a_blend_states_its_zones_and_shares() -> None:
    found = verified(reference_parcel(0, "berberati", "carnot"))
    assert found.h1.code == "h1_blend"
    assert found.h1.values["zones"] == ("berberati", "carnot")
    shares = found.h1.values["stone_shares"]
    assert isinstance(shares, tuple)
    assert sum(float(share) for share in shares) == pytest.approx(1.0)


def test_order_and_unit_of_bordereaux_change_nothing() -> None:
    parcel = reference_parcel(0, "berberati", "carnot")
    back = replace(parcel, declarations=parcel.declarations[::-1])
    twice = replace(
        parcel,
        declarations=tuple(Declaration(zone_id=d.zone_id, carats=2 * (d.carats or 0)) for d in parcel.declarations),
    )
    for other in (back, twice):
        assert verified(other).log10_lr_unbounded == pytest.approx(verified(parcel).log10_lr_unbounded, abs=1e-9)


def test_without_declaration_nothing_is_tested() -> None:
    (found,) = examined(reference_parcel(0))
    assert (found.verification, found.mixture, found.conclusion, found.error_rates) == (None, None, None, None)
    assert found.attribution is not None
    assert found.novelty is not None
    assert found.explanation is not None
    assert found.explanation.attributes == ()
    assert {item.expected for item in found.explanation.classes} == {None}


def test_a_zone_without_reference_cannot_be_tested_alone_or_in_a_blend() -> None:
    for zones in (("mbaiki",), ("berberati", "mbaiki")):
        (found,) = examined(reference_parcel(0, *zones))
        assert found.verification is None
        assert "zone_without_reference" in {item.code for item in found.cautions}


def test_numbers_hang_together() -> None:
    for found in everything():
        v = found.verification
        assert v is not None
        low, high = v.bounds
        assert low <= v.low <= v.log10_lr <= v.high <= high
        assert v.log10_lr == pytest.approx(float(np.clip(v.log10_lr_unbounded, low, high)))
        assert (v.bound_hit == "upper") == (v.log10_lr_unbounded > high)
        assert (v.bound_hit == "lower") == (v.log10_lr_unbounded < low)
        assert 0 <= v.typicality_p <= 1
        assert v.by_selection.marginalised == pytest.approx(v.log10_lr_unbounded)
        assert found.attribution is not None
        posteriors = [p for _, p in found.attribution.zones]
        assert sum(posteriors) + found.attribution.unlisted_posterior == pytest.approx(1.0)
        assert posteriors == sorted(posteriors, reverse=True)
        assert found.mixture is not None
        carats = found.mixture.undeclared_carat_fraction
        assert carats is not None
        assert 0 <= carats.low <= carats.estimate <= carats.high <= 1
        shares, chances = zip(*found.mixture.profile, strict=True)
        assert (np.diff(shares) >= 0).all()
        assert (np.diff(chances) >= -1e-12).all()
        assert chances[-1] == pytest.approx(1.0)


def test_shares_of_attributes_add_up_and_so_do_those_of_classes() -> None:
    for found in everything():
        assert found.verification is not None
        assert found.explanation is not None
        shares = dict(found.explanation.attributes)
        assert sum(shares.values()) == pytest.approx(found.verification.log10_lr_unbounded, abs=1e-9)
        for name, share in shares.items():
            parts = [item.contribution or 0.0 for item in found.explanation.classes if item.attribute == name]
            assert sum(parts) == pytest.approx(share, abs=1e-9)
            observed = [item.observed for item in found.explanation.classes if item.attribute == name]
            assert sum(observed) == pytest.approx(1.0)


def test_an_attribute_that_is_left_out_has_no_share() -> None:
    assert TRUE.stones is not None
    stones = replace(TRUE.stones, codes={"colour": TRUE.stones.codes["colour"]})
    (found,) = examined(replace(TRUE, stones=stones))
    assert found.explanation is not None
    assert dict(found.explanation.attributes)["morphology"] == pytest.approx(0.0, abs=1e-9)
    assert found.explanation.footprint_map is None
    assert "morphology" not in {item.attribute for item in found.explanation.classes}


def test_conclusions_follow_from_the_rules() -> None:
    for found in everything():
        v, m, novelty = found.verification, found.mixture, found.novelty
        assert v is not None
        assert m is not None
        assert novelty is not None
        signs = Signs(
            log10_lr=np.array([v.log10_lr]),
            share_p=np.array([m.p_value]),
            share_low=np.array([m.undeclared_stone_fraction.low]),
            as_declared_p=np.ones(1),
            best_p=np.ones(1),
            novelty_p=np.array([novelty.p_value]),
        )
        by_these = int(conclude(shipped().rules, signs, np.array([500.0]))[0])
        assert found.conclusion in CONCLUSIONS[by_these:3]  # other goods and a blend's main zones may take it down


@every("log10_lr", [0.0, 0.29, 0.31, 0.99, 1.01, 1.99, 2.01, 3.5, 4.5, 9.0])
def test_words_are_symmetric_in_the_hypotheses(log10_lr: float) -> None:
    scale = shipped().manifest["verbal_scale"]
    up, down = verbal_of(log10_lr, scale), verbal_of(-log10_lr, scale)
    assert up.values["band"] == down.values["band"]
    sides = (up.values["favours"], down.values["favours"])
    assert sides == (("neither", "neither") if log10_lr < np.log10(2) else ("H1", "H2"))


def test_more_weight_on_what_is_less_likely_raises_the_lr_and_never_otherwise() -> None:
    # H2 is a weighted mean of listed and unlisted sources: the LR moves one way in the weight
    for found in everything():
        assert found.verification is not None
        values = [a.log10_lr for a in found.verification.by_alternative if a.kind == "unlisted_weight"]
        steps = np.diff(values)
        assert (steps >= -1e-12).all() or (steps <= 1e-12).all()


@pytest.mark.slow
def test_a_few_stones_say_little() -> None:
    rng = np.random.default_rng(1)
    values = []
    for zone in shipped().zone_ids:
        parcel = reference_parcel(first_of(zone), "berberati")
        values.append(verified(with_stones(parcel, rng.permutation(parcel.n_stones)[:40])).log10_lr)
    assert np.median(np.abs(values)) < 1.6
    (tiny,) = examined(with_stones(TRUE, slice(0, 5)))
    assert tiny.conclusion == "not_comparable"


SUSPENDED = reference_parcel(first_of("bria"), "bria")


@pytest.mark.slow
@every(
    "code, parcel, day",
    [
        ("no_declaration", reference_parcel(0), date(2026, 1, 1)),
        ("no_export_date", TRUE, date(2026, 1, 1)),
        ("zone_not_compliant", SUSPENDED, date(2020, 1, 1)),
        ("zone_not_covered", SUSPENDED, date(2001, 1, 1)),
        ("zone_without_reference", reference_parcel(0, "mbaiki"), date(2026, 1, 1)),
        ("few_references", reference_parcel(first_of("kadey"), "kadey"), date(2026, 1, 1)),
        ("declared_carats_differ", replace(TRUE, declarations=(Declaration(zone_id="berberati", carats=1.0),)), None),
        ("small_parcel", with_stones(TRUE, slice(0, 20)), None),
        ("sorter_unknown", changed(TRUE, sorter="nobody"), None),
        ("condition_unknown", changed(TRUE, cleaning_state="steamed"), None),
        ("conditions_blank", replace(TRUE, conditions=Conditions()), None),
        ("below_screen", changed(TRUE, bottom_screen_mm=4.0), None),
        ("carats_not_recorded", replace(TRUE, carats=None), None),
        ("synthetic_reference", TRUE, None),
    ],
)
def test_cautions_are_given_where_they_are_due(code: str, parcel: Parcel, day: date | None) -> None:
    assert code in cautions(parcel, day or date(2026, 1, 1))


def test_cautions_are_not_given_where_they_are_not_due() -> None:
    found = cautions(replace(TRUE, exported_on=date(2024, 3, 11), declarations=(Declaration(zone_id="berberati"),)))
    conditions = TRUE.conditions
    assert all([conditions.cleaning_state, conditions.selection, conditions.sorter, conditions.bottom_screen_mm])
    assert set(found) <= {"synthetic_reference", "below_screen", "bound_hit", "unreleased", "novel_parcel"}


def test_what_lies_below_the_screen_is_counted() -> None:
    assert TRUE.stones is not None
    values = cautions(changed(TRUE, bottom_screen_mm=4.0))["below_screen"]
    assert isinstance(values, dict)
    below = int((TRUE.stones.weight_ct < 0.0078 * 64.0).sum())
    assert values["n_stones"] == below
    assert values["share"] == pytest.approx(below / TRUE.n_stones)


def test_parts_of_an_attribute_that_are_blank_are_told() -> None:
    assert TRUE.stones is not None
    colour = TRUE.stones.codes["colour"].copy()
    colour[: TRUE.n_stones // 2] = -1
    codes = {**TRUE.stones.codes, "colour": colour}
    values = cautions(replace(TRUE, stones=replace(TRUE.stones, codes=codes)))["partly_recorded"]
    assert isinstance(values, dict)
    assert values["share"] == pytest.approx(1 - (TRUE.n_stones // 2) / TRUE.n_stones)


def test_a_parcel_larger_than_any_reference_is_told() -> None:
    largest = int(shipped().model.largest)
    rng = np.random.default_rng(3)
    big = with_stones(TRUE, rng.integers(TRUE.n_stones, size=largest + 1))
    assert "beyond_calibrated_size" in cautions(big)
    assert "beyond_calibrated_size" not in cautions(with_stones(TRUE, rng.integers(TRUE.n_stones, size=largest)))


@pytest.mark.slow
def test_true_declarations_are_told_from_false_ones() -> None:
    # on that day Berbérati alone was compliant
    rows = range(0, len(package().zone_of), 5)
    zones = [package().zone_of[row] for row in rows]
    found = examined(*(reference_parcel(row, "berberati") for row in rows), status_on=date(2016, 6, 1))
    values = np.array([item.verification.log10_lr if item.verification else np.nan for item in found])
    true = np.array([zone == "berberati" for zone in zones])
    assert np.median(values[true]) > 0.5
    assert np.median(values[~true]) < -0.5


def test_more_variance_between_parcels_draws_the_lr_towards_one() -> None:
    """The first is the LR itself; under ten times the variance no LR is farther from 1 by more than a rounding."""
    parcels = [
        reference_parcel(first_of(zone), declared) for zone, declared in (("carnot", "carnot"), ("bria", "carnot"))
    ]
    for found in examined(*parcels):
        assert found.verification is not None
        assert found.verification.by_variance is not None
        own, three, ten = found.verification.by_variance
        assert (own.factor, three.factor, ten.factor) == (1.0, 3.0, 10.0)
        assert own.log10_lr == found.verification.log10_lr
        assert abs(ten.log10_lr) <= abs(own.log10_lr) + 0.15


@pytest.mark.slow
def test_a_caution_says_where_the_conclusion_rests_on_the_variance_and_nowhere_else() -> None:
    """Undeclared goods, an odd parcel or a blend may keep the word whatever the LR; then nothing rests on it."""
    rules, zones = shipped().rules, package().zone_of
    parcels = [reference_parcel(row, declared) for row in range(0, 120, 6) for declared in {zones[row], "carnot"}]
    mixed = {"exported_on": "2024-03-11", "declarations": [{"zone_id": "berberati"}]}
    table = Path(__file__).parents[2] / "examples" / "mixed_berberati_bria.csv"
    parcels.append(kpfootprint.ingest_file(table, shipped().scheme, shipped().zone_table, parcel=mixed))
    kept_by_others = 0
    for found in examined(*parcels):
        if found.verification is None or found.verification.by_variance is None or found.explanation is None:
            continue
        others = [item.log10_lr for item in found.verification.by_variance[1:]]
        asks = {item.code for item in found.explanation.sentences if item.code.startswith("asks_")}
        log10_lr = found.verification.log10_lr
        falls = log10_lr >= rules.consistent_log10_lr and any(lr < rules.consistent_log10_lr for lr in others)
        rises = log10_lr <= rules.query_log10_lr and any(lr > rules.query_log10_lr for lr in others)
        said = [statement for statement in found.cautions if statement.code == "rests_on_variance"]
        assert bool(said) == ((falls and found.conclusion == "consistent") or (rises and asks == {"asks_lr"}))
        kept_by_others += (falls or rises) and not said
    assert kept_by_others


def test_a_size_at_which_one_of_the_errors_alone_was_counted_has_no_error_rates() -> None:
    rows = [dict(row) for row in shipped().manifest["error_rates"]]
    assert error_rates_of(500, shipped()) is not None
    for row in rows:
        row.pop("false_declarations_accepted", None)
    assert error_rates_of(500, replace(shipped(), manifest={**shipped().manifest, "error_rates": rows})) is None
