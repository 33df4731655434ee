"""Control charts: the tables of CUSUM, the stated false alarm, and changes that are found and dated."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr

from kpfootprint.planning.answers import Shipment, told_by
from kpfootprint.planning.drift import REFERENCE_VALUE, Followed, follow, independent, limits_for
from kpfootprint.report.planned_sections import document_of
from kpfootprint.report.planned_sentences import planner, sentence
from kpfootprint.report.text import document_text


@pytest.mark.parametrize(
    ("limit", "shift", "expected"),
    [  # two-sided mean run lengths for k = 0.5, Montgomery, Introduction to Statistical Quality Control, table 9.3
        (4.0, 0.0, 168.0),
        (4.0, 1.0, 8.38),
        (4.0, 2.0, 3.34),
        (5.0, 0.0, 465.0),
        (5.0, 1.0, 10.4),
    ],
)
def test_mean_run_lengths_are_those_of_the_tables(limit: float, shift: float, expected: float) -> None:
    up, down = run_length(limit, shift=shift), run_length(limit, shift=-shift)
    assert 1.0 / (1.0 / up + 1.0 / down) == pytest.approx(expected, rel=0.01)


def test_more_charts_and_fewer_alarms_ask_for_higher_limits() -> None:
    asked = [limits_for(1.0, 50), limits_for(1.0, 200), limits_for(10.0, 200), limits_for(40.0, 200)]
    assert (np.diff(asked, axis=0) > 0).all()
    assert (np.diff(asked, axis=1) > -1e-9).all(), "the longer a series, the further its sums reach"


@pytest.mark.slow
def test_charts_that_go_together_count_as_fewer() -> None:
    counts = [independent((1 - r) * np.eye(8) + r, 100) for r in (0.0, 0.3, 0.6, 1.0)]
    assert counts[0] == 8
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] == pytest.approx(1, abs=0.1)


def run_length(limit: float, *, shift: float = 0.0) -> float:
    """Return the mean number of points to a signal of a one-sided CUSUM, by the Markov chain of Brook and Evans."""
    n = 60
    width = limit / (n - 0.5)
    centres = np.arange(n) * width
    upper = centres[None, :] + width / 2 - centres[:, None] + REFERENCE_VALUE - shift
    moves = ndtr(upper)
    moves[:, 1:] -= ndtr(upper[:, 1:] - width)
    return float(np.linalg.solve(np.eye(n) - moves, np.ones(n))[0])


@pytest.mark.slow
@pytest.mark.parametrize("together", [0.0, 0.6, 0.9])
@pytest.mark.parametrize("series", [10, 30, 100])
@pytest.mark.parametrize("n_charts", [1, 12])
def test_one_shipment_in_a_hundred_has_a_false_alarm_whatever_the_length(
    n_charts: int, series: int, together: float
) -> None:
    """Over 10,000 shipments, the first of each series, which nothing is before, left out."""
    rng = np.random.default_rng([20261126, series])
    correlation = (1 - together) * np.eye(n_charts) + together
    root, alarmed, n_series = np.linalg.cholesky(correlation), 0, 10_000 // series
    n_independent = independent(correlation, 100)
    for _ in range(n_series):
        sd = rng.uniform(0.3, 2.0, (n_charts, series))
        values = root @ rng.normal(size=(n_charts, series)) * sd + rng.normal(size=(n_charts, 1)) * 5
        followed = [Followed(name=str(k), values=values[k], sd=sd[k]) for k in range(n_charts)]
        charts = follow(followed, per_shipments=100, n_independent=n_independent)
        alarmed += len({signal.position for chart in charts for signal in chart.signals})
    assert 0.7 <= alarmed / (n_series * (series - 1) / 100) <= 1.35


@pytest.mark.slow
@pytest.mark.parametrize("series", [10, 30, 100])
def test_deviations_that_a_series_tells_itself_raise_no_more_alarms(series: int) -> None:
    rng, alarmed, n_series = np.random.default_rng([3, series]), 0, 10_000 // series
    for _ in range(n_series):
        told = [
            shipment(0, *row)
            for row in np.column_stack(
                [rng.normal(0, 1, series), rng.normal(0.3, 0.13, series), np.exp(rng.normal(5, 0.4, series))]
            ).tolist()
        ]
        alarmed += len({signal.position for chart in follow(told_by(told)) for signal in chart.signals})
    assert 0.5 <= alarmed / (n_series * (series - 1) / 100) <= 1.35


@pytest.mark.slow
def test_a_shift_of_one_deviation_is_found_about_as_fast_as_a_cusum_with_a_known_level_finds_it() -> None:
    rng = np.random.default_rng(7)
    delays = []
    for _ in range(400):
        values = rng.normal(size=140)
        values[60:] += 1.0
        (chart,) = follow([Followed(name="x", values=values, sd=np.ones(140))], per_shipments=400)
        after = [signal.position - 60 + 1 for signal in chart.signals if signal.position >= 60]
        delays.append(after[0] if after else 80)
    textbook = run_length(limits_for(1.0, 400)[-1], shift=1.0)
    assert textbook < np.mean(delays) < 1.6 * textbook, "the level before is estimated from sixty points"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n_charts", "shift", "slower"), [(1, 1.0, 2.5), (1, 2.0, 2.2), (10, 1.0, 1.6), (10, 2.0, 1.6)]
)
def test_a_shift_late_in_five_hundred_shipments_takes_about_the_textbook_delay(
    n_charts: int, shift: float, slower: float
) -> None:
    """A false alarm before the shift makes the chart begin anew, which costs it some of what it knew."""
    rng, delays = np.random.default_rng(8), []
    for _ in range(150):
        values = rng.normal(size=(n_charts, 500))
        values[0, 250:] += shift
        first, *_ = follow([Followed(name=str(k), values=row, sd=np.ones(500)) for k, row in enumerate(values)])
        delays.append(next((s.position - 249 for s in first.signals if s.position >= 250), 250))
    textbook = run_length(limits_for(float(n_charts), 100)[-1], shift=shift)
    assert 0.75 * textbook < np.mean(delays) < slower * textbook


def test_a_change_is_dated_and_measured() -> None:
    values = np.concatenate([np.zeros(20), np.full(12, 3.0)]) + np.random.default_rng(3).normal(size=32) * 0.5
    (chart,) = follow([Followed(name="size", values=values, sd=np.full(32, 0.5))], per_shipments=1000)
    (signal,) = chart.signals
    assert signal.since == 20
    assert signal.position in {20, 21}
    assert signal.shift == pytest.approx(3.0, abs=0.8)
    assert chart.centre == pytest.approx(3.0, abs=0.4), "after a change the chart starts anew"


def test_limits_are_wider_where_a_shipment_is_smaller_and_missing_points_are_passed_over() -> None:
    sd = np.array([1.0, 1.0, 2.0, 1.0])
    (chart,) = follow([Followed(name="x", values=np.array([0.1, np.nan, 0.3, 0.2]), sd=sd)])
    width = chart.upper - chart.lower
    assert width[2] == pytest.approx(2 * width[0])
    assert chart.signals == ()


def test_the_level_and_the_unit_do_not_matter() -> None:
    values = np.concatenate([np.zeros(15), np.full(10, 2.5)]) + np.random.default_rng(5).normal(size=25)
    plain = follow([Followed(name="x", values=values, sd=np.ones(25))])[0]
    moved = follow([Followed(name="x", values=100 + 3 * values, sd=np.full(25, 3.0))])[0]
    assert [(s.position, s.since) for s in plain.signals] == [(s.position, s.since) for s in moved.signals]


def test_wrong_deviations_and_rates_are_refused() -> None:
    with pytest.raises(ValueError, match="per_shipments must be 2 or more, got 1"):
        follow([Followed(name="x", values=np.zeros(3), sd=np.ones(3))], per_shipments=1)
    with pytest.raises(ValueError, match="x: standard deviations must be positive"):
        follow([Followed(name="x", values=np.zeros(3), sd=np.zeros(3))])


def shipment(at: int, log10_lr: float, undeclared: float, value: float) -> Shipment:
    return Shipment(
        at=f"2024-01-{at + 1:02d}T00:00:00Z",
        comparison=f"/v1/comparisons/{at}",
        log10_lr=log10_lr,
        undeclared=undeclared,
        undeclared_open=0.13,
        value_per_carat=value,
        conditions={"sorter": "S1"},
    )


def test_numbers_that_hardly_vary_raise_no_alarm_for_a_little() -> None:
    """True parcels: LRs at their bound and shares of none, but for a few as the reports' own limits let expect."""
    rng, alarms = np.random.default_rng(12), 0
    for _ in range(50):
        told = [
            shipment(
                t, min(1.77, rng.normal(1.6, 0.3)), max(0.0, rng.normal(-0.1, 0.15)), 200 * rng.uniform(0.95, 1.05)
            )
            for t in range(20)
        ]
        charts = follow(told_by(told), per_shipments=100)
        assert {chart.followed.name for chart in charts} == {"log10_lr", "undeclared", "value_per_carat"}
        alarms += sum(len(chart.signals) for chart in charts)
    assert alarms <= 15, "one in a hundred of a thousand shipments, over all charts"


