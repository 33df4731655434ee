"""What the model's answers are worth on parcels drawn from it: ranks, coverage, detection, error rates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy.special import logit, ndtri, stdtrit
from sklearn.linear_model import LogisticRegression

from kpfootprint.comparison.weigh import Terms, judge
from kpfootprint.conclusions import CONSISTENT, QUERY
from kpfootprint.stats.arrays import Bools, Floats, Ints, ParcelArrays
from kpfootprint.stats.intervals import LEVEL, clopper_pearson
from kpfootprint.stats.model import look
from kpfootprint.stats.networks import Network
from kpfootprint.stats.parcel_model import DEGREES_OF_FREEDOM
from kpfootprint.stats.ranks import RankTable
from kpfootprint.stats.shares import (
    NONE_P,
    GoodsTest,
    ShareModel,
    blended_p,
    blendedness,
    detection_design,
    none_statistic,
    other_statistic,
    quantiles,
    share_bins,
    source_distances,
)
from training.declarants import Tried
from training.prepare import Fitted
from training.record import NO_END
from training.scenarios import KINDS, Truth

LISTED, NEAR, FAR, BLEND, MIXED, FALSE, TRIED = range(len(KINDS))
SIZE_EDGES = (1, 40, 100, 200, 400, 800, 1600, 3200, NO_END)
SIMULATED_WORTH = 5.0
"""Parcels' worth of belief that reference parcels are as strange as simulated ones."""
OUTER = 0.05
"""Part of the quantiles that says how they go on beyond the last one."""
TAILS = np.linspace(0.005, 0.2, 40)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareNetworks:
    """The networks of undeclared shares: under what was declared, and under the declaration that suits best."""

    shares: Network
    goods: Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """What was seen of each simulated parcel (n): sizes, chances of shares as declared and as suits best, and more.

    `own` is the statistic of the posterior of the parcel's main source among the listed ones.
    """

    ln_n: Floats
    chances: Floats
    best_chances: Floats
    association: Floats
    own: Floats


def fit_sets(ranked: Ranked, truth: Truth) -> RankTable:
    """Rank the posteriors of their own sources among parcels of one source."""
    true = truth.kind == LISTED
    return RankTable.from_calibration(ranked.own[true], ranked.ln_n[true])


def fit_goods(ranked: Ranked, truth: Truth, held: Ranked, network: Network) -> GoodsTest:
    """Rank the test of goods that were not compliant among true declarations, of one source and of several.

    `held` are reference parcels left out in turn: the ranks let no more of them pass for mixed than simulated ones.
    """
    true, edges = np.isin(truth.kind, (LISTED, BLEND)), share_bins()
    statistic = none_statistic(ranked.best_chances[true], edges)
    ranks = RankTable.from_calibration(statistic, ranked.ln_n[true], n_quantiles=800)
    return GoodsTest(network=network, ranks=_no_stricter(ranks, none_statistic(held.best_chances, edges), held.ln_n))


def _no_stricter(table: RankTable, statistic: Floats, ln_n: Floats) -> RankTable:
    """Return ranks that are `as_held_out` where those give the larger p-value, and the simulated ones elsewhere."""
    held = as_held_out(table, statistic, ln_n, freedom=np.inf)
    return replace(table, quantiles=np.maximum(table.quantiles, held.quantiles))


