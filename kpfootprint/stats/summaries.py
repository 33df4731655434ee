"""From counts to the numbers that describe a parcel, with the covariance of their error."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from kpfootprint.stats.arrays import Bools, Floats, Ints, ParcelArrays, rows_of
from kpfootprint.stats.categories import ClassFit, fit_classes, fit_coarse_classes, fit_margins, grader_shift
from kpfootprint.stats.structure import SizeFit, Structure, cell_probabilities, class_scores, class_weights

INNER = (0.12, 0.97)
"""The inner part of a parcel's own sizes: what lies strictly between these order statistics."""
WINDOWS = ((False, False), (True, False), (False, True), (True, True))
"""Ends of the sizes that are left out (lower, upper): none, one or both may have been taken out without a word."""
DOUBT = (0.2, 0.14)
"""Standard deviations added to (mu, ln sigma) where an end is left out: a soft sieve also bends what lies inside."""
BLUR = 0.25
"""Stones added to every class before asking what a grader may have done: chances of a class are never 0."""
MEAN_DOUBT = 0.05
"""Standard deviation of the log mean weight of a parcel beyond that of its stones: the tail is not quite lognormal."""
LEAST_FREE = 0.05
"""Part of the error of any direction that the ties between three attributes or more leave."""
FLAT = np.array([1e-6, 1e-4])
"""Information added to size and to class logits so that a parcel of one stone has a (huge) finite error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summaries:
    """Estimates of a parcel's numbers and their error covariances, in each of `WINDOWS`.

    Parameters
    ----------
    estimates : ndarray of shape (n_windows, n, D)
        The numbers; the windows differ in size alone.
    errors : ndarray of shape (n_windows, n, D, D)
        Their error covariances.
    sizes : tuple of SizeFit
        The fit of size in each window.
    classes : tuple of ClassFit
        The fit of each attribute.
    """

    estimates: Floats
    errors: Floats
    sizes: tuple[SizeFit, ...]
    classes: tuple[ClassFit, ...]

    def take(self, rows: Ints) -> Summaries:
        """Return these parcels (repeats allowed)."""
        kept = rows_of(self, rows, but=("estimates", "errors"))
        return replace(kept, estimates=self.estimates[:, rows], errors=self.errors[:, rows])


def window_cells(cells: Floats, window: tuple[bool, bool]) -> Floats | None:
    """Return 1 for the cells that count in a window and 0 for those left out, or None where all count.

    Left out are cells up to the lower, or from the upper, order statistic of `INNER`; four cells or more stay.
    """
    if not any(window):
        return None
    cumulated = cells.cumsum(axis=1)
    total = np.maximum(cumulated[:, -1:], 1e-12)
    position = np.arange(cells.shape[1])
    low = (cumulated > INNER[0] * total).argmax(axis=1) if window[0] else np.full(len(cells), -1)
    low = np.minimum(low, cells.shape[1] - 5)
    high = (cumulated >= INNER[1] * total).argmax(axis=1) if window[1] else np.full(len(cells), cells.shape[1])
    high = np.maximum(high, low + 5)
    counted: Floats = ((position > low[:, None]) & (position < high[:, None])).astype(float)
    return counted


def summarise(arrays: ParcelArrays, structure: Structure) -> Summaries:
    """Fit size and classes of every parcel and join them to one estimate with one error covariance.

    The errors of two attributes of the same stones hang together through their association; the block is
    ``I_a^-1 H_a' Cov(n_a, n_b) H_b I_b^-1`` (the sandwich form of two estimating equations on the same stones). What
    the parcel's grader does to all of its stones is added to the error of each attribute.

    Parameters
    ----------
    arrays : ParcelArrays
        The parcels. What is not `recorded` gets an error of 1e6, so it weighs nothing.
    structure : Structure
        What all parcels share.
    """
    n, dim, partial = len(arrays), structure.n_parameters, arrays.partial
    estimates, errors = np.zeros((n, dim)), np.zeros((n, dim, dim))
    fits: list[ClassFit] = []
    margins: list[Floats] = []
    for a, block in enumerate(structure.blocks[1:]):
        mean, precision = structure.class_prior_means[a], structure.class_prior_precisions[a]
        fit = _fit_attribute(arrays, structure, a)
        error = np.linalg.inv(fit.information + FLAT[1] * np.eye(mean.size))
        pull = (fit.theta - mean) @ precision
        if partial is not None and partial.has_sets(a).any():
            # where the likelihood says nothing there is nothing to take the prior out of
            pull = np.einsum("nij,njk,nk->ni", fit.information, error, pull)
        estimates[:, block] = fit.theta + (error @ pull[:, :, None])[:, :, 0]
        errors[:, block, block] = error
        fits.append(fit)
        by_size = arrays.tables[a].sum(axis=2)
        if partial is not None:
            by_size = by_size + partial.sets[a].sum(axis=2)
        margins.append((fit.probabilities * by_size[:, :, None]).sum(axis=1))
    for (a, b), association in zip(structure.pairs, structure.associations, strict=True):
        _tie(errors, arrays, structure, (a, b), association, (margins[a], margins[b]))
    if len(structure.pairs) > 1:
        loosen(errors, structure.blocks[1:])
    for margin, basis, block in zip(margins, structure.bases, structure.blocks[1:], strict=True):
        seen = margin + BLUR
        shift = grader_shift(seen / seen.sum(axis=1, keepdims=True), basis)
        errors[:, block, block] += shift[:, :, None] * shift[:, None, :]
    _forget(arrays.recorded[:, 1:], structure.blocks[1:], structure.class_prior_means, estimates, errors)

    all_estimates = np.repeat(estimates[None], len(WINDOWS), axis=0)
    all_errors = np.repeat(errors[None], len(WINDOWS), axis=0)
    sizes = _fit_windows(arrays, structure)
    uncounted = None if partial is None else _uncounted(arrays, structure, sizes[0])
    for window, size in enumerate(sizes):
        error = _covariance(size.information + FLAT[0] * np.eye(2))
        pull = (size.theta - structure.size_prior_mean) @ structure.size_prior_precision
        all_estimates[window, :, :2] = size.theta + (error @ pull[:, :, None])[:, :, 0]
        if uncounted is not None:
            error = uncounted[0] if window == 0 else error * uncounted[1][:, None, None]
        all_errors[window, :, :2, :2] = error + np.diag(np.square(DOUBT)) * any(WINDOWS[window])
        _forget(
            arrays.recorded[:, :1],
            structure.blocks[:1],
            (structure.size_prior_mean,),
            all_estimates[window],
            all_errors[window],
        )
    return Summaries(estimates=all_estimates, errors=all_errors, sizes=sizes, classes=tuple(fits))


def _fit_attribute(arrays: ParcelArrays, structure: Structure, a: int) -> ClassFit:
    partial, logits = arrays.partial, structure.logits_of(a)
    if partial is not None and partial.has_sets(a).any():
        return fit_coarse_classes(partial.exact[a], partial.sets[a], partial.members[a], logits)
    return fit_classes(arrays.tables[a], logits)


def _uncounted(arrays: ParcelArrays, structure: Structure, fit: SizeFit) -> tuple[Floats, Floats] | None:
    """Return errors (n, 2, 2) of sizes that were weighed and not counted, and how much wider (n,) they are for it.

    They are the sandwich of the equations that the fit solves, the numbers following from the weights.
    """
    partial = arrays.partial
    assert partial is not None
    if arrays.membership is None or not partial.spread.any():
        return None
    kept = structure.kept(arrays.edge, arrays.top)
    score = class_scores(structure.grid, fit.theta, kept, arrays.membership)
    flat = FLAT[0] * np.eye(2)
    turned = _inverse(fit.information + np.einsum("pkd,pke->pde", score, partial.slope) + flat)
    noise = fit.information + np.einsum("pk,pkd,pke->pde", partial.spread, score, score) + flat
    error = turned @ noise @ turned.transpose(0, 2, 1)
    counted = _covariance(fit.information + flat)
    widening = np.sqrt(np.maximum(np.linalg.det(error) / np.linalg.det(counted), 0.0))
    sound = np.isfinite(widening) & (widening >= 1.0)
    return np.where(sound[:, None, None], error, counted), np.where(sound, widening, 1.0)


def _inverse(information: Floats) -> Floats:
    """Return the inverses (n, d, d); where stones without number tell one direction alone, of what they tell."""
    try:
        found = np.linalg.inv(information)
    except np.linalg.LinAlgError:
        found = np.linalg.pinv(information) + FLAT[0] * np.eye(information.shape[-1])
    return np.asarray(found, dtype=np.float64)


def _covariance(information: Floats) -> Floats:
    """Return the covariances (n, d, d) of what informations tell, also where these are lopsided beyond rounding."""
    found = _inverse(information)
    wrong = np.diagonal(found, axis1=1, axis2=2).min(axis=1) <= 0
    if wrong.any():
        values, vectors = np.linalg.eigh(information[wrong])
        values = np.maximum(values, 1e-12 * values[:, -1:])
        found[wrong] = (vectors / values[:, None, :]) @ vectors.transpose(0, 2, 1)
    return found


def _fit_mean(arrays: ParcelArrays, structure: Structure) -> tuple[SizeFit, ...]:
    """Fit sizes of which the mean weight alone is known; where stones may have been taken out it says nothing."""
    assert arrays.partial is not None
    kept, grid = structure.kept(arrays.edge, arrays.top), structure.grid
    theta = np.tile(structure.size_prior_mean, (len(arrays), 1))
    precision = structure.size_prior_precision
    for _ in range(25):
        weights = class_weights(grid, theta, kept, np.ones((1, grid.n_cells)))
        slope = weights.slope[:, 0]
        certain = 1.0 / (weights.cv2[:, 0] / np.maximum(arrays.n_stones, 1.0) + MEAN_DOUBT**2)
        information = certain[:, None, None] * slope[:, :, None] * slope[:, None, :]
        rest = np.log(arrays.partial.mean_ct / weights.mean[:, 0])
        gradient = (certain * rest)[:, None] * slope - (theta - structure.size_prior_mean) @ precision
        step = np.linalg.solve(information + precision, gradient[:, :, None])[:, :, 0]
        theta = theta + np.clip(step, -0.6, 0.6)
    prior = np.tile(structure.size_prior_mean, (len(arrays), 1))
    nothing = SizeFit(prior, np.zeros_like(information), cell_probabilities(grid, prior, kept))
    return (SizeFit(theta, information, cell_probabilities(grid, theta, kept)), *(nothing for _ in WINDOWS[1:]))


def _fit_windows(arrays: ParcelArrays, structure: Structure) -> tuple[SizeFit, ...]:
    partial = arrays.partial
    if partial is not None and np.isfinite(partial.mean_ct).all():
        return _fit_mean(arrays, structure)
    kept = structure.kept(arrays.edge, arrays.top)
    cells = arrays.cells if partial is None else partial.sized
    fits = []
    for window in WINDOWS:
        inside = window_cells(cells, window)
        if arrays.coarse is not None and inside is None:
            fits.append(structure.sizes_of(arrays.coarse, kept, membership=arrays.membership))
        else:
            fits.append(structure.sizes_of(cells, kept, inside=inside))
    return tuple(fits)


def _tie(
    errors: Floats,
    arrays: ParcelArrays,
    structure: Structure,
    pair: tuple[int, int],
    association: Floats,
    margins: tuple[Floats, Floats],
) -> None:
    a, b = pair
    block_a, block_b = structure.blocks[1 + a], structure.blocks[1 + b]
    total_a, total_b = margins[0].sum(axis=1), margins[1].sum(axis=1)
    shared = np.minimum(total_a, total_b)
    scale = np.maximum(shared, 1e-9)
    share_a = margins[0] / np.maximum(total_a, 1e-9)[:, None]
    share_b = margins[1] / np.maximum(total_b, 1e-9)[:, None]
    joint = fit_margins(association, share_a, share_b)
    covariance = scale[:, None, None] * (joint - share_a[:, :, None] * share_b[:, None, :])
    contrast = structure.bases[a].T @ covariance @ structure.bases[b]
    cross = errors[:, block_a, block_a] @ contrast @ errors[:, block_b, block_b]
    together = (shared > 0) & arrays.recorded[:, 1 + a] & arrays.recorded[:, 1 + b]
    if arrays.partial is not None:
        together &= ~arrays.partial.has_sets(a) & ~arrays.partial.has_sets(b)
    cross *= together[:, None, None]
    errors[:, block_a, block_b] = cross
    errors[:, block_b, block_a] = cross.transpose(0, 2, 1)


def loosen(errors: Floats, blocks: tuple[slice, ...], least_free: float = LEAST_FREE) -> None:
    """Weaken, in place, the ties of parcels that leave less than `least_free` of some error, so that they can be had.

    Each pair of attributes is tied by itself, and what is expected of few stones need not agree among three, nor be
    possible where their classes are many.
    """
    free = np.zeros_like(errors)
    for block in blocks:
        free[:, block, block] = errors[:, block, block]
    inside = slice(blocks[0].start, blocks[-1].stop)
    root = np.linalg.inv(np.linalg.cholesky(free[:, inside, inside]))
    least = np.linalg.eigvalsh(root @ errors[:, inside, inside] @ root.transpose(0, 2, 1))[:, 0]
    wrong = np.flatnonzero(least < least_free)
    kept = ((1.0 - LEAST_FREE) / (1.0 - least[wrong]))[:, None, None]
    errors[wrong] = free[wrong] + kept * (errors[wrong] - free[wrong])


def residual(observed: Floats, expected: Floats) -> Floats:
    """Return Pearson residuals, clipped to nine and divided by three, as networks see them."""
    return np.clip((observed - expected) / np.sqrt(expected + 0.5), -9.0, 9.0) / 3.0


def masked(
    summaries: Summaries,
    window: Ints,
    rows: Ints,
    recorded: Bools,
    structure: Structure,
) -> tuple[Floats, Floats]:
    """Return estimates (m, D) and errors (m, D, D) of readings in which only `recorded` (m, 1 + A) attributes count.

    Parameters
    ----------
    window, rows : ndarray of shape (m,)
        Window and parcel of each reading.
    """
    estimates, errors = summaries.estimates[window, rows], summaries.errors[window, rows]
    means = (structure.size_prior_mean, *structure.class_prior_means)
    _forget(recorded, structure.blocks, means, estimates, errors)
    return estimates, errors


def _forget(
    recorded: Bools,
    blocks: tuple[slice, ...],
    means: tuple[Floats, ...],
    estimates: Floats,
    errors: Floats,
) -> None:
    if recorded.all():
        return
    for part, (block, mean) in enumerate(zip(blocks, means, strict=True)):
        rows = np.flatnonzero(~recorded[:, part])
        estimates[rows, block] = mean
        errors[rows, block, :] = 0.0
        errors[rows, :, block] = 0.0
        errors[rows, block, block] = 1e6 * np.eye(mean.size)
