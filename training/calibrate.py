"""What is learnt from parcels left out in turn: how much the tables weigh beside the model, and the calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import partial

import numpy as np
from joblib import Parallel, delayed
from scipy.special import softmax

from kpfootprint.stats.arrays import Bools, Floats, Ints, ParcelArrays, n_alike
from kpfootprint.stats.calibration import Calibration, Cases, told_apart
from kpfootprint.stats.evidence import AS_RECORDED, view_of
from kpfootprint.stats.metrics import cllr, of_cases
from kpfootprint.stats.model import Evidence, average, fuse, gate_of, log10_score, pooled, slot_evidence, slots_of
from kpfootprint.stats.networks import Network
from kpfootprint.stats.parcel_model import N_ITERATIONS
from kpfootprint.stats.ranks import strange_parts
from kpfootprint.stats.structure import Structure
from kpfootprint.stats.summaries import summarise
from kpfootprint.stats.tables import listed_and_unlisted
from training.config import EvidenceConfig
from training.folds import Split, fold_of_parcels, folds
from training.prepare import Fitted, Prepared, fit_model, turned_round


def scores_of(
    evidence: Evidence, parcels: Ints, zones: Ints | int, alternatives: Floats, unlisted_weight: float
) -> Floats:
    """Return log10 scores (n,) of parcels declared as zones, by position; `alternatives` (n, Z) weigh those of H2."""
    listed, unlisted = evidence.listed[parcels], evidence.unlisted[parcels]
    asked = Evidence(listed=listed, unlisted=unlisted, declared=evidence.listed[parcels, zones])
    return log10_score(asked, alternatives, unlisted_weight)


def declared_cases(prepared: Prepared, evidence: Evidence, kept: Bools, settings: EvidenceConfig) -> Cases:
    """Return the cases of the sets of compliant zones that there were, and beside them those of the sets turned round.

    Had the other zones been compliant, the question would be one of the same kind, and every parcel has an answer of
    known truth to it as well. That it calibrates alike is believed to the worth of some parcels.
    """
    sets = prepared.allowed_sets > 0
    asked = cases_of_sets(prepared, evidence, kept, settings, sets)
    turned = turned_round(sets)
    share = turned_share(settings.turned, int(kept.sum()))
    if not share or not possible(prepared.groups[kept], turned):
        return asked
    return beside(asked, cases_of_sets(prepared, evidence, kept, settings, turned), share)


def turned_share(turned: float, n_parcels: int) -> float:
    """Return what a parcel counts for under the question turned round, believed in to the worth of `turned` parcels."""
    return turned / (turned + n_parcels)


def possible(groups: Ints, sets: Bools) -> bool:
    """Return whether parcels of these zones give cases of both hypotheses under these sets (n, Z)."""
    own = sets[:, groups]
    return bool(own.any() and not own.all())


def beside(asked: Cases, turned: Cases, share: float) -> Cases:
    """Return both kinds of cases; all of the second weigh `share` of the first, within each hypothesis."""
    weight = turned.weight.copy()
    for h1 in (True, False):
        mine = turned.is_h1 == h1
        weight[mine] *= share * asked.weight[asked.is_h1 == h1].sum() / weight[mine].sum()
    second = replace(turned, weight=weight, share=share * turned.share)
    columns = {f.name: np.concatenate([getattr(asked, f.name), getattr(second, f.name)]) for f in fields(Cases)}
    return Cases(**columns)


def cases_of_sets(prepared: Prepared, evidence: Evidence, kept: Bools, settings: EvidenceConfig, sets: Bools) -> Cases:
    """Pair parcels with declarations as exports would: H1 a compliant zone's own parcels, H2 what H2 names.

    For every set of compliant zones: each kept parcel of a compliant zone with its own zone, and each kept parcel of
    a zone that was not compliant with every compliant zone. The latter once with its zone among the listed sources,
    and once with that zone taken out, as a parcel that nobody has sampled the source of: these weigh `unlisted_weight`
    of H2. Zones weigh equally within each of the three.
    """
    groups, unlisted_weight, pieces = prepared.groups, settings.unlisted_weight, []
    for allowed in sets:
        zones = np.flatnonzero(allowed)
        own, other = np.flatnonzero(kept & allowed[groups]), np.flatnonzero(kept & ~allowed[groups])
        false_parcel, false_zone = np.repeat(other, zones.size), np.tile(zones, other.size)
        for parcel, zone, true, left_out, share in (
            (own, groups[own], True, False, 1.0),
            (false_parcel, false_zone, False, False, 1.0 - unlisted_weight),
            (false_parcel, false_zone, False, True, unlisted_weight),
        ):
            alternatives = np.tile((~allowed).astype(float), (parcel.size, 1))
            if left_out:
                alternatives[np.arange(parcel.size), groups[parcel]] = 0.0
            score = scores_of(evidence, parcel, zone, alternatives, unlisted_weight)
            pieces.append((parcel, np.full(parcel.size, true), score, share / n_alike(groups[parcel])))
    parcel, is_true, score, weight = (np.concatenate(column) for column in zip(*pieces, strict=True))
    ln_n = np.log(prepared.arrays.n_stones[parcel])
    told = np.broadcast_to(told_apart(evidence.listed, settings.offset_spread), groups.shape)
    return Cases(
        score=score,
        is_h1=is_true,
        ln_n=ln_n,
        weight=weight,
        parcel=parcel,
        told=told[parcel],
        share=np.ones(parcel.size),
    )


def calibrate(
    prepared: Prepared, evidence: Evidence, kept: Bools, settings: EvidenceConfig, *, times: Ints
) -> tuple[Calibration, Cases]:
    """Learn the calibration, its bounds and its resampled versions; return what they were learnt from too.

    Parameters
    ----------
    times : ndarray of shape (B, n)
        How often each reference parcel was drawn.
    """
    cases = declared_cases(prepared, evidence, kept, settings)
    return Calibration.fit(cases, trust=settings.trust, times=times, offset_spread=settings.offset_spread), cases


def resample(groups: Ints, *, n_resamples: int, seed: int) -> Ints:
    """Draw parcels anew within each zone and return how often (B, n) each was drawn."""
    rng, times = np.random.default_rng(seed), np.zeros((n_resamples, groups.size), dtype=np.intp)
    for row in times:
        for group in np.unique(groups):
            members = np.flatnonzero(groups == group)
            np.add.at(row, rng.choice(members, members.size), 1)
    return times


def resample_sources(prepared: Prepared, fitted: Fitted, drawn: Ints) -> Floats:
    """Return locations (B, Z, D) of the zones from resampled reference parcels.

    `drawn` (B, n) says how often each parcel was drawn. The variances stay those of the fit; zone means and condition
    effects are solved for anew.
    """
    model = fitted.model
    summaries = summarise(prepared.arrays, fitted.structure)
    y = summaries.estimates[0] - model.mean
    own = np.zeros_like(y)
    for effects, codes in zip(model.levels, prepared.arrays.levels.T, strict=True):
        own += np.where((codes >= 0)[:, None], effects[np.maximum(codes, 0)], 0.0)
    precision = np.linalg.inv(summaries.errors[0] + model.within / model.weights[:, None, None])
    between = np.linalg.inv(model.between)
    weighted = (precision @ (y - own)[:, :, None])[:, :, 0]
    out = np.zeros((len(drawn), *model.groups.shape))
    for b, times in enumerate(drawn):
        for group in range(len(model.groups)):
            rows = np.flatnonzero((prepared.groups == group) & (times > 0))
            total = np.einsum("p,pde->de", times[rows], precision[rows]) + between
            out[b, group] = model.mean + np.linalg.solve(total, times[rows] @ weighted[rows])
    return out


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


def held_out_fits(
    prepared: Prepared,
    splits: Sequence[Split],
    *,
    table_vote: float | None = None,
    prior: Floats | None = None,
    n_jobs: int = 1,
    n_iterations: int = N_ITERATIONS,
    structure: Structure | None = None,
) -> list[Fitted]:
    """Return fits to the other folds, in the order of the splits, of which the tables weigh nothing as yet.

    The structure is learnt in each fold too, unless it is given.
    """
    fit = partial(
        fit_model, prepared, table_vote=table_vote, prior=prior, n_iterations=n_iterations, structure=structure
    )
    return list(Parallel(n_jobs=n_jobs)(delayed(fit)(split.train) for split in splits))


def held_out_candidates(
    prepared: Prepared, splits: Sequence[Split], fits: Sequence[Fitted], gate: Network | None, *, n_jobs: int = 1
) -> Candidates:
    """Return candidates of every prepared parcel, each under the fit to the other folds; `splits` test each once."""
    parts = Parallel(n_jobs=n_jobs)(
        delayed(candidates_of)(replace(fitted, gate=gate), prepared.arrays.take(split.test))
        for split, fitted in zip(splits, fits, strict=True)
    )
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
    fits = held_out_fits(prepared, splits, n_iterations=INNER_ITERATIONS, structure=prepared.structure)
    candidates = held_out_candidates(prepared, splits, fits, gate)
    return choose(candidates, prepared.groups, prepared.arrays.n_stones, rows, settings)


def splits_of(prepared: Prepared, *, n_folds: int, seed: int) -> list[Split]:
    """Return the folds by parcel that calibration and the choice of evidence are learnt across.

    The only parcel of a zone is learnt from everywhere, so that every fit knows all zones.
    """
    names = [prepared.zone_ids[g] for g in prepared.groups]
    fold = fold_of_parcels(names, n_folds=n_folds, seed=seed)
    alone = np.flatnonzero(n_alike(prepared.groups) == 1)
    return [replace(split, train=np.union1d(split.train, alone)) for split in folds(fold)]
