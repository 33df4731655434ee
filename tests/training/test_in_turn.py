"""Tests of undeclared goods at the level of reference parcels that were left out in turn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kpfootprint.stats.shares import NONE_P, none_statistic, share_bins
from tests import reference_world as world
from tests.worlds import shipped
from training.amortise import seen_in_turn
from training.calibrate import held_out_fits
from training.folds import Split
from training.prepare import with_weight
from training.rank import Ranked, ShareNetworks, fit_goods
from training.scenarios import Truth


def networks() -> ShareNetworks:
    model = shipped().model
    assert model.goods is not None
    return ShareNetworks(shares=model.shares.network, goods=model.goods.network)


@pytest.mark.slow
def test_every_parcel_that_is_kept_is_seen_once_by_a_fit_without_it() -> None:
    prepared, every = world.prepared(), np.arange(len(world.prepared().arrays))
    splits = [Split(str(k), np.flatnonzero(every % 2 != k), np.flatnonzero(every % 2 == k)) for k in (0, 1)]
    kept = every[every % 3 > 0]
    weight, gate = world.fitted().tables.weight, shipped().model.gate
    fits = held_out_fits(prepared, splits, table_vote=world.fitted().tables.vote)
    turns = [(split, replace(with_weight(fit, weight), gate=gate)) for split, fit in zip(splits, fits, strict=True)]
    found = seen_in_turn(prepared, turns, networks(), kept=kept, n_jobs=1)
    np.testing.assert_allclose(np.sort(np.exp(found.ln_n)), np.sort(prepared.arrays.n_stones[kept]))
    statistic = none_statistic(found.chances, share_bins())
    assert np.mean(shipped().model.shares.none.p_values(statistic, found.ln_n) <= NONE_P) < 0.12


@pytest.mark.slow
def test_ranks_let_no_more_real_parcels_pass_for_mixed_than_simulated_ones_and_find_no_more_than_these() -> None:
    rng, n, edges = np.random.default_rng(2), 6000, share_bins()
    _, truth = world.draw("listed", 5, seed=3)
    none: Truth = truth.take(np.zeros(n, dtype=np.intp))

    def seen(size: int, shift: float) -> Ranked:
        chance = np.exp(-np.exp(rng.normal(shift, 0.7, size)))
        chances = np.zeros((size, edges.size - 1))
        chances[:, 0], chances[:, -1] = chance, 1.0 - chance
        zeros = np.zeros(size)
        return Ranked(
            ln_n=rng.normal(6.0, 0.7, size), chances=chances, best_chances=chances, association=zeros, own=zeros
        )

    simulated, alike, odd, familiar = seen(n, 0.0), seen(300, 0.0), seen(300, 1.5), seen(300, -1.5)
    found = {}
    for name, held in (("alike", alike), ("odd", odd), ("familiar", familiar)):
        ranks = fit_goods(simulated, none, held, networks().goods).ranks
        fresh = seen(2000, 1.5)
        found[name] = float(np.mean(ranks.p_values(none_statistic(fresh.best_chances, edges), fresh.ln_n) <= NONE_P))
    assert found["odd"] < 0.08
    assert found["alike"] > 0.4
    assert abs(found["familiar"] - found["alike"]) < 0.1
