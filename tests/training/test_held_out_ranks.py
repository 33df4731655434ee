"""Ranks of novelty at the level of parcels left out, and copies of reference parcels that the gate learns from."""

from __future__ import annotations

import numpy as np
import pytest

from kpfootprint.stats.ranks import NOVEL_P, RankTable
from kpfootprint.stats.summaries import WINDOWS
from tests import reference_world as world
from training.amortise import LEAST_SHOWN, sieved_copies
from training.rank import as_held_out

N = 20_000


def simulated() -> RankTable:
    rng = np.random.default_rng(1)
    return RankTable.from_calibration(rng.standard_normal(N), rng.normal(6.0, 0.8, N))


def drawn(n: int, *, mean: float, sd: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(mean, sd, n), rng.normal(6.0, 0.8, n)


@pytest.mark.parametrize(("mean", "sd"), [(-1.5, 0.5), (-0.5, 1.0), (0.0, 1.0), (1.0, 1.3), (3.0, 2.0)])
def test_real_parcels_are_flagged_at_the_stated_level_however_strange_simulated_ones_are(
    mean: float, sd: float
) -> None:
    table = as_held_out(simulated(), *drawn(200, mean=mean, sd=sd, seed=2))
    fresh = table.p_values(*drawn(4000, mean=mean, sd=sd, seed=3))
    assert np.mean(fresh <= NOVEL_P) == pytest.approx(NOVEL_P, abs=0.025)
    assert np.median(fresh) == pytest.approx(0.5, abs=0.1)
    assert np.mean(fresh <= 0.003) <= 0.003 + 0.002


def test_where_simulated_parcels_are_right_next_to_nothing_changes() -> None:
    table = simulated()
    again = as_held_out(table, *drawn(270, mean=0.0, sd=1.0, seed=4))
    middle = slice(20, 380)
    np.testing.assert_allclose(again.quantiles[:, middle], table.quantiles[:, middle], atol=0.25)


def test_few_parcels_move_ranks_little_and_many_move_them_all_the_way() -> None:
    usual = simulated().quantiles[7, 200]
    few, many = (
        as_held_out(simulated(), *drawn(n, mean=-1.5, sd=0.5, seed=5)).quantiles[7, 200] - usual for n in (3, 1000)
    )
    assert -0.9 < few < 0
    assert many == pytest.approx(-1.5, abs=0.1)


@pytest.mark.parametrize("n", [1, 2, 30])
def test_what_comes_out_is_a_table_of_ranks(n: int) -> None:
    for value in (-50.0, 0.0, 50.0):
        table = as_held_out(simulated(), np.full(n, value), np.full(n, 6.0))
        assert np.isfinite(table.quantiles).all()
        assert (np.diff(table.quantiles, axis=1) >= 0).all()


@pytest.mark.slow
def test_copies_are_parts_of_their_parcels_and_say_what_was_taken_out() -> None:
    prepared = world.prepared()
    grid = prepared.structure.grid
    rng = np.random.default_rng(6)
    whole, taken = sieved_copies(prepared.arrays, prepared.groups, grid, n=300, sieved=0.0, rng=rng)
    assert not taken.any()
    assert whole.recorded[:, 0].all()
    assert not whole.recorded[:, 1:].any()
    shares = whole.n_stones[:, None] >= prepared.arrays.n_stones * LEAST_SHOWN * 0.8
    assert shares.any(axis=1).all()

    def middles(cells: np.ndarray) -> np.ndarray:
        cumulated = np.cumsum(cells, axis=1) / cells.sum(axis=1, keepdims=True)
        out: np.ndarray = grid.centres[(cumulated >= 0.5).argmax(axis=1)]
        return out

    cut, taken = sieved_copies(prepared.arrays, prepared.groups, grid, n=2000, sieved=1.0, rng=rng)
    assert set(taken.tolist()) == set(range(1, len(WINDOWS)))
    usual = middles(whole.cells).mean()
    assert middles(cut.cells[taken == 1]).mean() > usual + 0.1
    assert middles(cut.cells[taken == 2]).mean() < usual - 0.1


def test_zones_are_copied_alike_often() -> None:
    prepared = world.prepared()
    many = np.flatnonzero(prepared.groups == 0)
    rows = np.concatenate([many, np.flatnonzero(prepared.groups == 1)[:2]])
    arrays, groups = prepared.arrays.take(rows), prepared.groups[rows]
    copies, _ = sieved_copies(arrays, groups, prepared.structure.grid, n=400, sieved=0.0, rng=np.random.default_rng(7))
    few = np.isin(copies.edge, arrays.edge[-2:]).mean()
    assert few == pytest.approx(0.5, abs=0.12)
