r"""A hierarchical model of parcel summaries: group, conditions and the parcel's own deviation.

Each parcel is summarised by an estimate :math:`y_p` of *D* numbers with known error covariance :math:`V_p`:

.. math:: y_p = m + g_{z(p)} + \sum_f c_{f,l_f(p)} + e_p + \varepsilon_p,\quad
          e_p \sim t_\nu(0, S),\ \varepsilon_p \sim N(0, V_p)

Groups have covariance *B*, the levels of factor *f* have a diagonal covariance, *S* is pooled over groups. A parcel
keeps its label with chance .95, is odd (a wider *S*) with .03 and belongs to another group with .02.
Fitted by EM; all expectations are Gaussian given the weights. A covariance of *D* numbers takes many parcels to learn,
so something is believed of *S* beforehand: numbers of one attribute vary alike and hang together in no way (whatever
the order of its classes), and those of different attributes do not either. How far off that is, inside attributes and
across them, is learnt with the rest, after a belief of its own. Where an older release has learnt *S*, an inverse
Wishart prior around that, worth `WORTH_OF_A_RELEASE` parcels for each number, takes the place of it.

References
----------
Daniels and Kass (1999), JASA 94:1254-1263 (shrinking covariances as far as the data have it). Ledoit and Wolf (2004),
Journal of Multivariate Analysis 88:365-411 (towards equal variances).
Gelman and others (2013), Bayesian Data Analysis, ch. 3.6 (inverse Wishart).
Lange, Little and Taylor (1989), JASA 84:881-896 (t weights). Searle, Casella and McCulloch (1992), Variance Components.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kpfootprint.stats.arrays import Floats, Ints

DEGREES_OF_FREEDOM = 10.0
LABEL_PRIORS = (0.95, 0.03, 0.02)
ODD_SCALE = 9.0
INSIDE, ACROSS = 0.2, 0.05
"""Variances of how numbers of one attribute, and of different ones, hang together, that are believed beforehand."""
WORTH_OF_TIES = 10.0
"""Ties of two numbers that these beliefs are worth."""
WORTH_OF_A_RELEASE = 6.0
"""Parcels for each number that the covariance of an older release is worth."""
N_ITERATIONS = 25
"""Steps of EM; the estimates move by less than a hundredth of their errors well before."""
PAIRWISE = ("greedy", 10**9)
"""Two at a time, however many zones there are: numpy takes all three at once, at ten times the cost, where what comes
between is larger than what goes in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelModel:
    """A fitted hierarchical model.

    Parameters
    ----------
    mean : ndarray of shape (D,)
        Grand mean.
    groups : ndarray of shape (n_groups, D)
        Group means (grand mean included), shrunk towards the grand mean where parcels are few.
    levels : tuple of ndarray of shape (n_levels, D)
        Effect of each level of each factor.
    level_priors : tuple of ndarray of shape (n_levels,)
        Frequency of each level, for parcels whose level is unknown.
    within : ndarray of shape (D, D)
        Covariance *S* of parcels of one group.
    between : ndarray of shape (D, D)
        Covariance *B* of groups.
    level_variances : tuple of ndarray of shape (D,)
        Variance of each factor's levels.
    coefficients_cov : ndarray of shape (K, D, K, D)
        Posterior covariance of (mean, group deviations, levels...).
    weights : ndarray of shape (n_parcels,)
        Robust weight of each parcel of the fit.
    own : ndarray of shape (n_parcels,)
        Posterior chance that each parcel belongs to the group it is labelled with and is not odd.
    other : ndarray of shape (n_parcels,)
        Posterior chance that it belongs to another group: the suspects are those above one half.
    """

    mean: Floats
    groups: Floats
    levels: tuple[Floats, ...]
    level_priors: tuple[Floats, ...]
    within: Floats
    between: Floats
    level_variances: tuple[Floats, ...]
    coefficients_cov: Floats
    weights: Floats
    own: Floats
    other: Floats

    @property
    def open_part(self) -> Floats:
        r"""What is not known of each group's mean (n_groups,), as a part of the covariance of parcels of one group.

        With posterior covariance *C* of the mean it is :math:`\operatorname{tr}(S^{-1} C) / D`: about one over the
        number of parcels, less where the grand mean tells much, more where parcels are small or odd.
        """
        typical = np.concatenate([[1.0], np.zeros(len(self.groups)), *self.level_priors])
        rows = np.tile(typical, (len(self.groups), 1))
        rows[:, 1 : 1 + len(self.groups)] = np.eye(len(self.groups))
        of_mean = np.einsum("zk,kdle,zl->zde", rows, self.coefficients_cov, rows, optimize=PAIRWISE)
        out: Floats = np.einsum("de,zed->z", np.linalg.inv(self.within), of_mean) / len(self.within)
        return out


