r"""Graders who confuse neighbouring classes: how far that moves a parcel's class logits.

A grader who puts a share *r* of the stones of every class into a neighbouring one sees, instead of chances *p*,

.. math:: p' = (1 - r)\,p + r\,T p,

with *T* the move to either neighbour in the order in which classes are listed. Nobody knows a grader's *r*, and what a
grader does to one stone he does to the whole parcel, so more stones do not help. The shift of the logits at
:math:`r = \text{RATE}` is therefore taken as one standard deviation of an error that all stones of a parcel share. It
is largest for a rare class beside a common one.
"""

from __future__ import annotations

import numpy as np

from kpfootprint.stats.arrays import Floats

RATE = 0.04
"""Share of stones put into a neighbouring class that is as usual as one standard deviation."""


def neighbours(n_classes: int) -> Floats:
    """Return *T* (n_classes, n_classes), columns sum to 1: half to either neighbour, all to the only one at an end."""
    step = np.eye(n_classes, k=1) + np.eye(n_classes, k=-1)
    moved: Floats = step / step.sum(axis=0)
    return moved


def grader_shift(chances: Floats, basis: Floats, *, rate: float = RATE) -> Floats:
    """Return the shift (n, C - 1), in the coordinates of `basis`, of class logits under a confusion of `rate`.

    Parameters
    ----------
    chances : ndarray of shape (n, C)
        Positive; rows sum to 1.
    basis : ndarray of shape (C, C - 1)
        Orthonormal contrasts, C of 2 or more.
    """
    moved = chances @ neighbours(chances.shape[1]).T
    out: Floats = np.log1p(rate * (moved - chances) / chances) @ basis
    return out
