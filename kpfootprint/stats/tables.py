r"""A second evidence: Dirichlet-multinomial tables, one for the size classes and one for each attribute.

Where parcels of one source differ in ways that a lognormal of sizes and one pooled covariance do not describe, plain
tables of counts mislead less. For one attribute, with :math:`m_s` the shares of source *s* and *g* the grand mean,

.. math:: m_s \sim \mathrm{Dir}(b\,g), \quad \theta_p \sim \mathrm{Dir}(a\,m_s), \quad x_p \sim \mathrm{Mult}(\theta_p).

A reference parcel of *n* stones is worth :math:`n (a + 1) / (n + a)` independent ones, so few large parcels never pass
for many. What is not known of :math:`m_s` after the reference widens the predictive: its share of variance is
:math:`\rho_s = \rho + (1 - \rho) / (T_s + 1)` with :math:`\rho = 1/(a + 1)` and :math:`T_s` the stones that the
reference is worth, *b* included. A source that nobody has sampled is that with no reference at all. *a* and *b*
maximise the likelihood of each reference parcel given the others (leave one out).

References
----------
Mosimann (1962), Biometrika 49, 65-82 (the distribution). Minka (2000), Estimating a Dirichlet distribution.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from kpfootprint.stats.arrays import Bools, Floats, Ints, ParcelArrays
from kpfootprint.stats.structure import Structure
from kpfootprint.stats.summaries import WINDOWS, window_cells

PRIOR_STONES = (50.0, 20.0)
"""Where *a* and *b* are looked for first, and their weak log-normal prior's middle."""
PRIOR_SPREAD = 3.0
MOST_RHO = 0.9
"""Largest share of variance between parcels of one source that is asked about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassTable:
    """One attribute.

    Parameters
    ----------
    shares : ndarray of shape (Z, C)
        Expected shares of each listed source.
    unlisted : ndarray of shape (C,)
        Those of a source that nobody has sampled.
    within : float
        Share of variance between parcels of one source, :math:`1/(a+1)`.
    known : ndarray of shape (Z + 1,)
        Stones that each source's shares rest on, those of the prior included; the unlisted source comes last.
    """

    shares: Annotated[Floats, "Z T", "shares"]
    unlisted: Annotated[Floats, "T", "shares"]
    within: Annotated[float, "", "between"]
    known: Annotated[Floats, "Z+1", "positive"]

    def variance(self, factor: float = 1.0) -> Floats:
        """Return the shares of variance (Z + 1,) with `factor` times as much between parcels of one source."""
        within = min(factor * self.within, MOST_RHO)
        return within + (1.0 - within) / (self.known + 1.0)

    def blended(self, declared: Floats, factor: float = 1.0) -> tuple[Floats, Floats]:
        """Return the shares (..., C) and variances (...) of blends (..., Z): variances by the squares of shares."""
        return declared @ self.shares, (declared**2) @ self.variance(factor)[:-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableModel:
    """Tables of size and of each attribute, and how much they weigh.

    Parameters
    ----------
    tables : tuple of ClassTable
        Size first.
    weight : float
        Weight of this evidence beside the explicit one, 0 to 1; both are averaged on the log scale.
    resampled : tuple of ndarray of shape (B, Z, C)
        Shares of each table from resampled reference parcels.
    vote : float, optional
        What the tables' probability of an unlisted source counts beside the explicit model's, 0 to 1, where both kinds
        weigh something; releases up to format 8 average that source on the log scale like all others.
    """

    tables: Annotated[tuple[ClassTable, ...], "T"]
    weight: Annotated[float, "", "share"]
    resampled: Annotated[tuple[Floats, ...], "B Z T", "shares"]
    vote: Annotated[float | None, "", "share"] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableEvidence:
    """Log evidence (n, M) for M sources: of size in each window (n_windows, n, M) and of each attribute."""

    size: Floats
    classes: tuple[Floats, ...]

    def total(self, window: int, flags: Bools | None = None) -> Floats:
        """Return the sum over the attributes in `flags` (1 + A,), all of them without it; size as in `window`."""
        chosen = np.ones(1 + len(self.classes), dtype=bool) if flags is None else flags
        out: Floats = self.size[window] * float(chosen[0])
        for use, part in zip(chosen[1:], self.classes, strict=True):
            if use:
                out = out + part
        return out


def log_dirichlet_multinomial(counts: Floats, parameters: Floats, counted: Floats | None = None) -> Floats:
    r"""Ln probability of counts under Dirichlet-multinomials, without the multinomial coefficient.

    .. math:: \ln\Gamma(A) - \ln\Gamma(n + A) + \sum_k [\ln\Gamma(n_k + a_k) - \ln\Gamma(a_k)], \quad A = \sum_k a_k

    Parameters
    ----------
    counts : ndarray of shape (n, C)
    parameters : ndarray of shape (M, C) or (n, M, C)
        Positive.
    counted : ndarray of shape (n, C), optional
        1 for the classes that count, 0 for those left out (the family is closed under leaving out).

    Returns
    -------
    ndarray of shape (n, M)
    """
    alpha = parameters if parameters.ndim == 3 else parameters[None]
    x = counts[:, None]
    if counted is not None:
        x, alpha = x * counted[:, None], np.where(counted[:, None] > 0, alpha, 0.0)
    whole = np.maximum(alpha.sum(axis=2), 1e-9)
    present = x > 0
    safe = np.maximum(alpha, 1e-9)
    parts = np.where(present, gammaln(x + safe) - gammaln(safe), 0.0)
    out: Floats = parts.sum(axis=2) + gammaln(whole) - gammaln(x.sum(axis=2) + whole)
    return out


def log_sets(sets: Floats, members: Bools, counts: Floats, parameters: Floats) -> Floats:
    r"""Ln probability (n, M) of stones known by sets of classes, given stones by class (n, C) of the same parcels.

    The stones by class make the Dirichlet of the parcel one of parameters :math:`a_k + n_k`, and shares of disjoint
    sets of classes are Dirichlet again, so this is exact for them. Of sets that overlap, those before are laid to their
    classes as expected.

    Parameters
    ----------
    sets : ndarray of shape (n, S)
        Stones of each set.
    members : ndarray of shape (S, C), bool
        Classes of each set.
    counts, parameters
        As of `log_dirichlet_multinomial`.
    """
    alpha = counts[:, None] + (parameters if parameters.ndim == 3 else parameters[None])
    whole = alpha.sum(axis=2)
    out: Floats = gammaln(whole) - gammaln(whole + sets.sum(axis=1)[:, None])
    for stones, inside in zip(sets.T, members, strict=True):
        share = np.maximum(alpha[:, :, inside].sum(axis=2), 1e-9)
        out = out + gammaln(share + stones[:, None]) - gammaln(share)
        alpha = alpha * (1.0 + inside * (stones[:, None] / share)[:, :, None])
    return out


def table_counts(arrays: ParcelArrays, structure: Structure) -> tuple[Floats, ...]:
    """Return stones by class (n, C) of size and of each attribute; zero where not recorded.

    Stones whose size is not known, or whose class is known as a set alone, are not in it.
    """
    partial = arrays.partial
    cells, tables = (arrays.cells, arrays.tables) if partial is None else (partial.sized, partial.exact)
    parts = (cells @ structure.membership_of_classes(), *(table.sum(axis=1) for table in tables))
    return tuple(part * arrays.recorded[:, k : k + 1] for k, part in enumerate(parts))


def fit_tables(
    arrays: ParcelArrays,
    structure: Structure,
    groups: Ints,
    n_groups: int,
    *,
    weight: float,
    vote: float | None = None,
) -> TableModel:
    """Fit the tables to reference parcels of known groups, every group weighing the same in the grand mean."""
    return TableModel(
        tables=tuple(fit_table(x, groups, n_groups) for x in table_counts(arrays, structure)),
        weight=weight,
        resampled=(),
        vote=vote,
    )


def fit_table(counts: Floats, groups: Ints, n_groups: int) -> ClassTable:
    """Fit one table to counts (n, C) of parcels of known groups; a group without parcels gets the grand mean."""
    stones = counts.sum(axis=1)
    shares = counts / np.maximum(stones, 1.0)[:, None]
    n_classes = counts.shape[1]
    means = np.array([shares[(groups == g) & (stones > 0)].sum(axis=0) for g in range(n_groups)])
    means = means / np.maximum(means.sum(axis=1, keepdims=True), 1e-9)
    # one group's worth of even shares keeps every class possible
    grand = (means.sum(axis=0) + 1.0 / n_classes) / (means.sum() + 1.0)

    def cost(logs: Floats) -> float:
        a, b = np.exp(logs)
        worths = _worths(stones, a)
        totals = _totals(shares, worths, groups, n_groups)
        others = totals[groups] - worths[:, None] * shares
        known = others.sum(axis=1) + b
        rho = 1.0 / (a + 1.0)
        rho = rho + (1.0 - rho) / (known + 1.0)
        alpha = _parameters((others + b * grand) / known[:, None], rho)
        prior = 0.5 * float((((logs - np.log(PRIOR_STONES)) / PRIOR_SPREAD) ** 2).sum())
        return prior - float(log_dirichlet_multinomial(counts, alpha[:, None]).sum())

    from scipy.optimize import minimize  # half the time that a command takes to start, and only fits need it

    found = minimize(
        cost, np.log(PRIOR_STONES), method="Nelder-Mead", options={"xatol": 0.02, "fatol": 0.01, "maxiter": 200}
    )
    a, b = np.exp(found.x)
    totals = _totals(shares, _worths(stones, a), groups, n_groups)
    known = totals.sum(axis=1) + b
    return ClassTable(
        shares=(totals + b * grand) / known[:, None],
        unlisted=grand,
        within=float(1.0 / (a + 1.0)),
        known=np.append(known, b),
    )


def _worths(stones: Floats, a: float) -> Floats:
    return stones * (a + 1.0) / np.maximum(stones + a, 1e-9)


def _totals(shares: Floats, worths: Floats, groups: Ints, n_groups: int) -> Floats:
    out = np.zeros((n_groups, shares.shape[1]))
    np.add.at(out, groups, worths[:, None] * shares)
    return out


def resample_tables(
    model: TableModel, arrays: ParcelArrays, structure: Structure, groups: Ints, times: NDArray[np.integer]
) -> TableModel:
    """Return the model with shares from reference parcels drawn `times` (B, n) over; the variances stay."""
    resampled = []
    for table, counts in zip(model.tables, table_counts(arrays, structure), strict=True):
        stones = counts.sum(axis=1)
        a = 1.0 / table.within - 1.0
        worths = _worths(stones, a)
        shares = counts / np.maximum(stones, 1.0)[:, None]
        prior = table.known[-1]
        drawn = np.stack([_totals(shares, worths * row, groups, len(table.shares)) for row in times])
        known = drawn.sum(axis=2, keepdims=True) + prior
        resampled.append((drawn + prior * table.unlisted) / known)
    return replace(model, resampled=tuple(resampled))


def counted_classes(arrays: ParcelArrays, structure: Structure) -> list[Floats | None]:
    """Return which size classes (n, C) lie wholly inside each of `WINDOWS`; None where all do."""
    indicator = structure.membership_of_classes()
    out: list[Floats | None] = []
    for window in WINDOWS:
        inside = window_cells(arrays.cells if arrays.partial is None else arrays.partial.sized, window)
        out.append(None if inside is None else ((1.0 - inside) @ indicator < 0.5).astype(float))
    return out


def listed_and_unlisted(model: TableModel, arrays: ParcelArrays, structure: Structure, factor: float) -> TableEvidence:
    """Return the evidence (n, Z + 1) for listed sources and, last, for one that nobody has sampled.

    Parameters
    ----------
    factor : float
        How many times the variance between parcels of one source is taken.
    """
    parameters = [
        _parameters(np.concatenate([table.shares, table.unlisted[None]]), table.variance(factor))
        for table in model.tables
    ]
    return _evidence(parameters, arrays, structure)


def tables_of_blends(
    model: TableModel, arrays: ParcelArrays, structure: Structure, blends: Floats, factor: float = 1.0
) -> TableEvidence:
    """Return the evidence (n, K) for blends: the same ones (K, Z) for every parcel, or those of each (n, K, Z)."""
    return _evidence([_parameters(*table.blended(blends, factor)) for table in model.tables], arrays, structure)


def _parameters(shares: Floats, variance: Floats) -> Floats:
    """Return the parameters (..., C) of Dirichlet distributions of these shares (..., C) and variances (...,)."""
    return shares * (1.0 / variance - 1.0)[..., None]


def table_distances(
    model: TableModel, arrays: ParcelArrays, structure: Structure, declared: Floats | None
) -> tuple[Floats, Floats]:
    r"""Return squared distances (2, n, M) to listed sources, last to what was declared, and how many numbers count.

    Pearson's chi-square with the variance of the Dirichlet-multinomial, added up over the attributes, with size and
    without it: of :math:`n` stones with shares *p* for a source of shares *m*,

    .. math:: \frac{n}{1 + (n - 1) \rho_s} \sum_k \frac{(p_k - m_k)^2}{m_k}.

    Parameters
    ----------
    declared : ndarray of shape (n, Z), optional
        Declared shares of stones; their blend is one more source.

    Returns
    -------
    distance : ndarray of shape (2, n, Z) or (2, n, Z + 1)
    counted : ndarray of shape (2, n)
        Classes less one, of the attributes of which stones were counted.
    """
    distances, counted = [], []
    for table, counts in zip(model.tables, table_counts(arrays, structure), strict=True):
        shares, variance = table.shares[None], table.variance()[None, :-1]
        if declared is not None:
            n, (blend, spread) = len(declared), table.blended(declared)
            shares = np.concatenate([np.broadcast_to(shares, (n, *table.shares.shape)), blend[:, None]], axis=1)
            variance = np.concatenate([np.broadcast_to(variance, (n, len(table.shares))), spread[:, None]], axis=1)
        stones = counts.sum(axis=1)[:, None]
        found = counts / np.maximum(stones, 1.0)
        squares = ((found[:, None] - shares) ** 2 / np.maximum(shares, 1e-9)).sum(axis=2)
        distances.append(stones / (1.0 + np.maximum(stones - 1.0, 0.0) * variance) * squares)
        counted.append(np.where(stones[:, 0] > 0, counts.shape[1] - 1.0, 0.0))
    without = np.sum(distances[1:], axis=0), np.sum(counted[1:], axis=0)
    return np.stack([distances[0] + without[0], without[0]]), np.stack([counted[0] + without[1], without[1]])


def resampled_tables(model: TableModel, arrays: ParcelArrays, structure: Structure, declared: Floats) -> TableEvidence:
    """Return the evidence (n, B * Z + B) for resampled sources and for the declared blends of them."""
    parameters = []
    for table, drawn in zip(model.tables, model.resampled, strict=True):
        b, z, c = drawn.shape
        n = len(declared)
        spread = table.variance()[:-1]
        listed = _parameters(drawn, spread).reshape(1, b * z, c)
        blended = _parameters(np.einsum("pz,bzc->pbc", declared, drawn), ((declared**2) @ spread)[:, None])
        parameters.append(np.concatenate([np.broadcast_to(listed, (n, b * z, c)), blended], axis=1))
    return _evidence(parameters, arrays, structure)


def _evidence(parameters: list[Floats], arrays: ParcelArrays, structure: Structure) -> TableEvidence:
    counts = table_counts(arrays, structure)
    size = np.stack(
        [log_dirichlet_multinomial(counts[0], parameters[0], counted) for counted in counted_classes(arrays, structure)]
    )
    classes = [log_dirichlet_multinomial(x, alpha) for x, alpha in zip(counts[1:], parameters[1:], strict=True)]
    if arrays.partial is not None:
        for a, (sets, members) in enumerate(zip(arrays.partial.sets, arrays.partial.members, strict=True)):
            stones = sets.sum(axis=1) * arrays.recorded[:, 1 + a : 2 + a]
            classes[a] = classes[a] + log_sets(stones, members, counts[1 + a], parameters[1 + a])
    return TableEvidence(size=size, classes=tuple(classes))
