"""Which goods lie in simulated parcels: true declarations, blends, admixtures, unlisted sources, sieved parcels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kpfootprint.stats.arrays import Bools, Floats, Ints, rows_of

KINDS = ("listed", "near", "far", "blend", "mixed", "false", "tried")
"""True declaration; unlisted near a listed source; unlisted anywhere; true blend; admixture to what was declared; false
declaration; goods of compliant sources with or without others among them, declared as whatever serves best."""

OTHER_DECLARED = 0.1
"""Share of parcels, whatever they hold, whose declaration is drawn from all sources, compliant or not."""
MANY = (0.55, 0.2, 0.25)
"""Shares of blends that are declared of two, three, and any larger number of sources."""
SPECKS = 0.12
"""Share of parcels, whatever they hold, that also declare one to three sources with next to nothing."""
SPECK_SHARES = (1e-4, 0.04)
N_TRIES = 6
"""Declarations that a declarant who tries thinks of; the one that looks most like the goods is kept, mostly."""
BEST_TRY = 0.6
BLENDS_TRIED = 0.6
SAME = 0.1
"""Goods are as declared where no source's share differs by this or more."""
ONLY_COMPLIANT = 0.25
"""Share of the parcels of declarants who try that hold goods of compliant sources alone."""


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
    other_compliant : float
        Share of the parcels with foreign goods, wholly or in part, whose foreign source may have been compliant.
    degrees_of_freedom, odd_share : float
        Tails of the parcel deviations.
    """

    kinds: tuple[float, ...]
    median_stones: float = 500.0
    spread_stones: float = 0.9
    stones_limits: tuple[int, int] = (20, 6000)
    small: float = 0.06
    large: float = 0.12
    blank: float = 0.25
    sieved: float = 0.28
    other_edge: float = 0.08
    other_compliant: float = 0.05
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
    home : ndarray of shape (n, Z)
        What the goods are but for the foreign ones, rows sum to 1: what was declared, unless the declarant tries.
    source : ndarray of shape (n,)
        Source of the foreign goods (of all goods for a single true declaration), Z where unlisted.
    foreign : ndarray of shape (n,)
        Share of stones from `source` beside the home goods.
    share : ndarray of shape (n,)
        Share of stones beyond what was declared from sources that were not compliant or are unlisted.
    allowed : ndarray of shape (n, Z), bool
        Sources that were compliant (may be declared).
    cut_low, cut_high : ndarray of shape (n,), bool
        Whether small, and whether large stones were taken out without a word.
    """

    kind: Ints
    declared: Floats
    home: Floats
    source: Ints
    foreign: Floats
    share: Floats
    allowed: Bools
    cut_low: Bools
    cut_high: Bools

    @classmethod
    def of_home(cls, kind: str, home: Floats, source: Ints, foreign: float, allowed: Bools) -> Truth:
        """Return parcels that declare their home goods; a share `foreign` of each is of a source that may not be."""
        n, no = len(home), np.zeros(len(home), dtype=bool)
        return cls(
            kind=np.full(n, KINDS.index(kind)),
            declared=home,
            home=home,
            source=source,
            foreign=np.full(n, foreign),
            share=np.full(n, foreign),
            allowed=allowed,
            cut_low=no,
            cut_high=no,
        )

    def take(self, rows: Ints) -> Truth:
        """Return these rows."""
        return rows_of(self, rows)

    @property
    def as_declared(self) -> Bools:
        """Whether nothing but what was declared lies in the parcel, specks aside."""
        out: Bools = (self.foreign == 0) & (np.abs(self.home - self.declared).max(axis=1) < SAME)
        return out


def draw_stones(scenario: Scenario, n: int, rng: np.random.Generator) -> Ints:
    """Return numbers of stones."""
    stones = scenario.median_stones * np.exp(scenario.spread_stones * rng.standard_normal(n))
    pick = rng.random(n)
    low, high = scenario.stones_limits
    small = np.exp(rng.uniform(np.log(low), np.log(150), n))
    large = np.exp(rng.uniform(np.log(2000), np.log(high), n))
    stones = np.where(pick < scenario.small, small, np.where(pick > 1 - scenario.large, large, stones))
    return np.clip(stones, low, high).astype(np.intp)


def ends_taken(sieved: float, n: int, rng: np.random.Generator) -> tuple[Bools, Bools]:
    """Return which parcels (n,) had small and which had large stones taken out; a share `sieved` had one or both."""
    some, side = rng.random(n) < sieved, rng.random(n)
    return some & (side < 0.65), some & (side > 0.45)


def undeclared_share(foreign: Floats, source: Ints, declared: Floats, allowed: Bools) -> Floats:
    """Return the share (n,) of stones beyond what was declared from sources not compliant or unlisted.

    A foreign source that was compliant adds nothing; one that was declared adds what exceeds its declared share.
    """
    rows, z = np.arange(len(source)), declared.shape[1]
    listed = np.minimum(source, z - 1)
    counts = (source == z) | ~allowed[rows, listed]
    return np.where(counts, foreign * (1.0 - np.where(source == z, 0.0, declared[rows, listed])), 0.0)


def _some_of(order: Floats, count: Ints, concentration: float, rng: np.random.Generator) -> Floats:
    """Return shares (n, Z) of the first `count` sources in an order (n, Z), drawn by gamma variates."""
    rank = order.argsort(axis=1).argsort(axis=1)
    raw = np.where(rank < count[:, None], rng.gamma(concentration, size=order.shape) + 0.05, 0.0)
    out: Floats = raw / raw.sum(axis=1, keepdims=True)
    return out


