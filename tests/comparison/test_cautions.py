"""Cautions that a reader must not miss: each appears where it should, and not on a plain parcel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from kpfootprint.comparison.results import Examination
from kpfootprint.flow import examinations_of
from kpfootprint.parcel import Batch, Breakdown, Conditions, Declaration, Parcel
from kpfootprint.release import Release
from kpfootprint.scheme import SieveSet
from kpfootprint.stats.ranks import LOG10_SUPPORT_OF_UNUSUAL
from tests.reference_world import examined, first_of, package, reference_parcel, with_stones
from tests.worlds import shipped

DAY = date(2017, 1, 1)


def large(zone: str) -> Parcel:
    """Return the largest reference parcel of a zone, declared as that zone."""
    rows = [i for i, of in enumerate(package().zone_of) if of == zone]
    row = max(rows, key=lambda i: package().batch.parcels[i].n_stones)
    return replace(reference_parcel(row, zone), exported_on=DAY)


def cautions(found: Examination) -> dict[str, dict[str, object]]:
    return {item.code: dict(item.values) for item in found.cautions}


def with_model(**changes: object) -> Release:
    return replace(shipped(), model=replace(shipped().model, **changes))  # type: ignore[arg-type]


def with_strong_p(p_value: float) -> Release:
    release = shipped()
    return replace(
        release, manifest={**release.manifest, "rules": {**release.manifest["rules"], "strong_novelty_p": p_value}}
    )


def test_a_plain_parcel_has_none_of_these() -> None:
    (found,) = examined(large("carnot"))
    codes = set(cautions(found))
    assert not codes & {"no_alternative", "novel_parcel", "size_range_missing", "coarse_sieve_set", "unreleased"}


def all_compliant() -> Release:
    table = shipped().zone_table.to_json()
    table["zone_status"] = [
        {"zone_id": zone, "status": "compliant", "valid_from": "2000-01-01", "valid_to": None, "source": "a test"}
        for zone in shipped().zone_ids
    ]
    return replace(shipped(), manifest={**shipped().manifest, "zone_table": table})


def test_no_alternative_where_every_other_zone_was_compliant() -> None:
    (found,) = examinations_of(Batch((large("carnot"),)), all_compliant(), status_on=DAY)
    assert cautions(found)["no_alternative"] == {}
    assert found.verification is not None
    assert found.verification.h2.code == "h2_unlisted_only"
    assert np.isfinite(found.verification.log10_lr)


def untold() -> Release:
    """Return a release by which next to nobody finds any share of undeclared goods."""
    return with_model(detection=np.array([-3.0, 0.0, 0.0, 0.0, 0.0, 0.0]))


@pytest.mark.parametrize("release", [all_compliant, untold])
@pytest.mark.parametrize("zone", ["carnot", "berberati", "kadey"])
def test_a_share_that_nothing_tells_is_not_determined(release: Callable[[], Release], zone: str) -> None:
    parcel = replace(large(zone), declarations=(Declaration(zone_id="carnot"),))
    (found,) = examinations_of(Batch((parcel,)), release(), status_on=DAY)
    assert found.mixture is not None
    share = found.mixture.undeclared_stone_fraction
    if release is untold and share.low > 0:  # what is found is found
        assert "share_undetermined" not in cautions(found)
        return
    assert cautions(found)["share_undetermined"] == {}
    assert (share.estimate, share.low) == (0.0, 0.0)
    assert share.high == pytest.approx(0.9)
    assert found.mixture.detection_limit == 1.0
    assert found.mixture.sources == ()
    if release is all_compliant:
        assert found.mixture.p_value == 1.0


def test_missing_sizes_are_said() -> None:
    parcel = large("carnot")
    assert parcel.stones is not None
    weight = parcel.stones.weight_ct
    (found,) = examined(with_stones(parcel, np.flatnonzero(weight > np.quantile(weight, 0.45))))
    assert cautions(found)["size_range_missing"]["share"] > 0.7  # type: ignore[operator]


def test_a_coarse_sieve_set_is_said() -> None:
    parcel = large("carnot")
    few = SieveSet(name="house", classes=("s", "m", "l"), lower_ct=(0.0, 0.1, 0.5), upper_ct=(0.1, 0.5, np.inf))
    (found,) = examined(replace(parcel, sieve_set=few))
    assert cautions(found)["coarse_sieve_set"] == {"sieve_set": "house", "n_classes": 3}


def test_what_is_no_release_says_so() -> None:
    fitted = replace(shipped(), manifest={**shipped().manifest, "released": False})
    (found,) = examinations_of(Batch((large("carnot"),)), fitted, status_on=DAY)
    assert cautions(found)["unreleased"] == {"release": fitted.name}


@pytest.mark.parametrize(
    ("zone", "declared", "bound"), [("carnot", "carnot", "upper"), ("mbuji-mayi", "carnot", "lower")]
)
def test_a_bound_that_is_hit_is_said(zone: str, declared: str, bound: str) -> None:
    """With narrow bounds, a true declaration runs into the upper one and a plainly false one into the lower."""
    calibration = replace(shipped().model.calibration, bounds=np.array([-0.2, 0.1]))
    parcel = replace(reference_parcel(first_of(zone), declared), exported_on=DAY)
    (found,) = examinations_of(Batch((parcel,)), with_model(calibration=calibration), status_on=DAY)
    assert found.verification is not None
    assert found.verification.bound_hit == bound
    assert found.verification.log10_lr == pytest.approx({"upper": 0.1, "lower": -0.2}[bound])
    assert cautions(found)["bound_hit"]["bound"] == bound


def test_the_lower_bound_is_said_of_a_novel_parcel_too() -> None:
    model = shipped().model
    near = replace(model.novelty, quantiles=np.full_like(model.novelty.quantiles, -50.0))
    calibration = replace(model.calibration, bounds=np.array([-0.2, 0.1]))
    parcel = replace(reference_parcel(first_of("mbuji-mayi"), "carnot"), exported_on=DAY)
    (found,) = examinations_of(Batch((parcel,)), with_model(calibration=calibration, novelty=near), status_on=DAY)
    assert cautions(found)["bound_hit"]["bound"] == "lower"
    assert cautions(found)["novel_parcel"].keys() == {"p_value"}, "no support for the declaration is held"


def test_support_from_a_novel_parcel_is_held_and_said() -> None:
    """Ranked against parcels that are all nearer, any parcel is novel; what it says for H1 is then held."""
    novelty = shipped().model.novelty
    near = replace(novelty, quantiles=np.full_like(novelty.quantiles, -50.0))
    parcel = large("carnot")
    ((free,), (held,)) = (
        examinations_of(Batch((parcel,)), item, status_on=DAY) for item in (shipped(), with_model(novelty=near))
    )
    assert free.verification is not None
    assert held.verification is not None
    assert free.verification.log10_lr > LOG10_SUPPORT_OF_UNUSUAL
    assert held.verification.log10_lr == LOG10_SUPPORT_OF_UNUSUAL
    assert held.verification.bound_hit == "upper"
    assert held.verification.bounds[1] == LOG10_SUPPORT_OF_UNUSUAL
    assert held.verification.log10_lr_unbounded == free.verification.log10_lr_unbounded
    assert held.verification.high <= LOG10_SUPPORT_OF_UNUSUAL
    said = cautions(held)
    assert said["novel_parcel"]["log10_lr"] == LOG10_SUPPORT_OF_UNUSUAL
    assert "bound_hit" not in said
    assert held.conclusion != "consistent"


def test_strong_support_asks_for_a_parcel_that_is_not_far_from_every_source() -> None:
    parcel = large("carnot")
    ((free,), (held,)) = (
        examinations_of(Batch((parcel,)), with_strong_p(p_value), status_on=DAY) for p_value in (0.0, 1.0)
    )
    assert free.verification is not None
    assert held.verification is not None
    assert held.novelty is not None
    assert free.verification.log10_lr > LOG10_SUPPORT_OF_UNUSUAL
    assert held.verification.log10_lr == held.verification.bounds[1] == LOG10_SUPPORT_OF_UNUSUAL
    said = cautions(held)
    assert said["unusual_parcel"] == {"p_value": held.novelty.p_value, "log10_lr": LOG10_SUPPORT_OF_UNUSUAL}
    assert not {"unusual_parcel", "novel_parcel"} & set(cautions(free))
    assert held.conclusion == free.conclusion == "consistent"


def test_nothing_is_said_of_the_resemblance_of_few_stones_that_were_weighed_and_not_counted() -> None:
    weighed = Breakdown(
        attributes=("size",),
        codes=np.array([[2], [3]], dtype=np.int16),
        n_stones=np.array([-1, -1], dtype=np.int64),
        carats=np.array([0.18, 0.18]),
    )
    sieves = shipped().scheme.size.sieve_set
    parcel = Parcel(parcel_id="W-1", n_stones=0, carats=0.36, sieve_set=sieves, breakdowns=(weighed,))
    (found,) = examinations_of(Batch((parcel,)), shipped(), status_on=DAY)
    assert found.attribution is None
    assert found.explanation is not None
    assert not any(item.code.startswith("resembles") for item in found.explanation.sentences)


def test_conditions_that_the_reference_never_recorded_are_not_missed() -> None:
    parcel = replace(large("carnot"), conditions=Conditions())
    names = [[], [], [*shipped().level_names[-1]]]
    bare = replace(shipped(), manifest={**shipped().manifest, "level_names": names})
    (found,) = examinations_of(Batch((parcel,)), bare, status_on=DAY)
    assert cautions(found)["conditions_blank"] == {"fields": ("sorter", "bottom_screen_mm")}
    (whole,) = examined(parcel)
    assert cautions(whole)["conditions_blank"] == {"fields": parcel.conditions.blank}


def test_conditions_weaken_no_comparison_where_there_is_none() -> None:
    parcel = large("carnot")
    bare = replace(parcel, conditions=replace(parcel.conditions, sorter=None))
    whole, few = examined(bare, with_stones(bare, slice(0, 3)))
    assert "sorter" in str(cautions(whole)["conditions_blank"]["fields"])
    assert "conditions_blank" not in cautions(few)


def test_a_parcel_too_small_to_compare_is_told_nothing_of_what_it_is_compared_with() -> None:
    parcel = replace(with_stones(large("berberati"), np.arange(5)), exported_on=date(2024, 3, 11))
    speck = (Declaration(zone_id="berberati", carats=100.0), Declaration(zone_id="mbaiki", carats=0.1))
    (found,) = examined(replace(parcel, declarations=speck))
    assert found.verification is None
    assert "small_parcel" in cautions(found)
    assert not {"alternatives_abroad_only", "no_alternative", "zone_left_out"} & set(cautions(found))