def test_a_shipment_outside_the_limits_by_itself_is_named_and_is_no_change() -> None:
    at = [f"2024-0{month}-12T00:00:00Z" for month in range(1, 7)]
    points = [{"at": day, "comparison": str(day), "value": 1.0, "lower": 0.5, "upper": 1.5} for day in at]
    points[-1] |= {"value": 2.0}
    series = {"name": "log10_lr", "points": points, "centre": 1.0, "lower": 0.5, "upper": 1.5, "signals": []}
    rate = {"per_points": 100, "charts": 1}
    answer = {"exporter": "A", "zone_id": None, "series": [series], "n_shipments": 6, "false_alarm": rate, "labels": {}}
    text = " ".join(document_text(document_of(answer, {}, "en")).split())
    assert "No change was found." in text
    assert "no lasting change yet: log10 likelihood ratio (12 June 2024)." in text


def test_a_changed_share_is_said_in_percentage_points_and_without_a_sign() -> None:
    values = {"series": "undeclared", "since": "2024-01-12T00:00:00Z", "shift": -0.4, "changed": ["sorter"]}
    said = sentence(planner({}, {}, "en"), {"code": "level_fell", "values": values})
    assert said.startswith("Undeclared share of stones fell by 40 percentage points from 12 January 2024 on.")
    assert said.endswith("these conditions changed: sorter.")
    times = {"series": "colour:brown", "since": "2024-01-12T00:00:00Z", "shift": 0.4, "times": 1.49, "changed": []}
    labels = {"colour": {"en": "colour"}, "colour:brown": {"en": "brown"}}
    said = sentence(planner({"labels": labels}, {}, "en"), {"code": "level_rose", "values": times})
    assert said == "Colour: brown rose to 1.49 times its earlier level from 12 January 2024 on."


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_shipments_promise_no_rate_of_false_alarms(n: int) -> None:
    rate = {"per_points": 100, "charts": 0}
    whose = {"exporter": "Office A", "zone_id": "boda"}
    text = document_text(
        document_of({**whose, "series": [], "n_shipments": n, "false_alarm": rate, "labels": {}}, {}, "en")
    )
    assert text.startswith("What changes from shipment to shipment: Office A, boda")
    assert f"Shipments found: {n}." in text
    assert "false alarm" not in text
