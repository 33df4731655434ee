"""What every measurement of a method on a package shares: trials, folds, and from evidence to bounded LRs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kpfootprint.reference import ReferencePackage
from kpfootprint.stats.arrays import Bools, Floats, Ints
from kpfootprint.stats.calibration import Calibration
from kpfootprint.stats.novelty import highest_log10_lr
from training.evaluate.methods import FittedSplits, Method, held_out, n_stones_of, zone_codes, zones_of
from training.evaluate.novelty import p_values_across_folds
from training.evaluate.trials import Draws, ExportDay, Scores, Trials, cases_of, draw_export_days, verification_trials
from training.evaluate.verification import calibrated_across_folds, verification_results
from training.folds import fold_of_parcels
from training.record import Result

SEED = 20260501
N_FOLDS = 5

Seen = tuple[Floats, Floats | None]
"""Evidence (n_parcels, n_zones + 1) and strangeness (n_parcels,) of every parcel, from `held_out`."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A method, a package, and the trials on its parcels. `trusted` parcels do not seem to carry the wrong zone."""

    method: Method
    package: ReferencePackage
    days: tuple[ExportDay, ...]
    codes: Ints
    n_stones: Floats
    fold: Ints
    trusted: Bools
    trials: Trials
    unlisted_weight: float

    @classmethod
    def of(
        cls, method: Method, package: ReferencePackage, left_out: Sequence[str] = (), *, unlisted_weight: float
    ) -> Setting:
        """Draw export days and folds, which depend on the package alone; `left_out` names parcels not trusted."""
        days = draw_export_days(package.zone_table, zones_of(package), rng=np.random.default_rng(SEED))
        codes = zone_codes(package)
        trusted = np.array([parcel.parcel_id not in set(left_out) for parcel in package.batch])
        trials = verification_trials(codes, days)
        return cls(
            method=method,
            package=package,
            days=days,
            codes=codes,
            n_stones=n_stones_of(package.batch),
            fold=fold_of_parcels(package.zone_of, n_folds=min(N_FOLDS, len(package.zone_of)), seed=SEED),
            trusted=trusted,
            trials=trials.where(trusted[trials.parcel]),
            unlisted_weight=unlisted_weight,
        )

    @property
    def n_zones(self) -> int:
        """Zones with reference parcels."""
        return len(zones_of(self.package))

    def scores(self, evidence: Floats, trials: Trials | None = None) -> Scores:
        """Return uncalibrated log10 scores of trials (the setting's own without any)."""
        asked = self.trials if trials is None else trials
        return Scores.of(
            asked,
            evidence,
            unlisted_weight=self.unlisted_weight,
            alternatives=self.method.alternatives,
            offset_spread=self.method.offset_spread,
        )

    def calibration(self, trials: Trials, scores: Scores) -> Calibration:
        """Return what the trials teach, bounds and all."""
        return Calibration.fit(cases_of(trials, scores, self.n_stones, self.unlisted_weight), trust=self.method.trust)

    def novelty_p(self, known: Floats, shown: Floats | None = None) -> Floats:
        """Return novelty p-values of parcels (or of what was shown in their place) among trusted ones; else NaN."""
        p = np.full(self.codes.size, np.nan)
        rows = self.trusted
        asked = None if shown is None else shown[rows]
        p[rows] = p_values_across_folds(known[rows], self.n_stones[rows], self.fold[rows], asked)
        return p

    def log10_lr(self, known: Seen, shown: tuple[Seen, Floats] | None = None) -> Floats:
        """Return bounded LRs of the trials, each calibrated on the other folds.

        Parameters
        ----------
        shown : (Seen, ndarray of shape (n_parcels,)), optional
            What was seen of parcels in place of the known ones, and their numbers of stones.
        """
        scores = self.scores(known[0])
        asked = None if shown is None else (self.scores(shown[0][0]), shown[1])
        log10_lr = calibrated_across_folds(
            self.trials,
            scores,
            self.fold,
            self.n_stones,
            unlisted_weight=self.unlisted_weight,
            trust=self.method.trust,
            shown=asked,
        )
        strange = None if shown is None else shown[0][1]
        if self.method.held_by_novelty and known[1] is not None:
            log10_lr = self.held(log10_lr, self.novelty_p(known[1], strange), self.trials)
        return log10_lr

    def results(self, fits: FittedSplits, *, conditions: str, characteristic: str, draws: Draws) -> list[Result]:
        """Return what the LRs of the trials are worth, by fits that did not see their parcels."""
        return verification_results(
            self.trials,
            self.log10_lr(held_out(fits, self.package.batch, self.n_zones)),
            draws=draws,
            conditions=conditions,
            characteristic=characteristic,
        )

    def held(self, log10_lr: Floats, novelty_p: Floats, trials: Trials) -> Floats:
        """Return LRs no higher than flagged parcels carry, where the method has that rule."""
        if not self.method.held_by_novelty:
            return log10_lr
        return np.minimum(log10_lr, highest_log10_lr(novelty_p)[trials.parcel])
