r"""Classes of a parcel given size: a multinomial logit for each attribute, one association a pair; exact or in sets.

For attribute *a* the chance of class *c* at log size *x* is
:math:`\mathrm{softmax}_c(\theta_{ac} + t_{ac}(x - x_0))`; the slopes *t* are shared by all parcels.
Parameters live in an orthonormal basis of contrasts, so a parcel has one number less than classes.

A grader who puts a share *r* of the stones of every class into a neighbouring one sees, instead of chances *p*,

.. math:: p' = (1 - r)\,p + r\,T p,

with *T* the move to either neighbour in the order in which classes are listed. Nobody knows a grader's *r*, and what a
grader does to one stone he does to the whole parcel, so more stones do not help. The shift of the logits at
:math:`r = \text{RATE}` is therefore taken as one standard deviation of an error that all stones of a parcel share. It
is largest for a rare class beside a common one.

A stone whose class is known as a set is integrated over the set's classes. With :math:`p_{bc}` the chance of class *c*
in size band *b*, a stone of the set *s* adds :math:`\ln \sum_{c \in s} p_{bc}` to the log likelihood: cells of the
multinomial are merged, and nothing is guessed. The information is that of Louis: what complete classes would give, less
what the sets leave open.

Numbers of a parcel that only such a likelihood saw are compared with a source through a `Lens`. Within a set the
likelihood says nothing, and a source's own composition of the set moves the merged chances in a way that is not linear
in the logits; the lens puts a source where the parcel's likelihood, linear about its fit, sees the source's merged
chances exactly.

References
----------
Louis (1982), Journal of the Royal Statistical Society B 44:226-233 (information under missing data).
Heitjan and Rubin (1991), Annals of Statistics 19:2244-2253 (coarsening at random).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from kpfootprint.stats.arrays import Bools, Floats, Partial
from kpfootprint.stats.structure import ClassLogits, SizeGrid, Structure, cell_probabilities

N_ITERATIONS = 30
MAX_STEP = 2.0
RATE = 0.04
"""Share of stones put into a neighbouring class that is as usual as one standard deviation."""


def contrast_basis(n_classes: int) -> Floats:
    """Return an orthonormal basis (n_classes, n_classes - 1) of vectors that sum to zero (normalised Helmert)."""
    basis = np.zeros((n_classes, n_classes - 1))
    for j in range(1, n_classes):
        basis[:j, j - 1] = 1.0 / np.sqrt(j * (j + 1))
        basis[j, j - 1] = -j / np.sqrt(j * (j + 1))
    return basis


@dataclass(frozen=True, slots=True)
class ClassFit:
    """Fitted classes: `theta` (n, C-1), `information` (n, C-1, C-1), `probabilities` (n, n_bands, C)."""

    theta: Floats
    information: Floats
    probabilities: Floats


def fit_classes(table: Floats, logits: ClassLogits) -> ClassFit:
    """Find the posterior mode of the class logits of each parcel by Newton's method.

    Parameters
    ----------
    table : ndarray of shape (n_parcels, n_bands, C)
        Stones by size band and class.

    Returns
    -------
    ClassFit
        `information` is that of the likelihood alone, without the prior.
    """
    size, n_classes, basis = len(table), table.shape[2], logits.basis
    information = np.empty((size, *logits.prior_precision.shape))
    found = ClassFit(np.tile(logits.prior_mean, (size, 1)), information, np.empty(table.shape))
    rows, theta = np.arange(size), found.theta.copy()
    n_band, totals, index = table.sum(axis=2), table.sum(axis=1), np.arange(n_classes)
    for iteration in range(N_ITERATIONS + 1):
        p = logits.chances(theta)
        weighted = p * n_band[:, :, None]
        expected = weighted.sum(axis=1)
        spread = -weighted.transpose(0, 2, 1) @ p
        spread[:, index, index] += expected
        information = basis.T @ spread @ basis
        found.theta[rows], found.information[rows], found.probabilities[rows] = theta, information, p
        if iteration == N_ITERATIONS:
            break
        gradient = (totals - expected) @ basis - (theta - logits.prior_mean) @ logits.prior_precision
        step = np.linalg.solve(information + logits.prior_precision, gradient[:, :, None])[:, :, 0]
        # a parcel stops where it alone would, and is not looked at any more
        moving = np.abs(step).max(axis=1) >= 1e-5
        if not moving.any():
            break
        theta = theta + np.clip(step, -MAX_STEP, MAX_STEP)
        if not moving.all():
            rows, theta, n_band, totals = rows[moving], theta[moving], n_band[moving], totals[moving]
    return found


def fit_margins(association: Floats, rows: Floats, columns: Floats, n_sweeps: int = 20) -> Floats:
    """Scale ``exp(association)`` to given margins by iterative proportional fitting.

    Parameters
    ----------
    association : ndarray of shape (R, C)
        Log-linear association, shared.
    rows, columns : ndarray of shape (n_parcels, R) and (n_parcels, C)
        Margins with equal positive sums.

    Returns
    -------
    ndarray of shape (n_parcels, R, C)
        Expected table of each parcel; columns agree exactly, rows nearly.

    References
    ----------
    Deming and Stephan (1940), Annals of Mathematical Statistics 11:427-444.
    """
    kernel = np.exp(association)
    b = np.ones_like(columns)
    for _ in range(n_sweeps):
        a = rows / np.maximum(b @ kernel.T, 1e-300)
        b = columns / np.maximum(a @ kernel, 1e-300)
    return a[:, :, None] * kernel * b[:, None, :]


def neighbours(n_classes: int) -> Floats:
    """Return *T* (n_classes, n_classes), columns sum to 1: half to either neighbour, all to the only one at an end."""
    step = np.eye(n_classes, k=1) + np.eye(n_classes, k=-1)
    moved: Floats = step / step.sum(axis=0)
    return moved


def grader_shift(chances: Floats, basis: Floats) -> Floats:
    """Return the shift (n, C - 1), in the coordinates of `basis`, of class logits under a confusion of `RATE`.

    Parameters
    ----------
    chances : ndarray of shape (n, C)
        Positive; rows sum to 1.
    basis : ndarray of shape (C, C - 1)
        Orthonormal contrasts, C of 2 or more.
    """
    moved = chances @ neighbours(chances.shape[1]).T
    return np.log1p(RATE * (moved - chances) / chances) @ basis


COARSE_ITERATIONS = 40
COARSE_STEP = 1.0
RIDGE = 1e-3
LEAST_INFORMATION = 1.0
"""A direction of the logits that less than this is known of counts as not seen: the likelihood is no normal there."""


def within_sets(p: Floats, members: Bools) -> tuple[Floats, Floats]:
    """Return the chance (..., S) of each set and the chances (..., S, C) of classes within it, from `p` (..., C)."""
    masked = p[..., None, :] * members
    chance = masked.sum(axis=-1)
    return chance, masked / np.maximum(chance, 1e-300)[..., None]


def completed(table: Floats, sets: Floats, p: Floats, members: Bools) -> Floats:
    """Return stones by band and class (n, B, C) with those of sets (n, B, S) spread over their classes as `p` says."""
    _, within = within_sets(p, members)
    out: Floats = table + np.einsum("nbs,nbsc->nbc", sets, within)
    return out


def distinguished(table: Floats, sets: Floats, members: Bools) -> Floats:
    """Return how many numbers (n,) of the classes the codes in use tell: one less than the rank of their members."""
    out = np.zeros(len(table))
    for row, (exact, coarse) in enumerate(zip(table.sum(axis=1), sets.sum(axis=1), strict=True)):
        used = members[coarse > 0]
        alone = np.eye(len(exact), dtype=bool)[(exact > 0) | ~used.any(axis=0)]
        out[row] = max(np.linalg.matrix_rank(np.concatenate([used, alone]).astype(float)) - 1, 0)
    return out


def fit_coarse_classes(table: Floats, sets: Floats, members: Bools, logits: ClassLogits) -> ClassFit:
    """Find the posterior mode of class logits as `fit_classes` does, where some stones are known by sets alone.

    Parameters
    ----------
    table : ndarray of shape (n_parcels, n_bands, C)
        Stones of known class.
    sets : ndarray of shape (n_parcels, n_bands, S)
        Stones known by a set.
    members : ndarray of shape (S, C), bool
        Classes of each set.
    """
    n_band = table.sum(axis=2) + sets.sum(axis=2)
    theta, basis = np.tile(logits.prior_mean, (len(table), 1)), logits.basis
    index, settled = np.arange(table.shape[2]), False
    for iteration in range(COARSE_ITERATIONS + 1):
        p = logits.chances(theta)
        _, within = within_sets(p, members)
        imputed = np.einsum("nbs,nbsc->nbc", sets, within)
        weighted = p * n_band[:, :, None]
        spread = np.einsum("nbs,nbsc,nbsd->ncd", sets, within, within) - np.einsum("nbc,nbd->ncd", weighted, p)
        spread[:, index, index] += weighted.sum(axis=1) - imputed.sum(axis=1)
        values, vectors = np.linalg.eigh(basis.T @ spread @ basis)
        information = (vectors * np.maximum(values, 0.0)[:, None, :]) @ vectors.transpose(0, 2, 1)
        if iteration == COARSE_ITERATIONS or settled:
            break
        totals = table.sum(axis=1) + imputed.sum(axis=1)
        gradient = (totals - weighted.sum(axis=1)) @ basis - (theta - logits.prior_mean) @ logits.prior_precision
        step = np.linalg.solve(information + logits.prior_precision, gradient[:, :, None])[:, :, 0]
        settled = bool(np.abs(step).max() < 1e-7)
        theta = theta + np.clip(step, -COARSE_STEP, COARSE_STEP)
    told = np.where(values < LEAST_INFORMATION, 0.0, values)
    return ClassFit(theta, (vectors * told[:, None, :]) @ vectors.transpose(0, 2, 1), p)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetsSeen:
    """How one attribute of one parcel was seen.

    `theta` (C - 1,) is the parcel's own at the fit; codes have `members` (K, C) and a `weight` (B, K) in stones at the
    sizes of the `logits`.
    """

    block: slice
    theta: Floats
    members: Bools
    weight: Floats
    logits: ClassLogits

    def shift(self, locations: Floats) -> Floats:
        """Return what is to be added to `locations` (M, D) in this block, as (M, C - 1)."""
        here, within = _log_chances(self.logits.at(self.theta[None])[0], self.members)
        direction = within @ self.logits.basis  # (B, K, C - 1)
        coarse = self.members.sum(axis=1) > 1  # the log chance of a single class is linear in the logits
        there, _ = _log_chances(self.logits.at(locations[:, self.block]), self.members[coarse])
        move = locations[:, self.block] - self.theta
        rest = there - here[:, coarse] - np.einsum("bkd,md->mbk", direction[:, coarse], move)
        share = self.weight / np.maximum(self.weight.sum(axis=1, keepdims=True), 1e-300)
        direction = direction - np.einsum("bk,bkd->bd", share, direction)[:, None, :]
        square = np.einsum("bk,bkd,bke->de", self.weight, direction, direction) + RIDGE * np.eye(len(self.theta))
        # directions are centred, so what is common to all codes of a band drops out of the product
        turned = np.einsum("bk,bkd->bkd", self.weight[:, coarse], direction[:, coarse]) @ np.linalg.inv(square)
        out: Floats = np.einsum("mbk,bkd->md", rest, turned)
        return out


def _log_chances(logits: Floats, members: Bools) -> tuple[Floats, Floats]:
    """Return log sums (..., K) of the weights of each set's classes, and the chances (..., K, C) within each set."""
    top = logits.max(axis=-1, keepdims=True)
    parts = np.exp(logits - top)[..., None, :] * members
    total = np.maximum(parts.sum(axis=-1), 1e-300)
    return np.log(total) + top, parts / total[..., None]


