"""Peers that give every zone a probability: multinomial, LDA, logistic regression, random forest."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from kpfootprint.stats.arrays import Floats, Ints
from kpfootprint.stats.tables import fit_table, log_dirichlet_multinomial
from training.peers.distances import by_zone, clr_features
from training.peers.tables import Peer, Tables

FLOOR = 1e-4
"""Smallest probability that a classifier's answer is taken for."""


class Multinomial(Peer):
    """Log likelihood of the counts under each zone's pooled shares, as if stones were drawn one by one.

    Parcels of one zone vary more than that, so it grows too sure with the number of stones.
    """

    name = "multinomial likelihood ratio"

    def learn(self, tables: Tables, zone: Ints, n_zones: int) -> None:
        """Pool the shares of each zone: sizes, and classes within bands of size."""
        self.log_shares_ = []
        for counts in tables.cells:
            pooled = np.stack([rows.sum(axis=0) for rows in by_zone(counts, zone, n_zones)]) + 0.5
            self.log_shares_.append(np.log(pooled / pooled.sum(axis=1, keepdims=True)))

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
