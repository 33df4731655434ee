"""Adequacy of a zone's references: shape, order, and what further parcels can and cannot do."""

from __future__ import annotations

import re
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from pypdf import PdfReader

from kpfootprint.errors import IngestError
from kpfootprint.planning.adequacy import Adequacy, Gain, Neighbour, _surely
from kpfootprint.planning.answers import adequacy_answer, adequacy_json, plan_answer
from kpfootprint.release import Release
from kpfootprint.report.pdf import document_pdf
from kpfootprint.report.planned_sections import document_of
from kpfootprint.report.planned_sentences import worded
from tests.planning.conftest import DAY


@pytest.fixture(scope="module")
def answer(release: Release) -> dict[str, Any]:
    """Answer from a quarter of the parcels that are drawn for users: what is held here holds of any number."""
    with pytest.MonkeyPatch.context() as drawn:
        for name, n in (("N_TRUE", 40), ("N_FIRST", 6), ("N_MORE", 24)):
            drawn.setattr(f"kpfootprint.planning.adequacy.{name}", n)
        return adequacy_answer("kadey", release, DAY)


def test_the_answer_has_the_shape_of_the_contract(answer: dict[str, Any]) -> None:
    said = worded(answer, {"kadey": "Kadey"})
    assert {"zone_id", "n_parcels", "effective_parcels", "hardest", "gain", "sentence"} <= set(said)
    assert {"zone_id", "chance_false_consistent"} <= set(said["hardest"][0])
    assert {"extra_parcels", "expected_cllr", "expected_chance"} <= set(said["gain"][0])
    assert "Kadey" in said["sentence"]


def test_the_hardest_come_first_and_more_parcels_never_harm(answer: dict[str, Any]) -> None:
    passing = [item["chance_false_consistent"] for item in answer["hardest"]]
    assert passing == sorted(passing, reverse=True)
    assert "kadey" not in {item["zone_id"] for item in answer["hardest"]}
    costs = [item["expected_cllr"] for item in answer["gain"]]
    chances = [item["expected_chance"] for item in answer["gain"]]
    assert costs == sorted(costs, reverse=True)
    assert chances == sorted(chances)
    assert 0 < answer["effective_parcels"] <= answer["n_parcels"]


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_sixty_zones_stay_on_two_pages_and_those_that_pass_are_named(answer: dict[str, Any], lang: str) -> None:
    far = [{**answer["others"][-1], "zone_id": f"far-{n}", "chance_false_consistent": 0.0} for n in range(47)]
    far[40] |= {"chance_false_consistent": 0.01}
    whole = worded(answer | {"others": [*answer["others"], *far]}, {}, lang)
    document = document_of(whole, {}, lang, created_at="2024-03-11T12:00:00Z")
    pages = PdfReader(BytesIO(document_pdf(document))).pages
    text = "".join(page.extract_text() for page in pages)
    assert len(pages) == 2
    assert "far-0" in text
    assert "far-40" in text
    assert "far-39" not in text
    assert re.search(r"\b39 (other|autres) zones", text.replace("\xa0", " "))


def test_a_zone_without_reference_is_refused_with_those_that_have_one(release: Release) -> None:
    with pytest.raises(IngestError, match="it knows: berberati"):
        adequacy_answer("boganda", release, DAY)


def adequate(passing: float, then: float, collect: str, cllr: float = 0.4) -> Adequacy:
    worst = Neighbour(
        zone_id="nola",
        distance=4.0,
        chance_false_consistent=passing,
        low=0.0,
        high=0.025,
        n_drawn=120,
        status="compliant",
        compliant=True,
    )
    return Adequacy(
        zone_id="kadey",
        n_stones=500,
        n_parcels=3,
        effective_parcels=3.0,
        true_consistent=0.9,
        true_queried=0.0,
        hardest=(worst,),
        others=(worst,),
        nowhere_consistent=0.1,
        gain=(
            Gain(extra_parcels=0, expected_cllr=0.4, expected_chance=0.9),
            Gain(extra_parcels=40, expected_cllr=cllr, expected_chance=then),
        ),
        collect=collect,
    )


