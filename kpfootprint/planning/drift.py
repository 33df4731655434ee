r"""Control charts over the shipments of an exporter or a zone, with one false alarm rate over all charts together.

Each chart follows one number of a shipment (a size, the log ratio of a class, an LR) whose standard deviation is
known: variation between parcels from the reference, and counting at the shipment's own number of stones. Shipment *t*
is held against the weighted mean of those before it,

.. math:: z_t = (x_t - \bar x_{t-1}) / \sqrt{s_t^2 + v_{t-1}},

which without a change are independent standard normal numbers whatever the true level is. Two-sided CUSUMs of them
signal a change. Their limit at each point is chosen so that, without a change, one shipment in *N* has a signal in any
chart, the second of a series as often as the hundredth; charts that go together count as fewer. After a signal the
chart starts anew with the next shipment; the change is dated to the split of the points whose two means differ most.

References
----------
Hawkins (1987), Self-starting CUSUM charts for location and scale, The Statistician 36, 299-316.
Brook and Evans (1972), An approach to the probability distribution of CUSUM run length, Biometrika 59, 539-549.
Shen, Tsung, Zou and Jiang (2013), Monitoring Poisson count data with probability control limits when sample sizes are
time varying, Naval Research Logistics 60, 625-636 (limits that give every point the same chance of a false alarm).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import ndtr, ndtri

from kpfootprint.footprint import footprints_of
from kpfootprint.parcel import Batch
from kpfootprint.release import Release
from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.summaries import summarise

REFERENCE_VALUE = 0.5
"""Half the shift, in standard deviations, that the CUSUMs are made to find."""
WIDTH, HIGHEST = 0.05, 15.0
"""Of the cells that the chances of a CUSUM are computed in, and where they end."""
SETTLED = 200
"""Points after which a limit no longer changes."""
N_SERIES, N_POINTS = 2_000, 50
"""Series drawn, and their shipments, to see how often charts that go together signal."""
PER_SHIPMENTS = 100
"""Shipments of which one has a false alarm, in whatever chart, where nothing else is asked for."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart with its centre, its limits at each shipment's own size (T,) and its signals."""

    followed: Followed
    centre: float
    lower: Floats
    upper: Floats
    signals: tuple[Signal, ...]


def followed_in(batch: Batch, release: Release) -> tuple[tuple[Followed, ...], Floats]:
    """Return what charts of a series of parcels follow, mean log size and the log ratio of every class.

    The standard deviation of each is that of parcels of one source and of counting its stones together; their
    correlation (K, K) is that of a typical parcel of these.
    """
    structure, predictor = release.model.structure, release.model.predictor
    names = ["size"]
    turned = [np.eye(structure.n_parameters)[:1]]
    for attribute, basis, block in zip(release.scheme.categorical, structure.bases, structure.blocks[1:], strict=True):
        wide = np.zeros((basis.shape[0], structure.n_parameters))
        wide[:, block] = basis
        turned.append(wide)
        names += [f"{attribute.name}:{item.name}" for item in attribute.classes]
    turn = np.concatenate(turned)
    total = np.zeros((len(turn), len(turn)))
    values, sd = np.full((len(batch), len(turn)), np.nan), np.ones((len(batch), len(turn)))
    for footprints in footprints_of(batch, release.scheme, structure, release.level_names):
        summaries = summarise(footprints.arrays, structure)
        spread = summaries.errors[0] + predictor.within
        values[footprints.rows] = summaries.estimates[0] @ turn.T
        turned_spread = turn @ spread @ turn.T
        sd[footprints.rows] = np.sqrt(np.einsum("pkk->pk", turned_spread))
        total += (turned_spread / np.einsum("pk,pl->pkl", sd[footprints.rows], sd[footprints.rows])).sum(axis=0)
        recorded = np.repeat(footprints.arrays.recorded, [1, *(basis.shape[0] for basis in structure.bases)], axis=1)
        values[footprints.rows] = np.where(recorded, values[footprints.rows], np.nan)
    charts = tuple(Followed(name=name, values=values[:, k], sd=sd[:, k]) for k, name in enumerate(names))
    return charts, total / len(batch)


