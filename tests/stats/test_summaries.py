from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kpfootprint.stats import simulate, summaries
from kpfootprint.stats.arrays import ParcelArrays
from kpfootprint.stats.categories import grader_shift
from kpfootprint.stats.learning import blank_structure, learn_structure
from kpfootprint.stats.simulate import Parts, Recovery, draw_parcels
from kpfootprint.stats.structure import Structure
from kpfootprint.stats.summaries import WINDOWS, Summaries, summarise, window_cells
from tests.reference_world import draw, fitted


def one_kind(structure: Structure, n: int, n_stones: int, seed: int) -> ParcelArrays:
    """Draw parcels that have the very same numbers, so that estimates differ by their errors alone."""
    numbers = np.tile(fitted().predictor.sources[0], (n, 1))
    edge = np.full(n, float(np.median(fitted().edges)))
    return draw_parcels(
        structure,
        Parts(parcel=np.arange(n), n_stones=np.full(n, n_stones), numbers=numbers),
        Recovery.whole(edge),
        shown_edge=edge,
        shown_levels=np.zeros((n, 3), dtype=np.intp),
        rng=np.random.default_rng(seed),
    )


@pytest.fixture(scope="module")
def alike() -> Summaries:
    return plainly_graded(one_kind(fitted().structure, 1500, 900, 5))


