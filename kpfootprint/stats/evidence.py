r"""Evidence of a parcel for sources: t densities of its summary around each source.

A source *s* predicts a parcel's numbers with location :math:`m_s` and scale :math:`a_s S + V`, where *S* is the
covariance of parcels of one source, :math:`a_s` a factor (1 and what is not known of the source's mean, about 1/R after
R parcels; the sum of squared shares times that for a blend) and *V* the error of the summary. Since all these scales
share *S* and *V*, one simultaneous diagonalisation of the two serves every source:

.. math:: \ln t = -\tfrac{\nu+d}{2}\ln\Bigl(1+\tfrac{1}{\nu}\sum_j\frac{(u_j-u_{sj})^2}{\lambda_j+a_s}\Bigr)
          -\tfrac12\sum_j\ln(\lambda_j+a_s)

A parcel that holds shares :math:`w_s` of stones of sources *s* has class chances :math:`\sum_s w_s p_s` and a size
density :math:`\sum_s w_s f_s`. Its location holds the logits of the former and the log-moments of the latter; parcel
deviations of the parts average out, so its factor is :math:`\sum_s w_s^2 a_s`.

Unknown conditions are integrated over: the few that have few levels by summing, the last factor (many levels, such as
sorters) as part of *S*. A term that is the same for all sources is left out.

A batch of parcels has such evidence in every reading of its sizes: its `View`, all that is computed before any network.

References
----------
Aitchison and Dunsmore (1975), Statistical Prediction Analysis, ch. 2 (predictive t densities).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import Annotated

import numpy as np
from scipy.special import softmax

from kpfootprint.stats.arrays import Bools, Floats, Ints, ParcelArrays, rows_of
from kpfootprint.stats.categories import Lens, MeanSeen, completed, sets_seen
from kpfootprint.stats.networks import Network
from kpfootprint.stats.parcel_model import DEGREES_OF_FREEDOM, ParcelModel
from kpfootprint.stats.structure import Structure
from kpfootprint.stats.summaries import WINDOWS, Summaries, masked, summarise
from kpfootprint.stats.tables import TableModel

KNOWN_LEVEL_SHARE = 0.5
"""Part of a known level's variance that stays uncertain after the fit."""
NEAR = (1.0, 4.0, 9.0)
"""Multiples of the covariance of neighbours for unlisted sources near a listed one."""
FAR = (1.0, 2.5)
"""Multiples of the covariance of all sources for unlisted sources anywhere."""
BLOCK = 60_000
"""Numbers that are computed with at a time: sixty sources need no more memory than six."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictor:
    """Constants of the evidence, made once from a `ParcelModel`.

    Parameters
    ----------
    sources : ndarray of shape (Z, D)
        Locations of the listed sources.
    scales : ndarray of shape (Z,)
        1 and what is not known of each location, as a part of *S*.
    combinations : ndarray of shape (K, n_enumerated)
        Level combinations of the factors that are summed over.
    shifts : ndarray of shape (K, D)
        Their effects together.
    priors : tuple of ndarray
        Level frequencies of the summed factors.
    last : ndarray of shape (L, D)
        Effects of the last factor's levels.
    within, within_unknown : ndarray of shape (D, D)
        *S* where the last factor is known and where it is not.
    mean, between : ndarray of shape (D,) and (D, D)
        Location and covariance of sources that nobody has sampled.
    neighbours : ndarray of shape (D, D)
        Covariance of such sources about a listed one of the same geology.
    """

    sources: Annotated[Floats, "Z D"]
    scales: Annotated[Floats, "Z", "positive"]
    combinations: Annotated[Ints, "K F", "levels"]
    shifts: Annotated[Floats, "K D"]
    priors: Annotated[tuple[Floats, ...], "L", "chances"]
    last: Annotated[Floats, "N D"]
    within: Annotated[Floats, "D D", "covariance"]
    within_unknown: Annotated[Floats, "D D", "covariance"]
    mean: Annotated[Floats, "D"]
    between: Annotated[Floats, "D D", "spread"]
    neighbours: Annotated[Floats, "D D", "spread"]

    @classmethod
    def from_model(cls, model: ParcelModel, neighbours: Floats) -> Predictor:
        """Collect what the evidence needs; the covariance of all sources is shrunk half to its diagonal."""
        enumerated = model.levels[:-1]
        combos = np.array(list(product(*[range(len(level)) for level in enumerated])), dtype=np.intp)
        shifts = sum((level[combos[:, f]] for f, level in enumerate(enumerated)), np.zeros((len(combos), 1)))
        spread = np.diag(model.level_variances[-1])
        return cls(
            sources=model.groups,
            scales=1.0 + model.open_part,
            combinations=combos,
            shifts=shifts + np.zeros((len(combos), model.mean.size)),
            priors=model.level_priors[:-1],
            last=model.levels[-1],
            within=model.within + KNOWN_LEVEL_SHARE * spread,
            within_unknown=model.within + spread,
            mean=model.mean,
            between=0.5 * model.between + 0.5 * np.diag(np.diag(model.between)),
            neighbours=neighbours,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Whitened:
    """A batch of summaries turned into the axes in which *S* is the identity and *V* is diagonal.

    `position` (n, D), `axes` (n, D, D) with ``axes @ y`` the turned y, `noise` (n, D) the diagonal of *V*,
    `log_prior` (n, K) of the level combinations, `n_dims` (n,) the numbers that count; `lenses` of the parcels where
    they leave something open, and the `parcel` (n,) of each row.
    """

    position: Floats
    axes: Floats
    noise: Floats
    shifts: Floats
    log_prior: Floats
    n_dims: Floats
    lenses: tuple[Lens, ...] | None
    parcel: Ints | None

    def seen(self, locations: Floats) -> Floats:
        """Return sources (M, D) or (n, M, D) as the likelihood of each row sees them: the same where all is known."""
        if self.lenses is None or self.parcel is None:
            return locations
        each = np.broadcast_to(locations, (len(self.parcel), *locations.shape[-2:]))
        out, seen = np.empty(each.shape), dict[int, int]()
        for row, parcel in enumerate(self.parcel.tolist()):
            before = seen.setdefault(parcel, row)
            again = before < row and (locations.ndim == 2 or np.array_equal(each[before], each[row]))
            out[row] = out[before] if again else self.lenses[parcel].seen(each[row])
        return out

    def take(self, rows: Ints | slice) -> Whitened:
        """Return these rows."""
        return rows_of(self, rows, but=("lenses",))


def level_prior(predictor: Predictor, levels: Ints) -> Floats:
    """Return the log prior (n, K) of each level combination given the known levels (-inf where ruled out)."""
    prior = np.ones((levels.shape[0], len(predictor.combinations)))
    for f, frequency in enumerate(predictor.priors):
        code = levels[:, f : f + 1]
        level = predictor.combinations[:, f]
        prior *= np.where(code < 0, frequency[level], code == level)
    return np.log(np.maximum(prior, 1e-300))


def expected_shift(predictor: Predictor, levels: Ints) -> Floats:
    """Return the expected effect (n, D) of a parcel's conditions."""
    prior = np.exp(level_prior(predictor, levels))
    shift = prior @ predictor.shifts / prior.sum(axis=1, keepdims=True)
    last = levels[:, -1]
    out: Floats = shift + np.where((last >= 0)[:, None], predictor.last[np.maximum(last, 0)], 0.0)
    return out


