from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_t

from kpfootprint.stats.arrays import Floats, Ints
from kpfootprint.stats.evidence import FAR, NEAR, Predictor, Whitened, source_evidence, unlisted_evidence, whiten
from kpfootprint.stats.parcel_model import DEGREES_OF_FREEDOM

DIM, Z = 4, 5
NU = int(DEGREES_OF_FREEDOM)


def covariance(rng: np.random.Generator, scale: float) -> Floats:
    root = rng.normal(size=(DIM, DIM + 2))
    return np.asarray(scale * root @ root.T / DIM, dtype=np.float64)


def a_predictor(seed: int = 1) -> Predictor:
    """Two summed factors with two and three levels, and a last one with four."""
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(2, DIM)) * 0.5, rng.normal(size=(3, DIM)) * 0.5
    combinations = np.array([(a, b) for a in range(2) for b in range(3)], dtype=np.intp)
    within = covariance(rng, 0.5)
    return Predictor(
        sources=rng.normal(size=(Z, DIM)) * 2,
        scales=1 + 1 / rng.integers(5, 30, Z),
        combinations=combinations,
        shifts=first[combinations[:, 0]] + second[combinations[:, 1]],
        priors=(np.array([0.7, 0.3]), np.array([0.2, 0.5, 0.3])),
        last=rng.normal(size=(4, DIM)) * 0.4,
        within=within,
        within_unknown=within + 0.2 * np.eye(DIM),
        mean=np.zeros(DIM),
        between=covariance(rng, 2.0),
        neighbours=covariance(rng, 0.4),
    )


def a_batch(predictor: Predictor, levels: Ints, seed: int = 2) -> tuple[Floats, Floats, Whitened]:
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(len(levels), DIM)) * 2
    errors = np.array([covariance(rng, 0.3) for _ in levels])
    whitened = whiten(predictor, y, errors, levels, np.full(len(y), float(DIM)))
    return y, errors, whitened


def directly(predictor: Predictor, y: Floats, error: Floats, levels: Ints, locations: Floats, added: Floats) -> Floats:
    """Log density of each location with scale ``added`` (M, D, D) beside the error, summed over levels by hand."""
    known_last = levels[-1] >= 0
    out = np.zeros(len(locations))
    for m, (location, scale) in enumerate(zip(locations, added, strict=True)):
        total = 0.0
        for k, (a, b) in enumerate(predictor.combinations):
            weight = predictor.priors[0][a] if levels[0] < 0 else float(levels[0] == a)
            weight *= predictor.priors[1][b] if levels[1] < 0 else float(levels[1] == b)
            if weight:
                shift = predictor.shifts[k] + (predictor.last[levels[-1]] if known_last else 0.0)
                total += weight * float(multivariate_t.pdf(y, location + shift, scale + error, df=NU))
        out[m] = np.log(total)
    return out


LEVELS = np.array([[0, 2, 1], [1, 0, -1], [-1, 2, 3], [0, -1, 0], [-1, -1, -1]], dtype=np.intp)


def test_listed_sources_agree_with_scipy() -> None:
    predictor = a_predictor()
    y, errors, whitened = a_batch(predictor, LEVELS)
    evidence, distance = source_evidence(whitened, predictor.sources, predictor.scales)
    assert np.all(distance >= 0)
    for row, levels in enumerate(LEVELS):
        within = predictor.within if levels[-1] >= 0 else predictor.within_unknown
        theirs = directly(
            predictor, y[row], errors[row], levels, predictor.sources, predictor.scales[:, None, None] * within
        )
        np.testing.assert_allclose(evidence[row] - evidence[row, 0], theirs - theirs[0], atol=1e-8)


def test_unlisted_sources_agree_with_scipy_on_the_scale_of_listed_ones() -> None:
    predictor = a_predictor()
    y, errors, whitened = a_batch(predictor, LEVELS)
    listed, _ = source_evidence(whitened, predictor.sources, predictor.scales)
    unlisted = unlisted_evidence(predictor, whitened)
    for row, levels in enumerate(LEVELS):
        within = predictor.within if levels[-1] >= 0 else predictor.within_unknown
        first = directly(
            predictor, y[row], errors[row], levels, predictor.sources[:1], predictor.scales[:1, None, None] * within
        )
        for column, multiple in enumerate((*NEAR, *FAR)):
            near = column < len(NEAR)
            centres = predictor.sources if near else predictor.mean[None]
            scale = within + multiple * (predictor.neighbours if near else predictor.between)
            parts = directly(predictor, y[row], errors[row], levels, centres, np.stack([scale] * len(centres)))
            theirs = np.log(np.exp(parts).mean())
            assert unlisted[row, column] - listed[row, 0] == pytest.approx(theirs - first[0], abs=1e-8)


