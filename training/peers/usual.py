"""The usual methods: distances to a zone's reference parcels, probabilities of zones, and two that unmix.

Distances are KS, chi-square and that to the nearest centroid; probabilities those of multinomials, LDA, logistic
regression and a random forest; undeclared shares are unmixed by multinomial EM and by Monte Carlo mixtures.
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp
from scipy.stats import chi2

from kpfootprint.stats.arrays import Floats, Ints
from kpfootprint.stats.intervals import ENDS, LEVEL
from kpfootprint.stats.tables import fit_table, log_dirichlet_multinomial
from training.evaluate.mixtures import Shares
from training.evaluate.trials import Alternatives
from training.peers.tables import Peer, Tables, Unmixer

PSEUDOCOUNT = 0.5
"""Stones that are added to a parcel's every class, so that every share has a logarithm."""


def shares(counts: Floats) -> Floats:
    """Return counts as shares of each parcel; a parcel without any gets equal shares."""
    total = counts.sum(axis=1, keepdims=True)
    return np.asarray(np.where(total > 0, counts / np.maximum(total, 1.0), 1.0 / counts.shape[1]), dtype=np.float64)


def clr(counts: Floats) -> Floats:
    """Return centred log ratios of smoothed shares, shape (n_parcels, n_classes); each row sums to 0."""
    logs = np.log(counts + PSEUDOCOUNT)
    centred: Floats = logs - logs.mean(axis=1, keepdims=True)
    return centred


def clr_features(tables: Tables) -> Floats:
    """Return centred log ratios of size and of each attribute within bands of size, side by side."""
    return np.concatenate([clr(counts) for counts in tables.cells], axis=1)


def by_zone(values: Floats, zone: Ints, n_zones: int) -> list[Floats]:
    """Return the rows of each zone; a zone without any gets all rows, so that it stands for no zone in particular."""
    return [values[zone == z] if (zone == z).any() else values for z in range(n_zones)]


def pooled(counts: Floats, zone: Ints, n_zones: int) -> Floats:
    """Return the counts of each zone's parcels together, as (n_zones, n_classes)."""
    return np.stack([rows.sum(axis=0) for rows in by_zone(counts, zone, n_zones)])


def pooled_shares(counts: Floats, zone: Ints, n_zones: int) -> Floats:
    """Return the smoothed shares of each zone's parcels together, as (n_zones, n_classes)."""
    together = pooled(counts, zone, n_zones) + PSEUDOCOUNT
    out: Floats = together / together.sum(axis=1, keepdims=True)
    return out


class KolmogorovSmirnov(Peer):
    """KS distance between cumulated shares, as in the analytical fingerprint of ores.

    The distance of two parcels is the largest difference of their cumulated shares, on average over attributes; that
    of a parcel and a zone is the median over the zone's reference parcels. The score is minus that distance.

    References
    ----------
    Gäbler, H.-E., Schink, W., Gawronski, T. (2020). Data evaluation for cassiterite and coltan fingerprinting.
    Minerals 10, 926.
    """

    name = "KS distance, nearest alternative"
    alternatives: Alternatives = "nearest"

    def learn(self, tables: Tables, zone: Ints, n_zones: int) -> None:
        """Keep the cumulated shares of the reference parcels, by zone."""
        self.references_ = [by_zone(np.cumsum(shares(m), axis=1), zone, n_zones) for m in tables.margins]

    def score(self, tables: Tables) -> Floats:
        """Return minus the median distance, shape (n_parcels, n_zones)."""
        distance = np.zeros((len(tables.size), len(self.references_[0])))
        for margin, references in zip(tables.margins, self.references_, strict=True):
            own = np.cumsum(shares(margin), axis=1)
            distance += np.stack(
                [np.median(np.abs(own[:, None] - known[None]).max(axis=2), axis=1) for known in references], axis=1
            )
        return -distance / len(self.references_)


