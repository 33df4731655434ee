"""Declarations by percent and by country: stated shares stay, free ones are integrated over, a split is asked about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from kpfootprint.comparison import hypotheses
from kpfootprint.comparison.hypotheses import Origins, blends_of, form_hypotheses
from kpfootprint.comparison.results import Examination
from kpfootprint.footprint import footprints_of
from kpfootprint.parcel import Batch, Declaration, DeclaredCountry, Parcel
from kpfootprint.stats.model import look
from tests.test_flow import DAY
from tests.test_partial import KINDS, examined, references
from tests.worlds import shipped


def declared(parcel: Parcel, *parts: Declaration | DeclaredCountry) -> Parcel:
    return replace(
        parcel,
        declarations=tuple(item for item in parts if isinstance(item, Declaration)),
        countries=tuple(item for item in parts if isinstance(item, DeclaredCountry)),
    )


def lr(found: Examination) -> float:
    assert found.verification is not None
    return found.verification.log10_lr_unbounded


def split(found: Examination) -> dict[str, Any] | None:
    assert found.explanation is not None
    return next((dict(item.values) for item in found.explanation.sentences if item.code == "split"), None)


def test_percent_is_carats_in_other_words() -> None:
    parcel = references(300, 12)[0][0]
    percent, carats = examined(
        [
            declared(parcel, *(Declaration(zone_id=z, percent=p) for z, p in (("berberati", 60.0), ("carnot", 40.0)))),
            declared(parcel, *(Declaration(zone_id=z, carats=c) for z, c in (("berberati", 6.0), ("carnot", 4.0)))),
        ]
    )
    assert lr(percent) == pytest.approx(lr(carats), abs=1e-9)
    assert split(percent) is not None
    assert split(carats) is None
    total = sum(item.carats or 0.0 for item in percent.declared)
    assert total == pytest.approx(parcel.carats)


@pytest.mark.slow
@pytest.mark.parametrize(
    "parts",
    [
        [DeclaredCountry(country="CF", carats=100.0), DeclaredCountry(country="CD", carats=48.0)],
        [DeclaredCountry(country="CF", percent=70.0), DeclaredCountry(country="CD", percent=30.0)],
        [Declaration(zone_id=zone, percent=p) for zone, p in (("berberati", 50.0), ("carnot", 30.0), ("bria", 20.0))],
    ],
    ids=["carats", "percent", "zones"],
)
def test_the_order_in_which_a_paper_names_its_origins_does_not_matter(parts: list[Any]) -> None:
    parcel = references(300, 12)[0][0]
    found = examined([declared(parcel, *parts), declared(parcel, *parts[::-1])])
    assert lr(found[0]) == pytest.approx(lr(found[1]), abs=1e-9)
    first, second = map(split, found)
    assert first is not None
    assert second is not None
    assert first["log10_lr"] == pytest.approx(second["log10_lr"], abs=1e-9)


def test_a_country_is_a_blend_of_its_compliant_zones_in_free_shares() -> None:
    parcels, _ = references(300, 40)
    country, other = (DeclaredCountry(country=code) for code in ("CF", "CD"))
    found = examined([declared(parcels[0], country), declared(parcels[0], other)])
    named = found[0].verification
    assert named is not None
    assert named.h1.code == "h1_origins"
    zones = named.h1.values["zones"]
    assert isinstance(zones, tuple)
    compliant = shipped().zone_table.compliant_on(DAY)
    assert set(zones) <= set(compliant)
    assert {item.zone_id for item in found[0].declared} == set(zones)
    assert lr(found[0]) > 0 > lr(found[1])
    assert "no_declaration" not in [item.code for item in found[0].cautions]
    # shares that were chosen after looking would say more: the best zone alone does
    alone = max(lr(item) for item in examined([declared(parcels[0], Declaration(zone_id=str(z))) for z in zones]))
    assert lr(found[0]) < alone


def test_a_split_that_is_not_so_is_said_to_be_none() -> None:
    parcel = references(300, 40)[0][0]  # of Berbérati
    true, false = examined(
        [
            declared(parcel, DeclaredCountry(country="CF", percent=95.0), DeclaredCountry(country="CD", percent=5.0)),
            declared(parcel, DeclaredCountry(country="CF", percent=20.0), DeclaredCountry(country="CD", percent=80.0)),
        ]
    )
    found = split(true), split(false)
    assert found[0] is not None
    assert found[1] is not None
    assert found[1]["favours"] == "H2"
    assert found[1]["log10_lr"] < found[0]["log10_lr"]
    assert true.verification is not None
    assert true.verification.h1.code == "h1_split"


def test_a_country_without_a_reference_cannot_be_compared() -> None:
    lacking = {zone.country for zone in shipped().zone_table.zones} - {
        zone.country for zone in shipped().zone_table.zones if zone.zone_id in shipped().zone_ids
    }
    parcel = references(300, 40)[0][0]
    for code in lacking:
        (found,) = examined([declared(parcel, DeclaredCountry(country=code))])
        assert found.verification is None
        assert "country_in_part" in [item.code for item in found.cautions]


def test_blends_keep_what_is_stated() -> None:
    mean_ct = np.array([0.2, 0.4, 0.8])
    origins = Origins(names=("A", "B"), columns=((0, 1), (2,)), amounts=(70.0, 30.0))
    stated, free = (blends_of(origins, mean_ct, stated=flag)[0] for flag in (True, False))
    assert np.allclose(stated.sum(axis=1), 1.0)
    carats = stated * mean_ct
    assert np.allclose(carats[:, 2] / carats.sum(axis=1), 0.3)
    assert stated[:, 0].std() > 0.1
    assert free[:, 2].std() > 0.2
    single = blends_of(Origins(names=("A",), columns=((1,),), amounts=None), mean_ct, stated=True)
    assert [part.tolist() for part in single] == [[[0.0, 1.0, 0.0]], [0.0]]


def test_nothing_declared_of_a_zone_is_nothing_and_not_a_share_that_nobody_stated() -> None:
    parcel = declared(
        references(300, 12)[0][0],
        DeclaredCountry(country="CF", carats=10.0),
        DeclaredCountry(country="CD", carats=0.0),
    )
    release = shipped()
    mean_ct = np.ones((1, len(release.zone_ids)))
    (origins,) = form_hypotheses((parcel,), release, DAY, mean_ct).origins
    assert origins is not None
    assert origins.amounts == (10.0, 0.0)
    blends, _ = blends_of(origins, mean_ct[0], stated=True)
    assert np.all(blends[:, list(origins.columns[1])] == 0.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    "parts",
    [
        [DeclaredCountry(country="CF")],
        [DeclaredCountry(country=code) for code in ("CF", "CD", "AO", "CM")],
        [DeclaredCountry(country="CF", percent=70.0), DeclaredCountry(country="CD", percent=30.0)],
    ],
    ids=["country", "countries", "percent"],
)
def test_other_draws_of_the_shares_give_the_same_lr(parts: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    parcels = [declared(parcel, *parts) for n in (100, 1000) for parcel in references(n, 40)[0][:6]]
    found = []
    for seed in range(4):
        monkeypatch.setattr(hypotheses, "SEED", seed)
        found.append([lr(one) for one in examined(parcels)])
    assert np.std(found, axis=0).mean() < 0.06
    assert np.std(found, axis=0).max() < 0.2


def test_a_blend_has_the_evidence_that_it_has_where_it_is_declared() -> None:
    model, (parcel, *_) = shipped().model, references(300, 40)[0]
    batch = Batch(tuple(kind(parcel) for kind in KINDS))
    blends = np.random.default_rng(1).dirichlet(np.full(len(shipped().zone_ids), 0.5), 3)
    for footprints in footprints_of(batch, shipped().scheme, model.structure, shipped().level_names):
        arrays = footprints.arrays
        found = look(model, arrays).of_blends(blends)
        alone = [look(model, arrays, np.tile(blend, (len(arrays), 1))).evidence.declared for blend in blends]
        assert found == pytest.approx(np.stack(alone, axis=1), abs=1e-9)
