"""What is learnt from parcels drawn from the fitted model, and from reference parcels sieved or left out in turn."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from joblib import delayed
from numpy.typing import NDArray
from scipy.special import ndtr, softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from kpfootprint.stats.arrays import Bools, Floats, Ints, ParcelArrays, joined, n_alike
from kpfootprint.stats.declarations import association_statistic, declared_evidence, foreign_sources
from kpfootprint.stats.evidence import view_of
from kpfootprint.stats.model import Look, gate_features, gate_of, look, own_statistic, share_features
from kpfootprint.stats.networks import Network
from kpfootprint.stats.ranks import RankTable, strangeness
from kpfootprint.stats.shares import AS_DECLARED, share_bins
from kpfootprint.stats.structure import SizeGrid
from kpfootprint.stats.summaries import WINDOWS
from training.config import FitConfig
from training.folds import Split
from training.prepare import Fitted, Prepared
from training.progress import side_by_side
from training.rank import Ranked, ShareNetworks
from training.scenarios import Truth, ends_taken
from training.simulate import HIGH_CUTS, LOW_CUTS, Urn, shares_taken, simulate, widths_of_cuts

OF_REFERENCE = 0.5
"""Share of the parcels that the gate learns from which are reference parcels, whole or with sizes taken out."""
BLOCK = 500
"""Parcels that are looked at together."""


def _gate_view(arrays: ParcelArrays, truth: Truth, *, fitted: Fitted) -> tuple[Floats, Ints]:
    label = truth.cut_low.astype(np.intp) + 2 * truth.cut_high.astype(np.intp)
    return gate_features(view_of(arrays, fitted)).astype(np.float32), label


def fit_gate(urn: Urn, arrays: ParcelArrays, groups: Ints, config: FitConfig, seed: np.random.SeedSequence) -> Network:
    """Fit the gate: which ends of a parcel's sizes can be trusted.

    Parameters
    ----------
    arrays, groups : ParcelArrays and ndarray of shape (n_parcels,)
        Reference parcels and their zones: `OF_REFERENCE` of what the gate sees are copies of these.
    """
    scenario = replace(config.scenario, kinds=(0.6, 0.1, 0.1, 0.1, 0.1, 0.0, 0.0), sieved=0.6)
    one = partial(_gate_view, fitted=urn.fitted)
    n = config.n_simulated // 3
    n_copies = int(OF_REFERENCE * n)
    (features, labels), _ = simulate(one, urn, scenario, n=n - n_copies, seed=seed)
    rng, grid = np.random.default_rng(seed.spawn(1)[0]), urn.fitted.structure.grid
    copies, of_copies = sieved_copies(arrays, groups, grid, n=n_copies, sieved=scenario.sieved, rng=rng)
    blocks = np.split(np.arange(len(copies)), range(BLOCK, len(copies), BLOCK))
    seen = [gate_features(view_of(copies.take(rows), urn.fitted)).astype(np.float32) for rows in blocks]
    features, labels = np.concatenate([features, *seen]), np.concatenate([labels, of_copies])
    return fit_network(features, labels, n_classes=len(WINDOWS), hidden=config.gate_hidden, config=config)


def _look(arrays: ParcelArrays, truth: Truth, fitted: Fitted) -> tuple[Look, Floats, Floats]:
    """Return parcels under their declarations, with their features under these and under those that suit best."""
    looked = look(fitted, arrays, truth.declared)
    features = share_features(looked, truth.allowed)
    goods = share_features(looked.at_best(np.arange(len(arrays)), truth.allowed), truth.allowed)
    return looked, features.astype(np.float32), goods.astype(np.float32)


def _share_view(arrays: ParcelArrays, truth: Truth, *, fitted: Fitted) -> tuple[Floats, Floats]:
    return _look(arrays, truth, fitted)[1:]


def fit_share_networks(urn: Urn, config: FitConfig, seed: np.random.SeedSequence) -> ShareNetworks:
    """Fit the networks of undeclared shares, under what was declared and under the declaration that suits best.

    Under the latter it does not count whether goods are as declared, only whether any were not compliant.
    """
    one = partial(_share_view, fitted=urn.fitted)
    looks, truth = simulate(one, urn, config.scenario, n=config.n_simulated, seed=seed)
    edges = share_bins()
    fit = partial(fit_network, n_classes=edges.size - 1, hidden=config.hidden, config=config)
    shown = (np.where(truth.as_declared, AS_DECLARED, truth.share), truth.share)
    shares, goods = side_by_side(
        [
            delayed(fit)(features, (np.searchsorted(edges, share, side="right") - 1).astype(np.intp))
            for features, share in zip(looks, shown, strict=True)
        ],
        n_jobs=urn.n_jobs,
    )
    return ShareNetworks(shares=shares, goods=goods)


def rank_view(arrays: ParcelArrays, truth: Truth, *, fitted: Fitted, networks: ShareNetworks) -> Ranked:
    """Return what ranks are made of from one chunk of simulated parcels."""
    looked, features, best = _look(arrays, truth, fitted)
    return Ranked(
        ln_n=looked.ln_n,
        chances=networks.shares.probabilities(features),
        best_chances=networks.goods.probabilities(best),
        association=association_statistic(looked.weighed, foreign_sources(truth.declared, truth.allowed)),
        own=own_statistic(softmax(looked.evidence.listed, axis=1)[np.arange(len(arrays)), truth.home.argmax(axis=1)]),
    )


def _novelty_view(arrays: ParcelArrays, truth: Truth, *, fitted: Fitted) -> tuple[Floats, Floats]:
    view = view_of(arrays, fitted)
    _, distance = declared_evidence(view, truth.declared)
    return strangeness(view, gate_of(view)[:, 0], distance, truth.declared), np.log(arrays.n_stones)


def fit_novelty(urn: Urn, config: FitConfig, seed: np.random.SeedSequence) -> RankTable:
    """Rank strangeness among true declarations, whole in size and with tails as they were learnt."""
    scenario = replace(config.scenario, kinds=(0.7, 0.0, 0.0, 0.3, 0.0, 0.0, 0.0), sieved=0.0)
    one = partial(_novelty_view, fitted=urn.fitted)
    (strange, ln_n), _ = simulate(one, urn, scenario, n=config.n_ranked // 2, seed=seed)
    return RankTable.from_calibration(strange, ln_n)


def fit_network(
    features: NDArray[np.floating], labels: Ints, *, n_classes: int, hidden: tuple[int, ...], config: FitConfig
) -> Network:
    """Fit a classifier in stages of falling learning rate, as the settings have them.

    Parameters
    ----------
    features : ndarray of shape (n, F)
        Inputs; they are centred, scaled and clipped as `Network.standardise` does.
    labels : ndarray of shape (n,)
        Classes 0 to ``n_classes - 1``; a class that does not occur gets chance 0.
    """
    location = features.mean(axis=0).astype(np.float32)
    scale = np.maximum(features.std(axis=0), 1e-3).astype(np.float32)
    empty = Network(location=location, scale=scale, weights=(), biases=())
    inputs = empty.standardise(features)
    estimator = MLPClassifier(
        hidden,
        alpha=config.penalty,
        batch_size=min(config.batch, len(labels)),
        tol=0.0,
        random_state=config.seed % 2**31,
        warm_start=True,
    )
    with warnings.catch_warnings(), threadpool_limits(1):  # threads that wait for a busy core cost more than they bring
        warnings.simplefilter("ignore", ConvergenceWarning)  # the number of passes is set, not found
        for rate, passes in config.stages:
            estimator.set_params(learning_rate_init=rate, max_iter=passes)
            estimator.fit(inputs, labels)
    weights = [weight.astype(np.float32) for weight in estimator.coefs_]
    biases = [bias.astype(np.float32) for bias in estimator.intercepts_]
    present = np.asarray(estimator.classes_, dtype=np.intp)
    last = np.zeros((weights[-1].shape[0], n_classes), dtype=np.float32)
    final = np.full(n_classes, -60.0, dtype=np.float32)
    if present.size == 2 and weights[-1].shape[1] == 1:
        last[:, present[1]], final[present] = weights[-1][:, 0], np.array([0.0, biases[-1][0]])
    else:
        last[:, present], final[present] = weights[-1], biases[-1]
    return Network(location=location, scale=scale, weights=(*weights[:-1], last), biases=(*biases[:-1], final))


LEAST_SHOWN = 0.5
"""At least this share of a parcel's stones is shown: the parcel is never twice the same."""


