"""Virtual mixtures of held-out reference parcels, and what a method says of their undeclared share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kpfootprint.parcel import Batch, Declaration, Parcel
from kpfootprint.reference import ReferencePackage
from kpfootprint.stats.arrays import Bools, Floats, Ints, rows_of
from kpfootprint.stats.intervals import LEVEL
from training.evaluate.methods import n_stones_of, zone_codes
from training.evaluate.stress import mix
from training.evaluate.trials import counted
from training.record import CoverageCell, DetectionCell, Result

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


def answered(truth: Mixtures, said: Shares) -> tuple[Mixtures, Shares]:
    """Return the mixtures of which a share was said, with it: of others the method said that it cannot compare them."""
    kept = np.flatnonzero(np.isfinite(said.p_value))
    return rows_of(truth, kept), rows_of(said, kept)


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


def _cells(truth: Mixtures) -> Iterator[tuple[float, int, Bools]]:
    """Give each share and number of stones that occurs, with the mixtures of it."""
    rounded = np.round(truth.share, 2)
    for share in np.unique(rounded).tolist():
        for n_stones in np.unique(truth.n_stones).tolist():
            cell = (rounded == share) & (truth.n_stones == n_stones)
            if cell.any():
                yield share, n_stones, cell


def coverage_cells(truth: Mixtures, said: Shares, *, kind: str = "single") -> list[CoverageCell]:
    """Count, for each share and size, how often the interval holds the true share, and the mean error."""
    covered = (said.low - 1e-9 <= truth.share) & (truth.share <= said.high + 1e-9)
    return [
        CoverageCell(
            kind=kind,
            share_low=share,
            share_high=share,
            n_stones_low=n_stones,
            n_stones_high=n_stones,
            level=LEVEL,
            covered=int(covered[cell].sum()),
            trials=int(cell.sum()),
            mean_absolute_error=float(np.abs(said.share - truth.share)[cell].mean()),
        )
        for share, n_stones, cell in _cells(truth)
    ]


def detection_cells(truth: Mixtures, found: Bools, *, kind: str = "single") -> list[DetectionCell]:
    """Count, for each share and size, how often a mixture is found; at share 0 that is the false alarm."""
    return [
        DetectionCell(kind=kind, n_stones=n_stones, share=share, found=int(found[cell].sum()), trials=int(cell.sum()))
        for share, n_stones, cell in _cells(truth)
    ]


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
