"""Reference parcels as they were collected, and with a range of their sizes taken out: what the gate has to tell apart.

Sizes of real goods are not lognormal. A gate that has seen nothing but parcels drawn from the model takes their shape
for a sign that sizes were taken out, and sizes then hardly count. So a part of what it learns from are the reference
parcels' own stones.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import ndtr

from kpfootprint.stats.arrays import Bools, Floats, Ints, ParcelArrays
from kpfootprint.stats.structure import SizeGrid
from training.simulation import PICKED

LEAST_SHOWN = 0.5
"""At least this share of a parcel's stones is shown: the parcel is never twice the same."""
LOW_CUTS, HIGH_CUTS = (0.05, 0.55), (0.5, 0.98)
"""Where sizes are taken out, as quantiles of the parcel's own sizes."""


def sieved_copies(
    arrays: ParcelArrays, groups: Ints, grid: SizeGrid, *, n: int, sieved: float, rng: np.random.Generator
) -> tuple[ParcelArrays, Ints]:
    """Return `n` copies of parcels, zones alike often, with the position in `WINDOWS` of what was taken out of each.

    Only sizes are shown. Stones are drawn without replacement; the cuts are those of simulated parcels.

    Parameters
    ----------
    groups : ndarray of shape (n_parcels,)
        Zone of each parcel.
    sieved : float
        Share of copies with sizes taken out.
    """
    weight = 1.0 / np.bincount(groups)[groups]
    row = rng.choice(len(arrays), n, p=weight / weight.sum())
    cut, side = rng.random(n) < sieved, rng.random(n)
    low, high = cut & (side < 0.65), cut & (side > 0.45)
    cells = np.rint(arrays.cells[row]).astype(np.intp)
    shown = rng.uniform(LEAST_SHOWN, 1.0, (n, 1)) * _kept(cells, grid, low, high, rng)
    cells = rng.binomial(cells, shown).astype(np.float64)
    used = cells.sum(axis=1) > 0
    copies = arrays.take(row[used])
    recorded = np.zeros_like(copies.recorded)
    recorded[:, 0] = True
    copies = replace(
        copies,
        cells=cells[used],
        tables=tuple(np.zeros_like(table) for table in copies.tables),
        pairs=tuple(np.zeros_like(pair) for pair in copies.pairs),
        recorded=recorded,
    )
    return copies, (low.astype(np.intp) + 2 * high.astype(np.intp))[used]


def _kept(cells: Ints, grid: SizeGrid, low: Bools, high: Bools, rng: np.random.Generator) -> Floats:
    """Return the chance (n, n_cells) that a stone was left in the parcel."""
    n = len(cells)
    cumulated = cells.cumsum(axis=1) / np.maximum(cells.sum(axis=1, keepdims=True), 1)
    taken = np.where(rng.random(n) < PICKED, rng.uniform(0.3, 0.85, n), 1.0)
    kept = np.ones(cells.shape)
    for active, quantiles, sign in ((low, LOW_CUTS, 1.0), (high, HIGH_CUTS, -1.0)):
        at = rng.uniform(*quantiles, n)
        position = grid.centres[(cumulated >= at[:, None]).argmax(axis=1)]
        width = np.where(rng.random(n) < 0.5, 0.03, rng.uniform(0.05, 0.4, n))
        inside = sign * (grid.centres - position[:, None]) / width[:, None]
        kept *= np.where(active[:, None], 1.0 - taken[:, None] * ndtr(-inside), 1.0)
    return kept
