"""Peers that unmix: multinomial EM, and Monte Carlo mixtures scored by KS distance. Share of undeclared stones."""

from __future__ import annotations

import numpy as np
from scipy.stats import chi2

from kpfootprint.stats.arrays import Floats, Ints
from kpfootprint.stats.intervals import ENDS, LEVEL
from training.evaluate.mixtures import Shares
from training.peers.distances import by_zone, shares
from training.peers.tables import Tables, Unmixer

GRID = np.linspace(0.0, 1.0, 41)
N_STEPS = 60


class MultinomialEM(Unmixer):
    """Maximum likelihood shares of all zones, as if stones were drawn one by one from their pooled tables.

    The interval and the p-value come from the profile likelihood and its chi-square limit.
    """

    name = "multinomial EM"

    def learn(self, tables: Tables, zone: Ints, n_zones: int) -> None:
        """Pool each zone's cells: size by class, averaged over the attributes given size."""
        self.pooled_ = []
        for counts in tables.cells:
            pooled = np.stack([rows.sum(axis=0) for rows in by_zone(counts, zone, n_zones)]) + 0.5
            self.pooled_.append(pooled / pooled.sum(axis=1, keepdims=True))

    def unmix(self, tables: Tables, declared: Ints) -> Shares:
        """Profile the likelihood over the undeclared share of each parcel."""
        limit = float(chi2.ppf(LEVEL, 1)) / 2
        rows: list[tuple[float, float, float, float]] = []
        for i, own in enumerate(declared):
            profile = self._profile([counts[i] for counts in tables.cells], int(own))
            inside = GRID[profile >= profile.max() - limit]
            p = float(chi2.sf(2 * (profile.max() - profile[0]), 1))
            rows.append((float(GRID[profile.argmax()]), float(inside[0]), float(inside[-1]), p))
        return Shares(*np.array(rows).T)

    def _profile(self, counts: list[Floats], own: int) -> Floats:
        """Best log likelihood at each undeclared share, over the shares of the other zones (EM for all at once)."""
        n_zones = len(self.pooled_[0])
        others = np.array([z for z in range(n_zones) if z != own])
        weights = np.full((GRID.size, others.size), 1.0 / others.size)
        for step in range(N_STEPS + 1):
            log_likelihood = np.zeros(GRID.size)
            gained = np.zeros_like(weights)
            for cells, pooled in zip(counts, self.pooled_, strict=True):
                foreign = weights @ pooled[others]
                mixed = (1 - GRID[:, None]) * pooled[own] + GRID[:, None] * foreign
                log_likelihood += np.log(mixed) @ cells
                gained += (cells / mixed) @ pooled[others].T
            if step == N_STEPS:
                break
            weights = weights * gained + 1e-12
            weights /= weights.sum(axis=1, keepdims=True)
        return log_likelihood


class MonteCarloKS(Unmixer):
    """Random mixtures of the zones, the closest kept, as in unmixing of detrital ages.

    Each mixture is compared by the largest difference of cumulated shares, on average over attributes. The estimate is
    the mean undeclared share of the best one per cent, its limits their quantiles; the p-value is the share of these
    that hold (almost) nothing undeclared.

    References
    ----------
    Sundell, K. and Saylor, J. (2017). Unmixing detrital geochronology age distributions. Geochemistry, Geophysics,
    Geosystems 18, 2872-2886.
    """

    name = "Monte Carlo KS unmixing"
    n_mixtures = 4000
    seed = 0

    def learn(self, tables: Tables, zone: Ints, n_zones: int) -> None:
        """Cumulate each zone's pooled shares."""
        self.cumulated_ = []
        for margin in tables.margins:
            pooled = np.stack([rows.sum(axis=0) for rows in by_zone(margin, zone, n_zones)])
            self.cumulated_.append(np.cumsum(shares(pooled), axis=1))

    def unmix(self, tables: Tables, declared: Ints) -> Shares:
        """Draw mixtures for each declared zone: a uniform undeclared share of up to two other zones."""
        rng = np.random.default_rng(self.seed)
        n_zones = len(self.cumulated_[0])
        observed = [np.cumsum(shares(margin), axis=1) for margin in tables.margins]
        rows: list[tuple[float, float, float, float]] = []
        for i, own in enumerate(declared):
            others = np.array([z for z in range(n_zones) if z != own])
            undeclared = rng.uniform(size=self.n_mixtures)
            first, second = rng.choice(others, self.n_mixtures), rng.choice(others, self.n_mixtures)
            part = rng.uniform(size=self.n_mixtures)
            distance = np.zeros(self.n_mixtures)
            for known, seen in zip(self.cumulated_, observed, strict=True):
                foreign = part[:, None] * known[first] + (1 - part[:, None]) * known[second]
                mixed = (1 - undeclared[:, None]) * known[own] + undeclared[:, None] * foreign
                distance += np.abs(mixed - seen[i]).max(axis=1)
            best = undeclared[np.argsort(distance)[: self.n_mixtures // 100]]
            low, high = np.quantile(best, ENDS)
            rows.append((float(best.mean()), float(low), float(high), float(np.mean(best <= 0.05))))
        return Shares(*np.array(rows).T)
