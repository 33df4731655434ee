"""What a release concludes from parcels, drawn ones above all: the trials that planning counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from kpfootprint.comparison.weigh import Judged, integrated, judge
from kpfootprint.release import Release
from kpfootprint.stats.arrays import Bools, Floats, Ints, ParcelArrays, joined
from kpfootprint.stats.model import Look, look, shares_as_declared

SEED = 20160526
SLICE = 100
"""Parcels looked at together; memory does not grow beyond that."""


def outcomes_of(release: Release, arrays: ParcelArrays, declared: Floats, allowed: Bools) -> Judged:
    """Return what a release makes of parcels under their declarations.

    Parameters
    ----------
    declared : ndarray of shape (n, Z)
        Declared shares of stones; rows sum to 1.
    allowed : ndarray of shape (Z,) or (n, Z), bool
        Zones that are compliant.
    """
    allowed = np.broadcast_to(allowed, declared.shape)
    looks = looks_of(release, arrays, declared)
    return joined([judge(release, looked, allowed[rows]) for rows, looked in looks])


def share_p_of(release: Release, arrays: ParcelArrays, declared: Floats, allowed: Bools) -> Floats:
    """Return the p-values of the shares alone, in about half the time; the arguments are those of `outcomes_of`."""
    allowed = np.broadcast_to(allowed, declared.shape)
    looks = looks_of(release, arrays, declared)
    return np.concatenate([shares_as_declared(release.model, looked, allowed[rows]).p_value for rows, looked in looks])


def looks_of(
    release: Release, arrays: ParcelArrays, declared: Floats, log_evidence: Floats | None = None
) -> Iterator[tuple[Ints, Look]]:
    """Give the positions of some parcels, and how they look under their declarations.

    Parameters
    ----------
    log_evidence : ndarray of shape (n,), optional
        What is integrated over where shares are free, see `kpfootprint.comparison.hypotheses.Hypotheses`.
    """
    free = np.zeros(len(arrays)) if log_evidence is None else log_evidence
    for start in range(0, len(arrays), SLICE):
        rows = np.arange(start, min(start + SLICE, len(arrays)))
        yield rows, integrated(look(release.model, arrays.take(rows), declared[rows]), free[rows])


def known_exactly(release: Release, zones: int | slice) -> Release:
    """Return the release as it would be if these zones were known from any number of reference parcels."""
    scales = release.model.predictor.scales.copy()
    scales[zones] = 1.0
    return replace(release, model=replace(release.model, predictor=replace(release.model.predictor, scales=scales)))