def sets_seen(partial: Partial, fit: ClassFit, row: int, attribute: int, structure: Structure) -> SetsSeen:
    """Return how an attribute of the parcel in a row was seen, from its stones by band and class, and by set."""
    exact, sets, members = partial.exact[attribute][row], partial.sets[attribute][row], partial.members[attribute]
    used = members[sets.sum(axis=0) > 0]
    n_band = exact.sum(axis=1) + sets.sum(axis=1)
    # a class that no set holds would have been seen: none of it weighs as much as is expected of it
    expected = fit.probabilities[row] * n_band[:, None] * ~used.any(axis=0)
    weight = np.concatenate([np.maximum(exact, expected), sets], axis=1)
    codes = np.concatenate([np.eye(exact.shape[1], dtype=bool), members])
    bands, kept = n_band > 0, weight.sum(axis=0) > 0
    return SetsSeen(
        block=structure.blocks[1 + attribute],
        theta=fit.theta[row],
        members=codes[kept],
        weight=weight[np.ix_(bands, kept)],
        logits=replace(structure.logits_of(attribute), x=structure.class_x[bands]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanSeen:
    """How sizes of one parcel were seen through their mean alone: (mu, ln sigma) at the fit, `kept` from the screen."""

    theta: Floats
    kept: Floats
    grid: SizeGrid

    def log_mean(self, numbers: Floats) -> Floats:
        """Return the log of the mean weight (M,) at ``(mu, ln sigma)`` (M, 2)."""
        kept = np.broadcast_to(self.kept, (len(numbers), *self.kept.shape[1:]))
        return np.log(cell_probabilities(self.grid, numbers, kept) @ np.exp(self.grid.centres))

    def slope(self) -> Floats:
        """Return the derivative (2,) of the log mean at the fit."""
        ends = self.theta + 1e-4 * np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
        values = self.log_mean(ends)
        return np.array([values[0] - values[1], values[2] - values[3]]) / 2e-4

    def shift(self, locations: Floats) -> Floats:
        """Return what is to be added to the sizes of `locations` (M, D), as (M, 2)."""
        slope = self.slope()
        rest = (
            self.log_mean(locations[:, :2]) - self.log_mean(self.theta[None]) - (locations[:, :2] - self.theta) @ slope
        )
        return rest[:, None] * slope / max(float(slope @ slope), 1e-12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lens:
    """Where the likelihood of one parcel sees sources.

    Parameters
    ----------
    conditions : ndarray of shape (D,)
        Expected effect of the parcel's conditions, which sources are seen under.
    classes : tuple of SetsSeen
        Attributes with sets.
    mean : MeanSeen or None
        Sizes known by their mean alone.
    """

    conditions: Floats
    classes: tuple[SetsSeen, ...]
    mean: MeanSeen | None

    def seen(self, locations: Floats) -> Floats:
        """Return `locations` (M, D) as the parcel's likelihood sees them."""
        there, out = locations + self.conditions, locations.copy()
        for item in self.classes:
            out[:, item.block] += item.shift(there)
        if self.mean is not None:
            out[:, :2] += self.mean.shift(there)
        return out
