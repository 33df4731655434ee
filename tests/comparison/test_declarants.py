"""A declarant who plays: specks, split carats, many zones, zones that were not compliant. None of it buys anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpfootprint.comparison.results import Examination
from kpfootprint.comparison.weigh import judge
from kpfootprint.conclusions import CONCLUSIONS, Conclusion
from kpfootprint.flow import examine
from kpfootprint.footprint import footprints_of
from kpfootprint.parcel import MOST_BELOW_SCREEN, NOT_RECORDED, Batch, Declaration, DeclaredCountry, Parcel, Stones
from kpfootprint.report.text import render_text
from kpfootprint.stats.declarations import not_named
from kpfootprint.stats.model import Evidence, elsewhere, goods_p, log_alternative, look
from tests.every import every
from tests.laws import tried
from tests.reference_world import examined, package, reference_parcel, with_stones
from tests.test_footprint import sheet_of
from tests.worlds import shipped

ZONES = shipped().zone_ids
DAY = date(2024, 3, 11)
COMPLIANT = tuple(zone for zone in ZONES if shipped().zone_table.status_on(zone, DAY) == "compliant")
OTHERS = tuple(zone for zone in ZONES if zone not in COMPLIANT)
UNKNOWN = tuple(zone.zone_id for zone in shipped().zone_table.zones if zone.zone_id not in ZONES)
ROWS = tuple(range(0, len(package().zone_of), 23))


def declared(row: int, carats: Mapping[str, float] | list[tuple[str, float]]) -> Parcel:
    """Return a reference parcel, cut to 200 stones at most, under a declaration."""
    pairs = carats.items() if isinstance(carats, Mapping) else carats
    parcel = with_stones(package().batch.parcels[row], slice(0, 200))
    declarations = tuple(Declaration(zone_id=zone, carats=weight) for zone, weight in pairs)
    return replace(parcel, declarations=declarations, exported_on=DAY)


@cache
def found(row: int, *carats: tuple[str, float]) -> Examination:
    return examined(declared(row, list(carats)))[0]


def kindness(examination: Examination) -> int:
    assert examination.conclusion is not None
    return -CONCLUSIONS.index(examination.conclusion)


@tried(25)
@given(st.sampled_from(ROWS), st.sampled_from(COMPLIANT), st.sampled_from(ZONES), st.floats(1e-6, 1e-3))
def test_a_speck_changes_nothing(row: int, main: str, other: str, speck: float) -> None:
    if other == main:
        return
    alone, both = found(row, (main, 1.0)), found(row, (main, 1.0), (other, speck))
    assert kindness(both) <= kindness(alone)
    assert alone.verification is not None
    assert both.verification is not None
    assert both.verification.log10_lr == pytest.approx(alone.verification.log10_lr, abs=0.1)
    assert alone.mixture is not None
    assert both.mixture is not None
    assert both.mixture.undeclared_stone_fraction.estimate == pytest.approx(
        alone.mixture.undeclared_stone_fraction.estimate, abs=0.1
    )
    if other in OTHERS:
        assert other in both.verification.h2.values["zones"]  # type: ignore[operator]


@tried(20)
@given(st.sampled_from(ROWS), st.sampled_from(COMPLIANT), st.sampled_from(COMPLIANT))
def test_goods_that_were_not_compliant_are_as_sure_whichever_compliant_zone_is_declared(
    row: int, first: str, second: str
) -> None:
    release, codes = shipped(), [ZONES.index(first), ZONES.index(second)]
    (footprint,) = footprints_of(
        Batch((declared(row, {first: 1.0}),)), release.scheme, release.model.structure, release.level_names
    )
    seen = look(release.model, footprint.arrays.take(np.zeros(2, dtype=np.intp)), np.eye(len(ZONES))[codes])
    allowed = np.tile(np.isin(ZONES, COMPLIANT), (2, 1))
    p_values = goods_p(release.model, seen, np.arange(2), allowed)
    assert p_values[0] == pytest.approx(p_values[1], rel=1e-9)


@tried(20)
@given(st.sampled_from(ROWS), st.lists(st.sampled_from(ZONES), min_size=2, max_size=len(ZONES), unique=True))
def test_any_number_of_zones_gets_whole_statements(row: int, zones: list[str]) -> None:
    said = found(row, *((zone, 1.0) for zone in zones))
    assert said.mixture is not None
    share = said.mixture.undeclared_stone_fraction
    assert 0.0 <= share.low <= share.estimate <= share.high <= 1.0
    assert share.high - share.low > 0.01, "no parcel of 200 stones tells its share as well as that"
    assert 0.0 < said.mixture.p_value <= 1.0
    assert 0.0 < said.mixture.detection_limit <= 1.0
    assert said.verification is not None
    assert np.isfinite([said.verification.log10_lr, said.verification.low, said.verification.high]).all()
    named = said.verification.h2.values.get("zones", ())
    assert set(named) == set(OTHERS)  # type: ignore[arg-type]


@pytest.mark.slow
@tried(20)
@given(st.sampled_from(ROWS), st.lists(st.sampled_from(COMPLIANT), min_size=2, max_size=6, unique=True))
def test_a_blend_that_explains_no_more_than_a_zone_is_not_received_more_kindly(row: int, zones: list[str]) -> None:
    both = found(row, *((zone, 1.0) for zone in zones))
    alone = [found(row, (zone, 1.0)) for zone in zones]
    assert both.verification is not None
    against = {item.zone_id: item.log10_lr for item in both.verification.by_alternative if item.kind == "zone"}
    if min(against[zone] for zone in zones) < 0.0:  # one of them alone explains the parcel better
        assert kindness(both) <= max(kindness(one) for one in alone)


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.lists(st.booleans(), min_size=3, max_size=3))
def test_zones_that_were_not_compliant_stay_with_what_was_not_declared_of_them(
    raw: list[float], allowed: list[bool]
) -> None:
    shares = np.array([raw]) / max(sum(raw), 1e-9) if sum(raw) > 1e-3 else np.array([[1.0, 0.0, 0.0]])
    weight = elsewhere(shares, np.array([allowed]))[0]
    for z in range(3):
        assert weight[z] == pytest.approx(0.0 if allowed[z] else 1.0 - shares[0, z])
    assert np.all((not_named(shares) >= 0) & (not_named(shares) <= 1))


def test_h2_moves_smoothly_into_an_unlisted_source_alone() -> None:
    evidence = Evidence(listed=np.array([[3.0, -2.0]]), unlisted=np.array([1.0]), declared=np.array([0.0]))
    weight = np.array([0.2])
    none = log_alternative(evidence, np.array([[0.0, 0.0]]), weight)
    assert none[0] == pytest.approx(1.0)
    assert log_alternative(evidence, np.array([[1e-9, 0.0]]), weight)[0] == pytest.approx(1.0, abs=1e-6)
    whole = log_alternative(evidence, np.array([[1.0, 0.0]]), weight)
    assert whole[0] == pytest.approx(np.log(0.8 * np.exp(3.0) + 0.2 * np.exp(1.0)))


@pytest.mark.parametrize("zones", [("boganda",), ("berberati", "boganda")])
def test_a_zone_without_reference_is_not_comparable_and_named(zones: tuple[str, ...]) -> None:
    row = ROWS[0]
    (said,) = examined(reference_parcel(row, *zones))
    assert said.conclusion == "not_comparable"
    assert said.verification is None
    assert said.mixture is None
    assert said.error_rates is None
    assert said.attribution is not None
    assert "zone_without_reference" in {caution.code for caution in said.cautions}
    assert said.explanation is not None
    asked = {item.code: item.values for item in said.explanation.sentences}
    assert asked["next_reference"]["zones"] == ("boganda",)


@tried(10)
@given(st.sampled_from(ROWS), st.sampled_from(ZONES), st.sampled_from(UNKNOWN), st.floats(1e-6, 0.05))
def test_a_speck_of_a_zone_without_reference_takes_no_query_away(row: int, main: str, other: str, speck: float) -> None:
    alone, both = found(row, (main, 1.0)), found(row, (main, 1.0), (other, speck))
    assert both.conclusion == alone.conclusion
    assert both.verification == alone.verification
    assert both.mixture == alone.mixture
    assert {"zone": other} in [dict(item.values) for item in both.cautions if item.code == "zone_left_out"]
    assert other in {item.zone_id for item in both.declared}


@every(
    "carats, compared",
    [
        ({"nola": 96.0, "boganda": 2.0, "mbaiki": 2.0}, True),
        ({"nola": 94.0, "boganda": 3.0, "mbaiki": 3.0}, False),
        ({"nola": 60.0, "boda": 39.0, "mbaiki": 1.0}, True),
        ({"boganda": 99.0, "nola": 1.0}, False),
    ],
)
@every("by_percent", [False, True])
def test_what_is_left_out_is_little_of_the_whole(carats: dict[str, float], compared: bool, by_percent: bool) -> None:
    parcel = declared(ROWS[1], carats)
    if by_percent:
        parts = tuple(Declaration(zone_id=zone, percent=amount) for zone, amount in carats.items())
        parcel = replace(parcel, declarations=parts)
    (said,) = examined(parcel)
    codes = {item.code for item in said.cautions}
    assert (said.verification is not None) == compared == (said.conclusion != "not_comparable")
    assert ("zone_left_out" in codes, "zone_without_reference" in codes) == (compared, not compared)


@pytest.mark.slow
@tried(10)
@given(st.sampled_from(ROWS), st.sampled_from(COMPLIANT), st.floats(2.9, 6.0), st.booleans())
def test_a_screen_that_the_stones_contradict_buys_nothing(row: int, main: str, screen: float, sieved: bool) -> None:
    parcel = declared(row, {main: 1.0})
    if sieved:
        parcel = sheet_of(parcel, shipped().scheme.sieve_sets[0], ("size", "colour"), ("morphology",))
    said = replace(parcel, conditions=replace(parcel.conditions, bottom_screen_mm=screen))
    blank = replace(parcel, conditions=replace(parcel.conditions, bottom_screen_mm=None))
    if said.below_screen(shipped().scheme.size.name)[1] <= MOST_BELOW_SCREEN:
        return
    (stated,), (silent,) = examined(said), examined(blank)
    assert stated.verification == silent.verification
    assert stated.conclusion == silent.conclusion
    assert {"screen_contradicted", "below_screen"} <= {item.code for item in stated.cautions}


@every("zones", [(), ("berberati",), ("berberati", "boganda"), ("carnot", "bria")])
@every("carats", [True, False])
@every("attribute", [None, "colour", "morphology"])
def test_a_caution_that_a_field_is_missing_agrees_with_the_field(
    zones: tuple[str, ...], carats: bool, attribute: str | None
) -> None:
    parcel = declared(ROWS[1], dict.fromkeys(zones, 1.0))
    assert parcel.stones is not None
    codes = {name: values for name, values in parcel.stones.codes.items() if name != attribute}
    parcel = replace(parcel, carats=parcel.carats if carats else None, stones=replace(parcel.stones, codes=codes))
    (said,) = examined(parcel)
    cautions = {caution.code: caution.values for caution in said.cautions}
    assert ("no_declaration" in cautions) == (said.conclusion is None) == (not zones)
    unknown = "zone_without_reference" in cautions
    assert ("no_declaration" in cautions or unknown) == (said.verification is None) == (said.mixture is None)
    assert unknown == (said.conclusion == "not_comparable")
    assert ("carats_not_recorded" in cautions) == (not carats)
    if said.mixture is not None:
        assert ("carats_not_recorded" in cautions) == (said.mixture.undeclared_carat_fraction is None)
    assert said.explanation is not None
    shown = {item.attribute for item in said.explanation.classes}
    missing = set(shipped().scheme.attribute_names) - shown
    assert missing == ({str(cautions["attribute_not_recorded"]["attribute"])} if attribute else set())


def test_a_speck_on_the_paper_is_told_as_one() -> None:
    (report,) = examine(
        Batch((declared(ROWS[1], {"nola": 27.0, "bria": 0.0001}),)),
        shipped(),
        status_on=DAY,
        created_at=datetime(2026, 1, 2, tzinfo=UTC),
    )
    assert [zone["carats"] for zone in report.content["parcel"]["declared"]] == [27.0, 0.0001]
    text = render_text(report).replace("\u00a0", " ")
    assert "Bria <0.01 ct" in text
    assert "Bria 0.00" not in text


TOGETHER = np.array([at for at, zone in enumerate(package().zone_of) if zone in COMPLIANT])


def mixed(seed: int, share: float = 0.3, n_stones: int = 250) -> tuple[Parcel, int]:
    """Return stones of a reference parcel of a compliant zone and of another's, and how many are the first's."""
    rng = np.random.default_rng(seed)
    home = int(rng.choice(TOGETHER))
    other = int(rng.choice(np.setdiff1d(np.arange(len(package().zone_of)), TOGETHER)))
    first, second = package().batch.parcels[home].stone_list, package().batch.parcels[other].stone_list
    n = min(n_stones, first.weight_ct.size)
    k = min(rng.binomial(n, share), second.weight_ct.size)
    own, foreign = rng.permutation(first.weight_ct.size)[: n - k], rng.permutation(second.weight_ct.size)[:k]
    stones = Stones(
        weight_ct=np.concatenate([first.weight_ct[own], second.weight_ct[foreign]]),
        codes={a: np.concatenate([first.codes[a][own], second.codes[a][foreign]]) for a in first.codes},
    )
    parcel = declared(home, {package().zone_of[home]: 1.0})
    return replace(parcel, stones=stones, n_stones=n, carats=float(stones.weight_ct.sum())), n - k


def word(parcel: Parcel, *parts: Declaration | DeclaredCountry) -> int:
    """Return how kindly a parcel is received, with these declared in place of what was."""
    if parts:
        zones = tuple(item for item in parts if isinstance(item, Declaration))
        countries = tuple(item for item in parts if isinstance(item, DeclaredCountry))
        parcel = replace(parcel, declarations=zones, countries=countries)
    return kindness(examined(parcel)[0])


@pytest.mark.slow
@tried(20)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.3, 0.5]))
def test_countries_are_received_no_more_kindly_than_the_kindest_of_their_zones_or_two_of_them(
    seed: int, share: float
) -> None:
    parcel, _ = mixed(seed, share)
    release, z = shipped(), np.eye(len(ZONES))
    zones = [ZONES.index(zone) for zone in COMPLIANT]
    plain = [z[k] for k in zones]
    plain += [(1.0 - x) * z[j] + x * z[k] for j, k in combinations(zones, 2) for x in (0.2, 0.4, 0.6, 0.8)]
    (footprint,) = footprints_of(Batch((parcel,)), release.scheme, release.model.structure, release.level_names)
    rows = np.zeros(len(plain), dtype=np.intp)
    seen = look(release.model, footprint.arrays.take(rows), np.array(plain))
    kindest = judge(release, seen, np.tile(np.isin(ZONES, COMPLIANT), (len(plain), 1))).conclusion.min()
    assert word(parcel, DeclaredCountry(country="CF")) <= -kindest


@pytest.mark.slow
@tried(15)
@given(
    st.integers(0, 10**6),
    st.sampled_from([0.0, 0.3, 0.5]),
    st.lists(st.sampled_from(["CD", "AO", "CM"]), min_size=1, unique=True),
)
def test_a_country_whose_goods_could_not_be_exported_covers_nothing_without_an_amount(
    seed: int, share: float, others: list[str]
) -> None:
    parcel, _ = mixed(seed, share)
    alone, beside = (
        examined(replace(parcel, declarations=(), countries=tuple(DeclaredCountry(country=code) for code in codes)))[0]
        for codes in (["CF"], ["CF", *others])
    )
    assert beside.conclusion == alone.conclusion
    assert beside.mixture == alone.mixture
    assert alone.verification is not None
    assert beside.verification is not None
    assert beside.verification.log10_lr_unbounded == alone.verification.log10_lr_unbounded
    told = [item.values["country"] for item in beside.cautions if item.code == "country_not_counted"]
    assert told == others
    assert {item.zone_id for item in alone.declared} < {item.zone_id for item in beside.declared}
    assert set(OTHERS) == set(beside.verification.h2.values["zones"])  # type: ignore[arg-type]


def left(parcel: Parcel, *attributes: str) -> Parcel:
    without = parcel.without(attributes)
    assert without is not None
    return without


def relabelled(parcel: Parcel, attribute: str, rows: slice, code: int) -> Parcel:
    stones = parcel.stone_list
    codes = stones.codes[attribute].copy()
    codes[rows] = code
    return replace(parcel, stones=replace(stones, codes={**stones.codes, attribute: codes}))


@pytest.mark.slow
@tried(20)
@given(st.integers(0, 10**6), st.sampled_from([0.3, 0.5]), st.sampled_from(["colour", "morphology"]), st.booleans())
def test_what_is_left_open_of_the_foreign_stones_buys_no_more_than_to_leave_it_out(
    seed: int, share: float, attribute: str, by_set: bool
) -> None:
    parcel, own = mixed(seed, share)
    (found,) = [item for item in shipped().scheme.categorical if item.name == attribute]
    code = len(found.classes) if by_set else NOT_RECORDED
    assert word(relabelled(parcel, attribute, slice(own, None), code)) <= word(left(parcel, attribute))


@tried(15)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.3]), st.booleans())
def test_sizes_alone_are_never_called_consistent(seed: int, share: float, sieved: bool) -> None:
    parcel, own = mixed(seed, share)
    attributes = [item.name for item in shipped().scheme.categorical]
    if sieved:
        sheet = sheet_of(parcel, shipped().scheme.sieve_sets[0], ("size", "colour"), ("size", "morphology"))
        alone = left(sheet, *attributes)
    else:
        alone = left(parcel, *attributes)
    assert word(alone) < kindness_of("consistent")
    for attribute in attributes:
        parcel = relabelled(parcel, attribute, slice(own, None), NOT_RECORDED)
    if own < 0.9 * parcel.n_stones:
        (said,) = examined(parcel)
        assert said.conclusion != "consistent"
        assert "partly_recorded" in {item.code for item in said.cautions}


@tried(15)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.3]), st.sampled_from(shipped().level_names[-1]))
def test_where_consistent_rests_on_conditions_that_were_stated_the_report_says_so(
    seed: int, share: float, sorter: str
) -> None:
    parcel, _ = mixed(seed, share)
    parcel = replace(parcel, conditions=replace(parcel.conditions, sorter=sorter))
    (said,), unknown = examined(parcel), replace(parcel, conditions=parcel.conditions.unstated)
    assert said.explanation is not None
    told = {item.code: item.values for item in said.explanation.sentences}
    kinder = said.conclusion == "consistent" and word(unknown) < kindness_of("consistent")
    assert ("conditions_matter" in told) == kinder
    if kinder:
        assert "sorter" in told["conditions_matter"]["fields"]  # type: ignore[operator]


@pytest.mark.parametrize("graded", ["sample", "whole"])
def test_a_sheet_of_which_nothing_whole_remains_is_inconclusive_at_best(graded: str) -> None:
    parcel, own = mixed(3, 0.3)
    sieves = shipped().scheme.sieve_sets[0]
    blank = sheet_of(relabelled(parcel, "colour", slice(own, None), NOT_RECORDED), sieves, ("colour",))
    shapes = sheet_of(with_stones(parcel, slice(0, 60)) if graded == "sample" else parcel, sieves, ("morphology",))
    sample = tuple(replace(item, sample=graded == "sample") for item in shapes.breakdowns)
    both = replace(blank, breakdowns=(*blank.breakdowns, *sample), sieve_set=None)
    assert (both.without(["colour"]) is None) == (graded == "sample")
    (said,) = examined(both)
    assert said.conclusion in ("inconclusive", "query", *(["consistent"] if graded == "whole" else []))


def kindness_of(conclusion: Conclusion) -> int:
    return -CONCLUSIONS.index(conclusion)


@pytest.mark.parametrize("n_stones", [20, 200])
def test_a_country_that_cannot_be_compared_is_not_comparable(n_stones: int) -> None:
    lacking = {zone.country for zone in shipped().zone_table.zones} - {
        zone.country for zone in shipped().zone_table.zones if zone.zone_id in ZONES
    }
    for code in {*lacking, *(["CF"] if n_stones < 40 else [])}:
        parcel = with_stones(package().batch.parcels[ROWS[0]], slice(0, n_stones))
        (said,) = examined(replace(parcel, declarations=(), countries=(DeclaredCountry(country=code),)))
        assert said.conclusion == "not_comparable"
