r"""Several parcels as one claim: their joint likelihood ratio, with what they share modelled and not multiplied away.

Parcels of one claim share what nobody knows: where exactly their source lies, how their sorter judges. The product of
their LRs counts that again with every parcel. Groups of parcels of the same sizes, declarations and sorters are drawn
under both hypotheses, sharing a source and a new sorter; what the sum of their log LRs is worth is learnt from these
groups by logistic regression, held near identity:

.. math:: \log_{10} LR = a + b \sum_k \log_{10} LR_k,\qquad 0 \le b \le 1.

References
----------
Brümmer and du Preez (2006), Application-independent evaluation of speaker detection, Computer Speech and Language 20.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

import numpy as np
from scipy.special import ndtr, ndtri

from kpfootprint.comparison.hypotheses import Together, formed
from kpfootprint.comparison.weigh import Judged, judge, ratio, resampled
from kpfootprint.errors import IngestError
from kpfootprint.parcel import Batch
from kpfootprint.plain import Log10, Share, two_digits
from kpfootprint.planning.question import problem
from kpfootprint.planning.trials import SEED, looks_of, outcomes_of
from kpfootprint.release import Release
from kpfootprint.stats.arrays import Bools, Floats, Ints, joined, rows_of
from kpfootprint.stats.calibration import fit_logistic
from kpfootprint.stats.intervals import ENDS, LEVEL
from kpfootprint.stats.shares import NONE_P
from kpfootprint.stats.simulate import DrawnGoods, draw_goods

N_GROUPS = 160
"""Groups drawn under each hypothesis."""
MOST_DRAWN = 8
"""Parcels of a drawn group at most; a larger claim is worth no more than so many of its parcels allow for."""
TRUST = 8.0
"""Groups' worth of belief that nothing is shared."""
N_RESAMPLED = 60
N_SHARES = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Parcels that make one claim.

    Parameters
    ----------
    declared : ndarray of shape (K, Z)
        Declared shares of stones of each parcel.
    allowed : ndarray of shape (K, Z), bool
        Zones compliant on the day of each.
    n_stones : ndarray of shape (K,), integer
        Stones of each, or about as many as there are.
    sorter : ndarray of shape (K,), integer
        Known sorter of each, -1 where new or not stated.
    outcomes : Judged, of K parcels
        What the release makes of each alone.
    resampled : ndarray of shape (K, B)
        Unbounded log10 LR of each with the reference parcels drawn anew, the same draws for all.
    """

    declared: Floats
    allowed: Bools
    n_stones: Ints
    sorter: Ints
    outcomes: Judged
    resampled: Floats


def claim_of(batch: Batch, release: Release, status_on: date) -> Claim:
    """Return the claim that parcels make together.

    Raises
    ------
    IngestError
        If parcels have no declaration, or declare a zone without reference; all of them at once.
    """
    parts = list(formed(batch, release, status_on))
    wrong = sorted(p.parcel_id for part in parts if not part.hypotheses.testable.all() for p in part.parcels)
    if wrong:
        told = {"table": "parcels", "column": "declarations"}
        raise IngestError([problem("cannot_be_pooled", "invalid", **told, value=name) for name in wrong])
    whole: Claim = joined([_claim(part, release) for part in parts])
    return rows_of(whole, np.argsort(np.concatenate([part.rows for part in parts]), kind="stable"))


def _claim(part: Together, release: Release) -> Claim:
    arrays, asked, free = part.arrays, part.hypotheses, part.hypotheses.log_evidence
    found = [
        (judge(release, seen, asked.allowed[rows]), resampled(ratio(release, seen, asked.allowed[rows]), free[rows]))
        for rows, seen in looks_of(release, arrays, asked.weights, free)
    ]
    outcomes, again = zip(*found, strict=True)
    counted = zip(part.parcels, arrays.n_stones.tolist(), strict=True)
    return Claim(
        declared=asked.weights,
        allowed=asked.allowed,
        n_stones=np.array([parcel.n_stones or max(round(n), 1) for parcel, n in counted], dtype=np.intp),
        sorter=arrays.levels[:, -1],
        outcomes=joined(outcomes),
        resampled=np.concatenate(again, axis=1).T,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class JointLR:
    """The joint likelihood ratio with its limits at `level`, within the bounds that the references carry.

    Parameters
    ----------
    log10_lr_if_independent : float
        The sum of the parcels' own log10 LRs, which counts again what they share.
    dependence : float
        Part of that sum which is lost to what the parcels share: 0 where nothing is shared, 1 where all is.
    """

    log10_lr: Log10
    low: Log10
    high: Log10
    level: Share
    log10_lr_unbounded: Log10
    log10_lr_if_independent: Log10
    dependence: Share
    bound_hit: Literal["lower", "upper"] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JointShare:
    """The undeclared share of all stones together, with its limits at `level`."""

    estimate: Share
    low: Share
    high: Share
    level: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class JointMixture:
    """Undeclared goods in all parcels together; `p_value` is that of none in any of them."""

    undeclared_stone_fraction: JointShare
    p_value: Annotated[float, two_digits]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """What parcels of one claim say together."""

    n_parcels: int
    verification: JointLR
    mixture: JointMixture


def pool(release: Release, claim: Claim, *, n_groups: int = N_GROUPS) -> Pooled:
    """Weigh several parcels as one claim.

    Parameters
    ----------
    claim : Claim
        Of one parcel or more; each with a declaration that can be tested.
    """
    k = claim.n_stones.size
    rng = np.random.default_rng(SEED)
    if k == 1:  # shares nothing with another: its own report's likelihood ratio
        return _pooled(release, claim, np.array([[0.0, 1.0]]), 1.0, 0.0, rng)
    rows = np.arange(k) if k <= MOST_DRAWN else np.sort(rng.permutation(k)[:MOST_DRAWN])
    (true, share_p), (false, _) = (_groups(release, claim, rows, n_groups, is_true) for is_true in (True, False))
    times = k / rows.size
    score = np.concatenate([true, false])
    is_true = np.repeat([True, False], n_groups)
    learnt = [_affine(score, is_true), *(_affine(score[pick], is_true[pick]) for pick in _resampled(n_groups, rng))]
    return _pooled(release, claim, np.array(learnt), times, _correlation(share_p), rng)


def _pooled(
    release: Release, claim: Claim, learnt: Floats, times: float, correlation: float, rng: np.random.Generator
) -> Pooled:
    """Return what the sum of the parcels' log10 LRs is worth.

    Parameters
    ----------
    learnt : ndarray of shape (B, 2)
        Offset and slope of that, and of as many resamples; `times` is what the sum is divided by before.
    correlation : float
        Of the parcels' tests of undeclared goods.
    """
    k, total = claim.n_stones.size, float(claim.outcomes.unbounded.sum())
    # parcels of which none carries strong support carry none together
    bounds = (release.model.calibration.bounds[0], float(claim.outcomes.highest.max()))
    (offset, slope), again = learnt[0], learnt[1:] if len(learnt) > 1 else learnt
    value = offset + slope * total / times
    spread = again[:, 0, None] + again[:, 1, None] * claim.resampled.sum(axis=0) / times
    low, high = np.quantile(spread, ENDS)
    held = float(np.clip(value, *bounds))
    return Pooled(
        n_parcels=k,
        verification=JointLR(
            log10_lr=held,
            low=float(min(np.clip(low, *bounds), held)),
            high=float(max(np.clip(high, *bounds), held)),
            level=LEVEL,
            log10_lr_unbounded=float(value),
            log10_lr_if_independent=total,
            dependence=float(1.0 - slope / times),
            bound_hit="upper" if value > bounds[1] else "lower" if value < bounds[0] else None,
        ),
        mixture=JointMixture(
            undeclared_stone_fraction=_joint_share(release, claim, correlation, rng),
            p_value=_joint_p(claim.outcomes.shares.p_value, correlation),
        ),
    )


def _groups(release: Release, claim: Claim, rows: Ints, n_groups: int, is_true: bool) -> tuple[Floats, Floats]:
    """Draw groups of parcels like the claim's; return the sums (n_groups,) of their log10 LRs, and their p-values."""
    rng = np.random.default_rng([SEED, int(is_true)])
    k, z = rows.size, claim.declared.shape[1]
    declared = np.tile(claim.declared[rows], (n_groups, 1))
    shares = np.zeros((n_groups * k, z + 1))
    if is_true:
        shares[:, :z] = declared
    else:
        shares[np.arange(n_groups * k), np.repeat(_elsewhere(release, claim, rows, n_groups, rng), k)] = 1.0
    goods = DrawnGoods(
        shares=shares,
        n_stones=np.tile(claim.n_stones[rows], n_groups),
        sorter=np.tile(claim.sorter[rows], n_groups),
        group=np.repeat(np.arange(n_groups), k),
    )
    arrays = draw_goods(release.model, goods, rng)
    outcomes = outcomes_of(release, arrays, declared, np.tile(claim.allowed[rows], (n_groups, 1)))
    return outcomes.unbounded.reshape(n_groups, k).sum(axis=1), outcomes.shares.p_value.reshape(n_groups, k)


