"""Methods beside the Bayes oracle, in a simulated world that is like the reference package but fully known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kpfootprint.reference import ReferencePackage
from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.intervals import ConfidenceInterval
from training.evaluate.methods import Method, fit_splits, held_out, n_stones_of, zone_codes, zones_of
from training.evaluate.setting import SEED, Setting
from training.evaluate.trials import (
    Draws,
    draw_export_days,
    verification_scores,
    verification_trials,
)
from training.evaluate.verification import verification_results
from training.folds import folds
from training.peers.oracle import DirichletWorld, excess_cost
from training.record import Evaluation

CONDITIONS = "simulated world"


def measure_beside_oracle(
    methods: Sequence[Method],
    package: ReferencePackage,
    *,
    unlisted_weight: float,
    n_reference: int = 20,
    n_tested: int = 30,
    n_resamples: int = 300,
) -> tuple[list[Evaluation], list[tuple[str, float, ConfidenceInterval]]]:
    """Draw a reference and fresh parcels of the same zones, let each method learn from the one and judge the other.

    Methods are calibrated by their own folds of the reference; the oracle needs neither learning nor calibration.

    Parameters
    ----------
    n_reference, n_tested : int
        Parcels of each zone to learn from and to test on.

    Returns
    -------
    evaluations : list of Evaluation
        Metrics of each method, and last of the oracle.
    excess : list of (name, float, ConfidenceInterval)
        Cllr of each method less that of the oracle.
    """
    rng = np.random.default_rng(SEED)
    draws = Draws(rng, n_resamples)
    world = DirichletWorld.like(package)
    reference, fresh = world.draw(n_reference, rng=rng), world.draw(n_tested, rng=rng)
    days = draw_export_days(package.zone_table, zones_of(package), rng=np.random.default_rng(SEED))
    tested, sizes = verification_trials(zone_codes(fresh), days), np.log(n_stones_of(fresh.batch))
    oracle = verification_scores(tested, world.evidence(fresh.batch), unlisted_weight=unlisted_weight)

    def record(name: str, log10_lr: Floats) -> Evaluation:
        results = tuple(verification_results(tested, log10_lr, draws=draws, conditions=CONDITIONS))
        return Evaluation(release=name, reference={"name": reference.name}, quick=False, results=results)

    evaluations: list[Evaluation] = []
    excess: list[tuple[str, float, ConfidenceInterval]] = []
    for method in methods:
        setting = Setting.of(method, reference, unlisted_weight=unlisted_weight)
        own = held_out(fit_splits(method, reference, folds(setting.fold)), reference.batch, setting.n_zones)[0]
        calibration = setting.calibration(setting.trials, setting.scores(own))
        fitted = method.fit(reference, np.arange(len(reference.batch)))
        said = setting.scores(fitted.evidence(fresh.batch), tested)
        log10_lr = calibration.bounded(calibration.apply(said.asked, sizes[tested.parcel], said.told))
        evaluations.append(record(method.name, log10_lr))
        excess.append((method.name, *excess_cost(tested, log10_lr, oracle, rng=rng, n_resamples=n_resamples)))
    evaluations.append(record("Bayes oracle", oracle))
    return evaluations, excess
