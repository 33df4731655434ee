"""Draw many parcels from a fitted model, in chunks that do not depend on how many processes draw them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from joblib import delayed

from kpfootprint.stats.arrays import Floats, ParcelArrays, joined
from kpfootprint.stats.simulate import (
    NEAR_SHARE,
    Parts,
    Recovery,
    draw_coefficients,
    draw_parcels,
    grade,
    scattered,
    tails,
    unlisted_sources,
)
from training.prepare import Fitted
from training.progress import side_by_side
from training.scenarios import Scenario, Truth, draw_stones, draw_truth, undeclared_share

T = TypeVar("T")
Seed = np.random.SeedSequence

CHUNK = 2000
"""Parcels that are drawn from one seed."""
PAIRS_AT_ONCE = 200_000
"""Parcels times pairs of zones that are looked at together: what is computed meanwhile stays near at hand."""


NEW_LEVEL = 0.1
"""Share of parcels whose last condition (the sorter) is one that no reference parcel has."""
PICKED = 0.4
"""Share of the parcels with sizes taken out from which only a part of these was taken, as a buyer does by hand."""
ODD = 3.0
"""How much wider odd parcels deviate."""
LOW_CUTS, HIGH_CUTS = (0.05, 0.55), (0.5, 0.98)
"""Where sizes are taken out, as quantiles of the parcel's own sizes."""


