r"""What share of undeclared goods a parcel of this size can show.

The chance of finding a share (p-value of no undeclared goods at most 5 %) is a logistic function of log share, log
number of stones and the log distance between what was declared and the source:
:math:`\mathrm{logit}\,P = \beta^\top(1, \ln\alpha, \ln n, \ln\delta, \ln\alpha\ln n, \ln\alpha\ln\delta)`.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.blends import contract, expand
from kpfootprint.stats.evidence import Predictor
from kpfootprint.stats.structure import Structure

POWER = 0.9
GRID = np.exp(np.linspace(np.log(0.01), 0.0, 60))
"""Shares at which detection is looked for."""


def detection_design(share: Floats | float, n_stones: Floats | float, distance: Floats) -> Floats:
    """Return the regressors (..., 6); the arguments broadcast."""
    a, n, d = np.broadcast_arrays(np.log(share), np.log(n_stones / 500.0), np.log(np.maximum(distance, 0.3) / 8.0))
    return np.stack([np.ones_like(a), a, n, d, a * n, a * d], axis=-1)


def source_distances(predictor: Predictor, structure: Structure, declared: Floats) -> Floats:
    """Return distances (n, Z) between declared blends and sources, in standard deviations of parcels of one source."""
    location = contract(declared @ expand(predictor.sources, structure), structure)
    gap = predictor.sources[None] - location[:, None]
    solved = np.linalg.solve(predictor.within, gap.reshape(-1, gap.shape[2]).T).T.reshape(gap.shape)
    out: Floats = np.sqrt(np.maximum((gap * solved).sum(axis=2), 0.0))
    return out


def detection_chance(coefficients: Floats, share: Floats | float, n_stones: Floats | float, distance: Floats) -> Floats:
    """Return the chance of finding a share; the arguments broadcast."""
    out: Floats = expit(detection_design(share, n_stones, distance) @ coefficients)
    return out


def detection_limit(coefficients: Floats, n_stones: float, distances: Floats, weights: Floats) -> float:
    """Return the smallest share found with `POWER` when the source is drawn by `weights`; 1 where there is none.

    Parameters
    ----------
    distances, weights : ndarray of shape (Z,)
        Distance of each source from what was declared and its weight (zero: not a source).
    """
    if weights.sum() <= 0:
        return 1.0
    chance = detection_chance(coefficients, GRID[:, None], n_stones, distances[None]) @ weights
    found = np.flatnonzero(np.maximum.accumulate(chance) >= POWER * weights.sum())
    return float(GRID[found[0]]) if found.size else 1.0
