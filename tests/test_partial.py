"""What a parcel leaves open is integrated over: the laws, and LRs that stay calibrated and are only less informed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kpfootprint.comparison.results import Examination
from kpfootprint.flow import examinations_of
from kpfootprint.parcel import NOT_RECORDED, Batch, Breakdown, Declaration, Parcel, Stones
from kpfootprint.scheme import ClassSet, Scheme, SieveSet
from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.intervals import clopper_pearson
from tests import reference_world as world
from tests.test_flow import DAY
from tests.worlds import shipped

WEST = ("berberati", "carnot", "boda", "nola", "gadzi", "amada-gaza", "sosso-nakombo")


def examined(parcels: list[Parcel], scheme: Scheme | None = None) -> list[Examination]:
    release = shipped()
    if scheme is not None:
        release = replace(release, manifest={**release.manifest, "scheme": scheme.to_json()})
    return list(examinations_of(Batch(tuple(parcels)), release, status_on=DAY))


def lrs(parcels: list[Parcel], scheme: Scheme | None = None) -> Floats:
    found = [item.verification for item in examined(parcels, scheme)]
    return np.array([item.log10_lr_unbounded for item in found if item is not None])


def codes_of(item: Examination) -> dict[str, Any]:
    return {caution.code: dict(caution.values) for caution in item.cautions}


@cache
def references(n_stones: int, every: int = 1) -> tuple[tuple[Parcel, ...], NDArray[np.bool_]]:
    """Draw stones of reference parcels; those of the west are declared truly, the others as from the west."""
    package = world.package()
    rng = np.random.default_rng(8)
    parcels, true = [], []
    for at in range(0, len(package.batch), every):
        parcel, zone = package.batch.parcels[at], package.zone_of[at]
        stones = parcel.stones
        assert stones is not None
        some = rng.permutation(stones.weight_ct.size)[:n_stones]
        declared = zone if zone in WEST else WEST[at % len(WEST)]
        parcels.append(
            replace(
                parcel,
                n_stones=len(some),
                carats=float(stones.weight_ct[some].sum()),
                declared_carats=None,
                exported_on=DAY,
                declarations=(Declaration(zone_id=declared),),
                stones=Stones(
                    weight_ct=stones.weight_ct[some], codes={name: codes[some] for name, codes in stones.codes.items()}
                ),
            )
        )
        true.append(zone in WEST)
    return tuple(parcels), np.array(true)


def breakdown(parcel: Parcel, sieve_set: SieveSet, by: tuple[str, ...], **more: Any) -> Breakdown:
    """Count the stones of a list by attributes."""
    stones = parcel.stones
    assert stones is not None
    size = np.searchsorted(np.array(sieve_set.lower_ct), stones.weight_ct, side="right") - 1
    columns = {"size": size.astype(np.int16), **stones.codes}
    cells, inverse = np.unique(np.stack([columns[name] for name in by], axis=1), axis=0, return_inverse=True)
    n_stones = np.bincount(inverse.reshape(-1)).astype(np.int64)
    carats: Floats = np.bincount(inverse.reshape(-1), weights=stones.weight_ct).astype(np.float64).round(4)
    made = Breakdown(attributes=by, codes=np.ascontiguousarray(cells), n_stones=n_stones, carats=carats)
    return replace(made, **more)


def sheet(parcel: Parcel, sieve_set: SieveSet | None, *breakdowns: Breakdown, **more: Any) -> Parcel:
    return replace(parcel, stones=None, breakdowns=breakdowns, sieve_set=sieve_set, **more)


EVERY = ("size", "colour", "morphology")


def grainers() -> SieveSet:
    found = shipped().scheme.sieve_set("grainers")
    assert found is not None
    return found


def by_sets(parcel: Parcel, colour: tuple[str, ...], morphology: tuple[str, ...]) -> Parcel:
    """Code every stone by the first of these sets that holds its class."""
    stones = parcel.stones
    assert stones is not None
    codes = {}
    for name, sets in (("colour", colour), ("morphology", morphology)):
        attribute = shipped().scheme.attribute(name)
        members, out = attribute.members_of_codes(), stones.codes[name].copy()
        for item in reversed(sets):
            code = attribute.code_names.index(item)
            out[(stones.codes[name] >= 0) & members[code][stones.codes[name]]] = code
        codes[name] = out
    return replace(parcel, stones=replace(stones, codes=codes))


def coarse(parcel: Parcel) -> Parcel:
    return by_sets(parcel, ("I-J-K", "fancy"), ("sawable", "irregular"))


def makeables(parcel: Parcel) -> Parcel:
    return by_sets(parcel, (), ("makeable", "rejections"))


def weighed(parcel: Parcel) -> Parcel:
    own = breakdown(parcel, grainers(), EVERY)
    return sheet(parcel, grainers(), replace(own, n_stones=np.full_like(own.n_stones, NOT_RECORDED)), n_stones=0)


def weighed_beside(parcel: Parcel) -> Parcel:
    sizes = breakdown(parcel, grainers(), ("size",))
    sizes = replace(sizes, n_stones=np.full_like(sizes.n_stones, NOT_RECORDED))
    return sheet(parcel, grainers(), sizes, breakdown(parcel, grainers(), EVERY[1:], carats=None))


def graded_in_part(parcel: Parcel, share: float = 0.25) -> Parcel:
    stones = parcel.stones
    assert stones is not None
    some = np.random.default_rng(parcel.n_stones).random(stones.weight_ct.size) < share
    some[0] = True
    part = Stones(weight_ct=stones.weight_ct[some], codes={name: codes[some] for name, codes in stones.codes.items()})
    sample = breakdown(replace(parcel, stones=part), grainers(), EVERY, carats=None, sample=True)
    return sheet(parcel, grainers(), breakdown(parcel, grainers(), ("size",)), sample)


def lots(parcel: Parcel) -> Parcel:
    return sheet(parcel, None, breakdown(parcel, grainers(), EVERY[1:]))


KINDS: tuple[Callable[[Parcel], Parcel], ...] = (coarse, makeables, weighed, weighed_beside, graded_in_part, lots)


def cost(true: Floats, false: Floats) -> float:
    """Return Cllr (Brümmer and du Preez 2006)."""
    return float(0.5 * (np.log2(1 + 10**-true).mean() + np.log2(1 + 10 ** np.minimum(false, 9.0)).mean()))


def held(kind: Callable[[Parcel], Parcel], n_stones: int) -> None:
    parcels, true = references(n_stones)
    known, seen = (np.clip(lrs(list(some)), -4.0, 4.0) for some in (parcels, map(kind, parcels)))
    # the reference holds odd parcels, whose whole record misleads; what is hidden of others must not
    sound = np.where(true, known > -1, known < 1)
    assert sound.mean() > 0.9
    known, seen, true = known[sound], seen[sound], true[sound]
    whole, left = cost(known[true], known[~true]), cost(seen[true], seen[~true])
    assert whole - 0.03 < left < 0.75, "what is left open informs no more, and still informs"
    assert seen[true].mean() > (0.3 if n_stones >= 300 else 0.2) > -0.5 > seen[~true].mean()
    for misleading in (seen[true] < -1, seen[~true] > 1):
        assert clopper_pearson(int(misleading.sum()), misleading.size).low <= 0.02
    # not overconfident: half of what it says would be no better
    assert left < cost(0.5 * seen[true], 0.5 * seen[~true])


@pytest.mark.slow
@pytest.mark.parametrize("n_stones", [60, 300, 2000])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_left_open_leaves_lrs_calibrated(kind: Callable[[Parcel], Parcel], n_stones: int) -> None:
    held(kind, n_stones)


def with_sets(name: str, *sets: tuple[str, tuple[str, ...]]) -> Scheme:
    scheme = shipped().scheme
    made = tuple(ClassSet(name=word, labels={"en": word, "fr": word}, members=members) for word, members in sets)
    return replace(
        scheme, categorical=tuple(replace(a, sets=made) if a.name == name else a for a in scheme.categorical)
    )


def test_a_set_of_one_is_that_class_and_a_set_of_all_is_not_recorded() -> None:
    parcel = references(300, 14)[0][0]
    stones = parcel.stones
    assert stones is not None
    classes = shipped().scheme.attribute("colour").class_names
    scheme = with_sets("colour", ("only", (classes[1],)), ("any", classes))
    colour, n = stones.codes["colour"], len(classes)
    hidden = np.arange(colour.size) % 3 == 0
    one = np.where(colour == 1, n, colour)
    every, blank = np.where(hidden, n + 1, colour), np.where(hidden, NOT_RECORDED, colour)
    variants = [
        replace(parcel, stones=replace(stones, codes={**stones.codes, "colour": codes.astype(np.int16)}))
        for codes in (colour, one, every, blank)
    ]
    known, as_set, as_any, as_blank = lrs(variants, scheme)
    assert as_set == pytest.approx(known, abs=1e-9)
    assert as_any == pytest.approx(as_blank, abs=1e-9)


@pytest.mark.slow
def test_sets_that_share_classes_are_read_as_one() -> None:
    """A sorter who has a pile of makeables and one of rejections puts a flat on one of them by a custom of theirs."""
    parcel = references(300, 14)[0][0]
    stones = parcel.stones
    assert stones is not None
    names = shipped().scheme.attribute("morphology").class_names
    scheme = with_sets(
        "morphology", ("one", names[:3]), ("two", names[2:5]), ("both", names[:5]), ("apart", names[5:7])
    )
    shape, n = stones.codes["morphology"], len(names)

    def coded(first: int, second: int) -> Parcel:
        codes = np.where(shape < 3, n + first, np.where(shape < 5, n + second, shape))
        codes = np.where((shape == 5) | (shape == 6), n + 3, codes).astype(np.int16)
        return replace(parcel, stones=replace(stones, codes={**stones.codes, "morphology": codes}))

    parcels = [coded(0, 1), coded(1, 0), coded(2, 2)]
    np.testing.assert_allclose(lrs(parcels, scheme), lrs(parcels[2:], scheme)[0], atol=1e-9)
    assert codes_of(examined(parcels[:1], scheme)[0])["sets_overlap"]["sets"] == ("one", "two")
    assert "sets_overlap" not in codes_of(examined(parcels[2:], scheme)[0])


def test_a_whole_that_is_graded_whole_is_an_ordinary_sheet() -> None:
    parcel = references(300, 14)[0][1]
    ordinary = sheet(parcel, grainers(), breakdown(parcel, grainers(), EVERY))
    whole = graded_in_part(parcel, share=2.0)
    assert lrs([whole])[0] == pytest.approx(lrs([ordinary])[0], abs=1e-6)


def test_ranges_that_are_sieves_are_sieves_and_rows_may_lack_them() -> None:
    parcel = references(300, 14)[0][1]
    ordinary = sheet(parcel, grainers(), breakdown(parcel, grainers(), EVERY))
    (known,) = lrs([ordinary])
    # a range that no stone is in overlaps others: the same sizes, with the information of the stones seen
    own = grainers()
    wide = SieveSet(
        name="ranges",
        classes=(*own.classes, "any large"),
        lower_ct=(*own.lower_ct, own.lower_ct[-1]),
        upper_ct=(*own.upper_ct, float("inf")),
    )
    assert lrs([replace(ordinary, sieve_set=wide)])[0] == pytest.approx(known, abs=0.4)
    item = ordinary.breakdowns[0]
    codes = item.codes.copy()
    codes[::4, 0] = NOT_RECORDED
    partly = replace(ordinary, breakdowns=(replace(item, codes=codes),))
    assert abs(lrs([partly])[0]) < abs(known) + 0.5
    found = codes_of(examined([partly])[0])
    assert found["partly_recorded"]["attribute"] == "size"


@pytest.mark.slow
def test_what_the_report_says_of_it() -> None:
    parcel = references(300, 14)[0][0]
    found = [codes_of(item) for item in examined([kind(parcel) for kind in KINDS])]
    assert found[0]["coarse_classes"]["sets"] in (("I-J-K", "fancy"), ("sawable", "irregular"))
    numbers = found[2]["stones_not_counted"]
    assert numbers["fewest"] < numbers["n_stones"] < numbers["most"]
    assert numbers["n_stones"] == pytest.approx(parcel.n_stones, rel=0.08)
    assert "sizes_by_weight" in found[3]
    assert "stones_not_counted" not in found[3]
    assert found[4]["graded_in_part"]["n_stones"] == parcel.n_stones
    assert found[5]["sizes_by_mean"]["mean_ct"] == pytest.approx(parcel.carats / parcel.n_stones)  # type: ignore[operator]


def total(n_stones: int, carats: float) -> Breakdown:
    codes = np.zeros((1, 0), dtype=np.int16)
    return Breakdown(attributes=(), codes=codes, n_stones=np.array([n_stones]), carats=np.array([carats]))


def test_a_sample_may_have_sizes_that_the_whole_has_not() -> None:
    parcel = references(300, 14)[0][0]
    graded = graded_in_part(parcel)
    whole = total(parcel.n_stones, parcel.carats or 0.0)
    unsized = replace(graded, breakdowns=(whole, graded.breakdowns[1]))
    (found,) = examined([unsized])
    assert codes_of(found)["sizes_by_mean"]["mean_ct"] == pytest.approx(parcel.mean_ct)
    assert codes_of(found)["graded_in_part"]["n_stones"] == parcel.n_stones
    assert abs(lrs([unsized])[0]) < abs(lrs([graded])[0]) + 0.5


def test_number_and_weight_alone_are_not_comparable() -> None:
    parcel = references(300, 14)[0][0]
    (found,) = examined([sheet(parcel, None, total(836, 364.17), n_stones=836, carats=364.17)])
    assert found.conclusion == "not_comparable"
    assert codes_of(found)["number_and_weight_alone"]["mean_ct"] == pytest.approx(364.17 / 836)
    assert (found.verification, found.mixture, found.error_rates) == (None, None, None)
    assert (found.attribution, found.novelty) == (None, None)
    assert found.explanation is not None
    assert found.explanation.sentences[-1].code == "next_grading"


def test_stones_that_nobody_counted_are_not_said_to_be_so_many() -> None:
    parcel = references(300, 14)[0][0]
    (found,) = examined([sheet(parcel, None, total(NOT_RECORDED, 364.17), n_stones=0, carats=364.17)])
    assert codes_of(found)["number_and_weight_alone"] == {"mean_ct": None}
    assert "stones_not_counted" not in codes_of(found), "nothing is known of their sizes"
    assert found.explanation is not None
    asked = found.explanation.sentences[-1]
    assert (asked.code, dict(asked.values)) == ("next_grading", {"n_stones": None})
    few = Breakdown(
        attributes=("size",),
        codes=np.array([[4]], dtype=np.int16),
        n_stones=np.array([NOT_RECORDED]),
        carats=np.array([1.0]),
    )
    (found,) = examined([sheet(parcel, shipped().scheme.size.sieve_set, few, n_stones=0, carats=1.0)])
    assert found.explanation is not None
    about = codes_of(found)["small_parcel"]["n_stones"]
    asked = found.explanation.sentences[-1]
    assert (asked.code, asked.values["n_stones"]) == ("next_stones", about)
    assert about > 0
