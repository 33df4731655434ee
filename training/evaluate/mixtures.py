"""Parcels changed on purpose (sieved, high-graded, subsampled, worse graded, mixed), and what is said of shares."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

from kpfootprint.parcel import Batch, Declaration, Parcel, Stones
from kpfootprint.reference import ReferencePackage
from kpfootprint.scheme import Scheme
from kpfootprint.stats.arrays import Bools, Floats, Ints
from kpfootprint.stats.intervals import LEVEL
from kpfootprint.stats.shares import NONE_P
from training.evaluate.methods import n_stones_of, zone_codes
from training.evaluate.trials import counted
from training.record import CoverageCell, DetectionCell, Result

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


SHARES = (0.0, 0.1, 0.2, 0.3, 0.5)
SIZES = (100, 300, 800, 2000)


@dataclass(frozen=True, slots=True)
class Shares:
    """Undeclared share (n_parcels,) of each parcel with limits at `LEVEL`, and p-value of "nothing undeclared".

    NaN where the method says that a parcel cannot be compared.
    """

    share: Floats
    low: Floats
    high: Floats
    p_value: Floats


@dataclass(frozen=True, slots=True)
class Mixtures:
    """Virtual mixtures with what is true of them; arrays of shape (n_mixtures,).

    Each parcel of `batch` declares its own zone alone. `declared` and `foreign` are positions of zones, `parcel` that
    of the reference parcel that the declared stones are of.
    """

    batch: Batch
    declared: Ints
    foreign: Ints
    parcel: Ints
    share: Floats
    n_stones: Ints

    @classmethod
    def of(cls, parcels: Sequence[Parcel], truth: Sequence[tuple[int, int, int, int, float]]) -> Mixtures:
        """Collect parcels with (declared, foreign, parcel, number of stones, share) of each."""
        table = np.array(truth).reshape(-1, 5)
        declared, foreign, parcel, n_stones = table[:, :4].astype(np.intp).T
        return cls(Batch(tuple(parcels)), declared, foreign, parcel, share=table[:, 4], n_stones=n_stones)


def virtual_mixtures(
    package: ReferencePackage,
    which: Ints,
    *,
    n_each: int,
    sources: Mapping[str, Sequence[str]],
    rng: np.random.Generator,
    shares: Sequence[float] = SHARES,
    sizes: Sequence[int] = SIZES,
) -> Mixtures:
    """Mix pairs of parcels of different zones, both among `which`, at every share and size.

    Where it can be had, both were cleaned and sorted alike, as goods that are mixed would be. No stone is drawn twice
    (a parcel that is made larger than it is looks like nothing that was ever dug), so large mixtures are few. Parcels
    take turns, so that one odd large parcel does not speak for all.

    Parameters
    ----------
    which : ndarray of int
        Positions of the parcels to mix: those that the method to be measured did not learn from.
    n_each : int
        Mixtures of each share and size.
    sources : mapping from zone to sequence of zones
        Zones that may be declared, and for each the other zones that foreign stones may come from (those that were not
        compliant on the day, say).
    """
    codes = zone_codes(package)
    zone_of = np.array(package.zone_of)
    stones = n_stones_of(package.batch)
    parcels = package.batch.parcels
    made, rows = [], []
    taken = np.zeros(stones.size, dtype=np.intp)
    for share in shares:
        for n_stones in sizes:
            for _ in range(n_each):
                enough = which[stones[which] >= n_stones - round(share * n_stones)]
                enough = enough[np.isin(zone_of[enough], list(sources))]
                if enough.size == 0:
                    continue
                own = int(rng.choice(enough[taken[enough] == taken[enough].min()]))
                taken[own] += 1
                others = which[stones[which] >= round(share * n_stones)]
                others = others[np.isin(zone_of[others], list(sources[zone_of[own]]))]
                if others.size == 0:
                    continue
                foreign = prepared_alike(package, own, others, rng)
                mixed = mix(parcels[own], parcels[foreign], share, n_stones, rng=rng)
                made.append(replace(mixed, declarations=(Declaration(zone_id=package.zone_of[own]),)))
                rows.append((codes[own], codes[foreign], own, n_stones, round(share * n_stones) / n_stones))
    return Mixtures.of(made, rows)


def prepared_alike(package: ReferencePackage, own: int, others: Ints, rng: np.random.Generator) -> int:
    """Draw one of `others`, if possible prepared and sorted like `own`: goods that are mixed are sorted together."""
    conditions = [parcel.conditions for parcel in package.batch.parcels]
    mine = conditions[own]
    cleaned = [i for i in others if conditions[i].cleaning_state == mine.cleaning_state]
    sorted_too = [i for i in cleaned if conditions[i].sorter == mine.sorter]
    return int(rng.choice(sorted_too or cleaned or others))


def measured(truth: Mixtures, said: Shares, *, kind: str = "single") -> tuple[list[CoverageCell], list[DetectionCell]]:
    """Count, for each share and size, how often the interval holds the true share, and how often a mixture is found.

    At share 0 the latter is the false alarm. Mixtures that the method cannot compare are passed over.
    """
    rounded, coverage, detection = np.round(truth.share, 2), list[CoverageCell](), list[DetectionCell]()
    covered = (said.low - 1e-9 <= truth.share) & (truth.share <= said.high + 1e-9)
    for share in np.unique(rounded).tolist():
        for n_stones in np.unique(truth.n_stones).tolist():
            cell = (rounded == share) & (truth.n_stones == n_stones) & np.isfinite(said.p_value)
            if not cell.any():
                continue
            trials = int(cell.sum())
            coverage.append(
                CoverageCell(
                    kind=kind,
                    share_low=share,
                    share_high=share,
                    n_stones_low=n_stones,
                    n_stones_high=n_stones,
                    level=LEVEL,
                    covered=int(covered[cell].sum()),
                    trials=trials,
                    mean_absolute_error=float(np.abs(said.share - truth.share)[cell].mean()),
                )
            )
            found = int((said.p_value[cell] <= NONE_P).sum())
            detection.append(DetectionCell(kind=kind, n_stones=n_stones, share=share, found=found, trials=trials))
    return coverage, detection


def mixture_results(coverage: Sequence[CoverageCell], detection: Sequence[DetectionCell]) -> list[Result]:
    """Sum cells up: mean error, coverage, power at each share, false alarm; every cell weighs as its trials."""
    trials = sum(cell.trials for cell in coverage)
    if trials == 0:
        return []
    error = sum((cell.mean_absolute_error or 0.0) * cell.trials for cell in coverage) / trials
    held = _rate(f"{LEVEL:.0%} interval covers", sum(cell.covered for cell in coverage), trials)
    results = [replace(held, metric="mean error of the share", value=error, low=None, high=None), held]
    for share in sorted({cell.share for cell in detection}):
        cells = [cell for cell in detection if cell.share == share and cell.trials]
        if not cells:
            continue
        name = "false alarm on unmixed parcels" if share == 0 else f"share of {share:.0%} found"
        results.append(_rate(name, sum(cell.found for cell in cells), sum(cell.trials for cell in cells)))
    return results


def _rate(metric: str, found: int, trials: int) -> Result:
    return counted("mixture", metric, "virtual mixtures", found, trials)
