"""The calibration learnt from out-of-fold evidence of reference parcels, and resampled versions of what is learnt."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from kpfootprint.stats.arrays import Bools, Floats, Ints, n_alike
from kpfootprint.stats.calibration import Calibration, Cases, told_apart
from kpfootprint.stats.selection import Evidence, log10_score
from kpfootprint.stats.summaries import summarise
from training.config import EvidenceConfig
from training.prepare import Fitted, Prepared, turned_round


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