def fit_share_model(ranked: Ranked, truth: Truth, held: Ranked, network: Network, goods: GoodsTest) -> ShareModel:
    """Rank the test of no undeclared goods among true declarations, and widen intervals until they cover.

    `held` are reference parcels left out in turn, as in `fit_goods`.
    """
    edges = share_bins()
    statistic, other = none_statistic(ranked.chances, edges), other_statistic(ranked.chances)
    of_held, other_of_held = none_statistic(held.chances, edges), other_statistic(held.chances)

    def table(values: Floats, of_reference: Floats, kind: int) -> RankTable:
        mine = truth.kind == kind
        ranks = RankTable.from_calibration(values[mine], ranked.ln_n[mine], n_quantiles=800)
        return _no_stricter(ranks, of_reference, held.ln_n)

    none, none_blend = table(statistic, of_held, LISTED), table(statistic, of_held, BLEND)
    true = np.isin(truth.kind, (LISTED, BLEND))
    mixed = np.flatnonzero(truth.kind == MIXED)
    blended = blendedness(truth.declared[mixed])
    p_value = blended_p(none, none_blend, statistic[mixed], ranked.ln_n[mixed], blended)
    goods_p = goods.ranks.p_values(none_statistic(ranked.best_chances[mixed], edges), ranked.ln_n[mixed])
    from_none = (p_value > NONE_P) | (goods_p > NONE_P)
    grid = np.quantile(ranked.ln_n[mixed], np.linspace(0.02, 0.98, 7))
    chances, share, ln_n = ranked.chances[mixed], truth.share[mixed], ranked.ln_n[mixed]
    middle = quantiles(chances, edges, np.full(mixed.size, 0.5))
    covered = np.empty((TAILS.size, mixed.size), dtype=bool)
    for row, tail in enumerate(TAILS):
        low = np.minimum(quantiles(chances, edges, np.full(mixed.size, tail)), middle)
        high = np.maximum(quantiles(chances, edges, np.full(mixed.size, 1.0 - tail)), middle)
        covered[row] = (np.where(from_none, 0.0, low) <= share) & (share <= high)
    widening = []
    for size in grid:
        nearest = np.argsort(np.abs(ln_n - size), kind="stable")[: max(mixed.size // 7, 200)]
        enough = np.flatnonzero(covered[:, nearest].mean(axis=1) >= LEVEL)
        widening.append(TAILS[enough[-1]] if enough.size else TAILS[0])
    return ShareModel(
        network=network,
        edges=edges,
        none=none,
        none_blend=none_blend,
        as_declared=table(other, other_of_held, LISTED),
        as_declared_blend=table(other, other_of_held, BLEND),
        association=RankTable.from_calibration(ranked.association[true], ranked.ln_n[true]),
        widening_ln_n=grid,
        widening=np.array(widening),
        goods_p=NONE_P,
    )


def fit_detection(found: Bools, truth: Truth, ln_n: Floats, fitted: Fitted) -> Floats:
    """Learn the chance of finding an admixture from a listed source."""
    listed = truth.source < truth.declared.shape[1]
    rows = np.flatnonzero((truth.kind == MIXED) & listed & (truth.share > 0.005))
    distance = source_distances(fitted.predictor, fitted.structure, truth.declared[rows])
    if rows.size == 0 or found[rows].all() or not found[rows].any():  # share and distance tell nothing
        return np.array([logit((found[rows].sum() + 0.5) / (rows.size + 1.0)), 0.0, 0.0, 0.0, 0.0, 0.0])
    design = detection_design(truth.share[rows], np.exp(ln_n[rows]), distance[np.arange(rows.size), truth.source[rows]])
    estimator = LogisticRegression(C=100.0, fit_intercept=False, max_iter=1000).fit(design, found[rows])
    out: Floats = estimator.coef_[0]
    return out


def judged_view(arrays: ParcelArrays, truth: Truth, *, terms: Terms) -> tuple[Ints, Floats]:
    """Return the conclusions of one chunk of simulated parcels and their log numbers of stones."""
    looked = look(terms.model, arrays, truth.declared)
    return judge(terms, looked, truth.allowed).conclusion, looked.ln_n


def error_table(conclusion: Ints, truth: Truth, ln_n: Floats, tried: Tried | None) -> list[dict[str, object]]:
    """Count wrong conclusions by size: true declarations queried, false ones called consistent, the kindest of many."""
    true = np.isin(truth.kind, (LISTED, BLEND))
    false = np.isin(truth.kind, (FALSE, NEAR, FAR))
    rows: list[dict[str, object]] = []
    n = np.exp(ln_n)
    for low, high in pairwise(SIZE_EDGES):
        inside = (n >= low - 0.5) & (n < high - 0.5)
        row: dict[str, object] = {"n_stones_low": low, "n_stones_high": high - 1}
        cases = {
            "true_declarations_queried": conclusion[inside & true] == QUERY,
            "false_declarations_accepted": conclusion[inside & false] == CONSISTENT,
        }
        if tried is not None:
            of_size = (tried.n_stones >= low - 0.5) & (tried.n_stones < high - 0.5)
            cases["declarants_who_try"] = tried.conclusion[of_size].min(axis=1) == CONSISTENT
        row |= {name: _rate(wrong) for name, wrong in cases.items() if wrong.size}
        if (inside & true).any():
            row["true_declarations_consistent"] = float((conclusion[inside & true] == CONSISTENT).mean())
        rows.append(row)
    return rows


def _rate(wrong: Bools) -> dict[str, float]:
    errors, trials = int(wrong.sum()), int(wrong.size)
    limits = clopper_pearson(errors, trials)
    return {"rate": errors / trials, "low": limits.low, "high": limits.high, "errors": errors, "trials": trials}


def as_held_out(table: RankTable, statistic: Floats, ln_n: Floats, *, freedom: float = DEGREES_OF_FREEDOM) -> RankTable:
    """Return ranks among simulated parcels brought to the level of reference parcels that were left out in turn.

    Simulated parcels vary as much as the model allows for, which is more than real ones do where references are few:
    among them next to nothing would look strange. On the normal scale of the ranks, mean and variance are learnt from
    the parcels left out, after a belief worth `SIMULATED_WORTH` parcels that the simulated ones are right. Tails are
    those of t, as in the evidence: a few parcels of a source lie far out, and that is not yet strange.

    Parameters
    ----------
    statistic, ln_n : ndarray of shape (n_parcels,)
        Of reference parcels, by fits that did not see them.
    freedom : float
        Degrees of freedom of the tails, if there are parcels enough for so many.
    """
    chances = table.chances
    held = ndtri(chances)
    low, next_counts = table.between(ln_n)
    weight = next_counts[:, None]
    at_size = (1.0 - weight) * table.quantiles[low] + weight * table.quantiles[low + 1]
    scores = np.array([_line_through(value, row, held) for value, row in zip(statistic, at_size, strict=True)])
    worth = scores.size + SIMULATED_WORTH
    mean = scores.sum() / worth
    variance = (((scores - mean) ** 2).sum() + SIMULATED_WORTH * (1.0 + mean**2)) / worth
    freedom = min(freedom, worth - 1.0)
    scale = np.sqrt(variance * (1.0 + 1.0 / worth) * (freedom - 2.0) / freedom)
    wanted = mean + scale * stdtrit(freedom, chances)
    return replace(table, quantiles=np.array([_line_through(wanted, held, row) for row in table.quantiles]))


def _line_through(wanted: Floats | float, at: Floats, values: Floats) -> Floats:
    """Interpolate values at increasing points, and go on beyond both ends as steeply as over the outer `OUTER`."""
    k = max(int(OUTER * at.size), 1)
    low = (values[k] - values[0]) / max(at[k] - at[0], 1e-9)
    high = (values[-1] - values[-1 - k]) / max(at[-1] - at[-1 - k], 1e-9)
    inside = np.interp(wanted, at, values)
    out: Floats = inside + low * np.minimum(wanted - at[0], 0.0) + high * np.maximum(wanted - at[-1], 0.0)
    return out
