"""What the model's answers are worth on parcels drawn from it: ranks, coverage, detection, error rates."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from kpfootprint.stats.declarations import association_statistic, foreign_sources
from kpfootprint.stats.detection import detection_design, source_distances
from kpfootprint.stats.intervals import clopper_pearson
from kpfootprint.stats.model import Calibration, Look
from kpfootprint.stats.networks import Network
from kpfootprint.stats.novelty import highest_log10_lr, strangeness
from kpfootprint.stats.ranks import RankTable
from kpfootprint.stats.scenarios import KINDS, Truth
from kpfootprint.stats.selection import log_alternative
from kpfootprint.stats.shares import LEVEL, NONE_P, ShareModel, none_statistic, quantiles
from training.prepare import Fitted

Floats = NDArray[np.float64]

LN10 = float(np.log(10.0))
LISTED, NEAR, FAR, BLEND, MIXED, FALSE = range(len(KINDS))
SIZE_EDGES = (1, 40, 100, 200, 400, 800, 1600, 3200, 100_000)
TAILS = np.linspace(0.005, 0.2, 40)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """What was seen of each simulated parcel (n): sizes, scores, share chances, strangeness and association."""

    ln_n: Floats
    log10_score: Floats
    chances: Floats
    strangeness: Floats
    association: Floats


def seen(looked: Look, truth: Truth, features: Floats, network: Network, unlisted_weight: float) -> Ranked:
    """Collect what ranks are made of from one chunk of simulated parcels."""
    evidence = looked.evidence
    alternatives = ((~truth.allowed) & (truth.declared == 0)).astype(float)
    below = log_alternative(evidence, alternatives, np.full(len(truth.kind), unlisted_weight))
    assert looked.profile is not None
    return Ranked(
        ln_n=np.log(looked.view.arrays.n_stones),
        log10_score=(evidence.declared - below) / LN10,
        chances=network.probabilities(features),
        strangeness=strangeness(looked.view, looked.gate[:, 0], looked.profile.distance),
        association=association_statistic(looked.profile, foreign_sources(truth.declared, truth.allowed)),
    )


def join(parts: list[Ranked]) -> Ranked:
    """Put the chunks together."""
    return Ranked(
        ln_n=np.concatenate([p.ln_n for p in parts]),
        log10_score=np.concatenate([p.log10_score for p in parts]),
        chances=np.concatenate([p.chances for p in parts]),
        strangeness=np.concatenate([p.strangeness for p in parts]),
        association=np.concatenate([p.association for p in parts]),
    )


def fit_share_model(ranked: Ranked, truth: Truth, network: Network, edges: Floats) -> ShareModel:
    """Rank the test of no undeclared goods among true declarations, and widen intervals until they cover."""
    statistic = none_statistic(ranked.chances)
    tables = [
        RankTable.from_calibration(statistic[truth.kind == kind], ranked.ln_n[truth.kind == kind], n_quantiles=800)
        for kind in (LISTED, BLEND)
    ]
    true = np.isin(truth.kind, (LISTED, BLEND))
    mixed = np.flatnonzero(truth.kind == MIXED)
    p_value = tables[0].p_values(statistic[mixed], ranked.ln_n[mixed])
    grid = np.quantile(ranked.ln_n[mixed], np.linspace(0.02, 0.98, 7))
    chances, share, ln_n = ranked.chances[mixed], truth.share[mixed], ranked.ln_n[mixed]
    middle = quantiles(chances, edges, np.full(mixed.size, 0.5))
    covered = np.empty((TAILS.size, mixed.size), dtype=bool)
    for row, tail in enumerate(TAILS):
        low = np.minimum(quantiles(chances, edges, np.full(mixed.size, tail)), middle)
        high = np.maximum(quantiles(chances, edges, np.full(mixed.size, 1.0 - tail)), middle)
        covered[row] = (np.where(p_value > NONE_P, 0.0, low) <= share) & (share <= high)
    widening = []
    for size in grid:
        nearest = np.argsort(np.abs(ln_n - size), kind="stable")[: max(mixed.size // 7, 200)]
        enough = np.flatnonzero(covered[:, nearest].mean(axis=1) >= LEVEL)
        widening.append(TAILS[enough[-1]] if enough.size else TAILS[0])
    return ShareModel(
        network=network,
        edges=edges,
        none=tables[0],
        none_blend=tables[1],
        association=RankTable.from_calibration(ranked.association[true], ranked.ln_n[true]),
        widening_ln_n=grid,
        widening=np.array(widening),
    )


def fit_detection(found: NDArray[np.bool_], truth: Truth, ln_n: Floats, fitted: Fitted) -> Floats:
    """Learn the chance of finding an admixture from a listed source."""
    rows = np.flatnonzero((truth.kind == MIXED) & (truth.source < truth.declared.shape[1]) & (truth.share > 0.005))
    distance = source_distances(fitted.predictor, fitted.structure, truth.declared[rows])
    design = detection_design(truth.share[rows], np.exp(ln_n[rows]), distance[np.arange(rows.size), truth.source[rows]])
    estimator = LogisticRegression(C=100.0, fit_intercept=False, max_iter=1000).fit(design, found[rows])
    out: Floats = estimator.coef_[0]
    return out


def error_table(conclusion: NDArray[np.intp], truth: Truth, ln_n: Floats) -> list[dict[str, object]]:
    """Count wrong conclusions by size: true declarations queried, false ones called consistent."""
    true = np.isin(truth.kind, (LISTED, BLEND))
    false = np.isin(truth.kind, (FALSE, NEAR, FAR))
    rows: list[dict[str, object]] = []
    n = np.exp(ln_n)
    for low, high in pairwise(SIZE_EDGES):
        inside = (n >= low - 0.5) & (n < high - 0.5)
        row: dict[str, object] = {"n_stones_low": low, "n_stones_high": high - 1}
        for name, members, wrong in (
            ("true_declarations_queried", true, 2),
            ("false_declarations_accepted", false, 0),
        ):
            cases = conclusion[inside & members]
            errors, trials = int((cases == wrong).sum()), int(cases.size)
            if trials == 0:
                continue
            limits = clopper_pearson(errors, trials)
            row[name] = {
                "rate": errors / trials,
                "low": limits.low,
                "high": limits.high,
                "errors": errors,
                "trials": trials,
            }
            if name == "true_declarations_queried":
                row["true_declarations_consistent"] = float((cases == 0).mean())
        rows.append(row)
    return rows


def scores_to_lr(calibration: Calibration, ranked: Ranked, novelty_p: Floats) -> Floats:
    """Return bounded log10 LRs of the simulated declarations."""
    return calibration.bounded(calibration.apply(ranked.log10_score, ranked.ln_n), highest_log10_lr(novelty_p))
