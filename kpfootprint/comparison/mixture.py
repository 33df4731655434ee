"""Undeclared goods: shares by stones and carats, where they could come from, what this size can show."""

from __future__ import annotations

import numpy as np

from kpfootprint.comparison.results import Interval, Mixture, ShareReading, SourceShare
from kpfootprint.comparison.weigh import OfDeclaration, Weighed
from kpfootprint.stats.arrays import Bools, Floats
from kpfootprint.stats.declarations import (
    ASSOCIATION_WEIGHT,
    PROFILE_SLOTS,
    SHARES,
    Profile,
    association_statistic,
    foreign_sources,
)
from kpfootprint.stats.detection import detection_chance, detection_limit, source_distances
from kpfootprint.stats.model import FootprintModel
from kpfootprint.stats.shares import LEVEL, cumulative, two_modes

FINE = np.linspace(0.0, 1.0, 101)
LEAST_POSTERIOR = 0.05
MOST_SOURCES = 5
HALF = 0.5
"""A source whose goods would be found in fewer than this share of parcels, at half the stones, is not told apart."""


def carat_share(stone_share: float, mean_foreign: float, mean_declared: float) -> float:
    """Turn a share of stones into a share of carats by the mean stones of both kinds of goods."""
    foreign = stone_share * mean_foreign
    return foreign / max(foreign + (1.0 - stone_share) * mean_declared, 1e-12)


def _source_posteriors(weighed: Weighed, profile: Profile, row: int, foreign: Bools) -> tuple[Floats, Floats]:
    """Return explicit log evidence (J, Z) of admixtures and the posterior (Z,) of each foreign zone as the source."""
    trust = weighed.looked.gate[row, 0]
    parts = [profile.mixed[position][row] - profile.declared[slot][row] for position, slot in enumerate(PROFILE_SLOTS)]
    gain = np.logaddexp(np.log(trust + 1e-9) + parts[0], np.log(1.0 - trust + 1e-9) + parts[1])
    gain = gain + ASSOCIATION_WEIGHT * profile.association[:, row].sum(axis=0)
    if not foreign.any():
        return gain, np.zeros(foreign.size)
    top = np.where(foreign, gain.max(axis=0), -np.inf)
    weight = np.where(foreign, np.exp(top - top.max()), 0.0)
    return gain, weight / weight.sum()


def _share_given_source(gain: Floats) -> Interval:
    curve = np.interp(FINE, np.concatenate([[0.0], SHARES]), np.concatenate([[0.0], gain]))
    chance = np.exp(curve - curve.max()).cumsum()
    chance /= chance[-1]
    low, middle, high = np.interp([(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2], chance, FINE)
    return Interval(estimate=float(middle), low=float(min(low, middle)), high=float(max(high, middle)), level=LEVEL)


def mixture_of(
    model: FootprintModel,
    weighed: Weighed,
    against: OfDeclaration,
    row: int,
    *,
    weights: Floats,
    allowed: Bools,
    mean_ct: Floats,
    weighted: bool,
    zone_ids: tuple[str, ...],
) -> Mixture:
    """Return what can be said of undeclared goods in one parcel.

    Parameters
    ----------
    weights, allowed : ndarray of shape (Z,)
        Declared shares of stones, and zones that were compliant.
    mean_ct : ndarray of shape (Z,)
        Mean stone of each zone, in carats.
    weighted : bool
        Whether the carats of the parcel are known; without them nothing is said in carats.
    """
    shares = against.judged.shares
    n_stones = float(np.exp(weighed.looked.ln_n[row]))
    stones = Interval(
        estimate=float(shares.estimate[row]), low=float(shares.low[row]), high=float(shares.high[row]), level=LEVEL
    )
    foreign = foreign_sources(weights[None], allowed[None])[0]
    gain, posterior = _source_posteriors(weighed, against.profile, row, foreign)
    mean_foreign, mean_declared = float(posterior @ mean_ct), float(weights @ mean_ct)
    carats = Interval(
        estimate=carat_share(stones.estimate, mean_foreign, mean_declared),
        low=carat_share(stones.low, mean_foreign, mean_declared),
        high=carat_share(stones.high, mean_foreign, mean_declared),
        level=LEVEL,
    )
    distance = source_distances(model.predictor, model.structure, weights[None])[0]
    found = detection_chance(model.detection, HALF, n_stones, distance)
    ranked = [int(z) for z in np.argsort(-posterior, kind="stable")[:MOST_SOURCES] if posterior[z] >= LEAST_POSTERIOR]
    sources = tuple(
        SourceShare(zone_id=zone_ids[z], share=_share_given_source(gain[:, z]), posterior=float(posterior[z]))
        for z in (ranked if shares.found[row] else [])
    )
    upper = model.shares.edges[1:]
    edges = np.clip(upper[upper > 0], 0.0, 1.0)
    reached = cumulative(shares.chances[row : row + 1])[0, 1:][upper > 0]
    return Mixture(
        undeclared_stone_fraction=stones,
        undeclared_carat_fraction=carats if weighted else None,
        p_value=float(shares.p_value[row]),
        detection_limit=detection_limit(model.detection, n_stones, distance, foreign.astype(float)),
        sources=sources,
        indistinguishable=tuple(zone_ids[z] for z in np.flatnonzero(foreign & (found < HALF))),
        association_p=_association_p(model, weighed, against.profile, row, foreign),
        profile=tuple((float(x), float(min(p, 1.0))) for x, p in zip(edges, reached, strict=True)),
        readings=_readings(two_modes(edges, reached), stones),
    )


def _readings(modes: tuple[tuple[float, float, float], ...], stones: Interval) -> tuple[ShareReading, ...]:
    """Return two readings that begin and end with the interval; nothing where it leaves one of them out."""
    if not modes or modes[0][1] < stones.low or modes[1][0] > stones.high:
        return ()
    (_, until, first), (since, _, second) = modes
    return (
        ShareReading(low=stones.low, high=until, chance=first),
        ShareReading(low=since, high=stones.high, chance=second),
    )


def _association_p(model: FootprintModel, weighed: Weighed, profile: Profile, row: int, foreign: Bools) -> float | None:
    """Return the p-value of "one kind of goods" from within-parcel association alone; None without joint counts."""
    looked = weighed.looked
    if not any(pair[row].any() for pair in looked.view.arrays.pairs):
        return None
    one = slice(row, row + 1)
    statistic = association_statistic(profile, np.broadcast_to(foreign, (len(looked.gate), foreign.size)))
    return float(model.shares.association.p_values(statistic[one], weighed.looked.ln_n[one])[0])
