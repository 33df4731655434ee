"""How often parcels are flagged as like nothing in the reference: those of zones left out, and those of known zones."""

from __future__ import annotations

import numpy as np

from kpfootprint.stats.arrays import Floats, Ints
from kpfootprint.stats.novelty import NOVEL_P
from training.evaluate.trials import counted
from training.record import NoveltyCell, Result

NEAREST = 80
"""Calibration parcels of about the same size that a p-value is ranked among."""


def conformal_p(score: Floats, ln_n: Floats, known: Floats, known_ln_n: Floats, *, nearest: int = NEAREST) -> Floats:
    """Return how rare a score this large is among calibration parcels of about the same size.

    ``p = (1 + number of calibration scores >= score) / (m + 1)`` over the `m` calibration parcels used, so no p-value
    is below ``1 / (m + 1)``, and p is at most 0.05 in at most 5 % of parcels that are exchangeable with them.

    Parameters
    ----------
    score, ln_n : ndarray of shape (n,)
        The larger, the stranger; log number of stones.
    known, known_ln_n : ndarray of shape (n_calibration,)
        The same of parcels known not to be strange.
    nearest : int
        Use so many calibration parcels, those nearest in ``ln n``; all where there are no more.

    References
    ----------
    Vovk, V., Gammerman, A., Shafer, G. (2005). Algorithmic Learning in a Random World, section 2.2.
    """
    nearest = min(nearest, known.size)
    order = np.argsort(known_ln_n, kind="stable")
    sizes, known = known_ln_n[order], known[order]
    # The nearest ones are a run of the sorted sizes; find where the run begins by comparing its two ends.
    begins = np.arange(sizes.size - nearest + 1)
    reach = np.maximum(np.abs(sizes[begins] - ln_n[:, None]), np.abs(sizes[begins + nearest - 1] - ln_n[:, None]))
    begin = np.argmin(reach, axis=1)
    at_least = (known[begin[:, None] + np.arange(nearest)] >= score[:, None]).sum(axis=1)
    out: Floats = (1.0 + at_least) / (nearest + 1)
    return out


def p_values_across_folds(strangeness: Floats, n_stones: Floats, fold: Ints, shown: Floats | None = None) -> Floats:
    """Return the p-value of each reference parcel, ranked among those of the other folds.

    Parameters
    ----------
    strangeness : ndarray of shape (n_parcels,)
        From fits that did not see the parcel.
    shown : ndarray of shape (n_parcels,), optional
        Strangeness of what was shown in place of each parcel (sieved, say), ranked among the parcels themselves.
    """
    p, ln_n = np.empty(strangeness.size), np.log(n_stones)
    asked = strangeness if shown is None else shown
    for k in np.unique(fold):
        inside, others = fold == k, fold != k
        p[inside] = conformal_p(asked[inside], ln_n[inside], strangeness[others], ln_n[others])
    return p


def novelty_cell(kind: str, p: Floats) -> NoveltyCell:
    """Count the parcels that are flagged."""
    return NoveltyCell(kind=kind, alpha=NOVEL_P, flagged=int((p <= NOVEL_P).sum()), trials=int(p.size))


def novelty_result(cell: NoveltyCell) -> Result:
    """Return the line of the validation table for a kind of parcels."""
    return counted("novelty", "flagged as novel", cell.kind, cell.flagged, cell.trials)