class ChiSquare(Peer):
    """Chi-square of homogeneity between a parcel and the pooled parcels of a zone, by its degrees of freedom.

    Added up over size and each attribute within bands of size; the score is minus the root of chi-square per stone and
    degree of freedom, which takes out most of its growth with the number of stones.
    """

    name = "chi-square homogeneity"
    alternatives: Alternatives = "nearest"

    def learn(self, tables: Tables, zone: Ints, n_zones: int) -> None:
        """Add up the reference parcels of each zone."""
        self.pooled_ = [pooled(counts, zone, n_zones) for counts in tables.cells]

    def score(self, tables: Tables) -> Floats:
        """Return the negative root statistic, shape (n_parcels, n_zones)."""
        statistic = np.zeros((len(tables.size), len(self.pooled_[0])))
        freedom = np.zeros_like(statistic)
        for counts, known in zip(tables.cells, self.pooled_, strict=True):
            both = counts[:, None] + known[None]
            n, m = counts.sum(axis=1)[:, None, None], known.sum(axis=1)[None, :, None]
            used = (both > 0) & (n * m > 0)  # what nobody recorded on one side says nothing
            ratio = np.sqrt(np.maximum(m, 1.0) / np.maximum(n, 1.0))
            cell = np.where(used, (ratio * counts[:, None] - known[None] / ratio) ** 2, 0.0)
            statistic += (cell / np.maximum(both, 1.0)).sum(axis=2)
            freedom += np.maximum(used.sum(axis=2) - 1, 0)
        return -np.sqrt(statistic / np.maximum(freedom, 1.0))


class NearestCentroid(Peer):
    """Distance of centred log ratios to the mean of a zone, every ratio by its spread within zones."""

    name = "nearest clr centroid"
    alternatives: Alternatives = "nearest"

    def learn(self, tables: Tables, zone: Ints, n_zones: int) -> None:
        """Take the mean of each zone and the pooled spread about it."""
        features = clr_features(tables)
        groups = by_zone(features, zone, n_zones)
        self.centroids_ = np.stack([rows.mean(axis=0) for rows in groups])
        self.spread_ = np.sqrt(np.mean((features - self.centroids_[zone]) ** 2, axis=0)) + 1e-9

    def score(self, tables: Tables) -> Floats:
        """Return minus the distance, shape (n_parcels, n_zones)."""
        delta = (clr_features(tables)[:, None] - self.centroids_[None]) / self.spread_
        return np.asarray(-np.sqrt((delta**2).mean(axis=2)), dtype=np.float64)


FLOOR = 1e-4
"""Smallest probability that a classifier's answer is taken for."""


class Multinomial(Peer):
    """Log likelihood of the counts under each zone's pooled shares, as if stones were drawn one by one.

    Parcels of one zone vary more than that, so it grows too sure with the number of stones.
    """

    name = "multinomial likelihood ratio"

    def learn(self, tables: Tables, zone: Ints, n_zones: int) -> None:
        """Pool the shares of each zone: sizes, and classes within bands of size."""
        self.log_shares_ = [np.log(pooled_shares(counts, zone, n_zones)) for counts in tables.cells]

    def score(self, tables: Tables) -> Floats:
        """Return ln likelihoods, shape (n_parcels, n_zones), up to a constant of each parcel."""
        parts = [counts @ logs.T for counts, logs in zip(tables.cells, self.log_shares_, strict=True)]
        return np.asarray(sum(parts), dtype=np.float64)


class DirichletMultinomial(Peer):
    """Log likelihood under Dirichlet-multinomials of size and of each attribute, parcels of a zone varying.

    One precision an attribute by leaving each parcel out, zone means shrunk to the grand mean; see
    `kpfootprint.stats.tables`. As a peer it knows no unlisted zone.
    """

    name = "Dirichlet-multinomial"

    def learn(self, tables: Tables, zone: Ints, n_zones: int) -> None:
        """Fit a table to each margin."""
        fitted = [fit_table(counts, zone, n_zones) for counts in tables.margins]
        self.parameters_ = [table.shares * (1.0 / table.variance()[:-1] - 1.0)[:, None] for table in fitted]

    def score(self, tables: Tables) -> Floats:
        """Return ln likelihoods, shape (n_parcels, n_zones), up to a constant of each parcel."""
        parts = [log_dirichlet_multinomial(x, a) for x, a in zip(tables.margins, self.parameters_, strict=True)]
        return np.asarray(sum(parts), dtype=np.float64)


