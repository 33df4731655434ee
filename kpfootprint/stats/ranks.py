"""Conformal ranks at matched size: how often a parcel of its kind shows a larger statistic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kpfootprint.stats.arrays import Floats


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

    ln_n: Floats
    quantiles: Floats
    floor: float

    @classmethod
    def from_calibration(
        cls, statistic: Floats, ln_n: Floats, *, n_sizes: int = 14, n_quantiles: int = 400, share: float = 0.12
    ) -> RankTable:
        """Hold quantiles at `n_sizes` sizes, each from the nearest `share` of the calibration parcels."""
        m = max(int(share * statistic.size), min(statistic.size, 50))
        low, high = np.quantile(ln_n, [0.01, 0.99])
        grid = np.linspace(float(low), float(high), n_sizes)
        chances = (np.arange(n_quantiles) + 0.5) / n_quantiles
        rows = []
        for size in grid:
            nearest = np.argpartition(np.abs(ln_n - size), m - 1)[:m]
            rows.append(np.quantile(statistic[nearest], chances))
        return cls(ln_n=grid, quantiles=np.array(rows), floor=1.0 / (m + 1))

    def p_values(self, statistic: Floats, ln_n: Floats) -> Floats:
        """Return the chance (n,) of a statistic at least this large, between `floor` and 1."""
        position = np.interp(ln_n, self.ln_n, np.arange(self.ln_n.size))
        low = np.minimum(position.astype(np.intp), self.ln_n.size - 2)
        weight = position - low
        out = np.empty(statistic.shape)
        n_quantiles = self.quantiles.shape[1]
        chances = (np.arange(n_quantiles) + 0.5) / n_quantiles
        for i, value in enumerate(statistic):
            below = [
                np.interp(value, self.quantiles[row], chances, left=0.0, right=1.0) for row in (low[i], low[i] + 1)
            ]
            out[i] = 1.0 - ((1.0 - weight[i]) * below[0] + weight[i] * below[1])
        return np.clip(out, self.floor, 1.0)
