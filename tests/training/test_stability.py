"""What should not matter: a zone like none of the others in the reference, and the seed of the folds."""

from __future__ import annotations

import numpy as np
import pytest

from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.model import Evidence, log_alternative
from kpfootprint.stats.ranks import NOVEL_P
from tests.reference_world import fitted, package, prepared
from tests.worlds import shipped
from training.calibrate import calibrate, held_out_candidates, held_out_fits, resample, splits_of
from training.config import read_config
from training.evaluate.methods import zone_codes, zones_of
from training.evaluate.own import OwnEvidence

IRRELEVANT = "mbuji-mayi"
DECLARED = "carnot"


def log10_lr(evidence: Floats, alternatives: list[int]) -> Floats:
    """Return log10 LRs of one zone against others and an unlisted source."""
    zones = zones_of(package())
    taken = np.zeros(len(zones))
    taken[alternatives] = 1.0
    # a zone that was not learnt has evidence -inf, and is no alternative either
    found = Evidence(
        listed=np.maximum(evidence[:, :-1], -1e9),
        unlisted=evidence[:, -1],
        declared=evidence[:, zones.index(DECLARED)],
    )
    below = log_alternative(found, np.tile(taken, (len(evidence), 1)), np.full(len(evidence), 0.2))
    lr: Floats = (found.declared - below) / np.log(10)
    return lr


@pytest.mark.slow
def test_a_zone_like_none_of_the_others_moves_no_lr_much() -> None:
    """Its parcels are learnt from and it joins H2; western parcels stay where they were, but for its share of H2."""
    zones, codes = zones_of(package()), zone_codes(package())
    irrelevant = zones.index(IRRELEVANT)
    others = [zones.index(zone) for zone in zones if zone not in (DECLARED, IRRELEVANT)]
    method = OwnEvidence(read_config().evidence, NOVEL_P, gate=shipped().model.gate, table_weight=0.0)
    western = np.flatnonzero(np.isin(codes, [zones.index(zone) for zone in ("carnot", "gadzi", "nola")]))
    batch = package().batch.take(western)
    with_it = method.fit(package(), np.arange(codes.size)).seen(batch)[0]
    without = method.fit(package(), np.flatnonzero(codes != irrelevant)).seen(batch)[0]
    moved = np.abs(log10_lr(with_it, [*others, irrelevant]) - log10_lr(without, others))
    assert np.median(moved) < 0.1
    assert np.quantile(moved, 0.95) < 0.4


@pytest.mark.slow
def test_the_seed_of_the_folds_moves_the_calibration_little() -> None:
    """Other folds, other resamples: a score of one in log10 means the same within a tenth."""
    kept = fitted().model.other <= 0.5
    gate = shipped().model.gate
    said = []
    for seed in (1, 2):
        splits = splits_of(prepared(), n_folds=4, seed=seed)
        fits = held_out_fits(prepared(), splits)
        evidence = held_out_candidates(prepared(), splits, fits, gate).evidence(0.0)
        times = resample(prepared().groups, n_resamples=2, seed=seed)
        calibration, _ = calibrate(prepared(), evidence, kept, read_config().evidence, times=times)
        said.append(calibration.apply(np.array([-1.0, 0.0, 1.0, 2.0]), np.log(500.0)))
    assert np.abs(said[0] - said[1]).max() < 0.1
