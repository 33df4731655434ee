r"""Conformal ranks at matched size: how often a parcel of its kind shows a larger statistic, such as its strangeness.

Like nothing in the reference is a parcel whose distance to the nearest source ranks high among parcels of listed
sources. The distance is that of the evidence (`kpfootprint.stats.evidence`): of the sizes as recorded and the classes
as far as the gate trusts the sizes, of the classes alone as far as it does not, so a sieve does not make a parcel look
strange. It needs no guess at where unlisted sources lie, which the odds of an unlisted source do.

References
----------
Wilson and Hilferty (1931), The distribution of chi-square, PNAS 17, 684-688: the cube root that makes distances in
different numbers of dimensions comparable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from kpfootprint.stats.arrays import Floats, Ints
from kpfootprint.stats.evidence import AS_RECORDED, CLASSES, View
from kpfootprint.stats.tables import table_distances

N_SIZES, NEAREST = 14, 0.12
NOVEL_P = 0.05
"""A parcel of this p-value or less is flagged as unlike every source."""
LOG10_SUPPORT_OF_UNUSUAL = 1.0
"""Largest log10 LR in favour of a declaration that a parcel far from every source carries: a matter of policy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankTable:
    """Quantiles of a statistic among calibration parcels, by size.

    Parameters
    ----------
    ln_n : ndarray of shape (K,)
        Log numbers of stones at which quantiles are held, increasing.
    quantiles : ndarray of shape (K, Q)
        Increasing quantiles of the statistic at chances (j + 0.5) / Q.
    floor : float
        Smallest p-value that the calibration parcels carry, 1 / (m + 1).

    References
    ----------
    Vovk, Gammerman and Shafer (2005), Algorithmic Learning in a Random World, section 2.2; matching on size is the
    Mondrian form of section 4.5, smoothed over neighbouring sizes.
    """

    ln_n: Annotated[Floats, "k", "increase"]
    quantiles: Annotated[Floats, "k q", "rise"]
    floor: Annotated[float, "", "positive share"]

    @classmethod
    def from_calibration(cls, statistic: Floats, ln_n: Floats, *, n_quantiles: int = 400) -> RankTable:
        """Hold quantiles at `N_SIZES` sizes, each from the nearest `NEAREST` of the calibration parcels."""
        m = max(int(NEAREST * statistic.size), min(statistic.size, 50))
        low, high = np.quantile(ln_n, [0.01, 0.99])
        grid = np.linspace(low, high, N_SIZES)
        chances = _chances(n_quantiles)
        rows = []
        for size in grid:
            nearest = np.argpartition(np.abs(ln_n - size), m - 1)[:m]
            rows.append(np.quantile(statistic[nearest], chances))
        return cls(ln_n=grid, quantiles=np.array(rows), floor=1.0 / (m + 1))

    @property
    def chances(self) -> Floats:
        """The chances (Q,) that the quantiles are of."""
        return _chances(self.quantiles.shape[1])

    def between(self, ln_n: Floats) -> tuple[Ints, Floats]:
        """Return the row of quantiles below each size (n,), and how much the next one counts beside it."""
        position = np.interp(ln_n, self.ln_n, np.arange(self.ln_n.size))
        low = np.minimum(position.astype(np.intp), self.ln_n.size - 2)
        return low, position - low

    def p_values(self, statistic: Floats, ln_n: Floats) -> Floats:
        """Return the chance (n,) of a statistic at least this large, between `floor` and 1."""
        low, weight = self.between(ln_n)
        out = np.empty(statistic.shape)
        chances = self.chances
        for i, value in enumerate(statistic):
            below = [
                np.interp(value, self.quantiles[row], chances, left=0.0, right=1.0) for row in (low[i], low[i] + 1)
            ]
            out[i] = 1.0 - ((1.0 - weight[i]) * below[0] + weight[i] * below[1])
        return np.clip(out, self.floor, 1.0)


def _chances(n_quantiles: int) -> Floats:
    return (np.arange(n_quantiles) + 0.5) / n_quantiles


def strangeness(view: View, trust: Floats, declared: Floats | None = None, shares: Floats | None = None) -> Floats:
    r"""Return how far each parcel (n,) lies from the nearest source: about standard normal for sources known exactly.

    With :math:`D^2` the squared distance and *k* the numbers of the parcel that count,

    .. math:: \Bigl(\sqrt[3]{D^2/k} - 1 + \tfrac{2}{9k}\Bigr) \Big/ \sqrt{\tfrac{2}{9k}}

    of the sizes as recorded and of the classes alone, weighed by the trust in the sizes. Distances by the tables count
    beside it by the model's `novelty_weight`: what carries the LR must be able to say that nothing fits.

    Parameters
    ----------
    trust : ndarray of shape (n,)
        Chance that no sizes were taken out.
    declared : ndarray of shape (n_slots, n), optional
        Squared distance to what was declared (NaN: nothing); a declared blend is one more candidate.
    shares : ndarray of shape (n, Z), optional
        The shares that were declared, for the tables to ask the same.
    """
    weight = view.model.novelty_weight
    explicit, tables = strange_parts(view, trust, declared, shares, with_tables=bool(weight))
    return explicit if not weight else (1.0 - weight) * explicit + weight * tables


def strange_parts(
    view: View,
    trust: Floats,
    declared: Floats | None = None,
    shares: Floats | None = None,
    *,
    with_tables: bool = True,
) -> tuple[Floats, Floats]:
    """Return `strangeness` (n,) by the explicit model alone and by the tables alone; the latter 0 without them."""
    scores = []
    for slot in (AS_RECORDED, CLASSES):
        distance = view.distance[slot].min(axis=1)
        if declared is not None:
            distance = np.fmin(distance, declared[slot])
        scores.append(_normal_score(distance, view.n_dims[slot]))
    explicit: Floats = trust * scores[0] + (1.0 - trust) * scores[1]
    if view.model.tables is None or not with_tables:
        return explicit, np.zeros_like(explicit)
    distances, counted = table_distances(view.model.tables, view.arrays, view.model.structure, shares)
    whole, classes = _normal_score(distances.min(axis=2), counted)
    return explicit, trust * whole + (1.0 - trust) * classes


def _normal_score(distance: Floats, dims: Floats) -> Floats:
    dims = np.maximum(dims, 1.0)
    spread = 2.0 / (9.0 * dims)
    return (np.cbrt(distance / dims) - 1.0 + spread) / np.sqrt(spread)


def highest_log10_lr(p_value: Floats, strong_p: float) -> Floats:
    """Return the largest log10 LR (n,) that parcels of these novelty p-values carry; infinite above `strong_p`.

    The LR compares what is listed with a guess at what is not. Where a parcel fits neither well, the better of two
    bad fits is no strong support.
    """
    return np.where(p_value <= strong_p, LOG10_SUPPORT_OF_UNUSUAL, np.inf)
