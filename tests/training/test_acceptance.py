from __future__ import annotations

import re
from dataclasses import replace

import pytest

from kpfootprint.stats.metrics import cllr
from tests.training.evaluations import make_evaluation, make_trials
from training.acceptance import Criteria, compare_evaluations, judge
from training.config import ConfigError, parse_config, read_config
from training.record import Evaluation


@pytest.fixture(scope="module")
def criteria() -> Criteria:
    return read_config().acceptance


def with_value(evaluation: Evaluation, metric: str, value: float | None) -> Evaluation:
    results = tuple(
        replace(r, value=value) if (r.metric, r.conditions) == (metric, "as collected") else r
        for r in evaluation.results
    )
    return replace(evaluation, results=results)


def test_a_release_that_reaches_its_goals_passes(criteria: Criteria) -> None:
    judgement = judge(make_evaluation(criteria), criteria)
    assert not judgement.reasons
    assert judgement.remarks == ()


@pytest.mark.parametrize(
    ("value", "reason", "remark"),
    [
        (0.30, None, "Cllr (as collected) is 0.300, short of the goal of 0.26"),
        (0.50, "Cllr (as collected) is 0.500, beyond the limit of 0.36", None),
        (None, "Cllr (as collected) was not measured", None),
    ],
)
def test_goals_are_remarks_and_limits_are_reasons(
    criteria: Criteria, value: float | None, reason: str | None, remark: str | None
) -> None:
    judgement = judge(with_value(make_evaluation(criteria), "Cllr", value), criteria)
    assert judgement.reasons == ((reason,) if reason else ())
    assert judgement.remarks == ((remark,) if remark else ())


@pytest.mark.parametrize(("zones", "passed"), [(("west", "east"), True), (("west", "east", "south"), False)])
def test_what_two_zones_cannot_show_is_said_and_refuses_nothing(
    criteria: Criteria, zones: tuple[str, ...], passed: bool
) -> None:
    good = make_evaluation(criteria)
    trials = tuple(replace(t, true_zone=zones[k % len(zones)]) for k, t in enumerate(good.trials))
    kept = tuple(r for r in good.results if not r.conditions.startswith("zone left out"))
    judgement = judge(replace(good, trials=trials, results=kept), criteria)
    assert (not judgement.reasons) is passed
    told = judgement.remarks if passed else judgement.reasons
    assert len(told) >= 2
    assert all("zone left out" in one for one in told)


def test_higher_is_better_where_it_is(criteria: Criteria) -> None:
    assert not judge(with_value(make_evaluation(criteria), "AUC", 0.999), criteria).reasons
    assert judge(with_value(make_evaluation(criteria), "AUC", 0.90), criteria).reasons


def test_invalid_candidates_are_refused(criteria: Criteria) -> None:
    good = make_evaluation(criteria)
    assert judge(replace(good, trials=()), criteria).reasons
    assert judge(replace(good, quick=True), criteria).reasons
    broken = (replace(good.trials[0], log10_lr=float("nan")), *good.trials[1:])
    assert judge(replace(good, trials=broken), criteria).reasons


@pytest.mark.slow
def test_a_worse_candidate_is_refused_and_a_better_one_is_not(criteria: Criteria) -> None:
    weak, strong = make_evaluation(criteria, gap=0.5), make_evaluation(criteria, gap=1.5)
    refused = judge(weak, criteria, in_force=strong)
    assert any(reason.startswith("worse than 2026.1: Cllr") for reason in refused.reasons)
    assert not judge(strong, criteria, in_force=weak).reasons
    assert not judge(strong, criteria, in_force=strong).reasons


@pytest.mark.slow
def test_comparison_is_of_the_same_trials_and_mirrors() -> None:
    one, other = make_evaluation(gap=1.5), make_evaluation(gap=0.5, release="2026.2")
    fewer = replace(other, trials=other.trials[:150])
    there, back = compare_evaluations(one, fewer), compare_evaluations(fewer, one)
    assert there.n_common == back.n_common == 150
    trials = make_trials(gap=1.5)[:150]
    found = {d.metric: d for d in there.differences}["Cllr"]
    h1, h2 = ([t.log10_lr for t in trials if t.is_h1 == truth] for truth in (True, False))
    assert found.before == pytest.approx(cllr(h1, h2))
    assert found.limits.low <= found.after - found.before <= found.limits.high
    mirrored = {d.metric: d for d in back.differences}["Cllr"]
    assert (mirrored.limits.low, mirrored.limits.high) == pytest.approx((-found.limits.high, -found.limits.low))
    assert there.as_text().startswith("2026.1 -> 2026.2: 150 common trials")


def test_nothing_in_common_is_said(criteria: Criteria) -> None:
    other_day = tuple(replace(t, day="2021-01-01") for t in make_trials())
    judgement = judge(
        replace(make_evaluation(criteria), trials=other_day), criteria, in_force=make_evaluation(criteria)
    )
    assert not judgement.reasons
    assert any("no trials in common" in remark for remark in judgement.remarks)


OWN = """
[[acceptance.criterion]]
characteristic = "accuracy"
metric = "Cllr"
conditions = "as collected"
better = "lower"
goal = {goal}
limit = {limit}
required = true
"""


def test_criteria_are_checked() -> None:
    for text, said in (
        (OWN.format(goal=0.5, limit=0.2), "the goal must not lie beyond the limit, got 0.5 and 0.2"),
        (OWN.replace("required", "needed").format(goal=0.1, limit=0.2), "needed"),
        ("", "comparison"),
    ):
        given = '[acceptance]\nversion = "1"\n' + ("comparison = []\n" if text else "criterion = []\n") + text
        with pytest.raises(ConfigError, match="mine.toml, column acceptance: .*" + re.escape(said)):
            parse_config(given.encode(), "mine.toml")


def test_criteria_of_ones_own_judge_alone() -> None:
    given = '[acceptance]\nversion = "mine"\ncomparison = []\n' + OWN.format(goal=0.0, limit=0.01)
    criteria = parse_config(given.encode()).acceptance
    assert (criteria.version, len(criteria.criteria)) == ("mine", 1)
    reasons = judge(make_evaluation(read_config().acceptance), criteria).reasons
    assert [reason[:27] for reason in reasons] == ["Cllr (as collected) is 0.26"]