def _elsewhere(release: Release, claim: Claim, rows: Ints, n_groups: int, rng: np.random.Generator) -> Ints:
    """Return the source of each group under H2: one that some parcel's H2 holds, or one nobody has sampled."""
    z = claim.declared.shape[1]
    foreign = ((~claim.allowed[rows]) & (claim.declared[rows] == 0)).any(axis=0)
    weight = np.zeros(z + 1)
    weight[z] = release.unlisted_weight if foreign.any() else 1.0
    if foreign.any():
        weight[:z] = (1.0 - release.unlisted_weight) * foreign / foreign.sum()
    return rng.choice(z + 1, n_groups, p=weight)


def _affine(score: Floats, is_true: Bools) -> tuple[float, float]:
    """Return offset and slope (0 to 1) of a logistic regression held near 0 and 1."""
    y, one = is_true.astype(np.float64), np.ones(score.size)
    offset, slope = fit_logistic(np.stack([one, score], axis=1), y, one, prior=np.array([0.0, 1.0]), penalty=TRUST)
    if not 0.0 <= slope <= 1.0:
        slope = np.clip(slope, 0.0, 1.0)
        (offset,) = fit_logistic(one[:, None], y, one, prior=np.zeros(1), penalty=TRUST, known=slope * score)
    return float(offset), float(slope)


