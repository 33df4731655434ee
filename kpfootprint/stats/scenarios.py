"""Which goods lie in simulated parcels: true declarations, blends, admixtures, unlisted sources, sieved parcels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

KINDS = ("listed", "near", "far", "blend", "mixed", "false")
"""True declaration; unlisted near a listed source; unlisted anywhere; true blend; admixture; false declaration."""


OTHER_DECLARED = 0.1
"""Share of parcels, whatever they hold, whose declaration is drawn from all sources, compliant or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Proportions of what is drawn.

    Parameters
    ----------
    kinds : tuple of float
        Weights of `KINDS`.
    median_stones, spread_stones : float
        Lognormal numbers of stones, kept within `stones_limits`; `small` and `large` shares are drawn apart.
    blank, sieved : float
        Shares of parcels with all conditions blank and with an undeclared sieve.
    other_edge : float
        Share of parcels with a declared lower edge unlike the reference's.
    degrees_of_freedom, odd_share : float
        Tails of the parcel deviations.
    """

    kinds: tuple[float, ...] = (0.33, 0.07, 0.08, 0.10, 0.36, 0.06)
    median_stones: float = 500.0
    spread_stones: float = 0.9
    stones_limits: tuple[int, int] = (20, 6000)
    small: float = 0.06
    large: float = 0.12
    blank: float = 0.25
    sieved: float = 0.28
    other_edge: float = 0.08
    degrees_of_freedom: float = 10.0
    odd_share: float = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What a simulated parcel holds.

    Parameters
    ----------
    kind : ndarray of shape (n,)
        Position in `KINDS`.
    declared : ndarray of shape (n, Z)
        Declared shares of stones, rows sum to 1.
    source : ndarray of shape (n,)
        Listed source of the undeclared goods (of all goods for a single true declaration), Z where unlisted.
    share : ndarray of shape (n,)
        Undeclared share of stones as drawn.
    allowed : ndarray of shape (n, Z), bool
        Sources that were compliant (may be declared).
    cut_low, cut_high : ndarray of shape (n,), bool
        Whether small, and whether large stones were taken out without a word.
    """

    kind: Ints
    declared: Floats
    source: Ints
    share: Floats
    allowed: NDArray[np.bool_]
    cut_low: NDArray[np.bool_]
    cut_high: NDArray[np.bool_]

    @property
    def sieved(self) -> NDArray[np.bool_]:
        """Whether a part of the sizes was taken out without a word."""
        return self.cut_low | self.cut_high


def draw_stones(scenario: Scenario, n: int, rng: np.random.Generator) -> Ints:
    """Return numbers of stones."""
    stones = scenario.median_stones * np.exp(scenario.spread_stones * rng.standard_normal(n))
    pick = rng.random(n)
    low, high = scenario.stones_limits
    small = np.exp(rng.uniform(np.log(low), np.log(150), n))
    large = np.exp(rng.uniform(np.log(2000), np.log(high), n))
    stones = np.where(pick < scenario.small, small, np.where(pick > 1 - scenario.large, large, stones))
    return np.clip(stones, low, high).astype(np.intp)


def draw_truth(scenario: Scenario, n: int, allowed_sets: Floats, rng: np.random.Generator) -> Truth:
    """Draw what parcels hold and what is declared of them.

    Parameters
    ----------
    allowed_sets : ndarray of shape (n_sets, Z), 0 or 1
        Sets of compliant sources, such as those of the dates of a status table; half of the parcels take one of
        them, the others a random set of three sources or more.
    """
    z = allowed_sets.shape[1]
    kind = rng.choice(len(KINDS), n, p=np.array(scenario.kinds) / np.sum(scenario.kinds))
    allowed = allowed_sets[rng.integers(len(allowed_sets), size=n)] > 0
    # other sets: a random number of sources, in random order
    order = rng.random((n, z)).argsort(axis=1).argsort(axis=1)
    random_sets = order < rng.integers(3, max(z - 1, 4), size=n)[:, None]
    allowed = np.where((rng.random(n) < 0.5)[:, None], allowed, random_sets)
    allowed[allowed.sum(axis=1) == 0] = True

    # what is declared says nothing of whether it is true: now and then a source that was not compliant
    anyone = (rng.random(n) < OTHER_DECLARED)[:, None]
    declared_order = np.where(allowed | anyone, rng.random((n, z)), 2.0).argsort(axis=1)
    single = kind == 0
    first = declared_order[:, 0]
    n_declared = np.where(kind == 3, 2 + (rng.random(n) < 0.3), 1)
    n_declared = np.where((kind == 4) & (rng.random(n) < 0.25), 2, n_declared)
    n_declared = np.where(anyone[:, 0], n_declared, np.minimum(n_declared, np.maximum(allowed.sum(axis=1), 1)))
    weights = np.zeros((n, z))
    most = min(3, z)
    raw = rng.gamma(1.5, size=(n, 3))[:, :most] + 0.08
    raw[np.arange(most)[None] >= n_declared[:, None]] = 0.0
    columns = declared_order[:, :most].copy()
    columns[:, 0] = first
    np.add.at(weights, (np.arange(n)[:, None], columns), raw)
    weights /= weights.sum(axis=1, keepdims=True)

    foreign = (weights == 0) & ~allowed
    anywhere = weights == 0
    pick = rng.random(n)
    pool = np.where((pick < 0.05)[:, None], anywhere, foreign)
    pool[~pool.any(axis=1)] = anywhere[~pool.any(axis=1)]
    source = np.where(pool, rng.random((n, z)), -1.0).argmax(axis=1)
    source = np.where((kind == 4) & (pick > 0.85) | ~pool.any(axis=1), z, source)  # all declared: unlisted alone
    source = np.where((kind == 1) | (kind == 2), z, source)
    source = np.where(single, first, source)
    share = np.where(kind == 4, rng.beta(1.0, 1.6, n), 0.0)
    share = np.where((kind == 1) | (kind == 2) | (kind == 5), 1.0, share)
    sieved, side = rng.random(n) < scenario.sieved, rng.random(n)
    return Truth(
        kind=kind,
        declared=weights,
        source=source,
        share=share,
        allowed=allowed,
        cut_low=sieved & (side < 0.65),
        cut_high=sieved & (side > 0.45),
    )
