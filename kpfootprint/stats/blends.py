r"""Sources blended in shares that nobody stated: such shares are drawn, and each blend has its evidence.

Most parcels come from few sources, and what matters of an integral over the shares lies near its corners and edges,
where draws from a Dirichlet distribution with parameters *a* seldom come. Half of the draws therefore lean to one of
the *k* sources each, with *c* added to its parameter, and are weighed back by

.. math:: w(x) = \Bigl(\frac12 + \frac12 \frac{\Gamma(a)\,\Gamma(ka + c)}{\Gamma(a + c)\,\Gamma(ka)}
    \cdot \frac1k \sum_z x_z^c\Bigr)^{-1},

which is never above 2.

References
----------
Hesterberg (1995), Weighted average importance sampling and defensive mixture distributions, Technometrics 37, 185-194.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.declarations import declared_location
from kpfootprint.stats.evidence import source_evidence
from kpfootprint.stats.model import Look
from kpfootprint.stats.selection import average, marginal, slots_of
from kpfootprint.stats.tables import tables_of_blends

LEANING = 8.0
"""What is added to the parameter of the source that a draw leans to."""


def drawn_shares(n: int, k: int, concentration: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw shares of `k` sources from a symmetric Dirichlet distribution, half of them leaning to one source.

    Parameters
    ----------
    concentration : float
        The parameter *a* of every source.

    Returns
    -------
    shares : ndarray of shape (n, k)
        Rows sum to 1.
    log_weights : ndarray of shape (n,)
        Log of what each draw counts; the mean of the weights is near 1.
    """
    if k == 1:
        return np.ones((n, 1)), np.zeros(n)
    parameters = np.full((n, k), concentration)
    leaning = np.arange(n // 2)
    parameters[leaning, leaning % k] += LEANING
    shares = rng.standard_gamma(rng.permutation(parameters))
    shares /= shares.sum(axis=1, keepdims=True)
    log_ratio = (
        gammaln(concentration)
        + gammaln(k * concentration + LEANING)
        - gammaln(concentration + LEANING)
        - gammaln(k * concentration)
    )
    leant = np.exp(log_ratio) * (shares**LEANING).mean(axis=1)
    return shares, -np.log(0.5 + 0.5 * leant)


def blend_evidence(looked: Look, blends: Floats) -> Floats:
    """Return the log evidence (n, K) of every parcel for each of some blends (K, Z), on the scale of ``evidence``.

    What `Look.under` finds for what was declared, without all that it finds beside.
    """
    view = looked.view
    model, tables = view.model, view.model.tables
    explicit, _ = source_evidence(view.whitened, *declared_location(model, blends))
    readings = explicit.reshape(*view.n_dims.shape, len(blends))
    if tables is not None and tables.weight > 0.0:
        found = slots_of(tables_of_blends(tables, view.arrays, model.structure, blends))
        readings = average(readings, found, tables.weight)
    return marginal(readings, looked.gate, looked.readings.level)
