r"""Everything that is learnt, and how parcels look through it: both kinds of evidence made one, over trusted sizes.

With :math:`E^{(1)}` the log evidence of the explicit model, :math:`E^{(2)}` that of the tables and *t* their weight,
:math:`E = (1 - t) E^{(1)} + t E^{(2)}` for every listed source and for what was declared. That nobody has sampled the
source is a matter of probabilities: each kind has its own, :math:`p_k`, with listed and unlisted sources at even odds,
and :math:`p = (1 - v) p_1 + v p_2` is that of both, with *v* the vote of the tables. Tables without any reference
parcel are wide, and a parcel that is odd for its own zone falls to them; on the log scale one kind alone could make it
so. Releases up to format 8 average that source like all others.

Sizes may have been taken out without a word. A gate gives the chance of each reading of the sizes (nothing taken out;
the lower end, the upper end, both in doubt) from how a parcel's sizes fit. With :math:`g_h` these chances and
:math:`E_{hs}` the log evidence for source *s* when only the trusted sizes count,

.. math:: F_s = \ln \sum_h g_h \exp(E_{hs} - c_h),

where :math:`c_h` is the log mean of the evidence over all sources, so that readings that use fewer stones weigh alike.

References
----------
Genest and Zidek (1986), Combining probability distributions, Statistical Science 1, 114-135 (logarithmic and linear
pools).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from scipy.special import expit, gammaln, logit

from kpfootprint.stats.arrays import Bools, Floats, Ints, ParcelArrays
from kpfootprint.stats.calibration import Calibration
from kpfootprint.stats.declarations import (
    Profile,
    best_declaration,
    declaration_features,
    declared_location,
    foreign_sources,
    profile_of,
    whatever_declared,
)
from kpfootprint.stats.evidence import FAR, NEAR, SourceModel, View, log_sum, source_evidence, view_of
from kpfootprint.stats.intervals import LEVEL
from kpfootprint.stats.metrics import LN10
from kpfootprint.stats.networks import Network
from kpfootprint.stats.ranks import RankTable, strangeness
from kpfootprint.stats.shares import (
    GoodsTest,
    ShareEstimates,
    ShareModel,
    blendedness,
    estimate_shares,
    source_distances,
    told_apart,
)
from kpfootprint.stats.summaries import WINDOWS, residual
from kpfootprint.stats.tables import TableEvidence, listed_and_unlisted, tables_of_blends

UNLISTED_WEIGHTS = np.full(len(NEAR) + len(FAR), 1.0 / (len(NEAR) + len(FAR)))
"""Weights of the unlisted components, near a listed source and anywhere."""

NEVER_SURE = (1e-12, 1.0 - 1e-12)
"""Probabilities of an unlisted source lie between these."""
LEANING = 8.0
"""What is added to the parameter of the source that a draw leans to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Log evidence of n parcels on one scale: fused, or in every one of `SLOTS` along a first axis.

    Parameters
    ----------
    listed : ndarray of shape (n, Z) or (n_slots, n, Z)
        For listed sources.
    unlisted : ndarray of shape (n,) or (n_slots, n)
        For a source nobody sampled.
    declared : ndarray of shape (n,) or (n_slots, n)
        For what was declared; NaN where nothing was.
    """

    listed: Floats
    unlisted: Floats
    declared: Floats

    @property
    def level(self) -> Floats:
        """The log mean evidence over listed and unlisted sources, both at one half, of the shape of `unlisted`."""
        out: Floats = np.logaddexp(log_mean(self.listed), self.unlisted) - np.log(2.0)
        return out


def average(explicit: Floats, tables: Floats, weight: float) -> Floats:
    """Return the average of both on the log scale."""
    return (1.0 - weight) * explicit + weight * tables


def pooled(
    explicit: tuple[Floats, Floats, Floats],
    tables: tuple[Floats, Floats] | None = None,
    weight: float = 0.0,
    vote: float | None = None,
) -> Evidence:
    """Return both kinds of evidence as one.

    Parameters
    ----------
    explicit : (ndarray of shape (..., Z), ndarray of shape (..., 5), ndarray of shape (...,))
        That of the explicit model for listed sources, for the components of an unlisted one, for what was declared.
    tables : (ndarray of shape (..., Z + 1), ndarray of shape (...,)), optional
        That of the tables for listed sources and, last, an unlisted one; for what was declared.
    vote : float, optional
        What the tables' probability of an unlisted source counts; it is averaged on the log scale without it, and where
        one kind alone weighs anything.
    """
    listed, unlisted, declared = explicit
    if tables is None:
        return Evidence(listed=listed, unlisted=any_unlisted(unlisted), declared=declared)
    every, own = tables
    both = average(listed, every[..., :-1], weight)
    if vote is None or weight in (0.0, 1.0):
        beyond = any_unlisted(average(unlisted, every[..., -1:], weight))
    else:
        chances = (
            expit(any_unlisted(unlisted) - log_mean(listed)),
            expit(every[..., -1] - log_mean(every[..., :-1])),
        )
        chance = np.clip((1.0 - vote) * chances[0] + vote * chances[1], *NEVER_SURE)
        beyond = log_mean(both) + logit(chance)
    return Evidence(listed=both, unlisted=beyond, declared=average(declared, own, weight))


def log_mean(listed: Floats) -> Floats:
    """Return the log of the mean evidence (...,) over listed sources (..., Z)."""
    out: Floats = log_sum(listed) - np.log(listed.shape[-1])
    return out


def averaged_readings(view: View, declared: tuple[Floats, Floats] | None = None, factor: float = 1.0) -> Evidence:
    """Average the explicit evidence of a batch, in every slot, with that of the tables where these weigh something.

    Parameters
    ----------
    declared : (ndarray of shape (n, Z), ndarray of shape (n_slots, n)), optional
        What was declared, and its explicit log evidence.
    factor : float
        How many times the variance between parcels of one source the tables take.
    """
    structure, tables = view.model.structure, view.model.tables
    none = np.full(view.listed.shape[:2], np.nan)
    explicit = view.listed, view.unlisted, none if declared is None else declared[1]
    if tables is None or tables.weight == 0.0:
        return pooled(explicit)
    every = slots_of(listed_and_unlisted(tables, view.arrays, structure, factor))
    own = none
    if declared is not None:
        own = slots_of(tables_of_blends(tables, view.arrays, structure, declared[0][:, None], factor))[:, :, 0]
    return pooled(explicit, (every, own), tables.weight, tables.vote)


def slots_of(evidence: TableEvidence) -> Floats:
    """Return the evidence of the tables (n_slots, n, M): in each window, and with size left out."""
    without_size = np.ones(1 + len(evidence.classes), dtype=bool)
    without_size[0] = False
    windows = [evidence.total(window) for window in range(len(WINDOWS))]
    return np.stack([*windows, evidence.total(0, without_size)])


def gate_features(view: View) -> Floats:
    """Return how sizes fit (n, F): residuals by size class of the widest and the inner fit, and their disagreement."""
    arrays, fits, structure = view.arrays, view.summaries, view.model.structure
    indicator = structure.membership_of_classes()
    by_class = arrays.cells @ indicator
    stones = by_class.sum(axis=1, keepdims=True)
    parts = [residual(by_class, stones * (fits.sizes[window].cells @ indicator)) for window in (0, 3)]
    error = np.sqrt(np.diagonal(fits.errors[3][:, :2, :2], axis1=1, axis2=2)) + 0.02
    for window in (1, 2, 3):
        gap = (fits.sizes[window].theta - fits.sizes[0].theta) / error
        parts.append(np.clip(gap, -8.0, 8.0) / 3.0)
    unknown = np.isnan(arrays.edge)
    shift = np.where(unknown, 0.0, (arrays.edge - structure.edge_mean) / max(structure.edge_sd, 0.05))
    parts.append(np.stack([unknown, np.clip(shift, -8, 8) / 3.0, np.log(stones[:, 0] / 500.0)], axis=1))
    return np.concatenate(parts, axis=1)


def any_unlisted(unlisted: Floats) -> Floats:
    """Return the log evidence (...,) of an unlisted source from its components (..., 5)."""
    return log_sum(unlisted + np.log(UNLISTED_WEIGHTS))


def fuse(readings: Evidence, gate: Floats) -> Evidence:
    """Marginalise evidence over the readings of the sizes, which are the first of its slots.

    Parameters
    ----------
    gate : ndarray of shape (n, n_windows)
        Chance of each of the windows; rows sum to 1.
    """
    parts = np.concatenate([readings.unlisted[..., None], readings.listed, readings.declared[..., None]], axis=-1)
    fused = marginal(parts, gate, readings.level)
    return Evidence(listed=fused[:, 1:-1], unlisted=fused[:, 0], declared=fused[:, -1])


def marginal(evidence: Floats, gate: Floats, level: Floats) -> Floats:
    """Return evidence (n_slots, n, M) marginalised over windows, each brought to one scale by its `level` (n_slots, n).

    The result has the shape (n, M); `gate` (n, n_windows) is the chance of each window.
    """
    windows = gate.shape[1]
    weight = np.log(np.maximum(gate.T, 1e-6)) - level[:windows]
    return log_sum(np.moveaxis(evidence[:windows] + weight[..., None], 0, -1))


def slot_evidence(readings: Evidence, slot: int) -> Evidence:
    """Return the evidence of one slot alone, on the same kind of scale as `fuse`."""
    level = readings.level[slot]
    return Evidence(
        listed=readings.listed[slot] - level[:, None],
        unlisted=readings.unlisted[slot] - level,
        declared=readings.declared[slot] - level,
    )


def log_alternative(evidence: Evidence, alternatives: Floats, unlisted_weight: Floats | float) -> Floats:
    """Return the log evidence (n,) of H2: the mean over `alternatives` and the unlisted source, at its weight.

    Parameters
    ----------
    alternatives : ndarray of shape (n, Z), from 0 to 1
        Weights of the listed sources in that mean. Where they come to less than one source, the unlisted source weighs
        more, and where there is none H2 is the unlisted source alone.
    unlisted_weight : float, or ndarray of shape (n,)
        Weight of the unlisted source, in (0, 1].
    """
    total = alternatives.sum(axis=1)
    weight = unlisted_weight / (unlisted_weight + (1.0 - unlisted_weight) * np.minimum(total, 1.0))
    with np.errstate(divide="ignore"):
        listed = np.where(total[:, None] > 0, evidence.listed + np.log(alternatives), -1e9)
    mean = log_sum(listed) - np.log(np.where(total > 0, total, 1.0))
    out: Floats = np.logaddexp(np.log(np.maximum(1.0 - weight, 1e-12)) + mean, np.log(weight) + evidence.unlisted)
    return out


def elsewhere(declared: Floats, allowed: Bools) -> Floats:
    """Return the weight (n, Z) of every listed source in H2: for those not compliant what was not declared of them."""
    return np.where(allowed, 0.0, 1.0 - declared)


def log10_score(evidence: Evidence, alternatives: Floats, unlisted_weight: Floats | float) -> Floats:
    """Return uncalibrated log10 scores (n,) of what was declared against H2, see `log_alternative`."""
    return (evidence.declared - log_alternative(evidence, alternatives, unlisted_weight)) / LN10


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordination:
    """Two axes that show sources apart: `axes` (D, 2), points (R, 2) of reference parcels with their source (R,)."""

    axes: Annotated[Floats, "D 2"]
    points: Annotated[Floats, "r 2"]
    source: Annotated[Ints, "r", "zones"]


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

    gate: Annotated[Network, "W"]
    shares: ShareModel
    calibration: Calibration
    novelty: RankTable
    detection: Annotated[Floats, "6"]
    ordination: Ordination
    resampled_sources: Annotated[Floats, "B Z D"]
    n_reference: Annotated[Ints, "Z", "positive"]
    largest: Annotated[float, "", "positive"]
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

    `gate` (n, n_windows) is the chance of each reading of the sizes, `profile` the evidence about what was declared, if
    anything was, `readings` the averaged evidence in every slot, `evidence` the same marginalised over the readings of
    the sizes.
    """

    view: View
    gate: Floats
    profile: Profile | None
    readings: Evidence
    evidence: Evidence

    @property
    def ln_n(self) -> Floats:
        """Log number of stones (n,)."""
        return np.log(self.view.arrays.n_stones)

    @property
    def strangeness(self) -> Floats:
        """How far each parcel (n,) lies from the nearest source, or from what was declared."""
        told = () if self.profile is None else (self.profile.distance, self.profile.shares)
        return strangeness(self.view, self.gate[:, 0], *told)

    @property
    def weighed(self) -> Profile:
        """The profile, which there is wherever something was declared."""
        assert self.profile is not None
        return self.profile

    def under(self, rows: Ints, declared: Floats) -> Look:
        """Return these parcels (repeats allowed) as they are seen under other declarations (len(rows), Z)."""
        pairs = None if self.profile is None else self.profile.pairs[:, rows]
        return _looked(self.view.take(rows), self.gate[rows], declared, pairs)

    def of_blends(self, blends: Floats) -> Floats:
        """Return the log evidence (n, K) of every parcel for each of some blends (K, Z), on the scale of `evidence`.

        What `under` finds for what was declared, without all that it finds beside.
        """
        view = self.view
        model, tables = view.model, view.model.tables
        explicit, _ = source_evidence(view.whitened, *declared_location(model, blends))
        readings = explicit.reshape(*view.n_dims.shape, len(blends))
        if tables is not None and tables.weight > 0.0:
            found = slots_of(tables_of_blends(tables, view.arrays, model.structure, blends))
            readings = average(readings, found, tables.weight)
        return marginal(readings, self.gate, self.readings.level)

    def at_best(self, rows: Ints, allowed: Bools) -> Look:
        """Return these parcels under the declarations of compliant sources (len(rows), Z) that suit them best."""
        told = self.weighed
        return self.under(rows, best_declaration(told.pairs[:, rows], self.gate[rows, 0], told.shares[rows], allowed))


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
    return _looked(view, gate_of(view), declared)


