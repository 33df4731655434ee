from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial

import numpy as np
import pytest

from kpfootprint.reference import StatusPeriod, Zone, ZoneTable
from training.evaluate.trials import ExportDay, Trials, draw_export_days, verification_scores, verification_trials

DAY = ExportDay(date(2020, 1, 1), np.array([True, True, False, False]))


def period(zone: str, status: str, start: date, end: date | None) -> StatusPeriod:
    return StatusPeriod(zone_id=zone, status=status, valid_from=start, valid_to=end, source="test")


def test_days_come_from_every_stretch_with_both_kinds_of_zone() -> None:
    table = ZoneTable(
        zones=tuple(Zone(zone_id=z, name=z, country="CF", region="west") for z in "abc"),
        periods=(
            period("a", "suspended", date(2013, 1, 1), date(2016, 1, 1)),
            period("a", "compliant", date(2016, 1, 1), None),
            period("b", "suspended", date(2013, 1, 1), date(2018, 1, 1)),
            period("b", "compliant", date(2018, 1, 1), None),
        ),
    )
    for seed in range(5):
        days = draw_export_days(table, ["a", "b", "c"], rng=np.random.default_rng(seed))
        assert [d.compliant.tolist() for d in days] == [[True, False, False], [True, True, False]]
        for d in days:
            assert [table.status_on(z, d.day) == "compliant" for z in "abc"] == d.compliant.tolist()
    # Once every zone that has references is compliant, there is nothing to set a declaration against.
    assert len(draw_export_days(table, ["a", "b"], rng=np.random.default_rng(0))) == 1


def test_trials_by_hand() -> None:
    trials = verification_trials(np.array([0, 1, 2, -1]), [DAY])
    rows = list(zip(trials.parcel, trials.declared, trials.is_h1, strict=True))
    assert rows == [(0, 0, True), (1, 1, True), (2, 0, False), (2, 1, False), (3, 0, False), (3, 1, False)]


def test_zones_of_origin_weigh_the_same() -> None:
    trials = verification_trials(np.array([0, 0, 0, 1, 2, 2, 3]), [DAY])
    for hypothesis in (True, False):
        chosen = trials.is_h1 == hypothesis
        totals = np.bincount(trials.true_zone[chosen], weights=trials.zone_weights[chosen])
        assert totals[totals > 0] == pytest.approx(1.0)


@pytest.fixture
def trials() -> Trials:
    return verification_trials(np.array([0, 2]), [DAY])


def test_scores_by_hand(trials: Trials) -> None:
    # Rows of evidence (not logged): zones 0 to 3, unlisted.
    evidence = np.log([[8.0, 1.0, 2.0, 4.0, 1.0], [1.0, 3.0, 8.0, 2.0, 0.5]])
    scores = verification_scores(trials, evidence, unlisted_weight=0.2)
    # Parcel 0 as zone 0: 8 / (.8 (2 + 4)/2 + .2) = 8/2.6; parcel 1 as zones 0 and 1: 1/4.1 and 3/4.1.
    assert 10**scores == pytest.approx([8 / 2.6, 1 / 4.1, 3 / 4.1])
    closed = np.concatenate([evidence[:, :-1], np.full((2, 1), -np.inf)], axis=1)
    of: Callable[..., np.ndarray] = partial(verification_scores, trials, closed, unlisted_weight=0.2)
    assert 10 ** of() == pytest.approx([8 / 3, 1 / 5, 3 / 5])
    assert 10 ** of(alternatives="nearest") == pytest.approx([8 / 4, 1 / 8, 3 / 8])
    assert 10 ** verification_scores(trials, evidence, unlisted_weight=1.0) == pytest.approx([8, 2, 6])


def test_a_constant_of_the_parcel_moves_nothing(trials: Trials) -> None:
    evidence = np.random.default_rng(1).normal(size=(2, 5))
    moved = evidence + np.array([[700.0], [-3.0]])
    asked = [verification_scores(trials, values, unlisted_weight=0.2) for values in (moved, evidence)]
    np.testing.assert_allclose(asked[0], asked[1], atol=1e-9)


def test_bad_weight_is_named(trials: Trials) -> None:
    with pytest.raises(ValueError, match="unlisted_weight must lie between 0 and 1, got 2"):
        verification_scores(trials, np.zeros((2, 5)), unlisted_weight=2)