@pytest.mark.parametrize(
    ("found", "said", "not_said"),
    [
        (adequate(0.0, 0.9, "kadey"), "No false one passes: of 120 parcels from Nola", "pass most easily"),
        (adequate(0.01, 0.9, "kadey"), "goods from Nola pass most easily: 1.0% of such parcels do", "No false one"),
        (adequate(0.01, 0.9, "kadey"), "would change little", "With 40 further"),
        (adequate(0.01, 0.9, "kadey"), "how well its 3 reference parcels place it", "With 40 further"),
        (adequate(0.01, 0.95, "nola"), "With 40 further parcels of Kadey, 95%", "change little"),
        (adequate(0.01, 0.9, "nola", 0.3), "would say more (Cllr 0.3 instead of 0.4)", "change little"),
        (adequate(0.01, 0.95, "nola"), "those of Nola come first: of the two", "those of Kadey"),
    ],
)
def test_the_sentence_says_what_the_figures_do(release: Release, found: Adequacy, said: str, not_said: str) -> None:
    names = {"kadey": "Kadey", "nola": "Nola"}
    sentence = worded(adequacy_json(found, release, DAY, []), names)["sentence"]
    assert said in sentence
    assert not_said not in sentence


def test_luck_of_the_draw_is_no_gain_and_a_gain_is_one() -> None:
    rng = np.random.default_rng(4)
    lucky = sum(_surely(rng.normal(size=160), rng.normal(size=500)) > 0 for _ in range(1000))
    assert 10 <= lucky <= 40, "one in forty, not one in two"
    gain = 0.4 + rng.normal(size=160), rng.normal(size=500)
    assert _surely(*gain) == pytest.approx(gain[0].mean() + gain[1].mean())


def test_every_other_zone_stands_with_its_status_and_limits(answer: dict[str, Any], release: Release) -> None:
    others = answer["others"]
    assert {item["zone_id"] for item in others} == set(release.zone_ids) - {"kadey"}
    assert [item["distance"] for item in others] == sorted(item["distance"] for item in others)
    assert all(item["low"] <= item["chance_false_consistent"] <= item["high"] for item in others)
    assert all(item["high"] > item["low"] for item in others)


@pytest.mark.slow
def test_a_zone_known_from_three_parcels_gains_from_more_and_is_said_to_be_known_from_few(release: Release) -> None:
    z = release.zone_ids.index("nola")
    scales, parcels = release.model.predictor.scales.copy(), release.model.n_reference.copy()
    scales[z], parcels[z] = 1.0 + 2.0 / 3.0, 3  # with the errors that parcels have
    model = replace(release.model, predictor=replace(release.model.predictor, scales=scales), n_reference=parcels)
    few = adequacy_answer("nola", replace(release, model=model), DAY)
    assert few["effective_parcels"] == pytest.approx(1.5)
    assert few["gain"][-1]["expected_cllr"] < few["gain"][0]["expected_cllr"] - 0.02
    assert few["collect"] == "nola"
    assert "few_parcels" in {item["code"] for item in few["cautions"]}
    assert {"adequacy_gain", "adequacy_gain_lr"} & {item["code"] for item in few["statements"]}


@pytest.mark.slow
def test_a_zone_that_is_not_compliant_is_said_to_be_taken_as_if_it_were(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kpfootprint.planning.detection.N_DRAWN", 100)
    said = {"suspended": "taken_as_compliant", "not_covered": "status_not_known"}
    status = {zone: release.zone_table.status_on(zone, DAY) for zone in release.zone_ids}
    declared = {one: next(zone for zone in status if status[zone] == one) for one in said}
    answer = plan_answer({"declared": dict.fromkeys(declared.values(), 1.0), "against": "nowhere"}, release, DAY)
    for one, zone in declared.items():
        assert {"code": said[one], "values": {"zones": [zone], "on": DAY.isoformat()}} in answer["cautions"]


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_annex_is_a_pdf_of_two_pages(answer: dict[str, Any], lang: str) -> None:
    names = {"kadey": "Kadey"}
    document = document_of(worded(answer, names, lang), names, lang, created_at="2024-03-11T12:00:00Z")
    pages = PdfReader(BytesIO(document_pdf(document))).pages
    assert len(pages) == 2
    assert "Kadey" in pages[0].extract_text()
