"""What an older release knows of how parcels of one zone differ, for a package with few reference parcels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kpfootprint.release import Release
from kpfootprint.stats.evidence import KNOWN_LEVEL_SHARE
from training.prepare import Prepared

Floats = NDArray[np.float64]


def prior_covariance(release: Release, prepared: Prepared) -> Floats:
    """Return the covariance (D, D) of parcels of one zone that a release learnt.

    Raises
    ------
    ValueError
        Where the release describes parcels by other attributes or classes.
    """
    own = [(a.name, tuple(c.name for c in a.classes)) for a in prepared.reference.scheme.categorical]
    older = [(a.name, tuple(c.name for c in a.classes)) for a in release.scheme.categorical]
    if own != older:
        raise ValueError(f"release {release.name} has other attributes or classes than the package: {older}, {own}")
    predictor = release.model.predictor
    spread = (predictor.within_unknown - predictor.within) / (1.0 - KNOWN_LEVEL_SHARE)
    out: Floats = predictor.within_unknown - spread
    return out
