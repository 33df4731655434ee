"""Pooling: what parcels share is not counted twice, one parcel is itself, and the joint LR is worth what it says."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from pypdf import PdfReader

from kpfootprint import Batch, ingest_json
from kpfootprint.errors import IngestError
from kpfootprint.flow import examinations_of
from kpfootprint.parcel import Parcel
from kpfootprint.planning.answers import pool_answer
from kpfootprint.planning.pooling import Claim, Pooled, claim_of, pool
from kpfootprint.planning.trials import outcomes_of
from kpfootprint.release import Release
from kpfootprint.report.pdf import document_pdf
from kpfootprint.report.planned_sections import document_of
from kpfootprint.report.planned_sentences import planner, status_in
from kpfootprint.report.text import document_text
from kpfootprint.stats.arrays import rows_of
from kpfootprint.stats.metrics import cllr
from kpfootprint.stats.shares import NONE_P
from kpfootprint.stats.simulate import DrawnGoods, draw_goods
from tests.planning.conftest import DAY
from tests.reference_world import reference_parcel, with_stones
from tests.source import ROOT

N_STONES = 400


def claim(release: Release, source: int, k: int, seed: int, *, shared: bool = True) -> Claim:
    z = len(release.zone_ids)
    declared = np.tile(np.eye(z)[0], (k, 1))
    shares = np.tile(np.eye(z + 1)[source], (k, 1))
    stones = np.full(k, N_STONES)
    sorter = np.full(k, -1) if shared else np.arange(k) % len(release.model.predictor.last)
    goods = DrawnGoods(shares=shares, n_stones=stones, sorter=sorter, group=np.zeros(k, dtype=np.intp))
    arrays = draw_goods(release.model, goods, np.random.default_rng(seed))
    allowed = np.array([release.zone_table.status_on(zone, DAY) == "compliant" for zone in release.zone_ids])
    allowed = np.tile(allowed, (k, 1))
    outcomes = outcomes_of(release, arrays, declared, allowed)
    return Claim(
        declared=declared,
        allowed=allowed,
        n_stones=stones,
        sorter=sorter,
        outcomes=outcomes,
        resampled=outcomes.unbounded[:, None],
    )


@pytest.mark.slow
def test_the_joint_lr_is_nearer_nothing_than_the_product_and_the_same_each_time(release: Release) -> None:
    asked = claim(release, 0, 3, seed=1)
    found, again = pool(release, asked, n_groups=30), pool(release, asked, n_groups=30)
    assert found == again
    joint, share = found.verification, found.mixture.undeclared_stone_fraction
    assert abs(joint.log10_lr) <= abs(joint.log10_lr_if_independent)
    assert 0.0 <= joint.dependence <= 1.0
    assert joint.low <= joint.log10_lr <= joint.high
    low, high = release.model.calibration.bounds
    assert low <= joint.log10_lr <= high, "more parcels do not carry more than the references"
    assert 0.0 <= share.low <= share.estimate <= share.high <= 1.0


def test_a_claim_of_one_parcel_says_what_its_report_says_and_that_it_is_mixed(release: Release) -> None:
    text = (ROOT / "examples" / "mixed_berberati_bria.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    document = {
        "parcel_id": "mixed",
        "exported_on": DAY.isoformat(),
        "declarations": [{"zone_id": "berberati"}],
        "stones": [{**row, "weight_ct": float(row["weight_ct"])} for row in rows],
    }
    batch = Batch((ingest_json(document, release.scheme, release.zone_table),))
    (found,) = examinations_of(batch, release, status_on=DAY)
    answer = pool_answer(batch, release, DAY)
    assert found.verification is not None
    assert found.mixture is not None
    joint = answer["verification"]
    assert joint["log10_lr"] == pytest.approx(found.verification.log10_lr, abs=0.002)
    assert joint["log10_lr_if_independent"] == joint["log10_lr_unbounded"]
    assert found.mixture.p_value <= NONE_P
    said = answer["statements"][0]
    assert said["code"] == "pool_mixed"
    assert said["values"]["p_value"] == pytest.approx(found.mixture.p_value, rel=0.1)


def true_parcel(release: Release, **changes: Any) -> Parcel:
    document = json.loads((ROOT / "examples" / "true_berberati.json").read_text(encoding="utf-8"))
    return ingest_json({**document, **changes}, release.scheme, release.zone_table)


def weighed(release: Release, name: str, carats: float) -> Parcel:
    sieves = release.scheme.size.sieve_set
    rows = [{"size_class": size, "n_stones": None, "carats": carats} for size in sieves.classes[3:8]]
    paper = {"declarations": [{"zone_id": "berberati"}], "conditions": {"sieve_set": sieves.name}}
    return ingest_json({"parcel_id": name, **paper, "counts": rows}, release.scheme, release.zone_table)


ORIGINS = (
    [{"country": "CF"}],
    [{"zone_id": "berberati", "percent": 60}, {"zone_id": "carnot", "percent": 40}],
)


@pytest.mark.slow
@pytest.mark.parametrize("declared", [*ORIGINS, None], ids=["country", "percent", "weighed"])
def test_one_parcel_of_free_shares_or_of_weights_alone_says_what_its_report_says(
    release: Release, declared: list[dict[str, Any]] | None
) -> None:
    parcel = weighed(release, "w", 5.0) if declared is None else true_parcel(release, declarations=declared)
    (found,) = examinations_of(Batch((parcel,)), release, status_on=DAY)
    answer = pool_answer(Batch((parcel,)), release, DAY)
    assert found.verification is not None
    assert found.mixture is not None
    for name in ("log10_lr", "low", "high"):
        assert answer["verification"][name] == pytest.approx(getattr(found.verification, name), abs=0.001), name
        own = getattr(found.mixture.undeclared_stone_fraction, name.replace("log10_lr", "estimate"))
        pooled = answer["mixture"]["undeclared_stone_fraction"][name.replace("log10_lr", "estimate")]
        assert pooled == pytest.approx(own, abs=0.001), name
    assert answer["parcels"][0]["n_stones"] == (None if declared is None else 600)


@pytest.mark.slow
def test_stones_that_were_weighed_and_not_counted_are_pooled(release: Release) -> None:
    asked = claim_of(Batch((weighed(release, "w", 5.0), true_parcel(release))), release, DAY)
    assert asked.n_stones.tolist()[1] == 600
    assert asked.n_stones[0] > 0
    found = pool(release, asked, n_groups=8).mixture.undeclared_stone_fraction
    assert 0.0 <= found.low <= found.estimate <= found.high <= 1.0


@pytest.mark.slow
def test_parcels_that_carry_no_strong_support_alone_carry_none_together(release: Release) -> None:
    asked = claim(release, 0, 3, seed=1)
    held = replace(asked, outcomes=replace(asked.outcomes, highest=np.ones(3), unbounded=np.full(3, 1.5)))
    assert pool(release, held, n_groups=30).verification.log10_lr <= 1.0


@pytest.mark.slow
def test_the_order_of_parcels_does_not_matter(release: Release) -> None:
    asked = claim(release, 0, 3, seed=2)
    turned = Claim(
        declared=asked.declared[::-1],
        allowed=asked.allowed[::-1],
        n_stones=asked.n_stones[::-1],
        sorter=asked.sorter[::-1],
        outcomes=rows_of(asked.outcomes, np.arange(3)[::-1]),
        resampled=asked.resampled[::-1],
    )
    first, second = pool(release, asked, n_groups=40), pool(release, turned, n_groups=40)
    assert first.verification.log10_lr == pytest.approx(second.verification.log10_lr, abs=1e-9)
    assert first.mixture.p_value == pytest.approx(second.mixture.p_value, abs=1e-9)


FEW = 5
"""Stones of a parcel that is too small to be compared."""


def test_parcels_that_can_be_compared_with_nothing_are_left_out_and_named(release: Release) -> None:
    whole, other = (replace(reference_parcel(row, "carnot"), exported_on=DAY) for row in (3, 4))
    small = replace(with_stones(other, slice(FEW)), parcel_id="SMALL")
    answer = pool_answer(Batch((whole, small)), release, DAY)
    alone = pool_answer(Batch((whole,)), release, DAY)
    assert (answer["n_parcels"], answer["left_out"]) == (1, ["SMALL"])
    assert answer["verification"] == alone["verification"]
    assert answer["mixture"] == alone["mixture"]
    assert {"left_out_of_pool", "one_parcel"} <= {item["code"] for item in answer["cautions"]}
    with pytest.raises(IngestError) as refused:
        pool_answer(
            Batch((small, replace(small, parcel_id="TOO", stones=with_stones(whole, slice(FEW)).stones))), release, DAY
        )
    assert [item.value for item in refused.value.problems] == ["SMALL", "TOO"]
    assert all("too little is known" in item.reason for item in refused.value.problems)


def one_of(asked: Claim, row: int) -> Claim:
    rows = slice(row, row + 1)
    return Claim(
        declared=asked.declared[rows],
        allowed=asked.allowed[rows],
        n_stones=asked.n_stones[rows],
        sorter=asked.sorter[rows],
        outcomes=rows_of(asked.outcomes, np.array([row])),
        resampled=asked.resampled[rows],
    )


def width(found: Pooled) -> float:
    share = found.mixture.undeclared_stone_fraction
    return share.high - share.low


@pytest.mark.slow
def test_more_parcels_narrow_the_share(release: Release) -> None:
    asked = claim(release, 0, 5, seed=3)
    alone = [width(pool(release, one_of(asked, row), n_groups=20)) for row in range(5)]
    together = width(pool(release, asked, n_groups=40))
    assert together <= np.mean(alone) + 0.02


@pytest.mark.slow
@pytest.mark.parametrize("shared", [True, False])
def test_pooled_lrs_are_worth_what_they_say_and_more_than_the_product(release: Release, shared: bool) -> None:
    compliant = [release.zone_table.status_on(zone, DAY) == "compliant" for zone in release.zone_ids]
    elsewhere = [z for z, allowed in enumerate(compliant) if not allowed]
    elsewhere += [len(compliant)] * round(len(elsewhere) / 4)  # one in five from a source nobody sampled, as in H2
    true = [pool(release, claim(release, 0, 3, 5000 + k, shared=shared), n_groups=40) for k in range(24)]
    false = [
        pool(release, claim(release, elsewhere[k % len(elsewhere)], 3, 7000 + k, shared=shared), n_groups=40)
        for k in range(24)
    ]
    h1, h2 = (np.array([p.verification.log10_lr for p in found]) for found in (true, false))
    product = cllr(*(np.array([p.verification.log10_lr_if_independent for p in found]) for found in (true, false)))
    assert cllr(h1, h2) < min(0.4, product + 0.02)
    assert (h1 < -1).sum() <= 3
    assert (h2 > 1).sum() <= 3, "of goods from elsewhere fewer than one in ten reach an LR of 10"


@pytest.mark.parametrize(
    ("lang", "days"),
    [
        ("en", "the day of each parcel, 11 March 2024 to 24 November 2026"),
        ("fr", "jour de chaque lot, du 11 mars 2024 au 24 novembre 2026"),
    ],
)
def test_days_that_differ_are_told_as_days_and_a_country_has_no_status(lang: str, days: str) -> None:
    speaker = planner({}, {}, lang)
    assert status_in(speaker, [None], "2024-03-11") == speaker.words.day("2024-03-11")
    paper = {"parcel_id": "A", "declared": ["CF"], "status": [None], "n_stones": 9, "carats": None}
    lr = dict.fromkeys(("log10_lr", "low", "high", "log10_lr_unbounded", "log10_lr_if_independent"), 0.2)
    answer: dict[str, Any] = {
        "n_parcels": 2,
        "verification": {**lr, "level": 0.9, "bound_hit": None, "dependence": 0.0},
        "mixture": {
            "undeclared_stone_fraction": {"estimate": 0.0, "low": 0.0, "high": 0.2, "level": 0.9},
            "p_value": 0.5,
        },
        "parcels": [{**paper, "status_on": day} for day in ("2024-03-11", "2026-11-24")],
        "sentence": "",
        "cautions": [],
    }
    document = document_of(answer, {}, lang, created_at="2024-03-11T12:00:00Z")
    assert days in document_text(document).replace("\u00a0", " ")
    assert len(PdfReader(BytesIO(document_pdf(document))).pages) == 1, "a short answer is one page"