def _resampled(n_groups: int, rng: np.random.Generator) -> list[Ints]:
    return [
        np.concatenate([rng.integers(0, n_groups, n_groups), n_groups + rng.integers(0, n_groups, n_groups)])
        for _ in range(N_RESAMPLED)
    ]


def _normal(p_values: Floats) -> Floats:
    """Return what of a standard normal these are the upper tails of."""
    return -ndtri(np.clip(p_values, 1e-6, 1 - 1e-6))


def _correlation(p_values: Floats) -> float:
    """Return the mean correlation (0 to 1) between the parcels' tests in true groups (n_groups, k)."""
    k = p_values.shape[1]
    matrix = np.corrcoef(_normal(p_values).T)
    return float(np.clip((matrix.sum() - k) / (k * (k - 1)), 0.0, 0.99))


def _joint_p(p_values: Floats, correlation: float) -> float:
    """Combine p-values by Stouffer's method with correlated tests."""
    k = p_values.size
    return float(ndtr(-_normal(p_values).sum() / np.sqrt(k + k * (k - 1) * correlation)))


def _joint_share(release: Release, claim: Claim, correlation: float, rng: np.random.Generator) -> JointShare:
    """Return the undeclared share of all stones, parcels' errors being correlated."""
    k, alone = claim.n_stones.size, claim.outcomes.shares
    if k == 1:
        return JointShare(estimate=alone.estimate[0], low=alone.low[0], high=alone.high[0], level=LEVEL)
    common, own = rng.standard_normal((N_SHARES, 1)), rng.standard_normal((N_SHARES, k))
    level = ndtr(np.sqrt(correlation) * common + np.sqrt(1.0 - correlation) * own)
    upper = np.clip(release.model.shares.edges, 0.0, 1.0)
    drawn = np.empty((N_SHARES, k))
    for row, chances in enumerate(alone.chances):
        drawn[:, row] = np.interp(level[:, row], np.concatenate([[0.0], chances.cumsum()]), upper)
    total = drawn @ (claim.n_stones / claim.n_stones.sum())
    low, middle, high = np.quantile(total, [ENDS[0], 0.5, ENDS[1]])
    if _joint_p(alone.p_value, correlation) > NONE_P:
        low = 0.0
    return JointShare(estimate=middle, low=min(low, middle), high=max(high, middle), level=LEVEL)