def _how_many(blended: Bools, at_most: Ints, rng: np.random.Generator) -> Ints:
    """Return how many sources are declared (n,): one, or for blends two, three or more, up to `at_most`."""
    pick = rng.random(blended.size)
    more = rng.integers(4, np.maximum(at_most, 4) + 1)
    count = np.where(pick < MANY[0], 2, np.where(pick < MANY[0] + MANY[1], 3, more))
    return np.where(blended, np.minimum(count, np.maximum(at_most, 1)), 1)


def _with_specks(declared: Floats, source: Ints, rng: np.random.Generator) -> Floats:
    """Return declarations of which some also name one to three sources with next to nothing, often the true one."""
    n, z = declared.shape
    wanted = rng.random((n, z)) < (rng.integers(1, 4, n) / z)[:, None]
    named = (source < z) & (rng.random(n) < 0.5)
    wanted[named, source[named]] = True
    wanted &= (rng.random((n, 1)) < SPECKS) & (declared == 0)
    specks = np.where(wanted, np.exp(rng.uniform(np.log(SPECK_SHARES[0]), np.log(SPECK_SHARES[1]), (n, z))), 0.0)
    out: Floats = (declared + specks) / (1.0 + specks.sum(axis=1, keepdims=True))
    return out


def _tried(goods: Floats, allowed: Bools, places: Floats, rng: np.random.Generator) -> Floats:
    """Return declarations (n, Z) chosen among several to look like the goods (n, Z + 1) without naming them."""
    n, z = allowed.shape
    place = goods[:, :z] @ places
    tries, distances = [], []
    for _ in range(N_TRIES):
        anyone, blended = rng.random((2, n)) < np.array([[OTHER_DECLARED], [BLENDS_TRIED]])
        order = np.where(allowed | anyone[:, None], rng.random((n, z)), 2.0 + rng.random((n, z)))
        at_most = np.where(anyone, z, allowed.sum(axis=1))
        count = _how_many(blended, at_most, rng)
        tries.append(_some_of(order, count, 1.0, rng))
        distances.append(((tries[-1] @ places - place) ** 2).sum(axis=1))
    best = np.where(rng.random(n) < BEST_TRY, np.argmin(distances, axis=0), 0)
    return np.stack(tries)[best, np.arange(n)]


def draw_truth(scenario: Scenario, n: int, allowed_sets: Floats, places: Floats, rng: np.random.Generator) -> Truth:
    """Draw what parcels hold and what is declared of them.

    Parameters
    ----------
    allowed_sets : ndarray of shape (n_sets, Z), 0 or 1
        Sets of compliant sources, such as those of the dates of a status table; half of the parcels take one of
        them, the others a random set of three sources or more.
    places : ndarray of shape (Z, D)
        Where the sources lie, in standard deviations of parcels: what a declarant who tries goes by.
    """
    z = allowed_sets.shape[1]
    kind = rng.choice(len(KINDS), n, p=np.array(scenario.kinds) / np.sum(scenario.kinds))
    listed, near, far, blend, mixed, false, tried = (kind == k for k in range(len(KINDS)))
    allowed = allowed_sets[rng.integers(len(allowed_sets), size=n)] > 0
    # other sets: a random number of sources, in random order
    random_order = rng.random((n, z)).argsort(axis=1).argsort(axis=1)
    random_sets = random_order < rng.integers(3, max(z - 1, 4), size=n)[:, None]
    allowed = np.where((rng.random(n) < 0.5)[:, None], allowed, random_sets)
    allowed[allowed.sum(axis=1) == 0] = True

    # what is declared says nothing of whether it is true: now and then a source that was not compliant
    anyone = (rng.random(n) < OTHER_DECLARED) & ~tried
    order = np.where(allowed | anyone[:, None], rng.random((n, z)), 2.0 + rng.random((n, z)))
    at_most = np.where(anyone, z, allowed.sum(axis=1))
    blended = blend | (mixed & (rng.random(n) < 0.3)) | (false & (rng.random(n) < 0.3))
    count = _how_many(blended, at_most, rng)
    count = np.where(tried, np.minimum(1 + (rng.random(n) < 0.3), at_most), count)
    home = _some_of(order, count, 1.5, rng)

    foreign = (home == 0) & ~allowed
    anywhere = home == 0
    pick = rng.random(n)
    pool = np.where((pick < scenario.other_compliant)[:, None], anywhere, foreign)
    pool[~pool.any(axis=1)] = anywhere[~pool.any(axis=1)]
    source = np.where(pool, rng.random((n, z)), -1.0).argmax(axis=1)
    source = np.where((mixed & (pick > 0.85)) | ~pool.any(axis=1), z, source)  # all declared: unlisted alone
    source = np.where(tried & (pick > 0.95), z, source)
    source = np.where(near | far, z, source)
    source = np.where(listed, home.argmax(axis=1), source)
    share = np.where(mixed | tried, rng.beta(1.0, 1.6, n), 0.0)
    share = np.where(tried & (rng.random(n) < ONLY_COMPLIANT), 0.0, share)
    share = np.where(near | far | false, 1.0, share)
    goods = np.zeros((n, z + 1))
    goods[:, :z] = (1.0 - share)[:, None] * home
    goods[np.arange(n), source] += share
    declared = np.where(tried[:, None], _tried(goods, allowed, places, rng), home)
    declared = _with_specks(declared, source, rng)
    cut_low, cut_high = ends_taken(scenario.sieved, n, rng)
    return Truth(
        kind=kind,
        declared=declared,
        home=home,
        source=source,
        foreign=share,
        share=undeclared_share(share, source, declared, allowed),
        allowed=allowed,
        cut_low=cut_low,
        cut_high=cut_high,
    )
