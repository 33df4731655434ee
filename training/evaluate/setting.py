"""What every measurement of a method on a package shares: trials, folds, from evidence to LRs, and their worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from kpfootprint.reference import ReferencePackage
from kpfootprint.stats import metrics
from kpfootprint.stats.arrays import Bools, Floats, Ints
from kpfootprint.stats.calibration import Calibration, Cases, told_apart
from kpfootprint.stats.ranks import NOVEL_P, highest_log10_lr
from training.calibrate import beside, turned_share
from training.evaluate.methods import FittedSplits, Method, Seen, held_out, n_stones_of, zone_codes, zones_of
from training.evaluate.trials import (
    Draws,
    ExportDay,
    Scores,
    Trials,
    cases_of,
    counted,
    draw_export_days,
    verification_scores,
    verification_trials,
)
from training.folds import fold_of_parcels
from training.prepare import turned_round
from training.record import Characteristic, NoveltyCell, Result

SEED = 20260501
N_FOLDS = 5
NEAREST = 80
"""Calibration parcels of about the same size that a p-value is ranked among."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A method, a package, and the trials on its parcels. `trusted` parcels do not seem to carry the wrong zone.

    The trials `turned` are those of a world in which the other zones were compliant: nothing is measured on them, and
    calibration learns from them to the worth of `turned_worth` parcels, see `training.calibrate`.
    """

    method: Method
    package: ReferencePackage
    days: tuple[ExportDay, ...]
    codes: Ints
    n_stones: Floats
    fold: Ints
    trusted: Bools
    trials: Trials
    turned: Trials
    turned_worth: float
    unlisted_weight: float

    @classmethod
    def of(
        cls,
        method: Method,
        package: ReferencePackage,
        left_out: Sequence[str] = (),
        *,
        unlisted_weight: float,
        turned: float,
    ) -> Setting:
        """Draw export days and folds, which depend on the package alone.

        Parcels in `left_out`, suspected to carry the wrong zone, are learnt from like any other, but neither
        calibrated by nor counted.
        """
        days = draw_export_days(package.zone_table, zones_of(package), rng=np.random.default_rng(SEED))
        codes = zone_codes(package)
        trusted = np.array([parcel.parcel_id not in set(left_out) for parcel in package.batch])
        trials = verification_trials(codes, days)
        others = turned_round(np.array([item.compliant for item in days]).reshape(len(days), len(zones_of(package))))
        turned_trials = verification_trials(codes, [ExportDay(days[0].day, compliant) for compliant in others])
        return cls(
            method=method,
            package=package,
            days=days,
            codes=codes,
            n_stones=n_stones_of(package.batch),
            fold=fold_of_parcels(package.zone_of, n_folds=N_FOLDS, seed=SEED),
            trusted=trusted,
            trials=trials.where(trusted[trials.parcel]),
            turned=turned_trials.where(trusted[turned_trials.parcel]),
            turned_worth=turned,
            unlisted_weight=unlisted_weight,
        )

    @property
    def n_zones(self) -> int:
        """Zones with reference parcels."""
        return len(zones_of(self.package))

    def scores(self, evidence: Floats, trials: Trials | None = None) -> Scores:
        """Return uncalibrated log10 scores of trials (the setting's own without any)."""
        trials = self.trials if trials is None else trials
        score = partial(
            verification_scores, unlisted_weight=self.unlisted_weight, alternatives=self.method.alternatives
        )
        told = np.broadcast_to(told_apart(evidence[:, :-1], self.method.offset_spread), len(evidence))
        return Scores(score(trials, evidence), score(trials, evidence, unlisted_source=True), told[trials.parcel])

    def calibration(self, evidence: Floats, learnt_from: Bools | None = None) -> Calibration:
        """Return what trials on trusted parcels teach, bounds and all, and beside them the question turned round.

        Parameters
        ----------
        learnt_from : ndarray of shape (n_parcels,), bool, optional
            Parcels to learn from; all of them without it.
        """

        def cases(trials: Trials) -> Cases:
            return cases_of(trials, self.scores(evidence, trials), self.n_stones, self.unlisted_weight)

        known = self.trials if learnt_from is None else self.trials.where(learnt_from[self.trials.parcel])
        turned = self.turned if learnt_from is None else self.turned.where(learnt_from[self.turned.parcel])
        found, share = cases(known), turned_share(self.turned_worth, int(self.trusted.sum()))
        if share and turned.of_both:
            found = beside(found, cases(turned), share)
        return Calibration.fit(found, trust=self.method.trust)

    def novelty_p(self, known: Floats, shown: Floats | None = None) -> Floats:
        """Return novelty p-values of trusted parcels, ranked among those of the other folds; NaN of all others.

        Parameters
        ----------
        known : ndarray of shape (n_parcels,)
            Strangeness, from fits that did not see the parcel.
        shown : ndarray of shape (n_parcels,), optional
            That of what was shown in place of each parcel (sieved, say), ranked among the parcels themselves.
        """
        p, ln_n = np.full(self.codes.size, np.nan), np.log(self.n_stones)
        asked = known if shown is None else shown
        for k in np.unique(self.fold[self.trusted]):
            inside, others = self.trusted & (self.fold == k), self.trusted & (self.fold != k)
            p[inside] = conformal_p(asked[inside], ln_n[inside], known[others], ln_n[others])
        return p

    def log10_lr(self, known: Seen, shown: tuple[Seen, Floats] | None = None) -> Floats:
        """Return bounded LRs (n_trials,), those of each fold's parcels calibrated on the trials of all other folds.

        Parameters
        ----------
        shown : (Seen, ndarray of shape (n_parcels,)), optional
            What was seen of parcels in place of the known ones, and their numbers of stones; these are calibrated, by
            the parcels as they were.
        """
        trials, scores = self.trials, self.scores(known[0])
        seen, n_stones = (scores, self.n_stones) if shown is None else (self.scores(shown[0][0]), shown[1])
        ln_n = np.log(np.maximum(n_stones[trials.parcel], 1.0))
        of_trial, log10_lr = self.fold[trials.parcel], np.empty_like(scores.asked)
        for k in np.unique(of_trial):
            inside = of_trial == k
            calibration = self.calibration(known[0], self.fold != k)
            log10_lr[inside] = seen.where(inside).log10_lr(calibration, ln_n[inside])
        if known[1] is None or not self.method.strong_novelty_p:
            return log10_lr
        return self.held(log10_lr, self.novelty_p(known[1], None if shown is None else shown[0][1]), trials)

    def held(self, log10_lr: Floats, novelty_p: Floats, trials: Trials) -> Floats:
        """Return LRs no higher than flagged parcels carry, where the method has that rule."""
        if not self.method.strong_novelty_p:
            return log10_lr
        return np.minimum(log10_lr, highest_log10_lr(novelty_p, self.method.strong_novelty_p)[trials.parcel])

    def results(
        self, fits: FittedSplits, *, conditions: str, characteristic: Characteristic, draws: Draws
    ) -> list[Result]:
        """Return what the LRs of the trials are worth, by fits that did not see their parcels."""
        log10_lr = self.log10_lr(held_out(fits, self.package.batch, self.n_zones))
        return verification_results(
            self.trials, log10_lr, draws=draws, conditions=conditions, characteristic=characteristic
        )


def conformal_p(score: Floats, ln_n: Floats, known: Floats, known_ln_n: Floats, *, nearest: int = NEAREST) -> Floats:
    """Return how rare a score this large is among calibration parcels of about the same size.

    ``p = (1 + number of calibration scores >= score) / (m + 1)`` over the `m` calibration parcels used, so no p-value
    is below ``1 / (m + 1)``, and p is at most 0.05 in at most 5 % of parcels that are exchangeable with them.

    Parameters
    ----------
    score, ln_n : ndarray of shape (n,)
        The larger, the stranger; log number of stones.
    known, known_ln_n : ndarray of shape (n_calibration,)
        The same of parcels known not to be strange.
    nearest : int
        Use so many calibration parcels, those nearest in ``ln n``; all where there are no more.

    References
    ----------
    Vovk, V., Gammerman, A., Shafer, G. (2005). Algorithmic Learning in a Random World, section 2.2.
    """
    nearest = min(nearest, known.size)
    order = np.argsort(known_ln_n, kind="stable")
    sizes, known = known_ln_n[order], known[order]
    # The nearest ones are a run of the sorted sizes; find where the run begins by comparing its two ends.
    begins = np.arange(sizes.size - nearest + 1)
    reach = np.maximum(np.abs(sizes[begins] - ln_n[:, None]), np.abs(sizes[begins + nearest - 1] - ln_n[:, None]))
    begin = np.argmin(reach, axis=1)
    at_least = (known[begin[:, None] + np.arange(nearest)] >= score[:, None]).sum(axis=1)
    out: Floats = (1.0 + at_least) / (nearest + 1)
    return out


def novelty_cell(kind: str, p: Floats) -> NoveltyCell:
    """Count the parcels that are flagged as like nothing in the reference."""
    return NoveltyCell(kind=kind, alpha=NOVEL_P, flagged=int((p <= NOVEL_P).sum()), trials=int(p.size))


def novelty_result(cell: NoveltyCell) -> Result:
    """Return the line of the validation table for a kind of parcels."""
    return counted("novelty", "flagged as novel", cell.kind, cell.flagged, cell.trials)


def _misleading(at: float, hypothesis: int) -> metrics.Statistic:
    return lambda h1, h2, **weights: metrics.misleading(h1, h2, at=at, **weights)[hypothesis]


STATISTICS: tuple[tuple[Characteristic, str, metrics.Statistic], ...] = (
    ("accuracy", "Cllr", metrics.cllr),
    ("discrimination", "AUC", metrics.auc),
    ("discrimination", "Cllr_min", metrics.cllr_min),
    ("discrimination", "true rejected at 5 % false", metrics.rejection_at),
    ("calibration", "Cllr_cal", metrics.cllr_cal),
    ("calibration", "true with LR < 1", _misleading(1, 0)),
    ("calibration", "false with LR > 1", _misleading(1, 1)),
    ("calibration", "true with LR < 1/10", _misleading(10, 0)),
    ("calibration", "false with LR > 10", _misleading(10, 1)),
    ("calibration", "true with LR < 1/100", _misleading(100, 0)),
    ("calibration", "false with LR > 100", _misleading(100, 1)),
)


def verification_results(
    trials: Trials,
    log10_lr: Floats,
    *,
    draws: Draws,
    conditions: str = "as collected",
    characteristic: Characteristic | None = None,
) -> list[Result]:
    """Return a row for each metric of verification, every zone weighing the same, with bootstrap limits over parcels.

    Parameters
    ----------
    conditions : str
        Which parcels these are, as it is to stand in tables ("size range missing", ...).
    characteristic : Characteristic, optional
        Performance characteristic in place of each metric's own ("robustness", "generalisation").
    """
    zone_weights = trials.zone_weights
    results: list[Result] = []
    for own, name, statistic in STATISTICS:

        def value(drawn: Floats, statistic: metrics.Statistic = statistic) -> float:
            return metrics.of_cases(statistic, log10_lr, trials.is_h1, zone_weights * drawn)

        results.append(
            draws.result(value, trials.parcel, trials.true_zone, named=(characteristic or own, name, conditions))
        )
    return results