def plainly_graded(arrays: ParcelArrays) -> Summaries:
    """Summarise parcels as if graders never confused two classes: those of `one_kind` were drawn so."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summaries, "grader_shift", lambda chances, basis: np.zeros((len(chances), basis.shape[1])))
        return summarise(arrays, fitted().structure)


@pytest.mark.slow
def test_errors_agree_with_the_spread_of_estimates(alike: Summaries) -> None:
    stated = alike.errors[0].mean(axis=0)
    found = np.cov(alike.estimates[0].T)
    # 1,500 parcels: a variance has a relative error of 4 %; estimates of 900 stones are not quite normal
    np.testing.assert_allclose(np.diag(found) / np.diag(stated), 1.0, atol=0.3)


def test_errors_of_two_attributes_hang_together_as_estimates_do(alike: Summaries) -> None:
    _, first, second = fitted().structure.blocks[:3]
    deviation = np.sqrt(np.diag(alike.errors[0].mean(axis=0)))
    stated = (alike.errors[0].mean(axis=0) / np.outer(deviation, deviation))[first, second]
    found = np.corrcoef(alike.estimates[0].T)[first, second]
    assert np.abs(stated).max() > 0.05
    assert np.corrcoef(stated.ravel(), found.ravel())[0, 1] > 0.8
    np.testing.assert_allclose(found, stated, atol=0.15)


def test_estimates_of_many_stones_are_where_the_goods_are(monkeypatch: pytest.MonkeyPatch) -> None:
    # drawn from joint tables that have converged, so that what is tested is the fit (see test_simulate)
    monkeypatch.setattr(simulate, "N_SWEEPS", 40)
    structure = fitted().structure
    found = summarise(one_kind(structure, 300, 20_000, 7), structure)
    error = np.sqrt(np.diag(found.errors[0].mean(axis=0)))
    bias = (found.estimates[0].mean(axis=0) - fitted().predictor.sources[0]) / error
    assert np.abs(bias).max() < 0.4
    assert np.median(np.abs(bias)) < 0.15


def test_errors_fall_with_the_number_of_stones() -> None:
    structure = fitted().structure
    few, many = (plainly_graded(one_kind(structure, 60, n, 6)).errors[0].mean(axis=0) for n in (300, 2400))
    ratio = np.diag(few) / np.diag(many)
    assert ratio.min() > 2.5
    assert np.median(ratio) == pytest.approx(8.0, rel=0.3)


def test_what_a_grader_may_have_done_stays_however_many_stones() -> None:
    structure = fitted().structure
    for n_stones in (300, 2400):
        parcels = one_kind(structure, 60, n_stones, 6)
        more = summarise(parcels, structure).errors[0] - plainly_graded(parcels).errors[0]
        fits = zip(summarise(parcels, structure).classes, parcels.tables, strict=True)
        for block, basis, (fit, table) in zip(structure.blocks[1:], structure.bases, fits, strict=True):
            margin = (fit.probabilities * table.sum(axis=2, keepdims=True)).sum(axis=1)
            chances = (margin + summaries.BLUR) / (margin + summaries.BLUR).sum(axis=1, keepdims=True)
            shift = grader_shift(chances, basis)
            np.testing.assert_allclose(more[:, block, block], shift[:, :, None] * shift[:, None, :], atol=1e-12)
        assert np.abs(more[:, :2]).max() == 0


def test_error_covariances_are_covariances() -> None:
    arrays, _ = draw("mixed", 100, seed=8)
    errors = summarise(arrays, fitted().structure).errors
    np.testing.assert_allclose(errors, errors.transpose(0, 1, 3, 2), rtol=1e-6, atol=1e-9)
    assert np.linalg.eigvalsh(errors).min() > 0


def test_windows_change_size_alone_and_leave_out_what_they_say() -> None:
    arrays, _ = draw("listed", 40, seed=9)
    found = summarise(arrays, fitted().structure)
    for window in range(1, len(WINDOWS)):
        np.testing.assert_array_equal(found.estimates[window][:, 2:], found.estimates[0][:, 2:])
    inside = [window_cells(arrays.cells, window) for window in WINDOWS]
    assert inside[0] is None
    low, high, both = inside[1:]
    assert low is not None
    assert high is not None
    assert both is not None
    assert low[:, -1].all()
    assert high[:, 0].all()
    assert not both[:, 0].any()
    assert not both[:, -1].any()
    np.testing.assert_array_equal(both <= low, True)
    assert (both.sum(axis=1) >= 4).all()


@pytest.mark.parametrize("attribute", [0, 1, 2])
def test_what_is_not_recorded_has_no_say(attribute: int) -> None:
    structure = fitted().structure
    arrays, _ = draw("listed", 30, seed=10)
    recorded = arrays.recorded.copy()
    recorded[:, attribute] = False
    found, whole = summarise(replace(arrays, recorded=recorded), structure), summarise(arrays, structure)
    block = structure.blocks[attribute]
    kept = np.setdiff1d(np.arange(structure.n_parameters), np.arange(structure.n_parameters)[block])
    assert np.diagonal(found.errors, axis1=2, axis2=3)[..., block].min() >= 1e6
    np.testing.assert_array_equal(found.errors[:, :, block][..., kept], 0.0)
    np.testing.assert_array_equal(found.estimates[..., kept], whole.estimates[..., kept])


def test_arrays_are_not_written_to() -> None:
    arrays, _ = draw("listed", 5, seed=11)
    for array in (arrays.cells, *arrays.tables, *arrays.pairs, arrays.edge, arrays.top, arrays.levels, arrays.recorded):
        array.setflags(write=False)
    summarise(arrays, fitted().structure)


def test_each_parcel_is_summarised_as_if_alone() -> None:
    structure = fitted().structure
    arrays = one_kind(structure, 3, 300, 8)
    together = summarise(arrays, structure)
    for row in range(3):
        alone = summarise(arrays.take(np.array([row])), structure)
        np.testing.assert_allclose(alone.estimates[:, 0], together.estimates[:, row], rtol=1e-10, atol=1e-12)


def test_ties_of_three_attributes_or_more_are_a_covariance() -> None:
    """Each pair is tied by itself: of few stones, what pairs say may contradict each other."""
    rng = np.random.default_rng(12)
    n, classes = 40, (6, 6, 6, 6)
    structure = blank_structure(np.array([0.0, 0.1, 0.3, 1.0, 5.0]), classes)
    kinds = rng.dirichlet(np.full(3, 0.5), n)
    tables, pairs = [np.zeros((n, 4, c)) for c in classes], [np.zeros((n, 6, 6)) for _ in structure.pairs]
    for p in range(n):
        # goods of three kinds, each with a class of its own in every attribute: ties are as strong as can be
        codes = [2 * rng.choice(3, 20, p=kinds[p]) + (rng.random(20) < 0.1) for _ in classes]
        codes = [np.where(rng.random(20) < 0.8, codes[0], own) for own in codes]
        for table, own in zip(tables, codes, strict=True):
            np.add.at(table[p], (rng.integers(0, 4, 20), own), 1)
        for pair, (a, b) in zip(pairs, structure.pairs, strict=True):
            np.add.at(pair[p], (codes[a], codes[b]), 1)
    cells = np.zeros((n, structure.grid.n_cells))
    for row in cells:
        np.add.at(row, rng.integers(0, structure.grid.n_cells, 20), 1)
    arrays = ParcelArrays(
        cells=cells,
        tables=tuple(tables),
        pairs=tuple(pairs),
        edge=np.full(n, np.nan),
        top=np.full(n, np.inf),
        levels=np.full((n, 1), -1),
        recorded=np.ones((n, 5), dtype=bool),
    )
    learnt = learn_structure(structure, arrays)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summaries, "loosen", lambda *_: None)
        assert np.linalg.eigvalsh(summarise(arrays, learnt).errors[0]).min() < 0.0
    found = summarise(arrays, learnt)
    assert np.linalg.eigvalsh(found.errors[0]).min() > 0.0