def sieved_copies(
    arrays: ParcelArrays, groups: Ints, grid: SizeGrid, *, n: int, sieved: float, rng: np.random.Generator
) -> tuple[ParcelArrays, Ints]:
    """Return `n` copies of parcels, zones alike often, with the position in `WINDOWS` of what was taken out of each.

    Sizes of real goods are not lognormal. A gate that has seen nothing but parcels drawn from the model takes their
    shape for a sign that sizes were taken out, and sizes then hardly count.

    Only sizes are shown. Stones are drawn without replacement; the cuts are those of simulated parcels.

    Parameters
    ----------
    groups : ndarray of shape (n_parcels,)
        Zone of each parcel.
    sieved : float
        Share of copies with sizes taken out.
    """
    weight = 1.0 / n_alike(groups)
    row = rng.choice(len(arrays), n, p=weight / weight.sum())
    low, high = ends_taken(sieved, n, rng)
    cells = np.rint(arrays.cells[row]).astype(np.intp)
    shown = rng.uniform(LEAST_SHOWN, 1.0, (n, 1)) * _kept(cells, grid, low, high, rng)
    cells = rng.binomial(cells, shown).astype(np.float64)
    used = cells.sum(axis=1) > 0
    copies = arrays.take(row[used])
    recorded = np.zeros_like(copies.recorded)
    recorded[:, 0] = True
    copies = replace(
        copies,
        cells=cells[used],
        tables=tuple(np.zeros_like(table) for table in copies.tables),
        pairs=tuple(np.zeros_like(pair) for pair in copies.pairs),
        recorded=recorded,
    )
    return copies, (low.astype(np.intp) + 2 * high.astype(np.intp))[used]