def _looked(view: View, gate: Floats, declared: Floats | None, pairs: Floats | None = None) -> Look:
    profile = None if declared is None else profile_of(view, declared, pairs)
    readings = averaged_readings(view, None if profile is None else (profile.shares, profile.declared))
    return Look(view=view, gate=gate, profile=profile, readings=readings, evidence=fuse(readings, gate))


def drawn_shares(n: int, k: int, concentration: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    r"""Draw shares of `k` sources from a symmetric Dirichlet distribution, half of them leaning to one source.

    Most parcels come from few sources, and what matters of an integral over the shares lies near its corners and edges,
    where draws from a Dirichlet distribution with parameters *a* seldom come. Half of the draws therefore lean to one
    of the *k* sources each, with *c* added to its parameter, and are weighed back by

    .. math:: w(x) = \Bigl(\frac12 + \frac12 \frac{\Gamma(a)\,\Gamma(ka + c)}{\Gamma(a + c)\,\Gamma(ka)}
        \cdot \frac1k \sum_z x_z^c\Bigr)^{-1},

    which is never above 2.

    Parameters
    ----------
    concentration : float
        The parameter *a* of every source.

    Returns
    -------
    shares : ndarray of shape (n, k)
        Rows sum to 1.
    log_weights : ndarray of shape (n,)
        Log of what each draw counts; the mean of the weights is near 1.

    References
    ----------
    Hesterberg (1995), Weighted average importance sampling and defensive mixture distributions, Technometrics 37,
    185-194.
    """
    if k == 1:
        return np.ones((n, 1)), np.zeros(n)
    parameters = np.full((n, k), concentration)
    leaning = np.arange(n // 2)
    parameters[leaning, leaning % k] += LEANING
    shares = rng.standard_gamma(rng.permutation(parameters))
    shares /= shares.sum(axis=1, keepdims=True)
    log_ratio = (
        gammaln(concentration)
        + gammaln(k * concentration + LEANING)
        - gammaln(concentration + LEANING)
        - gammaln(k * concentration)
    )
    leant = np.exp(log_ratio) * (shares**LEANING).mean(axis=1)
    return shares, -np.log(0.5 + 0.5 * leant)


def share_features(looked: Look, allowed: Bools) -> Floats:
    """Return what the share network sees (n, F): the parcel against its declaration, how its sizes fit, what it is.

    Features are only ever added at the end, so that a network of an older release sees those that it knows.
    """
    against = declaration_features(looked.view, looked.weighed, allowed)
    goods = whatever_declared(looked.view, looked.weighed, allowed)
    return np.concatenate([against, gate_features(looked.view), looked.gate, goods], axis=1)


def shares_as_declared(model: FootprintModel, looked: Look, allowed: Bools) -> ShareEstimates:
    """Return the undeclared shares by what was declared alone; an older network reads the features it knows.

    Where every listed source was compliant nothing is asked: goods of unsampled sources are all that could be there,
    and no network has learnt what such a question looks like.
    """
    network, declared = model.shares.network, looked.weighed.shares
    chances = network.probabilities(share_features(looked, allowed)[:, : network.location.size])
    estimates = estimate_shares(model.shares, chances, looked.ln_n, blendedness(declared))
    return estimates.asked_where(foreign_sources(declared, allowed).sum(axis=1) > 0, model.shares.edges)


def undeclared_shares(model: FootprintModel, looked: Look, allowed: Bools) -> ShareEstimates:
    """Return the undeclared shares, found where no compliant source explains the goods, if the model asks that.

    Where nothing is found, and goods of no source that they could come from would mostly be, no share is determined.
    """
    estimates = shares_as_declared(model, looked, allowed)
    rows = np.flatnonzero(estimates.found)
    if model.shares.goods_p is not None and rows.size > 0:
        found = estimates.found.copy()
        found[rows] = goods_p(model, looked, rows, allowed[rows]) <= model.shares.goods_p
        estimates = estimates.where(found)
    declared = looked.weighed.shares
    distance = source_distances(model.predictor, model.structure, declared)
    told = told_apart(model.detection, np.exp(looked.ln_n)[:, None], distance)
    told &= foreign_sources(declared, allowed)
    return estimates.determined_where(estimates.found | told.any(axis=1), model.shares.edges)


def goods_p(model: FootprintModel, looked: Look, rows: Ints, allowed: Bools) -> Floats:
    """Return p-values of no goods that were not compliant, whatever of compliant sources was declared.

    These parcels are seen under the declaration that suits them best; what was declared of sources that were not
    compliant stays declared. A release up to format 3 has no test of its own for that. Where every source was
    compliant there is nothing to find.
    """
    best = looked.at_best(rows, allowed)
    if model.goods is None:
        return shares_as_declared(model, best, allowed).p_value
    p_value = model.goods.p_values(share_features(best, allowed), model.shares.edges, best.ln_n)
    return np.where(foreign_sources(looked.weighed.shares[rows], allowed).any(axis=1), p_value, 1.0)
