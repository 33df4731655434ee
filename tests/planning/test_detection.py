"""Planning: chances that rise with stones and shares, limits that hold, questions that are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kpfootprint.errors import IngestError
from kpfootprint.planning.answers import plan_answer, plan_json
from kpfootprint.planning.detection import DeclaredShare, Detection, MoreReferences, Plan, chance_of, fit_chance
from kpfootprint.planning.question import read_question
from kpfootprint.release import Release
from kpfootprint.report.planned_sections import document_of
from kpfootprint.report.planned_sentences import worded
from kpfootprint.report.text import document_text
from tests.every import every
from tests.planning.conftest import DAY


@pytest.fixture(scope="module")
def answer(release: Release) -> dict[str, Any]:
    return plan_answer({"declared": ["berberati"], "against": "bria", "share": 0.2}, release, DAY)


def test_the_answer_has_the_shape_of_the_contract(answer: dict[str, Any]) -> None:
    said = worded(answer, {"bria": "Bria"})
    assert {"declared", "against", "share", "detection", "floor", "distinguishable", "sentence"} <= set(said)
    assert len(said["detection"]) >= 5
    assert {"n_stones", "carats", "chance"} <= set(said["detection"][0])
    assert "Bria" in said["sentence"]


def test_more_stones_never_find_less_and_limits_enclose_the_chance(answer: dict[str, Any]) -> None:
    chances = [row["chance"] for row in answer["detection"]]
    assert chances == sorted(chances)
    assert all(0 <= row["low"] <= row["chance"] <= row["high"] <= 1 for row in answer["detection"])
    assert all(row["carats"] > 0 for row in answer["detection"])


@pytest.mark.slow
def test_the_same_question_has_the_same_answer(release: Release, answer: dict[str, Any]) -> None:
    assert plan_answer({"declared": {"Berbérati": 100}, "against": "BRIA", "share": 0.2}, release, DAY) == answer


@pytest.mark.slow
def test_a_neighbour_is_harder_to_find_than_a_stranger(release: Release, answer: dict[str, Any]) -> None:
    stranger = plan_answer({"declared": ["berberati"], "against": "mbuji-mayi", "share": 0.2}, release, DAY)
    neighbour = plan_answer({"declared": ["berberati"], "against": "carnot", "share": 0.2}, release, DAY)
    assert stranger["floor"] < answer["floor"] < neighbour["floor"]
    assert stranger["distinguishable"]
    assert stranger["stones_needed"] is not None
    assert not neighbour["distinguishable"], "zones that cannot be told apart are said so"
    assert "cannot be told" in worded(neighbour, {})["sentence"]


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_answer_reads_as_text(answer: dict[str, Any], lang: str) -> None:
    text = document_text(
        document_of(worded(answer, {"bria": "Bria", "berberati": "Berbérati"}, lang), {"bria": "Bria"}, lang)
    )
    assert "{" not in text
    assert "6,400" in text or "6 400" in text.replace("\u00a0", " ").replace("\u202f", " ")


@every(
    "question, column, code",
    [
        ({"declared": ["atlantis"]}, "declared", "unknown_zone"),
        ({"declared": ["boganda"]}, "declared", "zone_without_reference"),
        ({"declared": []}, "declared", "missing_value"),
        ({"declared": ["berberati", "carnot"]}, "declared", "declared_without_carats"),
        ({"declared": ["berberati"], "share": 0}, "share", "out_of_range"),
        ({"declared": ["berberati"], "share": "0.2"}, "share", "out_of_range"),
        ({"declared": ["berberati"], "against": "berberati"}, "against", "declared_too"),
        ({"declared": ["berberati"], "against": "nowhere-land"}, "against", "unknown_zone"),
        ({"declared": ["berberati"], "agianst": "bria"}, "agianst", "unknown_member"),
        ({"declared": ["berberati"], "on": "11/03/2024"}, "on", "not_a_date"),
        ({"declared": [{"zone_id": "berberati", "carats": -1}]}, "declared", "out_of_range"),
    ],
)
def test_a_question_that_cannot_be_understood_is_refused(
    release: Release, question: dict[str, Any], column: str, code: str
) -> None:
    with pytest.raises(IngestError) as refused:
        plan_answer(question, release, DAY)
    assert (column, code) in {(problem.column, problem.code) for problem in refused.value.problems}


@pytest.mark.parametrize("text", ["Tshikapa", "kasai tshikapa", "Tshikapa, Kasaï", "TSHIKAPA"])
def test_a_zone_goes_by_the_names_that_declarations_know(release: Release, text: str) -> None:
    assert read_question({"declared": ["Berbérati"], "against": text}, release, DAY).against == "kasai-tshikapa"


@pytest.mark.parametrize("text", ["nol\u0430", "\u0431nola"])
def test_letters_of_another_alphabet_are_not_passed_over(release: Release, text: str) -> None:
    with pytest.raises(IngestError):
        read_question({"declared": [text]}, release, DAY)


@pytest.mark.parametrize("kappa", [1.0, 1.7])
def test_the_fit_finds_the_curve_that_made_the_trials(kappa: float) -> None:
    rng = np.random.default_rng(11)
    share, stones = np.exp(rng.uniform(np.log(0.03), 0, 20_000)), np.exp(rng.uniform(3.5, 9, 20_000))
    true = np.array([9.0, 250.0, 0.9, kappa])
    found = rng.random(20_000) < chance_of(true, share, stones)
    fitted = fit_chance(found, share, stones)
    grid = np.array([50.0, 400.0, 6400.0])
    for at in (0.05, 0.2, 0.6):
        assert chance_of(fitted, at, grid) == pytest.approx(chance_of(true, at, grid), abs=0.035)


def test_nothing_to_find_is_found_as_often_as_a_false_alarm() -> None:
    assert chance_of(np.array([9.0, 250.0, 0.9, 1.0]), 1e-9, 1000.0) == pytest.approx(0.05, abs=1e-3)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("NOWHERE", "nowhere"),
        ("Nulle part", "nowhere"),
        ("unlisted", "nowhere"),
        ("non-compliant", "non_compliant"),
        ("zones non conformes", "non_compliant"),
        ("Mbuji Mayi", "mbuji-mayi"),
        (None, "non_compliant"),
    ],
)
def test_an_alternative_may_be_written_as_people_write_it(release: Release, written: str | None, meant: str) -> None:
    question = {"declared": ["berberati"], "against": written}
    assert read_question(question, release, DAY).against == meant


def test_blends_may_be_declared_by_percent_but_not_by_half(release: Release) -> None:
    parts = [{"zone_id": "berberati", "percent": 60}, {"zone_id": "carnot", "percent": 40}]
    assert read_question({"declared": parts}, release, DAY).declared == {"berberati": 60.0, "carnot": 40.0}
    with pytest.raises(IngestError, match="all zones by percent"):
        read_question({"declared": [parts[0], {"zone_id": "carnot", "carats": 3}]}, release, DAY)
    with pytest.raises(IngestError, match="an amount above 0"):
        read_question({"declared": [{"zone_id": "carnot", "carats": float("inf")}]}, release, DAY)


def found(share: float, floor: float, whole: float = 1.0, needed: int | None = None) -> Plan:
    row = Detection(n_stones=6400, carats=2000.0, chance=0.5, low=0.4, high=0.6)
    more = MoreReferences(extra_parcels=5, n_stones=1600, chance=0.5)
    return Plan(
        declared=(DeclaredShare(zone_id="berberati", stone_share=1.0),),
        against="bria",
        share=share,
        detection=(row,),
        stones_needed=needed,
        floor=floor,
        whole=whole,
        references=(more,),
    )


@pytest.mark.parametrize(
    ("plan", "said", "not_said"),
    [
        (found(0.2, 0.1, needed=812), "About 820 stones", "No number"),
        (found(0.2, 0.23), "No number of stones finds 20%", "More than"),
        (found(0.2, 0.199), "More than 64,000 stones", "No number"),
        (found(0.2, 1.0, whole=0.57), "is found in 57% of cases", "100%"),
    ],
)
def test_the_sentence_says_what_the_figures_do(release: Release, plan: Plan, said: str, not_said: str) -> None:
    answer = worded(plan_json(plan, release, DAY, []), {"bria": "Bria"})
    text = document_text(document_of(answer, {"bria": "Bria"}, "en")).replace("\n", " ")
    assert said in text
    assert not_said not in answer["sentence"]
    assert ("cases" not in said) or "however many stones: none" in text