@lru_cache(maxsize=256)
def limits_for(n_charts: float, per_shipments: int) -> Floats:
    """Return the limits (SETTLED,) of a chart's points, by the Markov chain of Brook and Evans; the last one stays.

    Parameters
    ----------
    n_charts : float
        Two-sided charts, as many as would be independent, one of which signals in one of `per_shipments` shipments.

    Examples
    --------
    >>> limits_for(12.0, 100)[[0, 9, 199]].round(2)
    array([2.84, 5.59, 5.94])
    """
    if per_shipments < 2:
        raise ValueError(f"per_shipments must be 2 or more, got {per_shipments}")
    centres = np.arange(round(HIGHEST / WIDTH)) * WIDTH
    upper = centres[None, :] + WIDTH / 2 - centres[:, None] + REFERENCE_VALUE
    moves = ndtr(upper)
    moves[:, 1:] -= ndtr(upper[:, 1:] - WIDTH)
    chance = -np.expm1(np.log1p(-1.0 / per_shipments) / n_charts) / 2.0  # of a signal of one side at one point
    state = np.zeros(centres.size)
    state[0] = 1.0
    limits = np.empty(SETTLED)
    for point in range(SETTLED):
        state = state @ moves
        above = state[::-1].cumsum()[::-1]
        cell = int(np.flatnonzero(above >= chance)[-1])
        part = (chance - above[cell] + state[cell]) / state[cell]
        limits[point] = centres[cell] + WIDTH / 2 - part * WIDTH
        state[cell] *= 1.0 - part
        state[cell + 1 :] = 0.0
        state[0] += 1.0 - state.sum()  # the chart begins anew
    return limits


def independent(correlation: Floats, per_shipments: int) -> float:
    """Return as how many independent charts some count that go together: so many that one shipment in N has a signal.

    Two charts that go together seldom signal at the same shipment, so how often both are far out at once does not
    tell it: series are drawn and charted. `correlation` (K, K) is that of the charts where nothing changes.
    """
    n = len(correlation)
    if n == 1 or (correlation == np.eye(n)).all():
        return float(n)
    values, axes = np.linalg.eigh(correlation)
    root = (axes * np.sqrt(np.maximum(values, 0.0))).T
    z = np.random.default_rng(1).normal(size=(N_POINTS, N_SERIES, n)) @ root
    low, high = 1.0, float(n)
    while high / low > 1.05:
        middle = float(np.sqrt(low * high).round(2))
        if _signalling(z, limits_for(middle, per_shipments)) * per_shipments > 1.0:
            low = middle
        else:
            high = middle
    return high


def _signalling(z: Floats, limits: Floats) -> float:
    """Return the share of shipments with a signal in any chart; `z` (points, series, charts)."""
    up, down = np.zeros(z.shape[1:]), np.zeros(z.shape[1:])
    length = np.zeros(z.shape[1:], dtype=np.intp)
    signals = 0
    for now in z:
        up = np.maximum(up + now - REFERENCE_VALUE, 0.0)
        down = np.maximum(down - now - REFERENCE_VALUE, 0.0)
        up[length < 0] = down[length < 0] = 0.0  # the first after a signal is the new level
        out = np.maximum(up, down) > limits[np.minimum(length, SETTLED - 1)]
        signals += int(out.any(axis=1).sum())
        up[out] = down[out] = 0.0
        length = np.where(out, -1, length + 1)
    return signals / float(z.shape[0] * z.shape[1])


def follow(
    charts: Sequence[Followed], *, per_shipments: int = PER_SHIPMENTS, n_independent: float | None = None
) -> tuple[Chart, ...]:
    """Draw the charts of a series of shipments.

    Parameters
    ----------
    charts : sequence of Followed
        All over the same T shipments, in the order of time.
    per_shipments : int
        Shipments of which one has a false alarm in any chart, 2 or more.
    n_independent : float, optional
        As how many charts they count (see `independent`); all of them without it.

    Raises
    ------
    ValueError
        If `per_shipments` is below 2 or a standard deviation is not positive.
    """
    if not charts:
        return ()
    limits = limits_for(float(len(charts)) if n_independent is None else n_independent, per_shipments)
    beyond = float(-ndtri(0.5 / (len(charts) * per_shipments)))
    return tuple(_chart(one, limits, beyond) for one in charts)


def _chart(followed: Followed, limits: Floats, beyond: float) -> Chart:
    known = np.flatnonzero(np.isfinite(followed.values))
    x, s = followed.values[known], followed.sd[known]
    if (s <= 0).any():
        raise ValueError(f"{followed.name}: standard deviations must be positive, got {s.min()}")
    signals: list[Signal] = []
    start = 0
    while (found := _first_signal(x, s, start, limits)) is not None:
        at, since = found
        before, after = _mean(x[start:since], s[start:since])[0], _mean(x[since : at + 1], s[since : at + 1])[0]
        signals.append(Signal(position=int(known[at]), since=int(known[since]), shift=after - before))
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


def _first_signal(x: Floats, s: Floats, start: int, limits: Floats) -> tuple[int, int] | None:
    """Return where the first signal comes, and since when; None without one."""
    total, weights = 0.0, 0.0
    up, down = 0.0, 0.0
    for t in range(start, x.size):
        if weights > 0:
            z = (x[t] - total / weights) / np.sqrt(s[t] ** 2 + 1.0 / weights)
            up, down = max(0.0, up + z - REFERENCE_VALUE), max(0.0, down - z - REFERENCE_VALUE)
            if max(up, down) > limits[min(t - start, SETTLED) - 1]:
                return t, _change_point(x, s, start, t)
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
