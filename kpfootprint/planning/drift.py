r"""Control charts over the shipments of an exporter or a zone, with one false alarm rate over all charts together.

Each chart follows one number of a shipment (a size, the log ratio of a class, an LR) whose standard deviation is
known: variation between parcels from the reference, and counting at the shipment's own number of stones. Shipment *t*
is held against the weighted mean of those before it,

.. math:: z_t = (x_t - \bar x_{t-1}) / \sqrt{s_t^2 + v_{t-1}},

which without a change are independent standard normal numbers whatever the true level is. Two-sided CUSUMs of them
signal a change; their limit is chosen so that all charts together raise one false alarm in *N* shipments. After a
signal the chart starts anew with the next shipment; the change is dated to
the split of the points whose two means differ most.

References
----------
Hawkins (1987), Self-starting CUSUM charts for location and scale, The Statistician 36, 299-316.
Brook and Evans (1972), An approach to the probability distribution of CUSUM run length, Biometrika 59, 539-549.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import ndtr, ndtri

from kpfootprint.stats.arrays import Floats

REFERENCE_VALUE = 0.5
"""Half the shift, in standard deviations, that the CUSUMs are made to find."""
N_STATES = 60
PER_SHIPMENTS = 100
"""Shipments to one false alarm over all charts, where nothing else is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """One number followed over T shipments.

    Parameters
    ----------
    name : str
        What is followed, such as ``size`` or ``colour:brown``.
    values, sd : ndarray of shape (T,)
        The number of each shipment, NaN where it has none, and its standard deviation without a change.
    """

    name: str
    values: Floats
    sd: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A change: seen at shipment `position`, dated to `since`, and how far the level moved, in its own unit."""

    position: int
    since: int
    shift: float
    z: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart with its centre, its limits at each shipment's own size (T,) and its signals."""

    followed: Followed
    centre: float
    lower: Floats
    upper: Floats
    signals: tuple[Signal, ...]


def run_length(limit: float, *, reference_value: float = REFERENCE_VALUE, shift: float = 0.0) -> float:
    """Return the mean number of points to a signal of a one-sided CUSUM, by the Markov chain of Brook and Evans.

    Parameters
    ----------
    limit : float
        The CUSUM signals above it.
    shift : float
        Mean of the standardised points; 0 without a change.

    Examples
    --------
    >>> round(run_length(4.0, shift=1.0), 1)  # 8.4 in the tables (two-sided, k = 0.5, h = 4)
    8.4
    """
    width = limit / (N_STATES - 0.5)
    centres = np.arange(N_STATES) * width
    upper = centres[None, :] + width / 2 - centres[:, None] + reference_value - shift
    moves = ndtr(upper)
    moves[:, 1:] -= ndtr(upper[:, 1:] - width)
    return float(np.linalg.solve(np.eye(N_STATES) - moves, np.ones(N_STATES))[0])


@lru_cache(maxsize=256)
def limit_for(n_charts: int, per_shipments: int) -> float:
    """Return the CUSUM limit with which `n_charts` two-sided charts raise one false alarm in `per_shipments`."""
    from scipy.optimize import brentq  # a start without a plan does without it

    wanted = 2.0 * n_charts * per_shipments
    return float(brentq(lambda h: np.log(run_length(h) / wanted), 0.2, 30.0))


def follow(charts: Sequence[Followed], *, per_shipments: int = PER_SHIPMENTS) -> tuple[Chart, ...]:
    """Draw the charts of a series of shipments.

    Parameters
    ----------
    charts : sequence of Followed
        All over the same T shipments, in the order of time.
    per_shipments : int
        Shipments to one false alarm over all charts together, 2 or more.

    Raises
    ------
    ValueError
        If `per_shipments` is below 2 or a standard deviation is not positive.
    """
    if per_shipments < 2:
        raise ValueError(f"per_shipments must be 2 or more, got {per_shipments}")
    if not charts:
        return ()
    limit = limit_for(len(charts), per_shipments)
    beyond = float(-ndtri(0.5 / (len(charts) * per_shipments)))
    return tuple(_chart(one, limit, beyond) for one in charts)


def _chart(followed: Followed, limit: float, beyond: float) -> Chart:
    known = np.flatnonzero(np.isfinite(followed.values))
    x, s = followed.values[known], followed.sd[known]
    if (s <= 0).any():
        raise ValueError(f"{followed.name}: standard deviations must be positive, got {s.min()}")
    signals: list[Signal] = []
    start = 0
    while (found := _first_signal(x, s, start, limit)) is not None:
        at, since, direction = found
        before, after = _mean(x[start:since], s[start:since]), _mean(x[since : at + 1], s[since : at + 1])
        gap = np.sqrt(before[1] + after[1])
        signals.append(
            Signal(
                position=int(known[at]),
                since=int(known[since]),
                shift=after[0] - before[0],
                z=direction * abs(after[0] - before[0]) / float(gap),
            )
        )
        start = at + 1  # points that were chosen because they raised the alarm would bias the next level
    last = signals[-1].since if signals else 0
    inside = known >= last
    centre = _mean(x[inside], s[inside])[0] if x.size else float("nan")
    return Chart(
        followed=followed,
        centre=centre,
        lower=centre - beyond * followed.sd,
        upper=centre + beyond * followed.sd,
        signals=tuple(signals),
    )


def _mean(x: Floats, s: Floats) -> tuple[float, float]:
    """Return the weighted mean and its variance."""
    weight = 1.0 / s**2
    return float((weight * x).sum() / weight.sum()), float(1.0 / weight.sum())


def _first_signal(x: Floats, s: Floats, start: int, limit: float) -> tuple[int, int, int] | None:
    """Return where the first signal comes, since when, and in which direction; None without one."""
    total, weights = 0.0, 0.0
    up, down = 0.0, 0.0
    for t in range(start, x.size):
        if weights > 0:
            z = (x[t] - total / weights) / np.sqrt(s[t] ** 2 + 1.0 / weights)
            up, down = max(0.0, up + z - REFERENCE_VALUE), max(0.0, down - z - REFERENCE_VALUE)
            if max(up, down) > limit:
                return t, _change_point(x, s, start, t), 1 if up > down else -1
        total += x[t] / s[t] ** 2
        weights += 1.0 / s[t] ** 2
    return None


def _change_point(x: Floats, s: Floats, start: int, end: int) -> int:
    """Return the first point of the split of ``start..end`` whose two means differ most in standard deviations."""
    gaps = []
    for split in range(start + 1, end + 1):
        before, after = _mean(x[start:split], s[start:split]), _mean(x[split : end + 1], s[split : end + 1])
        gaps.append(abs(after[0] - before[0]) / np.sqrt(before[1] + after[1]))
    return start + 1 + int(np.argmax(gaps))
