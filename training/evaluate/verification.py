"""Calibrated LRs of trials across folds, and what they are worth: a row for every metric."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kpfootprint.stats import metrics
from kpfootprint.stats.arrays import Floats, Ints
from kpfootprint.stats.calibration import Calibration
from training.evaluate.trials import Draws, Scores, Trials, cases_of
from training.record import Result

Statistic = Callable[..., float]


def calibrated_across_folds(
    trials: Trials,
    scores: Scores,
    fold: Ints,
    n_stones: Floats,
    *,
    unlisted_weight: float,
    trust: float,
    shown: tuple[Scores, Floats] | None = None,
) -> Floats:
    """Calibrate the trials of each fold's parcels on those of all other folds, every zone weighing the same.

    Parameters
    ----------
    scores : Scores of n_trials
        From fits that did not see the parcel.
    fold, n_stones : ndarray of shape (n_parcels,)
        Of each parcel.
    trust : float
        Parcels' worth of belief that scores are log10 LRs already, see `Calibration.fit`.
    shown : (Scores of n_trials, ndarray of shape (n_parcels,)), optional
        Scores and numbers of stones of what was shown in place of the parcels (sieved ones, say): these are
        calibrated, by the parcels as they were.

    Returns
    -------
    ndarray of shape (n_trials,)
        log10 LRs, within the bounds that the cases of the other folds carry.
    """
    log10_lr = np.empty_like(scores.asked)
    seen, asked_n_stones = (scores, n_stones) if shown is None else shown
    ln_n = np.log(np.maximum(asked_n_stones[trials.parcel], 1.0))
    of_trial = fold[trials.parcel]
    for k in np.unique(of_trial):
        inside = of_trial == k
        cases = cases_of(trials.where(~inside), scores.where(~inside), n_stones, unlisted_weight)
        calibration = Calibration.fit(cases, trust=trust)
        log10_lr[inside] = calibration.bounded(calibration.apply(seen.asked[inside], ln_n[inside], seen.told[inside]))
    return log10_lr


STATISTICS: tuple[tuple[str, str, Statistic], ...] = (
    ("accuracy", "Cllr", metrics.cllr),
    ("discrimination", "AUC", metrics.auc),
    ("discrimination", "Cllr_min", metrics.cllr_min),
    ("discrimination", "EER", metrics.eer),
    ("discrimination", "true rejected at 5 % false", metrics.rejection_at),
    ("calibration", "Cllr_cal", metrics.cllr_cal),
)


def _misleading(at: float, hypothesis: str) -> Statistic:
    def rate(h1: Floats, h2: Floats, *, weights_h1: Floats, weights_h2: Floats) -> float:
        (found,) = metrics.misleading_rates(h1, h2, (at,), weights_h1=weights_h1, weights_h2=weights_h2)
        return float(getattr(found, hypothesis))

    return rate


def _statistics() -> list[tuple[str, str, Statistic]]:
    rates = [
        ("calibration", f"{label} with LR {sign}", _misleading(at, hypothesis))
        for at in (1, 10, 100)
        for hypothesis, label, sign in (("h1", "true", f"< 1/{at}" if at > 1 else "< 1"), ("h2", "false", f"> {at}"))
    ]
    return [*STATISTICS, *rates]


def verification_results(
    trials: Trials,
    log10_lr: Floats,
    *,
    draws: Draws,
    conditions: str = "as collected",
    characteristic: str | None = None,
) -> list[Result]:
    """Return a row for each metric of verification, every zone weighing the same, with bootstrap limits over parcels.

    Parameters
    ----------
    conditions : str
        Which parcels these are, as it is to stand in tables ("size range missing", ...).
    characteristic : str, optional
        Performance characteristic in place of each metric's own ("robustness", "generalisation").
    """
    h1 = trials.is_h1
    zone_weights = trials.zone_weights
    results: list[Result] = []
    for own, name, statistic in _statistics():

        def value(drawn: Floats, statistic: Statistic = statistic) -> float:
            weights = zone_weights * drawn
            return statistic(log10_lr[h1], log10_lr[~h1], weights_h1=weights[h1], weights_h2=weights[~h1])

        results.append(
            draws.result(value, trials.parcel, trials.true_zone, named=(characteristic or own, name, conditions))
        )
    return results
