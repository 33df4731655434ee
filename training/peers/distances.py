"""Peers that measure how far a parcel lies from a zone's reference parcels: KS, chi-square, nearest centroid."""

from __future__ import annotations

import numpy as np

from kpfootprint.stats.arrays import Floats, Ints
from training.evaluate.trials import Alternatives
from training.peers.tables import Peer, Tables

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
        self.pooled_ = [np.stack([rows.sum(axis=0) for rows in by_zone(c, zone, n_zones)]) for c in tables.cells]

    def score(self, tables: Tables) -> Floats:
        """Return the negative root statistic, shape (n_parcels, n_zones)."""
        statistic = np.zeros((len(tables.size), len(self.pooled_[0])))
        freedom = np.zeros_like(statistic)
        for counts, pooled in zip(tables.cells, self.pooled_, strict=True):
            both = counts[:, None] + pooled[None]
            n, m = counts.sum(axis=1)[:, None, None], pooled.sum(axis=1)[None, :, None]
            used = (both > 0) & (n * m > 0)  # what nobody recorded on one side says nothing
            ratio = np.sqrt(np.maximum(m, 1.0) / np.maximum(n, 1.0))
            cell = np.where(used, (ratio * counts[:, None] - pooled[None] / ratio) ** 2, 0.0)
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