def whiten(
    predictor: Predictor,
    estimates: Floats,
    errors: Floats,
    levels: Ints,
    n_dims: Floats,
    lenses: tuple[Lens, ...] | None = None,
) -> Whitened:
    """Diagonalise *V* against *S* for every reading: estimates (m, D), errors (m, D, D), levels (m, n_factors).

    With `lenses`, one for each parcel, readings are those of all parcels in turn.
    """
    last = levels[:, -1]
    known = last >= 0
    y = estimates.copy()
    if known.any():
        y[known] -= predictor.last[last[known]]
    roots = [np.linalg.inv(np.linalg.cholesky(s)) for s in (predictor.within_unknown, predictor.within)]
    root = np.stack(roots)[known.astype(np.intp)]
    noise, vectors = np.linalg.eigh(root @ errors @ root.transpose(0, 2, 1))
    axes = vectors.transpose(0, 2, 1) @ root
    return Whitened(
        position=(axes @ y[:, :, None])[:, :, 0],
        axes=axes,
        noise=np.maximum(noise, 0.0),
        shifts=predictor.shifts @ axes.transpose(0, 2, 1),
        log_prior=level_prior(predictor, levels),
        n_dims=n_dims,
        lenses=lenses,
        parcel=None if lenses is None else np.arange(len(estimates)) % len(lenses),
    )


