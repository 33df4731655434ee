r"""How many stones, and how many reference parcels, would show a share of undeclared goods.

The chance of finding a share :math:`\alpha` in a parcel of *n* stones (p-value of no undeclared goods at most 5 %) is

.. math:: P = \Phi\Bigl(\Phi^{-1}(0.05) + \beta\,\alpha^{\delta} / \sqrt{1 + (\gamma/n)^{\kappa}}\Bigr),

fitted by maximum likelihood to parcels drawn from the release and tested by it. As *n* grows the chance levels off at
the floor that variation between parcels sets: :math:`\gamma` is the number of stones at which counting and variation
between parcels weigh the same, :math:`\kappa` is 1 where counting alone stands in the way of small parcels and larger
where the test trusts them less than that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri

from kpfootprint.plain import Share
from kpfootprint.planning.trials import SEED, known_exactly, share_p_of
from kpfootprint.release import Release
from kpfootprint.stats.arrays import Bools, Floats, Ints
from kpfootprint.stats.intervals import ENDS
from kpfootprint.stats.shares import NONE_P
from kpfootprint.stats.simulate import DrawnGoods, draw_goods

SIZES = (50, 100, 200, 400, 800, 1600, 3200, 6400)
"""Stones at which the chance is stated."""
MOST_STONES = 10 * SIZES[-1]
"""No larger number of stones is stated as needed."""
SIZE = 1600
"""Stones of the parcels that further reference parcels are judged by."""
EXTRA_PARCELS = (5, 10, 20, 40)
"""Further reference parcels of every zone concerned for which the chance is stated."""
POWER = 0.9
N_DRAWN = 420
N_RESAMPLED = 40
MANY_STONES = 1e9
LIMITS = ((0.05, 60.0), (1.0, 20_000.0), (0.3, 2.0), (0.5, 3.0))
"""Of beta, gamma, delta and kappa."""
BELIEF, BELIEF_SD = np.log([6.0, 150.0, 1.0, 1.0]), np.array([np.inf, 1.5, 0.3, 0.4])
"""What is believed of their logarithms before any trial, and how firmly; nothing of beta."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """Chance of finding the share at a size, within its limits at `LEVEL`; `carats` are those of such stones."""

    n_stones: int
    carats: Annotated[float, 1]
    chance: Share
    low: Share
    high: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class MoreReferences:
    """Chance at `n_stones` if every zone concerned had so many more reference parcels."""

    extra_parcels: int
    n_stones: int
    chance: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredShare:
    """A declared zone with its share of stones."""

    zone_id: str
    stone_share: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a declaration, an alternative and a share ask of a parcel and of the reference.

    Parameters
    ----------
    declared : tuple of DeclaredShare
        Zones with their shares of stones.
    against : str
        A zone, ``non_compliant`` or ``nowhere``.
    share : float
        Share of stones that is to be found.
    detection : tuple of Detection
        The chance by number of stones.
    stones_needed : int or None
        Smallest number of stones with a chance of 90 %; None where no number is enough, or
        more than `MOST_STONES` are needed.
    floor : float
        Smallest share found with a chance of 90 % however many stones there are; 1 where there is none.
    whole : float
        Chance of finding a parcel wholly from the alternative, however many stones it has.
    references : tuple of MoreReferences
        What more reference parcels would buy.
    """

    declared: tuple[DeclaredShare, ...]
    against: str
    share: Share
    detection: tuple[Detection, ...]
    stones_needed: int | None
    floor: Share
    whole: Share
    references: tuple[MoreReferences, ...]

    @property
    def distinguishable(self) -> bool:
        """Whether a parcel wholly from the alternative is found with a chance of `POWER`, if it is large enough."""
        return self.whole >= POWER


def _signal(parameters: Floats, share: Floats, n_stones: Floats) -> Floats:
    beta, gamma, delta, kappa = parameters
    out: Floats = ndtri(NONE_P) + beta * share**delta / np.sqrt(1.0 + (gamma / n_stones) ** kappa)
    return out


def chance_of(parameters: Floats, share: Floats | float, n_stones: Floats | float) -> Floats:
    """Return the chance of finding shares in parcels of `n_stones`; the arguments broadcast."""
    return ndtr(_signal(parameters, np.asarray(share, dtype=float), np.asarray(n_stones, dtype=float)))


def fit_chance(found: Bools, share: Floats, n_stones: Floats, start: Floats | None = None) -> Floats:
    """Return (beta, gamma, delta, kappa) by maximum likelihood, held within `LIMITS`.

    Parameters
    ----------
    found : ndarray of shape (n,), bool
        Whether the share was found in each drawn parcel.
    share, n_stones : ndarray of shape (n,)
        Its share of undeclared stones, and its stones.
    """
    from scipy.optimize import minimize  # a start without a plan does without it

    side, log_share = np.where(found, 1.0, -1.0), np.log(share)

    def cost(log_parameters: Floats) -> tuple[float, Floats]:
        """Return minus the log posterior and its gradient."""
        _, gamma, delta, kappa = parameters = np.exp(log_parameters)
        signal = _signal(parameters, share, n_stones)
        above, apart = signal - ndtri(NONE_P), (log_parameters - BELIEF) / BELIEF_SD
        log_chance = log_ndtr(side * signal)
        slope = above * side * np.exp(-0.5 * signal**2 - log_chance) / np.sqrt(2.0 * np.pi)
        few = (gamma / n_stones) ** kappa
        by_stones = -0.5 * kappa * slope * few / (1.0 + few)
        log_few = np.log(gamma / n_stones)
        rise = np.array([slope.sum(), by_stones.sum(), delta * slope @ log_share, by_stones @ log_few])
        return float(0.5 * (apart**2).sum() - log_chance.sum()), apart / BELIEF_SD - rise

    first = BELIEF if start is None else np.log(start)
    done = minimize(cost, first, jac=True, method="L-BFGS-B", bounds=[tuple(np.log(pair)) for pair in LIMITS])
    return np.exp(done.x)


