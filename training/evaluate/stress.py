"""Parcels made harder on purpose: sieved, high-graded, subsampled, sorted by a worse grader. Stone lists in and out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from scipy.special import ndtr

from kpfootprint.parcel import Batch, Parcel, Stones
from kpfootprint.reference import ReferencePackage
from kpfootprint.scheme import Scheme
from kpfootprint.stats.arrays import Bools, Ints

LEAST = 30
"""Stones that a sieve leaves: the largest or smallest that went are put back."""


def with_stones(parcel: Parcel, stones: Stones) -> Parcel:
    """Return the parcel with other stones, and the totals of these."""
    n = int(stones.weight_ct.size)
    return replace(parcel, stones=stones, n_stones=n, carats=float(stones.weight_ct.sum()), declared_carats=None)


def keep(parcel: Parcel, kept: Bools | Ints) -> Parcel:
    """Return the parcel with some of its stones: a mask, or positions in the order wished for."""
    stones = parcel.stone_list
    codes = {name: values[kept] for name, values in stones.codes.items()}
    return with_stones(parcel, Stones(weight_ct=stones.weight_ct[kept], codes=codes))


def remove_size_range(parcel: Parcel, *, rng: np.random.Generator, softness: float) -> Parcel:
    """Take out, unsaid, a bottom or a top range of sizes with 10 to 40 % of the stones; `LEAST` are left, if there are.

    Parameters
    ----------
    softness : float
        0 for a sharp sieve, else the width of its edge on the log scale.
    """
    weight = parcel.stone_list.weight_ct
    share = float(rng.uniform(0.1, 0.4))
    bottom = bool(rng.integers(2))
    log_weight = np.log(weight)
    edge = float(np.quantile(log_weight, share if bottom else 1 - share))
    distance = (log_weight - edge) if bottom else (edge - log_weight)
    chance = ndtr(distance / softness) if softness > 0 else (distance >= 0).astype(np.float64)
    kept = rng.uniform(size=weight.size) < chance
    if kept.sum() < LEAST:
        kept[np.argsort(-distance, kind="stable")[:LEAST]] = True
    return keep(parcel, kept)


def high_grade(parcel: Parcel, *, rng: np.random.Generator) -> Parcel:
    """Take out, unsaid, half of the stones above the 80 % quantile of weight."""
    weight = parcel.stone_list.weight_ct
    taken = (weight > np.quantile(weight, 0.8)) & (rng.uniform(size=weight.size) < 0.5)
    return keep(parcel, ~taken)


def subsample(parcel: Parcel, n_stones: int, *, rng: np.random.Generator) -> Parcel:
    """Draw `n_stones` of the parcel's stones without replacement; a smaller parcel is returned as it is."""
    n = parcel.stone_list.weight_ct.size
    if n <= n_stones:
        return parcel
    kept = np.zeros(n, dtype=bool)
    kept[rng.choice(n, n_stones, replace=False)] = True
    return keep(parcel, kept)


def confuse(parcel: Parcel, scheme: Scheme, rate: float, *, rng: np.random.Generator) -> Parcel:
    """Move a share `rate` of the classes of every attribute to a neighbouring class, as a worse grader would."""
    stones = parcel.stone_list
    codes = {}
    for name, values in stones.codes.items():
        last = len(scheme.attribute(name).classes) - 1
        moved = (rng.uniform(size=values.size) < rate) & (values >= 0)
        step = rng.choice([-1, 1], size=values.size)
        step = np.where(values + step < 0, 1, np.where(values + step > last, -1, step))
        codes[name] = np.where(moved, values + step, values).astype(np.int16)
    return with_stones(parcel, Stones(weight_ct=stones.weight_ct.copy(), codes=codes))


def mix(parcel: Parcel, foreign: Parcel, share: float, n_stones: int, *, rng: np.random.Generator) -> Parcel:
    """Draw a parcel of `n_stones` with a `share` of foreign stones, as a virtual mixture; it keeps `parcel`'s name.

    Stones are drawn without replacement where a parcel has enough of them, with replacement where it has not. The
    number of foreign stones is the nearest whole one, so the true share is known exactly.
    """
    n_foreign = round(share * n_stones)
    parts = [_drawn(of, n, rng) for of, n in ((parcel, n_stones - n_foreign), (foreign, n_foreign)) if n]
    mixed = with_stones(parcel, together(*parts))
    return mixed if len(parts) == 1 else keep(mixed, rng.permutation(n_stones))


def _drawn(parcel: Parcel, n: int, rng: np.random.Generator) -> Parcel:
    size = parcel.stone_list.weight_ct.size
    return keep(parcel, rng.choice(size, n, replace=n > size))


def together(*parcels: Parcel) -> Stones:
    """Return the stones of several parcels together; attributes that one of them does not record are left out."""
    lists = [parcel.stone_list for parcel in parcels]
    names = [name for name in lists[0].codes if all(name in stones.codes for stones in lists)]
    return Stones(
        weight_ct=np.concatenate([stones.weight_ct for stones in lists]),
        codes={name: np.concatenate([stones.codes[name] for stones in lists]) for name in names},
    )


SIEVED = "size range missing"


def hardships(package: ReferencePackage, *, seed: int) -> Iterator[tuple[str, Batch]]:
    """Yield conditions and the package's parcels under them, in the package's order, the same ones for every method."""
    scheme = package.scheme
    changes: tuple[tuple[str, Callable[[Parcel, np.random.Generator], Parcel]], ...] = (
        (SIEVED, lambda parcel, rng: remove_size_range(parcel, rng=rng, softness=float(rng.choice([0.0, 0.2])))),
        ("high-graded", lambda parcel, rng: high_grade(parcel, rng=rng)),
        ("10 % of classes confused", lambda parcel, rng: confuse(parcel, scheme, 0.1, rng=rng)),
        ("100 stones of each", lambda parcel, rng: subsample(parcel, 100, rng=rng)),
    )
    for conditions, change in changes:
        rng = np.random.default_rng(seed)
        yield conditions, Batch(tuple(change(parcel, rng) for parcel in package.batch))