def log_sum(values: Floats, axis: int = -1) -> Floats:
    """Return the log of the sum of exponentials over one axis."""
    top = values.max(axis=axis, keepdims=True)
    out: Floats = np.squeeze(np.log(np.exp(values - top).sum(axis=axis, keepdims=True)) + top, axis=axis)
    return out


def source_evidence(whitened: Whitened, locations: Floats, scales: Floats) -> tuple[Floats, Floats]:
    """Return log evidence (n, M) and squared distance (n, M) for M sources.

    Parameters
    ----------
    locations : ndarray of shape (M, D) or (n, M, D)
        Where each source predicts the parcel's numbers, the same for all parcels or one set for each.
    scales : ndarray of shape (M,) or (n, M)
        The factors *a* of each source.
    """
    seen = whitened.seen(locations)
    n, m, dim = len(whitened.position), seen.shape[-2], seen.shape[-1]
    scales = np.broadcast_to(scales, (n, m))
    evidence, distance = np.empty((n, m)), np.empty((n, m))
    for start in range(0, n, step := max(BLOCK // max(m * dim, 1), 1)):
        rows = slice(start, start + step)
        own = seen if seen.ndim == 2 else seen[rows]
        evidence[rows], distance[rows] = _of_sources(whitened.take(rows), own, scales[rows])
    return evidence, distance


def _of_sources(whitened: Whitened, seen: Floats, scales: Floats) -> tuple[Floats, Floats]:
    """Return evidence and squared distance of rows few enough for what is computed meanwhile to stay near at hand."""
    # sources come last in every array: numpy is slow along axes as short as the others
    delta = whitened.position[:, :, None] - whitened.axes @ np.swapaxes(seen, -1, -2)
    inverse = 1.0 / (whitened.noise[:, :, None] + scales[:, None, :])
    # squared distance for every level combination, expanded so that the largest array is (n, K, M)
    weighted = delta * inverse
    distance = (
        (weighted * delta).sum(axis=1)[:, None, :] - 2.0 * whitened.shifts @ weighted + whitened.shifts**2 @ inverse
    )
    distance = np.maximum(distance, 0.0)
    exponent = 0.5 * (DEGREES_OF_FREEDOM + whitened.n_dims)[:, None, None]
    log_det = 0.5 * np.log(inverse).sum(axis=1)
    logs = whitened.log_prior[:, :, None] - exponent * np.log1p(distance / DEGREES_OF_FREEDOM)
    possible = whitened.log_prior[:, :, None] > -600.0
    return log_sum(logs, axis=1) + log_det, np.where(possible, distance, np.inf).min(axis=1)


def unlisted_evidence(predictor: Predictor, whitened: Whitened) -> Floats:
    """Return log evidence (n, 5) for a source nobody has sampled: near a listed one (3) and anywhere (2)."""
    between, neighbours = (
        whitened.axes @ covariance @ whitened.axes.transpose(0, 2, 1)
        for covariance in (predictor.between, predictor.neighbours)
    )
    n, dim = whitened.position.shape
    sources, centre = whitened.seen(predictor.sources), whitened.seen(predictor.mean[None])
    exponent = 0.5 * (DEGREES_OF_FREEDOM + whitened.n_dims)[:, None, None]
    out = np.empty((n, len(NEAR) + len(FAR)))
    for column, multiple in enumerate((*NEAR, *FAR)):
        near = column < len(NEAR)
        locations = sources if near else centre
        scale = multiple * (neighbours if near else between)
        index = np.arange(dim)
        scale[:, index, index] += whitened.noise + 1.0
        root = np.linalg.inv(np.linalg.cholesky(scale))
        turned = root @ whitened.axes
        delta = (root @ whitened.position[:, :, None]) - turned @ np.swapaxes(locations, -1, -2)
        shift = whitened.shifts @ root.transpose(0, 2, 1)
        distance = (delta**2).sum(axis=1)[:, None, :] - 2.0 * shift @ delta
        distance = np.maximum(distance + (shift**2).sum(axis=2)[:, :, None], 0.0)
        log_det = np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
        logs = whitened.log_prior[:, :, None] - exponent * np.log1p(distance / DEGREES_OF_FREEDOM)
        out[:, column] = log_sum(logs.reshape(n, -1)) - np.log(locations.shape[-2]) + log_det
    return out


def expand(locations: Floats, structure: Structure) -> Floats:
    """Turn numbers (..., D) into quantities that blend linearly: two size moments and class chances."""
    mu, sigma = locations[..., 0], np.exp(locations[..., 1])
    parts = [mu[..., None], (mu**2 + sigma**2)[..., None]]
    for block, basis in zip(structure.blocks[1:], structure.bases, strict=True):
        parts.append(softmax(locations[..., block] @ basis.T, axis=-1))
    return np.concatenate(parts, axis=-1)


def contract(blended: Floats, structure: Structure) -> Floats:
    """Turn blended quantities back into numbers (..., D); the inverse of `expand` for a single source."""
    mu = blended[..., 0]
    sigma = np.sqrt(np.maximum(blended[..., 1] - mu**2, 1e-6))
    parts = [mu[..., None], np.log(sigma)[..., None]]
    start = 2
    for basis in structure.bases:
        chances = blended[..., start : start + basis.shape[0]]
        parts.append(np.log(np.maximum(chances, 1e-12)) @ basis)
        start += basis.shape[0]
    return np.concatenate(parts, axis=-1)


def blend_location(sources: Floats, declared: Floats, structure: Structure) -> Floats:
    """Return where blends (n, Z) of sources (..., Z, D) lie, as (..., n, D): a source alone just where it does."""
    single = declared.max(axis=1) > 1.0 - 1e-9
    blended = contract(declared @ expand(sources, structure), structure)
    return np.where(single[:, None], declared @ sources, blended)


def admixtures(declared: Floats, foreign: Floats, shares: Floats, structure: Structure) -> Floats:
    """Return the numbers of declared goods with a share of foreign ones.

    Parameters
    ----------
    declared : ndarray of shape (n, E)
        Expanded declared blends.
    foreign : ndarray of shape (Z, E)
        Expanded sources.
    shares : ndarray of shape (J,)
        Shares of stones.

    Returns
    -------
    ndarray of shape (n, J, Z, D)
    """
    mixed = (1.0 - shares)[None, :, None, None] * declared[:, None, None, :]
    mixed = mixed + shares[None, :, None, None] * foreign[None, None]
    return contract(mixed, structure)


SLOTS = ("as_recorded", "lower_open", "upper_open", "inner", "classes")
"""Readings of size: the four windows of `summarise`, and size left out (classes given size)."""
AS_RECORDED, CLASSES = 0, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceModel:
    """How parcels of each source look, as it was learnt: all that evidence rests on.

    Parameters
    ----------
    bands : ndarray of shape (n_size_classes,)
        Bands of size in which association is looked at.
    gate : Network, optional
        Which ends of a parcel's sizes can be trusted; without it every reading of the sizes is as likely.
    tables : TableModel, optional
        The second evidence; releases of format 2 have none.
    novelty_weight : float, optional
        How much distances by the tables count in strangeness; in releases up to format 6 not at all.
    """

    structure: Structure
    predictor: Predictor
    bands: Annotated[Ints, "S", "size classes"]
    gate: Annotated[Network | None, "W"] = None
    tables: TableModel | None = None
    novelty_weight: Annotated[float | None, "", "share"] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Summaries and evidence of a batch.

    Parameters
    ----------
    model : SourceModel
        What the evidence comes from.
    whitened : Whitened
        Of every slot and parcel, slot by slot: row ``slot * n + parcel``.
    listed, distance : ndarray of shape (n_slots, n, Z)
        Log evidence and squared distance for listed sources.
    unlisted : ndarray of shape (n_slots, n, 5)
        Log evidence for unlisted sources.
    n_dims : ndarray of shape (n_slots, n)
        Numbers of the parcel that count in each slot.
    """

    model: SourceModel
    arrays: ParcelArrays
    summaries: Summaries
    whitened: Whitened
    listed: Floats
    distance: Floats
    unlisted: Floats
    n_dims: Floats

    def take(self, rows: Ints) -> View:
        """Return these parcels (repeats allowed)."""
        n_slots, n = self.n_dims.shape
        whitened = self.whitened.take((np.arange(n_slots)[:, None] * n + rows).ravel())
        if self.whitened.lenses is not None:
            lenses = tuple(self.whitened.lenses[row] for row in rows)
            whitened = replace(whitened, lenses=lenses, parcel=np.tile(np.arange(len(rows)), n_slots))
        by_slot = {name: getattr(self, name)[:, rows] for name in ("listed", "distance", "unlisted", "n_dims")}
        kept = rows_of(self, rows, but=("model", "whitened", *by_slot))
        return replace(kept, whitened=whitened, **by_slot)


def dimensions(recorded: Bools, structure: Structure, told: Floats | None = None) -> Floats:
    """Return how many of a parcel's numbers count; `told` (n, 1 + A) where parcels tell less than all."""
    sizes = np.array([block.stop - block.start for block in structure.blocks], dtype=float)
    out: Floats = recorded @ sizes if told is None else (recorded * told).sum(axis=1)
    return out


def lenses_of(arrays: ParcelArrays, summaries: Summaries, model: SourceModel) -> tuple[Lens, ...] | None:
    """Return how each parcel sees sources, or None where all parcels are known whole."""
    partial = arrays.partial
    if partial is None:
        return None
    structure = model.structure
    conditions = expected_shift(model.predictor, arrays.levels)
    lenses = []
    for row in range(len(arrays)):
        seen = [
            sets_seen(partial, summaries.classes[a], row, a, structure)
            for a in range(len(structure.bases))
            if partial.has_sets(a)[row]
        ]
        mean = None
        if np.isfinite(partial.mean_ct[row]):
            kept = structure.kept(arrays.edge, arrays.top)[row : row + 1]
            mean = MeanSeen(theta=summaries.sizes[0].theta[row], kept=kept, grid=structure.grid)
        lenses.append(Lens(conditions=conditions[row], classes=tuple(seen), mean=mean))
    return tuple(lenses)


def _completed(arrays: ParcelArrays, summaries: Summaries) -> ParcelArrays:
    """Return the parcels with the stones of sets among their classes, as each parcel's own fit expects them."""
    partial = arrays.partial
    if partial is None:
        return arrays
    tables = [
        completed(exact, sets, fit.probabilities, members)
        for exact, sets, fit, members in zip(
            partial.exact, partial.sets, summaries.classes, partial.members, strict=True
        )
    ]
    return replace(arrays, tables=tuple(tables))


def view_of(arrays: ParcelArrays, model: SourceModel, summaries: Summaries | None = None) -> View:
    """Summarise a batch and compute its evidence in every slot.

    Parameters
    ----------
    summaries : Summaries, optional
        From `summarise`, where they are known already.

    Returns
    -------
    View
        Where size is not recorded, all slots agree.
    """
    structure, predictor = model.structure, model.predictor
    summaries = summarise(arrays, structure) if summaries is None else summaries
    n, n_slots = len(arrays), len(SLOTS)
    but_size = np.ones((n, len(structure.blocks)), dtype=bool)
    but_size[:, 0] = False
    classes, errors = masked(summaries, np.zeros(n, dtype=np.intp), np.arange(n), but_size, structure)
    told = None if arrays.partial is None else arrays.partial.dims
    n_dims = np.tile(dimensions(arrays.recorded, structure, told), (n_slots, 1))
    n_dims[CLASSES] -= (2.0 if told is None else told[:, 0]) * arrays.recorded[:, 0]
    whitened = whiten(
        predictor,
        np.concatenate([summaries.estimates.reshape(len(WINDOWS) * n, -1), classes]),
        np.concatenate([summaries.errors.reshape(len(WINDOWS) * n, *errors.shape[1:]), errors]),
        np.tile(arrays.levels, (n_slots, 1)),
        n_dims.ravel(),
        lenses_of(arrays, summaries, model),
    )
    listed, distance = source_evidence(whitened, predictor.sources, predictor.scales)
    return View(
        model=model,
        arrays=_completed(arrays, summaries),
        summaries=summaries,
        whitened=whitened,
        listed=listed.reshape(n_slots, n, -1),
        distance=distance.reshape(n_slots, n, -1),
        unlisted=unlisted_evidence(predictor, whitened).reshape(n_slots, n, -1),
        n_dims=n_dims,
    )
