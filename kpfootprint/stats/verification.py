"""Calibrated likelihood ratios of declarations: headline, alternatives, resampled versions, shares by attribute."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from math import factorial

import numpy as np
from numpy.typing import NDArray

from kpfootprint.stats.blends import contract, expand
from kpfootprint.stats.declarations import declared_evidence
from kpfootprint.stats.evidence import log_sum, source_evidence
from kpfootprint.stats.model import FootprintModel, Look
from kpfootprint.stats.selection import Evidence, base_level, fuse, log_alternative
from kpfootprint.stats.summaries import WINDOWS, masked
from kpfootprint.stats.views import view_from

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]

LN10 = float(np.log(10.0))


def log10_lr_of(
    model: FootprintModel, evidence: Evidence, alternatives: Floats, weight: Floats, ln_n: Floats
) -> Floats:
    """Return calibrated log10 LRs (n,) before bounds, of what was declared against `alternatives` (n, Z)."""
    score = (evidence.declared - log_alternative(evidence, alternatives, weight)) / LN10
    return model.calibration.apply(score, ln_n)


def against_each(model: FootprintModel, evidence: Evidence, ln_n: Floats) -> Floats:
    """Return calibrated log10 LRs (n, Z) of what was declared against each listed source alone."""
    score = (evidence.declared[:, None] - evidence.listed) / LN10
    return model.calibration.apply(score, ln_n[:, None])


def resampled_lrs(
    model: FootprintModel, looked: Look, declared: Floats, alternatives: Floats, weight: Floats, ln_n: Floats
) -> Floats:
    """Return log10 LRs (B, n), before bounds, with reference parcels drawn anew for sources and for calibration."""
    sources = model.resampled_sources
    b, z, dim = sources.shape
    n = len(ln_n)
    single = declared.max(axis=1) > 1.0 - 1e-9
    expanded = expand(sources, model.structure)
    blended = contract(np.einsum("pz,bze->bpe", declared, expanded), model.structure)
    location = np.where(single[None, :, None], np.einsum("pz,bzd->bpd", declared, sources), blended)
    # every parcel is held against all resampled sources and against its own resampled blends
    everything = np.concatenate(
        [np.broadcast_to(sources.reshape(1, b * z, dim), (n, b * z, dim)), location.transpose(1, 0, 2)], axis=1
    )
    scales = np.concatenate(
        [
            np.broadcast_to(np.tile(model.predictor.scales, b), (n, b * z)),
            np.broadcast_to(((declared**2) @ model.predictor.scales)[:, None], (n, b)),
        ],
        axis=1,
    )
    base = base_level(looked.view)
    log_gate = np.log(np.maximum(looked.gate.T, 1e-6))
    per_window = [
        source_evidence(looked.view.frames[w], everything, scales)[0] + (log_gate[w] - base[w])[:, None]
        for w in range(len(WINDOWS))
    ]
    fused = log_sum(np.stack(per_window, axis=-1))
    listed = fused[:, : b * z].reshape(n, b, z)
    out = np.empty((b, n))
    for k in range(b):
        evidence = Evidence(listed=listed[:, k], unlisted=looked.evidence.unlisted, declared=fused[:, b * z + k])
        score = (evidence.declared - log_alternative(evidence, alternatives, weight)) / LN10
        out[k] = model.calibration.apply(score, ln_n, model.calibration.resampled[k])
    return out


def subsets(n_attributes: int) -> Bools:
    """Return every subset of attributes but the empty one, the full one first, as rows of flags."""
    rows = [
        [k in chosen for k in range(n_attributes)]
        for size in range(n_attributes, 0, -1)
        for chosen in combinations(range(n_attributes), size)
    ]
    return np.array(rows, dtype=bool)


def subset_lrs(
    model: FootprintModel, looked: Look, declared: Floats, alternatives: Floats, weight: Floats, ln_n: Floats
) -> tuple[Bools, Floats]:
    """Return every subset of attributes and the log10 LR (n_subsets, n), before bounds, from that subset alone.

    The first row is the full set: the LR of the report.
    """
    arrays = looked.view.arrays
    n, n_attributes = arrays.recorded.shape
    flags = subsets(n_attributes)
    rows = np.tile(np.arange(n), len(flags))
    recorded = np.repeat(flags, n, axis=0) & arrays.recorded[rows]
    structure, predictor = model.structure, model.predictor
    summaries = masked(looked.view.summaries, rows, recorded, structure)
    view = view_from(replace(arrays.take(rows), recorded=recorded), summaries, structure, predictor)
    gate = np.where(recorded[:, :1], looked.gate[rows], np.eye(len(WINDOWS))[0])
    base = declared_evidence(view, structure, predictor, declared[rows])
    evidence = fuse(view, gate, base.log_evidence)
    log10_lr = log10_lr_of(model, evidence, alternatives[rows], weight[rows], ln_n[rows])
    nothing = ~recorded.any(axis=1)
    return flags, np.where(nothing, 0.0, log10_lr).reshape(len(flags), n)


def shapley(flags: Bools, values: Floats) -> Floats:
    r"""Return Shapley shares (n, n_attributes) of the value of the full set; the empty set is worth 0.

    .. math:: \phi_i = \sum_{S \not\ni i} \frac{|S|!\,(k-|S|-1)!}{k!}\,(v(S \cup i) - v(S))

    Parameters
    ----------
    flags : ndarray of shape (2**k - 1, k), bool
        Subsets, from `subsets`.
    values : ndarray of shape (2**k - 1, n)
        Value of each subset.

    References
    ----------
    Shapley (1953), A value for n-person games, Contributions to the Theory of Games II, 307-317.
    """
    k = flags.shape[1]
    value = {tuple(row): values[position] for position, row in enumerate(flags.tolist())}
    value[(False,) * k] = np.zeros(values.shape[1])
    out = np.zeros((values.shape[1], k))
    for subset, worth in value.items():
        size = sum(subset)
        for i in range(k):
            if not subset[i]:
                bigger = (*subset[:i], True, *subset[i + 1 :])
                weight = factorial(size) * factorial(k - size - 1) / factorial(k)
                out[:, i] += weight * (value[bigger] - worth)
    return out


def unlisted_odds(evidence: Evidence, unlisted_weight: float) -> tuple[Floats, Floats]:
    """Return posteriors (n, Z) of listed sources and (n,) of an unlisted one, listed sources being equally likely."""
    prior = np.log((1.0 - unlisted_weight) / evidence.listed.shape[1])
    whole = np.concatenate([evidence.listed + prior, evidence.unlisted[:, None] + np.log(unlisted_weight)], axis=1)
    posterior = np.exp(whole - log_sum(whole)[:, None])
    return posterior[:, :-1], posterior[:, -1]