def _design(labels: Sequence[Ints], sizes: Sequence[int]) -> tuple[Floats, tuple[Floats, ...]]:
    columns = [np.ones((labels[0].size, 1))]
    priors = []
    for position, (codes, size) in enumerate(zip(labels, sizes, strict=True)):
        block = np.zeros((codes.size, size))
        known = codes >= 0
        block[np.flatnonzero(known), codes[known]] = 1.0
        if position:
            frequency = (block.sum(axis=0) + 1.0) / (known.sum() + size)
            block[~known] = frequency
            priors.append(frequency)
        columns.append(block)
    return np.concatenate(columns, axis=1), tuple(priors)


def _log_normal(residual: Floats, covariance: Floats) -> tuple[Floats, Floats]:
    chol = np.linalg.cholesky(covariance)
    white = np.linalg.solve(chol, residual[..., None])[..., 0]
    distance = (white**2).sum(axis=-1)
    log_det = 2.0 * np.log(np.diagonal(chol, axis1=-2, axis2=-1)).sum(axis=-1)
    return -0.5 * (distance + log_det), distance


def _mode(within: Floats, n: int, attribute: Ints, learnt: tuple[float, float]) -> tuple[Floats, tuple[float, float]]:
    r"""Return the mode of a covariance (D, D) of which `within` is the likeliest to `n` parcels, and what is learnt.

    `attribute` numbers the attribute of each number from 1 on; those at 0 are of none. In units of the mean variance of
    each attribute, and of its own of every other number, a covariance is :math:`I + A + B`: *A* is what numbers of one
    attribute differ from such as vary alike and hang together in no way, *B* the ties across attributes. The elements
    of both are normal around 0, with a variance :math:`\tau^2` each (twice that on the diagonal), so with *n* parcels
    their mode is :math:`n \tau^2 / (n \tau^2 + 1)` times what the parcels alone say. The two variances, inside and
    across, are what is learnt from step to step. None of it hangs on the order in which classes are listed. *B* is
    never shrunk less than *A*, which keeps what comes out positive definite: it is a sum of parts of
    :math:`I + A + B`, :math:`I + A` and *I*.
    """
    same = attribute[:, None] == attribute
    variances, sizes = np.diag(within), np.bincount(attribute)
    alike = np.bincount(attribute, weights=variances) / np.maximum(sizes, 1)
    scale = np.sqrt(np.where(attribute > 0, alike[attribute], variances))
    ties = within / np.outer(scale, scale) - np.eye(len(scale))
    inside, across = learnt
    kept_inside, kept_across = (n * variance / (n * variance + 1.0) for variance in learnt)
    ties *= np.where(same, kept_inside, min(kept_across, kept_inside))
    free_inside = (sizes * (sizes + 1) // 2 - 1)[1:].sum() + sizes[0] * (sizes[0] - 1) // 2
    out: Floats = (np.eye(len(scale)) + ties) * np.outer(scale, scale)
    return out, (
        _variance_of(ties[same], free_inside, n, inside, INSIDE),
        _variance_of(ties[~same], (~same).sum() / 2, n, across, ACROSS),
    )


def _variance_of(ties: Floats, free: float, n: int, now: float, believed: float) -> float:
    """Return the next variance of `free` ties, which stand twice in `ties` and are known to 1 / (n + 1 / `now`)."""
    seen = (ties**2).sum() / 2 + free / (n + 1.0 / now)
    return float((WORTH_OF_TIES * believed + seen) / (WORTH_OF_TIES + free))


def _coefficients(
    design: Floats, precision: Floats, estimates: Floats, priors: Sequence[Floats]
) -> tuple[Floats, Floats]:
    """Return the coefficients (K, D) that parcels of these precisions give beside their priors, and the covariance."""
    normal = np.einsum("pk,pl,pde->kdle", design, design, precision, optimize=PAIRWISE)
    for j, prior in enumerate(priors):
        normal[j, :, j, :] += prior
    right = np.einsum("pk,pde,pe->kd", design, precision, estimates, optimize=True)
    flat = normal.reshape(right.size, right.size)
    return np.linalg.solve(flat, right.ravel()).reshape(right.shape), np.linalg.inv(flat).reshape(normal.shape)


def _labels(
    estimates: Floats, fitted: Floats, errors: Floats, within: Floats, groups: Ints, deviations: Floats
) -> tuple[Floats, Floats]:
    """Return the chances (3, n) that a parcel is of its group, odd, or of another one, and its squared distance (n,).

    `fitted` (n, D) is expected of each in its own group, `deviations` (n_groups, D) are those of the groups.
    """
    log_own, distance = _log_normal(estimates - fitted, errors + within)
    log_odd, _ = _log_normal(estimates - fitted, errors + ODD_SCALE * within)
    others = estimates[:, None, :] - (fitted[:, None, :] - deviations[groups][:, None, :] + deviations[None])
    log_other = _log_normal(others, (errors + within)[:, None])[0]
    log_other[np.arange(len(groups)), groups] = -np.inf
    of_any_other = np.logaddexp.reduce(log_other, axis=1)
    share_own, share_odd, share_other = np.log([*LABEL_PRIORS[:2], LABEL_PRIORS[2] / max(len(deviations) - 1, 1)])
    parts = np.stack([share_own + log_own, share_odd + log_odd, share_other + of_any_other])
    return np.exp(parts - np.logaddexp.reduce(parts, axis=0)), distance


def fit_parcel_model(
    estimates: Floats,
    errors: Floats,
    labels: Sequence[Ints],
    sizes: Sequence[int],
    *,
    attributes: tuple[slice, ...] = (),
    prior: Floats | None = None,
    n_iterations: int = N_ITERATIONS,
) -> ParcelModel:
    """Fit the model by EM with robust weights.

    Parameters
    ----------
    estimates, errors : ndarray of shape (n_parcels, D) and (n_parcels, D, D)
        Summaries and their error covariances.
    labels : sequence of ndarray of shape (n_parcels,)
        Group of each parcel; then its level of each factor, -1 where unknown (the average level is used).
    sizes : sequence of int
        How many groups, and levels of each factor, there are; a level without parcels has effect zero.
    attributes : tuple of slice
        The numbers of each attribute; others, such as those of sizes, vary each as it does.
    prior : ndarray of shape (D, D), optional
        Covariance of parcels of one group as an older release has learnt it, up to a factor.
    n_iterations : int
        Steps of EM.

    Raises
    ------
    ValueError
        If a group has no parcel.
    """
    (n, dim), groups, (n_groups, *n_levels) = estimates.shape, labels[0], sizes
    if np.bincount(groups, minlength=n_groups).min() == 0:
        raise ValueError("every group needs a parcel; drop the groups that have none")
    design, level_priors = _design(labels, sizes)
    starts = np.cumsum([0, 1, *sizes])
    residual = estimates - np.array([estimates[groups == g].mean(axis=0) for g in range(n_groups)])[groups]
    within = residual.T @ residual / n + 1e-3 * np.eye(dim)
    between = np.diag(np.full(dim, 0.3))
    variances = tuple(np.full(dim, 0.02) for _ in n_levels)
    weights = np.ones(n)
    own, other = np.ones(n), np.zeros(n)
    attribute, ties = np.zeros(dim, dtype=np.intp), (INSIDE, ACROSS)
    for number, numbers in enumerate(attributes, start=1):
        attribute[numbers] = number
    for _ in range(n_iterations):
        precision = np.linalg.inv(errors + within / weights[:, None, None])
        priors = [np.eye(dim) * 1e-6, *[np.linalg.inv(between)] * n_groups]
        for variance, size in zip(variances, n_levels, strict=True):
            priors += [np.diag(1.0 / variance)] * size
        beta, cov = _coefficients(design, precision, estimates, priors)
        fitted = design @ beta
        residual = estimates - fitted
        fit_cov = np.einsum("pk,kdle,pl->pde", design, cov, design, optimize=PAIRWISE)
        gain = (within / weights[:, None, None]) @ precision
        mean_e = np.einsum("pde,pe->pd", gain, residual)
        second = mean_e[:, :, None] * mean_e[:, None, :]
        second += within / weights[:, None, None] - gain @ (within / weights[:, None, None])
        second += gain @ fit_cov @ gain.transpose(0, 2, 1)
        within = np.einsum("p,pde->de", weights, second) / n
        if prior is None:
            within, ties = _mode(within, n, attribute, ties)
        else:
            worth = WORTH_OF_A_RELEASE * dim
            within = (n * within + worth * prior * (np.trace(within) / np.trace(prior))) / (n + worth)
        deviations = beta[1 : 1 + n_groups]
        diagonal = np.array([cov[j, :, j, :] for j in range(1, 1 + n_groups)])
        between = (deviations.T @ deviations + diagonal.sum(axis=0) + 0.02 * np.eye(dim)) / (n_groups + 1)
        new_variances = []
        for position, size in enumerate(n_levels):
            rows = range(starts[2 + position], starts[3 + position])
            spread = sum(beta[j] ** 2 + np.diagonal(cov[j, :, j, :]) for j in rows)
            new_variances.append((spread + 0.002) / (size + 1.0))
        variances = tuple(new_variances)
        (own, odd, other), distance = _labels(estimates, fitted, errors, within, groups, deviations)
        t_weights = (DEGREES_OF_FREEDOM + dim) / (DEGREES_OF_FREEDOM + distance)
        weights = np.maximum(t_weights * (own + odd / ODD_SCALE), 1e-4)
    return ParcelModel(
        mean=beta[0],
        groups=beta[0] + deviations,
        levels=tuple(beta[starts[2 + i] : starts[3 + i]] for i in range(len(n_levels))),
        level_priors=level_priors,
        within=within,
        between=between,
        level_variances=variances,
        coefficients_cov=cov,
        weights=weights,
        own=own,
        other=other,
    )