def _kept(cells: Ints, grid: SizeGrid, low: Bools, high: Bools, rng: np.random.Generator) -> Floats:
    """Return the chance (n, n_cells) that a stone was left in the parcel."""
    n = len(cells)
    cumulated = cells.cumsum(axis=1) / np.maximum(cells.sum(axis=1, keepdims=True), 1)
    taken = shares_taken(n, rng)
    kept = np.ones(cells.shape)
    for active, quantiles, sign in ((low, LOW_CUTS, 1.0), (high, HIGH_CUTS, -1.0)):
        at = rng.uniform(*quantiles, n)
        position = grid.centres[(cumulated >= at[:, None]).argmax(axis=1)]
        width = widths_of_cuts((n,), rng)
        inside = sign * (grid.centres - position[:, None]) / width[:, None]
        kept *= np.where(active[:, None], 1.0 - taken[:, None] * ndtr(-inside), 1.0)
    return kept


def seen_in_turn(
    prepared: Prepared, turns: Sequence[tuple[Split, Fitted]], networks: ShareNetworks, *, kept: Ints, n_jobs: int
) -> Ranked:
    """Return what the networks see of the parcels at `kept`, each declared as its zone and by the fit without it."""

    def one(split: Split, fitted: Fitted) -> Ranked:
        rows = np.intersect1d(split.test, kept)
        return rank_view(prepared.arrays.take(rows), _true(prepared, rows), fitted=fitted, networks=networks)

    tasks = [delayed(one)(split, fitted) for split, fitted in turns if np.isin(split.test, kept).any()]
    out: Ranked = joined(side_by_side(tasks, n_jobs=n_jobs))
    return out


def _true(prepared: Prepared, rows: Ints) -> Truth:
    """Return the true declaration of parcels, on a day on which their zone was compliant, if there was one."""
    own, n_zones = prepared.groups[rows], len(prepared.zone_ids)
    declared = np.eye(n_zones)[own]
    allowed = prepared.allowed_sets[(prepared.allowed_sets[:, own] > 0).argmax(axis=0)] > 0
    return Truth.of_home("listed", declared, own, 0.0, allowed | (declared > 0))
