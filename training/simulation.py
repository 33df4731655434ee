"""Draw many parcels from a fitted model, in chunks that do not depend on how many processes draw them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import TypeVar

import numpy as np
from joblib import delayed

from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.drawing import draw_scenario
from kpfootprint.stats.scenarios import Scenario, Truth, draw_truth
from kpfootprint.stats.structure import ParcelArrays
from training.prepare import Fitted
from training.progress import side_by_side

T = TypeVar("T")

CHUNK = 2000
"""Parcels that are drawn from one seed."""
PAIRS_AT_ONCE = 200_000
"""Parcels times pairs of zones that are looked at together: what is computed meanwhile stays near at hand."""


def places(fitted: Fitted) -> Floats:
    """Return where the zones lie (Z, D), in standard deviations of parcels of one zone."""
    root = np.linalg.inv(np.linalg.cholesky(fitted.predictor.within))
    out: Floats = fitted.predictor.sources @ root.T
    return out


def _draw(
    look: Callable[[ParcelArrays, Truth], T],
    fitted: Fitted,
    scenario: Scenario,
    allowed_sets: Floats,
    seed: np.random.SeedSequence,
    n: int,
) -> tuple[list[T], Truth]:
    rng = np.random.default_rng(seed)
    truth = draw_truth(scenario, n, allowed_sets, places(fitted), rng)
    arrays, truth = draw_scenario(
        scenario,
        fitted.structure,
        fitted.model,
        truth,
        edges=fitted.edges,
        near_covariance=fitted.predictor.neighbours,
        rng=rng,
    )
    step = int(np.clip(PAIRS_AT_ONCE // allowed_sets.shape[1] ** 2, 50, 500))
    blocks = np.split(np.arange(n), range(step, n, step))
    return [look(arrays.take(rows), truth.take(rows)) for rows in blocks], truth


def simulate(
    look: Callable[[ParcelArrays, Truth], T],
    fitted: Fitted,
    scenario: Scenario,
    allowed_sets: Floats,
    *,
    n: int,
    seed: np.random.SeedSequence,
    n_jobs: int,
) -> tuple[list[T], Truth]:
    """Draw `n` parcels and return what `look` sees of them, some at a time, with the truth of all of them.

    Parameters
    ----------
    look : callable
        Called with the arrays and the truth of some parcels; what it returns is kept, the parcels are not.
    seed : SeedSequence
        Spawns one seed for each chunk.
    """
    sizes = [CHUNK] * (n // CHUNK) + ([n % CHUNK] if n % CHUNK else [])
    seeds = seed.spawn(len(sizes))
    tasks = [
        delayed(_draw)(look, fitted, scenario, allowed_sets, one, size) for one, size in zip(seeds, sizes, strict=True)
    ]
    done = side_by_side(tasks, n_jobs=n_jobs)
    seen, truths = zip(*done, strict=True)
    joined = Truth(**{f.name: np.concatenate([getattr(truth, f.name) for truth in truths]) for f in fields(Truth)})
    return [one for part in seen for one in part], joined
