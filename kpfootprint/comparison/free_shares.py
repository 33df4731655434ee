"""Declarations whose shares are free, and whether a stated split fits: shares are integrated over, not chosen.

A paper that names countries, with or without a breakdown, is a blend of their compliant zones in shares that nobody
stated. Its evidence is the mean over such blends; shares that suit the parcel best would flatter the paper.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from kpfootprint.comparison.hypotheses import Hypotheses, Origins
from kpfootprint.release import Release
from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.evidence import log_sum
from kpfootprint.stats.metrics import LN10
from kpfootprint.stats.model import Look, look
from kpfootprint.stats.selection import elsewhere
from kpfootprint.stats.structure import ParcelArrays

N_BLENDS = 96
"""Blends that an integral over shares takes; the same for every parcel of the same declaration."""
CONCENTRATION = 0.5
"""Of the Dirichlet distribution of free shares: most parcels come from few zones."""
SEED = 20030101


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeShares:
    """What is integrated over, for n parcels.

    Parameters
    ----------
    log_evidence : ndarray of shape (n,)
        Log of the mean evidence over the blends, less that of their mean blend; 0 where shares are stated.
    split_log10_lr : ndarray of shape (n,)
        Calibrated log10 LR of the stated split against any split of the same origins; NaN where that is not asked.
    """

    log_evidence: Floats
    split_log10_lr: Floats


def blends_of(origins: Origins, mean_ct: Floats, *, stated: bool) -> Floats:
    """Return blends (K, Z) in shares of stones, with the stated split between the origins or with any.

    Parameters
    ----------
    mean_ct : ndarray of shape (Z,)
        Mean stone of each zone, in carats.
    """
    rng = np.random.default_rng(SEED)
    amounts = origins.amounts if stated else None
    fixed = amounts is not None or len(origins.columns) == 1
    n = 1 if fixed and all(len(columns) == 1 for columns in origins.columns) else N_BLENDS
    parts = []
    for columns in origins.columns:
        part = np.zeros((n, mean_ct.size))
        part[:, columns] = rng.dirichlet(np.full(len(columns), CONCENTRATION), n) if len(columns) > 1 else 1.0
        parts.append(part)
    if amounts is None:
        between = rng.dirichlet(np.full(len(parts), CONCENTRATION), n) if len(parts) > 1 else np.ones((n, 1))
    else:
        between = np.stack([amount / (part @ mean_ct) for amount, part in zip(amounts, parts, strict=True)], axis=1)
    out: Floats = np.einsum("kp,pkz->kz", between / between.sum(axis=1, keepdims=True), np.stack(parts))
    return out


def settle_shares(
    arrays: ParcelArrays, hypotheses: Hypotheses, release: Release, mean_ct: Floats
) -> tuple[Hypotheses, FreeShares]:
    """Give declarations of free shares the mean blend that the parcel leaves of them; say what is integrated over."""
    n, model = len(arrays), release.model
    weights = hypotheses.weights.copy()
    free = FreeShares(log_evidence=np.zeros(n), split_log10_lr=np.full(n, np.nan))

    def evidence(seen: Look, declared: Floats) -> Floats:
        return seen.under(np.zeros(len(declared), dtype=np.intp), declared).evidence.declared

    for row, origins in enumerate(hypotheses.origins):
        if origins is None or not hypotheses.testable[row]:
            continue
        seen = look(model, arrays.take(np.array([row])))
        stated = blends_of(origins, mean_ct[row], stated=True)
        found = evidence(seen, stated)
        whole = log_sum(found) - np.log(len(found))
        weights[row] = np.exp(found - log_sum(found)) @ stated
        if len(found) > 1:
            free.log_evidence[row] = whole - evidence(seen, weights[row : row + 1])[0]
        if origins.amounts is not None and len(origins.columns) > 1:
            others = evidence(seen, blends_of(origins, mean_ct[row], stated=False))
            score = (whole - log_sum(others) + np.log(len(others))) / LN10
            ln_n = np.log(arrays.n_stones[row : row + 1])
            told = model.calibration.told(seen.evidence.listed)
            free.split_log10_lr[row] = model.calibration.apply(np.array([score]), ln_n, told)[0]
    settled = replace(hypotheses, weights=weights, alternatives=elsewhere(weights, hypotheses.allowed))
    return settled, free
