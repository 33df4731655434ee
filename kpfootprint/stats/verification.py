"""Calibrated likelihood ratios of declarations: headline, alternatives, resampled versions, shares by attribute."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from math import factorial

import numpy as np

from kpfootprint.stats.arrays import Bools, Floats, rows_of
from kpfootprint.stats.declarations import declared_evidence, declared_location
from kpfootprint.stats.evidence import (
    blend_location,
    dimensions,
    log_sum,
    source_evidence,
    unlisted_evidence,
    view_of,
    whiten,
)
from kpfootprint.stats.metrics import LN10
from kpfootprint.stats.model import (
    Evidence,
    FootprintModel,
    Look,
    average,
    averaged_readings,
    fuse,
    log10_score,
    marginal,
    pooled,
)
from kpfootprint.stats.summaries import WINDOWS, masked
from kpfootprint.stats.tables import listed_and_unlisted, resampled_tables, tables_of_blends


@dataclass(frozen=True, slots=True, kw_only=True)
class LikelihoodRatio:
    """Calibrated log10 LRs, before bounds, of what was declared of n parcels against H2.

    Parameters
    ----------
    looked : Look
        The parcels under their declarations.
    alternatives : ndarray of shape (n, Z)
        Weights of the listed sources in H2.
    unlisted_weight : float
        Weight of a source that nobody has sampled.
    """

    model: FootprintModel
    looked: Look
    alternatives: Floats
    unlisted_weight: float

    @property
    def value(self) -> Floats:
        """The LRs (n,)."""
        return self.of(self.looked.evidence)

    def of(self, evidence: Evidence) -> Floats:
        """Return the LRs (n,) that other evidence gives."""
        score = log10_score(evidence, self.alternatives, self.unlisted_weight)
        calibration = self.model.calibration
        return calibration.apply(score, self.looked.ln_n, calibration.told(evidence.listed))

    def against_each(self) -> Floats:
        """Return the LRs (n, Z) of what was declared against each listed source alone."""
        evidence, calibration = self.looked.evidence, self.model.calibration
        score = (evidence.declared[:, None] - evidence.listed) / LN10
        return calibration.apply(
            score, self.looked.ln_n[:, None], np.reshape(calibration.told(evidence.listed), (-1, 1))
        )

    def resampled(self) -> Floats:
        """Return the LRs (B, n) with reference parcels drawn anew for sources and for calibration."""
        model, looked = self.model, self.looked
        sources, declared, ln_n = model.resampled_sources, looked.weighed.shares, looked.ln_n
        b, z, dim = sources.shape
        n = len(ln_n)
        location = blend_location(sources, declared, model.structure)
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
        windows = len(WINDOWS)
        view = looked.view
        evidence, _ = source_evidence(
            view.whitened.take(slice(0, windows * n)),
            np.tile(everything, (windows, 1, 1)),
            np.tile(scales, (windows, 1)),
        )
        averaged = evidence.reshape(windows, n, -1)
        if model.tables is not None and model.tables.weight > 0.0:
            drawn = resampled_tables(model.tables, view.arrays, model.structure, declared)
            averaged = average(
                averaged, np.stack([drawn.total(window) for window in range(windows)]), model.tables.weight
            )
        fused = marginal(averaged, looked.gate, looked.readings.level)
        listed = fused[:, : b * z].reshape(n, b, z)
        resampled = Evidence(
            listed=listed.reshape(n * b, z),
            unlisted=np.repeat(looked.evidence.unlisted, b),
            declared=fused[:, b * z :].reshape(n * b),
        )
        score = log10_score(resampled, np.repeat(self.alternatives, b, axis=0), self.unlisted_weight).reshape(n, b).T
        told = model.calibration.told(looked.evidence.listed)
        return model.calibration.apply(score, ln_n, told, model.calibration.resampled[:, None, :])

    def under_variance(self, factor: float) -> Floats:
        """Return the LRs (n,) if parcels of one source varied `factor` times as much as references do.

        Both kinds of evidence are asked again with that variance; what calibration learnt stays.
        """
        looked, predictor, declared = self.looked, self.model.predictor, self.looked.weighed.shares
        wider = replace(predictor, within=factor * predictor.within, within_unknown=factor * predictor.within_unknown)
        view = view_of(looked.view.arrays, replace(self.model, predictor=wider), looked.view.summaries)
        readings = averaged_readings(view, (declared, declared_evidence(view, declared)[0]), factor)
        return self.of(fuse(readings, looked.gate))

    def by_subset(self) -> tuple[Bools, Floats, Floats]:
        """Return what each subset of attributes says alone, and all of them if nobody knew the last condition.

        Returns
        -------
        flags : ndarray of shape (2**k - 1, k), bool
            Subsets; the first row is the full set.
        log10_lr : ndarray of shape (2**k - 1, n)
            LR of each subset; the first row is the LR of the report.
        without_last : ndarray of shape (n,)
            The LR with the level of the last factor left open.
        """
        model, looked = self.model, self.looked
        arrays, windows, declared = looked.view.arrays, len(WINDOWS), looked.weighed.shares
        n, n_attributes = arrays.recorded.shape
        flags = subsets(n_attributes)
        open_levels = arrays.levels.copy()
        open_levels[:, -1] = -1
        # the full set with open levels in every window, then each smaller subset (one window where size is out)
        readings = [(flags[0], open_levels, window) for window in range(windows)]
        readings += [(flag, arrays.levels, w) for flag in flags[1:] for w in range(windows if flag[0] else 1)]
        rows = np.tile(np.arange(n), len(readings))
        recorded = np.concatenate([flag & arrays.recorded for flag, _, _ in readings])
        window = np.repeat([w for _, _, w in readings], n)
        structure, predictor = model.structure, model.predictor
        estimates, errors = masked(looked.view.summaries, window, rows, recorded, structure)
        partial = looked.view.arrays.partial
        n_dims = dimensions(recorded, structure, None if partial is None else partial.dims[rows])
        levels = np.concatenate([level for _, level, _ in readings])
        whitened = whiten(predictor, estimates, errors, levels, n_dims, looked.view.whitened.lenses)
        location, scale = declared_location(model, declared)
        own = source_evidence(whitened, location[rows][:, None, :], scale[rows][:, None])[0][:, 0]
        listed, _ = source_evidence(whitened, predictor.sources, predictor.scales)
        found = pooled(explicit := (listed, unlisted_evidence(predictor, whitened), own))
        if model.tables is not None and model.tables.weight > 0.0:
            every = listed_and_unlisted(model.tables, arrays, structure, 1.0)
            said = tables_of_blends(model.tables, arrays, structure, declared[:, None])
            shown = np.concatenate([every.total(w, flag) for flag, _, w in readings])
            own_shown = np.concatenate([said.total(w, flag)[:, 0] for flag, _, w in readings])
            found = pooled(explicit, (shown, own_shown), model.tables.weight, model.tables.vote)

        def lr_of(first: int, with_size: bool) -> Floats:
            """Fuse the readings that begin at `first`; without size every window is the same reading."""
            pick = np.array([first + (w if with_size else 0) for w in range(windows)])[:, None] * n + np.arange(n)
            gate = looked.gate if with_size else np.tile(np.eye(windows)[0], (n, 1))
            return self.of(fuse(rows_of(found, pick), gate))

        values, first = [self.value], windows
        for flag in flags[1:]:
            nothing = ~(flag & arrays.recorded).any(axis=1)
            values.append(np.where(nothing, 0.0, lr_of(first, bool(flag[0]))))
            first += windows if flag[0] else 1
        return flags, np.stack(values), lr_of(0, True)


def subsets(n_attributes: int) -> Bools:
    """Return every subset of attributes but the empty one, the full one first, as rows of flags."""
    rows = [
        [k in chosen for k in range(n_attributes)]
        for size in range(n_attributes, 0, -1)
        for chosen in combinations(range(n_attributes), size)
    ]
    return np.array(rows, dtype=bool)


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
