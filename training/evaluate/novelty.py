"""How often parcels are flagged as like nothing in the reference: those of zones left out, and those of known zones."""

from __future__ import annotations

import numpy as np

from kpfootprint.stats.arrays import Floats, Ints
from kpfootprint.stats.conformal import conformal_p_values
from kpfootprint.stats.novelty import NOVEL_P
from training.evaluate.trials import counted
from training.record import NoveltyCell, Result

NEAREST = 80
"""Calibration parcels of about the same size that a p-value is ranked among."""


def p_values_across_folds(strangeness: Floats, n_stones: Floats, fold: Ints, shown: Floats | None = None) -> Floats:
    """Return the p-value of each reference parcel, ranked among those of the other folds.

    Parameters
    ----------
    strangeness : ndarray of shape (n_parcels,)
        From fits that did not see the parcel.
    shown : ndarray of shape (n_parcels,), optional
        Strangeness of what was shown in place of each parcel (sieved, say), ranked among the parcels themselves.
    """
    p = np.empty(strangeness.size)
    asked = strangeness if shown is None else shown
    for k in np.unique(fold):
        inside, others = fold == k, fold != k
        p[inside] = conformal_p_values(
            asked[inside],
            strangeness[others],
            ln_n=np.log(n_stones[inside]),
            calibration_ln_n=np.log(n_stones[others]),
            nearest=min(NEAREST, int(others.sum())),
        )[0]
    return p


def p_values_against(strangeness: Floats, n_stones: Floats, known: Floats, known_n_stones: Floats) -> Floats:
    """Return p-values of parcels that are no reference parcels, ranked among reference parcels of about their size."""
    return conformal_p_values(
        strangeness,
        known,
        ln_n=np.log(n_stones),
        calibration_ln_n=np.log(known_n_stones),
        nearest=min(NEAREST, known.size),
    )[0]


def novelty_cell(kind: str, p: Floats) -> NoveltyCell:
    """Count the parcels that are flagged."""
    return NoveltyCell(kind=kind, alpha=NOVEL_P, flagged=int((p <= NOVEL_P).sum()), trials=int(p.size))


def novelty_result(cell: NoveltyCell) -> Result:
    """Return the line of the validation table for a kind of parcels."""
    return counted("novelty", "flagged as novel", cell.kind, cell.flagged, cell.trials)
