"""Everything that is learnt, in one frozen object of arrays, and the evidence of a batch seen through it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kpfootprint.stats.arrays import Bools, Floats, Ints, ParcelArrays
from kpfootprint.stats.calibration import Calibration
from kpfootprint.stats.declarations import (
    Profile,
    best_declaration,
    declaration_features,
    mixed_sources,
    profile_of,
    whatever_declared,
)
from kpfootprint.stats.intervals import LEVEL
from kpfootprint.stats.networks import Network
from kpfootprint.stats.ranks import RankTable, strangeness
from kpfootprint.stats.selection import Evidence, averaged_readings, fuse, gate_features
from kpfootprint.stats.shares import GoodsTest, ShareEstimates, ShareModel, blendedness, estimate_shares
from kpfootprint.stats.summaries import WINDOWS
from kpfootprint.stats.views import SourceModel, View, view_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordination:
    """Two axes that show sources apart: `axes` (D, 2), points (R, 2) of reference parcels with their source (R,)."""

    axes: Floats
    points: Floats
    source: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class FootprintModel(SourceModel):
    """A trained model.

    Parameters
    ----------
    resampled_sources : ndarray of shape (B, Z, D)
        Locations of the sources from resampled reference parcels.
    detection : ndarray of shape (6,)
        Coefficients of `kpfootprint.stats.shares`.
    n_reference : ndarray of shape (Z,)
        Reference parcels of each source.
    largest : float
        Stones of the largest reference parcel.
    goods : GoodsTest, optional
        Of goods that were not compliant, whatever was declared; releases up to format 3 have none.
    sets : RankTable, optional
        Of ``-log`` the posterior of a parcel's own source; releases up to format 6 have one threshold for all sizes.
    """

    gate: Network
    shares: ShareModel
    calibration: Calibration
    novelty: RankTable
    detection: Floats
    ordination: Ordination
    resampled_sources: Floats
    n_reference: Ints
    largest: float
    goods: GoodsTest | None = None
    sets: RankTable | None = None

    def in_set(self, posterior: Floats, ln_n: float) -> Bools:
        """Return which sources stay in the set of a parcel at its level, from their posteriors (k,) among sources.

        A source stays unless parcels of that size give their own source so small a posterior in less than one case in
        ten: the set holds the right one at its level whatever the size.
        """
        if self.sets is None:
            return posterior >= (self.calibration.set_threshold or 0.0)
        return self.sets.p_values(own_statistic(posterior), np.full(posterior.shape, ln_n)) >= 1.0 - LEVEL


def own_statistic(posterior: Floats) -> Floats:
    """Return ``-log`` of the posterior of a parcel's own source: the larger, the less the parcel looks like it."""
    return -np.log(np.maximum(posterior, 1e-300))


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A batch seen through the evidence of a model, with what was declared of it.

    `declared` (n, Z) are shares of stones whose rows sum to 1; without them there is neither `profile` nor `pairs`.
    `gate` (n, n_windows) is the chance of each reading of the sizes, `readings` the averaged evidence in every slot,
    `evidence` the same marginalised over the readings of the sizes, `pairs` the evidence of any two sources together,
    from `mixed_sources`.
    """

    view: View
    gate: Floats
    declared: Floats | None
    profile: Profile | None
    pairs: Floats | None
    readings: Evidence
    evidence: Evidence

    @property
    def ln_n(self) -> Floats:
        """Log number of stones (n,)."""
        return np.log(self.view.arrays.n_stones)

    @property
    def strangeness(self) -> Floats:
        """How far each parcel (n,) lies from the nearest source, or from what was declared."""
        declared = None if self.profile is None else self.profile.distance
        return strangeness(self.view, self.gate[:, 0], declared, self.declared)

    @property
    def weighed(self) -> tuple[Floats, Profile, Floats]:
        """What there is wherever something was declared: declaration, profile and pairs."""
        assert self.declared is not None
        assert self.profile is not None
        assert self.pairs is not None
        return self.declared, self.profile, self.pairs

    def under(self, rows: Ints, declared: Floats) -> Look:
        """Return these parcels (repeats allowed) as they are seen under other declarations (len(rows), Z)."""
        pairs = None if self.pairs is None else self.pairs[:, rows]
        return _looked(self.view.take(rows), self.gate[rows], pairs, declared)

    def at_best(self, rows: Ints, allowed: Bools) -> Look:
        """Return these parcels under the declarations of compliant sources (len(rows), Z) that suit them best."""
        declared, _, pairs = self.weighed
        return self.under(rows, best_declaration(pairs[:, rows], self.gate[rows, 0], declared[rows], allowed))


MEAN_READINGS = np.array([0.75, 0.0, 0.0, 0.25])
"""Readings of sizes of which the mean alone is known: as recorded, or it says nothing, as stones were taken out."""


def gate_of(view: View) -> Floats:
    """Return the chance (n, n_windows) of each reading of the sizes; without sizes all is as recorded.

    A model without a gate finds every reading as likely.
    """
    if view.model.gate is None:
        return np.full((len(view.arrays), len(WINDOWS)), 1.0 / len(WINDOWS))
    chances = view.model.gate.probabilities(gate_features(view))
    plain = np.zeros(len(WINDOWS))
    plain[0] = 1.0
    chances = np.where(view.arrays.recorded[:, :1], chances, plain)
    if view.arrays.partial is not None:
        chances = np.where(np.isfinite(view.arrays.partial.mean_ct)[:, None], MEAN_READINGS, chances)
    return chances


def look(model: SourceModel, arrays: ParcelArrays, declared: Floats | None = None) -> Look:
    """Compute views, gate, profile and fused evidence of a batch; `declared` (n, Z) are shares of stones."""
    view = view_of(arrays, model)
    return _looked(view, gate_of(view), None if declared is None else mixed_sources(view), declared)


def _looked(view: View, gate: Floats, pairs: Floats | None, declared: Floats | None) -> Look:
    profile = None if declared is None else profile_of(view, declared)
    readings = averaged_readings(view, None if declared is None or profile is None else (declared, profile.declared))
    return Look(
        view=view,
        gate=gate,
        declared=declared,
        profile=profile,
        pairs=pairs,
        readings=readings,
        evidence=fuse(readings, gate),
    )


def share_features(looked: Look, allowed: Bools) -> Floats:
    """Return what the share network sees (n, F): the parcel against its declaration, how its sizes fit, what it is.

    Features are only ever added at the end, so that a network of an older release sees those that it knows.
    """
    declared, profile, pairs = looked.weighed
    against = declaration_features(looked.view, profile, declared, allowed)
    goods = whatever_declared(looked.view, profile, pairs, declared, allowed)
    return np.concatenate([against, gate_features(looked.view), looked.gate, goods], axis=1)


def shares_as_declared(model: FootprintModel, looked: Look, allowed: Bools) -> ShareEstimates:
    """Return the undeclared shares by what was declared alone; an older network reads the features it knows."""
    network = model.shares.network
    chances = network.probabilities(share_features(looked, allowed)[:, : network.location.size])
    return estimate_shares(model.shares, chances, looked.ln_n, blendedness(looked.weighed[0]))


def undeclared_shares(model: FootprintModel, looked: Look, allowed: Bools) -> ShareEstimates:
    """Return the undeclared shares, found where no compliant source explains the goods, if the model asks that."""
    estimates = shares_as_declared(model, looked, allowed)
    rows = np.flatnonzero(estimates.found)
    if model.shares.goods_p is None or rows.size == 0:
        return estimates
    found = estimates.found.copy()
    found[rows] = goods_p(model, looked, rows, allowed[rows]) <= model.shares.goods_p
    return estimates.where(found)


def goods_p(model: FootprintModel, looked: Look, rows: Ints, allowed: Bools) -> Floats:
    """Return p-values of no goods that were not compliant, whatever of compliant sources was declared.

    These parcels are seen under the declaration that suits them best; what was declared of sources that were not
    compliant stays declared. A release up to format 3 has no test of its own for that.
    """
    best = looked.at_best(rows, allowed)
    if model.goods is None:
        return shares_as_declared(model, best, allowed).p_value
    return model.goods.p_values(share_features(best, allowed), model.shares.edges, best.ln_n)
