r"""Two kinds of evidence as one: the explicit model's and the tables', averaged on the log scale at a learnt weight.

With :math:`E^{(1)}` the log evidence of the explicit model, :math:`E^{(2)}` that of the tables and *t* their weight,
:math:`E = (1 - t) E^{(1)} + t E^{(2)}` for every source, listed or not, and for what was declared.

References
----------
Genest and Zidek (1986), Combining probability distributions, Statistical Science 1, 114-135 (logarithmic pools).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.summaries import WINDOWS
from kpfootprint.stats.tables import TableEvidence, declared_tables, listed_and_unlisted
from kpfootprint.stats.views import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """Averaged log evidence of a batch in every slot of `kpfootprint.stats.views`.

    Parameters
    ----------
    listed : ndarray of shape (n_slots, n, Z)
        For listed sources.
    unlisted : ndarray of shape (n_slots, n, 5)
        For unlisted sources.
    declared : ndarray of shape (n_slots, n)
        For what was declared; NaN where nothing was.
    """

    listed: Floats
    unlisted: Floats
    declared: Floats


def average(explicit: Floats, tables: Floats, weight: float) -> Floats:
    """Return the average of both on the log scale."""
    out: Floats = (1.0 - weight) * explicit + weight * tables
    return out


def averaged_readings(view: View, declared: tuple[Floats, Floats] | None = None, factor: float = 1.0) -> Readings:
    """Average the explicit evidence of a batch with that of the tables, where there are any that weigh something.

    Parameters
    ----------
    declared : (ndarray of shape (n, Z), ndarray of shape (n_slots, n)), optional
        What was declared, and its explicit log evidence.
    factor : float
        How many times the variance between parcels of one source the tables take.
    """
    structure, tables = view.model.structure, view.model.tables
    none = np.full(view.listed.shape[:2], np.nan)
    explicit = none if declared is None else declared[1]
    if tables is None or tables.weight == 0.0:
        return Readings(listed=view.listed, unlisted=view.unlisted, declared=explicit)
    every = slots_of(listed_and_unlisted(tables, view.arrays, structure, factor))
    said = none
    if declared is not None:
        own = slots_of(declared_tables(tables, view.arrays, structure, declared[0], factor))[:, :, 0]
        said = average(explicit, own, tables.weight)
    return Readings(
        listed=average(view.listed, every[:, :, :-1], tables.weight),
        unlisted=average(view.unlisted, every[:, :, -1:], tables.weight),
        declared=said,
    )


def slots_of(evidence: TableEvidence) -> Floats:
    """Return the evidence of the tables (n_slots, n, M): in each window, and with size left out."""
    without_size = np.ones(1 + len(evidence.classes), dtype=bool)
    without_size[0] = False
    windows = [evidence.total(window) for window in range(len(WINDOWS))]
    return np.stack([*windows, evidence.total(0, without_size)])
