"""The limit: a simulated world whose own likelihood is known, the Bayes oracle that knows it, and methods beside it.

Nothing may beat the oracle beyond chance; what seems to has seen what it should not have seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kpfootprint.parcel import Batch, Parcel
from kpfootprint.reference import ReferencePackage
from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.intervals import ConfidenceInterval, bootstrap_over_parcels
from kpfootprint.stats.metrics import cllr, of_cases
from kpfootprint.stats.tables import log_dirichlet_multinomial
from training.evaluate.methods import Method, fit_splits, held_out, n_stones_of, zone_codes, zones_of
from training.evaluate.setting import SEED, Setting, verification_results
from training.evaluate.trials import Draws, Trials, verification_scores, verification_trials
from training.evaluate.worlds import drawn_package, drawn_parcel
from training.folds import folds
from training.peers.tables import Tables, tables_of
from training.record import Evaluation

CONDITIONS = "simulated world"


@dataclass(frozen=True, slots=True, kw_only=True)
class DirichletWorld:
    """Zones whose parcels are Dirichlet-multinomial: every parcel draws its own shares around those of its zone.

    Parameters
    ----------
    package : ReferencePackage
        Where scheme, zones and status come from.
    size : ndarray of shape (n_zones, n_sizes)
        Dirichlet parameters of the size classes.
    by_size : tuple of ndarray of shape (n_zones, n_sizes, n_classes)
        Dirichlet parameters of each attribute's classes within each size class.
    """

    package: ReferencePackage
    size: Floats
    by_size: tuple[Floats, ...]

    @classmethod
    def like(cls, package: ReferencePackage, *, concentration: float = 80.0) -> DirichletWorld:
        """Make a world around the pooled shares of a package's zones.

        Parameters
        ----------
        concentration : float
            Sum of the Dirichlet parameters of each table: the smaller, the more parcels of a zone differ.
        """
        if not concentration > 0:
            raise ValueError(f"concentration must be positive, got {concentration}")
        tables, codes = tables_of(package.batch, package.scheme), zone_codes(package)

        def shares(counts: Floats) -> Floats:
            pooled = np.stack([counts[codes == z].sum(axis=0) for z in range(codes.max() + 1)])
            pooled = pooled + 1.0 + 0.05 * pooled.sum(axis=1, keepdims=True) / pooled.shape[1]
            return np.asarray(concentration * pooled / pooled.sum(axis=-1, keepdims=True), dtype=np.float64)

        return cls(package=package, size=shares(tables.size), by_size=tuple(map(shares, tables.by_size.values())))

    def draw(self, n_each: int, *, rng: np.random.Generator, median_stones: float = 300.0) -> ReferencePackage:
        """Draw a package of `n_each` parcels of every zone; sizes are lognormal, weights even within a size class."""
        zones = zones_of(self.package)
        parcels, zone_of = [], []
        for z, zone in enumerate(zones):
            for k in range(n_each):
                n = int(np.clip(np.exp(rng.normal(np.log(median_stones), 0.8)), 40, 4000))
                parcels.append(self._parcel(f"{zone}-{k:03}", z, n, rng))
                zone_of.append(zone)
        return drawn_package(self.package, f"{self.package.name}-dirichlet-world", parcels, zone_of)

    def _parcel(self, name: str, zone: int, n: int, rng: np.random.Generator) -> Parcel:
        sieve_set, attributes = self.package.scheme.size.sieve_set, self.package.scheme.categorical
        lower = np.maximum(np.array(sieve_set.lower_ct), 0.01)
        upper = np.where(np.isinf(sieve_set.upper_ct), 1.5 * lower, sieve_set.upper_ct)
        band = rng.choice(lower.size, n, p=rng.dirichlet(self.size[zone]))
        codes: dict[str, NDArray[np.int16]] = {}
        for attribute, parameters in zip(attributes, self.by_size, strict=True):
            chances = np.stack([rng.dirichlet(row) for row in parameters[zone]])
            passed = np.cumsum(chances, axis=1)[band] < rng.uniform(size=(n, 1))
            codes[attribute.name] = np.minimum(passed.sum(axis=1), chances.shape[1] - 1).astype(np.int16)
        weight = lower[band] + rng.uniform(0.02, 0.98, n) * (upper - lower)[band]
        return drawn_parcel(name, weight, codes)

    def log_likelihood(self, tables: Tables) -> Floats:
        """Return the exact ln likelihood of each parcel's counts under each zone, shape (n_parcels, n_zones).

        Up to a constant of the parcel, which is the same for all zones.
        """
        total = log_dirichlet_multinomial(tables.size, self.size)
        for counts, parameters in zip(tables.by_size.values(), self.by_size, strict=True):
            for s in range(parameters.shape[1]):
                total += log_dirichlet_multinomial(counts[:, s], parameters[:, s])
        return total

    def evidence(self, batch: Batch) -> Floats:
        """Return what the oracle says: the likelihood, and -inf for the unlisted zone that does not exist here."""
        found = self.log_likelihood(tables_of(batch, self.package.scheme))
        return np.concatenate([found, np.full((len(found), 1), -np.inf)], axis=1)


def excess_cost(
    trials: Trials, log10_lr: Floats, oracle: Floats, *, rng: np.random.Generator, n_resamples: int = 300
) -> tuple[float, ConfidenceInterval]:
    """Return Cllr of a method less that of the oracle, on the same trials, with its interval over parcels.

    Were the whole interval below 0, the method would know what it cannot know.
    """
    weights = trials.zone_weights

    def excess(drawn: Floats) -> float:
        own, best = (of_cases(cllr, lr, trials.is_h1, weights * drawn) for lr in (log10_lr, oracle))
        return own - best

    limits = bootstrap_over_parcels(excess, trials.parcel, rng=rng, strata=trials.true_zone, n_resamples=n_resamples)
    return excess(np.ones(weights.size)), limits


def measure_beside_oracle(
    methods: Sequence[Method],
    package: ReferencePackage,
    *,
    unlisted_weight: float,
    turned: float,
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
    settings = [Setting.of(method, reference, unlisted_weight=unlisted_weight, turned=turned) for method in methods]
    tested = verification_trials(zone_codes(fresh), settings[0].days)
    sizes = np.log(n_stones_of(fresh.batch))
    oracle = verification_scores(tested, world.evidence(fresh.batch), unlisted_weight=unlisted_weight)

    def record(name: str, log10_lr: Floats) -> Evaluation:
        results = tuple(verification_results(tested, log10_lr, draws=draws, conditions=CONDITIONS))
        return Evaluation(release=name, reference={"name": reference.name}, quick=False, results=results)

    evaluations: list[Evaluation] = []
    excess: list[tuple[str, float, ConfidenceInterval]] = []
    for method, setting in zip(methods, settings, strict=True):
        own = held_out(fit_splits(method, reference, folds(setting.fold)), reference.batch, setting.n_zones)[0]
        calibration = setting.calibration(own)
        fitted = method.fit(reference, np.arange(len(reference.batch)))
        said = setting.scores(fitted.seen(fresh.batch)[0], tested)
        log10_lr = said.log10_lr(calibration, sizes[tested.parcel])
        evaluations.append(record(method.name, log10_lr))
        excess.append((method.name, *excess_cost(tested, log10_lr, oracle, rng=rng, n_resamples=n_resamples)))
    evaluations.append(record("Bayes oracle", oracle))
    return evaluations, excess
