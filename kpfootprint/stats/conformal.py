"""Conformal ranks: how rare a score is among parcels known not to be strange."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from kpfootprint.stats.arrays import Floats


def conformal_p_values(
    score: ArrayLike,
    calibration_score: ArrayLike,
    *,
    ln_n: ArrayLike | None = None,
    calibration_ln_n: ArrayLike | None = None,
    nearest: int | None = None,
) -> tuple[Floats, Floats]:
    """Conformal p-values: how rare a score this large is among calibration parcels (of about the same size).

    ``p = (1 + number of calibration scores >= score) / (m + 1)`` over the `m` calibration parcels used, so no p-value
    is below the floor ``1 / (m + 1)``, and p is at most 0.05 in at most 5 % of parcels that are exchangeable with them.

    Parameters
    ----------
    score : array-like of shape (n,)
        The larger, the stranger.
    calibration_score : array-like of shape (n_calibration,)
        Scores of parcels known not to be strange.
    ln_n, calibration_ln_n : array-like, optional
        Log number of stones of either; given together with `nearest`.
    nearest : int, optional
        Use only that many calibration parcels, those nearest in ``ln n``.

    Returns
    -------
    p, floor : ndarray of shape (n,)

    References
    ----------
    Vovk, V., Gammerman, A., Shafer, G. (2005). Algorithmic Learning in a Random World, section 2.2.

    Examples
    --------
    >>> conformal_p_values([5.0, 0.5], [1.0, 2.0, 3.0, 4.0])[0].tolist()
    [0.2, 1.0]
    """
    s, known_scores = _vector("score", score), _vector("calibration_score", calibration_score)
    if nearest is None:
        m = known_scores.size
        at_least = m - np.searchsorted(np.sort(known_scores), s, side="left")
        return (1.0 + at_least) / (m + 1), np.full(s.size, 1.0 / (m + 1))
    if ln_n is None or calibration_ln_n is None:
        raise ValueError(f"ln_n and calibration_ln_n are needed with nearest={nearest}")
    sizes, known = _vector("ln_n", ln_n), _vector("calibration_ln_n", calibration_ln_n)
    if sizes.shape != s.shape or known.shape != known_scores.shape:
        raise ValueError(f"ln_n must be of shape {s.shape} and calibration_ln_n of {known_scores.shape}")
    if not 1 <= nearest <= known.size:
        raise ValueError(f"nearest must lie between 1 and the {known.size} calibration parcels, got {nearest}")
    order = np.argsort(known, kind="stable")
    known, known_scores = known[order], known_scores[order]
    # The nearest ones are a run of the sorted sizes; find where the run begins by comparing its two ends.
    begins = np.arange(known.size - nearest + 1)
    reach = np.maximum(np.abs(known[begins] - sizes[:, None]), np.abs(known[begins + nearest - 1] - sizes[:, None]))
    begin = np.argmin(reach, axis=1)
    at_least = (known_scores[begin[:, None] + np.arange(nearest)] >= s[:, None]).sum(axis=1)
    return (1.0 + at_least) / (nearest + 1), np.full(s.size, 1.0 / (nearest + 1))


def _vector(name: str, values: ArrayLike) -> Floats:
    vector = np.asarray(values, dtype=np.float64)
    if vector.ndim != 1 or vector.size == 0 or not np.isfinite(vector).all():
        raise ValueError(f"{name} must be one-dimensional, not empty and finite, got {vector}")
    return vector
