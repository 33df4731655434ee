r"""Classes of a parcel given size: a multinomial logit for each attribute, tied by one association for each pair.

For attribute *a* the chance of class *c* at log size *x* is
:math:`\mathrm{softmax}_c(\theta_{ac} + t_{ac}(x - x_0))`; the slopes *t* are shared by all parcels.
Parameters live in an orthonormal basis of contrasts, so a parcel has one number less than classes.

A grader who puts a share *r* of the stones of every class into a neighbouring one sees, instead of chances *p*,

.. math:: p' = (1 - r)\,p + r\,T p,

with *T* the move to either neighbour in the order in which classes are listed. Nobody knows a grader's *r*, and what a
grader does to one stone he does to the whole parcel, so more stones do not help. The shift of the logits at
:math:`r = \text{RATE}` is therefore taken as one standard deviation of an error that all stones of a parcel share. It
is largest for a rare class beside a common one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.structure import ClassLogits

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