class LinearDiscriminant(Peer):
    """Gaussian of centred log ratios around each zone's mean, with one covariance shrunk after Ledoit and Wolf."""

    name = "LDA on clr"
    says_strange = True

    def learn(self, tables: Tables, zone: Ints, n_zones: int) -> None:
        """Take the means of the zones and the pooled, shrunk covariance."""
        from sklearn.covariance import ledoit_wolf

        features = clr_features(tables)
        self.means_ = np.stack([rows.mean(axis=0) for rows in by_zone(features, zone, n_zones)])
        self.scale_ = features.std(axis=0) + 1e-9
        covariance, _ = ledoit_wolf((features - self.means_[zone]) / self.scale_, assume_centered=True)
        self.precision_ = np.linalg.inv(covariance)

    def score(self, tables: Tables) -> Floats:
        """Return ln densities up to a constant, shape (n_parcels, n_zones)."""
        delta = (clr_features(tables)[:, None] - self.means_[None]) / self.scale_
        return np.asarray(-0.5 * np.einsum("pzf,fg,pzg->pz", delta, self.precision_, delta), dtype=np.float64)


class LogisticRegression(Peer):
    """Multinomial logistic regression on centred log ratios, zones weighing the same."""

    name = "logistic regression on clr"

    def learn(self, tables: Tables, zone: Ints, n_zones: int) -> None:
        """Fit with a ridge penalty on standardised ratios."""
        from sklearn.linear_model import LogisticRegression as Regression

        features = clr_features(tables)
        self.centre_, self.scale_ = features.mean(axis=0), features.std(axis=0) + 1e-9
        self.regression_ = Regression(C=0.1, class_weight="balanced", max_iter=2000)
        self.regression_.fit((features - self.centre_) / self.scale_, zone)
        self.n_zones_ = n_zones

    def score(self, tables: Tables) -> Floats:
        """Return ln probabilities under equal priors, shape (n_parcels, n_zones)."""
        chances = self.regression_.predict_proba((clr_features(tables) - self.centre_) / self.scale_)
        return _log_chances(chances, self.regression_.classes_, self.n_zones_)


class RandomForest(Peer):
    """Random forest of 500 trees on centred log ratios, zones weighing the same."""

    name = "random forest"

    def learn(self, tables: Tables, zone: Ints, n_zones: int) -> None:
        """Grow the trees, always from the same seed."""
        from sklearn.ensemble import RandomForestClassifier

        self.forest_ = RandomForestClassifier(500, class_weight="balanced", min_samples_leaf=2, random_state=0)
        self.forest_.fit(clr_features(tables), zone)
        self.n_zones_ = n_zones

    def score(self, tables: Tables) -> Floats:
        """Return ln shares of the trees, shape (n_parcels, n_zones)."""
        return _log_chances(self.forest_.predict_proba(clr_features(tables)), self.forest_.classes_, self.n_zones_)


def _log_chances(chances: Floats, zones: Ints, n_zones: int) -> Floats:
    """Put the columns in their places; zones that were not learnt get the floor."""
    logs = np.full((len(chances), n_zones), np.log(FLOOR))
    logs[:, zones] = np.log(np.maximum(chances, FLOOR))
    return np.asarray(logs - logsumexp(logs, axis=1, keepdims=True), dtype=np.float64)


GRID = np.linspace(0.0, 1.0, 41)
N_STEPS = 60


class MultinomialEM(Unmixer):
    """Maximum likelihood shares of all zones, as if stones were drawn one by one from their pooled tables.

    The interval and the p-value come from the profile likelihood and its chi-square limit.
    """

    name = "multinomial EM"

    def learn(self, tables: Tables, zone: Ints, n_zones: int) -> None:
        """Pool each zone's cells: size by class, averaged over the attributes given size."""
        self.pooled_ = [pooled_shares(counts, zone, n_zones) for counts in tables.cells]

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
            for cells, known in zip(counts, self.pooled_, strict=True):
                foreign = weights @ known[others]
                mixed = (1 - GRID[:, None]) * known[own] + GRID[:, None] * foreign
                log_likelihood += np.log(mixed) @ cells
                gained += (cells / mixed) @ known[others].T
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
        self.cumulated_ = [np.cumsum(shares(pooled(margin, zone, n_zones)), axis=1) for margin in tables.margins]

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
