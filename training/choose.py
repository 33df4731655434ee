"""What cross-validation says of how much the tables weigh beside the explicit model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from joblib import Parallel, delayed
from scipy.special import softmax

from kpfootprint.stats.arrays import Floats, Ints, ParcelArrays, n_alike
from kpfootprint.stats.calibration import Calibration, Cases, told_apart
from kpfootprint.stats.metrics import cllr, of_cases
from kpfootprint.stats.model import gate_of
from kpfootprint.stats.networks import Network
from kpfootprint.stats.parcel_model import N_ITERATIONS
from kpfootprint.stats.ranks import strange_parts
from kpfootprint.stats.selection import Evidence, average, fuse, pooled, slot_evidence, slots_of
from kpfootprint.stats.structure import Structure
from kpfootprint.stats.tables import listed_and_unlisted
from kpfootprint.stats.views import AS_RECORDED, view_of
from training.calibrate import scores_of
from training.config import EvidenceConfig
from training.folds import Split, fold_of_parcels, folds
from training.prepare import Fitted, Prepared, fit_model

BELIEVED = 0.2
"""Weight of the tables that is believed in before any parcel has been seen: about the best over real data sets."""

LEAST = 0.05
"""A weight below it is taken for none: it changes next to nothing, and costs a quarter of an examination."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Both kinds of evidence of n parcels, to be averaged with any weight.

    Parameters
    ----------
    listed, unlisted : ndarray of shape (n_slots, n, Z) and (n_slots, n, 5)
        Of the explicit model.
    tables : ndarray of shape (n_slots, n, Z + 1)
        Of the tables, the unlisted source last.
    gate : ndarray of shape (n, n_windows)
        Chance of each reading of the sizes.
    strange : ndarray of shape (2, n)
        Distance to the nearest zone by either, as in `kpfootprint.stats.ranks.strange_parts`.
    """

    listed: Floats
    unlisted: Floats
    tables: Floats
    gate: Floats
    strange: Floats

    def readings(self, table_weight: float, table_vote: float | None = None) -> Evidence:
        """Return the averaged evidence in every slot."""
        none = np.full(self.listed.shape[:2], np.nan)
        return pooled((self.listed, self.unlisted, none), (self.tables, none), table_weight, table_vote)

    def strangeness(self, table_weight: float) -> Floats:
        """Return the averaged distance (n,) to the nearest zone."""
        return average(self.strange[0], self.strange[1], table_weight)

    def evidence(self, table_weight: float, table_vote: float | None = None) -> Evidence:
        """Return the averaged evidence, marginalised over the readings of the sizes."""
        return fuse(self.readings(table_weight, table_vote), self.gate)


def candidates_of(fitted: Fitted, arrays: ParcelArrays) -> Candidates:
    """Compute both kinds of evidence of parcels; without a gate every reading of the sizes is as likely."""
    structure = fitted.structure
    view = view_of(arrays, fitted)
    gate = gate_of(view)
    return Candidates(
        listed=view.listed,
        unlisted=view.unlisted,
        tables=slots_of(listed_and_unlisted(fitted.tables, arrays, structure, 1.0)),
        gate=gate,
        strange=np.stack(strange_parts(view, gate[:, 0])),
    )


def held_out_candidates(
    prepared: Prepared,
    splits: Sequence[Split],
    gate: Network | None,
    *,
    prior: Floats | None = None,
    n_jobs: int = 1,
    n_iterations: int = N_ITERATIONS,
    structure: Structure | None = None,
) -> Candidates:
    """Return candidates of every prepared parcel, each under a fit to the other folds; `splits` test each once.

    The structure is learnt in each fold too, unless it is given.
    """

    def one(split: Split) -> Candidates:
        fitted = fit_model(prepared, split.train, prior=prior, n_iterations=n_iterations, structure=structure)
        return candidates_of(replace(fitted, gate=gate), prepared.arrays.take(split.test))

    parts = Parallel(n_jobs=n_jobs)(delayed(one)(split) for split in splits)
    back = np.argsort(np.concatenate([split.test for split in splits]), kind="stable")
    return Candidates(
        listed=np.concatenate([part.listed for part in parts], axis=1)[:, back],
        unlisted=np.concatenate([part.unlisted for part in parts], axis=1)[:, back],
        tables=np.concatenate([part.tables for part in parts], axis=1)[:, back],
        gate=np.concatenate([part.gate for part in parts])[back],
        strange=np.concatenate([part.strange for part in parts], axis=1)[:, back],
    )


def choose(candidates: Candidates, groups: Ints, n_stones: Floats, rows: Ints, settings: EvidenceConfig) -> float:
    """Return what held-out parcels say of the weight of the tables, after what is believed of it beforehand.

    Every parcel is declared as every zone, and H2 is every other zone and an unlisted one: no status of zones enters,
    so all reference parcels count. The costs (Cllr) are of evidence as recorded, calibrated. They are bits for each
    parcel, so n parcels turn a belief in weights into one proportional to itself times ``2 ** (-n * cost)``, and its
    mean is what is returned: the weight of least cost where parcels are many, next to the belief where they are few; 0
    where it is next to nothing.

    Parameters
    ----------
    groups, n_stones : ndarray of shape (n,)
        Of the parcels of the candidates.
    rows : ndarray
        Positions of parcels to choose by.

    References
    ----------
    Bissiri, Holmes and Walker (2016), A general framework for updating belief distributions, JRSS B 78, 1103-1130.
    """
    weights = np.array(settings.table_weights)
    costs = np.array(
        [
            _cost(slot_evidence(candidates.readings(weight), AS_RECORDED), groups, n_stones, rows, settings)
            for weight in settings.table_weights
        ]
    )
    chances = softmax(-rows.size * np.log(2.0) * costs - settings.pool_trust * (weights - BELIEVED) ** 2)
    mean = float(chances @ weights)
    return round(mean, 2) if mean >= LEAST else 0.0


def _cost(evidence: Evidence, groups: Ints, n_stones: Floats, rows: Ints, settings: EvidenceConfig) -> float:
    n, z = rows.size, evidence.listed.shape[1]
    weight = settings.unlisted_weight
    scores = [scores_of(evidence, rows, k, np.tile(1.0 - own, (n, 1)), weight) for k, own in enumerate(np.eye(z))]
    told = np.broadcast_to(told_apart(evidence.listed[rows], settings.offset_spread), n)
    cases = Cases(
        score=np.stack(scores, axis=1).ravel(),
        is_h1=(np.arange(z) == groups[rows, None]).ravel(),
        ln_n=np.log(np.repeat(n_stones[rows], z)),
        weight=np.repeat(1.0 / n_alike(groups[rows]), z),
        parcel=np.repeat(np.arange(n), z),
        told=np.repeat(told, z),
        share=np.ones(n * z),
    )
    log10_lr = Calibration.fit(cases, trust=settings.trust).apply(cases.score, cases.ln_n, cases.told)
    return of_cases(cllr, log10_lr, cases.is_h1, cases.weight)


INNER_FOLDS = 5
INNER_ITERATIONS = 8
INNER_SEED = 20260502


def choose_for(prepared: Prepared, gate: Network | None, settings: EvidenceConfig) -> float:
    """Choose by cross-validation inside the prepared parcels alone, as a measurement has to."""
    splits = splits_of(prepared, n_folds=INNER_FOLDS, seed=INNER_SEED)
    rows = np.flatnonzero(n_alike(prepared.groups) > 1)
    if rows.size == 0:
        return BELIEVED
    candidates = held_out_candidates(
        prepared, splits, gate, n_iterations=INNER_ITERATIONS, structure=prepared.structure
    )
    return choose(candidates, prepared.groups, prepared.arrays.n_stones, rows, settings)


def splits_of(prepared: Prepared, *, n_folds: int, seed: int) -> list[Split]:
    """Return the folds by parcel that calibration and the choice of evidence are learnt across.

    The only parcel of a zone is learnt from everywhere, so that every fit knows all zones.
    """
    names = [prepared.zone_ids[g] for g in prepared.groups]
    fold = fold_of_parcels(names, n_folds=min(n_folds, len(names)), seed=seed)
    alone = np.flatnonzero(n_alike(prepared.groups) == 1)
    return [replace(split, train=np.union1d(split.train, alone)) for split in folds(fold)]
