"""Whether a distribution of shares says one thing or two."""

from __future__ import annotations

import numpy as np

from kpfootprint.stats.arrays import Floats

LEAST_MASS = 0.15
"""A reading that is less probable than this is the tail of the other."""
VALLEY = 0.5
"""Between two readings the density falls to this part of the lower peak, or below."""
TAILS = (0.1, 0.9)


def two_modes(shares: Floats, reached: Floats) -> tuple[tuple[float, float, float], ...]:
    """Return (low, high, chance) of two readings of a share, four fifths of each; nothing where it has one mode.

    Parameters
    ----------
    shares : ndarray of shape (k,)
        Shares from 0 up, the first of them with a probability of its own.
    reached : ndarray of shape (k,)
        Probability that the share is at most this.

    Examples
    --------
    >>> shares = np.linspace(0.0, 1.0, 21)
    >>> two_modes(shares, np.clip(2 * shares, 0.0, 1.0))
    ()
    >>> none_or_half = np.where(shares < 0.4, 0.5, np.clip(0.5 + 2.5 * (shares - 0.4), 0.0, 1.0))
    >>> two_modes(shares, none_or_half)[0]
    (0.0, 0.0, 0.5)
    """
    mass = np.maximum(np.diff(reached, prepend=0.0), 0.0)
    width = np.concatenate([[shares[1] - shares[0]], np.diff(shares)])
    # a neighbour on either side, so that one odd cell is no valley; what is exactly none stands alone
    density = np.concatenate([mass[:1] / width[:1], _smooth(mass[1:]) / _smooth(width[1:])])
    left, right = np.maximum.accumulate(density), np.maximum.accumulate(density[::-1])[::-1]
    below = np.cumsum(mass)
    depth = density / np.maximum(np.minimum(left, right), 1e-12)
    apart = (below >= LEAST_MASS) & (below[-1] - below >= LEAST_MASS) & (depth <= VALLEY)
    if not apart.any():
        return ()
    at = int(np.argmin(np.where(apart, depth, np.inf)))
    return _reading(shares[: at + 1], mass[: at + 1]), _reading(shares[at:], np.append(0.0, mass[at + 1 :]))


def _smooth(cells: Floats) -> Floats:
    return np.convolve(cells, np.ones(3), mode="same")


def _reading(shares: Floats, mass: Floats) -> tuple[float, float, float]:
    chance = float(mass.sum())
    low, high = np.interp(TAILS, np.cumsum(mass) / chance, shares)
    return float(low), float(high), chance