def plan(
    release: Release,
    declared: Floats,
    alternative: Floats,
    *,
    allowed: Bools,
    mean_ct: Floats,
    against: str,
    share: float,
) -> Plan:
    """Say how many stones, and how many reference parcels, it takes to find a share of undeclared goods.

    Parameters
    ----------
    release : Release
        What a parcel would be compared with.
    declared : ndarray of shape (Z,)
        Declared shares of stones.
    alternative : ndarray of shape (Z + 1,)
        How probable each listed source, and one that nobody has sampled, is as the source of the undeclared goods.
    allowed : ndarray of shape (Z,), bool
        Zones that count as compliant.
    mean_ct : ndarray of shape (Z,)
        Mean stone of each zone, in carats.
    against : str
        Name of the alternative, for the result.
    share : float
        Share of stones to be found, in (0, 1].
    """
    rng = np.random.default_rng(SEED)
    shares = np.where(np.arange(N_DRAWN) % 5 < 3, share, np.exp(rng.uniform(np.log(0.03), 0.0, N_DRAWN)))
    stones = np.exp(rng.uniform(np.log(SIZES[0] * 0.7), np.log(SIZES[-1] * 1.3), N_DRAWN))
    source = rng.choice(alternative.size, N_DRAWN, p=alternative)

    def tried(subject: Release, rows: slice, draw_seed: int) -> Bools:
        goods = _goods(declared, source[rows], shares[rows], stones[rows])
        arrays = draw_goods(subject.model, goods, np.random.default_rng(draw_seed))
        p_values = share_p_of(subject, arrays, np.broadcast_to(declared, (len(arrays), declared.size)), allowed)
        return p_values <= NONE_P

    found = tried(release, slice(None), SEED)
    fitted = fit_chance(found, shares, stones)
    again = np.array(
        [
            fit_chance(found[rows], shares[rows], stones[rows], fitted)
            for rows in rng.integers(0, N_DRAWN, (N_RESAMPLED, N_DRAWN))
        ]
    )
    sizes = np.array(SIZES, dtype=float)
    chance = chance_of(fitted, share, sizes)
    spread = np.array([chance_of(one, share, sizes) for one in again])
    low, high = np.quantile(spread, ENDS, axis=0)
    stone_ct = float((1.0 - share) * (declared @ mean_ct) + share * (alternative @ np.append(mean_ct, mean_ct.mean())))
    ends = fit_chance(
        tried(known_exactly(release, slice(None)), slice(0, N_DRAWN // 2), SEED + 1),
        shares[: N_DRAWN // 2],
        stones[: N_DRAWN // 2],
        fitted,
    )
    return Plan(
        declared=tuple(
            DeclaredShare(zone_id=release.zone_ids[z], stone_share=float(declared[z])) for z in np.flatnonzero(declared)
        ),
        against=against,
        share=share,
        detection=tuple(
            Detection(
                n_stones=int(n),
                carats=float(n * stone_ct),
                chance=float(c),
                low=float(min(lo, c)),
                high=float(max(hi, c)),
            )
            for n, c, lo, hi in zip(SIZES, chance, low, high, strict=True)
        ),
        stones_needed=_stones_needed(fitted, share),
        floor=_floor(fitted),
        whole=float(chance_of(fitted, 1.0, MANY_STONES)),
        references=_references(
            release.model.n_reference,
            declared + alternative[:-1],
            now=float(chance_of(fitted, share, SIZE)),
            best=float(chance_of(ends, share, SIZE)),
            error=spread[:, SIZES.index(SIZE)].std(),
        ),
    )


def _goods(declared: Floats, source: Ints, shares: Floats, stones: Floats) -> DrawnGoods:
    whole = np.zeros((source.size, declared.size + 1))
    whole[:, :-1] = (1.0 - shares)[:, None] * declared
    whole[np.arange(source.size), source] += shares
    return DrawnGoods(shares=whole, n_stones=stones.astype(np.intp))


def _stones_needed(fitted: Floats, share: float) -> int | None:
    beta, gamma, delta, kappa = fitted
    reach = beta * share**delta / (ndtri(POWER) - ndtri(NONE_P))
    if reach <= 1.0:
        return None
    n = gamma / (reach**2 - 1.0) ** (1.0 / kappa)
    return int(np.ceil(n)) if n <= MOST_STONES else None


def _floor(fitted: Floats) -> float:
    beta, _, delta, _ = fitted
    share = ((ndtri(POWER) - ndtri(NONE_P)) / beta) ** (1.0 / delta)
    return float(min(share, 1.0))


def _references(parcels: Ints, weight: Floats, *, now: float, best: float, error: float) -> tuple[MoreReferences, ...]:
    """Move from today's chance to that of zones known exactly as 1/R does, where the two differ beyond their error.

    `parcels` and `weight` (Z,) are the reference parcels of each zone and how much it is concerned; `error` is that of
    today's chance; the other is counted on half as many parcels.
    """
    today = float((weight / np.maximum(parcels, 1)).sum() / weight.sum())
    gain = best - now if best - now > 2.0 * np.sqrt(3.0) * error else 0.0
    out = []
    for extra in EXTRA_PARCELS:
        left = float((weight / (parcels + extra)).sum() / weight.sum()) / today
        out.append(MoreReferences(extra_parcels=extra, n_stones=SIZE, chance=now + gain * (1.0 - left)))
    return tuple(out)
