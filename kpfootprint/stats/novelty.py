r"""Like nothing in the reference: the distance to the nearest source, ranked among parcels of listed sources.

The distance is that of the evidence (`kpfootprint.stats.evidence`): of the sizes as recorded and the classes as far as
the gate trusts the sizes, of the classes alone as far as it does not, so a sieve does not make a parcel look strange.
It needs no guess at where unlisted sources lie, which the odds of an unlisted source do.

References
----------
Wilson and Hilferty (1931), The distribution of chi-square, PNAS 17, 684-688: the cube root that makes distances in
different numbers of dimensions comparable.
"""

from __future__ import annotations

import numpy as np

from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.views import AS_RECORDED, CLASSES, View

NOVEL_P = 0.05
"""A parcel of this p-value or less is flagged as unlike every source."""
LOG10_SUPPORT_OF_NOVEL = 1.0
"""Largest log10 LR in favour of a declaration that a flagged parcel carries: a matter of policy."""


def strangeness(view: View, trust: Floats, declared: Floats | None = None) -> Floats:
    r"""Return how far each parcel (n,) lies from the nearest source: about standard normal for sources known exactly.

    With :math:`D^2` the squared distance and *k* the numbers of the parcel that count,

    .. math:: \Bigl(\sqrt[3]{D^2/k} - 1 + \tfrac{2}{9k}\Bigr) \Big/ \sqrt{\tfrac{2}{9k}}

    of the sizes as recorded and of the classes alone, weighed by the trust in the sizes.

    Parameters
    ----------
    trust : ndarray of shape (n,)
        Chance that no sizes were taken out.
    declared : ndarray of shape (n_slots, n), optional
        Squared distance to what was declared (NaN: nothing); a declared blend is one more candidate.
    """
    scores = []
    for slot in (AS_RECORDED, CLASSES):
        distance = view.distance[slot].min(axis=1)
        if declared is not None:
            distance = np.fmin(distance, declared[slot])
        dims = np.maximum(view.n_dims[slot], 1.0)
        spread = 2.0 / (9.0 * dims)
        scores.append((np.cbrt(distance / dims) - 1.0 + spread) / np.sqrt(spread))
    out: Floats = trust * scores[0] + (1.0 - trust) * scores[1]
    return out


def highest_log10_lr(p_value: Floats) -> Floats:
    """Return the largest log10 LR (n,) that parcels of these novelty p-values carry; infinite where not flagged.

    The LR compares what is listed with a guess at what is not. Where a parcel fits neither well, the better of two
    bad fits is no strong support.
    """
    out: Floats = np.where(p_value <= NOVEL_P, LOG10_SUPPORT_OF_NOVEL, np.inf)
    return out