def test_the_squared_distance_is_that_of_mahalanobis_where_levels_are_known() -> None:
    predictor = a_predictor()
    y, errors, whitened = a_batch(predictor, LEVELS)
    distance = source_evidence(whitened, predictor.sources, predictor.scales)[1][0]
    k = int(np.flatnonzero((predictor.combinations == [0, 2]).all(axis=1))[0])
    for source in range(Z):
        gap = y[0] - predictor.sources[source] - predictor.shifts[k] - predictor.last[1]
        scale = predictor.scales[source] * predictor.within + errors[0]
        assert distance[source] == pytest.approx(gap @ np.linalg.solve(scale, gap), rel=1e-8)


def test_the_gaussian_limit_agrees_with_importance_sampling() -> None:
    """The evidence with a scale integrated over: a t is a normal whose precision is gamma distributed."""
    predictor = a_predictor()
    levels = np.array([[0, 0, 0]], dtype=np.intp)
    _, _, whitened = a_batch(predictor, levels, seed=5)
    evidence, distance = source_evidence(whitened, predictor.sources, predictor.scales)
    rng = np.random.default_rng(3)
    precision = rng.gamma(NU / 2, 2 / NU, 400_000)
    logs = np.array([np.log(np.mean(precision ** (DIM / 2) * np.exp(-0.5 * precision * d))) for d in distance[0]])
    log_det = -0.5 * np.log(whitened.noise[0] + predictor.scales[:, None]).sum(axis=1)
    near = distance[0] < 40  # beyond, hardly any draw weighs
    assert near.sum() >= 2
    ours, theirs = evidence[0, near], (logs + log_det)[near]
    np.testing.assert_allclose(ours - ours[0], theirs - theirs[0], atol=0.05)


def test_a_far_source_changes_no_evidence_and_hardly_a_posterior() -> None:
    predictor = a_predictor()
    far = replace(
        predictor,
        sources=np.vstack([predictor.sources, np.full(DIM, 60.0)]),
        scales=np.append(predictor.scales, 1.1),
    )
    _, _, whitened = a_batch(predictor, LEVELS)
    before, _ = source_evidence(whitened, predictor.sources, predictor.scales)
    after, _ = source_evidence(whitened, far.sources, far.scales)
    np.testing.assert_allclose(after[:, :Z], before, atol=1e-10)
    posterior = np.exp(after - after.max(axis=1, keepdims=True))
    assert np.all(posterior[:, Z] / posterior.sum(axis=1) < 1e-4)


def test_order_of_parcels_and_of_sources_moves_nothing() -> None:
    predictor = a_predictor()
    _, _, whitened = a_batch(predictor, LEVELS)
    evidence, _ = source_evidence(whitened, predictor.sources, predictor.scales)
    order, sources = np.array([3, 0, 4, 1, 2]), np.array([4, 2, 0, 1, 3])
    other, _ = source_evidence(whitened.take(order), predictor.sources[sources], predictor.scales[sources])
    np.testing.assert_allclose(other, evidence[order][:, sources], atol=1e-12)


def test_numbers_that_weigh_nothing_say_nothing() -> None:
    """An error of a million in one number gives the evidence of the others alone."""
    predictor = a_predictor()
    rng = np.random.default_rng(8)
    y, error, levels = rng.normal(size=(1, DIM)), covariance(rng, 0.3)[None], np.array([[0, 0, 0]], dtype=np.intp)
    error[:, 0, :] = error[:, :, 0] = 0.0
    error[:, 0, 0] = 1e6
    dims = np.array([DIM - 1.0])
    whitened = whiten(predictor, y, error, levels, dims)
    evidence, _ = source_evidence(whitened, predictor.sources, predictor.scales)
    theirs = [
        multivariate_t.logpdf(
            y[0, 1:],
            (source + predictor.shifts[0] + predictor.last[0])[1:],
            (scale * predictor.within + error[0])[1:, 1:],
            df=NU,
        )
        for source, scale in zip(predictor.sources, predictor.scales, strict=True)
    ]
    np.testing.assert_allclose(evidence[0] - evidence[0, 0], np.array(theirs) - theirs[0], atol=1e-3)
