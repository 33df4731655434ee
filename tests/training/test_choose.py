"""How much the tables weigh is what parcels say of it where they are many, and next to what is believed where few."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kpfootprint.stats.arrays import Ints
from kpfootprint.stats.evidence import SLOTS
from training.calibrate import BELIEVED, Candidates, choose
from training.config import read_config

N_ZONES = 4
SETTINGS = read_config().evidence


def drawn(n: int, *, explicit: float, tables: float) -> tuple[Candidates, Ints]:
    """Draw evidence of which each kind tells the own zone of a parcel by so many nats, beside noise of one."""
    rng = np.random.default_rng(4)
    groups = np.arange(n) % N_ZONES
    own = np.eye(N_ZONES)[groups]

    def told(by: float) -> np.ndarray:
        return np.tile(rng.standard_normal((n, N_ZONES)) + by * own, (len(SLOTS), 1, 1))

    nothing = np.zeros((len(SLOTS), n, 1))
    found = Candidates(
        listed=told(explicit),
        unlisted=np.repeat(nothing, 5, axis=2),
        tables=np.concatenate([told(tables), nothing], axis=2),
        gate=np.full((n, 4), 0.25),
        strange=np.zeros((2, n)),
    )
    return found, groups


def chosen(n: int, *, explicit: float, tables: float) -> float:
    found, groups = drawn(n, explicit=explicit, tables=tables)
    return choose(found, groups, np.full(n, 200.0), np.arange(n), SETTINGS)


def test_many_parcels_decide() -> None:
    assert chosen(400, explicit=3.0, tables=0.0) == 0.0
    assert chosen(400, explicit=0.0, tables=3.0) > 0.9
    assert chosen(400, explicit=1.5, tables=1.5) == pytest.approx(0.5, abs=0.1)


def test_few_parcels_leave_the_belief_nearly_where_it_was() -> None:
    for explicit, tables in ((1.0, 0.5), (0.5, 1.0)):
        assert chosen(8, explicit=explicit, tables=tables) == pytest.approx(BELIEVED, abs=0.25)


def test_more_parcels_go_further() -> None:
    weights = [chosen(n, explicit=0.0, tables=2.0) for n in (8, 40, 200)]
    assert BELIEVED < weights[0] < weights[1] < weights[2]


def test_a_firm_belief_or_a_single_weight_is_not_moved() -> None:
    found, groups = drawn(80, explicit=0.0, tables=3.0)
    asked = (found, groups, np.full(80, 200.0), np.arange(80))
    assert choose(*asked, replace(SETTINGS, pool_trust=1e6)) == pytest.approx(BELIEVED, abs=0.01)
    assert choose(*asked, replace(SETTINGS, table_weights=(0.0,))) == 0.0
