"""Out-of-fold evidence of reference parcels, the calibration learnt from it, and resampled versions of both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from joblib import delayed
from numpy.typing import NDArray

from kpfootprint.stats.calibration import AffineCalibrator, elub_bounds, penalty_of
from kpfootprint.stats.model import Calibration, look
from kpfootprint.stats.networks import Network
from kpfootprint.stats.selection import Evidence, log_alternative
from kpfootprint.stats.summaries import summarise
from training.folds import fold_of_parcels, folds
from training.prepare import Fitted, Prepared, fit_model
from training.progress import side_by_side

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

LN10 = float(np.log(10.0))
LEVEL = 0.9
TRUST = 40.0
"""Parcels' worth of belief that the explicit scores are log10 LRs already: they come from densities, not distances."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """Declarations of reference parcels, true and false, over the days on which the status table changes.

    `parcel` and `declared` (positions), `is_true`, `score` (uncalibrated log10), `weight`; all of shape (n_trials,).
    """

    parcel: Ints
    declared: Ints
    is_true: NDArray[np.bool_]
    score: Floats
    weight: Floats


def out_of_fold(prepared: Prepared, gate: Network, *, n_folds: int, seed: int, n_jobs: int) -> Evidence:
    """Return the fused evidence of every reference parcel under models that never saw it."""
    fold = fold_of_parcels([prepared.zone_ids[g] for g in prepared.groups], n_folds=n_folds, seed=seed)
    splits = list(folds(fold))

    def one(train: Ints, test: Ints) -> Evidence:
        fitted = fit_model(prepared, train)
        arrays = prepared.arrays.take(test)
        return look(fitted.structure, fitted.predictor, gate, fitted.bands, arrays, None).evidence

    parts = side_by_side([delayed(one)(split.train, split.test) for split in splits], n_jobs=n_jobs)
    n, z = len(prepared.arrays), len(prepared.zone_ids)
    listed, unlisted = np.zeros((n, z)), np.zeros(n)
    for split, part in zip(splits, parts, strict=True):
        listed[split.test], unlisted[split.test] = part.listed, part.unlisted
    return Evidence(listed=listed, unlisted=unlisted, declared=np.full(n, np.nan))


def make_trials(prepared: Prepared, evidence: Evidence, kept: NDArray[np.bool_], unlisted_weight: float) -> Trials:
    """Pair parcels with declarations as exports would: H1 a compliant zone's own parcels, H2 those of other zones.

    For every set of compliant zones: each kept parcel of a compliant zone with its own zone, and each kept parcel of
    a zone that was not compliant with every compliant zone. Zones weigh equally within each hypothesis.
    """
    pieces = []
    for allowed in prepared.allowed_sets > 0:
        alternatives = np.broadcast_to((~allowed).astype(float), evidence.listed.shape)
        below = log_alternative(evidence, alternatives, np.full(len(prepared.groups), unlisted_weight))
        score = (evidence.listed - below[:, None]) / LN10
        own = np.flatnonzero(kept & allowed[prepared.groups])
        other = np.flatnonzero(kept & ~allowed[prepared.groups])
        zones = np.flatnonzero(allowed)
        false_parcel, false_zone = np.repeat(other, zones.size), np.tile(zones, other.size)
        for parcel, zone, true in ((own, prepared.groups[own], True), (false_parcel, false_zone, False)):
            per_zone = np.bincount(prepared.groups[parcel], minlength=len(prepared.zone_ids))
            pieces.append(
                (parcel, zone, np.full(parcel.size, true), score[parcel, zone], 1.0 / per_zone[prepared.groups[parcel]])
            )
    parcel, declared, is_true, score, weight = (np.concatenate(column) for column in zip(*pieces, strict=True))
    return Trials(parcel=parcel, declared=declared, is_true=is_true, score=score, weight=weight)


def calibrate(
    prepared: Prepared,
    evidence: Evidence,
    kept: NDArray[np.bool_],
    *,
    unlisted_weight: float,
    n_resamples: int,
    seed: int,
) -> tuple[Calibration, Trials]:
    """Learn the affine calibration, its bounds and its resampled versions; return the trials too."""
    trials = make_trials(prepared, evidence, kept, unlisted_weight)
    n_stones = prepared.arrays.n_stones
    penalty = penalty_of(trials.score.size, np.unique(trials.parcel).size, TRUST)

    def fit(weight: Floats) -> AffineCalibrator:
        used = weight > 0
        return AffineCalibrator(size_terms="both", penalty=penalty).fit(
            trials.score[used],
            trials.is_true[used].astype(float),
            n_stones=n_stones[trials.parcel[used]],
            sample_weight=weight[used],
        )

    calibrator = fit(trials.weight)
    log10_lr = calibrator.transform(trials.score, n_stones=n_stones[trials.parcel])
    rng = np.random.default_rng(seed)
    resampled = []
    for _ in range(n_resamples):
        times = _resample(prepared.groups, rng)
        resampled.append(fit(trials.weight * times[trials.parcel]).coef_)
    true, false = log10_lr[trials.is_true], log10_lr[~trials.is_true]
    posterior = np.exp(evidence.listed - evidence.listed.max(axis=1, keepdims=True))
    posterior /= posterior.sum(axis=1, keepdims=True)
    own = np.sort(posterior[np.flatnonzero(kept), prepared.groups[kept]])
    rank = max(int(np.floor((1.0 - LEVEL) * (own.size + 1))) - 1, 0)
    calibration = Calibration(
        coefficients=calibrator.coef_,
        resampled=np.array(resampled),
        centre=calibrator.centre_,
        scale=calibrator.scale_,
        limits=calibrator.range_,
        bounds=np.array(elub_bounds(true, false)),
        set_threshold=float(own[rank]),
    )
    return calibration, trials


def _resample(groups: Ints, rng: np.random.Generator) -> Ints:
    """Draw parcels anew within each zone and return how often each was drawn."""
    times = np.zeros(groups.size, dtype=np.intp)
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        np.add.at(times, rng.choice(members, members.size), 1)
    return times


def resample_sources(prepared: Prepared, fitted: Fitted, *, n_resamples: int, seed: int) -> Floats:
    """Return locations (B, Z, D) of the zones from resampled reference parcels.

    The variances stay those of the fit; zone means and condition effects are solved for anew.
    """
    model, rng = fitted.model, np.random.default_rng(seed)
    summaries = summarise(prepared.arrays, fitted.structure)
    y = summaries.estimates[0] - model.mean
    own = np.zeros_like(y)
    for effects, codes in zip(model.levels, prepared.arrays.levels.T, strict=True):
        own += np.where((codes >= 0)[:, None], effects[np.maximum(codes, 0)], 0.0)
    precision = np.linalg.inv(summaries.errors[0] + model.within / model.weights[:, None, None])
    between = np.linalg.inv(model.between)
    weighted = (precision @ (y - own)[:, :, None])[:, :, 0]
    out = np.zeros((n_resamples, *model.groups.shape))
    for b in range(n_resamples):
        times = _resample(prepared.groups, rng)
        for group in range(len(model.groups)):
            rows = np.flatnonzero((prepared.groups == group) & (times > 0))
            total = np.einsum("p,pde->de", times[rows], precision[rows]) + between
            out[b, group] = model.mean + np.linalg.solve(total, times[rows] @ weighted[rows])
    return out
