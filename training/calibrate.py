"""The calibration learnt from out-of-fold evidence of reference parcels, and resampled versions of what is learnt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kpfootprint.stats.arrays import Bools, Floats, Ints
from kpfootprint.stats.calibration import Calibration, Cases, told_apart
from kpfootprint.stats.selection import Evidence, log10_score
from kpfootprint.stats.summaries import summarise
from training.choose import whole_zones
from training.config import EvidenceConfig
from training.folds import Split, fold_of_parcels, folds
from training.prepare import Fitted, Prepared


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """Declarations of reference parcels, true and false, over the days on which the status table changes.

    `parcel` and `declared` (positions), `is_true`, `score` (uncalibrated log10), `weight`; all of shape (n_trials,).
    """

    parcel: Ints
    declared: Ints
    is_true: Bools
    score: Floats
    weight: Floats


def splits_of(prepared: Prepared, *, n_folds: int, seed: int) -> list[Split]:
    """Return the folds by parcel that calibration and the choice of evidence are learnt across."""
    names = [prepared.zone_ids[g] for g in prepared.groups]
    fold = fold_of_parcels(names, n_folds=min(n_folds, len(names)), seed=seed)
    return whole_zones(list(folds(fold)), prepared.groups)


def make_trials(groups: Ints, allowed_sets: Floats, evidence: Evidence, kept: Bools, unlisted_weight: float) -> Trials:
    """Pair parcels with declarations as exports would: H1 a compliant zone's own parcels, H2 what H2 names.

    For every set of compliant zones: each kept parcel of a compliant zone with its own zone, and each kept parcel of
    a zone that was not compliant with every compliant zone. The latter once with its zone among the listed sources,
    and once with that zone taken out, as a parcel that nobody has sampled the source of: these weigh `unlisted_weight`
    of H2. Zones weigh equally within each of the three.
    """
    pieces = []
    for allowed in allowed_sets > 0:
        zones = np.flatnonzero(allowed)
        own, other = np.flatnonzero(kept & allowed[groups]), np.flatnonzero(kept & ~allowed[groups])
        false_parcel, false_zone = np.repeat(other, zones.size), np.tile(zones, other.size)
        for parcel, zone, true, left_out, share in (
            (own, groups[own], True, False, 1.0),
            (false_parcel, false_zone, False, False, 1.0 - unlisted_weight),
            (false_parcel, false_zone, False, True, unlisted_weight),
        ):
            alternatives = np.tile((~allowed).astype(float), (parcel.size, 1))
            if left_out:
                alternatives[np.arange(parcel.size), groups[parcel]] = 0.0
            asked = Evidence(
                listed=evidence.listed[parcel],
                unlisted=evidence.unlisted[parcel],
                declared=evidence.listed[parcel, zone],
            )
            score = log10_score(asked, alternatives, unlisted_weight)
            per_zone = np.bincount(groups[parcel], minlength=evidence.listed.shape[1])
            weight = share / per_zone[groups[parcel]]
            pieces.append((parcel, zone, np.full(parcel.size, true), score, weight))
    parcel, declared, is_true, score, weight = (np.concatenate(column) for column in zip(*pieces, strict=True))
    return Trials(parcel=parcel, declared=declared, is_true=is_true, score=score, weight=weight)


def calibrate(
    prepared: Prepared,
    evidence: Evidence,
    kept: Bools,
    settings: EvidenceConfig,
    *,
    times: Ints,
) -> tuple[Calibration, Trials]:
    """Learn the calibration, its bounds and its resampled versions; return the trials too.

    Parameters
    ----------
    times : ndarray of shape (B, n)
        How often each reference parcel was drawn.
    """
    trials = make_trials(prepared.groups, prepared.allowed_sets, evidence, kept, settings.unlisted_weight)
    told = np.broadcast_to(told_apart(evidence.listed, settings.offset_spread), prepared.groups.shape)
    cases = Cases.of(
        trials.score,
        trials.is_true,
        n_stones=prepared.arrays.n_stones[trials.parcel],
        weight=trials.weight,
        parcel=trials.parcel,
        told=told[trials.parcel],
    )
    calibration = Calibration.fit(cases, trust=settings.trust, times=times, offset_spread=settings.offset_spread)
    return calibration, trials


def resample(groups: Ints, *, n_resamples: int, seed: int) -> Ints:
    """Draw parcels anew within each zone and return how often (B, n) each was drawn."""
    rng, times = np.random.default_rng(seed), np.zeros((n_resamples, groups.size), dtype=np.intp)
    for row in times:
        for group in np.unique(groups):
            members = np.flatnonzero(groups == group)
            np.add.at(row, rng.choice(members, members.size), 1)
    return times


def resample_sources(prepared: Prepared, fitted: Fitted, drawn: Ints) -> Floats:
    """Return locations (B, Z, D) of the zones from resampled reference parcels.

    `drawn` (B, n) says how often each parcel was drawn. The variances stay those of the fit; zone means and condition
    effects are solved for anew.
    """
    model = fitted.model
    summaries = summarise(prepared.arrays, fitted.structure)
    y = summaries.estimates[0] - model.mean
    own = np.zeros_like(y)
    for effects, codes in zip(model.levels, prepared.arrays.levels.T, strict=True):
        own += np.where((codes >= 0)[:, None], effects[np.maximum(codes, 0)], 0.0)
    precision = np.linalg.inv(summaries.errors[0] + model.within / model.weights[:, None, None])
    between = np.linalg.inv(model.between)
    weighted = (precision @ (y - own)[:, :, None])[:, :, 0]
    out = np.zeros((len(drawn), *model.groups.shape))
    for b, times in enumerate(drawn):
        for group in range(len(model.groups)):
            rows = np.flatnonzero((prepared.groups == group) & (times > 0))
            total = np.einsum("p,pde->de", times[rows], precision[rows]) + between
            out[b, group] = model.mean + np.linalg.solve(total, times[rows] @ weighted[rows])
    return out
