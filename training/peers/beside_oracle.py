"""Methods beside the Bayes oracle, in a simulated world that is like the reference package but fully known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kpfootprint.reference import ReferencePackage
from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.calibration import Calibration
from kpfootprint.stats.intervals import ConfidenceInterval
from training.evaluate.methods import Method, fit_splits, held_out, n_stones_of, zone_codes, zones_of
from training.evaluate.setting import N_FOLDS, SEED
from training.evaluate.trials import (
    Draws,
    Scores,
    Trials,
    cases_of,
    draw_export_days,
    verification_scores,
    verification_trials,
)
from training.evaluate.verification import verification_results
from training.folds import fold_of_parcels, folds
from training.peers.oracle import DirichletWorld, excess_cost
from training.record import Evaluation, Result

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
    known, tested = verification_trials(zone_codes(reference), days), verification_trials(zone_codes(fresh), days)
    n_known, n_fresh = n_stones_of(reference.batch), n_stones_of(fresh.batch)
    oracle = verification_scores(tested, world.evidence(fresh.batch), unlisted_weight=unlisted_weight)
    fold = fold_of_parcels(reference.zone_of, n_folds=N_FOLDS, seed=SEED)

    def record(name: str, results: Sequence[Result]) -> Evaluation:
        return Evaluation(release=name, reference={"name": reference.name}, quick=False, results=tuple(results))

    evaluations: list[Evaluation] = []
    excess: list[tuple[str, float, ConfidenceInterval]] = []
    for method in methods:
        own = held_out(fit_splits(method, reference, folds(fold)), reference.batch, len(zones_of(package)))[0]

        def scored(trials: Trials, evidence: Floats, method: Method = method) -> Scores:
            return Scores.of(
                trials,
                evidence,
                unlisted_weight=unlisted_weight,
                alternatives=method.alternatives,
                offset_spread=method.offset_spread,
            )

        scores = scored(known, own)
        cases = cases_of(known, scores, n_known, unlisted_weight)
        calibration = Calibration.fit(cases, trust=method.trust)
        fitted = method.fit(reference, np.arange(len(reference.batch)))
        said = scored(tested, fitted.evidence(fresh.batch))
        log10_lr = calibration.bounded(calibration.apply(said.asked, np.log(n_fresh[tested.parcel]), said.told))
        results = verification_results(tested, log10_lr, draws=draws, conditions=CONDITIONS)
        evaluations.append(record(method.name, results))
        excess.append((method.name, *excess_cost(tested, log10_lr, oracle, rng=rng, n_resamples=n_resamples)))
    results = verification_results(tested, oracle, draws=draws, conditions=CONDITIONS)
    evaluations.append(record("Bayes oracle", results))
    return evaluations, excess