def chunks(n: int, size: int) -> list[int]:
    """Return how many there are in each chunk of `n`."""
    return [size] * (n // size) + ([n % size] if n % size else [])


def places(fitted: Fitted) -> Floats:
    """Return where the zones lie (Z, D), in standard deviations of parcels of one zone."""
    root = np.linalg.inv(np.linalg.cholesky(fitted.predictor.within))
    return fitted.predictor.sources @ root.T


def widths_of_cuts(shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Return how wide, on the log scale, cuts are: half of them are of a sieve, the others softer."""
    return np.where(rng.random(shape) < 0.5, 0.03, rng.uniform(0.05, 0.4, shape))


def shares_taken(n: int, rng: np.random.Generator) -> Floats:
    """Return which share (n,) of the stones beyond a cut was taken: all of them, or by hand a part."""
    return np.where(rng.random(n) < PICKED, rng.uniform(0.3, 0.85, n), 1.0)


def draw_scenario(
    scenario: Scenario, fitted: Fitted, truth: Truth, rng: np.random.Generator
) -> tuple[ParcelArrays, Truth]:
    """Draw the parcels of a `Truth`: locations, conditions, deviations, screens, and the stones at last.

    The returned truth has the share of stones that came out.
    """
    structure, model = fitted.structure, fitted.model
    n, z = len(truth.kind), truth.declared.shape[1]
    stones = draw_stones(scenario, n, rng)
    foreign_stones = rng.binomial(stones, truth.foreign)
    actual = truth.home * np.exp(0.12 * rng.standard_normal(truth.home.shape))
    actual /= actual.sum(axis=1, keepdims=True)
    part_stones = np.zeros((n, z + 1), dtype=np.intp)
    part_stones[:, :z] = rng.multinomial(stones - foreign_stones, actual)
    part_stones[np.arange(n), truth.source] += foreign_stones
    row, source = np.nonzero(part_stones)

    jitter = draw_coefficients(model, row.size, rng)
    locations = np.zeros((row.size, model.mean.size))
    listed = source < z
    locations[listed] = model.groups[source[listed]] + jitter[listed, 0] + jitter[listed, 1 + source[listed]]
    near = truth.kind[row] == 1
    near |= (truth.kind[row] > 2) & (rng.random(row.size) < NEAR_SHARE)
    locations[~listed] = unlisted_sources(fitted.predictor, near[~listed], rng)
    levels = np.stack([rng.choice(prior.size, n, p=prior / prior.sum()) for prior in model.level_priors], axis=1)
    start = 1 + z
    for f, effects in enumerate(model.levels):
        level = levels[row, f]
        new = rng.random(n) < (NEW_LEVEL if f == len(model.levels) - 1 else 0.0)
        fresh = rng.standard_normal((n, model.mean.size)) * np.sqrt(model.level_variances[f])
        effect = effects[level] + jitter[np.arange(row.size), start + level]
        locations += np.where(new[row][:, None], fresh[row], effect)
        levels[new, f] = -1
        start += len(effects)
    spread = tails(scenario.degrees_of_freedom, row.size, rng)
    spread *= np.where(rng.random(row.size) < scenario.odd_share, ODD, 1.0)
    locations = scattered(locations, model.within, spread, rng)
    grade(structure, locations, row, n, rng)

    edge = rng.choice(fitted.edges, n) + 0.02 * rng.standard_normal(n)
    other = rng.random(n) < scenario.other_edge
    edge = np.where(other, edge + rng.uniform(-0.3, 1.6, n), edge)
    blank = rng.random(n) < scenario.blank
    shown_levels = np.where(blank[:, None] | (rng.random(levels.shape) < 0.06), -1, levels)
    shown_edge = np.where((blank & ~other) | (rng.random(n) < 0.03), np.nan, edge)
    low, high = truth.cut_low, truth.cut_high
    width = widths_of_cuts((2, n), rng)
    recovery = Recovery(
        edge=edge,
        cut_low=np.where(low, rng.uniform(*LOW_CUTS, n), 0.0),
        cut_high=np.where(high, rng.uniform(*HIGH_CUTS, n), 1.0),
        width_low=width[0],
        width_high=width[1],
        taken=shares_taken(n, rng),
    )
    parts = Parts(parcel=row, n_stones=part_stones[row, source], numbers=locations)
    arrays = draw_parcels(structure, parts, recovery, shown_edge=shown_edge, shown_levels=shown_levels, rng=rng)
    foreign = foreign_stones / stones
    share = undeclared_share(foreign, truth.source, truth.declared, truth.allowed)
    return arrays, replace(truth, foreign=foreign, share=share)


@dataclass(frozen=True, slots=True, kw_only=True)
class Urn:
    """What parcels are drawn from: fitted sources, and which zones are compliant together; in so many processes."""

    fitted: Fitted
    sets: Floats
    n_jobs: int


def _draw(
    look: Callable[[ParcelArrays, Truth], T], urn: Urn, scenario: Scenario, seed: Seed, n: int
) -> tuple[list[T], Truth]:
    rng = np.random.default_rng(seed)
    truth = draw_truth(scenario, n, urn.sets, places(urn.fitted), rng)
    arrays, truth = draw_scenario(scenario, urn.fitted, truth, rng)
    step = int(np.clip(PAIRS_AT_ONCE // urn.sets.shape[1] ** 2, 50, 500))
    blocks = np.split(np.arange(n), range(step, n, step))
    return [look(arrays.take(rows), truth.take(rows)) for rows in blocks], truth


def simulate(
    look: Callable[[ParcelArrays, Truth], T], urn: Urn, scenario: Scenario, *, n: int, seed: Seed
) -> tuple[T, Truth]:
    """Draw `n` parcels and return what `look` sees of them, some at a time, with the truth of all of them.

    Parameters
    ----------
    look : callable
        Called with the arrays and the truth of some parcels; the arrays that it returns, in a dataclass or a tuple, are
        kept and put one after another, the parcels are not.
    seed : SeedSequence
        Spawns one seed for each chunk.
    """
    sizes = chunks(n, CHUNK)
    seeds = seed.spawn(len(sizes))
    tasks = [delayed(_draw)(look, urn, scenario, one, size) for one, size in zip(seeds, sizes, strict=True)]
    done = side_by_side(tasks, n_jobs=urn.n_jobs)
    seen, truths = zip(*done, strict=True)
    return joined([one for part in seen for one in part]), joined(truths)
