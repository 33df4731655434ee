r"""Blends of sources in the space of a parcel's numbers.

A parcel that holds shares :math:`w_s` of stones of sources *s* has class chances :math:`\sum_s w_s p_s` and a size
density :math:`\sum_s w_s f_s`. Its numbers are the logits of the former and the log-moments of the latter; parcel
deviations of the parts average out, so the scale factor is :math:`\sum_s w_s^2 a_s`.
"""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.structure import Structure


def expand(locations: Floats, structure: Structure) -> Floats:
    """Turn numbers (..., D) into quantities that blend linearly: two size moments and class chances."""
    mu, sigma = locations[..., 0], np.exp(locations[..., 1])
    parts = [mu[..., None], (mu**2 + sigma**2)[..., None]]
    for block, basis in zip(structure.blocks[1:], structure.bases, strict=True):
        parts.append(softmax(locations[..., block] @ basis.T, axis=-1))
    return np.concatenate(parts, axis=-1)


def contract(blended: Floats, structure: Structure) -> Floats:
    """Turn blended quantities back into numbers (..., D); the inverse of `expand` for a single source."""
    mu = blended[..., 0]
    sigma = np.sqrt(np.maximum(blended[..., 1] - mu**2, 1e-6))
    parts = [mu[..., None], np.log(sigma)[..., None]]
    start = 2
    for basis in structure.bases:
        chances = blended[..., start : start + basis.shape[0]]
        parts.append(np.log(np.maximum(chances, 1e-12)) @ basis)
        start += basis.shape[0]
    return np.concatenate(parts, axis=-1)


def admixtures(declared: Floats, foreign: Floats, shares: Floats, structure: Structure) -> Floats:
    """Return the numbers of declared goods with a share of foreign ones.

    Parameters
    ----------
    declared : ndarray of shape (n, E)
        Expanded declared blends.
    foreign : ndarray of shape (Z, E)
        Expanded sources.
    shares : ndarray of shape (J,)
        Shares of stones.

    Returns
    -------
    ndarray of shape (n, J, Z, D)
    """
    mixed = (1.0 - shares)[None, :, None, None] * declared[:, None, None, :]
    mixed = mixed + shares[None, :, None, None] * foreign[None, None]
    return contract(mixed, structure)
