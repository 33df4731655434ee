"""From numbers to one of four words, by stated thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal, get_args

import numpy as np

from kpfootprint.stats.arrays import Bools, Floats, Ints

Conclusion = Literal["consistent", "inconclusive", "query", "not_comparable"]
Reason = Literal["lr", "share", "goods", "best", "novelty"]
REASONS: tuple[Reason, ...] = get_args(Reason)
CONCLUSIONS: tuple[Conclusion, ...] = get_args(Conclusion)
CONSISTENT, INCONCLUSIVE, QUERY, NOT_COMPARABLE = range(len(CONCLUSIONS))
"""Positions in it: the larger, the less kind."""


BEFORE: Mapping[str, float] = {"consistent_best_p": 0.0, "strong_novelty_p": 0.05}
"""Limits that older releases do not have (up to 2026.2, and up to 2026.8), as they were in these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Thresholds of the conclusion; a release carries them and the error rates measured with them.

    Parameters
    ----------
    minimum_stones : float
        Parcels with fewer stones are not comparable.
    query_log10_lr : float
        A log10 LR of at most this is a query.
    query_share_p, query_share_low : float
        So are undeclared goods with a p-value of at most the one and a lower end of at least the other.
    query_novelty_p : float
        So is a novelty p-value of at most this.
    consistent_log10_lr, consistent_share_p, consistent_best_p, consistent_novelty_p : float
        Consistent is a parcel that reaches all four (and is no query); anything else is inconclusive. The second
        holds for undeclared goods and for any goods but those declared, the third for undeclared goods under the
        declaration that would suit the parcel best, whatever was declared.
    strong_novelty_p : float
        Parcels whose novelty p-value is at most this carry no strong support for a declaration, see
        `kpfootprint.stats.ranks.highest_log10_lr`.
    """

    minimum_stones: float
    query_log10_lr: float
    query_share_p: float
    query_share_low: float
    query_novelty_p: float
    consistent_log10_lr: float
    consistent_share_p: float
    consistent_best_p: float
    consistent_novelty_p: float
    strong_novelty_p: float

    @classmethod
    def from_json(cls, document: Mapping[str, float]) -> Rules:
        """Build the rules from a release's manifest; what it does not say is as it was before."""
        document = {**BEFORE, **document}
        return cls(**{item.name: float(document[item.name]) for item in fields(cls)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What the conclusion on n declarations is drawn from, all of shape (n,).

    `share_p` and `share_low` speak of undeclared goods, `as_declared_p` of any goods but those declared (compliant ones
    too), `best_p` of undeclared goods under the declaration that would suit best; `log10_lr` is within bounds.
    """

    log10_lr: Floats
    share_p: Floats
    share_low: Floats
    as_declared_p: Floats
    best_p: Floats
    novelty_p: Floats


def conclude(rules: Rules, signs: Signs, n_stones: Floats) -> Ints:
    """Return the position (n,) in `CONCLUSIONS` of each parcel's conclusion."""
    out = np.where(_falling_short(rules, signs).any(axis=0), INCONCLUSIVE, CONSISTENT)
    out = np.where(_asking(rules, signs).any(axis=0), QUERY, out)
    return np.where(n_stones < rules.minimum_stones, NOT_COMPARABLE, out).astype(np.intp)


def reasons_for(rules: Rules, conclusion: Conclusion, signs: Signs, row: int = 0) -> tuple[Reason, ...]:
    """Return what made the parcel in `row` a query, or kept it from being consistent; empty for other conclusions."""
    limits_of = {"query": _asking, "inconclusive": _falling_short}.get(conclusion)
    if limits_of is None:
        return ()
    return tuple(reason for reason, holds in zip(REASONS, limits_of(rules, signs)[:, row], strict=True) if holds)


def _asking(rules: Rules, signs: Signs) -> Bools:
    """Return which of `REASONS` make each parcel a query, shape (5, n)."""
    undeclared = (signs.share_p <= rules.query_share_p) & (signs.share_low >= rules.query_share_low)
    never = np.zeros(undeclared.shape, dtype=bool)
    lr, novelty = signs.log10_lr <= rules.query_log10_lr, signs.novelty_p <= rules.query_novelty_p
    return np.stack([lr, undeclared, never, never, novelty])


def _falling_short(rules: Rules, signs: Signs) -> Bools:
    """Return which of `REASONS` keep each parcel from being consistent, shape (5, n)."""
    clean = signs.share_p >= rules.consistent_share_p
    return ~np.stack(
        [
            signs.log10_lr >= rules.consistent_log10_lr,
            clean,
            ~clean | (signs.as_declared_p >= rules.consistent_share_p),
            signs.best_p >= rules.consistent_best_p,
            signs.novelty_p >= rules.consistent_novelty_p,
        ]
    )
